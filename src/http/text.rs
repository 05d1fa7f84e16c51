//! Texts about answers: addresses without queries, quotations without tags, decoded character sets. No I/O.

use std::time::Duration;

use crate::config::Secret;

/// What stands for a secret.
const MASK: &str = "***";

/// The most characters of foreign text that a fault quotes.
const EXCERPT_MAX: usize = 80;

/// A secret of fewer bytes is masked only where it can be a credential: as part of a word it is any letters.
const MASKED_ANYWHERE_MIN: usize = 4;

/// Words and signs that a credential stands behind, in addresses, header lines, forms and JSON.
const BEFORE_CREDENTIAL: [&str; 12] =
    ["=", ":", "/", "\"", "'", "`", "@", "/bot", "basic ", "bearer ", "token ", "jwt "];

/// Replaces each secret by `***`: one of four bytes or more wherever it is found, a shorter one where it stands alone
/// behind what credentials stand behind. A device may have a password of one letter; the log must stay readable.
pub fn masked(text: &str, secrets: &[&Secret]) -> String {
    let mut secrets: Vec<&str> = secrets.iter().map(|secret| secret.reveal()).filter(|one| !one.is_empty()).collect();
    // A short one that is part of a longer one would leave the rest of that to be seen.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets.into_iter().fold(text.to_owned(), |text, secret| match secret.len() < MASKED_ANYWHERE_MIN {
        false => text.replace(secret, MASK),
        true => masked_as_credential(&text, secret),
    })
}

fn masked_as_credential(text: &str, secret: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(secret) {
        masked.push_str(before);
        let stands_alone = !after.starts_with(|c: char| c.is_alphanumeric() || c == '*');
        let ends_line = after.is_empty() || after.starts_with(['\r', '\n']);
        let is_one = stands_alone && stands_behind_one(&masked, ends_line);
        masked.push_str(if is_one { MASK } else { secret });
        rest = after;
    }
    masked.push_str(rest);
    masked
}

/// Whether a text ends with what a credential stands behind. After a colon with a blank, as in `X-Token: a`, it must be
/// the last of its line: log lines go on.
fn stands_behind_one(text: &str, ends_line: bool) -> bool {
    let ends_with = |end: &&str| {
        let start = text.len().checked_sub(end.len()).and_then(|at| text.get(at..));
        start.is_some_and(|tail| tail.eq_ignore_ascii_case(end))
    };
    BEFORE_CREDENTIAL.iter().any(ends_with) || (ends_line && ends_with(&": "))
}

/// The first 80 characters of a foreign text without tags and control characters, white space folded.
pub fn excerpt(text: &str) -> String {
    let plain = without_tags(text);
    let mut words = String::new();
    for word in plain.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
        if words.chars().count() > EXCERPT_MAX {
            break;
        }
    }
    match words.char_indices().nth(EXCERPT_MAX) {
        Some((end, _)) => format!("{}…", words.get(..end).unwrap_or_default()),
        None => words,
    }
}

/// Drops `<...>`; a `<` that opens no tag stays.
fn without_tags(text: &str) -> String {
    let mut plain = String::with_capacity(text.len().min(4096));
    let mut rest = text;
    // Where one search finds no `>`, none is left for any later one: they would cost a square of the length.
    let mut closes = true;
    while let Some((before, tail)) = rest.split_once('<') {
        plain.push_str(before);
        let opens = tail.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'));
        let tag = if opens && closes { tail.split_once('>') } else { None };
        closes &= tag.is_some() || !opens;
        match tag {
            Some((_, after)) => {
                plain.push(' ');
                rest = after;
            }
            None => {
                plain.push('<');
                rest = tail;
            }
        }
        if plain.len() > 4096 {
            return plain;
        }
    }
    plain.push_str(rest);
    plain
}

/// An address without its query and without anything that could be a login in it.
pub fn shown_url(url: &str) -> String {
    let bare = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = bare.split_once("://") else { return bare.to_owned() };
    let (authority, path) = match rest.split_once('/') {
        Some((authority, path)) => (authority, format!("/{path}")),
        None => (rest, String::new()),
    };
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

/// A time limit: `5 s`, `2.5 s`, `400 ms`.
pub(super) fn shown_span(span: Duration) -> String {
    let ms = span.as_millis();
    match ms {
        0..1000 => format!("{ms} ms"),
        _ if ms % 1000 < 50 => format!("{} s", ms / 1000),
        _ => format!("{:.1} s", span.as_secs_f64()),
    }
}

/// Bytes as text: UTF-8, else by the character set that the header or the page names, else Windows-1252, in which each
/// byte has a meaning.
pub(super) fn decoded(bytes: &[u8], content_type: Option<&str>) -> String {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.trim_start_matches('\u{feff}').to_owned();
    }
    let named = content_type.and_then(charset_of).or_else(|| charset_of(&page_head(bytes)));
    // UTF-8 that is damaged is still better read as UTF-8.
    if named.as_deref().is_some_and(|name| name.eq_ignore_ascii_case("utf-8") || name.eq_ignore_ascii_case("utf8")) {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    named
        .and_then(|name| transcoded(bytes, &name))
        .or_else(|| transcoded(bytes, "windows-1252"))
        .unwrap_or_else(|| String::from_utf8_lossy(bytes).into_owned())
}

fn page_head(bytes: &[u8]) -> String {
    bytes.iter().take(1024).map(|byte| char::from(*byte).to_ascii_lowercase()).collect()
}

/// The word after `charset=`, as headers and `<meta>` write it.
fn charset_of(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let (_, tail) = lower.split_once("charset=")?;
    let tail = tail.trim_start_matches(['"', '\'', ' ']);
    let name: String = tail.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect();
    (!name.is_empty()).then_some(name)
}

/// The HTTP package's own decoder, so that no second one is needed; `None` for a character set it does not know.
fn transcoded(bytes: &[u8], charset: &str) -> Option<String> {
    let mut body = ureq::Body::builder().mime_type("text/plain").charset(charset).data(bytes.to_vec());
    let limit = bytes.len() as u64 * 4 + 16;
    body.with_config().limit(limit).read_to_string().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excerpts_have_no_tags_no_control_characters_and_at_most_80_characters() {
        assert_eq!(excerpt("<br />\n<b>Fatal error</b>:  Uncaught \u{7}x"), "Fatal error : Uncaught x");
        assert_eq!(excerpt("3 < 4 <b>bold"), "3 < 4 bold");
        assert_eq!(excerpt(&"é".repeat(80)).chars().count(), 80);
        assert_eq!(excerpt(&"é".repeat(81)), format!("{}…", "é".repeat(80)));
    }

    #[test]
    fn addresses_are_shown_without_query_and_login() {
        assert_eq!(shown_url("http://10.0.0.7/getData.json?x=1#y"), "http://10.0.0.7/getData.json");
        assert_eq!(shown_url("http://me:pw@10.0.0.7:81"), "http://10.0.0.7:81");
        assert_eq!(shown_url("garbage"), "garbage");
    }

    #[test]
    fn secrets_are_masked_and_an_empty_one_changes_nothing() {
        let (token, empty) = (Secret::new("abc"), Secret::new(""));
        assert_eq!(masked("/botabc/send", &[&token, &empty]), "/bot***/send");
    }

    #[test]
    fn a_short_secret_leaves_the_letters_of_a_log_alone_and_is_hidden_where_it_is_a_credential() {
        let (letter, digit) = (Secret::new("a"), Secret::new("1"));
        let log = "relays-a: a fan that was asked for reads off after 1 s (10 of 11)";
        assert_eq!(masked(log, &[&letter, &digit]), log);
        for (sent, shown) in [
            ("GET /state.json?key=a&b=c", "GET /state.json?key=***&b=c"),
            ("http://me:a@10.0.0.7/", "http://me:***@10.0.0.7/"),
            ("https://api.example.org/bota/sendMessage", "https://api.example.org/bot***/sendMessage"),
            ("Authorization: Bearer a", "Authorization: Bearer ***"),
            ("authorization: jwt a\r\nX-Token: a\r\n", "authorization: jwt ***\r\nX-Token: ***\r\n"),
            (r#"{"user":"abba","password":"a"}"#, r#"{"user":"abba","password":"***"}"#),
            ("bad password `a`", "bad password `***`"),
        ] {
            assert_eq!(masked(sent, &[&letter]), shown);
        }
    }

    #[test]
    fn a_secret_of_four_letters_is_hidden_within_words_and_one_of_three_is_not() {
        assert_eq!(masked("an offset and an offal", &[&Secret::new("offs")]), "an ***et and an offal");
        assert_eq!(masked("an offset", &[&Secret::new("off")]), "an offset");
    }

    #[test]
    fn a_secret_within_another_and_one_like_the_mask_leave_nothing_to_be_seen() {
        let (part, whole, star) = (Secret::new("hunter"), Secret::new("hunter2"), Secret::new("*"));
        assert_eq!(masked("pw=hunter2 pw=hunter", &[&part, &whole]), "pw=*** pw=***");
        assert_eq!(masked("pw=hunter2, pw=*", &[&star, &whole]), "pw=***, pw=***");
    }

    #[test]
    fn text_is_decoded_by_header_by_page_and_else_as_windows_1252() {
        assert_eq!(decoded("Grüße".as_bytes(), None), "Grüße");
        assert_eq!(decoded(b"Gr\xfc\xdfe", Some("text/html; charset=ISO-8859-1")), "Grüße");
        assert_eq!(decoded(b"<meta charset=\"iso-8859-5\">\xb0", None), "<meta charset=\"iso-8859-5\">А");
        assert_eq!(decoded(b"10 \x80", None), "10 €");
        assert_eq!(decoded(b"10 \x80", Some("text/plain; charset=no-such-thing")), "10 €");
        assert_eq!(decoded(b"10 \x80", Some("text/plain; charset=utf-8")), "10 \u{fffd}");
    }

    #[test]
    fn limits_are_shown_in_whole_seconds_where_they_are() {
        assert_eq!(shown_span(Duration::from_secs(5)), "5 s");
        assert_eq!(shown_span(Duration::from_millis(2500)), "2.5 s");
        assert_eq!(shown_span(Duration::from_millis(400)), "400 ms");
    }
}
