//! THE LOOP: one run from lock to exit, in this order and no other. Nothing after the lock ends it early: a run that
//! cannot read its state, its sensors or its mail server still drives the outputs to safety, saves, and draws the page.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::clock::Clock;
use crate::config::{Config, Mode};
use crate::decide;
use crate::drivers;
use crate::error::{EXIT_DONE, EXIT_FAULTS, Error};
use crate::lock::{self, NotTaken};
use crate::logging;
use crate::model::{
    Alarm, Channel, Command, CommandStatus, Decision, DeliveryResult, Event, EventKind, Notice, OutboxEntry, Outcome,
    Override, Reason, Severity, SiteState, Snapshot,
};
use crate::notify::{self, Ping};
use crate::store::{self, Change, Loaded, Store};
use crate::units::{Moment, Seconds};

/// Left of the budget for drawing the page and closing the books.
const CLOSING: Seconds = Seconds(5);
/// Foreman commands that are asked about in one pass.
const ASK_MAX: usize = 4;
/// Log lines and events on the page.
const PAGE_LINES: usize = 60;

/// What one run works with.
struct Run<'a> {
    cfg: &'a Config,
    clock: &'a Clock,
    began: Instant,
    store: Option<Store>,
    state: SiteState,
    overrides: Vec<Override>,
    outbox: Vec<OutboxEntry>,
    sent: BTreeMap<Channel, Vec<Moment>>,
    /// What is told and kept at the end of the run.
    events: Vec<Event>,
    notices: Vec<Notice>,
    /// What the program itself has to complain about.
    troubles: Vec<String>,
    faults: bool,
}

/// One run. Returns the exit code; `Err` only before anything was touched.
pub fn tick(cfg: &Config, clock: &Clock) -> Result<u8, Error> {
    let began = Instant::now();
    let now = clock.now();
    log::info!("run begins, mode {}, process {}", cfg.mode.word(), std::process::id());
    if clock.is_test() {
        log::warn!("a test clock is set: {} s since 1970", now.wall.0);
    }
    // 1. Lock. A folder that cannot be made is told by the store below.
    let store = Store::new(&cfg.paths.data);
    let _lock = match lock::take(&cfg.paths.data.join("tick.lock"), &now) {
        Ok(lock) => Some(lock),
        Err(NotTaken::Held(holder)) => return Err(locked_out(cfg, clock, holder, &now)),
        Err(NotTaken::Failed(error)) => {
            // A full or read-only disk is no reason to leave the miners alone.
            log::error!("{error}");
            None
        }
    };
    let pinged = ping_start(cfg);
    // 2. Open the store and load.
    let mut run = Run::load(cfg, clock, began, now, store);
    let mut last;
    loop {
        // 3. Sense.
        let snapshot = run.sense();
        // 4. Decide.
        let now = clock.now();
        let decision = decide::decide(cfg, &run.state, &snapshot, &run.overrides, &now);
        run.take_in(&decision, &now);
        // 5. Save the intent, before any command leaves.
        let commands = if cfg.mode == Mode::Live { decision.commands.clone() } else { Vec::new() };
        run.save_intent(&commands, &now);
        // 6. Act.
        let outcomes = run.act(&commands);
        // 7. Verify: once more while something is changing and there is time.
        let again = decision.in_transition && run.time_for_another_pass();
        last = (snapshot, decision.reasons, decision.samples);
        if !again {
            break;
        }
        run.save_outcomes(&outcomes, &now);
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
    run.record(&now);
    // 9. Notify.
    run.deliver();
    run.housekeeping(&now);
    // 10. Draw.
    run.draw(&snapshot, &reasons);
    // 11. Exit.
    Ok(run.finish(pinged))
}

/// What would be done now, without doing, saving or telling anything. The same path as a run, stopped early.
pub fn plan(cfg: &Config, clock: &Clock) -> (Snapshot, Decision) {
    let now = clock.now();
    let loaded = match Store::new(&cfg.paths.data) {
        Ok(store) => store.load(&now),
        Err(error) => {
            log::warn!("{error}");
            Loaded::default()
        }
    };
    let state = loaded.state.unwrap_or_else(|| SiteState::boot(now));
    let snapshot = drivers::sense(cfg, clock, cfg.tick.read_limit.duration(), &outstanding(&state));
    let decision = decide::decide(cfg, &state, &snapshot, &loaded.overrides, &clock.now());
    (snapshot, decision)
}

impl<'a> Run<'a> {
    fn load(cfg: &'a Config, clock: &'a Clock, began: Instant, now: Moment, store: Result<Store, String>) -> Run<'a> {
        let (store, loaded) = match store {
            Ok(store) => {
                let loaded = store.load(&now);
                (Some(store), loaded)
            }
            Err(error) => (None, Loaded { troubles: vec![error], ..Loaded::default() }),
        };
        let first_run = loaded.state.is_none();
        let mut run = Run {
            cfg,
            clock,
            began,
            store,
            state: loaded.state.unwrap_or_else(|| SiteState::boot(now)),
            overrides: loaded.overrides,
            outbox: loaded.outbox,
            sent: loaded.sent,
            events: Vec::new(),
            notices: Vec::new(),
            troubles: Vec::new(),
            faults: false,
        };
        for trouble in &loaded.troubles {
            run.trouble(trouble, &now);
        }
        if first_run {
            run.event(&now, EventKind::Program, "run", "nothing is remembered: boot".to_owned());
        }
        if !loaded.broken_off.is_empty() {
            let text = format!(
                "the last run broke off with {} commands under way: {}",
                loaded.broken_off.len(),
                list(&loaded.broken_off)
            );
            run.event(&now, EventKind::Program, "run", text);
        }
        run.acknowledge(&loaded.acknowledged, &now);
        let (events, notices) = decide::begin_run(cfg, &mut run.state, &now);
        run.log_events(&events);
        run.events.extend(events);
        run.notices.extend(notices);
        run
    }

    /// Takes in what people acknowledged since the last run.
    fn acknowledge(&mut self, acknowledged: &BTreeMap<String, String>, now: &Moment) {
        for (id, who) in acknowledged {
            let Some(alarm) = self.state.alarms.get_mut(id) else { continue };
            let Alarm { acknowledged_by, .. } = alarm;
            *acknowledged_by = Some(who.clone());
            self.event(now, EventKind::Alarm, id, format!("acknowledged by {who}"));
        }
        let change = Change { acknowledged_done: acknowledged.keys().cloned().collect(), ..Change::default() };
        if !acknowledged.is_empty() {
            self.save(&change, now);
        }
    }

    fn sense(&mut self) -> Snapshot {
        let limit = self.cfg.tick.read_limit.duration().min(self.left(Seconds(0)).max(Duration::from_secs(1)));
        let mut snapshot = drivers::sense(self.cfg, self.clock, limit, &outstanding(&self.state));
        snapshot.troubles.clone_from(&self.troubles);
        log_snapshot(&snapshot);
        snapshot
    }

    /// Takes over what was decided: state, events, notices, and the log of it.
    fn take_in(&mut self, decision: &Decision, now: &Moment) {
        for Reason { subject, text } in &decision.reasons {
            log::debug!("why {subject}: {text}");
        }
        self.log_events(&decision.events);
        self.state = decision.next.clone();
        self.events.extend(decision.events.iter().cloned());
        self.notices.extend(decision.notices.iter().cloned());
        let ended: Vec<String> =
            self.overrides.iter().filter(|over| over.left(now).0 == 0).map(|over| over.setting.target()).collect();
        if !ended.is_empty() {
            self.overrides.retain(|over| over.left(now).0 > 0);
            self.save(&Change { overrides_done: ended, ..Change::default() }, now);
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
        // Safety may use all that is left; reading and closing the books have had their share set aside.
        let until = Instant::now() + self.left(CLOSING).max(self.cfg.tick.read_limit.duration());
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

    /// The state and whatever waits to be kept; what is saved waits no longer.
    fn change(&mut self) -> Change {
        let mut queue = Vec::new();
        for notice in &self.notices {
            log::info!("notice {}: {}", notice.severity.word(), notice.text);
            queue.extend(notify::route(&self.cfg.notify, notice).into_iter().map(|channel| (channel, notice.clone())));
        }
        self.notices.clear();
        let events = std::mem::take(&mut self.events);
        // The plain copy is for what must not be lost; ages and counters change at each pass and may be.
        let plain_copy = (!events.is_empty()).then(|| self.overrides.clone());
        Change { state: Some(self.state.clone()), plain_copy, events, queue, ..Change::default() }
    }

    /// Saves and goes on whatever the disk says: messages of a failed save are still delivered in this run.
    fn save(&mut self, change: &Change, now: &Moment) {
        let result = self.store.as_ref().map_or(Err("no data folder".to_owned()), |store| store.save(change, now));
        match result {
            Ok(queued) => self.outbox.extend(queued),
            Err(error) => {
                let unsaved = change.queue.iter().map(|(channel, notice)| OutboxEntry {
                    id: u64::MAX,
                    channel: *channel,
                    notice: notice.clone(),
                    attempts: 0,
                    not_before: notice.at,
                    last_fault: None,
                });
                self.outbox.extend(unsaved);
                self.trouble(&error, now);
            }
        }
    }

    fn record(&mut self, now: &Moment) {
        let change = Change { intents: Some(Vec::new()), ..self.change() };
        self.save(&change, now);
    }

    /// Sends what waits in the outbox.
    fn deliver(&mut self) {
        let now = self.clock.now();
        if self.outbox.is_empty() {
            return;
        }
        for times in self.sent.values_mut() {
            times.retain(|at| now.since(at) < Seconds(3600));
        }
        let counts =
            self.sent.iter().map(|(channel, times)| (*channel, u32::try_from(times.len()).unwrap_or(u32::MAX)));
        let limit = self.cfg.notify.send_limit.duration().min(self.left(Seconds(0)).max(Duration::from_secs(5)));
        let deliveries = notify::deliver(self.cfg, &self.outbox, &counts.collect(), self.clock, limit);
        let mut change = Change::default();
        for delivery in deliveries {
            let entries: Vec<OutboxEntry> =
                self.outbox.iter().filter(|entry| delivery.ids.contains(&entry.id)).cloned().collect();
            let channel = delivery.channel.word();
            match delivery.result {
                DeliveryResult::Accepted(remark) => {
                    log::info!("{channel}: {} messages accepted", entries.len());
                    if let Some(fault) = remark {
                        self.tell_fault(&fault.to_string(), &now, &mut change);
                    }
                    if entries.iter().any(|entry| entry.notice.severity != Severity::Emergency) {
                        self.sent.entry(delivery.channel).or_default().push(now);
                    }
                    change.outbox_done.extend(entries.iter().map(|entry| entry.id));
                }
                DeliveryResult::Refused(fault) => {
                    self.tell_fault(&format!("{fault}; given up"), &now, &mut change);
                    change.outbox_done.extend(entries.iter().map(|entry| entry.id));
                }
                DeliveryResult::Later(fault, not_before) => {
                    log::warn!("{fault}; {} messages wait", entries.len());
                    self.faults = true;
                    for mut entry in entries {
                        if now.wall.since(entry.notice.at) >= self.cfg.notify.give_up_after {
                            self.tell_fault(
                                &format!("{fault}; given up after {}", self.cfg.notify.give_up_after),
                                &now,
                                &mut change,
                            );
                            change.outbox_done.push(entry.id);
                            continue;
                        }
                        entry.attempts = entry.attempts.saturating_add(1);
                        entry.not_before = not_before;
                        entry.last_fault = Some(fault.clone());
                        change.outbox.push(entry);
                    }
                }
            }
        }
        change.outbox.retain(|entry| entry.id != u64::MAX);
        change.sent = Some(self.sent.clone());
        self.save(&change, &now);
    }

    fn tell_fault(&mut self, text: &str, now: &Moment, change: &mut Change) {
        log::warn!("{text}");
        self.faults = true;
        let event = Event { at: now.wall, kind: EventKind::Fault, subject: "notify".to_owned(), text: text.to_owned() };
        change.events.push(event);
    }

    /// Keeps the store small. What fails here is told and done again by the next run.
    fn housekeeping(&mut self, now: &Moment) {
        let Some(store) = self.store.clone() else { return };
        match store.compact_when_due(now) {
            Ok(None) => {}
            Ok(Some(done)) => log::info!("{done}"),
            Err(error) => self.trouble(&error, now),
        }
        if let Err(error) = store::prune_history(&store.history_folder(), now.wall, self.cfg.history.keep_days) {
            self.trouble(&error, now);
        }
    }

    fn draw(&mut self, snapshot: &Snapshot, reasons: &[Reason]) {
        let now = self.clock.now();
        let store = self.store.as_ref();
        let since = now.wall.minus(Seconds(7 * 86_400));
        let events = store.map_or(Err("no data folder".to_owned()), |store| store.events(since, PAGE_LINES));
        let events = events.unwrap_or_else(|error| {
            log::warn!("{error}");
            Vec::new()
        });
        let day_ago = now.wall.minus(Seconds(86_400));
        let history = store::read_history(&self.cfg.paths.data.join("history"), day_ago, now.wall, &|_| true);
        let log_tail = logging::tail(&self.cfg.paths.log, PAGE_LINES);
        let input = crate::dashboard::Input {
            cfg: self.cfg,
            state: &self.state,
            snapshot: Some(snapshot),
            reasons,
            overrides: &self.overrides,
            events: &events,
            log_tail: &log_tail,
            history: &history,
            now,
            next_due: now.wall.plus(self.cfg.loop_interval),
            test_clock: self.clock.is_test(),
            lost: &self.troubles,
        };
        if let Err(error) = crate::dashboard::draw(&input, &self.cfg.paths.page) {
            log::error!("page: {error}");
            self.faults = true;
        }
    }

    /// The sign of life, the last log line, and the exit code.
    fn finish(&self, pinged: Option<std::thread::JoinHandle<()>>) -> u8 {
        let watts = self.state.miners.watts.map_or("unknown power".to_owned(), |watts| watts.to_string());
        let summary = format!("miners {}, {watts}, {} alarms", self.state.miners.phase.word(), self.state.alarms.len());
        if let Some(cfg) = &self.cfg.dead_man {
            let emergency = self.state.alarms.values().any(|alarm| alarm.severity == Severity::Emergency);
            let what = if emergency { Ping::Fail(&summary) } else { Ping::Success(&summary) };
            if let Err(fault) = notify::ping(cfg, what, cfg.timeout.duration()) {
                log::warn!("{fault}");
            }
        }
        if let Some(pinged) = pinged.filter(std::thread::JoinHandle::is_finished)
            && pinged.join().is_err()
        {
            log::error!("the dead-man ping panicked");
        }
        log::info!("run ends after {:.1} s: {summary}", self.began.elapsed().as_secs_f64());
        if self.faults || !self.troubles.is_empty() { EXIT_FAULTS } else { EXIT_DONE }
    }

    /// What is left of the passes' share of the budget, less `reserve`. The budget counts in site time.
    fn left(&self, reserve: Seconds) -> Duration {
        let share = self.cfg.tick.budget.saturating_sub(CLOSING).saturating_sub(reserve);
        self.clock.real_span(share.duration()).saturating_sub(self.began.elapsed())
    }

    fn time_for_another_pass(&self) -> bool {
        let needed = self.cfg.tick.pass_pause.0.saturating_add(self.cfg.notify.send_limit.0);
        let reading = self.cfg.tick.read_limit.0;
        self.left(Seconds(needed.saturating_add(reading))) > Duration::ZERO
    }

    /// An override that a person set while this run is at work counts from the next pass on.
    fn reload_overrides(&mut self) {
        let Some(store) = &self.store else { return };
        match store.overrides() {
            Ok(overrides) => self.overrides = overrides,
            Err(error) => log::warn!("{error}"),
        }
    }

    fn event(&mut self, now: &Moment, kind: EventKind, subject: &str, text: String) {
        let event = Event { at: now.wall, kind, subject: subject.to_owned(), text };
        self.log_events(std::slice::from_ref(&event));
        self.events.push(event);
    }

    fn log_events(&self, events: &[Event]) {
        for event in events {
            log::info!("{} {}: {}", event.kind.word(), event.subject, event.text);
        }
    }

    /// The program's own trouble: told to people once in a run, shown on the page.
    fn trouble(&mut self, text: &str, now: &Moment) {
        log::error!("{text}");
        if self.troubles.iter().any(|known| known == text) {
            return;
        }
        self.troubles.push(text.to_owned());
        let event =
            Event { at: now.wall, kind: EventKind::Program, subject: "store".to_owned(), text: text.to_owned() };
        self.events.push(event);
    }
}

/// Foreman's command numbers that are still open, the oldest first.
fn outstanding(state: &SiteState) -> Vec<u64> {
    let open = state.miners.asked.values().filter(|asked| {
        matches!(asked.status, Some(CommandStatus::Pending | CommandStatus::InProgress | CommandStatus::Unknown))
    });
    let mut numbers: Vec<u64> = open.filter_map(|asked| asked.command).collect();
    numbers.sort_unstable();
    numbers.truncate(ASK_MAX);
    numbers
}

/// The sign that a run has begun, on its own thread: a slow service must not delay the reading.
fn ping_start(cfg: &Config) -> Option<std::thread::JoinHandle<()>> {
    let dead_man = cfg.dead_man.clone()?;
    let ping = move || {
        if let Err(fault) = notify::ping(&dead_man, Ping::Start, dead_man.timeout.duration()) {
            log::warn!("{fault}");
        }
    };
    std::thread::Builder::new().name("dead-man".to_owned()).spawn(ping).ok()
}

/// Another run holds the lock: one line; and when it holds it for two intervals, an alarm that needs no database.
fn locked_out(cfg: &Config, clock: &Clock, holder: Option<lock::Holder>, now: &Moment) -> Error {
    let since = holder.map(|holder| now.wall.since(holder.since));
    let who = holder.map_or("another run".to_owned(), |holder| format!("process {}", holder.process));
    let text = since.map_or(who.clone(), |since| format!("{who} for {since}"));
    log::info!("locked: {text} is at work; this run ends");
    if since.is_some_and(|since| since.0 > cfg.loop_interval.0.saturating_mul(2)) {
        let told = cfg.paths.data.join("tick.lock.told");
        let fresh = std::fs::metadata(&told)
            .and_then(|meta| meta.modified())
            .and_then(|at| at.elapsed().map_err(std::io::Error::other));
        if !fresh.is_ok_and(|age| age < Duration::from_secs(3600)) {
            let notice = Notice {
                severity: Severity::Emergency,
                at: now.wall,
                text: format!("A run hangs: {text} holds the lock"),
            };
            let channels = notify::route(&cfg.notify, &notice).into_iter();
            let entry = |channel| OutboxEntry {
                id: 0,
                channel,
                notice: notice.clone(),
                attempts: 0,
                not_before: now.wall,
                last_fault: None,
            };
            let entries: Vec<OutboxEntry> = channels.map(entry).collect();
            notify::deliver(cfg, &entries, &BTreeMap::new(), clock, cfg.notify.send_limit.duration());
            if let Err(error) = std::fs::write(&told, now.wall.0.to_string()) {
                log::warn!("{}: {error}", told.display());
            }
        }
    }
    Error::Locked(format!("locked: {text} is at work on {}", cfg.paths.data.display()))
}

fn list(commands: &[Command]) -> String {
    let shown: Vec<String> = commands.iter().take(10).map(ToString::to_string).collect();
    let more = commands.len().saturating_sub(shown.len());
    shown.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() }
}

/// One line for each device: what it said in short, or its fault, with the time it took.
fn log_snapshot(snapshot: &Snapshot) {
    let took = |name: &str| snapshot.took_ms.get(name).copied().unwrap_or_default();
    let line = |name: &str, result: Result<String, &crate::model::Fault>| match result {
        Ok(text) => log::debug!("read {name}: {text}, {} ms", took(name)),
        Err(fault) => log::warn!("read {fault}, {} ms", took(name)),
    };
    line("signal", snapshot.signal.as_ref().map(|s| format!("`{}` page {}", s.text, s.hash)));
    for (name, room) in &snapshot.rooms {
        let probe = |(name, p): (&String, &crate::model::ProbeReading)| match &p.temperature {
            Ok(t) => format!("{name} {t}"),
            Err(fault) => fault.to_string(),
        };
        line(name, room.as_ref().map(|room| room.probes.iter().map(probe).collect::<Vec<_>>().join(", ")));
    }
    let watts = |(n, w): (&u8, &crate::model::Reading<crate::model::Measured<crate::units::Watts>>)| match w {
        Ok(w) => format!("fan {n} {}", w.value),
        Err(fault) => fault.to_string(),
    };
    line("fan watts", snapshot.fan_watts.as_ref().map(|f| f.fans.iter().map(watts).collect::<Vec<_>>().join(", ")));
    for (name, board) in &snapshot.boards {
        let fan = |(n, on): (&u8, &crate::model::Reading<bool>)| match on {
            Ok(on) => format!("fan {n} {}", if *on { "on" } else { "off" }),
            Err(fault) => fault.to_string(),
        };
        line(name, board.as_ref().map(|board| board.fans.iter().map(fan).collect::<Vec<_>>().join(", ")));
    }
    for (name, pdu) in &snapshot.pdus {
        let total = |pdu: &crate::model::PduReading| match &pdu.total {
            Ok(total) => format!("{}, {} old", total.value, total.age),
            Err(fault) => fault.to_string(),
        };
        line(name, pdu.as_ref().map(total));
    }
    let foreman = |f: &crate::model::ForemanReading| {
        format!("{} miners of ours, {:?} online of {:?}", f.miners.len(), f.online, f.total)
    };
    line("foreman", snapshot.foreman.as_ref().map(foreman));
}
