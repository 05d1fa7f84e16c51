//! Making a text fit a service: length, alphabet, no control characters. It does not know what the text is about.

/// The text without carriage returns and other control characters that a device's label may carry; line ends stay.
pub(super) fn clean(text: &str) -> String {
    let unified = text.replace("\r\n", "\n").replace(['\r', '\u{2028}', '\u{2029}'], "\n").replace('\t', " ");
    unified.chars().filter(|c| *c == '\n' || !c.is_control()).collect()
}

/// The text on at most `max` characters (Unicode scalar values, as Telegram counts). A longer one is cut at the last
/// line end of its second half, or within a line if there is none, and ends with `mark`.
pub(super) fn cut(text: &str, max: usize, mark: &str) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    // One for the line end before the mark.
    let room = max.saturating_sub(mark.chars().count() + 1);
    let kept: String = text.chars().take(room).collect();
    let line_end = kept.rfind('\n').filter(|end| *end >= kept.len() / 2);
    match line_end.and_then(|end| kept.get(..end)) {
        Some(whole_lines) => format!("{whole_lines}\n{mark}"),
        None => format!("{kept} {mark}"),
    }
}

/// The text in the characters that a plain text message carries at full length: a single one outside the GSM alphabet
/// more than halves what fits, and the backtick of our own wording is outside it.
pub(super) fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.replace(" °", "°").chars() {
        match c {
            '`' | '‘' | '’' | '´' => out.push('\''),
            '“' | '”' | '„' => out.push('"'),
            '°' => out.push_str(" deg "),
            '–' | '—' | '−' => out.push('-'),
            '…' => out.push_str("..."),
            '≥' => out.push_str(">="),
            '≤' => out.push_str("<="),
            '→' => out.push_str("->"),
            '×' => out.push('x'),
            '·' | '•' => out.push('-'),
            'µ' | 'μ' => out.push('u'),
            'ä' => out.push_str("ae"),
            'ö' => out.push_str("oe"),
            'ü' => out.push_str("ue"),
            'ß' => out.push_str("ss"),
            'á' | 'à' | 'â' => out.push('a'),
            'é' | 'è' | 'ê' => out.push('e'),
            'í' => out.push('i'),
            'ó' => out.push('o'),
            'ú' => out.push('u'),
            'ñ' => out.push('n'),
            '\n' | ' '..='~' => out.push(c),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_go_and_line_ends_stay() {
        assert_eq!(clean("a\r\nb\rc\td\u{0}\u{7}e\u{2028}f\u{85}"), "a\nb\nc de\nf");
    }

    #[test]
    fn a_text_of_the_longest_length_is_whole_and_one_more_is_cut() {
        let whole = "🔥".repeat(20);
        assert_eq!(cut(&whole, 20, "… (cut)"), whole);
        let short = cut(&"🔥".repeat(21), 20, "… (cut)");
        assert_eq!(short, format!("{} … (cut)", "🔥".repeat(12)));
        assert_eq!(short.chars().count(), 20);
    }

    #[test]
    fn a_text_is_cut_at_a_line_end_in_its_second_half_only() {
        assert_eq!(cut("aaaa aaaa\nbbbb bbbb bbbb", 20, "(cut)"), "aaaa aaaa\n(cut)");
        assert_eq!(cut("aa\nbbbb bbbb bbbb bbbb bbbb", 20, "(cut)"), "aa\nbbbb bbbb b (cut)");
    }

    #[test]
    fn ascii_keeps_the_meaning_of_degrees_and_drops_what_it_cannot_write() {
        assert_eq!(ascii("intake 95.0 °F (35.0 °C) ≥ limit"), "intake 95.0 deg F (35.0 deg C) >= limit");
        assert_eq!(ascii("relay `fan-2`: 🔥 off — “now” …"), "relay 'fan-2':  off - \"now\" ...");
        assert!(ascii("Größe é 漢字 \u{7f}").is_ascii());
    }
}
