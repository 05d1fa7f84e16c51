//! The words of a message: which command it is. Only words are looked at, nothing is done, and of a text that is no command
//! nothing is kept.

use crate::units::Seconds;

/// The longest text that may be a command.
const TEXT_CHARS_MAX: usize = 500;
/// Words that a time may have: `1 h 30 min`.
const TIME_WORDS_MAX: usize = 4;

/// A command as it was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    /// `/status`
    Status,
    /// `/why`
    Why,
    /// `/chart`
    Chart,
    /// `/help`, `/start`
    Help,
    /// `/ack`: an alarm, or `all`.
    Ack(String),
    /// `/hold`: for how long, and why.
    Hold(Option<String>, String),
    /// `/resume`
    Resume,
    /// `/set`: the words behind it.
    Set(Vec<String>),
    /// `/clear`: the target, or `all`.
    Clear(String),
    /// `/confirm`: the code.
    Confirm(String),
}

/// What a message is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Read {
    /// A command, and its text cleaned.
    Command(Command, String),
    /// A command that cannot be done, and why.
    Wrong(String),
    /// Talk, or a command for another bot.
    Talk,
}

/// Reads a message; `bot` is the bot's own name, where it is known.
pub(super) fn read(text: &str, bot: Option<&str>) -> Read {
    let trimmed = text.trim_start();
    if !trimmed.starts_with('/') {
        return Read::Talk;
    }
    if text.chars().count() > TEXT_CHARS_MAX {
        return Read::Wrong(format!("not done: a command has at most {TEXT_CHARS_MAX} characters"));
    }
    let text = clean(trimmed);
    let (name, rest) = text.split_once(' ').unwrap_or((&text, ""));
    let name = match name.split_once('@') {
        // Without our own name known, it may be for another bot.
        Some((name, to)) if bot.is_some_and(|bot| bot.eq_ignore_ascii_case(to)) => name,
        Some(_) => return Read::Talk,
        None => name,
    };
    let command = match name.to_ascii_lowercase().as_str() {
        "/status" => Command::Status,
        "/why" => Command::Why,
        "/chart" => Command::Chart,
        "/help" | "/start" => Command::Help,
        "/ack" => Command::Ack(if rest.is_empty() { "all".to_owned() } else { rest.to_owned() }),
        "/hold" => match hold(rest) {
            Ok((lasts, reason)) => Command::Hold(lasts, reason),
            Err(why) => return Read::Wrong(why),
        },
        "/resume" => Command::Resume,
        "/set" => match shell_words::split(&typed(rest)) {
            Ok(words) => Command::Set(words),
            Err(_) => return Read::Wrong("not done: a quotation mark is not closed".to_owned()),
        },
        "/clear" if rest.is_empty() => {
            return Read::Wrong("not done: /clear needs a target, as in `/clear fan 3`, or `all`".to_owned());
        }
        "/clear" => Command::Clear(rest.to_owned()),
        "/confirm" => Command::Confirm(rest.chars().filter(|c| !c.is_whitespace()).collect()),
        _ => return Read::Wrong("not a command of mine; /help lists them".to_owned()),
    };
    Read::Command(command, text.replacen(name, &name.to_ascii_lowercase(), 1))
}

/// The time at the front, and the reason behind it.
fn hold(rest: &str) -> Result<(Option<String>, String), String> {
    let words: Vec<&str> = rest.split(' ').filter(|word| !word.is_empty()).collect();
    let joined = |words: &[&str]| words.join(" ");
    for count in (1..=words.len().min(TIME_WORDS_MAX)).rev() {
        let (time, reason) = words.split_at_checked(count).unwrap_or_default();
        if joined(time).parse::<Seconds>().is_ok() {
            return Ok((Some(joined(time)), some_reason(joined(reason))));
        }
    }
    if words.first().is_some_and(|word| word.starts_with(|c: char| c.is_ascii_digit() || c == '-')) {
        return Err("not done: the time is not understood; as in `/hold 30m filters are changed`".to_owned());
    }
    Ok((None, some_reason(joined(&words))))
}

fn some_reason(reason: String) -> String {
    if reason.is_empty() { "no reason given".to_owned() } else { reason }
}

/// One line without control characters, without letters that turn the direction of writing, and without invisible ones.
pub(super) fn clean(text: &str) -> String {
    let shown = |c: &char| {
        !c.is_control()
            && !matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{feff}' | '\u{00ad}')
            && !('\u{202a}'..='\u{202e}').contains(c)
            && !('\u{2060}'..='\u{206f}').contains(c)
    };
    let spaced = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c });
    let visible: String = spaced.filter(shown).collect();
    visible.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// What a telephone makes of typed text is taken back: `—for` is `--for`, and curved quotation marks are straight.
fn typed(text: &str) -> String {
    let straight: String = text
        .chars()
        .map(|c| match c {
            '“' | '”' | '„' | '«' | '»' => '"',
            '‘' | '’' | '‚' => '\'',
            other => other,
        })
        .collect();
    let word = |word: &str| match word.strip_prefix(['—', '–']) {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_alphabetic()) => format!("--{rest}"),
        Some(_) | None => word.to_owned(),
    };
    straight.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(text: &str) -> Command {
        match read(text, Some("box_bot")) {
            Read::Command(command, _) => command,
            other @ (Read::Wrong(_) | Read::Talk) => panic!("{text}: {other:?}"),
        }
    }

    fn words(text: &str) -> Vec<String> {
        let Command::Set(words) = command(text) else { panic!("{text}") };
        words
    }

    #[test]
    fn each_command_is_read_in_any_case_and_with_the_bots_own_name_only() {
        assert_eq!(command("/status"), Command::Status);
        assert_eq!(command("  /Status@Box_Bot "), Command::Status);
        assert_eq!(read("/status@other_bot", Some("box_bot")), Read::Talk);
        assert_eq!(read("/status@box_bot", None), Read::Talk);
        assert_eq!(command("/ack"), Command::Ack("all".to_owned()));
        assert_eq!(command("/ack device telegram"), Command::Ack("device telegram".to_owned()));
        assert_eq!(command("/clear fan 3"), Command::Clear("fan 3".to_owned()));
        assert_eq!(command("/confirm 123 456"), Command::Confirm("123456".to_owned()));
        assert_eq!(read("status", None), Read::Talk);
        assert!(matches!(read("/reboot now", None), Read::Wrong(_)));
        assert!(matches!(read("/clear", None), Read::Wrong(_)));
    }

    #[test]
    fn a_hold_has_a_time_and_a_reason_and_either_may_be_missing() {
        let hold = |text: &str| match command(text) {
            Command::Hold(lasts, reason) => (lasts.unwrap_or_default(), reason),
            other @ (Command::Status
            | Command::Why
            | Command::Chart
            | Command::Help
            | Command::Ack(_)
            | Command::Resume
            | Command::Set(_)
            | Command::Clear(_)
            | Command::Confirm(_)) => panic!("{other:?}"),
        };
        let pair = |time: &str, reason: &str| (time.to_owned(), reason.to_owned());
        assert_eq!(hold("/hold 30m filters"), pair("30m", "filters"));
        assert_eq!(hold("/hold 1 h 30 min  new   fan 3"), pair("1 h 30 min", "new fan 3"));
        assert_eq!(hold("/hold"), pair("", "no reason given"));
        assert_eq!(hold("/hold storm ahead"), pair("", "storm ahead"));
        assert_eq!(hold("/hold 2h"), pair("2h", "no reason given"));
        assert!(matches!(read("/hold 30x filters", None), Read::Wrong(_)));
        assert!(matches!(read("/hold -5m filters", None), Read::Wrong(_)));
    }

    #[test]
    fn what_a_telephone_makes_of_dashes_and_quotes_is_taken_back() {
        let plain = words("/set fan 3 off --for 30m --reason \"new belt\"");
        assert_eq!(plain, ["fan", "3", "off", "--for", "30m", "--reason", "new belt"]);
        assert_eq!(words("/set fan 3 off —for 30m –reason “new belt”"), plain);
        assert!(matches!(read("/set fan 3 off --reason \"new", None), Read::Wrong(_)));
    }

    #[test]
    fn a_text_of_the_greatest_length_is_read_and_one_character_more_is_not() {
        let text = |length: usize| format!("/hold {}", "ж".repeat(length - 6));
        assert!(matches!(read(&text(500), None), Read::Command(..)));
        assert!(matches!(read(&text(501), None), Read::Wrong(_)));
    }

    #[test]
    fn hidden_and_turning_letters_are_taken_out_and_every_script_stays() {
        assert_eq!(clean("a\u{202e}b\u{200b}c\u{7}d\u{2066}e\u{feff}"), "abcde");
        assert_eq!(clean("замена\nвентилятора\t3 \u{a0} 🔥"), "замена вентилятора 3 🔥");
    }
}
