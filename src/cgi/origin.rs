//! Whether a POST comes from one of our own pages: by Origin, else by Referer, and by what the browser says of itself.
//! The token is the other half; neither is relied on alone.

use url::Url;

/// `Err` says why the request is taken for a foreign one.
pub(super) fn check(variable: &dyn Fn(&str) -> Option<String>) -> Result<(), &'static str> {
    let get = |name: &str| variable(name).filter(|value| !value.is_empty());
    if get("HTTP_SEC_FETCH_SITE").is_some_and(|site| site != "same-origin") {
        return Err("the form was sent by another site");
    }
    let Some(from) = get("HTTP_ORIGIN").or_else(|| get("HTTP_REFERER")) else {
        return Err("the browser does not say where the form comes from (neither Origin nor Referer)");
    };
    let host = get("HTTP_HOST").ok_or("the browser does not say which host it asks (no Host)")?;
    let Ok(from) = Url::parse(&from) else { return Err("the form was sent by another site") };
    // The scheme is the browser's: a server behind another one does not know it.
    let here = match from.scheme() {
        "http" | "https" => Url::parse(&format!("{}://{host}/", from.scheme())),
        _ => return Err("the form was sent by another site"),
    };
    let same = here
        .is_ok_and(|here| here.host() == from.host() && here.port_or_known_default() == from.port_or_known_default());
    if same { Ok(()) } else { Err("the form was sent by another site") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(pairs: &[(&str, &str)]) -> bool {
        let find = |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        check(&find).is_ok()
    }

    #[test]
    fn our_own_pages_may_send_forms() {
        assert!(verdict(&[("HTTP_HOST", "10.0.0.5"), ("HTTP_ORIGIN", "http://10.0.0.5")]));
        assert!(verdict(&[("HTTP_HOST", "10.0.0.5:8080"), ("HTTP_ORIGIN", "http://10.0.0.5:8080")]));
        assert!(verdict(&[("HTTP_HOST", "Pi.local:443"), ("HTTP_ORIGIN", "https://pi.local")]));
        assert!(verdict(&[("HTTP_HOST", "[fe80::1]:81"), ("HTTP_REFERER", "http://[fe80::1]:81/admin/?x=1")]));
        let fetched = ("HTTP_SEC_FETCH_SITE", "same-origin");
        assert!(verdict(&[("HTTP_HOST", "pi"), ("HTTP_ORIGIN", "http://pi"), fetched]));
    }

    #[test]
    fn other_sites_and_silent_browsers_may_not() {
        let host = ("HTTP_HOST", "10.0.0.5");
        for origin in ["http://evil.example", "null", "http://10.0.0.5:81", "http://10.0.0.5.evil.example", "file:///x"]
        {
            assert!(!verdict(&[host, ("HTTP_ORIGIN", origin)]), "{origin}");
        }
        assert!(!verdict(&[host]), "neither Origin nor Referer");
        assert!(!verdict(&[host, ("HTTP_REFERER", "http://evil.example/?http://10.0.0.5/")]));
        assert!(!verdict(&[("HTTP_ORIGIN", "http://10.0.0.5")]), "no Host");
        let foreign = ("HTTP_SEC_FETCH_SITE", "cross-site");
        assert!(!verdict(&[host, ("HTTP_ORIGIN", "http://10.0.0.5"), foreign]));
        assert!(!verdict(&[host, ("HTTP_ORIGIN", "http://evil.example"), ("HTTP_REFERER", "http://10.0.0.5/")]));
    }
}
