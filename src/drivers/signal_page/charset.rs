//! A page's bytes as text: byte order mark, then the header, then the page's own word, then what the bytes look like.
//! It does not refuse: a character that cannot be read becomes U+FFFD, and the checks of the value see it.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// The page's own word must stand this near to its beginning.
const META_MAX: usize = 4096;

/// A page as text.
pub struct Decoded {
    /// The text, without byte order mark.
    pub text: String,
    /// The character set it was read by, and who says so: `windows-1252 (header)`.
    pub charset: String,
    /// Whether some bytes are not of this character set.
    pub damaged: bool,
}

/// Decodes a page. Bytes that are UTF-8 beyond doubt are read as such whatever single-byte set is named: servers name
/// their default for every page.
pub fn decode(bytes: &[u8], content_type: Option<&str>) -> Decoded {
    let (encoding, who) = chosen(bytes, content_type);
    let (text, used, damaged) = encoding.decode(bytes);
    let charset = format!("{} ({who})", used.name().to_ascii_lowercase());
    Decoded { text: text.trim_start_matches('\u{feff}').to_owned(), charset, damaged }
}

fn chosen(bytes: &[u8], content_type: Option<&str>) -> (&'static Encoding, &'static str) {
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return (encoding, "byte order mark");
    }
    let header = content_type.and_then(label).and_then(|label| Encoding::for_label(label.as_bytes()));
    // A page that can be read as ASCII to find its own word is not UTF-16, whatever the word is.
    let is_wide = |encoding: &Encoding| encoding == UTF_16LE || encoding == UTF_16BE;
    let own = label(&head(bytes)).and_then(|label| Encoding::for_label(label.as_bytes()));
    let own = own.map(|encoding| if is_wide(encoding) { UTF_8 } else { encoding });
    let named = header.map(|encoding| (encoding, "header")).or_else(|| own.map(|encoding| (encoding, "page")));
    let is_utf8 = std::str::from_utf8(bytes).is_ok();
    match named {
        Some((encoding, _)) if is_utf8 && encoding.is_single_byte() && !bytes.is_ascii() => (UTF_8, "by its bytes"),
        Some(named) => named,
        None if is_utf8 => (UTF_8, "by its bytes"),
        None => (WINDOWS_1252, "none is named"),
    }
}

fn head(bytes: &[u8]) -> String {
    bytes.iter().take(META_MAX).map(|byte| char::from(*byte).to_ascii_lowercase()).collect()
}

/// The word after `charset=` (or `encoding=` of XML), as headers and `<meta>` write it.
fn label(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let tail = ["charset", "encoding"].iter().find_map(|key| {
        let mut rest = lower.as_str();
        while let Some((_, tail)) = rest.split_once(key) {
            if let Some(value) = tail.trim_start().strip_prefix('=') {
                return Some(value.trim_start());
            }
            rest = tail;
        }
        None
    })?;
    let name: String = tail
        .trim_start_matches(['"', '\'', ' '])
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | '.'))
        .collect();
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], header: Option<&str>) -> (String, String, bool) {
        let decoded = decode(bytes, header);
        (decoded.text, decoded.charset, decoded.damaged)
    }

    fn is(text: &str, charset: &str) -> (String, String, bool) {
        (text.to_owned(), charset.to_owned(), false)
    }

    #[test]
    fn the_header_counts_before_the_page_and_the_page_before_a_guess() {
        assert_eq!(read(b"Gr\xfc\xdfe", Some("text/html; charset=ISO-8859-1")), is("Grüße", "windows-1252 (header)"));
        let page = b"<meta http-equiv=\"Content-Type\" content=\"text/html; charset = 'iso-8859-5'\">\xb0";
        assert!(read(page, Some("text/html")).0.ends_with('А'));
        assert_eq!(read(page, Some("text/html")).1, "iso-8859-5 (page)");
        assert!(read(page, Some("text/html;charset=windows-1252")).0.ends_with('°'));
        assert_eq!(read(b"10 \x80", None), is("10 €", "windows-1252 (none is named)"));
        assert_eq!(read(b"10 \x80", Some("text/plain; charset=no-such-thing")).0, "10 €");
        assert_eq!(read("Grüße".as_bytes(), None), is("Grüße", "utf-8 (by its bytes)"));
        let xml = b"<?xml version=\"1.0\" encoding='ISO-8859-2'?>\xb3";
        assert!(read(xml, None).0.ends_with('ł'));
    }

    #[test]
    fn utf_8_is_read_as_such_though_the_server_names_its_default() {
        let seen = read("1\u{a0}312".as_bytes(), Some("text/html; charset=iso-8859-1"));
        assert_eq!(seen, is("1\u{a0}312", "utf-8 (by its bytes)"));
        let (text, charset, damaged) = read(b"10 \x80", Some("text/plain; charset=utf-8"));
        assert_eq!((text.as_str(), charset.as_str(), damaged), ("10 \u{fffd}", "utf-8 (header)", true));
    }

    #[test]
    fn a_byte_order_mark_counts_before_everything_and_wide_text_is_read() {
        assert_eq!(
            read(b"\xef\xbb\xbf312", Some("text/html; charset=iso-8859-1")),
            is("312", "utf-8 (byte order mark)")
        );
        assert_eq!(read(b"\xff\xfe3\x001\x002\x00", None), is("312", "utf-16le (byte order mark)"));
        assert_eq!(read(b"3\x001\x002\x00", Some("text/html; charset=utf-16le")), is("312", "utf-16le (header)"));
        assert!(read(b"<meta charset=utf-16>312", None).0.ends_with("312"));
    }
}
