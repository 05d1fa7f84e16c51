//! Turns at an address that several PDUs share: units behind one controller have one web server, which gets one request at
//! a time. Between two requests of one unit another one may have its turn.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use url::Url;

use crate::config::{PduConfig, PduDriver};

/// The addresses of all PDUs.
pub(in crate::drivers) struct Turns {
    by_address: BTreeMap<String, Mutex<()>>,
}

/// A PDU's claim to the turns at its address.
#[derive(Clone, Copy)]
pub(super) struct Turn<'a> {
    address: Option<&'a Mutex<()>>,
}

/// Lasts as long as the turn.
pub(super) type Taken<'a> = Option<MutexGuard<'a, ()>>;

impl Turns {
    pub(in crate::drivers) fn of(pdus: &[PduConfig]) -> Turns {
        Turns { by_address: pdus.iter().map(|pdu| (address(&pdu.url), Mutex::new(()))).collect() }
    }

    /// For one conversation. Where a PDU must be logged out of it may know one session alone: then the whole conversation
    /// is one turn, and what is returned first must be kept until its end.
    pub(super) fn begin(&self, cfg: &PduConfig) -> (Taken<'_>, Turn<'_>) {
        let turn = Turn { address: self.by_address.get(&address(&cfg.url)) };
        let is_one_session = match &cfg.driver {
            PduDriver::HttpJson(dialect) => dialect.login.as_ref().is_some_and(|login| login.logout.is_some()),
            PduDriver::Redfish(_) => false,
        };
        if is_one_session { (turn.take(), Turn { address: None }) } else { (None, turn) }
    }
}

impl<'a> Turn<'a> {
    /// Waits until no other request is under way at the address. Each of those ends within its own time limit.
    pub(super) fn take(self) -> Taken<'a> {
        // A driver that broke while it had its turn leaves nothing behind that could be wrong.
        self.address.map(|address| address.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Host and port.
fn address(url: &str) -> String {
    let parts = Url::parse(url).ok();
    let parts = parts.as_ref().and_then(|url| Some((url.host_str()?, url.port_or_known_default()?)));
    parts.map_or_else(|| url.to_owned(), |(host, port)| format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_host_and_port_however_it_is_written() {
        for same in ["http://10.0.0.7", "http://10.0.0.7:80/", "http://10.0.0.7/unit/2"] {
            assert_eq!(address(same), "10.0.0.7:80");
        }
        assert_eq!(address("https://PDU.local/"), "pdu.local:443");
        assert_ne!(address("http://10.0.0.7:8080"), address("http://10.0.0.7"));
    }
}
