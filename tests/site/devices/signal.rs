//! The page on which a (made up) electric co-operative shows its system load. It decides nothing about curtailment.

use jiff::{Timestamp, tz::TimeZone};

use crate::devices::Device;
use crate::http::{Request, Response};
use crate::world::World;

/// The zone of the utility and the site.
pub(crate) fn site_zone() -> TimeZone {
    TimeZone::get("America/Chicago").unwrap_or_else(|_| TimeZone::fixed(jiff::tz::offset(-6)))
}

/// Site time as the date of an HTTP header.
pub(crate) fn http_date(seconds: f64) -> String {
    Timestamp::from_second(seconds as i64).unwrap().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

pub(crate) fn answer(world: &mut World, request: &Request) -> Response {
    if request.path != "/power-signal" {
        return Response::new(404, "text/html; charset=utf-8", "<html><body><h1>404 Not Found</h1></body></html>");
    }
    let cell = number_cell(world);
    page(world, request, &cell)
}

/// The page as it comes while the site's database is away: all there but the number.
pub(crate) fn database_down(world: &mut World, request: &Request) -> Response {
    page(world, request, "MySQL connect failed: Too many connections (1040)")
}

fn number_cell(world: &World) -> String {
    if world.fault(Device::Signal) == "absurd" {
        return "1000000000000".to_owned();
    }
    let settings = &world.settings;
    let number = settings.signal_number;
    let as_text = if number.fract() == 0.0 { format!("{number:.0}") } else { format!("{number}") };
    settings.signal_text.clone().unwrap_or(as_text)
}

fn page(world: &World, request: &Request, cell: &str) -> Response {
    // The page is made anew each minute.
    let made = (world.seconds() / 60.0).floor() * 60.0;
    let local = Timestamp::from_second(made as i64).unwrap().to_zoned(site_zone());
    let stamp = world.settings.signal_stamp.clone();
    let stamp = stamp.unwrap_or_else(|| local.strftime("%m/%d/%Y %I:%M %p %Z").to_string());
    let body = world.settings.signal_html.clone().unwrap_or_else(|| html(cell, &stamp, &world.settings.signal_status));
    Response::new(200, "text/html; charset=utf-8", body)
        .with("Server", "nginx")
        .with("Last-Modified", http_date(made))
        .with("Cache-Control", "max-age=30")
        .gzip_if_asked(request)
}

fn html(cell: &str, stamp: &str, status: &str) -> String {
    format!(
        r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>System Load | Prairie Fork Electric Cooperative</title>
<link rel="stylesheet" href="/assets/site.css?v=41">
</head>
<body class="page page-load">
<div id="nav"><a href="/">Home</a> | <a href="/outages">Outages</a> | <a href="/rates">Rates (from 2026)</a></div>
<div id="content">
<h1>Current System Load</h1>
<p>Members on the interruptible rate must reduce load when the system load exceeds 400 MW.</p>
<table class="load-table" border="0" cellpadding="4">
<tr><th>Forecast peak today</th><td id="forecast-number">388</td><td>MW</td></tr>
<tr><th>System load</th><td id="load-number">{cell}</td><td>MW</td></tr>
<tr><th>Status</th><td id="load-status" colspan="2">{status}</td></tr>
</table>
<p class="stamp">Last updated: <span id="load-stamp">{stamp}</span></p>
</div>
<div id="footer">&copy; 2026 Prairie Fork Electric Cooperative. Call 555-0142 for questions about this page.</div>
</body>
</html>
"#
    )
}
