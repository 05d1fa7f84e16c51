//! What may be switched: an outlet that the configuration lists, and a bank of such outlets. A request that switches takes
//! one of these types, and only this file makes them; an outlet that is not listed may feed a fan or the Pi itself.

use crate::config::{BankConfig, PduConfig, PduDriver};
use crate::model::{Fault, FaultKind};

/// An outlet that the configuration lists.
#[derive(Debug, Clone)]
pub(super) struct Listed<'a> {
    name: &'a str,
    sent: String,
    device: String,
}

impl<'a> Listed<'a> {
    /// The outlet of this name; a fault when it is not listed.
    pub(super) fn of(cfg: &'a PduConfig, outlet: &str) -> Result<Listed<'a>, Fault> {
        let device = format!("{} outlet {outlet}", cfg.name);
        let Some(name) = cfg.outlets.iter().find(|listed| *listed == outlet) else {
            let detail = format!("outlet {outlet} is not in this PDU's `outlets`: refused");
            return Err(Fault::new(device, FaultKind::Missing, detail));
        };
        let offset = match &cfg.driver {
            PduDriver::HttpJson(dialect) => dialect.id_offset,
            PduDriver::Redfish(_) => 0,
        };
        let sent = match (offset, name.parse::<i64>().ok().and_then(|number| number.checked_add(offset))) {
            (0, _) => name.clone(),
            (_, Some(number)) if number >= 0 => number.to_string(),
            _ => {
                let detail = format!("outlet {outlet} with `id_offset` {offset} is no number from 0: refused");
                return Err(Fault::new(device, FaultKind::Missing, detail));
            }
        };
        Ok(Listed { name, sent, device })
    }

    /// All of a PDU that can be addressed.
    pub(super) fn all(cfg: &'a PduConfig) -> Vec<Listed<'a>> {
        cfg.outlets.iter().filter_map(|outlet| Listed::of(cfg, outlet).ok()).collect()
    }

    /// As the configuration names it.
    pub(super) fn name(&self) -> &'a str {
        self.name
    }

    /// As the PDU names it.
    pub(super) fn sent(&self) -> &str {
        &self.sent
    }

    /// For faults: `spdu-a outlet 7`.
    pub(super) fn device(&self) -> &str {
        &self.device
    }
}

/// A bank of which every outlet is listed.
#[derive(Debug, Clone, Copy)]
pub(super) struct ListedBank<'a> {
    bank: &'a BankConfig,
}

impl<'a> ListedBank<'a> {
    /// The bank of a PDU; a fault when it has none, or one with an outlet that is not listed.
    pub(super) fn of(cfg: &'a PduConfig) -> Result<ListedBank<'a>, Fault> {
        let device = format!("{} bank", cfg.name);
        let Some(bank) = &cfg.bank else {
            return Err(Fault::new(
                cfg.name.as_str(),
                FaultKind::Missing,
                "no bank is configured for this PDU: refused",
            ));
        };
        match bank.outlets.iter().find(|outlet| Listed::of(cfg, outlet).is_err()) {
            None => Ok(ListedBank { bank }),
            Some(outlet) => {
                let detail = format!("outlet {outlet} is not in this PDU's `outlets`: refused");
                Err(Fault::new(device, FaultKind::Missing, detail))
            }
        }
    }

    /// Its request and its outlets.
    pub(super) fn config(&self) -> &'a BankConfig {
        self.bank
    }
}
