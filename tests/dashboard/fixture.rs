//! Sites in every state, with invented values, and the files drawn of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use minectl::config::*;
use minectl::dashboard::Input;
use minectl::model::*;
use minectl::units::*;

/// Sunday, 22 November 2026, 12:02:11 in Chicago.
pub(crate) const NOW: i64 = 1_795_370_531;

pub(crate) fn at(seconds_ago: u64) -> Moment {
    Moment { wall: UnixSeconds(NOW - seconds_ago as i64), boot: BootId(7), up: Seconds(9_000_000 - seconds_ago) }
}

fn c(value: f64) -> Temperature {
    Temperature::new(value).unwrap()
}

fn f(value: f64) -> Temperature {
    Temperature::from_fahrenheit(value).unwrap()
}

pub(crate) fn w(value: f64) -> Watts {
    Watts::new(value).unwrap()
}

/// Owns what an [`Input`] borrows.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) cfg: Config,
    pub(crate) state: SiteState,
    pub(crate) snapshot: Option<Snapshot>,
    pub(crate) reasons: Vec<Reason>,
    pub(crate) overrides: Vec<Override>,
    pub(crate) events: Vec<Event>,
    pub(crate) log: Vec<String>,
    pub(crate) history: History,
    pub(crate) calls: Vec<CallRecord>,
    pub(crate) call: Option<CallRecord>,
    pub(crate) now: Moment,
    pub(crate) test_clock: bool,
    pub(crate) lost: Vec<String>,
}

impl Site {
    pub(crate) fn input(&self) -> Input<'_> {
        Input {
            cfg: &self.cfg,
            state: &self.state,
            snapshot: self.snapshot.as_ref(),
            reasons: &self.reasons,
            overrides: &self.overrides,
            events: &self.events,
            log_tail: &self.log,
            history: &self.history,
            calls: &self.calls,
            call: self.call.as_ref(),
            now: self.now,
            next_due: UnixSeconds(NOW + 109),
            test_clock: self.test_clock,
            lost: &self.lost,
        }
    }
}

fn probe_config(name: &str, index: usize, role: ProbeRole) -> ProbeConfig {
    ProbeConfig { name: name.into(), array: "sensor".into(), index, role, label: None }
}

fn switch_config(name: &str, index: usize, stops_mine: bool) -> SwitchConfig {
    SwitchConfig { name: name.into(), array: "s_sen".into(), index, alarm_when: 1, stops_mine }
}

fn pdu_config(name: &str) -> PduConfig {
    PduConfig {
        name: name.into(),
        url: "http://127.0.0.1:1".into(),
        dialect: PduDialect {
            read_path: "/outlets".into(),
            items: "/outlets".into(),
            id: "/id".into(),
            watts: Some("/watts".into()),
            watts_scale: 1.0,
            state: "/state".into(),
            on: true.into(),
            off: false.into(),
            updated: None,
            auto_reset: None,
            total_watts: None,
            switch_method: "PUT".into(),
            switch_path: "/outlets/{id}".into(),
            on_body: true.into(),
            off_body: false.into(),
            switch_headers: vec![],
            read_headers: vec![],
        },
        token: Some(Secret::new("never-on-the-page")),
        user: None,
        password: None,
        outlets: (1..=48).map(|n| n.to_string()).collect(),
        outlet_pause: Seconds(1),
        batch: 16,
        bank: None,
        max_age: Seconds(60),
        timeout: Seconds(4),
    }
}

pub(crate) const PDUS: [&str; 6] = ["pdu-a", "pdu-b", "pdu-c", "pdu-d", "pdu-e", "pdu-f"];

pub(crate) fn config() -> Config {
    let board = |name: &str, family| RelayBoardConfig {
        name: name.into(),
        url: "http://127.0.0.1:1".into(),
        family,
        serial: None,
        user: None,
        password: None,
        timeout: Seconds(3),
    };
    let fan = |number: u8| FanConfig {
        number,
        board: if number < 6 { "relays-a" } else { "relays-b" }.into(),
        relay: number,
        wiring: Wiring::NormallyClosed,
    };
    Config {
        mode: Mode::Live,
        loop_interval: Seconds(120),
        time_zone: "America/Chicago".into(),
        temperature_unit: TemperatureUnit::Fahrenheit,
        site: SiteConfig { name: "Container 1".into(), page_url: None },
        paths: PathsConfig { data: "data".into(), page: "page".into(), log: "log".into() },
        tick: TickConfig {
            budget: Seconds(100),
            read_limit: Seconds(12),
            pass_pause: Seconds(5),
            warn_after_failures: 3,
        },
        signal: SignalConfig {
            url: "http://127.0.0.1:1".into(),
            selector: "#load".into(),
            pattern: "(.*)".into(),
            meaning: SignalMeaning::Number {
                range: (50.0, 500.0),
                off_when: OffWhen::High,
                curtail_at: 310.0,
                resume_below: 300.0,
            },
            must_contain: vec![],
            must_not_contain: vec![],
            stamp: None,
            max_age: Seconds(600),
            when_blind: WhenBlind::Curtail,
            reread_near: 0.0,
            resume_readings: 3,
            unchanged_warning: Seconds(86_400),
            timeout: Seconds(10),
        },
        rooms: vec![RoomAlertConfig {
            name: "room-alert".into(),
            url: "http://127.0.0.1:1".into(),
            serial: None,
            timeout: Seconds(5),
            probes: vec![
                probe_config("intake-west", 1, ProbeRole::Intake),
                probe_config("intake-east", 2, ProbeRole::Intake),
                probe_config("exhaust", 3, ProbeRole::Exhaust),
                probe_config("middle", 0, ProbeRole::Other),
            ],
            switches: vec![
                switch_config("smoke", 0, true),
                switch_config("water", 1, false),
                switch_config("door", 2, false),
            ],
        }],
        fan_watts: FanWattsConfig::IotaWatt(IotaWattConfig {
            name: "iotawatt".into(),
            url: "http://127.0.0.1:1".into(),
            voltage_series: "mains".into(),
            fan_series: (1..=9).map(|n| (n, format!("fan{n}"))).collect(),
            user: None,
            password: None,
            max_age: Seconds(30),
            timeout: Seconds(6),
        }),
        boards: vec![board("relays-a", RelayFamily::Series400), board("relays-b", RelayFamily::Series300)],
        fans: (1..=9).map(|n| (n, fan(n))).collect(),
        fan_rules: FanRules {
            on_above: w(400.0),
            off_below: w(50.0),
            prove_within: Seconds(60),
            stages: vec![FanStage { above: f(-40.0), run: 3 }, FanStage { above: f(75.0), run: 7 }],
            hysteresis_k: 2.2,
            min_running: 3,
            min_switch_time: Seconds(240),
            settle_time: Seconds(1800),
            step_time: Seconds(120),
            run_on: Seconds(300),
            off_room_above: f(95.0),
            before_resume: 5,
            max_switchings_per_hour: 12,
            capacity: Vec::new(),
            rotate_after: Seconds(86_400),
        },
        climate: ClimateConfig {
            shed_above: f(104.0),
            resume_below: f(93.0),
            critical_above: f(113.0),
            resume_min: f(-22.0),
            preheat_limit: Seconds(1800),
            shed_rise_k: 1.0,
            stuck_after: Seconds(21_600),
            max_age: Seconds(240),
            lost_limit: Seconds(600),
        },
        miners: MinersConfig {
            off_below: w(20_000.0),
            on_above: w(50_000.0),
            off_share: 0.25,
            foreman_limit: Seconds(150),
            outlets_limit: Seconds(120),
            sweep_after: Seconds(180),
            deadline: Seconds(360),
            min_off: Seconds(600),
            resume_after: Seconds(240),
            resume_groups: 4,
            group_limit: Seconds(360),
            outlet_off_below: w(60.0),
        },
        foreman: ForemanConfig {
            name: "foreman".into(),
            url: "http://127.0.0.1:1".into(),
            client_id: 7,
            api_key: Secret::new("never-on-the-page"),
            miners: MinerChoice::All,
            call_pause: Seconds(1),
            batch: 40,
            timeout: Seconds(10),
        },
        pdus: PDUS.into_iter().map(pdu_config).collect(),
        notify: NotifyConfig {
            heartbeat: vec![],
            info: vec![],
            warning: vec![],
            emergency: vec![],
            heartbeat_interval: Seconds(3600),
            warning_reminder: Seconds(14_400),
            emergency_reminder: Seconds(900),
            max_per_hour: 30,
            give_up_after: Seconds(172_800),
            send_limit: Seconds(20),
        },
        telegram: None,
        email: None,
        sms: None,
        dead_man: None,
        overrides: OverridesConfig { default_time: Seconds(3600), max_time: Seconds(86_400) },
        history: HistoryConfig { keep_days: 400 },
        costs: costs(),
    }
}

fn costs() -> CostsConfig {
    CostsConfig {
        demand_charge: Dollars::new(15.0).unwrap(),
        demand_charge_for: ChargePeriod::Month,
        billing_interval: Seconds(1800),
        energy_price: Dollars::new(0.07).unwrap(),
        needless_off_per_hour: Dollars::new(50.0).unwrap(),
    }
}

/// One pass in which everything answered; `watts` of all PDUs together, `fans_on` fans running.
pub(crate) fn snapshot(watts: f64, fans_on: u8, signal: f64) -> Snapshot {
    let m = |value: f64, age: u64| Measured { value: w(value), age: Seconds(age) };
    let probe = |celsius: f64, humidity: Option<f64>| ProbeReading {
        temperature: Ok(c(celsius)),
        humidity: humidity.map(|h| Ok(Humidity::new(h).unwrap())),
    };
    let room = RoomReading {
        serial: "RA-1".into(),
        uptime: Some(Seconds(77_000)),
        probes: BTreeMap::from([
            ("intake-west".into(), probe(24.6, Some(41.0))),
            ("intake-east".into(), probe(25.1, Some(39.0))),
            ("exhaust".into(), probe(38.4, None)),
            ("middle".into(), probe(29.9, Some(33.0))),
        ]),
        switches: ["smoke", "water", "door"].into_iter().map(|n| (n.to_owned(), Ok(false))).collect(),
    };
    let fan_watts = (1..=9).map(|n: u8| {
        let value = if n <= fans_on { 1180.0 + f64::from(n) * 9.0 } else { 2.0 };
        (n, Ok(m(value, 6)))
    });
    let pdu = |share: f64| PduReading {
        total: Ok(m(share, 3)),
        outlets: (1..=48)
            .map(|n: u32| (n.to_string(), OutletReading { on: Ok(true), watts: Ok(m(share / 48.0, 3)) }))
            .collect(),
        newest: None,
        remarks: vec![],
    };
    let online = if watts > 50_000.0 { 296 } else { 4 };
    Snapshot {
        troubles: Vec::new(),
        at: at(4),
        signal: Ok(SignalReading {
            text: format!("{signal} MW"),
            value: SignalValue::Number(signal),
            stamp: Some(UnixSeconds(NOW - 95)),
            hash: "9f2c41d07be65a18".into(),
        }),
        rooms: BTreeMap::from([("room-alert".to_owned(), Ok(room))]),
        fan_watts: Ok(FanWattsReading { fans: fan_watts.collect(), row_time: None }),
        boards: BTreeMap::new(),
        pdus: PDUS
            .iter()
            .enumerate()
            .map(|(i, n)| ((*n).to_owned(), Ok(pdu(watts / 6.0 * (0.9 + 0.04 * i as f64)))))
            .collect(),
        foreman: Ok(ForemanReading {
            online: Some(online),
            total: Some(301),
            hash_rate: Some(Terahashes::new(f64::from(online) * 104.0).unwrap()),
            estimated: Some(w(watts * 1.06)),
            miners: vec![],
            commands: BTreeMap::new(),
            remarks: vec![],
        }),
        took_ms: [
            ("room-alert", 41),
            ("iotawatt", 230),
            ("foreman", 612),
            ("relays-a", 18),
            ("pdu-a", 55),
            ("signal", 340),
        ]
        .into_iter()
        .map(|(n, ms)| (n.to_owned(), ms))
        .collect(),
    }
}

fn fan_state(n: u8, on: bool) -> FanState {
    FanState {
        watts_by_hand: false,
        wanted: on,
        commanded: Some(LastGood { value: on, at: at(7_000 + u64::from(n) * 60) }),
        relay: Some(on),
        watts: Some(w(if on { 1190.0 } else { 2.0 })),
        proven: Some(on),
        disagrees: None,
        fault: None,
        run_time: Seconds(5_300_000 + u64::from(n) * 40_000),
        switchings: vec![],
    }
}

fn event(ago: i64, kind: EventKind, subject: &str, text: &str) -> Event {
    Event { at: UnixSeconds(NOW - ago), kind, subject: subject.into(), text: text.into() }
}

/// A day of points every two minutes, made of a small pseudo-random walk: a call from 16:00 to 18:30 of yesterday.
pub(crate) fn history(probes: usize) -> History {
    let mut seed = 42_u64;
    let mut noise = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 40) as f64 / f64::from(1_u32 << 24) - 0.5
    };
    let mut history = History::default();
    let mut put = |name: String, at: i64, value: Option<f64>| {
        history.series.entry(name).or_default().push((UnixSeconds(at), value));
    };
    for step in (0..720).rev() {
        let time = NOW - step * 120;
        // The program was not running for half an hour.
        if (200..215).contains(&step) {
            continue;
        }
        let hours = step as f64 / 30.0;
        let off = (17.5..20.0).contains(&hours);
        let warm = 24.0 - (hours - 19.0).abs() * 0.9;
        put("curtail".into(), time, Some(f64::from(u8::from(off))));
        put("signal".into(), time, Some(238.0 + 62.0 * (-(hours - 18.8).powi(2) / 9.0).exp() + 18.0 * noise()));
        let load = if off { 6_100.0 } else { 812_000.0 };
        put("miners_w".into(), time, Some(load + 9_000.0 * noise()));
        for (i, pdu) in PDUS.iter().enumerate() {
            let value = load / 6.0 * (0.9 + 0.04 * i as f64) + 3000.0 * noise();
            put(format!("pdu.{pdu}_w"), time, (!(i == 3 && (300..330).contains(&step))).then_some(value.max(0.0)));
        }
        put("miners_online".into(), time, Some(if off { 4.0 } else { 296.0 + (3.0 * noise()).round() }));
        put("hash_rate_ths".into(), time, Some(if off { 0.0 } else { 30_780.0 + 250.0 * noise() }));
        let fans = if off {
            2
        } else if warm > 22.0 {
            9
        } else {
            7
        };
        put("fans_on".into(), time, Some(f64::from(fans)));
        for n in 1..=9_u8 {
            let on = n <= fans;
            put(format!("fan.{n}_w"), time, Some(if on { 1190.0 + 20.0 * noise() } else { 2.0 }));
            put(format!("fan.{n}_on"), time, Some(f64::from(u8::from(on))));
        }
        let names = ["intake-west", "intake-east", "exhaust", "middle"];
        for i in 0..probes {
            let name = names.get(i).map_or_else(|| format!("probe-{i}"), |n| (*n).to_owned());
            let rise = if off { 2.0 } else { [0.0, 0.6, 13.5, 5.0].get(i).copied().unwrap_or(1.0) };
            put(format!("temperature.{name}_c"), time, Some(warm + rise + 0.4 * noise()));
            if i != 2 {
                put(format!("humidity.{name}_pct"), time, Some(44.0 - warm / 4.0 + i as f64 + noise()));
            }
        }
    }
    history
}

/// Mining, all well.
pub(crate) fn mining() -> Site {
    let mut state = SiteState::boot(at(4));
    state.last_pass = Some(at(2));
    state.last_run = Some(at(6));
    state.signal = SignalState {
        by_hand: false,
        page: None,
        why: String::new(),
        level: Level::Run,
        since: at(273_600),
        run_readings: 3,
        last_good: Some(LastGood { value: "238.4 MW".into(), at: at(4) }),
        changed: Some(at(244)),
    };
    state.climate.band = Band::Normal;
    state.climate.since = at(61_000);
    state.climate.intake = Some(c(25.1));
    state.climate.trusted = Some(at(4));
    for (name, value) in [("intake-west", 24.6), ("intake-east", 25.1), ("exhaust", 38.4), ("middle", 29.9)] {
        state.climate.probes.insert(name.into(), LastGood { value: c(value), at: at(4) });
    }
    state.demand = DemandState {
        reasons: BTreeSet::new(),
        since: at(273_600),
        too_few_since: None,
        allowed: None,
        over_since: None,
        under_since: None,
    };
    state.miners.phase = MinersPhase::Running;
    state.miners.watts = Some(w(812_400.0));
    state.fans = (1..=9).map(|n| (n, fan_state(n, n <= 7))).collect();
    for name in ["signal", "room-alert", "iotawatt", "foreman", "relays-a", "relays-b"].iter().chain(&PDUS) {
        state
            .devices
            .insert((*name).into(), DeviceHealth { failures: 0, counted: at(10), since: at(612_000), fault: None });
    }
    let reason = |subject: &str, text: &str| Reason { subject: subject.into(), text: text.into() };
    Site {
        cfg: config(),
        state,
        snapshot: Some(snapshot(812_400.0, 7, 238.4)),
        reasons: vec![
            reason("signal", "run: 238.4 is below 310, read 4 s ago"),
            reason("climate", "normal: hottest intake is 77.2 °F at `intake-east`"),
            reason("miners", "running: no reason to be off"),
            reason("fans", "7 wanted: the intake is above 75.0 °F"),
        ],
        overrides: vec![],
        events: vec![
            event(1_860, EventKind::State, "fans", "stage 7 of 9: intake 75.4 °F"),
            event(1_862, EventKind::Outcome, "fan 7", "on, read back"),
            event(1_863, EventKind::Command, "fan 7", "on: the intake is above 75.0 °F"),
            event(61_200, EventKind::State, "miners", "running: group 4 of 4 draws power, 809 kW"),
            event(63_000, EventKind::State, "miners", "resuming: demand has allowed it for 4 min"),
            event(71_900, EventKind::State, "miners", "curtailed: proven off by 6.1 kW, 94 s after the signal"),
            event(71_994, EventKind::State, "signal", "curtail: 311.2 is not below 310"),
            event(90_000, EventKind::Fault, "pdu-d", "answers again after 14 min"),
            event(90_840, EventKind::Fault, "pdu-d", "timed out: no answer within 4 s"),
        ],
        log: vec![
            "2026-11-22T12:00:06-06:00 INFO  tick: done in 1.9 s, 11 devices, 0 faults".into(),
            "2026-11-22T12:02:05-06:00 INFO  tick: started".into(),
            "2026-11-22T12:02:07-06:00 INFO  signal: run, `238.4 MW`, 340 ms".into(),
            "2026-11-22T12:02:09-06:00 INFO  tick: done in 2.1 s, 11 devices, 0 faults".into(),
        ],
        history: history(4),
        calls: crate::calls::past(),
        call: None,
        now: at(0),
        test_clock: false,
        lost: vec![],
    }
}

fn asked(state: &mut SiteState, number: u64, complete: u64) {
    for id in 0..number {
        let status = if id < complete { CommandStatus::Complete } else { CommandStatus::Pending };
        let asked = Asked {
            mode: PowerMode::Sleeping,
            at: at(60),
            command: Some(9_000 + id),
            status: Some(status),
            before: PowerMode::Normal,
        };
        state.miners.asked.insert(id, asked);
    }
}

fn curtail(site: &mut Site, seen: u64) {
    site.state.signal.level = Level::Curtail;
    site.state.signal.since = at(seen);
    site.state.signal.run_readings = 0;
    site.state.signal.last_good = Some(LastGood { value: "314.9 MW".into(), at: at(4) });
    site.state.demand = DemandState {
        reasons: BTreeSet::from([OffReason::Curtail]),
        since: at(seen),
        too_few_since: None,
        allowed: None,
        over_since: None,
        under_since: None,
    };
    site.state.call = Some(Call {
        seen: at(seen),
        first_command: Some(at(seen - 2)),
        watts_before: Some(w(811_900.0)),
        proven: None,
        rung: Some(Rung::Foreman),
        reasons: BTreeSet::from([OffReason::Curtail]),
        score: Score::default(),
    });
    site.reasons[0].text = "curtail: 314.9 is not below 310, read 4 s ago".into();
}

/// The signal says curtail, Foreman is putting the miners to sleep.
pub(crate) fn curtailing() -> Site {
    let mut site = mining();
    curtail(&mut site, 42);
    site.snapshot = Some(snapshot(512_000.0, 7, 314.9));
    site.state.miners.phase = MinersPhase::Curtailing { since: at(40), rung: Rung::Foreman, rung_since: at(40) };
    site.state.miners.watts = Some(w(512_000.0));
    asked(&mut site.state, 212, 118);
    site.call = Some(crate::calls::going_on(42));
    site
}

/// Proven off.
pub(crate) fn curtailed() -> Site {
    let mut site = mining();
    curtail(&mut site, 2_494);
    site.snapshot = Some(snapshot(6_100.0, 2, 314.9));
    site.state.miners.phase = MinersPhase::Curtailed { since: at(2_400) };
    site.state.miners.watts = Some(w(6_100.0));
    site.state.miners.proven_off = Some(at(2_400));
    site.state.call.as_mut().unwrap().proven = Some(at(2_400));
    site.call = Some(CallRecord {
        signal_time: Seconds(2_494),
        signal_cleared: None,
        cleared: None,
        resumed: None,
        resume_time: None,
        ended: None,
        ..crate::calls::met(2_494)
    });
    site.state.fans = (1..=9).map(|n| (n, fan_state(n, n <= 2))).collect();
    asked(&mut site.state, 297, 297);
    for outlet in ["3", "17", "41"] {
        site.state.miners.cut.insert(OutletRef { pdu: "pdu-b".into(), outlet: outlet.into() });
    }
    site
}

/// Two of four groups started.
pub(crate) fn resuming() -> Site {
    let mut site = mining();
    site.state.demand.since = at(700);
    site.state.miners.phase =
        MinersPhase::Resuming { since: at(400), group: 2, group_since: at(95), watts_before: w(204_000.0) };
    site.state.miners.watts = Some(w(318_000.0));
    site.snapshot = Some(snapshot(318_000.0, 7, 262.0));
    site
}

/// First run: nothing is known.
pub(crate) fn boot() -> Site {
    let mut site = mining();
    site.state = SiteState::boot(at(1));
    site.snapshot = None;
    site.reasons.clear();
    site.events.clear();
    site.log.clear();
    site.calls.clear();
    site.history = History::default();
    site.cfg.mode = Mode::Observe;
    site
}

/// Every device fails and every alarm stands.
pub(crate) fn broken() -> Site {
    let mut site = mining();
    let fault = |device: &str, kind, detail: &str| Fault::new(device, kind, detail);
    let no_answer = |device: &str| fault(device, FaultKind::TimedOut, "no answer within 4 s (http://10.0.0.7/)");
    let snapshot = site.snapshot.as_mut().unwrap();
    snapshot.signal = Err(fault("signal", FaultKind::Unreadable, "selector `#load-number` matches nothing"));
    snapshot.rooms.insert("room-alert".into(), Err(no_answer("room-alert")));
    snapshot.fan_watts = Err(fault("iotawatt", FaultKind::Stale, "newest row is 14 min old, allowed are 30 s"));
    for (i, name) in PDUS.iter().enumerate() {
        if i != 1 {
            snapshot.pdus.insert((*name).into(), Err(no_answer(name)));
        }
    }
    snapshot.foreman = Err(fault("foreman", FaultKind::Refused, "401: other credentials are wanted"));
    let state = &mut site.state;
    state.signal.level = Level::Blind;
    state.signal.since = at(70);
    state.signal.last_good = Some(LastGood { value: "301.7 MW".into(), at: at(670) });
    state.climate.band = Band::Unknown;
    state.climate.intake = None;
    for probe in state.climate.probes.values_mut() {
        probe.at = at(124);
    }
    state.climate.probes.get_mut("exhaust").unwrap().at = at(900);
    state.demand = DemandState {
        reasons: BTreeSet::from([OffReason::Blind, OffReason::TemperatureLost, OffReason::TooFewFans]),
        since: at(400),
        too_few_since: None,
        allowed: None,
        over_since: None,
        under_since: None,
    };
    state.miners.phase = MinersPhase::Curtailing { since: at(400), rung: Rung::Outlets, rung_since: at(250) };
    state.miners.watts = None;
    asked(state, 212, 0);
    for (n, fault) in [(2, FanFault::Dead), (5, FanFault::Welded), (8, FanFault::RelayIgnores)] {
        let fan = state.fans.get_mut(&n).unwrap();
        fan.fault = Some(fault);
        fan.proven = None;
    }
    for n in [1, 3, 4, 6, 7, 9] {
        let fan = state.fans.get_mut(&n).unwrap();
        (fan.proven, fan.watts, fan.relay) = (None, None, if n > 5 { None } else { Some(true) });
        fan.wanted = true;
    }
    let alarm = |severity, text: &str, since, by: Option<&str>| Alarm {
        gone: None,
        flapping: false,
        severity,
        text: text.into(),
        since: at(since),
        told: at(60),
        times_told: 3,
        acknowledged_by: by.map(str::to_owned),
    };
    state.alarms = BTreeMap::from([
        (
            "miners-not-off".into(),
            alarm(
                Severity::Emergency,
                "miners are not proven off 6 min 40 s after the first command: no fresh watts from 5 of 6 PDUs",
                40,
                None,
            ),
        ),
        ("fan-2".into(), alarm(Severity::Warning, "fan 2: dead (relay on, no watts)", 5_400, Some("dana@pi pts/0"))),
        ("signal-blind".into(), alarm(Severity::Warning, "the power signal cannot be read for 11 min", 70, None)),
    ]);
    for (name, health) in &mut state.devices {
        if name != "relays-a" && name != "pdu-b" {
            *health = DeviceHealth { failures: 5, counted: at(10), since: at(600), fault: Some(no_answer(name)) };
        }
    }
    site.overrides = vec![
        Override {
            setting: Setting::Fan { fan: 9, on: true },
            since: at(600),
            lasts: Seconds(3600),
            by: "dana@pi pts/0".into(),
            reason: "more air while I am on the phone".into(),
        },
        Override {
            setting: Setting::Temperature { probe: "intake-west".into(), value: f(99.0) },
            since: at(300),
            lasts: Seconds(1800),
            by: "web".into(),
            reason: "probe fell off".into(),
        },
    ];
    site.lost = vec!["store: the database was damaged and repaired; 2 events are lost".into()];
    site
}

/// Labels as a hostile or careless device could send them.
pub(crate) fn hostile() -> Site {
    let mut site = mining();
    let labels = [
        "<script>alert(1)</script>".to_owned(),
        "\"quotes' & <b onmouseover=x>`{{s.site}}`".to_owned(),
        "x".repeat(500),
        "مدخل \u{202e}gnp.exe 🌡🔥 \u{1b}[31m\0".to_owned(),
    ];
    for (probe, label) in site.cfg.rooms[0].probes.iter_mut().zip(&labels) {
        probe.name.clone_from(label);
    }
    site.cfg.site.name.clone_from(&labels[0]);
    for label in &labels {
        site.history.series.insert(format!("temperature.{label}_c"), vec![(UnixSeconds(NOW - 9), Some(30.0))]);
        site.history.series.insert(format!("fan.{label}_on"), vec![(UnixSeconds(NOW - 9), Some(1.0))]);
        site.events.push(event(5, EventKind::Program, label, label));
        site.log.push(label.clone());
        site.lost.push(label.clone());
        site.reasons.push(Reason { subject: label.clone(), text: label.clone() });
        let alarm = Alarm {
            gone: None,
            flapping: false,
            severity: Severity::Warning,
            text: label.clone(),
            since: at(9),
            told: at(9),
            times_told: 1,
            acknowledged_by: Some(label.clone()),
        };
        site.state.alarms.insert(label.clone(), alarm);
        site.overrides.push(Override {
            setting: Setting::Switch { name: label.clone(), alarm: false },
            since: at(5),
            lasts: Seconds(60),
            by: label.clone(),
            reason: label.clone(),
        });
        site.state.devices.insert(
            label.clone(),
            DeviceHealth {
                failures: 1,
                counted: at(9),
                since: at(9),
                fault: Some(Fault::new(label.clone(), FaultKind::Unreadable, label.clone())),
            },
        );
    }
    site.state.signal.last_good = Some(LastGood { value: labels[0].clone(), at: at(4) });
    let stragglers = Stragglers { count: 4, names: labels.to_vec(), unread: 0 };
    site.calls.push(CallRecord { stragglers: Some(stragglers), ..crate::calls::met(86_400) });
    site
}

/// Every state by name.
pub(crate) fn all() -> Vec<(&'static str, Site)> {
    vec![
        ("mining", mining()),
        ("curtailing", curtailing()),
        ("curtailed", curtailed()),
        ("resuming", resuming()),
        ("boot", boot()),
        ("broken", broken()),
        ("hostile", hostile()),
    ]
}

/// A folder of this test's own, below the build folder.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pages").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
