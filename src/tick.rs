//! THE LOOP: one run from lock to exit, in this order and no other. Nothing after the lock ends it early: a run that
//! cannot read its state, its sensors or its mail server still drives the outputs to safety, saves, and draws the page.

mod books;
mod calls;
mod compare;
mod delivery;
mod draw;
mod drill;
mod evidence;
mod inputs;
mod lines;
mod locked;
mod messages;
mod push;
mod second_look;
mod trends;

use std::collections::BTreeMap;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::clock::Clock;
use crate::config::{Config, DeadManConfig, Mode};
use crate::decide;
use crate::drivers;
use crate::error::{EXIT_DONE, EXIT_FAULTS, Error};
use crate::lock::{self, NotTaken};
use crate::model::{
    Channel, ChatMemory, Command, CommandStatus, Decision, Event, Fault, MinersPhase, Notice, OutboxEntry, Outcome,
    Override, Reason, Severity, SiteState, Snapshot,
};
use crate::notify::{self, Ping};
use crate::store::{self, Change, Store};
use crate::units::{Moment, Seconds};

use second_look::Pages;

pub use calls::{Shown, shown as shown_calls};
pub use compare::{Compared, compare};
pub use drill::BETWEEN_RUNS as BETWEEN_DRILL_RUNS;
pub use trends::read as page_trends;

/// Left of the budget for drawing the page and closing the books.
const CLOSING: Seconds = Seconds(5);
/// Of that, left when the last service has had its time.
const LAST_BOOKS: Seconds = Seconds(1);
/// The least time for the sign that the run ends.
const PING_MIN: Duration = Duration::from_millis(500);
/// The least time for reading the devices, and for sending commands, however late it is.
const READ_MIN: Duration = Duration::from_secs(1);
const ACT_MIN: Duration = Duration::from_secs(5);
/// Foreman commands that are asked about in one pass.
const ASK_MAX: usize = 4;

/// A sign of life on its way.
type PingThread = JoinHandle<Result<(), Fault>>;

/// Is shown each event as it happens.
pub type Watch<'a> = &'a dyn Fn(&Event);

/// What one run works with.
struct Run<'a> {
    cfg: &'a Config,
    clock: &'a Clock,
    began: Instant,
    store: Store,
    state: SiteState,
    overrides: Vec<Override>,
    /// The overrides as the plain copy has them.
    copied: Vec<Override>,
    /// Whether the database is a new one that has no overrides yet.
    refills: bool,
    outbox: Vec<OutboxEntry>,
    sent: BTreeMap<Channel, Vec<Moment>>,
    chat: ChatMemory,
    /// Whether that could be read: what is not known is neither done again nor replaced.
    chat_is_read: bool,
    /// Messages with commands, on their way.
    inbox: Option<messages::Inbox>,
    /// What happened lately, this run included; oldest first. For the page.
    recent: Vec<Event>,
    /// What is told and kept at the end of the run.
    events: Vec<Event>,
    notices: Vec<Notice>,
    /// Messages to one channel each: a drill's.
    tests: Vec<(Channel, Notice)>,
    /// Whoever wants to see what happens as it happens.
    watch: Watch<'a>,
    /// The signal's pages that are to be kept.
    pages: Vec<evidence::Waiting>,
    /// What this run read and decided, for `replay`.
    inputs: Option<store::RunInputs>,
    /// What the program itself has to complain about.
    troubles: Vec<String>,
    /// The same of the run before: what it met after its last decision.
    earlier_troubles: Vec<String>,
    faults: bool,
}

/// One run. Returns the exit code; `Err` only before anything was touched.
pub fn tick(cfg: &Config, clock: &Clock) -> Result<u8, Error> {
    tick_watched(cfg, clock, &|_| {})
}

/// The same, showing what happens as it happens.
pub fn tick_watched(cfg: &Config, clock: &Clock, watch: Watch<'_>) -> Result<u8, Error> {
    let began = Instant::now();
    let now = clock.now();
    log::info!("run begins, mode {}, process {}", cfg.mode.word(), std::process::id());
    if clock.is_test() {
        log::warn!("a test clock is set: {} s since 1970", now.wall.0);
    }
    // 1. Lock. A folder that cannot be made is told by the store below.
    let store = Store::with_refuge(&cfg.paths.data, &cfg.paths.page);
    let _lock = match lock::take(&cfg.paths.data.join("tick.lock"), &now) {
        Ok(lock) => Some(lock),
        Err(NotTaken::Held(holder)) => return Err(locked::locked_out(cfg, clock, holder, &now)),
        Err(NotTaken::Failed(error)) => {
            // A full or read-only disk is no reason to leave the miners alone.
            log::error!("{error}");
            None
        }
    };
    let pinged = ping_start(cfg);
    // 2. Open the store and load.
    let mut run = Run::load((cfg, clock, watch), began, now, store);
    run.ask_for_messages();
    let mut last;
    loop {
        // 3. Sense.
        let (snapshot, pages) = run.sense();
        run.take_messages();
        let level = run.state.signal.level;
        // 4. Decide.
        let now = clock.now();
        let decision = decide::decide(cfg, &run.state, &snapshot, &run.overrides, &now);
        run.note_inputs(&snapshot, &now);
        run.take_in(&decision, &now);
        run.notice_pages(pages, &snapshot.signal, level, &now);
        // 5. Save the intent, before any command leaves.
        let commands = if cfg.mode == Mode::Live { decision.commands.clone() } else { Vec::new() };
        run.save_intent(&commands, &now);
        // 6. Act.
        let outcomes = run.act(&commands);
        run.note_decided(&decision, &outcomes);
        // 7. Verify: once more while something is changing and there is time.
        // Or because a message came late that is to be obeyed in this run.
        let again = (decision.in_transition && run.time_for_another_pass()) || run.take_late_messages();
        last = (snapshot, decision.reasons, decision.samples);
        if !again {
            break;
        }
        run.save_outcomes(&outcomes, &now);
        if run.emergency_waits() {
            run.deliver(run.left_for_passes() / 3);
        }
        clock.pause(cfg.tick.pass_pause.duration());
        run.reload_overrides();
    }
    let (snapshot, reasons, samples) = last;
    // 8. Record.
    let now = clock.now();
    if let Err(error) = store::write_snapshot(&cfg.paths.data, &snapshot, &reasons) {
        run.trouble(&error, &now);
    }
    if let Err(error) = store::append_history(&cfg.paths.data.join("history"), now.wall, &samples) {
        run.trouble(&error, &now);
    }
    run.keep_pages(&now);
    run.keep_calls(&now);
    run.keep_drills(&now);
    decide::end_run(&mut run.state);
    run.keep_inputs(&now);
    run.record(&now);
    // 9. Notify.
    run.deliver(run.left_for_messages());
    run.answer_messages(&snapshot, &reasons);
    let last_ping = run.ping_end();
    // 10. Draw.
    run.draw(&snapshot, &reasons);
    run.housekeeping(&now);
    // 11. Push the values to where they are kept, with what time is left.
    let influx = run.push();
    // 12. Exit.
    Ok(run.finish([pinged, last_ping], influx))
}

/// What would be done now, without doing, saving or telling anything. The same path as a run, stopped early; after the run
/// that is at work, if one is.
pub fn plan(cfg: &Config, clock: &Clock) -> (Snapshot, Decision) {
    lock::wait_for_run(&cfg.paths.data.join("tick.lock"), clock.real_span(cfg.tick.budget.duration()));
    let now = clock.now();
    let loaded = compare::remembered(cfg, &now);
    let state = loaded.state.unwrap_or_else(|| SiteState::boot(now));
    let limit = cfg.tick.read_limit.duration();
    let mut snapshot = drivers::sense(cfg, clock, limit, &outstanding(&state));
    second_look::look_again(cfg, clock, &state, &mut snapshot, None, limit);
    let decision = decide::decide(cfg, &state, &snapshot, &loaded.overrides, &clock.now());
    (snapshot, decision)
}

/// Foreman's command numbers that are still open, the oldest first; none at rest, since each question costs a second.
pub fn outstanding(state: &SiteState) -> Vec<u64> {
    match state.miners.phase {
        MinersPhase::Curtailing { .. } | MinersPhase::Resuming { .. } | MinersPhase::Fault { .. } => {}
        MinersPhase::Boot | MinersPhase::Running | MinersPhase::Curtailed { .. } => return Vec::new(),
    }
    let open = state.miners.asked.values().filter(|asked| {
        matches!(asked.status, Some(CommandStatus::Pending | CommandStatus::InProgress | CommandStatus::Unknown))
    });
    let mut numbers: Vec<u64> = open.filter_map(|asked| asked.command).collect();
    numbers.sort_unstable();
    numbers.truncate(ASK_MAX);
    numbers
}

impl<'a> Run<'a> {
    fn sense(&mut self) -> (Snapshot, Pages) {
        let asked = outstanding(&self.state);
        let (mut snapshot, page) = drivers::sense_with_page(self.cfg, self.clock, self.read_limit(), &asked);
        let limit = self.read_limit();
        let pages = second_look::look_again(self.cfg, self.clock, &self.state, &mut snapshot, page, limit);
        snapshot.troubles = self.earlier_troubles.iter().chain(&self.troubles).cloned().collect();
        snapshot.troubles.dedup();
        lines::log_snapshot(&snapshot);
        (snapshot, pages)
    }

    fn read_limit(&self) -> Duration {
        self.cfg.tick.read_limit.duration().min(self.left_for_passes().max(READ_MIN))
    }

    /// Takes over what was decided: state, events, notices, and the log of it.
    fn take_in(&mut self, decision: &Decision, now: &Moment) {
        for Reason { subject, text } in &decision.reasons {
            log::debug!("why {subject}: {text}");
        }
        self.log_events(&decision.events);
        let drilling = self.state.drill.running.as_ref().map(|drill| drill.began);
        self.state = decision.next.clone();
        self.write_drill_messages(drilling);
        self.take_call(decision.finished.as_ref());
        self.events.extend(decision.events.iter().cloned());
        self.notices.extend(decision.notices.iter().cloned());
        let (ended, live): (Vec<Override>, Vec<Override>) =
            std::mem::take(&mut self.overrides).into_iter().partition(|o| o.left(now).0 == 0 || self.is_drilled(o));
        self.overrides = live;
        if !ended.is_empty() {
            self.save(&Change { overrides_ended: ended, ..Change::default() }, now);
        }
        self.faults |= self.state.devices.values().any(|health| health.fault.is_some());
    }

    fn save_intent(&mut self, commands: &[Command], now: &Moment) {
        if commands.is_empty() {
            return;
        }
        for command in commands {
            log::debug!("command {command}: to be sent");
        }
        let change = Change { intents: Some(commands.to_vec()), ..self.change() };
        self.save(&change, now);
    }

    fn act(&mut self, commands: &[Command]) -> Vec<Outcome> {
        if commands.is_empty() {
            return Vec::new();
        }
        // Commands may use all that the passes have left, and a little more when the reading was slow.
        let until = Instant::now() + self.left_for_passes().max(ACT_MIN);
        let outcomes = drivers::act(self.cfg, self.clock, until, commands);
        for outcome in &outcomes {
            match &outcome.result {
                Ok(reply) => log::debug!("command {}: {reply:?}", outcome.command),
                Err(fault) => log::warn!("command {}: {fault}", outcome.command),
            }
            self.faults |= outcome.result.is_err();
        }
        let events = decide::record(&mut self.state, &outcomes, &self.clock.now());
        self.log_events(&events);
        self.events.extend(events);
        outcomes
    }

    fn save_outcomes(&mut self, outcomes: &[Outcome], now: &Moment) {
        if !outcomes.is_empty() || !self.events.is_empty() {
            let change = Change { intents: Some(Vec::new()), ..self.change() };
            self.save(&change, now);
        }
    }

    /// The sign that the run ends, sent while the page is drawn: a slow service must not make the run longer.
    fn ping_end(&self) -> Option<PingThread> {
        let emergency = self.state.alarms.values().any(|alarm| alarm.severity == Severity::Emergency);
        let summary = self.summary();
        let left = self.left_for_end().max(PING_MIN);
        ping(self.cfg, move |cfg, limit| {
            let ping = if emergency { Ping::Fail(&summary) } else { Ping::Success(&summary) };
            notify::ping(cfg, ping, limit.min(left))
        })
    }

    fn summary(&self) -> String {
        let watts = self.state.miners.watts.map_or("unknown power".to_owned(), |watts| watts.to_string());
        format!("miners {}, {watts}, {} alarms", self.state.miners.phase.word(), self.state.alarms.len())
    }

    /// The last log line and the exit code. The pings end by their own limit; `influx` is what became of the values.
    fn finish(&mut self, pings: [Option<PingThread>; 2], influx: Option<Fault>) -> u8 {
        let mut fault = None;
        for ping in pings.into_iter().flatten() {
            match ping.join() {
                Ok(Ok(())) => {}
                Ok(Err(refused)) => fault = Some(refused),
                Err(_) => log::error!("a dead-man ping panicked"),
            }
        }
        self.faults |= fault.is_some() || influx.is_some();
        if fault != self.state.dead_man || influx != self.state.influx {
            // The next run judges them like the fault of any device.
            self.state.dead_man = fault;
            self.state.influx = influx;
            let change = self.change();
            self.save(&change, &self.clock.now());
        }
        let took = self.began.elapsed();
        let tail = lines::tail(&self.state, took, self.faults || !self.troubles.is_empty());
        log::info!("run ends after {:.1} s: {}; {tail}", took.as_secs_f64(), self.summary());
        if self.faults || !self.troubles.is_empty() { EXIT_FAULTS } else { EXIT_DONE }
    }

    /// What is left until the passes must end, so that messages, books and page have their share. Real time; the budget
    /// counts in site time.
    fn left_for_passes(&self) -> Duration {
        let share = self.cfg.tick.budget.saturating_sub(CLOSING).saturating_sub(self.cfg.notify.send_limit);
        self.clock.real_span(share.duration()).saturating_sub(self.began.elapsed())
    }

    /// What is left until messages must be out.
    fn left_for_messages(&self) -> Duration {
        let share = self.cfg.tick.budget.saturating_sub(CLOSING);
        self.clock.real_span(share.duration()).saturating_sub(self.began.elapsed())
    }

    /// What is left for the services that hear of the run at its end.
    fn left_for_end(&self) -> Duration {
        let share = self.cfg.tick.budget.saturating_sub(LAST_BOOKS);
        self.clock.real_span(share.duration()).saturating_sub(self.began.elapsed())
    }

    fn time_for_another_pass(&self) -> bool {
        let needed = self.cfg.tick.pass_pause.0.saturating_add(self.cfg.tick.read_limit.0);
        self.left_for_passes() > self.clock.real_span(Seconds(needed).duration())
    }
}

/// The sign that a run has begun.
fn ping_start(cfg: &Config) -> Option<PingThread> {
    ping(cfg, |cfg, limit| notify::ping(cfg, Ping::Start, limit))
}

/// Sends a sign of life on a thread of its own; `None` when no service is configured.
fn ping(
    cfg: &Config,
    send: impl FnOnce(&DeadManConfig, Duration) -> Result<(), Fault> + Send + 'static,
) -> Option<PingThread> {
    let dead_man = cfg.dead_man.clone()?;
    let ping = move || {
        let sent = send(&dead_man, dead_man.timeout.duration());
        if let Err(fault) = &sent {
            log::warn!("{fault}");
        }
        sent
    };
    std::thread::Builder::new().name("dead-man".to_owned()).spawn(ping).ok()
}
