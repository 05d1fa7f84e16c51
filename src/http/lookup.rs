//! Looking up host names. An address in figures needs no looking up; the package would start a thread for it, which with
//! a hundred devices is a hundred threads.

use std::net::{IpAddr, SocketAddr};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// Takes addresses in figures as they are, and leaves names to the package.
#[derive(Debug, Default)]
pub(super) struct Lookup {
    names: DefaultResolver,
}

impl Resolver for Lookup {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let Some(address) = in_figures(uri) else { return self.names.resolve(uri, config, timeout) };
        let mut found = self.empty();
        found.push(address);
        Ok(found)
    }
}

/// The address that stands in the URL itself; `None` when a name does.
fn in_figures(uri: &Uri) -> Option<SocketAddr> {
    let host: IpAddr = uri.host()?.trim_start_matches('[').trim_end_matches(']').parse().ok()?;
    let port = match (uri.port_u16(), uri.scheme_str()) {
        (Some(port), _) => port,
        (None, Some("http")) => 80,
        (None, Some("https")) => 443,
        (None, _) => return None,
    };
    Some(SocketAddr::new(host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(url: &str) -> Option<String> {
        in_figures(&url.parse().unwrap()).map(|address| address.to_string())
    }

    #[test]
    fn an_address_in_figures_is_taken_as_it_is() {
        assert_eq!(found("http://10.0.0.5/x").as_deref(), Some("10.0.0.5:80"));
        assert_eq!(found("https://10.0.0.5/x").as_deref(), Some("10.0.0.5:443"));
        assert_eq!(found("http://user:word@10.0.0.5:8080/").as_deref(), Some("10.0.0.5:8080"));
        assert_eq!(found("http://[::1]:8080/").as_deref(), Some("[::1]:8080"));
    }

    #[test]
    fn a_name_is_left_to_be_looked_up() {
        assert_eq!(found("http://pdu-1.local/"), None);
        // Not four figures: some programs read it as 10.0.0.5.
        assert_eq!(found("http://10.5/"), None);
        assert_eq!(found("http://010.0.0.5/"), None);
    }
}
