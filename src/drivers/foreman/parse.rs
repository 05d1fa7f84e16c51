//! What Foreman's answers say. Only the fields that good sources show are needed; others are taken where they come.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::{number, quoted, whole};
use crate::config::{ForemanConfig, MinerChoice};
use crate::http::excerpt;
use crate::model::{CommandStatus, Fault, FaultKind, MinerReading, PowerMode};
use crate::units::{Terahashes, UnixSeconds, Watts};

/// A larger time is meant in milliseconds.
const MILLISECONDS_MIN: i64 = 100_000_000_000;

/// The client's summary.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Summary {
    /// Miners online.
    pub online: Option<u32>,
    /// All miners.
    pub total: Option<u32>,
    /// Hash rate of all.
    pub hash_rate: Option<Terahashes>,
    /// Estimated power of all.
    pub estimated: Option<Watts>,
    /// Figures that cannot be.
    pub remarks: Vec<String>,
}

/// Reads a summary: an array with one object. A figure that cannot be is left out, with a remark.
pub fn parse_summary(body: &Value, device: &str) -> Result<Summary, Fault> {
    let client = body.as_array().map_or(Some(body), |clients| clients.first());
    let Some(client) = client.and_then(Value::as_object) else {
        let detail = format!("summary is {}; wanted a list with one client", quoted(Some(body)));
        return Err(Fault::new(device, FaultKind::Unreadable, detail));
    };
    let mut summary = Summary::default();
    let miners = client.get("miners");
    let count = |name: &str, remarks: &mut Vec<String>| {
        let value = miners.and_then(|miners| miners.get(name))?;
        let count = whole(value).and_then(|count| u32::try_from(count).ok()).filter(|count| *count <= 1_000_000);
        if count.is_none() {
            remarks.push(format!("summary: `{name}` is {}", quoted(Some(value))));
        }
        count
    };
    let mut remarks = Vec::new();
    summary.total = count("total", &mut remarks);
    summary.online = count("online", &mut remarks);
    if let (Some(online), Some(total)) = (summary.online, summary.total)
        && online > total
    {
        remarks.push(format!("summary: {online} miners online of {total}"));
        summary.online = None;
    }
    if let Some(value) = client.get("hashRate").filter(|value| !value.is_null()) {
        summary.hash_rate = number(value).and_then(|hashes| Terahashes::new(hashes / 1.0e12).ok());
        if summary.hash_rate.is_none() {
            remarks.push(format!("summary: `hashRate` is {}", quoted(Some(value))));
        }
    }
    if let Some(value) = client.get("powerDraw").filter(|value| !value.is_null()) {
        summary.estimated = number(value).filter(|watts| *watts >= 0.0).and_then(|watts| Watts::new(watts).ok());
        if summary.estimated.is_none() {
            remarks.push(format!("summary: `powerDraw` is {}", quoted(Some(value))));
        }
    }
    summary.remarks = remarks;
    Ok(summary)
}

/// One page of the miner list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Miners of all the list, by its own count.
    pub total: Option<usize>,
    /// Rows on this page, readable or not.
    pub rows: usize,
    /// The ids of all miners on this page.
    pub ids: Vec<u64>,
    /// Those that may be commanded.
    pub miners: Vec<MinerReading>,
    /// When Foreman last heard of each miner on this page that it tells it of.
    pub heard: BTreeMap<u64, UnixSeconds>,
}

/// Reads a page and keeps the miners that the configuration lets us command.
pub fn parse_page(body: &Value, cfg: &ForemanConfig) -> Result<Page, Fault> {
    let Some(results) = body.get("results").and_then(Value::as_array) else {
        let detail = format!("miner list is {}; wanted `results`", quoted(Some(body)));
        return Err(Fault::new(&cfg.name, FaultKind::Unreadable, detail));
    };
    let total = body.get("total").or_else(|| body.get("count")).and_then(whole);
    let total = total.and_then(|total| usize::try_from(total).ok());
    let ids = results.iter().filter_map(id).collect();
    let chosen = results.iter().filter(|row| is_chosen(row, &cfg.miners)).filter_map(miner);
    let heard = results.iter().filter_map(|row| Some((id(row)?, moment(row.get("lastUpdated")?)?))).collect();
    Ok(Page { total, rows: results.len(), ids, miners: chosen.collect(), heard })
}

fn id(row: &Value) -> Option<u64> {
    row.get("id").and_then(whole).and_then(|id| u64::try_from(id).ok())
}

/// A moment as text, UTC where it names no zone, or as seconds or milliseconds since 1970.
fn moment(value: &Value) -> Option<UnixSeconds> {
    if let Some(text) = value.as_str() {
        let with_zone = || text.trim().parse::<Timestamp>().ok();
        let without = || text.trim().parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp());
        return with_zone().or_else(without).map(|at| UnixSeconds(at.as_second()));
    }
    let number = whole(value).filter(|number| *number > 0)?;
    Some(UnixSeconds(if number >= MILLISECONDS_MIN { number / 1000 } else { number }))
}

/// Tags come as objects with a name; plain words are taken too.
fn is_chosen(row: &Value, choice: &MinerChoice) -> bool {
    let MinerChoice::Tag(wanted) = choice else { return true };
    let name = |tag: &Value| tag.as_str().or_else(|| tag.get("name")?.as_str()).map(str::to_owned);
    let tags = row.get("tags").and_then(Value::as_array);
    tags.is_some_and(|tags| tags.iter().filter_map(name).any(|tag| tag == *wanted))
}

fn miner(row: &Value) -> Option<MinerReading> {
    let id = id(row)?;
    let text = |name: &str| row.get(name).and_then(Value::as_str).map(excerpt);
    let first = |names: [&str; 2]| names.into_iter().find_map(|name| row.get(name)).cloned();
    let mode = first(["powerMode", "power_mode"]).and_then(|mode| mode.as_str().and_then(power_mode));
    let watts = first(["power", "powerDraw"]).as_ref().and_then(number).filter(|watts| *watts >= 0.0);
    Some(MinerReading {
        id,
        name: text("name").unwrap_or_else(|| format!("miner {id}")),
        status: text("status").unwrap_or_default(),
        mode,
        watts: watts.and_then(|watts| Watts::new(watts).ok()),
    })
}

/// `idle` and other words say nothing about what was asked of the miner.
fn power_mode(word: &str) -> Option<PowerMode> {
    match word.to_ascii_lowercase().as_str() {
        "sleeping" => Some(PowerMode::Sleeping),
        "low" => Some(PowerMode::Low),
        "normal" => Some(PowerMode::Normal),
        "high" => Some(PowerMode::High),
        _ => None,
    }
}

/// How a command stands; a word that is not documented is `Unknown`, no word at all is a fault.
pub fn parse_status(body: &Value, device: &str) -> Result<CommandStatus, Fault> {
    match body.get("status").and_then(Value::as_str) {
        Some("pending") => Ok(CommandStatus::Pending),
        Some("in-progress") => Ok(CommandStatus::InProgress),
        Some("complete") => Ok(CommandStatus::Complete),
        Some("failed") => Ok(CommandStatus::Failed),
        Some(_) => Ok(CommandStatus::Unknown),
        None => {
            let detail = format!("command status is {}", quoted(Some(body)));
            Err(Fault::new(device, FaultKind::Unreadable, detail))
        }
    }
}
