//! Twilio's message resource, a plain HTTP SMS provider, and a dead-man service in the manner of healthchecks. They
//! deliver nothing: what arrives is kept for `GET /recorded`.

use base64::Engine;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::devices::Device;
use crate::http::{Request, Response};
use crate::physics::pick;
use crate::world::World;

const ACCOUNT: &str = "ACsite0000000000000000000000000000";
const AUTH_TOKEN: &str = "site-twilio-token";
const BODY_CHARS_MAX: usize = 1600;

pub(crate) fn twilio_error(status: u16, code: u32, message: &str) -> Response {
    let more = format!("https://www.twilio.com/docs/errors/{code}");
    Response::json(status, &json!({"code": code, "message": message, "more_info": more, "status": status}))
}

/// A plus, then 7 to 15 digits of which the first is not 0.
fn is_e164(number: &str) -> bool {
    let digits = number.strip_prefix('+').unwrap_or("");
    (7..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit())
}

pub(crate) fn twilio(world: &mut World, request: &Request) -> Response {
    let wanted = format!("/2010-04-01/Accounts/{ACCOUNT}/Messages.json");
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("{ACCOUNT}:{AUTH_TOKEN}"));
    if request.header("authorization") != Some(&format!("Basic {basic}")) {
        return twilio_error(401, 20003, "Authenticate").with("WWW-Authenticate", "Basic realm=\"Twilio API\"");
    }
    if request.path == format!("/2010-04-01/Accounts/{ACCOUNT}.json") {
        return twilio_account(world, request);
    }
    if request.path != wanted {
        let text = format!("The requested resource {} was not found", request.path);
        return twilio_error(404, 20404, &text);
    }
    if request.method != "POST" {
        return twilio_error(405, 20004, "Method not allowed");
    }
    if request.is_json() {
        return twilio_error(415, 20415, "Unsupported Media Type");
    }
    match world.fault(Device::Twilio) {
        "429" => return twilio_error(429, 20429, "Too Many Requests"),
        "400" => return twilio_error(400, 21610, "Attempt to send to unsubscribed recipient"),
        "absurd" => return Response::json(201, &json!({"sid": 12, "status": ["?"], "num_segments": "-9e99"})),
        _ => {}
    }
    let form = request.form();
    let field = |name: &str| form.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.as_str());
    let (to, from, body) = (field("To"), field("From"), field("Body"));
    if let Some((code, text)) = twilio_objection(to, from, field("MessagingServiceSid"), body) {
        return twilio_error(400, code, &text);
    }
    let sms = json!({"time": world.wall, "to": to, "from": from, "body": body});
    world.recorded.sms.push(sms);
    let number = world.recorded.sms.len() as u64;
    let sid = format!(
        "SM{:016x}{:016x}",
        pick(world.seed, number, 1, 0, u64::MAX - 1),
        pick(world.seed, number, 2, 0, u64::MAX - 1)
    );
    let created = Timestamp::from_second(world.wall).unwrap().strftime("%a, %d %b %Y %H:%M:%S +0000").to_string();
    let segment = if body.is_ascii() { 160 } else { 70 };
    Response::json(
        201,
        &json!({
            "account_sid": ACCOUNT, "api_version": "2010-04-01", "body": body, "date_created": created,
            "date_sent": null, "date_updated": created, "direction": "outbound-api", "error_code": null,
            "error_message": null, "from": from, "messaging_service_sid": null, "num_media": "0",
            "num_segments": body.chars().count().div_ceil(segment).to_string(), "price": null, "price_unit": "USD",
            "sid": sid, "status": "queued", "to": to, "uri": format!("/2010-04-01/Accounts/{ACCOUNT}/Messages/{sid}.json"),
        }),
    )
}

/// The account itself.
fn twilio_account(world: &World, request: &Request) -> Response {
    if request.method != "GET" {
        return twilio_error(405, 20004, "Method not allowed");
    }
    match world.fault(Device::Twilio) {
        "429" => return twilio_error(429, 20429, "Too Many Requests"),
        "absurd" => return Response::json(200, &json!({"sid": 12, "status": ["?"]})),
        _ => {}
    }
    Response::json(
        200,
        &json!({
            "sid": ACCOUNT, "friendly_name": "Prairie Box", "status": "active", "type": "Full",
            "date_created": "Tue, 11 Mar 2025 14:02:51 +0000", "owner_account_sid": ACCOUNT,
            "uri": format!("/2010-04-01/Accounts/{ACCOUNT}.json"),
        }),
    )
}

fn twilio_objection(to: &str, from: &str, service: &str, body: &str) -> Option<(u32, String)> {
    if to.is_empty() {
        return Some((21604, "A 'To' phone number is required.".to_owned()));
    }
    if !is_e164(to) {
        return Some((21211, format!("The 'To' number {to} is not a valid phone number.")));
    }
    if from.is_empty() && service.is_empty() {
        return Some((21603, "A 'From' phone number is required.".to_owned()));
    }
    if service.is_empty() && !is_e164(from) {
        return Some((
            21212,
            format!("The 'From' number {from} is not a valid phone number, shortcode, or alphanumeric sender ID."),
        ));
    }
    if body.is_empty() {
        return Some((21602, "Message body is required.".to_owned()));
    }
    let is_long = body.chars().count() > BODY_CHARS_MAX;
    is_long.then(|| (21617, "The concatenated message body exceeds the 1600 character limit".to_owned()))
}

/// `POST /send` with `{"to":..,"text":..}` and the header `X-Api-Key`.
pub(crate) fn sms_http(world: &mut World, request: &Request) -> Response {
    let error = |status, text: &str| Response::json(status, &json!({"error": text}));
    if request.path != "/send" {
        return error(404, "no such resource");
    }
    if request.method != "POST" {
        return error(405, "method not allowed");
    }
    if request.header("x-api-key") != Some("site-sms-key") {
        return super::unauthorized(Device::SmsHttp);
    }
    match world.fault(Device::SmsHttp) {
        "429" => return error(429, "too many requests").with("Retry-After", "60"),
        "400" => return error(400, "recipient is blocked"),
        "absurd" => return Response::json(200, &json!({"status": -1.0e300, "id": []})),
        _ => {}
    }
    let Some(body) = request.json() else { return error(400, "body is not JSON") };
    let field = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or("").to_owned();
    let (to, text) = (field("to"), field("text"));
    if !is_e164(&to) || text.is_empty() {
        return error(400, "wanted a number in `to` and a text in `text`");
    }
    world.recorded.sms_http.push(json!({"time": world.wall, "to": to, "text": text}));
    Response::json(200, &json!({"status": "accepted", "id": format!("m-{:06}", world.recorded.sms_http.len())}))
}

const CHECK: &str = "5f0c5a9e-0000-4000-8000-000000000001";
const PING_BYTES_MAX: usize = 10_000;

pub(crate) fn dead_man(world: &mut World, request: &Request) -> Response {
    let text = |status, text: &str| Response::new(status, "text/plain; charset=utf-8", text).with("Server", "nginx");
    let segments = request.segments();
    let (id, action) = match segments.as_slice() {
        ["ping", id] => (*id, ""),
        ["ping", id, action] => (*id, *action),
        _ => return text(404, "not found"),
    };
    if !["GET", "POST", "HEAD", "PUT"].contains(&request.method.as_str()) {
        return text(405, "");
    }
    let is_status = !action.is_empty() && action.bytes().all(|b| b.is_ascii_digit());
    if is_status && action.parse::<u8>().is_err() {
        return text(400, "invalid url format");
    }
    if id != CHECK || !(is_status || ["", "start", "fail", "log"].contains(&action)) {
        return text(404, "not found");
    }
    if request.parameter("rid").is_some_and(|rid| !is_uuid(rid)) {
        return text(400, "invalid uuid format");
    }
    let kept = request.body.get(..PING_BYTES_MAX).unwrap_or(&request.body);
    let body = String::from_utf8_lossy(kept).into_owned();
    world.recorded.dead_man.push(json!({"time": world.wall, "path": request.path, "body": body}));
    let mut response = text(200, "OK").with("Ping-Body-Limit", PING_BYTES_MAX.to_string());
    if request.method == "HEAD" {
        response.body.clear();
    }
    response
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<usize> = text.split('-').map(str::len).collect();
    parts == [8, 4, 4, 4, 12] && text.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}
