//! The debug page and the configuration page: the real program with a web server's variables, against the simulated mine.
//! Also what a monitor asks: `status --check`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]
#![allow(unreachable_pub, dead_code)]

#[path = "cgi/browser.rs"]
mod browser;
#[path = "cgi/check.rs"]
mod check;
#[path = "tick/mine.rs"]
mod mine;
#[path = "cgi/refused.rs"]
mod refused;
#[path = "cgi/setting.rs"]
mod setting;
#[path = "cgi/settings.rs"]
mod settings;
