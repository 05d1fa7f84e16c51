//! The month's report as text: for people, and as comma-separated values. It only lays out what `month` gathered.

use std::io::{self, Write};

use serde::Serialize;

use super::month::{Month, Sums};
use crate::config::Config;
use crate::model::{CallRecord, Verdict};
use crate::units::{Dollars, KilowattHours, Seconds, UnixSeconds, Watts};

/// A measurement further than this from its minute is marked in the table.
const OFF_THE_MINUTE: u64 = 15;
/// The minutes after the reading that are compared.
const MARKS: [Seconds; 3] = [Seconds(60), Seconds(120), Seconds(240)];

const HEAD: [&str; 18] = [
    "day", "page", "read", "command", "before", "+1 min", "+2 min", "+4 min", "95 %", "proven", "met", "left", "over",
    "running", "kWh", "avoided", "by", "why",
];
/// Columns that are words and begin at the left.
const WORDS: [usize; 4] = [0, 10, 16, 17];

/// For people.
pub(super) fn print(cfg: &Config, month: &Month, sums: &Sums, out: &mut dyn Write) -> io::Result<()> {
    let name = month.first.strftime("%B %Y");
    writeln!(out, "{}: calls of {name}, times of {}\n", cfg.site.name, cfg.time_zone)?;
    if month.calls.is_empty() {
        writeln!(out, "No calls in {name}.")?;
    } else {
        summary(cfg, month, sums, out)?;
        writeln!(out)?;
        table(month, sums, out)?;
        notes(cfg, month, out)?;
    }
    if let Some(peak) = month.peak.filter(|_| month.calls.is_empty()) {
        writeln!(out, "The page's number at its worst: {}", peak_text(month, peak.number, peak.at))?;
    }
    for trouble in &month.troubles {
        writeln!(out, "Not complete: {trouble}")?;
    }
    Ok(())
}

fn peak_text(month: &Month, number: f64, at: UnixSeconds) -> String {
    format!("{number} on {}", month.zoned(at).strftime("%a %-d %b, %H:%M"))
}

fn summary(cfg: &Config, month: &Month, sums: &Sums, out: &mut dyn Write) -> io::Result<()> {
    let mut line = |label: &str, text: String| writeln!(out, "  {label:<15} {text}");
    let days: Vec<&str> = sums.control_days.iter().filter_map(|date| date.get(8..)).collect();
    let listed = if days.is_empty() { String::new() } else { format!(" ({})", days.join(", ")) };
    line("Control days", format!("{}{listed}", days.len()))?;
    line("Control hours", format!("{:.1} h", Seconds(sums.control_time_s).hours()))?;
    if let Some(peak) = month.peak {
        line("Peak", format!("{} (the page's number at its worst)", peak_text(month, peak.number, peak.at)))?;
    }
    let mut calls =
        format!("{}: {} in time, {} late, {} not proven off", sums.calls, sums.in_time, sums.late, sums.not_proven);
    if sums.going_on > 0 {
        calls.push_str(&format!("; {} still going on", sums.going_on));
    }
    line("Calls", calls)?;
    if sums.needless_s > 0 || sums.other > 0 {
        let (time, cost) = (Seconds(sums.needless_s), dollars(sums.needless_usd));
        line("Off otherwise", format!("{time} without the signal, {cost} lost (estimate)"))?;
    }
    let energy = sums.not_drawn_kwh.and_then(|kwh| KilowattHours::new(kwh).ok());
    let energy = energy.map_or("not measured".to_owned(), |energy| energy.to_string());
    let bought = sums.energy_not_bought_usd.map_or(String::new(), |usd| format!(", {} not bought", dollars(usd)));
    let gaps = match sums.unmeasured_s {
        0 => "all of it measured".to_owned(),
        seconds => format!("{} not measured", Seconds(seconds)),
    };
    line("Not drawn", format!("{energy}{bought}; {gaps}"))?;
    let worst =
        sums.demand_worst_call_unix.map(|at| month.zoned(UnixSeconds(at)).strftime("%a %-d %b %H:%M").to_string());
    if let (Some(drawn), Some(avoided), Some(worst)) = (sums.demand_drawn_usd, sums.demand_avoided_usd, worst) {
        let period = cfg.costs.demand_charge_for.word();
        let text = format!(
            "{} avoided, {} to pay, if the {period}'s peak fell into the call that went worst ({worst})",
            dollars(avoided),
            dollars(drawn)
        );
        line("Demand charge", text)?;
    }
    Ok(())
}

fn dollars(value: f64) -> String {
    Dollars::new(value).map_or("not known".to_owned(), |dollars| dollars.to_string())
}

fn table(month: &Month, sums: &Sums, out: &mut dyn Write) -> io::Result<()> {
    let mut rows = vec![HEAD.map(str::to_owned)];
    rows.extend(month.calls.iter().map(|call| row(month, call)));
    let mut total = HEAD.map(|_| String::new());
    for (column, text) in total.iter_mut().zip(HEAD) {
        match text {
            "day" => *column = "sum".to_owned(),
            "over" => *column = format!("{:.1} h", Seconds(sums.control_time_s).hours()),
            "kWh" => *column = sums.not_drawn_kwh.map_or("-".to_owned(), |kwh| format!("{kwh:.0}")),
            _ => {}
        }
    }
    rows.push(total);
    let mut widths = [0_usize; 18];
    for row in &rows {
        for (width, text) in widths.iter_mut().zip(row) {
            *width = (*width).max(text.chars().count());
        }
    }
    for row in &rows {
        let mut line = String::new();
        for ((place, text), width) in row.iter().enumerate().zip(widths) {
            let text = if WORDS.contains(&place) { format!("{text:<width$}") } else { format!("{text:>width$}") };
            line.push_str(&text);
            line.push_str("  ");
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

fn row(month: &Month, call: &CallRecord) -> [String; 18] {
    let none = || "-".to_owned();
    let clock = |at: UnixSeconds| month.zoned(at).strftime("%H:%M:%S").to_string();
    let short = |at: Option<UnixSeconds>, otherwise: &str| {
        at.map_or(otherwise.to_owned(), |at| month.zoned(at).strftime("%H:%M").to_string())
    };
    let span = |span: Option<Seconds>| span.map_or(none(), minutes);
    let [one, two, four] = MARKS.map(|wanted| match call.mark(wanted) {
        Some(mark) => {
            let far = mark.after.0.abs_diff(wanted.0) > OFF_THE_MINUTE;
            format!("{}{}", kilowatts(mark.watts), if far { "*" } else { "" })
        }
        None => none(),
    });
    let otherwise = if call.ended.is_none() { "going on" } else { "-" };
    let rungs: Vec<&str> = call.rungs.iter().map(|rung| rung.word()).collect();
    let why: Vec<String> = call.reasons.iter().map(id).collect();
    [
        month.zoned(call.seen).strftime("%a %-d %b").to_string(),
        call.page_changed.map_or(none(), |changed| clock(changed.at)),
        clock(call.seen),
        span(call.first_command_after),
        call.watts_before.map_or(none(), kilowatts),
        one,
        two,
        four,
        span(call.shed_after),
        span(call.proven_after),
        met(call),
        call.stragglers.as_ref().map_or(none(), |left| left.count.to_string()),
        short(call.cleared, otherwise),
        short(call.resumed, otherwise),
        call.not_drawn.map_or(none(), |energy| format!("{:.0}", energy.value())),
        call.costs.demand_avoided.map_or(none(), |money| money.to_string()),
        if rungs.is_empty() { none() } else { rungs.join("+") },
        why.join("+"),
    ]
}

fn met(call: &CallRecord) -> String {
    match call.verdict {
        Verdict::Late => format!("late {}", minutes(call.late)),
        Verdict::NotProven => format!("not off +{}", minutes(call.late)),
        Verdict::InTime => "in time".to_owned(),
        Verdict::Short => "short".to_owned(),
        Verdict::Open => "going off".to_owned(),
    }
}

/// `1:34`, minutes and seconds.
fn minutes(span: Seconds) -> String {
    format!("{}:{:02}", span.0 / 60, span.0 % 60)
}

/// In kW, a decimal where it is small.
fn kilowatts(watts: Watts) -> String {
    let kilowatts = watts.value() / 1000.0;
    if kilowatts.abs() < 100.0 { format!("{kilowatts:.1}") } else { format!("{kilowatts:.0}") }
}

/// A word as it is stored: `too-hot`.
fn id(word: &impl Serialize) -> String {
    let value = serde_json::to_value(word).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

fn notes(cfg: &Config, month: &Month, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out)?;
    writeln!(
        out,
        "Power in kW, measured; spans in min:s from the reading. `left`: outlets that still drew power at the proof."
    )?;
    let calls = &month.calls;
    let is_far =
        |call: &CallRecord| call.marks.iter().any(|mark| mark.after.0.abs_diff(mark.wanted.0) > OFF_THE_MINUTE);
    if calls.iter().any(is_far) {
        writeln!(out, "* measured more than {OFF_THE_MINUTE} s off that minute; --csv has the time.")?;
    }
    for call in calls {
        let mut parts = Vec::new();
        parts.extend(call.observe.then(|| "observe mode, nothing was commanded".to_owned()));
        parts.extend(call.watts_by_hand.then(|| "watts set by hand".to_owned()));
        if !call.groups_not_back.is_empty() {
            let groups: Vec<String> = call.groups_not_back.iter().map(ToString::to_string).collect();
            parts.push(format!("groups not back: {}", groups.join(", ")));
        }
        let worst = call.worst_after_proof.filter(|worst| worst.watts > cfg.miners.off_below);
        parts.extend(worst.map(|worst| format!("{} after the proof", worst.watts)));
        if !parts.is_empty() {
            writeln!(out, "{}: {}.", month.zoned(call.seen).strftime("%a %-d %b %H:%M"), parts.join("; "))?;
        }
    }
    if calls.iter().any(|call| call.costs.demand_avoided.is_some()) {
        let (costs, period) = (&cfg.costs, cfg.costs.demand_charge_for.word());
        writeln!(
            out,
            "`avoided` is an estimate: if the {period}'s billed peak fell into the call, ${:.2} for each kW and {period} x\n\
             (power before - the highest mean of {} from the reading on). It is billed once: calls do not add up.",
            costs.demand_charge.value(),
            costs.billing_interval
        )?;
    }
    Ok(())
}

const CSV_HEAD: &str = "seen,page_changed,page_changed_by,signal_read,signal_cleared,cleared,resumed,ended,reasons,verdict,\
    first_command_after_s,watts_before,watts_baseline,after_1_min_w,after_1_min_at_s,after_2_min_w,after_2_min_at_s,\
    after_4_min_w,after_4_min_at_s,shed_after_s,proven_after_s,late_s,stragglers,stragglers_unread,straggler_names,rungs,\
    worst_after_proof_w,signal_peak,signal_peak_at,signal_time_s,lasted_s,resume_time_s,groups_not_back,not_drawn_kwh,\
    unmeasured_s,billed_w,needless_s,demand_avoided_usd,demand_drawn_usd,energy_not_bought_usd,needless_usd,observe,\
    watts_by_hand";

/// One call a line; what is not known is empty.
pub(super) fn csv(month: &Month, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{CSV_HEAD}")?;
    for call in &month.calls {
        writeln!(out, "{}", csv_row(month, call).join(","))?;
    }
    Ok(())
}

fn csv_row(month: &Month, call: &CallRecord) -> Vec<String> {
    let time = |at: Option<UnixSeconds>| {
        at.map_or(String::new(), |at| month.zoned(at).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string())
    };
    let span = |span: Option<Seconds>| span.map_or(String::new(), |span| span.0.to_string());
    let number = |value: Option<f64>| value.map_or(String::new(), |value| format!("{value:.3}"));
    let watts = |watts: Option<Watts>| number(watts.map(Watts::value));
    let money = |money: Option<Dollars>| money.map_or(String::new(), |money| format!("{:.2}", money.value()));
    let left = call.stragglers.as_ref();
    let count = |count: Option<u32>| count.map_or(String::new(), |count| count.to_string());
    let list = |words: Vec<String>| quoted(&words.join(" "));
    let mut row = vec![time(Some(call.seen)), time(call.page_changed.map(|changed| changed.at))];
    row.push(call.page_changed.map_or(String::new(), |changed| id(&changed.by)));
    row.extend([call.signal_read, call.signal_cleared, call.cleared, call.resumed, call.ended].map(time));
    row.extend([list(call.reasons.iter().map(id).collect()), id(&call.verdict), span(call.first_command_after)]);
    row.extend([watts(call.watts_before), watts(call.baseline)]);
    for wanted in MARKS {
        let mark = call.mark(wanted);
        row.extend([watts(mark.map(|mark| mark.watts)), span(mark.map(|mark| mark.after))]);
    }
    row.extend([span(call.shed_after), span(call.proven_after), span(Some(call.late))]);
    row.extend([count(left.map(|left| left.count)), count(left.map(|left| left.unread))]);
    row.push(left.map_or(String::new(), |left| quoted(&left.names.join("; "))));
    row.push(list(call.rungs.iter().map(id).collect()));
    row.push(watts(call.worst_after_proof.map(|worst| worst.watts)));
    row.extend([number(call.peak.map(|peak| peak.number)), time(call.peak.map(|peak| peak.at))]);
    row.extend([span(Some(call.signal_time)), span(Some(call.lasted)), span(call.resume_time)]);
    row.push(list(call.groups_not_back.iter().map(ToString::to_string).collect()));
    row.extend([number(call.not_drawn.map(KilowattHours::value)), span(Some(call.unmeasured)), watts(call.billed)]);
    row.push(span(Some(call.needless)));
    row.extend([money(call.costs.demand_avoided), money(call.costs.demand_drawn), money(call.costs.energy_not_bought)]);
    row.extend([money(Some(call.costs.needless)), call.observe.to_string(), call.watts_by_hand.to_string()]);
    row
}

/// A field of a CSV line: in quotes where it must be. A spreadsheet takes a leading `=` for a formula: it is told not to.
fn quoted(text: &str) -> String {
    let text = if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r', ';']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}
