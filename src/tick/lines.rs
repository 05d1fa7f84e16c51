//! Lines for the log that are too long to stand in the loop: what each device said, and what is under way.

use std::time::Duration;

use crate::model::{Command, Fault, ForemanReading, Measured, PduReading, ProbeReading, Reading, SiteState, Snapshot};
use crate::units::Watts;

/// The first few commands by name.
pub(super) fn list(commands: &[Command]) -> String {
    let shown: Vec<String> = commands.iter().take(10).map(ToString::to_string).collect();
    let more = commands.len().saturating_sub(shown.len());
    shown.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() }
}

/// The run's end for programs that read the log: `key=value`, units last, a value that is not known left out.
pub(super) fn tail(state: &SiteState, took: Duration, faults: bool) -> String {
    let mut tail = format!(
        "took_ms={} phase={} signal={}",
        took.as_millis(),
        state.miners.phase.word(),
        state.signal.level.word()
    );
    if let Some(watts) = state.miners.watts {
        tail.push_str(&format!(" miners_w={:.0}", watts.value()));
    }
    let running = state.fans.values().filter(|fan| fan.proven == Some(true)).count();
    tail + &format!(" fans_on={running} alarms={} faults={}", state.alarms.len(), u8::from(faults))
}

/// One line for each device: what it said in short, or its fault, with the time it took.
pub(super) fn log_snapshot(snapshot: &Snapshot) {
    let took = |name: &str| snapshot.took_ms.get(name).copied().unwrap_or_default();
    let line = |name: &str, result: Result<String, &Fault>| match result {
        Ok(text) => log::debug!("read {name}: {text}, {} ms", took(name)),
        Err(fault) => log::warn!("read {fault}, {} ms", took(name)),
    };
    line("signal", snapshot.signal.as_ref().map(|s| format!("`{}` page {}", s.text, s.hash)));
    for (name, room) in &snapshot.rooms {
        let probe = |(name, p): (&String, &ProbeReading)| match &p.temperature {
            Ok(t) => format!("{name} {t}"),
            Err(fault) => fault.to_string(),
        };
        line(name, room.as_ref().map(|room| room.probes.iter().map(probe).collect::<Vec<_>>().join(", ")));
    }
    let watts = |(n, w): (&u8, &Reading<Measured<Watts>>)| match w {
        Ok(w) => format!("fan {n} {}", w.value),
        Err(fault) => fault.to_string(),
    };
    line("fan watts", snapshot.fan_watts.as_ref().map(|f| f.fans.iter().map(watts).collect::<Vec<_>>().join(", ")));
    for (name, board) in &snapshot.boards {
        let fan = |(n, on): (&u8, &Reading<bool>)| match on {
            Ok(on) => format!("fan {n} {}", if *on { "on" } else { "off" }),
            Err(fault) => fault.to_string(),
        };
        line(name, board.as_ref().map(|board| board.fans.iter().map(fan).collect::<Vec<_>>().join(", ")));
    }
    for (name, pdu) in &snapshot.pdus {
        let total = |pdu: &PduReading| match &pdu.total {
            Ok(total) => format!("{}, {} old", total.value, total.age),
            Err(fault) => fault.to_string(),
        };
        line(name, pdu.as_ref().map(total));
    }
    let foreman =
        |f: &ForemanReading| format!("{} miners of ours, {:?} online of {:?}", f.miners.len(), f.online, f.total);
    line("foreman", snapshot.foreman.as_ref().map(foreman));
}
