//! Reads the devices but for the PDUs: Room Alert units, the source of fan watts, relay boards, fans, Foreman.

use std::collections::{BTreeMap, BTreeSet};

use super::check::Shape;
use super::entry::{Kind, nearest};
use super::read_pdu::both_or_none;
use super::section::{Need, Section, Want};
use super::value::{TEXT, plain};
use super::{
    EmonCmsConfig, FanConfig, FanWattsConfig, FeedPoint, ForemanConfig, IotaWattConfig, MinerChoice, ProbeConfig,
    ProbeRole, RelayBoardConfig, RelayFamily, RelayPage, RelayPoint, RoomAlertConfig, SwitchConfig, Wiring,
};
use crate::units::Seconds;

const ROLES: [(&str, ProbeRole); 4] = [
    ("intake", ProbeRole::Intake),
    ("exhaust", ProbeRole::Exhaust),
    ("outdoor", ProbeRole::Outdoor),
    ("other", ProbeRole::Other),
];
const FAMILIES: [(&str, RelayFamily); 7] = [
    ("auto", RelayFamily::Auto),
    ("400", RelayFamily::Series400),
    ("x300", RelayFamily::Series300),
    ("quad", RelayFamily::Series300),
    ("wr10", RelayFamily::Series300),
    ("single", RelayFamily::Single),
    ("x332", RelayFamily::X332),
];
const PAGES: [(&str, RelayPage); 4] = [
    ("state.json", RelayPage::StateJson),
    ("state.xml", RelayPage::StateXml),
    ("stateFull.xml", RelayPage::StateFullXml),
    ("customState.json", RelayPage::CustomStateJson),
];
const WIRINGS: [(&str, Wiring); 2] =
    [("normally_closed", Wiring::NormallyClosed), ("normally_open", Wiring::NormallyOpen)];

const PROBES: Want = Want {
    what: "a list of { name = \"intake\", array = \"sensor\", index = 0, role = \"intake\" }",
    kind: Kind::Array,
};
const SWITCHES: Want =
    Want { what: "a list of { name = \"smoke\", array = \"s_sen\", index = 0, alarm_when = 1 }", kind: Kind::Array };
const MINERS: Want = Want { what: "\"all\" or a tag such as \"tag:curtail\"", kind: Kind::Text };

/// Places in a device's array.
const INDEX_MAX: i64 = 63;

/// Letters of the name of an IotaWatt's series; the unit itself allows 16.
const SERIES_MAX: usize = 32;

pub(super) fn read_room(s: &Section<'_>) -> Option<RoomAlertConfig> {
    let name = s.name("device", Need::Required);
    let url = s.url("url", Need::Required, Shape::Whole);
    let serial = s.text("serial", Need::Optional);
    let user = s.text("user", Need::Optional);
    let password = s.secret("password", "password_file", Need::Optional);
    both_or_none(s);
    let ca_file = s.ca_file(url.as_deref());
    let timeout = s.span("timeout", Need::Default("5 s"), Seconds(1)..=Seconds(60));
    let probes = s.sections("probes", PROBES, Need::Required);
    let switches = s.sections("switches", SWITCHES, Need::Optional);
    s.finish();
    let probes: Option<Vec<ProbeConfig>> = probes.iter().map(read_probe).collect::<Vec<_>>().into_iter().collect();
    let switches: Option<Vec<SwitchConfig>> =
        switches.iter().map(read_switch).collect::<Vec<_>>().into_iter().collect();
    let (probes, switches) = (probes?, switches?);
    let mut places = BTreeSet::new();
    for probe in &probes {
        if !places.insert((&probe.array, probe.index)) {
            s.mistake("probes", format!("two probes are at index {} of `{}`", probe.index, probe.array));
        }
    }
    let (name, url, timeout) = (name?, url?, timeout?);
    Some(RoomAlertConfig { name, url, serial, user, password, ca_file, timeout, probes, switches })
}

fn read_probe(s: &Section<'_>) -> Option<ProbeConfig> {
    let name = s.name("probe", Need::Required);
    let array = s.checked("array", TEXT, Need::Required, array);
    let index = s.number("index", Need::Required, 0..=INDEX_MAX);
    let role = s.word("role", Need::Required, &ROLES);
    let label = s.text("label", Need::Optional);
    let use_disabled = s.flag("use_disabled");
    let max_age = s.span("max_age", Need::Optional, Seconds(60)..=Seconds::minutes(24 * 60));
    s.finish();
    Some(ProbeConfig {
        name: name?,
        array: array?,
        index: usize::try_from(index?).ok()?,
        role: role?,
        label,
        use_disabled: use_disabled?,
        max_age,
    })
}

fn read_switch(s: &Section<'_>) -> Option<SwitchConfig> {
    let name = s.name("switch", Need::Required);
    let array = s.checked("array", TEXT, Need::Required, array);
    let index = s.number("index", Need::Required, 0..=INDEX_MAX);
    let alarm_when = s.number("alarm_when", Need::Required, 0..=1);
    let label = s.text("label", Need::Optional);
    let use_disabled = s.flag("use_disabled");
    let stops_mine = s.flag("stops_mine");
    s.finish();
    Some(SwitchConfig {
        name: name?,
        array: array?,
        index: usize::try_from(index?).ok()?,
        alarm_when: u8::try_from(alarm_when?).ok()?,
        label,
        use_disabled: use_disabled?,
        stops_mine: stops_mine?,
    })
}

/// The name of an array, with its way where it is inside another: `sensor`, `wireless_sen/2/digi_sen`.
fn array(text: &str) -> Result<String, String> {
    let is_name = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let is_place = |part: &str| part.parse::<u8>().is_ok();
    let parts: Vec<&str> = text.split('/').collect();
    let fits = |(place, part): (usize, &&str)| if place.is_multiple_of(2) { is_name(part) } else { is_place(part) };
    let good = parts.len() % 2 == 1 && parts.iter().enumerate().all(fits);
    let cause = || format!("`{text}` is no array; write it like `sensor` or `wireless_sen/2/digi_sen`");
    good.then(|| text.to_owned()).ok_or_else(cause)
}

/// Exactly one of the two sections; both are read, so that the keys of both are known. `fan_count` is the number of
/// `[[fan]]` sections, `fans` their numbers in ascending order (`None` when they have mistakes): the lists go by them.
pub(super) fn read_fan_watts(top: &Section<'_>, fan_count: usize, fans: Option<&[u8]>) -> Option<FanWattsConfig> {
    let (iotawatt, emoncms) = (top.section("iotawatt", false), top.section("emoncms", false));
    match (iotawatt.is_present(), emoncms.is_present()) {
        (true, true) => emoncms.mistake_here("is given beside `iotawatt`; fan watts come from one of the two"),
        (false, false) if !top.has("iotawatt") && !top.has("emoncms") => {
            top.book.mistake_in_line(None, "missing section `[iotawatt]` or `[emoncms]`: where fan watts come from");
        }
        (false, false) | (true, false) | (false, true) => {}
    }
    let from_emoncms =
        read_emoncms(&emoncms, fan_count, fans).filter(|_| emoncms.is_present()).map(FanWattsConfig::EmonCms);
    let from_iotawatt =
        read_iotawatt(&iotawatt, fan_count, fans).filter(|_| iotawatt.is_present()).map(FanWattsConfig::IotaWatt);
    from_iotawatt.or(from_emoncms)
}

fn read_iotawatt(s: &Section<'_>, fan_count: usize, fans: Option<&[u8]>) -> Option<IotaWattConfig> {
    let name = s.name("device", Need::Default("iotawatt"));
    let url = s.url("url", Need::Required, Shape::Base);
    let voltage_series = s.checked("voltage_series", TEXT, Need::Required, series_name);
    let series = s.texts("fan_series", Need::Required, series_name);
    let user = s.text("user", Need::Optional);
    let password = s.secret("password", "password_file", Need::Optional);
    both_or_none(s);
    let max_age = s.span("max_age", Need::Default("30 s"), Seconds(5)..=Seconds::minutes(60));
    let ca_file = s.ca_file(url.as_deref());
    let timeout = s.span("timeout", Need::Default("6 s"), Seconds(1)..=Seconds(60));
    s.finish();
    let fan_series = by_fan(s, "fan_series", series?, fan_count, fans);
    Some(IotaWattConfig {
        name: name?,
        url: url?,
        voltage_series: voltage_series?,
        fan_series: fan_series?,
        user,
        password,
        max_age: max_age?,
        ca_file,
        timeout: timeout?,
    })
}

/// A name as the unit allows it. Anything else in its query, an empty element above all, can hang the unit.
fn series_name(text: &str) -> Result<String, String> {
    let is_word = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_word || !text.starts_with(|c: char| c.is_ascii_alphabetic()) || text.len() > SERIES_MAX || text == "time" {
        let wanted = "a letter, then letters, digits and `_`, as the unit's setup shows it";
        return Err(format!("`{text}` is no name of a series: {wanted}"));
    }
    Ok(text.to_owned())
}

fn read_emoncms(s: &Section<'_>, fan_count: usize, fans: Option<&[u8]>) -> Option<EmonCmsConfig> {
    let name = s.name("device", Need::Default("emoncms"));
    let url = s.url("url", Need::Required, Shape::Prefix);
    let api_key = s.secret("api_key", "api_key_file", Need::Required);
    let feeds = s.numbers_or_texts("fan_feeds", Need::Required, FeedPoint::Id, feed_name);
    let max_age = s.span("max_age", Need::Default("60 s"), Seconds(5)..=Seconds::minutes(60));
    let ca_file = s.ca_file(url.as_deref());
    let timeout = s.span("timeout", Need::Default("6 s"), Seconds(1)..=Seconds(60));
    s.finish();
    let fan_feeds = by_fan(s, "fan_feeds", feeds?, fan_count, fans);
    Some(EmonCmsConfig {
        name: name?,
        url: url?,
        api_key: api_key?,
        fan_feeds: fan_feeds?,
        max_age: max_age?,
        ca_file,
        timeout: timeout?,
    })
}

/// A feed's tag and name, as `fans/fan1`. Neither may hold a `/` in emonCMS.
fn feed_name(text: &str) -> Result<FeedPoint, String> {
    let is_plain = |part: &str| part.trim() == part && !part.contains(|c: char| c == '/' || c.is_control());
    match text.split_once('/') {
        Some((tag, name)) if is_plain(tag) && is_plain(name) && !name.is_empty() => {
            Ok(FeedPoint::Name { tag: tag.to_owned(), name: name.to_owned() })
        }
        _ => Err(format!("`{text}` is no feed: write its id, or tag and name like `fans/fan1`")),
    }
}

/// One entry for each fan, in ascending order of fan numbers.
fn by_fan<T: Ord + Clone>(
    s: &Section<'_>,
    key: &'static str,
    entries: Vec<T>,
    fan_count: usize,
    fans: Option<&[u8]>,
) -> Option<BTreeMap<u8, T>> {
    if entries.iter().collect::<BTreeSet<_>>().len() != entries.len() {
        s.mistake(key, "has an entry twice; each fan needs its own");
    }
    if entries.len() != fan_count {
        s.mistake(key, format!("has {} entries for {fan_count} fans; give one for each [[fan]]", entries.len()));
        return None;
    }
    Some(fans?.iter().copied().zip(entries).collect())
}

pub(super) fn read_board(s: &Section<'_>) -> Option<RelayBoardConfig> {
    let name = s.name("device", Need::Required);
    let url = s.url("url", Need::Required, Shape::Base);
    let family = s.word("family", Need::Required, &FAMILIES);
    let page = s.word("page", Need::Optional, &PAGES);
    let serial = s.text("serial", Need::Optional);
    let user = s.text("user", Need::Optional);
    let password = s.secret("password", "password_file", Need::Optional);
    both_or_none(s);
    let ca_file = s.ca_file(url.as_deref());
    let timeout = s.span("timeout", Need::Default("3 s"), Seconds(1)..=Seconds(60));
    s.finish();
    let is_json = matches!(page, Some(RelayPage::StateJson | RelayPage::CustomStateJson));
    if is_json && !matches!(family?, RelayFamily::Auto | RelayFamily::Series400) {
        s.mistake("page", "only boards of `family` 400 speak JSON; this one has `state.xml`");
    }
    let (name, url, family, timeout) = (name?, url?, family?, timeout?);
    Some(RelayBoardConfig { name, url, family, page, serial, user, password, ca_file, timeout })
}

pub(super) fn read_fan(s: &Section<'_>) -> Option<FanConfig> {
    let number = s.number("number", Need::Required, 1..=99);
    let boards = s.book.names_in("relay_board");
    let board = s.checked("board", TEXT, Need::Required, |text| {
        if boards.iter().any(|board| board == text) {
            return Ok(text.to_owned());
        }
        let meant = nearest(text, boards.iter().map(String::as_str));
        let hint = meant.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
        Err(format!("there is no [[relay_board]] `{text}`{hint} (known: {})", boards.join(", ")))
    });
    let relay = read_relay(s);
    let wiring = s.word("wiring", Need::Required, &WIRINGS);
    s.finish();
    Some(FanConfig { number: u8::try_from(number?).ok()?, board: board?, relay: relay?, wiring: wiring? })
}

/// The relay by number, or by the name that the board shows it under.
fn read_relay(s: &Section<'_>) -> Option<RelayPoint> {
    let name = s.checked("relay_name", TEXT, Need::Optional, |text| {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '(' | ')');
        let good = text.len() <= 64 && text.chars().all(fits) && text.starts_with(|c: char| c.is_ascii_alphabetic());
        let cause = || format!("`{text}` is no name of a relay; write it as `customState.json` shows it");
        good.then(|| text.to_owned()).ok_or_else(cause)
    });
    let is_named = s.has("relay_name");
    let number = s.number("relay", if is_named { Need::Optional } else { Need::Required }, 1..=64);
    if is_named && s.has("relay") {
        s.mistake("relay_name", "`relay` is given too; keep one of the two");
    }
    match is_named {
        true => name.map(RelayPoint::Name),
        false => u8::try_from(number?).ok().map(RelayPoint::Number),
    }
}

/// The fans by number; two with one number, or on one relay, are mistakes.
pub(super) fn read_fans(sections: &[Section<'_>]) -> Option<BTreeMap<u8, FanConfig>> {
    let mut fans: BTreeMap<u8, FanConfig> = BTreeMap::new();
    let mut complete = true;
    for s in sections {
        let Some(fan) = read_fan(s) else {
            complete = false;
            continue;
        };
        if let Some(other) = fans.values().find(|other| other.board == fan.board && other.relay == fan.relay) {
            let text = format!("{} of `{}` switches fan {} already", fan.relay, fan.board, other.number);
            s.mistake(if s.has("relay") { "relay" } else { "relay_name" }, text);
        }
        if fans.contains_key(&fan.number) {
            s.mistake("number", format!("there are two fans with number {}", fan.number));
        }
        fans.insert(fan.number, fan);
    }
    complete.then_some(fans)
}

/// What boards cannot know alone: relays go by name on one page of one family only, and one board has one section, so that
/// it is asked one thing at a time.
pub(super) fn check_boards(top: &Section<'_>, boards: &[RelayBoardConfig], fans: &BTreeMap<u8, FanConfig>) {
    for (place, board) in boards.iter().enumerate() {
        if let Some(other) = boards.iter().take(place).find(|other| other.url == board.url) {
            let cause = format!("`{}` has this address already; give its fans to that board", other.name);
            top.mistake(&format!("relay_board.{}.url", board.name), cause);
        }
    }
    for fan in fans.values().filter(|fan| matches!(fan.relay, RelayPoint::Name(_))) {
        let has_names = |board: &RelayBoardConfig| {
            matches!(board.family, RelayFamily::Auto | RelayFamily::Series400)
                && matches!(board.page, None | Some(RelayPage::CustomStateJson))
        };
        if boards.iter().find(|board| board.name == fan.board).is_some_and(|board| !has_names(board)) {
            let cause = format!("`{}` has no names; its `family` must be 400, without `page`", fan.board);
            top.mistake(&format!("fan.{}.relay_name", fan.number), cause);
        }
    }
}

pub(super) fn read_foreman(s: &Section<'_>) -> Option<ForemanConfig> {
    let name = s.name("device", Need::Default("foreman"));
    let url = s.url("url", Need::Required, Shape::Base);
    let client_id = s.number("client_id", Need::Required, 1..=i64::MAX);
    let api_key = s.secret("api_key", "api_key_file", Need::Required);
    let miners = s.checked("miners", MINERS, Need::Required, |text| match text.split_once(':') {
        None if text == "all" => Ok(MinerChoice::All),
        Some(("tag", tag)) => plain(tag).map(MinerChoice::Tag).map_err(|cause| format!("the tag {cause}")),
        None | Some(_) => Err(format!("unknown word `{text}`; known: `all`, `tag:` and a tag, as in `tag:curtail`")),
    });
    let call_pause = s.span("call_pause", Need::Default("1 s"), Seconds(1)..=Seconds(60));
    let batch = s.number("batch", Need::Default("20"), 1..=500);
    let max_age = s.span("max_age", Need::Optional, Seconds::minutes(2)..=Seconds::minutes(24 * 60));
    let ca_file = s.ca_file(url.as_deref());
    let timeout = s.span("timeout", Need::Default("10 s"), Seconds(1)..=Seconds(60));
    s.finish();
    Some(ForemanConfig {
        name: name?,
        url: url?,
        client_id: u64::try_from(client_id?).ok()?,
        api_key: api_key?,
        miners: miners?,
        call_pause: call_pause?,
        batch: usize::try_from(batch?).ok()?,
        max_age,
        ca_file,
        timeout: timeout?,
    })
}
