//! What is known about makes of PDUs, as data: a preset fills a [`PduDialect`], and the configuration's own keys
//! change single fields of it.

use serde_json::json;

use super::PduDialect;

/// Fills a dialect.
type Preset = fn() -> PduDialect;

/// The presets by name.
pub(super) const NAMES: [(&str, Preset); 1] = [("digital-shovel", digital_shovel)];

/// Digital Shovel's SmartPDU: its MinerControl interface lists all outlets in one array, and asks for a token only to
/// switch.
fn digital_shovel() -> PduDialect {
    PduDialect {
        read_path: "/api/miners/".to_owned(),
        items: String::new(),
        id: "/id".to_owned(),
        watts: Some("/curCons".to_owned()),
        watts_scale: 1.0,
        state: "/status".to_owned(),
        on: json!(true),
        off: json!(false),
        updated: Some("/updateTime".to_owned()),
        auto_reset: Some("/autoReset".to_owned()),
        total_watts: None,
        switch_method: "PUT".to_owned(),
        switch_path: "/api/miners/{id}".to_owned(),
        on_body: json!({"status": true}),
        off_body: json!({"status": false}),
        switch_headers: vec!["Authorization: JWT {token}".to_owned()],
        read_headers: Vec::new(),
    }
}
