//! IotaWatt and emonCMS: which watts count, how old they are, and what is refused.

use minectl::config::FeedPoint;
use minectl::drivers::parse;
use minectl::model::FaultKind;
use minectl::units::{Seconds, UnixSeconds, Watts};
use serde_json::{Value, json};

use crate::config::{NOWHERE, emoncms, iotawatt};
use crate::fixture::{NOW, kind_and_detail, text, value};

#[test]
fn the_last_full_row_counts_with_its_age() {
    let cfg = iotawatt(NOWHERE, 2);
    let read = |name: &str, now: i64| parse::iotawatt(&value(name), &cfg, UnixSeconds(now)).unwrap().unwrap();
    let full = read("iotawatt/query_02_08_04.json", 1_795_400_018);
    assert_eq!(full.row_time, Some(UnixSeconds(1_795_400_010)));
    let fan = |n: u8| full.fans[&n].clone().unwrap();
    assert_eq!((fan(1).value, fan(1).age), (Watts::new(1499.0).unwrap(), Seconds(3)));
    assert_eq!(fan(2).value.value().to_string(), "0", "-0 is a zero");
    let behind = read("iotawatt/newest_null.json", 1_795_400_016);
    assert_eq!(behind.row_time, Some(UnixSeconds(1_795_400_005)));
    assert_eq!(behind.fans[&1].clone().unwrap().value.value(), 1501.7);
    assert_eq!(read("iotawatt/query_02_08_04.json", 1_795_000_000).fans[&1].clone().unwrap().age, Seconds(0));
    assert_eq!(parse::iotawatt(&value("iotawatt/all_null.json"), &cfg, NOW).unwrap(), None);
}

#[test]
fn without_voltage_no_fan_has_watts() {
    let cfg = iotawatt(NOWHERE, 2);
    let read = parse::iotawatt(&value("iotawatt/no_voltage.json"), &cfg, NOW).unwrap().unwrap();
    for fan in 1..=2 {
        let fault = read.fans[&fan].clone().unwrap_err();
        assert_eq!(fault.kind, FaultKind::Missing);
        assert_eq!(fault.detail, "voltage reference is lost (17.3 V): the unit then says 0 W for every fan");
    }
    let at = |volts: f64| {
        let mut answer = value("iotawatt/no_voltage.json");
        answer["data"][1][1] = json!(volts);
        parse::iotawatt(&answer, &cfg, NOW).unwrap().unwrap().fans[&1].is_ok()
    };
    assert!(!at(49.9));
    assert!(at(50.0));
}

#[test]
fn rows_that_are_not_what_was_asked_for_are_refused() {
    let cfg = iotawatt(NOWHERE, 2);
    let with = |change: fn(&mut Value)| {
        let mut answer = value("iotawatt/query_02_08_04.json");
        change(&mut answer);
        parse::iotawatt(&answer, &cfg, NOW).unwrap_err()
    };
    let swapped = with(|a| a["labels"] = json!(["Time", "mains_v", "fan2", "fan1"]));
    assert_eq!(swapped.kind, FaultKind::Unreadable);
    assert!(swapped.detail.ends_with("wanted `Time,mains_v,fan1,fan2`"), "{swapped}");
    assert_eq!(with(|a| a["data"][2] = json!([1, 2])).detail, "a row has not the 4 columns that were asked for");
    assert_eq!(with(|a| a["data"][2][0] = json!(0)).detail, "a row has no time");
    assert_eq!(with(|a| drop(a.as_object_mut().unwrap().remove("data"))).detail, "answer has no rows");
    let mut absurd = value("iotawatt/query_02_08_04.json");
    absurd["data"][2][2] = json!(9.0e9);
    absurd["data"][2][3] = json!(-1500);
    let read = parse::iotawatt(&absurd, &cfg, NOW).unwrap().unwrap();
    assert_eq!(read.fans[&1].clone().unwrap_err().kind, FaultKind::OutOfRange);
    let reversed = read.fans[&2].clone().unwrap_err().detail;
    assert_eq!(reversed, "-1500 W is not possible for a fan; is its current transformer reversed?");
}

#[test]
fn emoncms_lists_are_read_with_and_without_redis_and_behind_notices() {
    for name in ["11.16_redis.json", "11.16_noredis.json", "notice_in_front.txt"] {
        let read = parse::emoncms(&text(&format!("emoncms/{name}")), &emoncms(NOWHERE, 4), NOW).unwrap();
        let fan = |n: u8| read.fans[&n].clone();
        assert_eq!(fan(1).unwrap().value.value(), 1498.25, "{name}");
        assert_eq!((fan(1).unwrap().age, fan(2).unwrap().age), (Seconds(15), Seconds(20)), "{name}");
        assert_eq!(fan(2).unwrap().value.value(), 0.0, "{name}");
        assert_eq!(kind_and_detail(fan(3).unwrap_err()), (FaultKind::Missing, "feed 13 has no data".to_owned()));
        assert_eq!(fan(4).unwrap_err().kind, FaultKind::Missing, "{name}");
        assert_eq!(read.row_time, Some(UnixSeconds(1_795_399_985)), "{name}");
    }
}

#[test]
fn a_feed_from_the_future_is_refused_beyond_a_minute() {
    let read = |now: i64| {
        let read = parse::emoncms(&text("emoncms/11.16_redis.json"), &emoncms(NOWHERE, 1), UnixSeconds(now)).unwrap();
        read.fans[&1].clone()
    };
    assert_eq!(read(1_795_399_985 - 60).unwrap().age, Seconds(0));
    let fault = read(1_795_399_985 - 61).unwrap_err();
    assert_eq!(
        kind_and_detail(fault),
        (FaultKind::Stale, "feed 11 is 1 min 1 s ahead of the server's clock".to_owned())
    );
}

#[test]
fn a_feed_in_another_unit_than_watts_is_refused() {
    let read = |unit: &str| {
        let body = text("emoncms/11.16_redis.json").replace(r#""unit":"W""#, unit);
        parse::emoncms(&body, &emoncms(NOWHERE, 1), NOW).unwrap().fans[&1].clone()
    };
    for good in [r#""unit":"W""#, r#""unit":" w ""#, r#""unit":"Watts""#, r#""unit":"""#, r#""unit":null"#, r#""x":1"#]
    {
        assert_eq!(read(good).unwrap().value.value(), 1498.25, "{good}");
    }
    for unit in ["kW", "kWh", "Wh", "VA", "V", "A", "°C", "mW"] {
        let detail =
            format!("feed 11 is in `{unit}`, not in W: take the feed that holds watts, or correct its unit in emonCMS");
        assert_eq!(kind_and_detail(read(&format!(r#""unit":"{unit}""#)).unwrap_err()), (FaultKind::Missing, detail));
    }
    assert_eq!(read(r#""unit":["kW"]"#).unwrap_err().kind, FaultKind::Missing);
}

#[test]
fn what_is_no_list_of_feeds_is_refused() {
    let refuse = |body: &str| kind_and_detail(parse::emoncms(body, &emoncms(NOWHERE, 1), NOW).unwrap_err());
    assert_eq!(refuse("false").0, FaultKind::Refused);
    let message = refuse(r#"{"success":false,"message":"Feed does not exist"}"#);
    assert_eq!(
        message,
        (FaultKind::Status, "no list of feeds there: check `url`; the server says `Feed does not exist`".to_owned())
    );
    let (kind, detail) = refuse(&text("emoncms/redis_down.html"));
    assert_eq!(kind, FaultKind::Status);
    assert!(detail.starts_with("the server's Redis is in trouble: `Fatal error : Uncaught RedisException"), "{detail}");
    assert_eq!(refuse("[{\"id\":\"11\",").0, FaultKind::Unreadable);
    assert_eq!(refuse("<\u{1}\u{b4}\u{fe} no markup").0, FaultKind::Unreadable, "bytes that only begin like markup");
    assert_eq!(refuse("").1, "answer is empty");
}

#[test]
fn a_list_is_found_between_notices_in_front_and_behind() {
    let list = text("emoncms/11.16_redis.json");
    let notice = "<br />\n<b>Warning</b>:  Undefined array key [0] in <b>/srv/x.php</b> on line <b>[3]</b><br />\n";
    let watts = |body: &str| {
        let read = parse::emoncms(body, &emoncms(NOWHERE, 1), NOW)?;
        read.fans[&1].clone().map(|fan| fan.value.value())
    };
    for body in [format!("{notice}{list}{notice}"), format!("\u{feff}{list}"), format!("{list}\n<br />\n<b>Notice</b>")]
    {
        assert_eq!(watts(&body), Ok(1498.25), "{body}");
    }
    for body in [format!("{notice}[]{notice}"), format!("{notice}[false]"), notice.to_owned(), format!("{list}]")] {
        assert!(watts(&body).is_err(), "{body}");
    }
}

#[test]
fn a_web_page_instead_of_the_list_is_told_as_one() {
    let refuse = |body: &str| kind_and_detail(parse::emoncms(body, &emoncms(NOWHERE, 1), NOW).unwrap_err());
    let theme = "<!doctype html>\n<html class=\"theme-blue\"><head><title>Emoncms - feed list</title></head></html>";
    let detail = "a web page came instead of the list: `Emoncms - feed list`; check `url`".to_owned();
    assert_eq!(refuse(theme), (FaultKind::Unreadable, detail));
    let login = "<html><form><input type=\"password\"></form></html>";
    assert_eq!(refuse(login).0, FaultKind::Refused);
    let missing = "<div style='width:600px'><h3>missing settings file</h3></div>";
    assert_eq!(refuse(missing).0, FaultKind::Status);
}

#[test]
fn which_part_of_the_server_is_down_is_told() {
    let refuse = |body: &str| kind_and_detail(parse::emoncms(body, &emoncms(NOWHERE, 1), NOW).unwrap_err());
    let fatal =
        |what: &str| format!("<br />\n<b>Fatal error</b>:  Uncaught {what}: Connection refused in /srv/index.php:74");
    let down = |body: &str, part: &str| {
        let (kind, detail) = refuse(body);
        assert_eq!(kind, FaultKind::Status, "{detail}");
        assert!(detail.starts_with(part), "{detail}");
    };
    down(&fatal("mysqli_sql_exception"), "the server's database is in trouble: `Fatal error");
    down("Can't connect to database, please verify credentials<br />", "the server's database is in trouble");
    down(&fatal("RedisException"), "the server's Redis is in trouble");
    down("Can't connect to redis at localhost:6379 , it may be", "the server's Redis is in trouble");
    down(&fatal("TypeError"), "the server is in trouble");
    let notice = "<br />\n<b>Warning</b>:  Undefined array key in <b>/srv/route.php</b><br />\n";
    let (kind, detail) = refuse(&format!("{notice}false"));
    assert_eq!(kind, FaultKind::Refused, "{detail}");
    assert!(detail.contains("API key"), "{detail}");
}

/// The feeds 21 to 24, two of them with one name, 23 without a tag.
const NAMED: &str = r#"[{"id":"21","name":"fan1","tag":"fans","time":1795399985,"value":101},
    {"id":"22","name":"fan1","tag":"house","time":1795399985,"value":202},
    {"id":"23","name":"fan2","tag":null,"time":"1795399985","value":"303"},
    {"id":"24","name":"fan4","tag":"fans","time":1795399985,"value":404},
    {"id":"25","name":"fan4","tag":"fans","time":1795399985,"value":505}]"#;

#[test]
fn feeds_are_found_by_tag_and_name_together() {
    let named = |tag: &str, name: &str| FeedPoint::Name { tag: tag.to_owned(), name: name.to_owned() };
    let points = [named("fans", "fan1"), named("house", "fan1"), named("", "fan2"), FeedPoint::Id(24)];
    let mut cfg = emoncms(NOWHERE, 0);
    cfg.fan_feeds = (1..).zip(points).collect();
    let read = parse::emoncms(NAMED, &cfg, NOW).unwrap();
    let watts: Vec<f64> = read.fans.into_values().map(|fan| fan.unwrap().value.value()).collect();
    assert_eq!(watts, [101.0, 202.0, 303.0, 404.0]);
}

#[test]
fn a_name_that_no_feed_has_or_several_have_is_refused() {
    let read = |tag: &str, name: &str| {
        let mut cfg = emoncms(NOWHERE, 0);
        cfg.fan_feeds.insert(1, FeedPoint::Name { tag: tag.to_owned(), name: name.to_owned() });
        kind_and_detail(parse::emoncms(NAMED, &cfg, NOW).unwrap().fans[&1].clone().unwrap_err())
    };
    for (tag, name) in [("fans", "fan2"), ("Fans", "fan1"), ("fans", "fan"), ("", "fan1")] {
        let detail = format!("no feed `{tag}/{name}` in the list of 5 feeds: renamed, deleted, or of another user");
        assert_eq!(read(tag, name), (FaultKind::Missing, detail));
    }
    let several = "several feeds are `fans/fan4`: name the one that is meant by its id".to_owned();
    assert_eq!(read("fans", "fan4"), (FaultKind::Missing, several));
}
