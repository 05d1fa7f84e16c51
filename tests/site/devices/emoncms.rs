//! An emonCMS under `/emoncms/` with nine feeds, one a fan, that the power meter posts to every ten seconds. Reading
//! only; with and without Redis, which changes types and order.

use serde_json::{Value, json};

use crate::devices::Device;
use crate::http::{Request, Response};
use crate::physics::FANS;
use crate::world::World;

const KEY: &str = "fedcba9876543210fedcba9876543210";

/// How the request identified itself.
enum Access {
    Reader,
    Nobody,
    WrongKey,
}

pub(crate) fn answer(world: &mut World, request: &Request) -> Response {
    let Some(path) = request.path.strip_prefix("/emoncms") else {
        return Response::new(404, "text/html; charset=iso-8859-1", "<html><body><h1>Not Found</h1></body></html>");
    };
    let reader = match access(request) {
        Access::WrongKey => return wrong_key(),
        Access::Reader => true,
        Access::Nobody => false,
    };
    let response = match path {
        "/feed/list.json" if !reader => anonymous(Response::json(200, &json!(false))),
        "/feed/list.json" if world.fault(Device::Emoncms) == "web-page" => web_page(),
        "/feed/list.json" => Response::new(200, "application/json", list(world)),
        "/feed/fetch.json" => Response::json(200, &fetch(world, request, reader)),
        "/feed/timevalue.json" | "/feed/value.json" if !reader => not_acceptable(),
        "/feed/timevalue.json" => one(world, request, |time, value| json!({"time": time, "value": php(value)})),
        "/feed/value.json" => one(world, request, |_, value| php(value)),
        "/input/get.json" if !reader => anonymous(Response::json(200, &json!(false))),
        "/input/get.json" => Response::json(200, &inputs(world, request)),
        "/feed/list" | "/" => web_page(),
        _ if path.starts_with("/feed/") => missing_feed(),
        _ => not_acceptable(),
    };
    response.with("Server", "Apache/2.4.66 (Raspbian)").gzip_if_asked(request)
}

fn web_page() -> Response {
    Response::new(200, "text/html; charset=UTF-8", HTML)
}

/// What PHP prints around an answer when it has something to complain about.
const NOTICE: &str = "<br />\n<b>Deprecated</b>:  Creation of dynamic property Feed::$buffer[0] is deprecated in <b>/var/www/emoncms/Modules/feed/feed_model.php</b> on line <b>52</b><br />\n";

const HTML: &str = "<!doctype html>\n<html class=\"theme-blue sidebar-dark\">\n<head><title>Emoncms - feed list </title></head>\n<body></body></html>\n";

/// The key: as parameter, in a form body, or as bearer; the parameter wins.
fn access(request: &Request) -> Access {
    let in_body = request.form().into_iter().find(|(n, _)| n == "apikey").map(|(_, v)| v);
    let in_header = request.header("authorization").map(|v| v.replace("Bearer ", ""));
    match request.parameter("apikey").map(str::to_owned).or(in_body).or(in_header) {
        Some(key) if key == KEY => Access::Reader,
        Some(key) if !key.is_empty() => Access::WrongKey,
        _ => Access::Nobody,
    }
}

pub(crate) fn wrong_key() -> Response {
    Response::new(401, "text/html; charset=UTF-8", "Invalid API key").with("Server", "Apache/2.4.66 (Raspbian)").with(
        "WWW-Authenticate",
        "Bearer realm=\"API KEY\", error=\"invalid_apikey\", error_description=\"Invalid API key\"",
    )
}

fn anonymous(response: Response) -> Response {
    response
        .with("Set-Cookie", "EMONCMS_SESSID=4k2t7v0c9qpd1l8s3ah6m5rj2e; path=/; HttpOnly; SameSite=Strict")
        .with("Cache-Control", "no-store, no-cache, must-revalidate")
}

fn not_acceptable() -> Response {
    Response::json(406, &json!({"success": false, "message": "406 Not Acceptable. Route not found"}))
}

fn missing_feed() -> Response {
    Response::json(200, &json!({"success": false, "message": "Feed does not exist"}))
}

/// What PHP prints, with status 200, when Redis is down.
pub(crate) fn fatal_error() -> Response {
    let body = "<br />\n<b>Fatal error</b>:  Uncaught RedisException: Connection refused in /var/www/emoncms/index.php:39\nStack trace:\n#0 /var/www/emoncms/index.php(39): Redis-&gt;connect()\n#1 {main}\n  thrown in <b>/var/www/emoncms/index.php</b> on line <b>39</b><br />\n";
    Response::new(200, "text/html; charset=UTF-8", body).with("Server", "Apache/2.4.66 (Raspbian)")
}

/// A number as PHP writes it: 1510, not 1510.0.
fn php(value: f64) -> Value {
    if value.fract() == 0.0 { json!(value as i64) } else { json!(value) }
}

/// Time and watts of a feed (from 0), as last posted.
fn posted(world: &World, feed: usize) -> (i64, f64) {
    let (time, watts) = &world.posted;
    let fault = world.fault(Device::Emoncms);
    let value = if fault == "absurd" { 9.0e9 } else { watts[feed] };
    let ahead_s = if fault == "future" { 86_400 } else { 0 };
    (*time + ahead_s, (value * 10.0).round() / 10.0)
}

fn list(world: &World) -> String {
    let has_fault = |kind, feed| world.has_fault_on(Device::Emoncms, kind, feed + 1);
    let entry = |feed: usize| {
        let (n, (time, value)) = (feed + 1, posted(world, feed));
        if has_fault("no-data", feed) {
            return format!(
                r#"{{"id":"{n}","userid":"1","name":"fan{n}","tag":"fans","public":"","size":"0","engine":"5","unit":"W","time":null,"value":null}}"#
            );
        }
        if world.settings.emoncms_redis {
            return format!(
                r#"{{"id":"{n}","userid":"1","name":"fan{n}","tag":"fans","public":"","size":"0","engine":"5","unit":"W","value":{value},"time":{time}}}"#
            );
        }
        format!(
            r#"{{"id":"{n}","name":"fan{n}","userid":"1","tag":"fans","public":"0","size":null,"engine":"5","time":"{time}","value":"{value}","processList":null,"unit":"W"}}"#
        )
    };
    let feeds: Vec<String> = (0..FANS).filter(|feed| !has_fault("feed-gone", *feed)).map(entry).collect();
    let around = if world.fault(Device::Emoncms) == "notices" { NOTICE } else { "" };
    format!("{around}[{}]{around}", feeds.join(","))
}

/// The feed (from 0) that an id names.
fn feed(id: &str) -> Option<usize> {
    id.parse().ok().filter(|n| (1..=FANS).contains(n)).map(|n| n - 1)
}

fn fetch(world: &World, request: &Request, reader: bool) -> Value {
    let value = |id: &str| feed(id).filter(|_| reader).map_or(json!(false), |f| php(posted(world, f).1));
    request.parameter("ids").unwrap_or("").split(',').map(value).collect()
}

fn one(world: &World, request: &Request, shape: fn(i64, f64) -> Value) -> Response {
    let Some(feed) = request.parameter("id").and_then(feed) else { return missing_feed() };
    let (time, value) = posted(world, feed);
    Response::json(200, &shape(time, value))
}

fn inputs(world: &World, request: &Request) -> Value {
    if request.parameter("node") != Some("fans") {
        return json!("Node does not exist");
    }
    let entry = |feed: usize| {
        let (time, value) = posted(world, feed);
        (
            format!("fan{}", feed + 1),
            json!({"time": time, "value": php(value), "processList": format!("1:{}", feed + 1)}),
        )
    };
    Value::Object((0..FANS).map(entry).collect())
}
