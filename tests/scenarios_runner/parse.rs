//! Reads a story strictly: an unknown word, a misspelt name, a step out of order is a mistake with its line and the way
//! out. A story that expects nothing is refused: it could not fail.

use std::path::Path;

use minectl::config::{self, Config, nearest};
use minectl::units::Temperature;

use super::conditions::Condition;
use super::words::{Args, parts, split, time, understand};
use super::world::EVENTS;
use super::{Time, clock};

/// A story.
#[derive(Debug, Clone)]
pub struct Story {
    /// The file's name without its ending.
    pub name: String,
    pub title: String,
    pub lines: Vec<String>,
    /// Why the rules do not do this yet.
    pub pending: Option<String>,
    pub cfg: Config,
    pub start: Start,
    pub start_line: usize,
    pub happenings: Vec<Happening>,
    pub expectations: Vec<Expectation>,
    pub end: Time,
}

/// How the story finds the mine.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    pub how: &'static str,
    pub intake_c: f64,
}

const STARTS: &[&str] = &["running", "curtailed", "first run", "first run with the miners asleep"];

/// Something that happens.
#[derive(Debug, Clone)]
pub struct Happening {
    pub line: usize,
    pub time: Time,
    pub event: usize,
    pub args: Args,
    pub text: String,
}

/// A line that expects something.
#[derive(Debug, Clone)]
pub struct Expectation {
    pub line: usize,
    pub when: When,
    pub conditions: Vec<Condition>,
}

/// When it is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// True at this moment.
    At(Time),
    /// True at some moment after the last happening above (its time), up to this time.
    By { after: Time, limit: Time },
    /// True throughout, from the first time up to, but not at, the second.
    Throughout(Time, Time),
    /// Not true at any moment of it.
    Never(Time, Time),
}

const STEPS: &str = "`config`, `pending:`, `start`, `at`, `by`, `from`, `until`, `always`, `never`, `end`";

/// Reads a story; `Err` is the mistake as `name:line: cause; way out`.
pub fn parse(name: &str, text: &str) -> Result<Story, String> {
    let mut reader = Reader::new(name);
    for (place, line) in text.lines().enumerate() {
        reader.line = place + 1;
        reader.read(line.trim()).map_err(|why| format!("{name}:{}: {why}", place + 1))?;
    }
    reader.finish(text).map_err(|why| format!("{name}: {why}"))
}

struct Reader {
    name: String,
    line: usize,
    title: String,
    in_prose: bool,
    pending: Option<String>,
    config: String,
    cfg: Option<Config>,
    start: Option<(usize, Start)>,
    happenings: Vec<Happening>,
    expectations: Vec<Expectation>,
    /// The latest time of the lines so far, with its line; that of the `at` lines alone; and that of the last `expect`.
    reached: (Time, usize),
    at_reached: (Time, usize),
    expected_at: Option<Time>,
    end: Option<Time>,
}

impl Reader {
    fn new(name: &str) -> Reader {
        Reader {
            name: name.to_owned(),
            line: 0,
            title: String::new(),
            in_prose: true,
            pending: None,
            config: include_str!("../../config.txt").to_owned(),
            cfg: None,
            start: None,
            happenings: Vec::new(),
            expectations: Vec::new(),
            reached: (0, 0),
            at_reached: (0, 0),
            expected_at: None,
            end: None,
        }
    }

    fn read(&mut self, line: &str) -> Result<(), String> {
        if self.title.is_empty() {
            let title = line.strip_prefix("# ").ok_or("a story begins with its title: `# What happens`")?;
            title.trim().clone_into(&mut self.title);
            return Ok(());
        }
        if self.in_prose {
            // The paragraph below the title says in plain words what the story is about.
            self.in_prose = !line.is_empty();
            return Ok(());
        }
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        if self.end.is_some() {
            return Err("nothing comes after `end`; move this line above it".to_owned());
        }
        let (first, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim();
        match first {
            "pending:" => self.pending(rest),
            "config" => self.set(rest),
            "start" => self.begin(rest),
            "at" => self.at(rest),
            "by" => self.by(rest),
            "from" => self.from(rest),
            "until" => {
                let (limit, rest) = self.time_of(rest)?;
                let (is_never, rest) = never(rest);
                self.expect(throughout(is_never, 0, limit), rest)
            }
            "always" => self.expect(When::Throughout(0, Time::MAX), rest),
            "never" => self.expect(When::Never(0, Time::MAX), rest),
            "end" => {
                let (end, rest) = self.time_of(rest)?;
                self.end = Some(end);
                if rest.is_empty() { Ok(()) } else { Err(format!("`{rest}` is too much after `end {}`", clock(end))) }
            }
            other => Err(
                match nearest(
                    other.trim_end_matches(':'),
                    ["config", "pending", "start", "until", "always", "never", "from"],
                ) {
                    Some(meant) => {
                        format!("unknown word `{other}`; did you mean `{meant}`? A line begins with {STEPS}")
                    }
                    None => format!("unknown word `{other}`; a line begins with {STEPS}"),
                },
            ),
        }
    }

    fn before_start(&self, what: &str) -> Result<(), String> {
        match &self.start {
            Some((line, _)) => Err(format!("`{what}` comes too late; write it above `start` in line {line}")),
            None => Ok(()),
        }
    }

    fn pending(&mut self, reason: &str) -> Result<(), String> {
        self.before_start("pending:")?;
        if reason.is_empty() {
            return Err("say why it is pending: `pending: the rule is not there yet`".to_owned());
        }
        self.pending = Some(reason.to_owned());
        Ok(())
    }

    fn set(&mut self, rest: &str) -> Result<(), String> {
        self.before_start("config")?;
        let (key, value) = rest.split_once('=').ok_or("write `config signal.when_blind = hold`")?;
        let (key, value) = (key.trim(), value.trim());
        let inspection = config::inspect(&self.config, "config.txt", Path::new("/nowhere"));
        let keys: Vec<&str> = inspection.entries.iter().map(|entry| entry.path.as_str()).collect();
        // `fan.*.wiring` is the key of every fan.
        let (head, tail) = key.split_once('*').unwrap_or((key, ""));
        let is_meant = |path: &str| {
            path == key
                || (key.contains('*') && path.len() > key.len() - 1 && path.starts_with(head) && path.ends_with(tail))
        };
        let count = keys.iter().filter(|path| is_meant(path)).count();
        if count == 0 {
            let hint = nearest(key, keys).map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
            return Err(format!("there is no configuration key `{key}`{hint}"));
        }
        for place in 0..count {
            let inspection = config::inspect(&self.config, "config.txt", Path::new("/nowhere"));
            let entry = inspection.entries.iter().filter(|entry| is_meant(&entry.path)).nth(place);
            let entry = entry.ok_or("the key is lost")?;
            self.config = config::with_value(&self.config, entry, value)?;
        }
        Ok(())
    }

    fn begin(&mut self, rest: &str) -> Result<(), String> {
        self.before_start("start")?;
        let (how, intake) = rest.split_once(" at ").unwrap_or((rest, "70 F"));
        let how = STARTS.iter().find(|known| **known == how.trim()).ok_or_else(|| {
            let hint = nearest(how, STARTS.iter().copied()).map(|meant| format!("; did you mean `{meant}`?"));
            format!("cannot start `{how}`{}; write `start` and {}", hint.unwrap_or_default(), STARTS.join(", or "))
        })?;
        let intake: Temperature =
            intake.trim().parse().map_err(|error| format!("{error}; write `start running at 95 F`"))?;
        self.cfg =
            Some(config::parse(&self.config, "config.txt", Path::new("/nowhere")).map_err(|all| all.join("; "))?);
        self.start = Some((self.line, Start { how, intake_c: intake.value() }));
        self.reached = (0, self.line);
        self.at_reached = (0, self.line);
        Ok(())
    }

    fn cfg(&self) -> Result<Config, String> {
        self.cfg.clone().ok_or_else(|| "the story has not begun; write `start running` above".to_owned())
    }

    /// The time that a line begins with, and the rest.
    fn time_of<'l>(&self, rest: &'l str) -> Result<(Time, &'l str), String> {
        self.cfg()?;
        let (word, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        Ok((time(word)?, rest.trim()))
    }

    /// What happens comes after all that was expected before it; what is expected, after all that happened before it.
    fn in_order(&mut self, time: Time, is_at: bool) -> Result<(), String> {
        let (reached, line) = if is_at { self.reached } else { self.at_reached };
        if time < reached {
            return Err(format!(
                "{} comes after {} of line {line}; put the lines in order",
                clock(time),
                clock(reached)
            ));
        }
        if time >= self.reached.0 {
            self.reached = (time, self.line);
        }
        if is_at {
            self.at_reached = (time, self.line);
        }
        Ok(())
    }

    fn at(&mut self, rest: &str) -> Result<(), String> {
        let (at, rest) = self.time_of(rest)?;
        self.in_order(at, true)?;
        if let Some(("expect", rest)) = rest.split_once(char::is_whitespace) {
            self.expected_at = Some(at);
            return self.expect(When::At(at), rest.trim());
        }
        if self.expected_at == Some(at) {
            return Err(format!("`expect` above is for the end of {}; put this line above it, or later", clock(at)));
        }
        let cfg = self.cfg()?;
        for part in parts(rest) {
            let (event, args) = understand(&cfg, &split(part)?, EVENTS.iter().map(|(phrase, _)| *phrase))?;
            let text = part.to_owned();
            self.happenings.push(Happening { line: self.line, time: at, event, args, text });
        }
        if rest.is_empty() { Err("say what happens, or `expect` and what must be".to_owned()) } else { Ok(()) }
    }

    fn by(&mut self, rest: &str) -> Result<(), String> {
        let (limit, rest) = self.time_of(rest)?;
        self.in_order(limit, false)?;
        let after = self.happenings.last().map_or(0, |happening| happening.time);
        self.expect(When::By { after, limit }, rest)
    }

    fn from(&mut self, rest: &str) -> Result<(), String> {
        let (begin, rest) = self.time_of(rest)?;
        let rest = rest.strip_prefix("to ").ok_or("write `from 0:10 to 0:20` and what must hold")?;
        let (end, rest) = self.time_of(rest)?;
        if end <= begin {
            return Err(format!("{} is not after {}", clock(end), clock(begin)));
        }
        let (is_never, rest) = never(rest);
        self.expect(throughout(is_never, begin, end), rest)
    }

    fn expect(&mut self, when: When, rest: &str) -> Result<(), String> {
        let cfg = self.cfg()?;
        let conditions = parts(rest).into_iter().map(|part| Condition::read(&cfg, &split(part)?));
        let conditions = conditions.collect::<Result<Vec<_>, String>>()?;
        if conditions.iter().any(|condition| condition.is_again) && !matches!(when, When::By { .. }) {
            return Err("`again` is for `by` only".to_owned());
        }
        if conditions.is_empty() {
            return Err("say what must be: such as `miners curtailed`".to_owned());
        }
        self.expectations.push(Expectation { line: self.line, when, conditions });
        Ok(())
    }

    fn finish(self, text: &str) -> Result<Story, String> {
        let Some((start_line, start)) = self.start else {
            return Err(
                "the story does not begin: after the title, a paragraph and an empty line write `start running`"
                    .to_owned(),
            );
        };
        if self.expectations.is_empty() {
            return Err("the story expects nothing and cannot fail; write `by`, `never` or `at ... expect`".to_owned());
        }
        let times = self.expectations.iter().filter_map(|expectation| match expectation.when {
            When::At(t) | When::By { limit: t, .. } | When::Throughout(_, t) | When::Never(_, t) => {
                (t != Time::MAX).then_some(t)
            }
        });
        let last = times.chain(self.happenings.iter().map(|happening| happening.time)).max().unwrap_or(0);
        let end = self.end.unwrap_or(last);
        if end < last {
            return Err(format!("the story ends at {} and has a line for {}", clock(end), clock(last)));
        }
        if end == 0 {
            return Err("the story takes no time; write `end 0:30`".to_owned());
        }
        let mut expectations = self.expectations;
        for expectation in &mut expectations {
            match &mut expectation.when {
                When::Throughout(_, t) | When::Never(_, t) => *t = if *t == Time::MAX { end + 1 } else { *t },
                When::At(_) | When::By { .. } => {}
            }
        }
        Ok(Story {
            name: self.name,
            title: self.title,
            lines: text.lines().map(str::to_owned).collect(),
            pending: self.pending,
            cfg: self.cfg.ok_or("no configuration")?,
            start,
            start_line,
            happenings: self.happenings,
            expectations,
            end,
        })
    }
}

fn never(rest: &str) -> (bool, &str) {
    rest.strip_prefix("never ").map_or((false, rest), |rest| (true, rest))
}

fn throughout(is_never: bool, begin: Time, end: Time) -> When {
    if is_never { When::Never(begin, end) } else { When::Throughout(begin, end) }
}
