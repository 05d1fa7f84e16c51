//! Which of the signal's pages are kept: at each change of the level, of the text, and of what keeps it from being read.
//! The files are written at the end of the run, after the commands.

use jiff::Timestamp;

use super::Run;
use super::second_look::Pages;
use crate::drivers::page::{SignalPage, hash};
use crate::model::{EventKind, KeptPage, Level, Reading, SignalReading};
use crate::store;
use crate::units::{Moment, Seconds};

/// Pages of one run that are kept.
const PAGES_MAX: usize = 8;
/// A page that cannot be read is kept again after this long: it may change while it cannot be read.
const FAULT_AGAIN: Seconds = Seconds(3600);

/// A page that waits to be written.
pub(super) struct Waiting {
    name: String,
    page: SignalPage,
}

impl Run<'_> {
    /// Decides which of this pass's pages are kept; `before` is the level before the pass.
    pub(super) fn notice_pages(&mut self, pages: Pages, reading: &Reading<SignalReading>, before: Level, now: &Moment) {
        self.notice_page(pages.counted, reading, before, now);
        // What speaks against the reading that counts is evidence, too.
        let other = pages.other.filter(|_| self.pages.len() < PAGES_MAX);
        if let Some((page, is_read)) = other {
            let name = page_name(&page, if is_read { "change" } else { "fault" }, now);
            log::info!("signal: the page of the other look is kept as evidence: evidence/{name}");
            self.pages.push(Waiting { name, page });
        }
    }

    fn notice_page(&mut self, page: Option<SignalPage>, reading: &Reading<SignalReading>, before: Level, now: &Moment) {
        let Some(page) = page.filter(|_| self.pages.len() < PAGES_MAX) else { return };
        let about = match reading {
            Ok(reading) => reading.text.clone(),
            Err(fault) => fault.kind.word().to_owned(),
        };
        let kept = self.state.signal.kept.as_ref();
        let is_new = kept.is_none_or(|kept| kept.about != about || kept.is_fault != reading.is_err());
        let is_old = kept.is_none_or(|kept| now.since(&kept.at) > FAULT_AGAIN);
        let kind = match (self.state.signal.level != before, reading) {
            (true, _) => "level",
            (false, Ok(_)) if is_new => "change",
            (false, Err(_)) if is_new || is_old => "fault",
            (false, Ok(_) | Err(_)) => return,
        };
        let hash = hash(&page.bytes);
        let name = page_name(&page, kind, now);
        let text = format!("page kept as evidence: evidence/{name} (SHA-256 begins {hash})");
        // A number that moves every few minutes is no event.
        if kind == "level" || (kind == "fault" && is_new) {
            self.event(now, EventKind::Program, "signal", text);
        } else {
            log::info!("signal: {text}");
        }
        let file = format!("evidence/{name}");
        self.state.signal.kept = Some(KeptPage { file, hash, at: *now, about, is_fault: reading.is_err() });
        self.pages.push(Waiting { name, page });
    }

    /// Writes what waits.
    pub(super) fn keep_pages(&mut self, now: &Moment) {
        let folder = self.cfg.paths.data.join("evidence");
        for Waiting { name, page } in std::mem::take(&mut self.pages) {
            if let Err(error) = store::keep_page(&folder, &name, &page.bytes, &page.head()) {
                self.trouble(&error, now);
            }
        }
    }
}

fn page_name(page: &SignalPage, kind: &str, now: &Moment) -> String {
    let time = Timestamp::from_second(now.wall.0).unwrap_or(Timestamp::UNIX_EPOCH);
    store::page_name(time, kind, &hash(&page.bytes))
}
