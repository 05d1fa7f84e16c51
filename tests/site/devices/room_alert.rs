//! A Room Alert 12E, and at other paths what older units make of the same readings; or, when the control port says so, one
//! of those alone. Read-only, like the device.
//!
//! `/getData.json` short vocabulary (12E); `/legacy/getData.json` long vocabulary (3E); `/getData.htm` short vocabulary
//! with duplicate keys and without HTTP headers (32E); `/legacy/getData.htm` unquoted keys without headers (oldest).

use jiff::Timestamp;

use crate::devices::{Device, signal::site_zone};
use crate::http::{Framing, Request, Response};
use crate::physics::Probe;
use crate::world::World;

/// Up for this long at the start.
const UPTIME_S: i64 = 23 * 86_400 + 4_321;

/// One temperature port as it is to be shown.
struct Port {
    label: &'static str,
    celsius: f64,
    high: f64,
    low: f64,
    /// 0 nothing, 16 temperature, 38 temperature and humidity.
    kind: u8,
    humidity: f64,
    /// °F and °C tell different temperatures.
    scales_differ: bool,
}

/// Which unit stands there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Words {
    /// A 12E, and all the others at their paths.
    All,
    E3,
    E32,
    Oldest,
}

/// By their names on the control port.
pub(crate) const WORDS: [(&str, Words); 4] =
    [("12e", Words::All), ("3e", Words::E3), ("32e", Words::E32), ("oldest", Words::Oldest)];

pub(crate) fn answer(world: &mut World, request: &Request) -> Response {
    let ports = ports(world);
    let json = |text: String| Response::new(200, "application/json", text);
    // In Latin-1, as the device sends it.
    let bare = |text: String| {
        let body: Vec<u8> = text.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect();
        Response::new(200, "application/json", body).framed(Framing::Bare)
    };
    match (world.settings.room_words, request.path.as_str()) {
        (Words::All, "/getData.json") => json(short(world, &ports)),
        (Words::All, "/legacy/getData.json") | (Words::E3, "/getData.json") => json(long(world, &ports)),
        (Words::All | Words::E32, "/getData.htm") => bare(duplicates(world, &ports)),
        (Words::All, "/legacy/getData.htm") | (Words::Oldest, "/getData.htm") => bare(unquoted(&long(world, &ports))),
        // The oldest firmware closes the connection on what it does not know.
        (Words::Oldest, _) => bare(String::new()),
        _ => Response::new(404, "text/html", "<html><body><h1>404 Not Found</h1></body></html>"),
    }
}

fn ports(world: &World) -> Vec<Port> {
    let fault = world.fault(Device::RoomAlert);
    let humidity = world.settings.humidity;
    let scales_differ = fault == "scales-apart";
    let port = |label, probe: &Probe, kind| match fault {
        "absurd" => Port { label, celsius: 900.0, high: 900.0, low: 900.0, kind, humidity, scales_differ },
        _ => Port { label, celsius: probe.celsius, high: probe.high, low: probe.low, kind, humidity, scales_differ },
    };
    let empty = |label| Port { label, celsius: 0.0, high: 0.0, low: 0.0, kind: 0, humidity, scales_differ: false };
    let air = &world.air;
    let intakes = match fault {
        "unplugged" => [empty("Intake west"), empty("Intake east")],
        _ => [port("Intake west", &air.west, 38), port("Intake east", &air.east, 16)],
    };
    let [west, east] = intakes;
    let mid = port("Internal Sensor", &air.mid, 16);
    vec![mid, west, east, port("Exhaust", &air.exhaust, 16), empty("Ext. Sensor 4")]
}

fn uptime(world: &World) -> String {
    let s = (world.seconds() as i64 - world.started + UPTIME_S).max(0);
    format!("{}d {:02}:{:02}:{:02}", s / 86_400, s / 3600 % 24, s / 60 % 60, s % 60)
}

fn date(world: &World) -> String {
    let now = Timestamp::from_second(world.seconds() as i64).unwrap();
    now.to_zoned(site_zone()).strftime("%m/%d/%y %H:%M:%S").to_string()
}

fn fahrenheit(celsius: f64) -> f64 {
    celsius * 1.8 + 32.0
}

/// Dew point by Magnus' formula.
fn dew_point(celsius: f64, humidity: f64) -> f64 {
    let gamma = (humidity / 100.0).ln() + 17.62 * celsius / (243.12 + celsius);
    243.12 * gamma / (17.62 - gamma)
}

fn both(f_key: &str, c_key: &str, celsius: f64) -> String {
    format!(r#""{f_key}":"{:.2}","{c_key}":"{celsius:.2}""#, fahrenheit(celsius))
}

fn temperatures(port: &Port, keys: [&str; 6]) -> String {
    let [tf, tc, hf, hc, lf, lc] = keys;
    if port.scales_differ {
        let (f, c) = (fahrenheit(port.celsius + 2.0), port.celsius);
        return format!(r#""{tf}":"{f:.2}","{tc}":"{c:.2}""#);
    }
    [both(tf, tc, port.celsius), both(hf, hc, port.high), both(lf, lc, port.low)].join(",")
}

const SHORT: [&str; 6] = ["tf", "tc", "hf", "hc", "lf", "lc"];
const LONG: [&str; 6] = ["tempf", "tempc", "highf", "highc", "lowf", "lowc"];

fn head(world: &World, serial: &str, mac: &str, rest: &str) -> String {
    let serial = if world.fault(Device::RoomAlert) == "other-unit" { "RA12-0FF100" } else { serial };
    format!(
        r#""name":"{serial}","date":"{}","uptime":"{}","scale":1,"macaddr":"{mac}",{rest},"port":80,"ip":"10.0.0.7","serial":"{serial}""#,
        date(world),
        uptime(world)
    )
}

fn short_switches(world: &World) -> String {
    let switch =
        |(label, state): &(String, u8)| format!(r#"{{"lab":"{label}","en":1,"ala":1,"profile":1,"stat":{state}}}"#);
    world.settings.switches.iter().map(switch).collect::<Vec<_>>().join(",")
}

/// The 12E's body; some keys have a blank after the colon, as on the device.
fn short(world: &World, ports: &[Port]) -> String {
    let head = head(
        world,
        "RA12-E40517",
        "00:80:A3:E4:05:17",
        r#""devtype":"12","refresh":"5","channel":"0","picvers":"03","reset_button":0,"interval":"60","gtmd_interval":"3600","version":"v3.2.5""#,
    );
    let sensors: Vec<String> = ports.iter().map(short_sensor).collect();
    format!(
        r#"{{{head},"gtmd_disabled":"0","time_config":{{"timezone": "0","format": "0", "display": "0", "daylight_saving_en": "0"}},"eth_config":{{"mtu":1024,"arpen":1,"negotiate":"Auto"}},"sensor":[{},{ANALOG}],"signal_twr":[{TOWER}],"relay":[{{"lab":"Relay Output","stat":0,"relay_id":1}}],"s_sen":[{}]}}"#,
        sensors.join(","),
        short_switches(world)
    )
}

const ANALOG: &str = r#"{"lab":"Analog Sensor","volts":"0.01","highv":"0.02","lowv":"0.00","units":{"refmin":"0","refmax":"5","min":"0","max":"5","sym":"V","en":"0"},"ala":0,"profile":1,"t":65,"en":0}"#;
const TOWER: &str = r#"{"RE":{"en":0,"stat":0},"OR":{"en":0,"stat":0},"GR":{"en":0,"stat":0},"BL":{"en":0,"stat":0},"WH":{"en":0,"stat":0},"A1":{"en":0,"stat":0},"A2":{"en":0,"stat":0},"RY":{"en":0,"stat":1},"attach_type":0,"lab":"Light Tower","tower_id":1}"#;

fn short_sensor(port: &Port) -> String {
    let Port { label, kind, .. } = port;
    let base = format!(
        r#""lab":"{label}",{},"ala":0,"profile":1,"t":{kind},"en":{}"#,
        temperatures(port, SHORT),
        u8::from(*kind != 0)
    );
    if *kind == 38 { format!("{{{base},{}}}", humidity_fields(port)) } else { format!("{{{base}}}") }
}

fn humidity_fields(port: &Port) -> String {
    let h = port.humidity;
    let dew = [port.celsius, port.high, port.low].map(|t| dew_point(t, h));
    format!(
        r#""h":"{h:.2}","hh":"{:.2}","lh":"{:.2}",{},{},{},"hen":0,"dpc": "{:.2}","dpf": "{:.2}","dphf": "{:.2}","dphc": "{:.2}","dplf": "{:.2}","dplc": "{:.2}""#,
        (h + 8.0).min(99.9),
        (h - 9.0).max(1.0),
        both("hi", "hic", port.celsius),
        both("hhi", "hhic", port.high),
        both("lhi", "lhic", port.low),
        dew[0],
        fahrenheit(dew[0]),
        fahrenheit(dew[1]),
        dew[1],
        fahrenheit(dew[2]),
        dew[2],
    )
}

/// The 3E's vocabulary.
fn long(world: &World, ports: &[Port]) -> String {
    let rest = r#""devtype":85,"refresh":"60","disp":0,"interval":"300","version":"v1.2.1""#;
    let head = head(world, "RA3E-130277", "00:80:A3:13:02:77", rest);
    let sensor = |port: &Port| {
        let fields = temperatures(port, LONG);
        let humid = if port.kind == 38 { format!(r#""humid":"{:.2}","#, port.humidity) } else { String::new() };
        let (label, kind, enabled) = (port.label, port.kind, u8::from(port.kind != 0));
        format!(r#"{{"label":"{label}",{fields},{humid}"alarm":0,"type":{kind},"enabled":{enabled}}}"#)
    };
    let sensors: Vec<String> = ports.iter().map(sensor).collect();
    let switch =
        |(label, state): &(String, u8)| format!(r#"{{"label":"{label}","enabled":1,"alarm":1,"status":{state}}}"#);
    let switches: Vec<String> = world.settings.switches.iter().map(switch).collect();
    format!(r#"{{{head},"sensor":[{}],"switch_sen":[{}]}}"#, sensors.join(","), switches.join(","))
}

/// The 32E's body: `internal_sen` apart from the external ports, and `hic` twice in a humidity port.
fn duplicates(world: &World, ports: &[Port]) -> String {
    let rest = r#""devtype":"32","refresh":"60","channel":"12","picvers":"04","msus_expires":"","display_expiration":"0","interval":"60","gtmd_interval":"3600","version":"v2.5.1""#;
    let head = head(world, "RA32-117204", "00:20:4A:11:72:04", rest).replacen("RA32-117204", "Halle \u{fc}", 1);
    let sensor = |port: &Port| {
        let (label, kind, enabled) = (port.label, port.kind, u8::from(port.kind != 0));
        let c = port.celsius;
        let fields = format!(
            r#""lab":"{label}",{},{},"hic":"{c:.2}",{},"ala":0,"t":{kind},"en":{enabled}"#,
            both("tf", "tc", c),
            both("hf", "hc", port.high),
            both("lf", "lc", port.low),
        );
        if kind != 38 {
            return format!("{{{fields}}}");
        }
        let h = port.humidity;
        format!(
            r#"{{{fields},"h":"{h:.2}","hh":"{h:.2}","lh":"{h:.2}",{},{},"hen":0}}"#,
            both("hi", "hic", c),
            both("hhi", "hhic", c)
        )
    };
    let sensors: Vec<String> = ports.iter().map(sensor).collect();
    let (internal, external) = sensors.split_first().unwrap();
    format!(
        r#"{{{head},"internal_sen":[{internal},{{"lab":"Power Sensor","t":"power","stat":1,"ala":1}}],"signal_twr":[{TOWER}],"relay":[{{"lab":"Relay Output 1","stat":0,"relay_id":1}}],"sensor":[{}],"s_sen":[{}],"wireless_sen":[{EMPTY_SLOT},{}]}}"#,
        external.join(","),
        short_switches(world),
        wireless(world, &ports[3])
    )
}

const EMPTY_SLOT: &str = r#"{"lab":"No WiSH 1","ala":0,"ser":"000000000000","en":0,"in":-1,"tstamp":"08/04/15 17:27:26","upd":"0","rssi":"0","bat":"0.00","t":0,"tf":"32.00","tc":"0.00","hf":"32.00","hc":"0.00","lf":"32.00","lc":"0.00","digi_sen":[{"lab":"No WiSH 2","en":0,"ala":0,"t":0}],"s_sen":[{"lab":"No WiSH 4","en":1,"ala":0,"stat":0}]}"#;

/// A wireless unit whose own probe, and one on its cable, hang in the exhaust.
fn wireless(world: &World, port: &Port) -> String {
    let fields = temperatures(port, SHORT);
    format!(
        r#"{{"lab":"WiSH exhaust","ala":0,"ser":"00409D5A11C7","en":1,"in":2,"tstamp":"{}","upd":"1","rssi":"61","bat":"3.02","t":16,{fields},"digi_sen":[{{"lab":"WiSH cable","en":1,"ala":0,"t":16,{fields}}}],"s_sen":[{{"lab":"WiSH door","en":1,"ala":0,"stat":0}}]}}"#,
        date(world)
    )
}

/// The oldest units' notation: keys without quotes.
fn unquoted(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('"') {
        let (before, after) = (&rest[..at], &rest[at + 1..]);
        let end = after.find('"').unwrap();
        let (word, tail) = (&after[..end], &after[end + 1..]);
        out.push_str(before);
        if tail.starts_with(':') {
            out.push_str(word)
        } else {
            out.push_str(&format!("\"{word}\""))
        }
        rest = tail;
    }
    out + rest
}
