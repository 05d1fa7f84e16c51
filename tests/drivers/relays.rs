//! ControlByWeb: what the answers of all boards say.

use minectl::drivers::parse::{self, BoardState, Dialect};
use minectl::model::{Fault, FaultKind};

use crate::fixture::{kind_and_detail, text};

fn read(body: &str) -> Result<BoardState, Fault> {
    parse::relays(body, "b")
}

/// Numbers of the relays that are on, of those that are off, and of those that say neither.
fn sorted(state: &BoardState) -> [Vec<u8>; 3] {
    let of = |wanted: Option<bool>| {
        let relays = state.relays.iter().filter(|(_, coil)| coil.as_ref().ok().copied() == wanted);
        relays.map(|(number, _)| *number).collect()
    };
    [of(Some(true)), of(Some(false)), of(None)]
}

#[test]
fn the_four_dialects_are_told_apart_by_their_tags() {
    for (name, dialect, on, off, serial) in [
        ("x-400.json", Dialect::Numbers, vec![2], vec![1, 3], Some("00:0C:C8:05:3E:11")),
        ("x-410.xml", Dialect::Numbers, vec![1, 4], vec![2, 3], Some("00:0C:C8:05:19:77")),
        ("x-wr-10r12.xml", Dialect::NumbersState, vec![2], vec![1, 3], Some("WR10-0417")),
        ("quad_padded.xml", Dialect::NumbersState, vec![1, 3], vec![2, 4], None),
        ("single_state.xml", Dialect::Single, vec![1], vec![], None),
        ("single_stateFull.xml", Dialect::Single, vec![], vec![1], None),
        (
            "x-332.xml",
            Dialect::Digits,
            vec![1, 3, 16],
            vec![2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
            Some("00:0C:C8:03:41:0B"),
        ),
    ] {
        let state = read(&text(&format!("controlbyweb/{name}"))).unwrap();
        assert_eq!(state.dialect, Some(dialect), "{name}");
        assert_eq!(sorted(&state), [on, off, vec![]], "{name}");
        assert_eq!(state.serial.as_deref(), serial, "{name}");
    }
}

#[test]
fn a_relay_says_0_or_1_and_anything_else_is_quoted() {
    for (shown, quoted) in
        [("2", "`2`"), ("5", "`5`"), ("", "``"), ("x.x", "`x.x`"), ("on", "`on`"), ("01", "`01`"), ("-1", "`-1`")]
    {
        for body in [
            format!("{{\"relay1\":\"{shown}\",\"relay2\":\"1\"}}"),
            format!("<d><relay1state>{shown}</relay1state><relay2state>1</relay2state></d>"),
        ] {
            let state = read(&body).unwrap();
            assert_eq!(state.relays[&1], Err(quoted.to_owned()), "{body}");
            assert_eq!(state.relays[&2], Ok(true));
        }
    }
    assert_eq!(read("<d><relaystate>3</relaystate></d>").unwrap().relays[&1], Err("`3`".to_owned()));
    let digits = read("<d><relaystates>0x1</relaystates></d>").unwrap();
    assert_eq!(sorted(&digits), [vec![1], vec![3], vec![2]]);
    assert_eq!(read("{\"relay1\":true,\"relay2\":1,\"relay3\":{}}").unwrap().relays.len(), 1, "only texts and numbers");
}

#[test]
fn what_small_devices_add_or_leave_out_does_no_harm() {
    for body in [
        "\u{feff}<?xml version=\"1.0\" encoding=\"ISO-8859-1\" ?>\n<datavalues><RELAY1STATE>1</RELAY1STATE></datavalues>\0\0\0\r\n\0",
        "<relay1state>1</relay1state>\n<serialNumber>...</serialNumber>",
        "<?xml version='1.0'?><relay1state> 1 </relay1state><name>a b</name>",
        "{\"relay1\":\"0\",\"relay1\":\"1\"}",
        "{relay1:1,}\0",
        " {\"Relay1\" : 1 }",
    ] {
        assert_eq!(sorted(&read(body).unwrap()), [vec![1], vec![], vec![]], "{body}");
    }
}

#[test]
fn a_body_that_is_cut_off_shows_no_relays() {
    for name in ["x-400.json", "x-410.xml", "quad_padded.xml", "x-332.xml", "single_state.xml", "custom_state.json"] {
        let whole = text(&format!("controlbyweb/{name}"));
        let end = whole.trim_end_matches(|c: char| c.is_whitespace() || c == '\0').len();
        for at in (1..end).filter(|at| whole.is_char_boundary(*at)) {
            let fault = read(&whole[..at]).unwrap_err();
            assert_eq!(fault.kind, FaultKind::Unreadable, "{name} {at}: {fault}");
        }
    }
}

#[test]
fn an_error_text_counts_only_where_no_relay_is_shown() {
    assert!(read("<d><count1>401</count1><relay1>0</relay1></d>").is_ok());
    assert!(read("{\"name\":\"404 Error\",\"relay1\":\"0\"}").is_ok());
    let no_relays =
        kind_and_detail(read(&text("controlbyweb/custom_state.json").replace("relay1", "pump")).unwrap_err());
    assert_eq!(no_relays.0, FaultKind::WrongDevice);
    assert!(no_relays.1.contains("`relay_name`"), "{}", no_relays.1);
    let password = "the board wants a password: `401 Error`; give `user` and `password`";
    assert_eq!(kind_and_detail(read("401 Error\r\n\0").unwrap_err()), (FaultKind::Refused, password.to_owned()));
    let page = "a web page came instead of the relays: `Hello`";
    assert_eq!(kind_and_detail(read("<html><br>Hello</html>").unwrap_err()), (FaultKind::Unreadable, page.to_owned()));
}

#[test]
fn nesting_without_end_and_entities_are_refused_at_once() {
    assert!(read(&"<a>".repeat(21_000)).is_err());
    assert!(read(&format!("{}{}", "<a>".repeat(9_000), "</a>".repeat(9_000))).is_err());
    let bomb = "<!DOCTYPE d [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">\
                <!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\"><!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;\">]>\
                <d><relay1state>&d;&d;&d;&d;</relay1state></d>";
    assert!(read(bomb).is_err());
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn whatever_stands_in_a_relay_it_is_on_only_by_a_1(shown in "[ -~]{0,12}", number in 1..=255_u8) {
        let text = shown.replace(['<', '>', '&', '"', '\\', ']'], "");
        for body in [
            format!("<d><relay{number}>{text}</relay{number}></d>"),
            format!("<d><relay{number}state>{text}</relay{number}state></d>"),
            format!("{{\"relay{number}\":\"{text}\"}}"),
        ] {
            let state = read(&body).unwrap();
            proptest::prop_assert_eq!(state.relays.len(), 1);
            proptest::prop_assert_eq!(state.relays[&number] == Ok(true), text.trim() == "1");
            proptest::prop_assert_eq!(state.relays[&number] == Ok(false), text.trim() == "0");
        }
    }

    #[test]
    fn no_relay_is_made_up(body in "[<>/a-z0-9 {}:,\"]{0,80}") {
        if let Ok(state) = read(&body) {
            proptest::prop_assert!(!state.relays.is_empty() && body.to_lowercase().contains("relay"));
        }
    }
}
