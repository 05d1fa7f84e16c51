//! What a run read, decided and did is noted as it goes, and kept at its end for `minectl replay`.

use std::collections::BTreeMap;

use super::Run;
use crate::model::{
    Decided, Decision, InputBegin, InputEnd, InputLine, InputPass, Outcome, Snapshot, Stand, core, fingerprint,
};
use crate::store::{self, RunInputs};
use crate::units::Moment;

const HOUR_S: i64 = 3600;

impl Run<'_> {
    /// Begins the notes; before anything changes the state that was loaded.
    pub(super) fn begin_inputs(&mut self, acknowledged: &BTreeMap<String, String>, now: &Moment) {
        if self.cfg.history.inputs_days == 0 {
            return;
        }
        let mut notes = RunInputs::default();
        let state = fingerprint(&self.state);
        // The first run of an hour; or the run before is not the one that was kept last; or its state is not this one.
        let hour = |at: &Moment| at.wall.0.div_euclid(HOUR_S);
        let is_new_hour = self.state.last_run.as_ref().is_none_or(|last| hour(last) != hour(now));
        let follows = store::last_left(&self.store.inputs_folder()).is_some_and(|left| left == state);
        notes.add(&InputLine::Begin(InputBegin {
            at: *now,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            state,
            acknowledged: acknowledged.clone(),
        }));
        if is_new_hour || !follows {
            notes.add(&InputLine::State(Box::new(core(&self.state))));
        }
        self.inputs = Some(notes);
    }

    /// Notes what a pass decides by; before its decision is taken over.
    pub(super) fn note_inputs(&mut self, snapshot: &Snapshot, now: &Moment) {
        let Some(notes) = &mut self.inputs else { return };
        notes.add(&InputLine::Pass(Box::new(InputPass {
            at: *now,
            snapshot: snapshot.clone(),
            overrides: self.overrides.clone(),
            channels: self.state.channels.clone(),
            dead_man: self.state.dead_man.clone(),
            chat: self.state.chat.clone(),
            drill_told: self.state.drill_told.clone(),
            influx: self.state.influx.clone(),
        })));
    }

    /// Notes what it decided, and what came of the commands.
    pub(super) fn note_decided(&mut self, decision: &Decision, outcomes: &[Outcome]) {
        let Some(notes) = &mut self.inputs else { return };
        notes.add(&InputLine::Decided(Decided {
            stand: Stand::of(&decision.next),
            commands: decision.commands.clone(),
            outcomes: outcomes.to_vec(),
        }));
    }

    /// Keeps the notes. A disk that does not take them costs a replay, nothing else.
    pub(super) fn keep_inputs(&mut self, now: &Moment) {
        let folder = self.store.inputs_folder();
        let days = self.cfg.history.inputs_days;
        let kept = match self.inputs.take() {
            Some(mut notes) => {
                let state = fingerprint(&self.state);
                notes.add(&InputLine::End(InputEnd { state: state.clone() }));
                notes.finish().and_then(|run| store::append_inputs(&folder, now.wall, &run, &state, days))
            }
            None => store::forget_inputs(&folder),
        };
        if let Err(error) = kept {
            self.trouble(&error, now);
        }
    }
}
