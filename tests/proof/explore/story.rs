//! A story in words: each step, what the site was like after it, and what was commanded.

use minectl::config::Config;
use minectl::model::Command;

use super::search::Violation;
use super::site::{FANS, MINERS, OUTLETS, Page};
use super::steps::{End, Ran, Site, Step, Tamper};
use super::variants::{Keeps, Variant};

/// Runs shown after the story, when it is about where the site ends up.
const AFTERWARDS: usize = 14;

/// Plays a story and then 24 runs with all well, by a site that forgets nothing or by one that does; returns the commands
/// of each run, and the alarms at the end.
pub(super) fn play(variant: &Variant, steps: &[Step], page: Page, forgets: bool) -> (Vec<Vec<Command>>, Vec<String>) {
    let keeps = Keeps { everything: !forgets, ..variant.keeps };
    let mut site = Site::first_run(super::site::good_world(), keeps);
    let mut sent = Vec::new();
    let mut run = |site: &mut Site, end: End| {
        let ran = site.run(&variant.cfg, &[end], super::steps::honest).unwrap_or_default();
        if let Some((_, ran)) = ran.into_iter().next() {
            sent.push(ran.decision.commands);
            *site = ran.site;
        }
    };
    for step in steps {
        match step {
            Step::Change(change) => site = site.changed(*change).unwrap_or(site),
            Step::Run(end) => run(&mut site, *end),
        }
    }
    site = site.all_well(page);
    for _ in 0..24 {
        run(&mut site, End::Whole);
    }
    let alarms = site.memory.iter().flat_map(|state| state.alarms.keys().cloned()).collect();
    (sent, alarms)
}

pub(super) fn tell(variant: &Variant, violation: &Violation, tamper: Tamper) -> String {
    let mut text = format!("VIOLATION ({}): {}\n", variant.name, violation.what);
    let cfg = &variant.cfg;
    let mut site = Site::first_run(super::site::good_world(), variant.keeps);
    for step in &violation.steps {
        match step {
            Step::Change(change) => {
                text += &format!("  {change:?}\n");
                site = site.changed(*change).unwrap_or(site);
            }
            Step::Run(end) => site = run(cfg, &site, *end, tamper, &mut text),
        }
    }
    if let Some(page) = violation.then {
        text += &format!("  all is well again, page {page:?}\n");
        site = site.all_well(page);
        for _ in 0..AFTERWARDS {
            site = run(cfg, &site, End::Whole, tamper, &mut text);
        }
    }
    text
}

fn run(cfg: &Config, site: &Site, end: End, tamper: Tamper, text: &mut String) -> Site {
    let ran = match site.run(cfg, &[end], tamper) {
        Ok(ran) => ran,
        Err((_, broken)) => {
            *text += &format!("  run: {broken}\n");
            return site.clone();
        }
    };
    let Some((_, Ran { site, decision })) = ran.into_iter().next() else { return site.clone() };
    let next = &decision.next;
    let reasons: Vec<&str> = next.demand.reasons.iter().map(|reason| reason.sentence()).collect();
    let fans: String = next.fans.values().map(|fan| if fan.wanted { '1' } else { '0' }).collect();
    let commands: Vec<String> = decision.commands.iter().map(ToString::to_string).collect();
    let faults: Vec<String> =
        next.fans.iter().filter_map(|(n, fan)| Some(format!("fan {n} {:?}", fan.fault?))).collect();
    let on = site.world.on;
    *text += &format!(
        "  run {end:?}: {:?} | off for [{}]{} | fans wanted {fans} on {:03b}, miners {:03b}, outlets {:03b}, {:.0} W {}| sent [{}] | alarms {:?}\n",
        next.miners.phase.word(),
        reasons.join("; "),
        if next.miners.proven_off.is_some() { ", proven off" } else { "" },
        (on & FANS).reverse_bits() >> 13,
        ((on & MINERS) >> 3).reverse_bits() >> 13,
        ((on & OUTLETS) >> 6).reverse_bits() >> 13,
        site.world.watts(),
        faults.join(" "),
        commands.join(", "),
        next.alarms.keys().collect::<Vec<_>>(),
    );
    for reason in decision.reasons.iter().filter(|reason| reason.text.contains("waits")) {
        *text += &format!("      {}\n", reason.text);
    }
    site
}
