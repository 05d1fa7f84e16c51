//! A recorded run as it is read, and an incident's file: a header, then the lines of its runs. A line that cannot be read
//! costs its run, told with the reason.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::model::{Decided, InputBegin, InputLine, InputPass, SCHEMA, SiteState};
use crate::units::UnixSeconds;

/// The format of an incident's file; one more with each change of its shape.
const FORMAT: u32 = 1;

/// One run.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedRun {
    /// How it began.
    pub begin: InputBegin,
    /// The state that it began with, where that was kept.
    pub state: Option<SiteState>,
    /// Its passes: what was read, and what was decided.
    pub passes: Vec<(InputPass, Decided)>,
    /// The fingerprint of the state that it left.
    pub left: String,
}

impl RecordedRun {
    /// Reads the lines of one run. `Err` says what is wrong with them.
    pub fn parse(text: &str) -> Result<RecordedRun, String> {
        let mut lines = text.lines().filter(|line| !line.trim().is_empty());
        let mut next = || lines.next().map(serde_json::from_str::<InputLine>).transpose();
        let mut read = || next().map_err(|error| format!("a line cannot be read: {error}"));
        let Some(InputLine::Begin(begin)) = read()? else { return Err("a run without its beginning".to_owned()) };
        let mut run = RecordedRun { begin, state: None, passes: Vec::new(), left: String::new() };
        let mut open = None;
        while let Some(line) = read()? {
            match line {
                InputLine::State(state) if state.schema > SCHEMA => {
                    return Err(format!("its state is of schema {}, this program's is {SCHEMA}", state.schema));
                }
                InputLine::State(state) => run.state = Some(*state),
                InputLine::Pass(pass) => open = Some(*pass),
                InputLine::Decided(decided) => run.passes.extend(open.take().map(|pass| (pass, decided))),
                InputLine::End(end) => {
                    run.left = end.state;
                    return Ok(run);
                }
                InputLine::Begin(_) => return Err("a run without its end".to_owned()),
            }
        }
        Err("a run without its end".to_owned())
    }

    /// Its lines, as they are kept.
    pub fn lines(&self) -> Vec<InputLine> {
        let mut lines = vec![InputLine::Begin(self.begin.clone())];
        lines.extend(self.state.clone().map(|state| InputLine::State(Box::new(state))));
        for (pass, decided) in &self.passes {
            lines.extend([InputLine::Pass(Box::new(pass.clone())), InputLine::Decided(decided.clone())]);
        }
        lines.push(InputLine::End(crate::model::InputEnd { state: self.left.clone() }));
        lines
    }
}

/// The first line of an incident's file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// What happened, in a sentence.
    pub incident: String,
    /// The format.
    pub format: u32,
    /// The version of the program that saved it.
    pub saved_by: String,
    /// The site's name.
    pub site: String,
    /// The site's time, from when on.
    pub since: String,
    /// The first moment that belongs to it; earlier runs only lead to its state.
    pub since_unix: UnixSeconds,
    /// The configuration, without its comments and secrets.
    pub config: String,
}

impl Incident {
    /// The header of a new file.
    pub(super) fn new(what: &str, site: &str, since: (String, UnixSeconds), config: String) -> Incident {
        Incident {
            incident: what.to_owned(),
            format: FORMAT,
            saved_by: env!("CARGO_PKG_VERSION").to_owned(),
            site: site.to_owned(),
            since: since.0,
            since_unix: since.1,
            config,
        }
    }

    /// Reads an incident's file: its header and the text of each of its runs. `Err` for what is none.
    pub fn parse<'a>(name: &str, text: &'a str) -> Result<(Incident, Vec<&'a str>), Error> {
        let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
        let header: Incident = serde_json::from_str(first)
            .map_err(|error| Error::Usage(format!("{name}: is no incident that `replay --save` wrote: {error}")))?;
        if header.format > FORMAT {
            let text = format!("{name}: is of format {}, this program knows {FORMAT}", header.format);
            return Err(Error::Usage(text));
        }
        Ok((header, runs(rest)))
    }
}

/// The text of each run: from one beginning to the next.
pub(super) fn runs(text: &str) -> Vec<&str> {
    let begin = "{\"begin\":";
    let inner = text.match_indices("\n{\"begin\":").map(|(at, _)| at.saturating_add(1));
    let starts: Vec<usize> = text.starts_with(begin).then_some(0).into_iter().chain(inner).collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts.iter().zip(ends).filter_map(|(start, end)| text.get(*start..end)).collect()
}
