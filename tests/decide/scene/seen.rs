//! What a test asks of the mine: where it stands, what was told, what runs.

use minectl::model::*;

use super::Scene;

impl Scene {
    pub fn phase(&self) -> &'static str {
        self.state.miners.phase.word()
    }

    pub fn off_reasons(&self) -> Vec<OffReason> {
        self.state.demand.reasons.iter().copied().collect()
    }

    pub fn told(&self, part: &str) -> usize {
        // A heartbeat repeats what stands: it tells nothing new.
        let told = self.notices.iter().filter(|notice| notice.severity != Severity::Heartbeat);
        told.filter(|notice| notice.text.contains(part)).count()
    }

    pub fn told_at(&self, severity: Severity) -> Vec<&str> {
        self.notices.iter().filter(|n| n.severity == severity).map(|n| n.text.as_str()).collect()
    }

    pub fn why(&self, subject: &str) -> &str {
        self.reasons.iter().find(|r| r.subject == subject).map_or("", |r| r.text.as_str())
    }

    pub fn watts(&self) -> f64 {
        (0..self.cfg.pdus.len()).map(|pdu| self.pdu_watts(pdu)).sum()
    }

    /// One miner on each outlet.
    pub fn miners(&self) -> u64 {
        (self.outlets_each() * self.cfg.pdus.len()) as u64
    }

    /// Miners that Foreman lists: one on each outlet.
    pub fn miner_ids(&self) -> std::ops::RangeInclusive<u64> {
        1..=self.miners()
    }

    /// The outlet that a miner is on.
    pub fn outlet_of(&self, miner: u64) -> OutletRef {
        let place = miner as usize - 1;
        let pdu = self.cfg.pdus[place / self.outlets_each()].name.clone();
        OutletRef { pdu, outlet: (place % self.outlets_each() + 1).to_string() }
    }

    /// Whether a miner draws what it needs to hash.
    pub fn is_hashing(&self, miner: u64) -> bool {
        !self.asleep.contains(&miner) && !self.outlets_off.contains(&self.outlet_of(miner))
    }

    /// Whether the last pass commanded a fan off.
    pub fn stops_a_fan(&self) -> bool {
        self.commands.iter().any(|command| matches!(command, Command::Fan { on: false, .. }))
    }

    /// Whether the last pass commanded what starts miners.
    pub fn starts_a_miner(&self) -> bool {
        self.commands.iter().any(Command::starts_miners)
    }
}
