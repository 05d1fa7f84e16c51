//! Plays a story: runs every two minutes as cron would start them, passes within a run while something changes, and a
//! frame of the whole mine after each pass and each thing that happens.

use std::collections::{BTreeMap, BTreeSet};

use minectl::config::{Config, Mode};
use minectl::decide;
use minectl::model::*;

use super::Time;
use super::parse::{Start, Story};
use super::world::{EVENTS, World};

/// Cron starts a run each two minutes.
const RUN: Time = 120;
/// From pass to pass within a run, and the most passes of a run: reading, commanding a batch and pausing take this long.
const PASS: Time = 20;
const PASSES_MAX: Time = 4;

/// So long before its story the mine comes to rest: fans stop one by one.
const SETTLE_RUNS: usize = 16;

/// The mine after a pass, or after something that happened.
#[derive(Debug, Clone)]
pub struct Frame {
    pub time: Time,
    /// What happened, as the story says it; empty after a pass.
    pub happened: Vec<String>,
    pub phase: MinersPhase,
    pub proven_off: bool,
    pub level: Level,
    pub band: Band,
    pub off_reasons: BTreeSet<OffReason>,
    pub alarms: BTreeMap<String, String>,
    /// What was sent in this pass; nothing in observe mode.
    pub commands: Vec<Command>,
    /// What was told in this pass but for heartbeats.
    pub notices: Vec<Notice>,
    pub events: Vec<Event>,
    pub reasons: Vec<Reason>,
    pub fan_faults: BTreeMap<u8, FanFault>,
    // What is true, whatever is read.
    pub turning: Vec<u8>,
    pub watts: f64,
    pub intake_c: Option<f64>,
    pub page: String,
    pub asleep: usize,
    /// By PDU: outlets without power, and all.
    pub outlets_off: BTreeMap<String, (usize, usize)>,
}

/// The frames of a story from 0:00 to its end. `Err`: something could not happen, with the line that says it.
pub fn play(story: &Story) -> Result<Vec<Frame>, (usize, String)> {
    let mut world = prepare(&story.cfg, &story.start).map_err(|why| (story.start_line, why))?;
    world.time = 0;
    let mut frames = Vec::new();
    push(&mut world, &mut frames, Vec::new());
    let mut happenings = story.happenings.iter().peekable();
    let mut go_on = |world: &mut World, frames: &mut Vec<Frame>, time: Time| {
        while let Some(next) = happenings.next_if(|next| next.time <= time) {
            world.go_on(next.time);
            let (_, effect) = EVENTS[next.event];
            effect(world, &next.args).map_err(|why| (next.line, why))?;
            push(world, frames, vec![next.text.clone()]);
        }
        world.go_on(time);
        Ok(())
    };
    let mut began = 0;
    while began <= story.end {
        go_on(&mut world, &mut frames, began)?;
        world.run_cut_off = false;
        if !world.runs_stopped {
            begin_run(&mut world);
            for pass in (0..PASSES_MAX).map(|pass| began + pass * PASS).take_while(|time| *time <= story.end) {
                go_on(&mut world, &mut frames, pass)?;
                if world.run_cut_off || world.runs_stopped {
                    break;
                }
                world.read_page();
                let again = world.scene.pass();
                push(&mut world, &mut frames, Vec::new());
                if !again {
                    break;
                }
            }
        }
        began += RUN;
    }
    go_on(&mut world, &mut frames, story.end)?;
    Ok(frames)
}

fn begin_run(world: &mut World) {
    let scene = &mut world.scene;
    let (events, notices) = decide::begin_run(&scene.cfg, &mut scene.state, &scene.now);
    scene.events.extend(events);
    scene.notices.extend(notices);
}

/// A run with nothing to record, before the story begins.
fn run(world: &mut World) {
    let began = world.time;
    begin_run(world);
    for pass in 0..PASSES_MAX {
        world.go_on(began + pass * PASS);
        world.read_page();
        if !world.scene.pass() {
            break;
        }
    }
    world.go_on(began + RUN);
}

/// The mine as the story finds it.
fn prepare(cfg: &Config, start: &Start) -> Result<World, String> {
    let mut world = World::new(cfg.clone(), start.intake_c);
    match start.how {
        "first run" => return Ok(world),
        "first run with the miners asleep" => {
            world.scene.asleep = (1..=world.scene.miners()).collect();
            return Ok(world);
        }
        _ => {}
    }
    // In the live mode, or an observed mine would not come to rest.
    world.scene.cfg.mode = Mode::Live;
    (0..SETTLE_RUNS).for_each(|_| run(&mut world));
    if start.how == "curtailed" {
        let (_, show) = EVENTS[0];
        show(&mut world, &super::words::Args(vec![super::words::Arg::Number(350.0)]))?;
        (0..SETTLE_RUNS).for_each(|_| run(&mut world));
    }
    world.scene.cfg.mode = cfg.mode;
    if world.scene.phase() != start.how {
        return Err(format!("the mine cannot start {}: it is {}", start.how, world.scene.phase()));
    }
    world.scene.notices.clear();
    world.scene.events.clear();
    Ok(world)
}

/// Keeps the mine as it is now; what was told since the last frame belongs to this one.
fn push(world: &mut World, frames: &mut Vec<Frame>, happened: Vec<String>) {
    let notices = std::mem::take(&mut world.scene.notices);
    let events = std::mem::take(&mut world.scene.events);
    let scene = &world.scene;
    let state = &scene.state;
    let of_pass = happened.is_empty() && !frames.is_empty();
    let sent = of_pass && scene.cfg.mode == Mode::Live;
    let outlets = scene.cfg.pdus.iter().map(|pdu| {
        let off = scene.outlets_off.iter().filter(|outlet| outlet.pdu == pdu.name).count();
        (pdu.name.clone(), (off, pdu.outlets.len()))
    });
    frames.push(Frame {
        time: world.time,
        happened,
        phase: state.miners.phase.clone(),
        proven_off: state.miners.proven_off.is_some(),
        level: state.signal.level,
        band: state.climate.band,
        off_reasons: state.demand.reasons.clone(),
        alarms: state.alarms.iter().map(|(id, alarm)| (id.clone(), alarm.text.clone())).collect(),
        commands: if sent { scene.commands.clone() } else { Vec::new() },
        notices: notices.into_iter().filter(|notice| notice.severity != Severity::Heartbeat).collect(),
        events,
        reasons: if of_pass { scene.reasons.clone() } else { Vec::new() },
        fan_faults: state.fans.iter().filter_map(|(number, fan)| Some((*number, fan.fault?))).collect(),
        turning: world.turning(),
        watts: scene.watts(),
        intake_c: scene.intake_c,
        page: world.page_in_words(),
        asleep: scene.asleep.len(),
        outlets_off: outlets.collect(),
    });
}
