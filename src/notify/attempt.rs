//! What came of one attempt to send, and when the next one is due. It knows no service.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::config::Secret;
use crate::http::{Answer, masked};
use crate::model::{DeliveryResult, Fault, FaultKind};
use crate::units::{Seconds, UnixSeconds};

/// Waits between attempts, growing. A run starts every two minutes, so the first two mean: at the next run.
const WAITS: [Seconds; 6] = [
    Seconds(30),
    Seconds::minutes(1),
    Seconds::minutes(2),
    Seconds::minutes(5),
    Seconds::minutes(10),
    Seconds::minutes(15),
];

/// The longest wait, also when a service asks for more: Telegram has been seen asking for three hours.
pub(super) const WAIT_MAX: Seconds = Seconds::minutes(15);

/// What a service, or the lack of one, said to one message.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Attempt {
    /// Taken; with a remark where not all went well.
    Accepted(Option<Fault>),
    /// Not now.
    Later {
        /// Why.
        fault: Fault,
        /// How long the service asked to wait.
        wait: Option<Seconds>,
        /// The recipients who have it already: they are left out next time.
        reached: Vec<String>,
    },
    /// Never.
    Refused(Fault),
}

impl Attempt {
    /// Not now, without a wish of the service.
    pub(super) fn later(fault: Fault) -> Attempt {
        Attempt::Later { fault, wait: None, reached: Vec::new() }
    }

    /// Not now, and not before the service's own wish.
    pub(super) fn not_before(fault: Fault, wait: Option<Seconds>) -> Attempt {
        Attempt::Later { fault, wait, reached: Vec::new() }
    }

    /// Whether nobody has it and the service may be the cause: then the channel rests.
    pub(super) fn holds_the_channel(&self) -> bool {
        matches!(self, Attempt::Later { reached, .. } if reached.is_empty())
    }

    /// As the result that is kept, and the recipients who have it while others do not. `attempts` counts those before
    /// this one, `now` is site time.
    pub(super) fn into_result(self, attempts: u32, now: UnixSeconds) -> (DeliveryResult, Vec<String>) {
        match self {
            Attempt::Accepted(remark) => (DeliveryResult::Accepted(remark), Vec::new()),
            Attempt::Later { fault, wait, reached } => {
                (DeliveryResult::Later(fault, now.plus(wait_after(attempts, wait))), reached)
            }
            Attempt::Refused(fault) => (DeliveryResult::Refused(fault), Vec::new()),
        }
    }
}

/// How long to wait after a failure that had `attempts` before it, when the service asked for `asked`.
fn wait_after(attempts: u32, asked: Option<Seconds>) -> Seconds {
    let step = usize::try_from(attempts).ok().and_then(|n| WAITS.get(n)).copied().unwrap_or(WAIT_MAX);
    step.max(asked.unwrap_or(Seconds(0))).min(WAIT_MAX)
}

/// One result for a message to several recipients, of whom `before` got it in an earlier attempt. Who may get it later is
/// tried again, and nobody gets it twice; who is refused for good is a remark, as long as anyone has it.
pub(super) fn combine(device: &str, before: &[String], results: Vec<(String, Attempt)>) -> Attempt {
    let mut reached = before.to_vec();
    let mut transient = false;
    let mut longest = None;
    let mut kind = None;
    let mut details = Vec::new();
    for (recipient, result) in results {
        let fault = match result {
            Attempt::Accepted(remark) => {
                reached.push(recipient.clone());
                remark
            }
            Attempt::Later { fault, wait, .. } => {
                transient = true;
                longest = longest.max(wait);
                Some(fault)
            }
            Attempt::Refused(fault) => Some(fault),
        };
        if let Some(fault) = fault {
            kind = kind.or(Some(fault.kind));
            details.push(format!("to `{recipient}`: {}", fault.detail));
        }
    }
    let fault = kind.map(|kind| Fault::new(device, kind, details.join("; ")));
    match fault {
        Some(fault) if transient => Attempt::Later { fault, wait: longest, reached },
        remark if !reached.is_empty() => Attempt::Accepted(remark),
        Some(fault) => Attempt::Refused(fault),
        None => Attempt::Refused(Fault::new(device, FaultKind::Missing, "no recipient is configured")),
    }
}

/// How long an answer asks to wait by `Retry-After`: seconds, or a date measured by the answer's own `Date`.
pub(super) fn retry_after(answer: &Answer) -> Option<Seconds> {
    let asked = answer.header("retry-after")?.trim();
    if let Ok(seconds) = asked.parse() {
        return Some(Seconds(seconds));
    }
    let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(asked).ok()?;
    Some(UnixSeconds(at.as_second()).since(answer.date()?))
}

/// `text` on one line and short, for a fault's detail, with every secret, also encoded, as `***`.
pub(super) fn excerpt(text: &str, secrets: &[&Secret]) -> String {
    const SHOWN_MAX: usize = 160;
    let forms = |secret: &str| [secret.to_owned(), BASE64.encode(secret), percent_encoded(secret)].map(Secret::new);
    let forms: Vec<Secret> = secrets.iter().flat_map(|secret| forms(secret.reveal())).collect();
    // Taken out first: later, it would put together again a secret that came with one in it.
    let text: String = text.chars().filter(|c| !c.is_control() || c.is_whitespace()).collect();
    let clean = masked(&text, &forms.iter().collect::<Vec<_>>());
    let line = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

/// Percent-encodes everything but the unreserved characters, for a form's field or a query.
pub(super) fn percent_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(detail: &str) -> Fault {
        Fault::new("sms", FaultKind::Status, detail)
    }

    #[test]
    fn the_wait_grows_to_fifteen_minutes_and_no_further() {
        let waits: Vec<u64> = (0..8).map(|n| wait_after(n, None).0).collect();
        assert_eq!(waits, [30, 60, 120, 300, 600, 900, 900, 900]);
        assert_eq!(wait_after(u32::MAX, None), WAIT_MAX);
    }

    #[test]
    fn a_wait_that_the_service_asks_for_is_honoured_up_to_fifteen_minutes() {
        assert_eq!(wait_after(0, Some(Seconds(31))), Seconds(31));
        assert_eq!(wait_after(0, Some(Seconds(29))), Seconds(30), "never shorter than our own");
        assert_eq!(wait_after(0, Some(Seconds(899))), Seconds(899));
        assert_eq!(wait_after(0, Some(Seconds(10_072))), Seconds(900));
    }

    #[test]
    fn one_recipient_who_has_it_makes_it_accepted_with_a_remark_about_the_other() {
        let both = vec![("a".into(), Attempt::Refused(fault("no"))), ("b".into(), Attempt::Accepted(None))];
        let Attempt::Accepted(Some(remark)) = combine("sms", &[], both) else { panic!("not accepted") };
        assert_eq!(remark.detail, "to `a`: no");
        let all = vec![("a".into(), Attempt::Accepted(None)), ("b".into(), Attempt::Accepted(None))];
        assert_eq!(combine("sms", &[], all), Attempt::Accepted(None));
    }

    #[test]
    fn nobody_has_it_and_one_may_get_it_later_makes_it_later() {
        let later = Attempt::not_before(fault("busy"), Some(Seconds(70)));
        let both = vec![("a".into(), Attempt::Refused(fault("no"))), ("b".into(), later)];
        let Attempt::Later { fault, wait, reached } = combine("sms", &[], both) else { panic!("not later") };
        assert_eq!((fault.detail.as_str(), wait), ("to `a`: no; to `b`: busy", Some(Seconds(70))));
        assert!(reached.is_empty());
        let no = || vec![("a".to_owned(), Attempt::Refused(self::fault("no")))];
        assert!(matches!(combine("sms", &[], no()), Attempt::Refused(_)));
        assert!(matches!(combine("sms", &[], vec![]), Attempt::Refused(_)));
    }

    #[test]
    fn one_has_it_and_one_may_get_it_later_makes_it_later_for_that_one() {
        let both = vec![("a".into(), Attempt::Accepted(None)), ("b".into(), Attempt::later(fault("busy")))];
        let attempt = combine("sms", &["c".to_owned()], both);
        assert!(!attempt.holds_the_channel());
        let Attempt::Later { reached, .. } = attempt else { panic!("not later") };
        assert_eq!(reached, ["c", "a"]);
        assert!(combine("sms", &[], vec![("b".into(), Attempt::later(fault("busy")))]).holds_the_channel());
    }

    #[test]
    fn the_last_one_is_refused_after_others_got_it_makes_it_accepted_with_a_remark() {
        let last = || vec![("b".to_owned(), Attempt::Refused(fault("no")))];
        assert!(matches!(combine("sms", &["a".to_owned()], last()), Attempt::Accepted(Some(_))));
        assert_eq!(combine("sms", &["a".to_owned()], vec![]), Attempt::Accepted(None), "nobody is left to be told");
    }

    #[test]
    fn an_excerpt_is_one_short_line_without_secrets_in_any_form() {
        let secret = Secret::new("p&ss word");
        let text = format!("a\r\nb p&ss word {} {} c", BASE64.encode("p&ss word"), percent_encoded("p&ss word"));
        assert_eq!(excerpt(&text, &[&secret]), "a b *** *** *** c");
        assert_eq!(excerpt(&"x".repeat(160), &[]).chars().count(), 160);
        assert!(excerpt(&"x".repeat(161), &[]).ends_with("x…"));
    }
}
