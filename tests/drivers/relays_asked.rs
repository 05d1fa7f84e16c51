//! ControlByWeb over sockets: how each family is found, read and switched, and that nothing but 0 and 1 is ever sent.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use minectl::config::{Config, RelayFamily, RelayPage, RelayPoint, Secret, Wiring};
use minectl::drivers::sense;
use minectl::model::{Command, FaultKind, Reading, RelayReading, Reply};

use crate::acting::{LIMIT, act_within, results};
use crate::config::{board, fan, fast, nowhere};
use crate::fixture::text;
use crate::server::{Act, Server};

/// How a board of the real world speaks.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Kind {
    X400,
    Custom,
    Wr10,
    Quad,
    Single,
    X332,
}

/// The body that a board of this kind shows on this page; `None` where it has no such page.
fn shown(kind: Kind, page: &str, coils: &BTreeMap<String, String>) -> Option<Act> {
    let coil = |name: &str| coils.get(name).map_or("0", String::as_str);
    let xml = |fields: String| format!("<?xml version=\"1.0\"?>\n<datavalues>{fields}</datavalues>\0\0");
    let state =
        |count: u8| (1..=count).map(|n| format!("<relay{n}state>{}</relay{n}state>", coil(&n.to_string()))).collect();
    let with_head = |body: String| Act::answer(200, "", body);
    Some(match (kind, page) {
        (Kind::X400, "/state.json") => {
            with_head(format!(r#"{{"relay1":"{}","relay2":"{}","serialNumber":"S4"}}"#, coil("1"), coil("2")))
        }
        (Kind::Custom, "/customState.json") => with_head(format!(
            r#"{{"vin":"24.0","relay1":"{}","device2Relay6":"{}","fanNorth":"{}","serialNumber":"S4"}}"#,
            coil("1"),
            coil("device2Relay6"),
            coil("fanNorth")
        )),
        (Kind::Wr10, "/state.xml") => with_head(xml(state(10))),
        (Kind::Quad, "/state.xml") => Act::Send(xml(state(4)).into_bytes()),
        (Kind::Quad, "/stateFull.xml") => with_head(xml(state(4))),
        (Kind::Single, "/state.xml") => Act::Send(xml(format!("<relaystate>{}</relaystate>", coil("1"))).into_bytes()),
        (Kind::X332, "/state.xml") => {
            let digits: String = (1..=16).rev().map(|n: u8| coil(&n.to_string()).to_owned()).collect();
            with_head(xml(format!("<relaystates>{digits}</relaystates>")))
        }
        (Kind::Single | Kind::Quad, "/state.json") => Act::Close,
        (Kind::Wr10, "/state.json") => Act::answer(200, "", "404 Error"),
        _ => return None,
    })
}

/// The relay that a parameter of a request is about, as the kind of board understands it; `None` is ignored in silence.
fn addressed(kind: Kind, name: &str) -> Option<String> {
    let relay = match kind {
        Kind::X400 => name.strip_prefix("relay")?,
        Kind::Custom => return Some(name.strip_prefix("relay").unwrap_or(name).to_owned()),
        Kind::Wr10 | Kind::Quad | Kind::X332 => name.strip_prefix("relay")?.strip_suffix("State")?,
        Kind::Single => return (name == "relayState").then(|| "1".to_owned()),
    };
    relay.parse::<u8>().ok().map(|number| number.to_string())
}

/// A board of this kind that obeys. A value other than 0 and 1 fails the test.
fn real(kind: Kind) -> Server {
    let coils: Arc<Mutex<BTreeMap<String, String>>> = Arc::default();
    Server::by(move |request| {
        let target = request.split_whitespace().nth(1).unwrap_or_default();
        let (page, query) = target.split_once('?').unwrap_or((target, ""));
        let mut coils = coils.lock().unwrap();
        if shown(kind, page, &coils).is_some() {
            for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
                assert!(matches!(value, "0" | "1"), "{target}");
                if let Some(relay) = addressed(kind, name) {
                    coils.insert(relay, value.to_owned());
                }
            }
        }
        shown(kind, page, &coils).unwrap_or_else(|| Act::answer(404, "", "404 Error"))
    })
}

fn with(server: &Server, family: RelayFamily, fans: &[(u8, RelayPoint)]) -> Config {
    let mut cfg = nowhere();
    cfg.boards = vec![board("board", &server.url, family)];
    for (number, relay) in fans {
        let mut fan = fan(*number, "board", 1);
        fan.relay = relay.clone();
        cfg.fans.insert(*number, fan);
    }
    cfg
}

fn numbers(relays: &[u8]) -> Vec<(u8, RelayPoint)> {
    relays.iter().map(|n| (*n, RelayPoint::Number(*n))).collect()
}

fn read(cfg: &Config) -> Reading<RelayReading> {
    sense(cfg, &fast(), Duration::from_millis(1500), &[]).boards["board"].clone()
}

fn stop(fan: u8) -> Command {
    Command::Fan { fan, on: false }
}

fn run(fan: u8) -> Command {
    Command::Fan { fan, on: true }
}

#[test]
fn each_family_is_read_and_switched_by_its_own_words_in_one_request() {
    use RelayFamily::*;
    for (kind, family, relays, line) in [
        (Kind::X400, Series400, vec![1, 2], "GET /state.json?relay1=1&relay2=0"),
        (Kind::Wr10, Series300, vec![3, 10], "GET /state.xml?relay3State=1&relay10State=0 HTTP/1.0"),
        (Kind::Quad, Series300, vec![2, 4], "GET /state.xml?relay2State=1&relay4State=0 HTTP/1.0"),
        (Kind::X332, X332, vec![1, 16], "GET /state.xml?relay1State=1&relay16State=0 HTTP/1.0"),
    ] {
        let server = real(kind);
        let cfg = with(&server, family, &numbers(&relays));
        assert_eq!(read(&cfg).unwrap().fans[&relays[0]], Ok(true), "{kind:?}: coil 0 lets a fan run");
        let outcomes = act_within(&cfg, LIMIT, &[stop(relays[0]), run(relays[1])]);
        assert_eq!(results(outcomes), [Ok(Reply::Confirmed), Ok(Reply::Confirmed)], "{kind:?}");
        assert_eq!(server.lines()[1..], [line.to_owned()], "{kind:?}");
        let fans = read(&cfg).unwrap().fans;
        assert_eq!((fans[&relays[0]].clone(), fans[&relays[1]].clone()), (Ok(false), Ok(true)), "{kind:?}");
    }
    let single = real(Kind::Single);
    let cfg = with(&single, Single, &numbers(&[1]));
    assert_eq!(results(act_within(&cfg, LIMIT, &[stop(1)])), [Ok(Reply::Confirmed)]);
    assert_eq!(single.lines(), ["GET /state.xml?relayState=1 HTTP/1.0"]);
    assert_eq!(read(&cfg).unwrap().fans[&1], Ok(false));
}

#[test]
fn auto_finds_the_family_by_reading_before_anything_is_written() {
    for (kind, lines) in [
        (Kind::X400, vec!["GET /state.json", "GET /state.json?relay1=1"]),
        (Kind::Wr10, vec!["GET /state.json", "GET /state.xml HTTP/1.0", "GET /state.xml?relay1State=1 HTTP/1.0"]),
        (Kind::Quad, vec!["GET /state.json", "GET /state.xml HTTP/1.0", "GET /state.xml?relay1State=1 HTTP/1.0"]),
        (Kind::Single, vec!["GET /state.json", "GET /state.xml HTTP/1.0", "GET /state.xml?relayState=1 HTTP/1.0"]),
        (Kind::X332, vec!["GET /state.json", "GET /state.xml HTTP/1.0", "GET /state.xml?relay1State=1 HTTP/1.0"]),
    ] {
        let server = real(kind);
        let cfg = with(&server, RelayFamily::Auto, &numbers(&[1]));
        assert_eq!(results(act_within(&cfg, LIMIT, &[stop(1)])), [Ok(Reply::Confirmed)], "{kind:?}");
        assert_eq!(server.lines(), lines, "{kind:?}");
        assert_eq!(read(&cfg).unwrap().fans[&1], Ok(false), "{kind:?}");
    }
}

#[test]
fn auto_guesses_nothing_where_no_relay_is_shown_and_stops_where_it_is_not_let_in() {
    let foreign = Server::by(|_| Act::answer(200, "", "<html><body>Printer</body></html>"));
    let outcomes = act_within(&with(&foreign, RelayFamily::Auto, &numbers(&[1])), LIMIT, &[stop(1)]);
    assert_eq!(foreign.lines(), ["GET /state.json", "GET /state.xml HTTP/1.0"], "nothing was written");
    let fault = outcomes[0].result.clone().unwrap_err();
    assert!(fault.kind == FaultKind::Unreadable && fault.detail.contains("; and by state.json: "), "{fault}");
    for (act, kind) in [
        (Act::answer(401, "", ""), FaultKind::Refused),
        (Act::answer(200, "", "401 Authorization Required"), FaultKind::Refused),
        (Act::Hang, FaultKind::TimedOut),
    ] {
        let server = Server::by(move |_| act.clone());
        assert_eq!(read(&with(&server, RelayFamily::Auto, &numbers(&[1]))).unwrap_err().kind, kind);
        assert_eq!(server.requests().len(), 1, "asking again would not help");
    }
}

#[test]
fn a_board_of_another_family_is_named_and_not_written_to_twice() {
    for (kind, family, hint) in [
        (Kind::Single, RelayFamily::Series300, "family = \"single\""),
        (Kind::X332, RelayFamily::Series300, "family = \"x332\""),
        (Kind::Quad, RelayFamily::Single, "family = \"x300\""),
    ] {
        let fault = read(&with(&real(kind), family, &numbers(&[1]))).unwrap_err();
        assert!(fault.kind == FaultKind::WrongDevice && fault.detail.contains(hint), "{fault}");
    }
    let x400 = Server::by(|_| Act::answer(200, "", text("controlbyweb/x-410.xml")));
    let fault = read(&with(&x400, RelayFamily::Series300, &numbers(&[1]))).unwrap_err();
    assert!(fault.detail.contains("family = \"400\" does (`relay1`, `relay2`, `relay3`, `relay4`)"), "{fault}");
}

#[test]
fn another_page_can_be_chosen() {
    let quad = real(Kind::Quad);
    let mut cfg = with(&quad, RelayFamily::Series300, &numbers(&[4]));
    cfg.boards[0].page = Some(RelayPage::StateFullXml);
    assert_eq!(results(act_within(&cfg, LIMIT, &[stop(4)])), [Ok(Reply::Confirmed)]);
    assert_eq!(quad.lines(), ["GET /stateFull.xml?relay4State=1 HTTP/1.0"]);
    let x410 = Server::by(|_| Act::answer(200, "", text("controlbyweb/x-410.xml")));
    let mut cfg = with(&x410, RelayFamily::Series400, &numbers(&[1]));
    cfg.boards[0].page = Some(RelayPage::StateXml);
    assert_eq!(read(&cfg).unwrap().fans[&1], Ok(false));
    assert_eq!(x410.lines(), ["GET /state.xml HTTP/1.0"]);
}

#[test]
fn relays_of_expansion_modules_go_by_their_names() {
    let name = |text: &str| RelayPoint::Name(text.to_owned());
    let fans = [
        (1, RelayPoint::Number(1)),
        (2, name("device2Relay6")),
        (3, name("fanNorth")),
        (4, name("fanSouth")),
        (5, name("vin")),
    ];
    for family in [RelayFamily::Series400, RelayFamily::Auto] {
        let server = real(Kind::Custom);
        let cfg = with(&server, family, &fans);
        let reading = read(&cfg).unwrap();
        assert_eq!([1, 2, 3].map(|fan| reading.fans[&fan].clone()), [Ok(true), Ok(true), Ok(true)]);
        let unknown = reading.fans[&4].clone().unwrap_err();
        assert_eq!(
            unknown.detail,
            "relay `fanSouth` is not in the answer; it shows `device2Relay6`, `fanNorth`, `relay1`"
        );
        assert_eq!(reading.fans[&5].clone().unwrap_err().detail, "relay `vin` is `24.0`, not 0 or 1");
        let outcomes = act_within(&cfg, LIMIT, &[stop(1), stop(2), stop(4), run(3), stop(5)]);
        let kinds: Vec<_> = outcomes.into_iter().map(|o| o.result.map_err(|fault| fault.kind)).collect();
        let done = || Ok(Reply::Confirmed);
        assert_eq!(kinds, [done(), done(), Err(FaultKind::Missing), done(), Err(FaultKind::Unreadable)]);
        let plain = "GET /customState.json?showUnits=0&showColors=0";
        let order = format!("{plain}&relay1=1&device2Relay6=1&fanNorth=0");
        assert_eq!(server.lines(), [plain, plain, &order], "what the board does not show is not sent");
    }
}

#[test]
fn a_board_with_one_relay_is_asked_for_no_other() {
    for family in [RelayFamily::Single, RelayFamily::Auto] {
        let server = real(Kind::Single);
        let outcomes = act_within(&with(&server, family, &numbers(&[2])), LIMIT, &[stop(2)]);
        assert_eq!(outcomes[0].result.clone().unwrap_err().kind, FaultKind::Missing);
        assert!(server.lines().iter().all(|line| !line.contains('?')), "{:?}", server.lines());
        let looks = if family == RelayFamily::Auto { 2 } else { 0 };
        assert_eq!(server.lines().len(), looks, "nothing is sent that cannot be meant");
    }
}

#[test]
fn a_pinned_serial_number_is_compared_before_and_after_the_order() {
    let mut turn = 0;
    let swapped = Server::by(move |_| {
        turn += 1;
        Act::json(format!(r#"{{"relay1":"1","serialNumber":"S{turn}"}}"#))
    });
    let mut cfg = with(&swapped, RelayFamily::Series400, &numbers(&[1]));
    cfg.boards[0].serial = Some("S1".to_owned());
    assert_eq!(results(act_within(&cfg, LIMIT, &[stop(1)]))[0].clone().unwrap_err().0, FaultKind::WrongDevice);
    assert_eq!(swapped.requests().len(), 2);
    let quad = real(Kind::Quad);
    let mut cfg = with(&quad, RelayFamily::Series300, &numbers(&[1]));
    cfg.boards[0].serial = Some("S1".to_owned());
    let fault = results(act_within(&cfg, LIMIT, &[stop(1)]))[0].clone().unwrap_err();
    assert!(fault.1.ends_with("leave `serial` out if this board has none"), "{fault:?}");
    assert_eq!(quad.lines(), ["GET /state.xml HTTP/1.0"]);
}

#[test]
fn an_order_whose_answer_is_lost_is_settled_by_reading() {
    let mut turn = 0;
    let server = Server::by(move |_| {
        turn += 1;
        if turn == 1 { Act::Close } else { Act::Send(b"<d><relay1state>1</relay1state></d>".to_vec()) }
    });
    let cfg = with(&server, RelayFamily::Series300, &numbers(&[1]));
    assert_eq!(results(act_within(&cfg, LIMIT, &[stop(1)])), [Ok(Reply::Confirmed)]);
    assert_eq!(server.lines()[1], "GET /state.xml HTTP/1.0", "the order itself is not repeated");
}

#[test]
fn a_board_that_switches_its_relay_by_itself_is_remarked() {
    let full = Server::by(|_| Act::answer(200, "", text("controlbyweb/single_stateFull.xml")));
    let reading = read(&with(&full, RelayFamily::Single, &numbers(&[1]))).unwrap();
    assert!(reading.remarks[0].contains("auto-reboot"), "{:?}", reading.remarks);
    let idle = Server::by(|_| Act::Send(text("controlbyweb/single_state.xml").into_bytes()));
    assert!(read(&with(&idle, RelayFamily::Single, &numbers(&[1]))).unwrap().remarks.is_empty());
}

#[test]
fn the_login_goes_with_every_request_and_into_no_fault() {
    let server = Server::by(|_| Act::answer(401, "", "bad hunter22"));
    let mut cfg = with(&server, RelayFamily::Series300, &numbers(&[1]));
    (cfg.boards[0].user, cfg.boards[0].password) = (Some("none".to_owned()), Some(Secret::new("hunter22")));
    let fault = read(&cfg).unwrap_err();
    assert!(fault.kind == FaultKind::Refused && !fault.detail.contains("hunter22"), "{fault}");
    assert!(server.requests()[0].contains("Authorization: Basic bm9uZTpodW50ZXIyMg=="));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, cases: 24, ..Default::default() })]

    #[test]
    fn nothing_but_0_and_1_is_ever_sent_and_never_a_word_that_pulses(
        which in 0..6_usize, orders in proptest::collection::vec((1..=4_u8, proptest::bool::ANY), 1..5),
        open in proptest::bool::ANY, auto in proptest::bool::ANY,
    ) {
        use RelayFamily::*;
        let (kind, family) = [
            (Kind::X400, Series400), (Kind::Custom, Series400), (Kind::Wr10, Series300), (Kind::Quad, Series300),
            (Kind::Single, Single), (Kind::X332, X332),
        ][which];
        let server = real(kind);
        let mut fans = numbers(&[1, 2, 3]);
        fans.push((4, if kind == Kind::Custom { RelayPoint::Name("fanNorth".to_owned()) } else { RelayPoint::Number(4) }));
        let mut cfg = with(&server, if auto { Auto } else { family }, &fans);
        if open {
            cfg.fans.values_mut().for_each(|fan| fan.wiring = Wiring::NormallyOpen);
        }
        let commands: Vec<Command> = orders.iter().map(|(fan, on)| Command::Fan { fan: *fan, on: *on }).collect();
        act_within(&cfg, LIMIT, &commands);
        let parameter = regex::Regex::new(r"^(relay\d*(State)?|fanNorth)=[01]$|^show(Units|Colors)=0$").unwrap();
        for line in server.lines() {
            let target = line.split_whitespace().nth(1).unwrap_or_default();
            for pair in target.split_once('?').map_or("", |(_, query)| query).split('&').filter(|pair| !pair.is_empty()) {
                proptest::prop_assert!(parameter.is_match(pair), "{}", line);
            }
        }
    }
}
