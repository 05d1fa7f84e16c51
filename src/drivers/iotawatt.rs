//! IotaWatt: voltage and the watts of all fans from one `/query` of the last 15 s; in trouble from the live page, or for
//! the fans whose series are there. Ages go by the unit's own clock. It reads only; how old a row may be is not decided
//! here.

mod live;
mod rows;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

pub use live::{Live, parse as parse_status, series as parse_series};
pub use rows::{clock, parse};

use super::common::{Limits, is_silent, joined, json, number, quoted, whole};
use super::digest::Login;
use crate::config::{IotaWattConfig, nearest};
use crate::http::{Answer, Request, excerpt, send};
use crate::model::{FanWattsReading, Fault, FaultKind, Reading};
use crate::units::UnixSeconds;

/// Series of the unit that are named in a fault.
const NAMED_MAX: usize = 20;

/// One unit during one reading.
struct Unit<'a> {
    cfg: &'a IotaWattConfig,
    login: Option<Login<'a>>,
    limits: Limits,
}

/// Reads the newest full row. A login is kept in `folder`.
pub(super) fn read(cfg: &IotaWattConfig, folder: &Path, now: UnixSeconds, limits: Limits) -> Reading<FanWattsReading> {
    let login = cfg.user.as_deref().zip(cfg.password.as_ref());
    let login = login.map(|login| Login::new(&cfg.name, login, cfg.ca_file.as_deref(), folder));
    let unit = Unit { cfg, login, limits };
    match unit.latest(cfg, now) {
        Ok(Some(reading)) => Ok(reading),
        Ok(None) => unit.without_rows(now),
        Err(fault) if fault.kind == FaultKind::Missing => unit.without_some(fault, now),
        // The log's answer is of no use: the live page may still be.
        Err(fault) if matches!(fault.kind, FaultKind::Status | FaultKind::Unreadable) => {
            log::debug!("{fault}; asking for its status");
            unit.live().ok().and_then(|live| live.reading).ok_or(fault)
        }
        Err(fault) => Err(fault),
    }
}

impl Unit<'_> {
    fn latest(&self, cfg: &IotaWattConfig, now: UnixSeconds) -> Result<Option<FanWattsReading>, Fault> {
        let answer = self.get(&rows::path(cfg, "s-15s", "s"))?;
        rows::parse(&answer, cfg, rows::clock(&answer).unwrap_or(now))
    }

    fn live(&self) -> Result<Live, Fault> {
        live::parse(&self.get(live::PATH)?, self.cfg)
    }

    /// In the hour before clocks go back, the unit's `s` lies an hour ahead and every row is null. Live values have no
    /// such hour; for series that the live page does not name, absolute times still work. As the first choice they would
    /// return old rows to a clock that is behind.
    fn without_rows(&self, now: UnixSeconds) -> Reading<FanWattsReading> {
        let clock = match self.live() {
            Ok(Live { reading: Some(reading), .. }) => return Ok(reading),
            Ok(Live { clock, .. }) => clock,
            Err(fault) if is_silent(&fault) || fault.kind == FaultKind::Stale => return Err(fault),
            Err(_) => now,
        };
        let (begin, end) = (clock.0.saturating_sub(30).to_string(), clock.0.saturating_add(10).to_string());
        let answer = self.get(&rows::path(self.cfg, &begin, &end))?;
        rows::parse(&answer, self.cfg, clock)?.ok_or_else(|| self.no_rows())
    }

    fn no_rows(&self) -> Fault {
        let detail = "no row with values for the last 15 s: the unit's log stands still";
        Fault::new(&self.cfg.name, FaultKind::Stale, detail)
    }

    /// One series that is not there fails the whole query: the others are read without it.
    fn without_some(&self, fault: Fault, now: UnixSeconds) -> Reading<FanWattsReading> {
        let cfg = self.cfg;
        let Some(known) = self.get("query?show=series").ok().and_then(|body| parse_series(&body)) else {
            return Err(fault);
        };
        if !known.contains(&cfg.voltage_series) {
            return Err(Fault::new(
                &cfg.name,
                FaultKind::Missing,
                self.gone("voltage_series", &cfg.voltage_series, &known),
            ));
        }
        let (there, lost): (BTreeMap<u8, String>, BTreeMap<u8, String>) =
            cfg.fan_series.clone().into_iter().partition(|(_, series)| known.contains(series));
        let losses = lost.iter().map(|(fan, series)| {
            let device = format!("{} fan {fan}", cfg.name);
            (*fan, Fault::new(device, FaultKind::Missing, self.gone("fan_series", series, &known)))
        });
        let losses: BTreeMap<u8, Fault> = losses.collect();
        let (false, Some(first)) = (there.is_empty(), losses.values().next()) else {
            return Err(losses.into_values().next().unwrap_or(fault));
        };
        log::debug!("{first}; reading the others");
        let rest = IotaWattConfig { fan_series: there, ..cfg.clone() };
        let mut reading = self.latest(&rest, now)?.ok_or_else(|| self.no_rows())?;
        reading.fans.extend(losses.into_iter().map(|(fan, fault)| (fan, Err(fault))));
        Ok(reading)
    }

    /// What to do about a series that the unit no longer has; its new name is one that no other fan has.
    fn gone(&self, key: &str, series: &str, known: &[String]) -> String {
        let used = |name: &String| *name == self.cfg.voltage_series || self.cfg.fan_series.values().any(|n| n == name);
        let meant = nearest(series, known.iter().filter(|name| !used(name)).map(String::as_str));
        let hint = meant.map(|name| format!("; did you mean `{}`?", excerpt(name))).unwrap_or_default();
        let names: Vec<String> = known.iter().take(NAMED_MAX).map(|name| excerpt(name)).collect();
        format!("the unit has no series `{series}` any more: correct `{key}`{hint} (it has: {})", names.join(", "))
    }

    fn get(&self, path: &str) -> Result<Value, Fault> {
        let url = joined(&self.cfg.url, path);
        let answer = match &self.login {
            Some(login) => login.get(&url, self.limits)?,
            None => {
                let mut request = Request::get(&self.cfg.name, &url, self.limits.next());
                request.ca_file = self.cfg.ca_file.as_deref();
                send(&request)?
            }
        };
        json(&self.judged(answer, &url)?, &self.cfg.name)
    }

    /// The unit explains a 400 in its body; `Missing` is a series that it does not have.
    fn judged(&self, answer: Answer, url: &str) -> Result<Answer, Fault> {
        let name = self.cfg.name.as_str();
        let said = match answer.status {
            400 => json(&answer, name).ok().and_then(|body| Some(body.get("error")?.as_str()?.to_owned())),
            401 | 403 => {
                let detail = match self.login {
                    Some(_) => "the unit does not take `user` and `password`",
                    None => {
                        "the unit asks for a password: give `user` and `password`, or allow its local network \
                         unrestricted access in its setup"
                    }
                };
                return Err(Fault::new(name, FaultKind::Refused, detail));
            }
            _ => None,
        };
        match said {
            Some(said) => Err(match said.split_once("Invalid series: ") {
                Some((_, series)) => {
                    let detail = format!(
                        "the unit has no series `{}`; compare `fan_series` and `voltage_series` with its \
                         /query?show=series",
                        excerpt(series)
                    );
                    Fault::new(name, FaultKind::Missing, detail)
                }
                None => Fault::new(name, FaultKind::Status, format!("the unit says `{}`", excerpt(&said))),
            }),
            None => answer.accepted(name, url),
        }
    }
}
