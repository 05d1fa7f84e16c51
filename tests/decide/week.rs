//! What a person gets in a week, story by story and channel by channel: the real rules and the real queue, in virtual time
//! and without a socket.

use std::collections::BTreeMap;

use minectl::config::Config;
use minectl::model::*;
use minectl::notify;
use minectl::units::*;

use crate::scene::{self, Scene};

const DAY: u64 = 86_400;

/// Four miners on two PDUs: a week of them is played in a second.
fn small() -> Config {
    let mut cfg = scene::config();
    for pdu in &mut cfg.pdus {
        pdu.outlets.truncate(2);
    }
    (cfg.miners.off_below, cfg.miners.on_above) = (Watts::new(400.0).unwrap(), Watts::new(1000.0).unwrap());
    cfg
}

/// A mine, its outbox, and the telephone.
struct Week {
    scene: Scene,
    outbox: Vec<OutboxEntry>,
    sent: BTreeMap<Channel, Vec<Moment>>,
    last_id: u64,
    internet: bool,
    /// What arrived: when (seconds into the week), where, and what it says.
    arrived: Vec<(u64, notify::Due)>,
    records: Vec<String>,
}

impl Week {
    fn new() -> Week {
        let mut scene = Scene::with(small());
        scene.minutes(10);
        assert_eq!(scene.phase(), "running");
        scene.notices.clear();
        let (outbox, sent, arrived, records) = (Vec::new(), BTreeMap::new(), Vec::new(), Vec::new());
        Week { scene, outbox, sent, last_id: 0, internet: true, arrived, records }
    }

    /// Plays a week of runs, in which page, weather and watts move. `happens` is called before each, with the seconds since its
    /// beginning, and says whether this is a time to look at closely: a run each two minutes, else each twelve.
    fn play(mut self, mut happens: impl FnMut(&mut Week, u64) -> bool) -> Week {
        let mut time = 0;
        while time < 7 * DAY {
            let hour = (time / 3600) as f64;
            self.scene.intake_c = Some(20.0 + hour % 5.0);
            self.scene.signal = Some(250.0 + hour % 7.0);
            self.scene.quirks.more_watts = hour % 5.0;
            let is_busy = happens(&mut self, time) || time < 3600;
            let interval = if is_busy { 120 } else { 720 };
            // As if it had always been configured so, or runs would count as missed.
            if self.scene.cfg.loop_interval != Seconds(interval) {
                self.scene.cfg.loop_interval = Seconds(interval);
                self.scene.state.last_run = None;
            }
            self.scene.run();
            self.deliver(time);
            self.scene.wait(interval - 120);
            time += interval;
        }
        self
    }

    fn deliver(&mut self, time: u64) {
        let (cfg, now) = (self.scene.cfg.clone(), self.scene.now);
        for notice in std::mem::take(&mut self.scene.notices) {
            for channel in notify::route(&cfg.notify, &notice) {
                self.last_id += 1;
                self.outbox.push(OutboxEntry::untried(self.last_id, channel, notice.clone()));
            }
        }
        self.sent.values_mut().for_each(|times| times.retain(|at| now.since(at) < Seconds(3600)));
        let counts = self.sent.iter().map(|(channel, times)| (*channel, times.len() as u32)).collect();
        let mut resting = Vec::new();
        for message in notify::due(&cfg, &self.outbox, &counts, now.wall, 4096) {
            if resting.contains(&message.channel) {
                continue;
            }
            let (ids, channel) = (message.ids.clone(), message.channel);
            let result = if self.internet {
                self.arrived.push((time, message));
                DeliveryResult::Accepted(None)
            } else {
                resting.push(channel);
                let fault = Fault::new(channel.word(), FaultKind::Unreachable, "no route to host");
                DeliveryResult::Later(fault, now.wall.plus(Seconds(900)))
            };
            let delivery = Delivery { ids, channel, result, reached: Vec::new() };
            let settled = notify::settle(&cfg, &mut self.outbox, &delivery, now.wall);
            self.records.extend(settled.told);
            if settled.counts {
                self.sent.entry(channel).or_default().push(now);
            }
        }
    }

    /// Messages by channel, without the silent ones: Telegram, email, SMS.
    fn rings(&self) -> [usize; 3] {
        Channel::ALL
            .map(|channel| self.arrived.iter().filter(|(_, due)| due.channel == channel && !due.is_silent).count())
    }

    fn texts(&self, channel: Channel) -> Vec<&str> {
        let ours = self.arrived.iter().filter(|(_, due)| due.channel == channel && !due.is_silent);
        ours.map(|(_, due)| due.text.as_str()).collect()
    }

    fn heartbeats(&self) -> usize {
        self.arrived.iter().filter(|(_, due)| due.is_silent).count()
    }
}

/// For `holds` of each `period`, on the second and third day.
fn comes_and_goes(time: u64, period: u64, holds: u64) -> bool {
    (DAY..3 * DAY).contains(&time) && time % period < holds
}

fn pull_the_probe(week: &mut Week, is_pulled: bool) {
    week.scene.probes_lost.clear();
    if is_pulled {
        week.scene.probes_lost.insert("intake-west".to_owned());
    }
}

fn acknowledge_all(week: &mut Week) {
    assert!(!week.scene.state.alarms.is_empty(), "nothing stands to be acknowledged");
    week.scene.state.alarms.values_mut().for_each(|alarm| alarm.acknowledged_by = Some("owner".to_owned()));
}

#[test]
fn a_week_in_which_nothing_happens_rings_no_telephone() {
    let week = Week::new().play(|_, _| false);
    assert_eq!(week.rings(), [0, 0, 0], "{:#?}", week.texts(Channel::Telegram));
    assert!((160..=168).contains(&week.heartbeats()), "one each hour: {}", week.heartbeats());
}

/// Raised and over twice, then flapping, and that it ended: not one message for each of the 192 times.
#[test]
fn a_probe_that_comes_and_goes_every_quarter_of_an_hour() {
    let week = Week::new().play(|week, time| {
        pull_the_probe(week, comes_and_goes(time, 900, 480));
        (DAY..4 * DAY).contains(&time)
    });
    let texts = week.texts(Channel::Telegram);
    assert_eq!(week.rings(), [6, 3, 0], "{texts:#?}");
    assert!(
        texts[4].contains("came and went 3 times in an hour; told again when it stays or is quiet for 1 h"),
        "{texts:#?}"
    );
    assert!(texts[5].contains("Over, no longer flapping: quiet for 1 h"), "{texts:#?}");
}

/// Never three times in an hour, and 72 times in two days.
#[test]
fn a_probe_that_comes_and_goes_every_forty_minutes() {
    let week = Week::new().play(|week, time| {
        pull_the_probe(week, comes_and_goes(time, 2400, 900));
        (DAY..4 * DAY).contains(&time)
    });
    let texts = week.texts(Channel::Telegram);
    assert_eq!(week.rings(), [12, 6, 0], "{texts:#?}");
    assert!(
        texts[10].contains("came and went 6 times in a day; told again when it stays or is quiet for 2 h"),
        "{texts:#?}"
    );
    assert!(texts[11].contains("Over, no longer flapping: quiet for 2 h"), "{texts:#?}");
}

/// Three times in two days is no flapping: each is told, and each end.
#[test]
fn a_probe_that_fails_now_and_then() {
    let week = Week::new().play(|week, time| {
        pull_the_probe(week, comes_and_goes(time, 16 * 3600, 1800));
        time % (16 * 3600) < 7200
    });
    assert_eq!(week.rings(), [6, 3, 0], "{:#?}", week.texts(Channel::Telegram));
}

#[test]
fn a_dead_fan_for_five_days_is_told_ever_more_rarely_and_once_when_it_was_acknowledged() {
    let dead = |acknowledged: bool| {
        Week::new().play(move |week, time| {
            let is_dead = (DAY..6 * DAY).contains(&time);
            week.scene.fans_dead = week.scene.cfg.fans.keys().copied().filter(|fan| is_dead && *fan == 1).collect();
            if acknowledged && time == DAY + 6 * 3600 {
                acknowledge_all(week);
            }
            (DAY..DAY + 6 * 3600).contains(&time) || (6 * DAY..6 * DAY + 3600).contains(&time)
        })
    };
    let week = dead(false);
    assert_eq!(week.rings(), [6, 5, 0], "{:#?}", week.texts(Channel::Telegram));
    let week = dead(true);
    assert_eq!(week.rings(), [2, 1, 0], "{:#?}", week.texts(Channel::Telegram));
}

/// Off within the deadline all the same; and when the internet is back, one message on each channel for the emergencies,
/// first, and one for the rest, each readable.
#[test]
fn a_day_without_internet_comes_out_as_a_digest_with_the_emergencies_first() {
    let week = Week::new().play(|week, time| {
        let is_down = (DAY..2 * DAY).contains(&time);
        week.internet = !is_down;
        week.scene.foreman_down = is_down;
        if is_down {
            week.scene.signal = None;
        }
        week.scene.smoke = (DAY + 3600..DAY + 4 * 3600).contains(&time);
        (DAY - 3600..DAY + 5 * 3600).contains(&time) || (2 * DAY - 3600..2 * DAY + 7200).contains(&time)
    });
    let texts = week.texts(Channel::Telegram);
    let digests: Vec<&&str> = texts.iter().take(2).collect();
    assert!(digests[0].starts_with("[Container 1] EMERGENCY: 12 messages waited since Sep 2"), "{texts:#?}");
    assert_eq!(digests[0].lines().count(), 2, "the reminders of one alarm are one line: {}", digests[0]);
    assert!(digests[0].contains("(12 times since ") && digests[0].contains("Switch `smoke` of room-alert is in alarm"));
    assert!(digests[1].starts_with("[Container 1] WARNING: "), "{}", digests[1]);
    assert!((8..20).contains(&digests[1].lines().count()) && !digests[1].contains(" more"), "{}", digests[1]);
    for part in
        ["Miners proven off in ", "Over after 3 h ", "WARNING: foreman: timed out", "WARNING: signal: timed out"]
    {
        assert_eq!(digests[1].matches(part).count(), 1, "{part}: {}", digests[1]);
    }
    let [telegram, email, sms] = week.rings();
    assert!((2..=8).contains(&telegram), "{texts:#?}");
    assert_eq!((email, sms), (2, 1), "{:#?}", week.texts(Channel::Email));
    assert!(week.records.is_empty(), "nothing was given up: {:?}", week.records);
}

#[test]
fn smoke_is_told_each_quarter_of_an_hour_until_someone_acknowledges_it() {
    let smoke = |acknowledged: bool| {
        Week::new().play(move |week, time| {
            week.scene.smoke = (DAY..DAY + 3 * 3600).contains(&time);
            if acknowledged && time == DAY + 1200 {
                acknowledge_all(week);
            }
            (DAY..DAY + 6 * 3600).contains(&time)
        })
    };
    // Beside the alarm: off, proven, over, resuming, running, the scorecard.
    let week = smoke(false);
    assert_eq!(week.rings(), [12 + 6, 12, 12], "{:#?}", week.texts(Channel::Telegram));
    let week = smoke(true);
    assert_eq!(week.rings(), [2 + 6, 2, 2], "{:#?}", week.texts(Channel::Telegram));
}

/// A call is seven lines on Telegram, and wakes nobody by mail or text message.
#[test]
fn three_calls_a_day_are_told_on_telegram_alone() {
    let week = Week::new().play(|week, time| {
        let hour = time % DAY / 3600;
        if [6, 12, 18].contains(&hour) {
            week.scene.signal = Some(350.0);
        }
        [6, 7, 12, 13, 18, 19].contains(&hour)
    });
    assert_eq!(week.rings(), [7 * 21, 0, 0], "{:#?}", week.texts(Channel::Telegram));
}

/// A channel that is dead for three days gives up what is older than two, and the record says what that was.
#[test]
fn what_waits_for_two_days_is_given_up_with_a_record_of_what_it_was() {
    let week = Week::new().play(|week, time| {
        week.internet = !(DAY..4 * DAY).contains(&time);
        week.scene.smoke = (DAY + 3600..DAY + 2 * 3600).contains(&time);
        (DAY..DAY + 3 * 3600).contains(&time)
    });
    let records = week.records.join("\n");
    assert!(records.contains("given up after 2 d: ") && records.contains("EMERGENCY: Switch `smoke`"), "{records}");
    assert!(week.outbox.is_empty(), "{:?}", week.outbox);
    assert!(
        week.texts(Channel::Telegram).iter().all(|text| text.lines().count() < 12),
        "{:#?}",
        week.texts(Channel::Telegram)
    );
}

/// A day of calls each half an hour, each seven lines: no hour brings more than its limit, what is over comes in one line
/// of each message, and smoke is told at once all the same.
#[test]
fn no_hour_brings_more_than_its_limit_and_emergencies_do_not_wait_for_it() {
    let mut week = Week::new();
    week.scene.cfg.notify.max_per_hour = 6;
    let smoke = 2 * DAY - 3600;
    let week = week.play(|week, time| {
        let called = (DAY..2 * DAY).contains(&time) && time % 1800 < 600;
        week.scene.signal = called.then_some(350.0).or(week.scene.signal);
        week.scene.smoke = (smoke..smoke + 600).contains(&time);
        (DAY..2 * DAY + 3600).contains(&time)
    });
    let telegram: Vec<&(u64, notify::Due)> =
        week.arrived.iter().filter(|(_, due)| due.channel == Channel::Telegram).collect();
    let is_emergency = |due: &notify::Due| due.text.contains("EMERGENCY");
    for (time, _) in &telegram {
        let hour = telegram.iter().filter(|(at, due)| (*time..time + 3600).contains(at) && !is_emergency(due));
        assert!(hour.count() <= 6, "in the hour from {time} s");
    }
    let told = telegram.iter().map(|(_, due)| due.text.as_str()).collect::<Vec<_>>().join("\n");
    assert_eq!(told.matches("Miners proven off in").count(), 48, "each call is told, if in a line: {told}");
    assert!(told.contains(" messages waited since "), "{told}");
    let alarm = telegram.iter().find(|(_, due)| is_emergency(due)).unwrap();
    assert!((smoke..=smoke + 120).contains(&alarm.0), "told {} s late", alarm.0.abs_diff(smoke));
    assert!(week.outbox.is_empty(), "{:?}", week.outbox);
}
