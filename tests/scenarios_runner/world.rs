//! What can happen to the mine: the phrases after `at <time>`, and what each does to the virtual mine.
#![expect(clippy::unit_arg, reason = "most effects are one assignment")]

use jiff::Timestamp;
use jiff::tz::TimeZone;
use minectl::config::{Config, Wiring};
use minectl::drivers::parse;
use minectl::model::{Fault, FaultKind, Level, OutletRef, Override, Reading, Setting, SignalReading, SiteState};
use minectl::units::{BootId, Moment, Seconds, Temperature, UnixSeconds};

use super::words::Args;
use super::{Time, clock};
use crate::scene::Scene;

/// The mine with all that is around it: the utility's page, the weather, the Pi.
pub struct World {
    pub scene: Scene,
    /// Now, since the story began.
    pub time: Time,
    page: Page,
    climb: Option<Climb>,
    /// Whether cron starts no runs.
    pub runs_stopped: bool,
    /// Whether the run that was going on was cut off.
    pub run_cut_off: bool,
}

/// The utility's page; it keeps the true time whatever the Pi's clock does.
struct Page {
    shown: String,
    beside: String,
    unreachable: bool,
    true_time: UnixSeconds,
    frozen_at: Option<UnixSeconds>,
    /// What was last made of a page with these texts and a fresh stamp: reading it again takes its time.
    read: Option<(String, String, Reading<SignalReading>)>,
}

/// An intake temperature on its way.
struct Climb {
    from: (Time, f64),
    to: (Time, f64),
}

type Effect = fn(&mut World, &Args) -> Result<(), String>;

/// Every phrase with its effect.
pub const EVENTS: &[(&str, Effect)] = &[
    ("signal <number>", |w, a| w.show(a.number(0).to_string())),
    ("page shows <text>", |w, a| w.show(a.text(0).to_owned())),
    ("page also says <text>", |w, a| done(w.page.beside = a.text(0).to_owned())),
    ("page freezes", |w, _| done(w.page.frozen_at = Some(w.page.true_time))),
    ("page unreachable", |w, _| done(w.page.unreachable = true)),
    ("page well again", |w, _| {
        w.page.beside.clear();
        w.page.frozen_at = None;
        done(w.page.unreachable = false)
    }),
    ("internet down", |w, _| {
        w.page.unreachable = true;
        done(w.scene.foreman_down = true)
    }),
    ("internet back", |w, _| {
        w.page.unreachable = false;
        done(w.scene.foreman_down = false)
    }),
    ("intake <temperature>", |w, a| {
        w.climb = None;
        done(w.scene.intake_c = Some(a.number(0)))
    }),
    ("intake goes to <temperature> by <time>", |w, a| w.climb(a.number(0), a.seconds(1))),
    ("probe <probe> stuck at <temperature>", |w, a| done(w.probe(a.text(0), Some(a.number(1))))),
    ("probe <probe> unplugged", |w, a| done(w.probe(a.text(0), None))),
    ("probe <probe> repaired", |w, a| done(w.scene.quirks.probes_c.remove(a.text(0)))),
    ("room sensor down", |w, _| done(w.scene.room_down = true)),
    ("room sensor frozen", |w, _| {
        let probes = w.scene.cfg.rooms.iter().flat_map(|room| &room.probes).map(|probe| probe.name.clone());
        w.scene.quirks.probes_c = probes.map(|probe| (probe, w.scene.intake_c)).collect();
        done(w.scene.room_frozen_at = Some(w.scene.now.up.0))
    }),
    ("room sensor back", |w, _| {
        w.scene.quirks.probes_c.clear();
        w.scene.room_frozen_at = None;
        done(w.scene.room_down = false)
    }),
    ("smoke", |w, _| done(w.scene.smoke = true)),
    ("smoke over", |w, _| done(w.scene.smoke = false)),
    ("fans <fans> die", |w, a| done(w.scene.fans_dead.extend(fans(a)))),
    ("fans <fans> repaired", |w, a| {
        for fan in fans(a) {
            w.scene.fans_dead.remove(&fan);
            w.scene.fans_welded.remove(&fan);
        }
        Ok(())
    }),
    ("fans <fans> relay welded", |w, a| done(w.scene.fans_welded.extend(fans(a)))),
    ("fans <fans> switched on by hand", |w, a| done(w.scene.fans_on.extend(fans(a)))),
    ("fans <fans> switched off by hand", |w, a| done(w.scene.fans_on.retain(|fan| !fans(a).any(|n| n == *fan)))),
    ("fan watts lost", |w, _| done(w.scene.fan_watts_down = true)),
    ("fan watts back", |w, _| done(w.scene.fan_watts_down = false)),
    ("board <board> reboots", |w, a| done(w.board_without_power(a.text(0)))),
    ("board <board> dead", |w, a| {
        w.board_without_power(a.text(0));
        done(w.scene.quirks.boards_down.insert(a.text(0).to_owned()))
    }),
    ("board <board> back", |w, a| done(w.scene.quirks.boards_down.remove(a.text(0)))),
    ("foreman down", |w, _| done(w.scene.foreman_down = true)),
    ("foreman back", |w, _| done(w.scene.foreman_down = false)),
    ("foreman says complete and nothing happens", |w, _| done(w.scene.foreman_ignored = true)),
    ("foreman works again", |w, _| done(w.scene.foreman_ignored = false)),
    ("foreman lists no miners", |w, _| done(w.scene.quirks.foreman_empty = true)),
    ("foreman lists the miners", |w, _| done(w.scene.quirks.foreman_empty = false)),
    ("foreman fails for miners <miners>", |w, a| done(w.scene.quirks.foreman_fails.extend(a.numbers(0)))),
    ("pdu <pdu> unreadable", |w, a| done(w.scene.pdus_down.insert(a.text(0).to_owned()))),
    ("pdu <pdu> ignores commands", |w, a| done(w.scene.quirks.pdus_ignoring.insert(a.text(0).to_owned()))),
    ("pdu <pdu> repeats its last reading", |w, a| w.freeze_pdu(a.text(0))),
    ("pdu <pdu> well again", |w, a| {
        w.scene.pdus_frozen.remove(a.text(0));
        w.scene.quirks.pdus_ignoring.remove(a.text(0));
        done(w.scene.pdus_down.remove(a.text(0)))
    }),
    ("outlets <pdu> <outlets> switched on by hand", |w, a| {
        done(w.scene.outlets_off.retain(|outlet| !outlets(a).any(|other| other == *outlet)))
    }),
    ("outlets <pdu> <outlets> switched off by hand", |w, a| done(w.scene.outlets_off.extend(outlets(a)))),
    ("outlets <pdu> <outlets> stuck", |w, a| done(w.scene.quirks.outlets_stuck.extend(outlets(a)))),
    ("miners <miners> woken by hand", |w, a| done(w.scene.asleep.retain(|miner| !a.numbers(0).contains(miner)))),
    ("miners <miners> put to sleep by hand", |w, a| done(w.scene.asleep.extend(a.numbers(0)))),
    ("miners <miners> break", |w, a| done(w.scene.quirks.miners_broken.extend(a.numbers(0)))),
    ("miners <miners> repaired", |w, a| {
        done(w.scene.quirks.miners_broken.retain(|miner| !a.numbers(0).contains(miner)))
    }),
    ("Pi reboots", |w, _| done(w.reboot(0))),
    ("Pi reboots with its clock <span> behind", |w, a| done(w.reboot(a.seconds(0)))),
    ("clock jumps <span> forward", |w, a| done(w.scene.now.wall = w.scene.now.wall.plus(Seconds(a.seconds(0))))),
    ("clock jumps <span> back", |w, a| done(w.scene.now.wall = w.scene.now.wall.minus(Seconds(a.seconds(0))))),
    ("runs stop", |w, _| done(w.runs_stopped = true)),
    ("runs go on", |w, _| done(w.runs_stopped = false)),
    ("memory lost", |w, _| done(w.scene.state = SiteState::boot(w.scene.now))),
    ("set signal <run|curtail|blind> for <span>", |w, a| {
        let level = match a.text(0) {
            "run" => Level::Run,
            "curtail" => Level::Curtail,
            _ => Level::Blind,
        };
        done(w.set(Setting::Signal(level), a.seconds(1)))
    }),
    ("set miners <on|off> for <span>", |w, a| {
        done(w.set(Setting::Miners { on: a.text(0) == "on", against_signal: false }, a.seconds(1)))
    }),
    ("set miners on against the signal for <span>", |w, a| {
        done(w.set(Setting::Miners { on: true, against_signal: true }, a.seconds(0)))
    }),
    ("set fan <fan> <on|off> for <span>", |w, a| {
        done(w.set(Setting::Fan { fan: a.fan(0), on: a.text(1) == "on" }, a.seconds(2)))
    }),
    ("set temp <probe> <temperature> for <span>", |w, a| {
        let value = Temperature::new(a.number(1)).map_err(|error| error.to_string())?;
        done(w.set(Setting::Temperature { probe: a.text(0).to_owned(), value }, a.seconds(2)))
    }),
    ("clear <text>", |w, a| w.clear(a.text(0))),
    ("ack <text>", |w, a| w.acknowledge(a.text(0))),
];

fn done<T>(_effect: T) -> Result<(), String> {
    Ok(())
}

fn fans(args: &Args) -> impl Iterator<Item = u8> {
    args.numbers(0).iter().map(|n| *n as u8)
}

fn outlets(args: &Args) -> impl Iterator<Item = OutletRef> {
    let pdu = args.text(0).to_owned();
    args.numbers(1).iter().map(move |n| OutletRef { pdu: pdu.clone(), outlet: n.to_string() })
}

impl World {
    /// A mine under this configuration, seen for the first time: miners and fans run, the page says 250.
    pub fn new(cfg: Config, intake_c: f64) -> World {
        let mut scene = Scene::with(cfg);
        scene.intake_c = Some(intake_c);
        let page = Page {
            shown: "250".to_owned(),
            beside: String::new(),
            unreachable: false,
            true_time: scene.now.wall,
            frozen_at: None,
            read: None,
        };
        World { scene, time: 0, page, climb: None, runs_stopped: false, run_cut_off: false }
    }

    /// Lets the time go on to `time`.
    pub fn go_on(&mut self, time: Time) {
        let passed = time.saturating_sub(self.time);
        self.time = time;
        self.scene.wait(passed);
        self.page.true_time = self.page.true_time.plus(Seconds(passed));
        if let Some(climb) = &self.climb {
            let ((start, low), (end, high)) = (climb.from, climb.to);
            let part = (time.min(end) - start) as f64 / (end - start) as f64;
            self.scene.intake_c = Some(low + (high - low) * part);
        }
    }

    /// What the page's reader makes of the page now: the real one, checks and all.
    pub fn read_page(&mut self) {
        self.scene.quirks.signal = Some(if self.page.unreachable {
            Err(Fault::new("signal", FaultKind::TimedOut, "no answer within 10 s"))
        } else {
            self.page.read(&self.scene.cfg, self.scene.now.wall)
        });
    }

    /// What the page shows, for the timeline.
    pub fn page_in_words(&self) -> String {
        match (&self.page.unreachable, &self.page.frozen_at) {
            (true, _) => "-".to_owned(),
            (false, Some(_)) => format!("{} still", self.page.shown),
            (false, None) => self.page.shown.clone(),
        }
    }

    /// The fans that turn, whatever is read.
    pub fn turning(&self) -> Vec<u8> {
        let scene = &self.scene;
        let turns = |fan: &u8| {
            (scene.fans_on.contains(fan) || scene.fans_welded.contains(fan)) && !scene.fans_dead.contains(fan)
        };
        scene.cfg.fans.keys().copied().filter(turns).collect()
    }

    fn show(&mut self, text: String) -> Result<(), String> {
        self.page.shown = text;
        Ok(())
    }

    fn climb(&mut self, celsius: f64, end: Time) -> Result<(), String> {
        if end <= self.time {
            return Err(format!("{} is not after {}", clock(end), clock(self.time)));
        }
        let now = self.scene.intake_c.ok_or("the intake has no temperature now; write `intake 70 F` before")?;
        self.climb = Some(Climb { from: (self.time, now), to: (end, celsius) });
        Ok(())
    }

    fn probe(&mut self, name: &str, celsius: Option<f64>) {
        self.scene.quirks.probes_c.insert(name.to_owned(), celsius);
    }

    /// A board without power lets its relays fall: a fan wired normally closed runs, one wired normally open stops.
    fn board_without_power(&mut self, board: &str) {
        let fans = self.scene.cfg.fans.values().filter(|fan| fan.board == board);
        for fan in fans.cloned().collect::<Vec<_>>() {
            match fan.wiring {
                Wiring::NormallyClosed => self.scene.fans_on.insert(fan.number),
                Wiring::NormallyOpen => self.scene.fans_on.remove(&fan.number),
            };
        }
    }

    fn freeze_pdu(&mut self, name: &str) -> Result<(), String> {
        let place = self.scene.cfg.pdus.iter().position(|pdu| pdu.name == name).ok_or("no such PDU")?;
        let reading = self.scene.pdu(place);
        self.scene.pdus_frozen.insert(name.to_owned(), reading);
        Ok(())
    }

    fn reboot(&mut self, behind: u64) {
        let now = self.scene.now;
        self.scene.now =
            Moment { wall: now.wall.minus(Seconds(behind)), boot: BootId(now.boot.0 + 1), up: Seconds(20) };
        self.run_cut_off = true;
    }

    fn set(&mut self, setting: Setting, seconds: u64) {
        let (since, lasts) = (self.scene.now, Seconds(seconds));
        self.scene.overrides.retain(|over| over.setting.target() != setting.target());
        let (by, reason) = ("owner".to_owned(), "story".to_owned());
        self.scene.overrides.push(Override { setting, since, lasts, by, reason });
    }

    fn clear(&mut self, target: &str) -> Result<(), String> {
        let standing: Vec<String> = self.scene.overrides.iter().map(|over| over.setting.target()).collect();
        if !standing.iter().any(|other| other == target) {
            return Err(format!(
                "no override `{target}` stands at {}; standing: {}",
                clock(self.time),
                listed(&standing)
            ));
        }
        self.scene.overrides.retain(|over| over.setting.target() != target);
        Ok(())
    }

    fn acknowledge(&mut self, id: &str) -> Result<(), String> {
        let standing: Vec<String> = self.scene.state.alarms.keys().cloned().collect();
        let time = clock(self.time);
        let alarm = self.scene.state.alarms.get_mut(id);
        let alarm =
            alarm.ok_or_else(|| format!("no alarm `{id}` stands at {time}; standing: {}", listed(&standing)))?;
        alarm.acknowledged_by = Some("owner".to_owned());
        Ok(())
    }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

impl Page {
    fn read(&mut self, cfg: &Config, now: UnixSeconds) -> Reading<SignalReading> {
        let is_fresh = self.frozen_at.is_none() && now == self.true_time;
        if let Some((shown, beside, reading)) = &self.read
            && is_fresh
            && *shown == self.shown
            && *beside == self.beside
        {
            return reading.clone();
        }
        let reading = read_html(cfg, self, now);
        if is_fresh {
            self.read = Some((self.shown.clone(), self.beside.clone(), reading.clone()));
        }
        reading
    }
}

fn read_html(cfg: &Config, page: &Page, now: UnixSeconds) -> Reading<SignalReading> {
    let stamp = page.frozen_at.unwrap_or(page.true_time);
    let local =
        Timestamp::from_second(stamp.0).expect("a time").to_zoned(TimeZone::get(&cfg.time_zone).expect("checked"));
    let html = format!(
        "<html><body><h1>Prairie Fork</h1><p>System load <b id=\"load-number\">{}</b></p><p>{}</p>\
         <p id=\"load-stamp\">{}</p></body></html>",
        page.shown,
        page.beside,
        local.strftime("%m/%d/%Y %I:%M %p %Z"),
    );
    parse::signal(&html, &cfg.signal, &cfg.time_zone, now)
}
