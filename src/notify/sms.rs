//! Text messages: Twilio's REST API, or any HTTP provider by template. Short and ASCII, so that a message costs at most
//! two segments. Carriers' email-to-SMS gateways are not offered: they are being closed.

use std::path::Path;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use regex::Regex;
use serde_json::Value;

use crate::config::{Secret, SmsConfig, SmsProvider};
use crate::http::{Answer, Request, reach, send as call};
use crate::model::{DeliveryResult, Fault, FaultKind};
use crate::units::UnixSeconds;

use super::attempt::{Attempt, combine, excerpt, percent_encoded, retry_after};
use super::letter::Letter;

const DEVICE: &str = "sms";

/// Two segments of the GSM alphabet, less a little for brackets, which count twice.
const TEXT_MAX: usize = 300;

const FORM: &str = "application/x-www-form-urlencoded";

/// Sends a message to each recipient within `left` (real time); one that is refused stops no other.
pub(super) fn send(cfg: &SmsConfig, letter: &Letter, left: Duration) -> Attempt {
    let deadline = Instant::now() + left;
    let text = letter.in_ascii().text(TEXT_MAX);
    let mut results = Vec::new();
    let recipients = letter.missing(&cfg.to);
    for (place, to) in recipients.iter().enumerate() {
        // What is left is shared out, so that a slow answer to the first leaves time for the last.
        let sharers = u32::try_from(recipients.len() - place).unwrap_or(u32::MAX);
        let share = deadline.saturating_duration_since(Instant::now()) / sharers.max(1);
        results.push(((*to).clone(), send_to(cfg, to, &text, cfg.timeout.duration().min(share))));
    }
    combine(DEVICE, &letter.reached, results)
}

/// Asks Twilio about the account, and any other provider only whether its host answers, within `limit` (real time); sends
/// nothing. `Ok(None)` when a provider's address leaves nothing to ask.
pub(super) fn look(cfg: &SmsConfig, limit: Duration) -> Result<Option<String>, Fault> {
    let limit = cfg.timeout.duration().min(limit);
    let SmsProvider::Twilio { account_sid, auth_token, .. } = &cfg.provider else {
        return reach(DEVICE, &cfg.url, limit);
    };
    let url = format!("{}/2010-04-01/Accounts/{account_sid}.json", cfg.url.trim_end_matches('/'));
    let login = Secret::new(BASE64.encode(format!("{account_sid}:{}", auth_token.reveal())));
    let request = Request::get(DEVICE, &url, limit)
        .header("Authorization", format!("Basic {}", login.reveal()))
        .secret(auth_token)
        .secret(&login);
    let answer = call(&request)?;
    match judge_twilio(&answer, &[auth_token, &login]) {
        Attempt::Accepted(_) => {}
        Attempt::Later { fault, .. } | Attempt::Refused(fault) => return Err(fault),
    }
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let text = |name: &str| said.get(name).and_then(Value::as_str).map(|text| excerpt(text, &[auth_token, &login]));
    let (name, kind) = (text("friendly_name").unwrap_or_default(), text("type").unwrap_or_default());
    match text("status").as_deref() {
        Some("active") => Ok(Some(format!("account `{name}` is active ({kind})"))),
        status => {
            let status = status.unwrap_or("of no status");
            let detail = format!("the account is {status}; look into Twilio's console: has it credit?");
            Err(Fault::new(DEVICE, FaultKind::Refused, detail))
        }
    }
}

fn send_to(cfg: &SmsConfig, to: &str, text: &str, limit: Duration) -> Attempt {
    match &cfg.provider {
        SmsProvider::Twilio { account_sid, auth_token, from } => {
            let url = format!("{}/2010-04-01/Accounts/{account_sid}/Messages.json", cfg.url.trim_end_matches('/'));
            let login = Secret::new(BASE64.encode(format!("{account_sid}:{}", auth_token.reveal())));
            let fields = [("To", to), ("From", from.as_str()), ("Body", text)];
            let body: Vec<String> =
                fields.iter().map(|(name, value)| format!("{name}={}", percent_encoded(value))).collect();
            let mut request = Request::new(DEVICE, "POST", &url, limit)
                .header("Authorization", format!("Basic {}", login.reveal()))
                .body(FORM, body.join("&"))
                .secret(auth_token)
                .secret(&login);
            request.ca_file = cfg.ca_file.as_deref();
            call(&request).map_or_else(Attempt::later, |answer| judge_twilio(&answer, &[auth_token, &login]))
        }
        SmsProvider::Template { method, headers, key, body, success, refused } => {
            let (key, refused) = (key.as_ref(), refused.as_ref());
            let ca_file = cfg.ca_file.as_deref();
            let template = Template { url: &cfg.url, ca_file, method, headers, key, body, success, refused };
            send_by_template(&template, to, text, limit)
        }
    }
}

/// What an answer of Twilio means for a message that was not tried before `now`.
pub fn parse_twilio(answer: &Answer, secrets: &[&Secret], now: UnixSeconds) -> DeliveryResult {
    judge_twilio(answer, secrets).into_result(0, now).0
}

/// The same of a provider whose answer is judged by patterns: that of a success, and that of a refusal for good.
pub fn parse_template(
    answer: &Answer,
    success: &Regex,
    refused: Option<&Regex>,
    secrets: &[&Secret],
    now: UnixSeconds,
) -> DeliveryResult {
    let template = Template { url: "", method: "", headers: &[], key: None, body: "", success, refused, ca_file: None };
    judge_template(answer, &template, secrets).into_result(0, now).0
}

/// Twilio's answer: 201 means that it took the message, not that it arrived. Decided by the status alone, as Twilio
/// advises; its codes only choose the way out that is told.
fn judge_twilio(answer: &Answer, secrets: &[&Secret]) -> Attempt {
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let text = |name: &str| said.get(name).and_then(Value::as_str).map(|text| excerpt(text, secrets));
    let code = |name: &str| said.get(name).and_then(Value::as_u64);
    match answer.status {
        200..300 if said.get("sid").is_some_and(Value::is_string) => match text("status").as_deref() {
            Some(status @ ("failed" | "undelivered" | "canceled")) => {
                let code = code("error_code");
                let why = text("error_message").unwrap_or_default();
                let detail = format!("Twilio says `{status}`{} `{why}`{}", shown_code(code), twilio_way_out(code, 200));
                Attempt::Refused(Fault::new(DEVICE, FaultKind::Status, detail))
            }
            _ => Attempt::Accepted(None),
        },
        400..500 if code("code").is_some() || text("message").is_some() => {
            let (status, code) = (answer.status, code("code"));
            let why = text("message").unwrap_or_default();
            let detail = format!("{status}{} `{why}`{}", shown_code(code), twilio_way_out(code, status));
            judge_status(answer, Fault::new(DEVICE, kind_of(status), detail))
        }
        400..600 => Attempt::later(quoting(answer, secrets, "")),
        status => {
            let start = excerpt(&answer.text(), secrets);
            let detail = format!("status {status}, and the answer is not Twilio's: `{start}`");
            Attempt::later(Fault::new(DEVICE, FaultKind::Unreadable, detail))
        }
    }
}

fn shown_code(code: Option<u64>) -> String {
    code.map_or_else(String::new, |code| format!(", code {code}"))
}

/// What an operator does about one of Twilio's errors; empty where its own words are all there is to say.
fn twilio_way_out(code: Option<u64>, status: u16) -> &'static str {
    match (code, status) {
        (Some(21211 | 21214 | 21217 | 21614), _) => "; correct the number in `to` in [sms]",
        (Some(21610), _) => "; this phone has sent STOP: send START from it to the number in `from`",
        (Some(21608 | 21219), _) => "; a trial account: verify this number at Twilio, or upgrade the account",
        (Some(21408), _) => "; allow messages to this country in Twilio's geographic permissions",
        (Some(21212 | 21603 | 21606 | 21612 | 21659 | 21660), _) => {
            "; `from` in [sms] must be a number of this account that can send text messages"
        }
        (Some(20003), _) | (_, 401) => "; check `account_sid` and the token in [sms]; has the account credit?",
        (Some(20404), _) | (_, 404) => "; check `account_sid` and `url` in [sms]",
        _ => "",
    }
}

/// By the status of an answer that is no success: 4xx never, but for those that ask to wait.
fn judge_status(answer: &Answer, fault: Fault) -> Attempt {
    match answer.status {
        408 | 425 | 429 | 503 => Attempt::not_before(fault, retry_after(answer)),
        400..500 => Attempt::Refused(fault),
        _ => Attempt::later(fault),
    }
}

fn kind_of(status: u16) -> FaultKind {
    if matches!(status, 401 | 403) { FaultKind::Refused } else { FaultKind::Status }
}

fn quoting(answer: &Answer, secrets: &[&Secret], way_out: &str) -> Fault {
    let start = excerpt(&answer.text(), secrets);
    Fault::new(DEVICE, kind_of(answer.status), format!("{} `{start}`{way_out}", answer.status))
}

/// What a provider's answer means. Its status alone proves nothing: many say 200 and why not in the body.
fn judge_template(answer: &Answer, template: &Template, secrets: &[&Secret]) -> Attempt {
    let text = answer.text();
    if template.refused.is_some_and(|refused| refused.is_match(&text)) {
        return Attempt::Refused(quoting(answer, secrets, "; the answer matches `refused` in [sms]"));
    }
    match answer.status {
        200..300 if template.success.is_match(&text) => Attempt::Accepted(None),
        200..300 => {
            let way_out = "; the answer does not match `success` in [sms], so it is not taken for a success";
            Attempt::later(quoting(answer, secrets, way_out))
        }
        401 | 403 => Attempt::Refused(quoting(answer, secrets, "; check the key in [sms]")),
        _ => judge_status(answer, quoting(answer, secrets, "")),
    }
}

/// A provider's request with `{to}`, `{text}` and `{key}` to be filled in.
struct Template<'a> {
    url: &'a str,
    ca_file: Option<&'a Path>,
    method: &'a str,
    headers: &'a [String],
    key: Option<&'a Secret>,
    body: &'a str,
    success: &'a Regex,
    refused: Option<&'a Regex>,
}

/// How a value is written where it is filled in.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Writing {
    Plain,
    /// Inside a JSON string.
    Json,
    /// In a form's field or an address.
    Percent,
}

fn send_by_template(template: &Template, to: &str, text: &str, limit: Duration) -> Attempt {
    let none = Secret::new("");
    let key = template.key.unwrap_or(&none);
    let encoded_key = Secret::new(percent_encoded(key.reveal()));
    let values = [("{to}", to), ("{text}", text), ("{key}", key.reveal())];
    let url = filled(template.url, &values, Writing::Percent);
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in template.headers {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        headers.push((name.trim().to_owned(), filled(value.trim(), &values, Writing::Plain).replace('\n', " ")));
    }
    let content_type =
        headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type")).map(|(_, value)| value.as_str());
    let writing = writing(content_type, template.body);
    if content_type.is_none() && writing == Writing::Json {
        headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
    }
    let mut request = Request::new(DEVICE, template.method, &url, limit);
    request.ca_file = template.ca_file;
    request.headers = headers;
    request.body = (!template.body.is_empty()).then(|| filled(template.body, &values, writing).into_bytes());
    let secrets: Vec<&Secret> = [key, &encoded_key].into_iter().filter(|s| !s.reveal().is_empty()).collect();
    request.secrets.clone_from(&secrets);
    call(&request).map_or_else(Attempt::later, |answer| judge_template(&answer, template, &secrets))
}

/// How values are written in a body: by its type if one is given, else by its look.
fn writing(content_type: Option<&str>, body: &str) -> Writing {
    let content_type = content_type.unwrap_or_default().to_ascii_lowercase();
    if content_type.contains("form-urlencoded") {
        Writing::Percent
    } else if content_type.contains("json") || body.trim_start().starts_with(['{', '[']) && content_type.is_empty() {
        Writing::Json
    } else {
        Writing::Plain
    }
}

/// The template with its places filled, in one pass: a `{to}` inside the text stays as it is.
fn filled(template: &str, values: &[(&str, &str)], writing: Writing) -> String {
    let mut out = String::new();
    let mut rest = template;
    loop {
        let next = values.iter().filter_map(|(place, value)| Some((rest.find(place)?, *place, *value))).min();
        let Some((at, place, value)) = next else { break };
        let (before, from_place) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(before);
        match writing {
            Writing::Plain => out.push_str(value),
            Writing::Percent => out.push_str(&percent_encoded(value)),
            Writing::Json => {
                let quoted = Value::from(value).to_string();
                out.push_str(quoted.strip_prefix('"').and_then(|q| q.strip_suffix('"')).unwrap_or_default());
            }
        }
        rest = from_place.strip_prefix(place).unwrap_or_default();
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUES: [(&str, &str); 2] = [("{to}", "+1515"), ("{text}", "say \"{to}\"\nnow & here")];

    #[test]
    fn a_template_is_filled_in_one_pass_and_written_as_its_place_needs() {
        assert_eq!(
            filled(r#"{"to": "{to}", "text": "{text}"}"#, &VALUES, Writing::Json),
            r#"{"to": "+1515", "text": "say \"{to}\"\nnow & here"}"#
        );
        assert_eq!(filled("to={to}&t={text}", &VALUES, Writing::Percent), {
            "to=%2B1515&t=say%20%22%7Bto%7D%22%0Anow%20%26%20here"
        });
        assert_eq!(filled("no place", &VALUES, Writing::Plain), "no place");
    }

    #[test]
    fn the_type_of_a_body_decides_how_it_is_written_and_without_one_its_look() {
        assert_eq!(writing(Some("application/json; charset=utf-8"), "x"), Writing::Json);
        assert_eq!(writing(Some(FORM), "{to}"), Writing::Percent);
        assert_eq!(writing(Some("text/plain"), "{\"a\"}"), Writing::Plain);
        assert_eq!(writing(None, " {\"to\": 1}"), Writing::Json);
        assert_eq!(writing(None, "to={to}"), Writing::Plain);
    }
}
