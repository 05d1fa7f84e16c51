//! Two relay boards: A speaks as the 400 series (`relay1`, XML and JSON), B as an X-WR-10R12 (`relay1state`, XML only),
//! until the control port gives them other words. A coil with current (1) stops its fan. Pulses are noted but not played.

use crate::devices::Device;
use crate::http::{Framing, Request, Response};
use crate::world::World;

/// The words of a board.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Words {
    X400,
    /// A 400 series board whose relays are all in an expansion module without Local I/O Numbers.
    Custom,
    Wr10,
    Quad,
    Single,
    X332,
}

/// By their names on the control port.
pub(crate) const WORDS: [(&str, Words); 6] = [
    ("400", Words::X400),
    ("custom", Words::Custom),
    ("wr10", Words::Wr10),
    ("quad", Words::Quad),
    ("single", Words::Single),
    ("x332", Words::X332),
];

impl Words {
    /// Before and after the number in a request's parameter.
    fn parameter(self) -> (&'static str, &'static str) {
        match self {
            Words::X400 => ("relay", ""),
            Words::Custom => ("device2Relay", ""),
            Words::Wr10 | Words::Quad | Words::X332 => ("relay", "State"),
            Words::Single => ("relayState", ""),
        }
    }

    fn relays_max(self) -> usize {
        match self {
            Words::Single => 1,
            Words::Quad => 4,
            Words::X400 | Words::Custom | Words::Wr10 | Words::X332 => 16,
        }
    }
}

/// Which board, and the words it uses.
struct Dialect {
    device: Device,
    board: usize,
    words: Words,
}

pub(crate) fn answer(world: &mut World, board: usize, request: &Request) -> Response {
    let device = if board == 0 { Device::RelaysA } else { Device::RelaysB };
    let dialect = Dialect { device, board, words: world.settings.board_words[board] };
    if page(world, &dialect, &request.path).is_none() {
        // Boards older than JSON drop the connection when they are asked for it.
        let is_old = matches!(dialect.words, Words::Quad | Words::Single);
        let drops = is_old && request.path.ends_with(".json");
        let refusal = Response::new(404, "text/html", if drops { "" } else { "404 Error" });
        return if drops { refusal.framed(Framing::Bare) } else { refusal };
    }
    let before = page(world, &dialect, &request.path);
    set(world, &dialect, request);
    let shown = if world.fault(device) == "late-echo" { before } else { page(world, &dialect, &request.path) };
    shown.unwrap()
}

/// What a board shows on a page; `None` where it has no such page.
fn page(world: &World, dialect: &Dialect, path: &str) -> Option<Response> {
    let with_head = |content_type: &str, body: String| {
        Some(Response::new(200, content_type, body).with("Cache-Control", "no-cache"))
    };
    let bare = |body: String| Some(Response::new(200, "text/xml", body + "\0\0\0").framed(Framing::Bare));
    match (dialect.words, path) {
        (Words::X400 | Words::Custom, "/state.json") => {
            with_head("application/json", json_400(world, dialect, "relay"))
        }
        (Words::X400 | Words::Custom, "/customState.json") => {
            with_head("application/json", json_400(world, dialect, dialect.words.parameter().0))
        }
        (Words::X400, "/state.xml") => with_head("text/xml", xml_400(world, dialect)),
        (Words::Wr10, "/state.xml") => with_head("text/xml", xml_wr10(world, dialect)),
        (Words::Quad, "/state.xml") => bare(xml_quad(world, dialect)),
        (Words::Quad, "/stateFull.xml") => with_head("text/xml", xml_quad(world, dialect)),
        (Words::Single, "/state.xml") => bare(xml_single(world, dialect)),
        (Words::Single, "/stateFull.xml") => with_head("text/xml", xml_single(world, dialect)),
        (Words::X332, "/state.xml") => with_head("text/xml", xml_x332(world, dialect)),
        _ => None,
    }
}

/// Follows every `relayN=` of the query that names an existing relay; others are ignored in silence, as the boards do.
fn set(world: &mut World, dialect: &Dialect, request: &Request) {
    let (before, after) = dialect.words.parameter();
    for (name, value) in &request.query {
        let rest = name.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
        let number = match dialect.words {
            Words::Single => rest.filter(|rest| rest.is_empty()).map(|_| 1),
            _ => rest.and_then(|rest| rest.parse::<usize>().ok()),
        };
        let last = world.boards[dialect.board].shown.len().min(dialect.words.relays_max());
        let Some(number) = number.filter(|n| (1..=last).contains(n)) else {
            continue;
        };
        world.note_command(dialect.device, format!("relay {number}={value}"), true);
        let was = world.boards[dialect.board].shown[number - 1];
        let wanted = match value.as_str() {
            "0" => false,
            "1" => true,
            "5" => !was,
            _ => continue,
        };
        apply(world, dialect, number, wanted);
    }
}

fn apply(world: &mut World, dialect: &Dialect, number: usize, wanted: bool) {
    if world.frozen_at.is_some() || world.has_fault_on(dialect.device, "ignores", number) {
        return;
    }
    let lies = world.has_fault_on(dialect.device, "lies", number);
    let board = &mut world.boards[dialect.board];
    board.shown[number - 1] = wanted;
    if !lies {
        board.actual[number - 1] = wanted;
    }
}

/// What each relay is said to be, as text.
fn values(world: &World, dialect: &Dialect) -> Vec<String> {
    let is_absurd = world.fault(dialect.device) == "absurd";
    let value = |on: &bool| if is_absurd { "7".to_owned() } else { u8::from(*on).to_string() };
    world.boards[dialect.board].shown.iter().take(dialect.words.relays_max()).map(value).collect()
}

fn serial(world: &World, dialect: &Dialect) -> &'static str {
    match (world.fault(dialect.device), dialect.board) {
        ("other-unit", _) => "00:0C:C8:07:0F:F1",
        (_, 0) => "00:0C:C8:06:31:5D",
        _ => "00:0C:C8:02:7A:E4",
    }
}

/// Name and value of everything a 400 board shows; its relays go by `name` and their number, and where they are an
/// expansion module's they have no other.
fn fields_400(world: &World, dialect: &Dialect, name: &str) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = (1..=4).map(|n| (format!("digitalInput{n}"), "0".to_owned())).collect();
    if dialect.words.parameter().0 == name {
        let relays = values(world, dialect);
        fields.extend(relays.into_iter().enumerate().map(|(i, v)| (format!("{name}{}", i + 1), v)));
    }
    let zone_s =
        jiff::Timestamp::from_second(world.wall).unwrap().to_zoned(super::signal::site_zone()).offset().seconds();
    let now = world.seconds() as i64;
    let vin = 24.1 + 0.1 * (world.step % 3) as f64;
    let rest = [
        ("vin", format!("{vin:.1}")),
        ("register1", "0".to_owned()),
        ("oneWireSensor1", "x.x".to_owned()),
        ("utcTime", now.to_string()),
        ("timezoneOffset", zone_s.to_string()),
        ("serialNumber", serial(world, dialect).to_owned()),
    ];
    fields.extend(rest.map(|(n, v)| (n.to_owned(), v)));
    fields
}

fn json_400(world: &World, dialect: &Dialect, name: &str) -> String {
    let mut fields = fields_400(world, dialect, name);
    let more = [("minRecRefresh", "3"), ("lat", "0.0000"), ("long", "0.0000"), ("downloadSettings", "1")];
    fields.extend(more.map(|(n, v)| (n.to_owned(), v.to_owned())));
    let fields: Vec<String> = fields.iter().map(|(n, v)| format!("\"{n}\":\"{v}\"")).collect();
    format!("{{{}}}", fields.join(","))
}

fn xml_400(world: &World, dialect: &Dialect) -> String {
    let fields: String = fields_400(world, dialect, "relay").iter().map(|(n, v)| format!("<{n}>{v}</{n}>")).collect();
    format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<datavalues>{fields}</datavalues>")
}

/// Lines such as `<relay1state>0</relay1state>`.
fn relay_lines(world: &World, dialect: &Dialect) -> String {
    let values = values(world, dialect).into_iter().enumerate();
    values.map(|(i, value)| format!("<relay{n}state>{value}</relay{n}state>\n", n = i + 1)).collect()
}

fn xml_wr10(world: &World, dialect: &Dialect) -> String {
    let mut lines = String::from("<input1state>0</input1state>\n<input2state>0</input2state>\n");
    lines.push_str(
        "<hightime1>0.000</hightime1>\n<hightime2>0.000</hightime2>\n<count1>0</count1>\n<count2>0</count2>\n",
    );
    lines.push_str(&relay_lines(world, dialect));
    lines.push_str("<units>F</units>\n");
    for n in 1..=8 {
        lines.push_str(&format!("<sensor{n}temp>x.x</sensor{n}temp>\n"));
    }
    for n in 0..=4 {
        lines.push_str(&format!("<extvar{n}>0.00</extvar{n}>\n"));
    }
    let (now, serial) = (world.seconds() as i64, serial(world, dialect));
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<datavalues>\n{lines}<serialNumber>{serial}</serialNumber>\n<time>{now}</time>\n</datavalues>\n"
    )
}

fn xml_quad(world: &World, dialect: &Dialect) -> String {
    let lines = relay_lines(world, dialect);
    format!("<?xml version=\"1.0\" encoding=\"ISO-8859-1\" ?>\n<datavalues>\n{lines}</datavalues>\n")
}

fn xml_single(world: &World, dialect: &Dialect) -> String {
    let state = values(world, dialect).concat();
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\" ?> <datavalues><relaystate>{state}</relaystate><inputstate>0</inputstate><rebootstate>0</rebootstate><totalreboots>0</totalreboots></datavalues>"
    )
}

/// Sixteen relays, the last one first; those that are not wired show 0.
fn xml_x332(world: &World, dialect: &Dialect) -> String {
    let mut digits = values(world, dialect);
    digits.resize(16, "0".to_owned());
    digits.reverse();
    format!(
        "<datavalues>\n<relaystates>{}</relaystates>\n<inputstates>000000000000000000</inputstates>\n<serialNumber>{}</serialNumber>\n</datavalues>\n",
        digits.concat(),
        serial(world, dialect)
    )
}
