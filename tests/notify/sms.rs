//! Text messages: Twilio's form, and providers by template.

use minectl::config::{Config, Secret, SmsConfig, SmsProvider};
use minectl::model::{Channel, FaultKind, OutboxEntry, Severity};
use minectl::units::Seconds;

use regex::Regex;

use super::http_stand_in::{HttpStandIn, Play};
use super::support::*;

const QUEUED: &str = r#"{"sid":"SM0123","status":"queued","error_code":null,"error_message":null}"#;
const INVALID: &str = r#"{"code":21211,"message":"The 'To' number is not a valid phone number.","status":400}"#;

fn site(script: Vec<Play>) -> (Config, HttpStandIn) {
    let server = HttpStandIn::start(script);
    let mut sms = twilio(&server.url);
    sms.to.push("+15155550122".to_owned());
    (Config { sms: Some(sms), ..config() }, server)
}

fn emergency(text: &str) -> OutboxEntry {
    entry(9, Channel::Sms, Severity::Emergency, text)
}

#[test]
fn twilio_gets_a_form_for_each_recipient_with_basic_login() {
    let (cfg, server) = site(vec![Play::json(201, QUEUED)]);
    assert_eq!(accepted(deliver_one(&cfg, &emergency("smoke at 100 °F & rising"))), None);
    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!((seen[0].method.as_str(), seen[0].path.as_str()), ("POST", "/2010-04-01/Accounts/ACtest/Messages.json"));
    assert_eq!(seen[0].header("authorization"), "Basic QUN0ZXN0OnRlc3QtdHdpbGlvLWF1dGgtdG9rZW4=");
    assert_eq!(seen[0].header("content-type"), "application/x-www-form-urlencoded");
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let text = field("Body", "[Container 7] EMERGENCY: smoke at 100 deg F & rising");
    assert_eq!(seen[0].form(), [field("To", "+15155550111"), field("From", "+15155550100"), text.clone()]);
    assert_eq!(seen[1].form(), [field("To", "+15155550122"), field("From", "+15155550100"), text]);
}

#[test]
fn a_text_of_300_characters_is_whole_and_a_longer_one_is_cut_in_ascii() {
    let (cfg, server) = site(vec![Play::json(201, QUEUED)]);
    let lead = "[Container 7] EMERGENCY: ".len();
    deliver_all(&cfg, &[emergency(&"x".repeat(300 - lead))]);
    deliver_all(&cfg, &[emergency(&"x".repeat(301 - lead))]);
    let texts: Vec<String> = server.seen().iter().step_by(2).map(|seen| seen.form()[2].1.clone()).collect();
    assert_eq!(texts[0].len(), 300);
    assert!(texts[0].ends_with("xx"));
    assert_eq!(texts[1].len(), 300);
    assert!(texts[1].ends_with("x ... (cut)"));
}

#[test]
fn one_refused_recipient_stops_no_other_and_is_remarked() {
    let (cfg, server) = site(vec![Play::json(400, INVALID), Play::json(201, QUEUED)]);
    let remark = accepted(deliver_one(&cfg, &emergency("smoke"))).unwrap();
    assert_eq!((remark.device.as_str(), remark.kind), ("sms", FaultKind::Status));
    assert!(remark.detail.contains("+15155550111") && remark.detail.contains("not a valid phone number"), "{remark}");
    assert_eq!(server.seen().len(), 2);
}

#[test]
fn refusals_by_twilio_are_for_good_and_too_many_requests_is_not() {
    let (cfg, _server) = site(vec![Play::json(400, INVALID)]);
    assert_eq!(refused(deliver_one(&cfg, &emergency("smoke"))).kind, FaultKind::Status);

    let body = format!(r#"{{"code":20003,"message":"Authenticate {AUTH_TOKEN}","status":401}}"#);
    let (cfg, _server) = site(vec![Play::json(401, &body)]);
    let fault = refused(deliver_one(&cfg, &emergency("smoke")));
    assert_eq!(fault.kind, FaultKind::Refused);
    assert!(fault.detail.contains("Authenticate ***") && fault.detail.contains("[sms]"), "{fault}");
    assert_no_secret(&fault.to_string());

    let body = r#"{"code":20429,"message":"Too Many Requests","status":429}"#.to_owned();
    let (cfg, _server) = site(vec![Play::Answer(429, "Retry-After: 240\r\n", body)]);
    assert_eq!(later(deliver_one(&cfg, &emergency("smoke"))).1, 240);
}

#[test]
fn each_of_twilios_refusals_says_its_code_its_words_and_the_way_out() {
    let cases = [
        (400, 21211, "The 'To' number +1515 is not a valid phone number.", "correct the number in `to`"),
        (400, 21610, "Attempt to send to unsubscribed recipient", "send START from it"),
        (400, 21608, "The number is unverified. Trial accounts cannot send", "verify this number"),
        (400, 21408, "Permission to send an SMS has not been enabled for the region", "geographic permissions"),
        (400, 21606, "The From phone number is not a valid, SMS-capable number", "`from` in [sms]"),
        (401, 20003, "Authenticate", "check `account_sid` and the token"),
        (404, 20404, "The requested resource was not found", "check `account_sid`"),
        (403, 99_999, "Some new error", "Some new error"),
    ];
    for (status, code, message, way_out) in cases {
        let more = format!("https://www.twilio.com/docs/errors/{code}");
        let body = serde_json::json!({"code": code, "message": message, "more_info": more, "status": status});
        let (cfg, server) = site(vec![Play::json(status, &body.to_string())]);
        let fault = refused(deliver_one(&cfg, &emergency("smoke")));
        assert_eq!(server.seen().len(), 2, "each recipient once, and no more");
        for words in [message, way_out, &format!("{status}, code {code}")] {
            assert!(fault.detail.contains(words), "{words} in {fault}");
        }
    }
}

#[test]
fn a_message_that_twilio_took_and_calls_failed_is_refused() {
    for status in ["failed", "undelivered", "canceled"] {
        let body =
            format!(r#"{{"sid":"SM0123","status":"{status}","error_code":30007,"error_message":"Carrier violation"}}"#);
        let (cfg, _server) = site(vec![Play::json(201, &body)]);
        let fault = refused(deliver_one(&cfg, &emergency("smoke")));
        assert!(fault.detail.contains("code 30007 `Carrier violation`"), "{fault}");
    }
    for status in ["queued", "accepted", "scheduled", "sending", "sent", "a word of tomorrow"] {
        let (cfg, _server) = site(vec![Play::json(201, &format!(r#"{{"sid":"SM0123","status":"{status}"}}"#))]);
        assert_eq!(accepted(deliver_one(&cfg, &emergency("smoke"))), None);
    }
}

#[test]
fn an_answer_that_is_not_twilios_is_tried_again_later() {
    let html = || "<html>log in to the network".to_owned();
    for status in [200, 302, 403, 500] {
        let (cfg, _server) = site(vec![Play::Answer(status, "Content-Type: text/html\r\n", html())]);
        let (fault, _) = later(deliver_one(&cfg, &emergency("smoke")));
        assert!(fault.detail.contains("log in"), "{fault}");
    }
    let (cfg, _server) = site(vec![Play::json(201, r#"{"sid":12,"status":["?"]}"#)]);
    assert_eq!(later(deliver_one(&cfg, &emergency("smoke"))).0.kind, FaultKind::Unreadable);
    let (cfg, _server) = site(vec![Play::Reset]);
    assert_eq!(later(deliver_one(&cfg, &emergency("smoke"))).0.kind, FaultKind::Broken);
}

#[test]
fn a_first_recipient_whose_call_hangs_leaves_time_for_the_second() {
    let (mut cfg, server) = site(vec![Play::Hang, Play::json(201, QUEUED)]);
    cfg.sms.as_mut().unwrap().timeout = Seconds(60);
    let kept = kept_after(&cfg, &emergency("smoke"));
    assert_eq!(kept.reached, ["+15155550122"]);
    assert_eq!(server.seen().len(), 2);
}

#[test]
fn who_may_get_it_later_is_tried_again_and_who_has_it_is_not() {
    let busy = r#"{"code":20429,"message":"Too Many Requests","status":429}"#;
    let (cfg, server) = site(vec![Play::json(201, QUEUED), Play::json(429, busy), Play::json(201, QUEUED)]);
    let kept = kept_after(&cfg, &emergency("smoke"));
    assert_eq!(kept.reached, ["+15155550111"]);
    assert_eq!(accepted(deliver_one(&cfg, &kept)), None);
    let told: Vec<String> = server.seen().iter().map(|seen| seen.form()[0].1.clone()).collect();
    assert_eq!(told, ["+15155550111", "+15155550122", "+15155550122"]);
}

#[test]
fn a_recipient_who_cannot_be_reached_holds_back_no_message_to_the_other() {
    let busy = r#"{"code":20429,"message":"Too Many Requests","status":429}"#;
    let script = [201, 429].into_iter().cycle().take(8).map(|status| match status {
        201 => Play::json(201, QUEUED),
        _ => Play::json(429, busy),
    });
    let (cfg, server) = site(script.collect());
    let infos = [entry(1, Channel::Sms, Severity::Info, "one"), entry(2, Channel::Sms, Severity::Info, "two")];
    let deliveries = deliver_all(&cfg, &infos);
    assert_eq!(deliveries.len(), 2);
    assert_eq!(server.seen().iter().filter(|seen| seen.form()[0].1 == "+15155550111").count(), 2);
    assert!(deliveries.iter().all(|delivery| delivery.reached == ["+15155550111"]), "{deliveries:?}");
}

fn by_template(url: String, method: &str, headers: &[&str], body: &str) -> Config {
    let provider = SmsProvider::Template {
        method: method.to_owned(),
        headers: headers.iter().map(|line| (*line).to_owned()).collect(),
        key: Some(Secret::new(SMS_KEY)),
        body: body.to_owned(),
        success: Regex::new(r#""status":\s*"accepted""#).unwrap(),
        refused: Some(Regex::new("blocked number").unwrap()),
    };
    let to = vec!["+15155550111".to_owned()];
    Config { sms: Some(SmsConfig { url, provider, to, ca_file: None, timeout: Seconds(3) }), ..config() }
}

const TAKEN: &str = r#"{"status": "accepted", "id": "m-1"}"#;

const SAID: &str = "[Container 7] EMERGENCY: say \"{to}\"\nnow & here";

#[test]
fn a_json_provider_gets_its_places_filled_and_escaped() {
    let server = HttpStandIn::start(vec![Play::json(200, TAKEN)]);
    let headers = ["Content-Type: application/json", "X-Api-Key: {key}"];
    let cfg = by_template(server.url.clone(), "POST", &headers, r#"{"to": "{to}", "text": "{text}"}"#);
    assert_eq!(accepted(deliver_one(&cfg, &emergency("say \"{to}\"\nnow & here"))), None);
    let seen = server.seen();
    assert_eq!(seen[0].json()["to"], "+15155550111");
    assert_eq!(seen[0].json()["text"], SAID);
    assert_eq!(seen[0].header("x-api-key"), SMS_KEY);

    let cfg = by_template(server.url.clone(), "POST", &[], r#"{"text": "{text}"}"#);
    deliver_all(&cfg, &[emergency("x\"y")]);
    assert_eq!(server.seen()[1].header("content-type"), "application/json", "told by its look");
    assert_eq!(server.seen()[1].json()["text"], "[Container 7] EMERGENCY: x\"y");
}

#[test]
fn a_form_provider_and_an_address_get_percent_encoding() {
    let server = HttpStandIn::start(vec![Play::json(200, TAKEN)]);
    let cfg = by_template(
        format!("{}/send?key={{key}}&n={{to}}", server.url),
        "POST",
        &["Content-Type: application/x-www-form-urlencoded"],
        "to={to}&text={text}",
    );
    assert_eq!(accepted(deliver_one(&cfg, &emergency("say \"{to}\"\nnow & here"))), None);
    let seen = server.seen();
    assert_eq!(seen[0].path, "/send?key=test%20sms%2Fkey&n=%2B15155550111");
    assert_eq!(seen[0].form()[1].1, SAID);

    let cfg = by_template(format!("{}/get?t={{text}}", server.url), "GET", &[], "");
    accepted(deliver_one(&cfg, &emergency("a b")));
    assert_eq!(server.seen()[1].method, "GET");
    assert_eq!(server.seen()[1].path, "/get?t=%5BContainer%207%5D%20EMERGENCY%3A%20a%20b");
}

fn answered(status: u16, headers: &'static str, body: &str) -> minectl::model::DeliveryResult {
    let server = HttpStandIn::start(vec![Play::Answer(status, headers, body.to_owned())]);
    deliver_one(&by_template(server.url.clone(), "POST", &[], "{to} {text}"), &emergency("smoke"))
}

#[test]
fn a_provider_that_says_200_and_no_success_has_not_taken_the_message() {
    assert_eq!(accepted(answered(202, "", TAKEN)), None);
    for body in ["", "{}", r#"{"status":"error","reason":"out of quota"}"#, "<html>log in to the network"] {
        let (fault, _) = later(answered(200, "", body));
        assert_eq!(fault.kind, FaultKind::Status);
        assert!(fault.detail.contains("does not match `success`"), "{fault}");
    }
    assert!(later(answered(500, "", TAKEN)).0.detail.starts_with("to `+15155550111`: 500"), "the status counts too");
}

#[test]
fn a_provider_refuses_for_good_by_its_words_or_by_a_status_of_400() {
    let fault = refused(answered(200, "", r#"{"status":"error","reason":"blocked number"}"#));
    assert!(fault.detail.contains("blocked number") && fault.detail.contains("`refused` in [sms]"), "{fault}");
    assert!(refused(answered(401, "", "{}")).detail.contains("check the key in [sms]"));
    assert_eq!(refused(answered(422, "", "{}")).kind, FaultKind::Status);
    assert_eq!(later(answered(429, "Retry-After: 240\r\n", "{}")).1, 240);
    assert_eq!(later(answered(503, "Retry-After: 120\r\n", "{}")).1, 120);
    let dated = "Date: Sun, 17 Mar 2030 18:00:00 GMT\r\nRetry-After: Sun, 17 Mar 2030 18:07:00 GMT\r\n";
    assert_eq!(later(answered(429, dated, "{}")).1, 420);
}

#[test]
fn a_provider_that_quotes_the_key_does_not_bring_it_into_a_fault() {
    for quoted in [SMS_KEY, "test%20sms%2Fkey"] {
        let server = HttpStandIn::start(vec![Play::json(403, &format!("no such key: {quoted}"))]);
        let cfg = by_template(format!("{}/send?key={{key}}", server.url), "POST", &[], "{text}");
        let fault = refused(deliver_one(&cfg, &emergency("smoke")));
        assert_eq!(fault.kind, FaultKind::Refused);
        assert_no_secret(&fault.to_string());
    }
    let cfg = by_template("http://127.0.0.1:1/send?key={key}".to_owned(), "POST", &[], "{text}");
    let (fault, _) = later(deliver_one(&cfg, &emergency("smoke")));
    assert_eq!(fault.kind, FaultKind::Unreachable);
    assert_no_secret(&fault.to_string());
}
