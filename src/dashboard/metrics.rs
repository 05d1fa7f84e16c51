//! `metrics.prom`: the status in Prometheus' text format, so that the web server is the exporter. A value that is not
//! known has no series here; it is never 0.

use std::fmt::Write;

use super::status::{Level, Point, Quality, Status, Value};
use crate::model::DrillVerdict;

/// Collects metric families, each with its HELP and TYPE and all of its series together.
#[derive(Debug, Default)]
struct Families {
    text: String,
}

type Labels<'a> = Vec<(&'static str, &'a str)>;

impl Families {
    /// Writes one family; nothing when it has no series.
    fn add<'a>(
        &mut self,
        name: &str,
        kind: &str,
        help: &str,
        series: impl IntoIterator<Item = (Labels<'a>, Option<f64>)>,
    ) {
        let mut lines = String::new();
        for (labels, value) in series {
            let Some(value) = value.filter(|v| v.is_finite()) else { continue };
            let labels: Vec<String> = labels.iter().map(|(key, text)| format!("{key}=\"{}\"", escaped(text))).collect();
            let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            // Writing to a `String` cannot fail.
            writeln!(lines, "{name}{labels} {value}").ok();
        }
        if !lines.is_empty() {
            write!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{lines}").ok();
        }
    }

    fn one(&mut self, name: &str, help: &str, value: Option<f64>) {
        self.add(name, "gauge", help, [(Vec::new(), value)]);
    }
}

/// Escapes a label's value as the format demands.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn flag(value: bool) -> Option<f64> {
    Some(if value { 1.0 } else { 0.0 })
}

/// A value that was read in this run; one that is held or set by hand is not a measurement.
fn measured(value: &Value) -> Option<f64> {
    (value.quality == Quality::Good).then_some(value.value).flatten()
}

/// The whole text, with its final newline.
pub(super) fn render(s: &Status) -> String {
    let mut out = Families::default();
    program(s, &mut out);
    miners(s, &mut out);
    calls(s, &mut out);
    drills(s, &mut out);
    climate(s, &mut out);
    fans(s, &mut out);
    devices(s, &mut out);
    out.text
}

fn program(s: &Status, out: &mut Families) {
    let labels = vec![("site", s.site.as_str()), ("mode", s.mode), ("version", s.version)];
    out.add("minectl_info", "gauge", "The site, its mode and the program's version.", [(labels, Some(1.0))]);
    let last = s.last_run.as_ref().map(|at| at.unix as f64);
    out.one("minectl_last_run_timestamp_seconds", "When the last run began.", last);
    out.one("minectl_status_timestamp_seconds", "When this file was made.", Some(s.time.unix as f64));
    out.one("minectl_next_run_timestamp_seconds", "When the next run is due.", Some(s.next_due.unix as f64));
    out.one("minectl_loop_interval_seconds", "Time between two runs.", Some(s.loop_interval_s as f64));
    let level = match s.worry.level {
        Level::Ok => 0.0,
        Level::Info => 1.0,
        Level::Warning => 2.0,
        Level::Emergency => 3.0,
    };
    out.one("minectl_worry_level", "0 ok, 1 info, 2 warning, 3 emergency.", Some(level));
    out.one("minectl_troubles", "Troubles of the program itself in this run.", Some(s.troubles.len() as f64));
    out.one("minectl_overrides", "Overrides that hold.", Some(s.overrides.len() as f64));
    let severities = ["info", "warning", "emergency"].map(|severity| {
        let number = s.alarms.iter().filter(|a| a.severity == severity).count();
        (vec![("severity", severity)], Some(number as f64))
    });
    out.add("minectl_alarms", "gauge", "Standing alarms by severity.", severities);
    let alarms = s.alarms.iter().map(|a| (vec![("alarm", a.id.as_str()), ("severity", a.severity)], Some(1.0)));
    out.add("minectl_alarm_active", "gauge", "1 for each standing alarm.", alarms);
}

fn miners(s: &Status, out: &mut Families) {
    // Before the first pass nothing was judged: then there is no answer to give.
    let judged = s.demand.may_run || !s.demand.reasons.is_empty();
    let off = judged.then_some(if s.demand.may_run { 0.0 } else { 1.0 });
    out.one("minectl_curtail", "1 while miners must be off, for whatever reason.", off);
    let reasons = s.demand.reasons.iter().map(|r| (vec![("reason", r.text)], Some(1.0)));
    out.add("minectl_off_reason", "gauge", "1 for each reason why miners must be off.", reasons);
    let levels = ["run", "curtail", "blind"].map(|level| (vec![("level", level)], flag(level == s.signal.level)));
    out.add("minectl_signal_level", "gauge", "1 for the level of the power signal.", levels);
    out.one("minectl_signal_value", "The number on the utility's page.", s.signal.number);
    let limits = [("curtail", s.signal.curtail_at), ("resume", s.signal.resume_below)];
    let limits = limits.map(|(limit, number)| (vec![("limit", limit)], number));
    out.add("minectl_signal_limit", "gauge", "The numbers at which the miners go off, and may run again.", limits);
    let read = s.signal.last_good_at.as_ref().map(|at| at.unix as f64);
    out.one("minectl_signal_last_good_timestamp_seconds", "When the page was last read well.", read);
    let phases = ["boot", "running", "curtailing", "curtailed", "resuming"];
    let phases = phases.map(|phase| (vec![("phase", phase)], flag(phase == s.miners.phase)));
    out.add("minectl_miners_phase", "gauge", "1 for the phase of the miners.", phases);
    let m = &s.miners;
    out.one("minectl_miners_power_watts", "Measured power of all PDUs together.", measured(&m.power));
    let estimate = measured(&m.estimated_power);
    out.one("minectl_miners_estimated_power_watts", "Foreman's estimate of the power.", estimate);
    out.one("minectl_miners_online", "Miners online, by Foreman.", measured(&m.online));
    out.one("minectl_miners_known", "All miners of the client, by Foreman.", measured(&m.known));
    let hashes = measured(&m.hash_rate).map(|terahashes| terahashes * 1.0e12);
    out.one("minectl_hash_rate_hashes_per_second", "Hash rate, by Foreman.", hashes);
    let power = s.pdus.iter().map(|p| (vec![("pdu", p.name.as_str())], measured(&p.power)));
    out.add("minectl_power_watts", "gauge", "Measured power of a PDU's miner outlets.", power);
    let outlets = s.pdus.iter().map(|p| (vec![("pdu", p.name.as_str())], p.outlets_on.map(|n| n as f64)));
    out.add("minectl_outlets_on", "gauge", "Listed outlets of a PDU that are on.", outlets);
    let cut = s.pdus.iter().map(|p| (vec![("pdu", p.name.as_str())], Some(p.cut as f64)));
    out.add("minectl_outlets_cut", "gauge", "Outlets of a PDU that the program cut.", cut);
}

fn calls(s: &Status, out: &mut Families) {
    let last = s.calls.running.as_ref().or(s.calls.last.first());
    let proof = last.and_then(|call| call.proven_after_s).map(|seconds| seconds as f64);
    out.one("minectl_call_last_proof_seconds", "From the reading of the last call to the proof by watts.", proof);
    out.one("minectl_month_calls", "Calls of the utility in this month.", Some(s.calls.month_calls as f64));
    let missed = Some(s.calls.month_missed as f64);
    out.one("minectl_month_calls_missed", "Of these, not proven off by the deadline.", missed);
    let time = Some(s.calls.month_signal_time_s as f64);
    out.one("minectl_month_called_seconds", "Time in this month for which the signal called.", time);
}

fn drills(s: &Status, out: &mut Families) {
    let unix = |at: Option<&Point>| at.map(|at| at.unix as f64);
    let proven = unix(s.drills.last_proven_curtailment.as_ref());
    let name = "minectl_last_proven_curtailment_timestamp_seconds";
    out.one(name, "When a call was last proven off by measured watts.", proven);
    let last = s.drills.last.as_ref();
    let ended = unix(last.map(|card| &card.ended));
    out.one("minectl_last_drill_timestamp_seconds", "When the last drill was over.", ended);
    let verdicts = last.iter().flat_map(|card| {
        let all = [DrillVerdict::Passed, DrillVerdict::Failed, DrillVerdict::Aborted, DrillVerdict::Refused];
        all.map(|verdict| (vec![("verdict", verdict.word())], flag(verdict == card.verdict)))
    });
    out.add("minectl_last_drill_verdict", "gauge", "1 for the verdict of the last drill.", verdicts);
    let passed = unix(s.drills.last_passed.as_ref());
    out.one("minectl_last_drill_passed_timestamp_seconds", "When a drill last passed that was not dry.", passed);
}

fn climate(s: &Status, out: &mut Families) {
    let bands = ["unknown", "cold", "normal", "warm", "hot", "critical"];
    let bands = bands.map(|band| (vec![("band", band)], flag(band == s.climate.band)));
    out.add("minectl_climate_band", "gauge", "1 for the band of the intake temperature.", bands);
    let probes = &s.climate.probes;
    let temperatures =
        probes.iter().map(|p| (vec![("probe", p.name.as_str()), ("role", p.role)], measured(&p.temperature)));
    out.add("minectl_temperature_celsius", "gauge", "Air temperature at a probe.", temperatures);
    let limits = [("shed", s.climate.shed_above_celsius), ("critical", s.climate.critical_above_celsius)];
    let limits = limits.map(|(limit, celsius)| (vec![("limit", limit)], Some(celsius)));
    let help = "Intake temperatures above which the miners go off, and a person must act.";
    out.add("minectl_temperature_limit_celsius", "gauge", help, limits);
    let humidities = probes.iter().map(|p| {
        let percent = p.humidity.as_ref().and_then(measured);
        (vec![("probe", p.name.as_str()), ("role", p.role)], percent.map(|v| v / 100.0))
    });
    out.add("minectl_humidity_ratio", "gauge", "Relative humidity at a probe, 0 to 1.", humidities);
    let switches = s.climate.switches.iter().map(|w| (vec![("switch", w.name.as_str())], w.alarm.and_then(flag)));
    out.add("minectl_switch_alarm", "gauge", "1 while a switch sensor is in alarm.", switches);
}

fn fans(s: &Status, out: &mut Families) {
    let numbers: Vec<String> = s.fans.iter().map(|f| f.fan.to_string()).collect();
    let each = || s.fans.iter().zip(&numbers).map(|(fan, number)| (fan, vec![("fan", number.as_str())]));
    let running = each().map(|(fan, labels)| (labels, fan.proven.and_then(flag)));
    out.add("minectl_fan_running", "gauge", "1 proven running by watts, 0 proven stopped.", running);
    let wanted = each().map(|(fan, labels)| (labels, fan.wanted.and_then(flag)));
    out.add("minectl_fan_wanted", "gauge", "1 while the rules want the fan to run.", wanted);
    let relay = each().map(|(fan, labels)| (labels, fan.relay.and_then(flag)));
    out.add("minectl_fan_relay", "gauge", "1 while the relay lets the fan run.", relay);
    let power = each().map(|(fan, labels)| (labels, measured(&fan.power)));
    out.add("minectl_fan_power_watts", "gauge", "Measured power of a fan.", power);
    let fault = each().map(|(fan, labels)| (labels, flag(fan.fault.is_some())));
    out.add("minectl_fan_fault", "gauge", "1 while something is wrong with a fan.", fault);
    let time = each().map(|(fan, labels)| (labels, Some(fan.run_time_s as f64)));
    out.add("minectl_fan_run_seconds_total", "counter", "Time a fan has run, as far as was seen.", time);
}

fn devices(s: &Status, out: &mut Families) {
    let each = || s.devices.iter().map(|d| (d, vec![("device", d.name.as_str())]));
    let up = each().map(|(d, labels)| (labels, d.ok.and_then(flag)));
    out.add("minectl_device_up", "gauge", "1 while a device answers as it should.", up);
    let failures = each().map(|(d, labels)| (labels, Some(f64::from(d.failures))));
    out.add("minectl_device_failures", "gauge", "Runs in a row in which a device failed.", failures);
    let took = each().map(|(d, labels)| (labels, d.took_ms.map(|ms| ms as f64 / 1000.0)));
    out.add("minectl_device_answer_seconds", "gauge", "Time a device took to answer or fail in this run.", took);
}
