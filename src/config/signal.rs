//! The settings of the power signal.

use std::path::PathBuf;

use crate::units::Seconds;

/// `[signal]`
#[derive(Debug, Clone)]
pub struct SignalConfig {
    /// The page.
    pub url: String,
    /// Hosts besides the page's own that a redirect may lead to.
    pub redirect_hosts: Vec<String>,
    /// Where on the page the value is.
    pub place: PagePlace,
    /// Pattern with group 1; checked to be one.
    pub pattern: String,
    /// How group 1 becomes a level.
    pub meaning: SignalMeaning,
    /// Texts that the page must contain.
    pub must_contain: Vec<String>,
    /// Texts that the page must not contain.
    pub must_not_contain: Vec<String>,
    /// The page's own time stamp.
    pub stamp: Option<StampConfig>,
    /// A copy that caches have held for longer is not believed.
    pub cached_max_age: Seconds,
    /// A page that the server says was modified longer ago is not believed; `None`: not looked at.
    pub modified_max_age: Option<Seconds>,
    /// The last good reading counts for this long.
    pub max_age: Seconds,
    /// What Blind means for the miners.
    pub when_blind: WhenBlind,
    /// A number this near to `curtail_at` is read again within the run; 0: never.
    pub reread_near: f64,
    /// Good readings in a row needed to resume.
    pub resume_readings: u32,
    /// Warn when the text has not changed for this long.
    pub unchanged_warning: Seconds,
    /// A private certificate authority, PEM.
    pub ca_file: Option<PathBuf>,
    /// The longest wait for the page.
    pub timeout: Seconds,
}

/// Where on a page a text is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PagePlace {
    /// In the one element that a CSS selector matches; the selector is checked to be one.
    Element {
        /// The selector.
        selector: String,
        /// The attribute whose value it is; `None`: what a reader sees.
        attribute: Option<String>,
    },
    /// In an answer that is JSON, where this pointer (RFC 6901, as `/load/now`) leads.
    Json(String),
}

/// How the signal's value becomes a level.
#[derive(Debug, Clone, PartialEq)]
pub enum SignalMeaning {
    /// A number with two thresholds.
    Number {
        /// Values outside are not believed.
        range: (f64, f64),
        /// Which side means off.
        off_when: OffWhen,
        /// Off at (and beyond) this.
        curtail_at: f64,
        /// On again on the other side of this.
        resume_below: f64,
    },
    /// Words, compared without case.
    Words {
        /// These curtail.
        curtail: Vec<String>,
        /// These let run.
        run: Vec<String>,
    },
}

/// Which side of the threshold means off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OffWhen {
    /// A high number means off.
    High,
    /// A low number means off.
    Low,
}

/// The page's own time stamp.
#[derive(Debug, Clone)]
pub struct StampConfig {
    /// Where it is.
    pub place: PagePlace,
    /// strptime format of its whole text. What it lacks of the date is filled in with what is nearest to now.
    pub format: String,
    /// Whether the format gives a time of day only.
    pub is_clock: bool,
    /// A page with an older stamp is not believed.
    pub max_age: Seconds,
}

/// What Blind means for the miners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenBlind {
    /// Off.
    Curtail,
    /// As they are.
    Hold,
}
