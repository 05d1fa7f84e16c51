//! What the runs remember, read without changing it: where the machine's checks and the rules begin.

use std::os::unix::fs::MetadataExt;

use crate::config::Config;
use crate::model::SiteState;
use crate::store::{Loaded, Store};
use crate::units::Moment;

/// The program's memory as it was found.
pub(super) struct Memory {
    /// What is in the database; `None` where there is none, or it was not read.
    pub(super) loaded: Option<Loaded>,
    /// Why it was not read.
    pub(super) trouble: Option<Trouble>,
    /// The state to judge from: the remembered one, else that of a first run.
    pub(super) state: SiteState,
}

/// Why the database was not read.
pub(super) enum Trouble {
    /// It belongs to another user: opening it would leave files that the next run cannot write.
    NotOurs,
    /// It could not be used.
    Unusable(String),
}

impl Memory {
    /// Reads it.
    pub(super) fn look(cfg: &Config, now: &Moment) -> Memory {
        let boot = || SiteState::boot(*now);
        let owner = std::fs::metadata(&cfg.paths.data).map(|meta| meta.uid());
        if owner.is_ok_and(|owner| owner != rustix::process::geteuid().as_raw()) {
            return Memory { loaded: None, trouble: Some(Trouble::NotOurs), state: boot() };
        }
        match Store::look(&cfg.paths.data, &cfg.paths.page, now) {
            Ok(Some(mut loaded)) => {
                let state = loaded.state.take();
                Memory { loaded: Some(loaded), trouble: None, state: state.unwrap_or_else(boot) }
            }
            Ok(None) => Memory { loaded: None, trouble: None, state: boot() },
            Err(text) => Memory { loaded: None, trouble: Some(Trouble::Unusable(text)), state: boot() },
        }
    }
}
