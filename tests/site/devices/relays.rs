//! Two relay boards: A speaks as the 400 series (`relay1`, XML and JSON), B as an X-WR-10R12 (`relay1state`, XML only).
//! A coil with current (1) stops its fan. Pulses are noted but not played.

use crate::devices::Device;
use crate::http::{Request, Response};
use crate::world::World;

/// Which board, and the words it uses.
struct Dialect {
    device: Device,
    board: usize,
    /// Of a parameter in a request: before and after the number.
    parameter: (&'static str, &'static str),
}

pub(crate) fn answer(world: &mut World, board: usize, request: &Request) -> Response {
    let dialect = if board == 0 {
        Dialect { device: Device::RelaysA, board, parameter: ("relay", "") }
    } else {
        Dialect { device: Device::RelaysB, board, parameter: ("relay", "State") }
    };
    let is_json = match (board, request.path.as_str()) {
        (_, "/state.xml") => false,
        (0, "/state.json") => true,
        _ => return Response::new(404, "text/html", "404 Error"),
    };
    set(world, &dialect, request);
    let content_type = if is_json { "application/json" } else { "text/xml" };
    let body = match (board, is_json) {
        (0, true) => json_400(world),
        (0, false) => xml_400(world),
        _ => xml_wr10(world),
    };
    Response::new(200, content_type, body).with("Cache-Control", "no-cache")
}

/// Follows every `relayN=` of the query that names an existing relay; others are ignored in silence, as the boards do.
fn set(world: &mut World, dialect: &Dialect, request: &Request) {
    let (before, after) = dialect.parameter;
    for (name, value) in &request.query {
        let number =
            name.strip_prefix(before).and_then(|n| n.strip_suffix(after)).and_then(|n| n.parse::<usize>().ok());
        let Some(number) = number.filter(|n| (1..=world.boards[dialect.board].shown.len()).contains(n)) else {
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
fn values(world: &World, board: usize, device: Device) -> Vec<String> {
    let is_absurd = world.fault(device) == "absurd";
    let value = |on: &bool| if is_absurd { "7".to_owned() } else { u8::from(*on).to_string() };
    world.boards[board].shown.iter().map(value).collect()
}

/// Name and value of everything the 400 board shows.
fn fields_400(world: &World) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = (1..=4).map(|n| (format!("digitalInput{n}"), "0".to_owned())).collect();
    let relays = values(world, 0, Device::RelaysA);
    fields.extend(relays.into_iter().enumerate().map(|(i, v)| (format!("relay{}", i + 1), v)));
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
        ("serialNumber", "00:0C:C8:06:31:5D".to_owned()),
    ];
    fields.extend(rest.map(|(n, v)| (n.to_owned(), v)));
    fields
}

fn json_400(world: &World) -> String {
    let mut fields = fields_400(world);
    let more = [("minRecRefresh", "3"), ("lat", "0.0000"), ("long", "0.0000"), ("downloadSettings", "1")];
    fields.extend(more.map(|(n, v)| (n.to_owned(), v.to_owned())));
    let fields: Vec<String> = fields.iter().map(|(n, v)| format!("\"{n}\":\"{v}\"")).collect();
    format!("{{{}}}", fields.join(","))
}

fn xml_400(world: &World) -> String {
    let fields: String = fields_400(world).iter().map(|(n, v)| format!("<{n}>{v}</{n}>")).collect();
    format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<datavalues>{fields}</datavalues>")
}

fn xml_wr10(world: &World) -> String {
    let mut lines = String::from("<input1state>0</input1state>\n<input2state>0</input2state>\n");
    lines.push_str(
        "<hightime1>0.000</hightime1>\n<hightime2>0.000</hightime2>\n<count1>0</count1>\n<count2>0</count2>\n",
    );
    for (i, value) in values(world, 1, Device::RelaysB).iter().enumerate() {
        let n = i + 1;
        lines.push_str(&format!("<relay{n}state>{value}</relay{n}state>\n"));
    }
    lines.push_str("<units>F</units>\n");
    for n in 1..=8 {
        lines.push_str(&format!("<sensor{n}temp>x.x</sensor{n}temp>\n"));
    }
    for n in 0..=4 {
        lines.push_str(&format!("<extvar{n}>0.00</extvar{n}>\n"));
    }
    let now = world.seconds() as i64;
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<datavalues>\n{lines}<serialNumber>00:0C:C8:02:7A:E4</serialNumber>\n<time>{now}</time>\n</datavalues>\n"
    )
}
