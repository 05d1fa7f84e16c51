//! Tests of notify from outside: each service is a strict stand-in on loopback.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

#[path = "notify/commands.rs"]
mod commands;
#[path = "notify/dead_man.rs"]
mod dead_man;
#[path = "notify/email.rs"]
mod email;
#[path = "notify/http_stand_in.rs"]
mod http_stand_in;
#[path = "notify/outbox.rs"]
mod outbox;
#[path = "notify/private_ca.rs"]
mod private_ca;
#[path = "notify/sms.rs"]
mod sms;
#[path = "notify/smtp_stand_in.rs"]
mod smtp_stand_in;
#[path = "notify/support.rs"]
mod support;
#[path = "notify/telegram.rs"]
mod telegram;
#[path = "notify/telegram_updates.rs"]
mod telegram_updates;
