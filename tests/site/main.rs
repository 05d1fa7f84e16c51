//! `site`: a simulated mine container with every device that `minectl` talks to, for the demonstration and the tests.
//! It is built as a cargo example, never shipped, listens on 127.0.0.1 only, and decides nothing: it obeys.
//!
//! ```text
//! site [--base-port 18000] [--clock REAL:SITE:RATE] [--dir DIR] [--seed N] [--until-stdin-closes]
//! ```
//!
//! Prints `site ready on ports 18000-18039` when all sockets listen, then serves until it is killed (with
//! `--until-stdin-closes` until its standard input ends). A port in use: a message, exit 1. `--dir` is where `ca.pem`
//! goes, the authority behind the mail servers' certificate (127.0.0.1 and localhost). All times are site time, of
//! `minectl::clock::Clock`, zone America/Chicago; noise and delays depend on the seed alone. Every connection carries one
//! request (`Connection: close`).
//!
//! # Ports, as offsets from the base port
//!
//! | port | device | what it is |
//! | --- | --- | --- |
//! | 0 | `control` | see below |
//! | 1 | `signal` | `GET /power-signal`: the number in `#load-number` (MW), `#load-status`, `#load-stamp`, also a `#forecast-number` |
//! | 2 | `room-alert` | `/getData.json` (12E), `/legacy/getData.json` (3E words), headerless `/getData.htm` (32E, duplicate keys) and `/legacy/getData.htm` (bare keys) |
//! | 3 | `iotawatt` | `/query?show=series`, `/query?select=..`, `/status?stats&inputs&outputs&datalogs=yes`; series `mains_v`, `fan1`..`fan9` |
//! | 4 | `emoncms` | `/emoncms/feed/list.json`, `timevalue`, `value`, `fetch`, `/emoncms/input/get.json?node=fans`; key `fedcba9876543210fedcba9876543210`; feeds 1-9 `fan1`..`fan9`, tag `fans`, posted every 10 s and 10 to 20 s old |
//! | 5 | `relays-a` | 400 series, `/state.json` and `/state.xml`, `?relay1=1&relay2=0`, relays 1-5 = fans 1-5, serial `00:0C:C8:06:31:5D` |
//! | 6 | `relays-b` | X-WR-10R12, `/state.xml`, `?relay1State=0`, relays 1-4 of 10 = fans 6-9, serial `00:0C:C8:02:7A:E4` |
//! | 10-15 | `spdu-a`..`spdu-f` | `GET /api/miners/`, `PUT /api/miners/{1..48}`, `PATCH /api/groups/miners` `{"control_action": "off"}` (all 48 at once, 204; what is already off stays so; `on` is refused), `Authorization: JWT site-spdu-token` |
//! | 20 | `foreman` | `/api/ping`, `/api/ping/7`, `/api/v2/clients/7`, `/api/v2/clients/7/miners?limit&offset` (at most 500), `POST /api/actions/power-mode/{id}`, `/api/actions/status/{command}`; `Authorization: Token site-foreman-key`; one call a second an endpoint |
//! | 21 | `telegram` | `sendMessage`, `getMe`, `getChat`, `getUpdates`, `getWebhookInfo`, `sendPhoto` (PNG), `editMessageText`, `pinChatMessage`; token `123456:site-telegram-token`, chat `-1001234567890`, 20 messages a minute |
//! | 22 | `twilio` | account `ACsite0000000000000000000000000000`, auth token `site-twilio-token`: `Messages.json` and the account itself |
//! | 23 | `dead-man` | `/ping/5f0c5a9e-0000-4000-8000-000000000001`, then `/start`, `/fail`, `/log` or `/<0-255>` |
//! | 24 | `smtp` | STARTTLS or plain, AUTH PLAIN and LOGIN, user `minectl`, password `site-smtp-password`, needed before MAIL |
//! | 25 | `smtps` | the same, TLS from the start |
//! | 26 | `sms-http` | `POST /send` `{"to":"+..","text":".."}`, header `X-Api-Key: site-sms-key` |
//! | 27 | `influx` | `POST /write?db=mine`, `POST /api/v2/write?bucket=mine`, `Authorization: Token site-influx-token` |
//!
//! All nine fans are wired normally closed: coil 1 stops the fan, coil 0 lets it run. Miners 1001..1288 hang on the SPDUs
//! in order: 1001..1048 on `spdu-a` outlets 1..48, and so on. Room Alert `sensor`: 0 `Internal Sensor` (middle of the
//! container), 1 `Intake west` (with humidity), 2 `Intake east`, 3 `Exhaust`, 4 nothing plugged in, 5 analog, disabled (in
//! the 32E form 0 is `internal_sen[0]` and the others move up by one); switches `Smoke`, `Water`, `Door`, 0 at rest.
//!
//! # Physics
//!
//! Steps of one second of site time. Miners draw about 3350 W hashing, 25 W asleep, booting or tripped, 0 W without
//! outlet. Foreman's agent pulls every 30 s; a command is `complete` 2-8 s later, and the miner follows 10-40 s after the
//! pull. Waking (by outlet or mode) takes 60-150 s and a ramp of 20 s; a miner forgets its sleep when its outlet is cycled
//! unless `sleep_persists`. Intake above 45 C for 60-79 s trips a miner until its outlet is cycled or it gets another
//! mode. Foreman's figures are renewed each minute. Fans draw about 1500 W, spin up and down within 10 s. Without fans the
//! container gains about 17 K a minute. At the start all miners hash, all fans run, temperatures are settled, and the
//! meter has ten minutes of log.
//!
//! # Control port
//!
//! JSON in and out; errors are 400 `{"error": ".."}`.
//!
//! | request | effect |
//! | --- | --- |
//! | `GET /state` | the truth: `time`, `outdoor_c`, `intake_c`, `exhaust_c`, `miners` {watts, hashing, asleep, booting, off, tripped}, `spdu_watts` [6], `spdu_sessions` {made, open}, `fans` [{n, running, watts, coil}], `signal` {number, text, has_own_page, status}, `faults` {device: kind}, `counters` {device: connections} |
//! | `POST /set` | any of `signal_number` (takes back text and page), `signal_text` (in the number's place), `signal_html` (the whole page), `signal_status`, `signal_stamp` (`null` takes back a text), `outdoor_c`, `day_swing_c`, `humidity`, `switch` {name: 0 or 1}, `door`, `emoncms_redis`, `sleep_persists`, `smtp_strict` (AUTH only after TLS), `delay_ms` (every HTTP device answers this much later, in real time), `fan_dead` [fans; replaces the list], `dialect` {device: name}: `room-alert` `12e` `3e` `32e` `oldest`; `relays-a` and `relays-b` `400` `custom` (relays as `device2Relay1`.. in `customState.json` only) `wr10` `quad` `single` `x332`; `spdu-a` to `spdu-f` `digital-shovel` `redfish` `geist` |
//! | `POST /fault` | `{"device": .., "kind": ..}`, with `"numbers": [..]` for some relays or outlets only; replaces the device's fault. `{"device": "internet", "kind": "refuse"}` or `{"kind": "internet-down"}`: signal, foreman, telegram, twilio, dead-man, smtp, smtps. Ports are closed (open) when the answer comes |
//! | `POST /fault/clear` | `{}` for all, or `{"device": ..}`, also `internet` |
//! | `GET /faults` | every device's fault names |
//! | `GET /recorded` | `telegram` [{time, text, chat_id, silent, answers}], `telegram_calls` [{method, ..}] of all else it was asked, `email` [{time, from, to, subject, body, tls, message_id, headers, raw}], `sms` [{time, to, from, body}], `dead_man` [{time, path, body}], `sms_http` [{time, to, text}], `influx` [{time, site, fields}] |
//! | `GET /commands` | every command in order: [{time, device, what, accepted}], `what` being `relay 3=1`, `outlet 12 off` (`on`, `settings`), `bank off`, `miner 1001 sleeping` |
//! | `POST /telegram` | any of `say` {text, and where it matters `user` (777), `name`, `private`, `chat`, `age_s`, `extra` keys of the message}, `raw` (an update), `webhook` (its address; empty: none), `delete` (the number of a message of the bot), `may_pin`, `jump` (the number of the last update), `delay_ms` (it answers this much later, in real time) |
//! | `POST /clock` | `{"clock": "REAL:SITE:RATE"}`: another clock; physics catch up before the answer, 48 h at most. A clock set back moves the times, not the physics |
//! | `POST /reset` | back to the start at the same clock, faults and records gone |
//! | `POST /keep` | remembers the world as it is |
//! | `POST /back` | as it was kept, without faults; the time since then goes by in one leap |
//!
//! # Faults
//!
//! Every HTTP device: `refuse` (port closed), `hang`, `slow-drip` (a byte a second of real time, for ever), `reset`,
//! `500`, `401`, `html-login`, `half-body`, `garbage`, `absurd` (right form, impossible numbers), `frozen` (answers of the
//! moment the fault began, `Date` header apart; commands still work behind it), `empty`, `oversize` (endless), `redirect`
//! (302 to another port), `error-text-200`.
//! Mail: `refuse`, `hang`, `slow-drip` (`smtps`: silence), `reset`, `550` (at RCPT), `451` (at MAIL), `auth-refused`,
//! `no-starttls` (not offered; means nothing for `smtps`). `absurd` means nothing for `dead-man`.
//!
//! | device | besides |
//! | --- | --- |
//! | `room-alert` | `unplugged`: the intake probes are type 0 with 32.00/0.00; `other-unit`: another serial number; `scales-apart`: °F and °C disagree |
//! | `iotawatt` | `stalled-null`: rows from now on are null; `no-voltage`: `mains_v` and all watts are 0; `renamed`: series `vent1`.. in place of `fan1`..; `dst-hour`: relative times lie an hour ahead; `broken-json`: watts in `/query` are `inf`; `login`: Digest, user `user`, password `site-iotawatt-password`, challenges counted in `counters`. A query that would hang the real unit is noted under `/commands` |
//! | `emoncms` | `dead-source`: nothing is posted any more; `notices`: PHP's around the list; `web-page` in its place; `future`: times are a day ahead; `no-data`, `feed-gone` (of some feeds by `numbers`) |
//! | `relays-a`, `relays-b` | `lies` (shows what was wanted, the coil does not move), `ignores` (shows and does nothing), `welded` (the fan runs whatever the coil), `rebooted` (all coils 0, once, and is no lasting fault), `other-unit` (another serial number), `late-echo` (the answer to an order still shows what was before) |
//! | `spdu-a`..`spdu-f` | `welded` (status false, watts flow on), `ignores` (200 or 204, nothing changes), `rejects` (403; a group as soon as it concerns one outlet), `ignores-outlets` and `ignores-bank` (the one is ignored, the other works), `no-bank` (404, firmware without groups) |
//! | `foreman` | `ignores-sleep` (complete, miners hash on), `commands-fail` (failed), `429`, `short-pages` (100 rows at most), `list-disagrees` (the summary counts 12 more), `odd-words` (statuses nobody documented), `detail-200` (an error in `detail`, status 200), `some-fail` (400 for every third miner). While it is `refuse`d or `hang`s its agent stands still too |
//! | `telegram` | `429` (retry after 30), `403` (kicked from the chat) |
//! | `twilio`, `sms-http` | `429`, `400` (recipient refused) |
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]
#![allow(clippy::string_slice, clippy::exit, clippy::wildcard_enum_match_arm)]

mod control;
mod devices;
mod faults;
mod http;
mod mine;
mod physics;
mod server;
mod smtp;
mod tls;
mod world;

use std::io::Read;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use clap::Parser;
use minectl::clock::Clock;

use crate::devices::ALL;
use crate::server::Site;
use crate::world::World;

/// A simulated mine container on loopback ports, for tests and demonstrations.
#[derive(Parser)]
struct Arguments {
    /// The control port; the devices follow.
    #[arg(long, default_value_t = 18000)]
    base_port: u16,
    /// Site time as REAL:SITE:RATE; the real time when absent.
    #[arg(long)]
    clock: Option<String>,
    /// Where `ca.pem` is written.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Of all noise and delays.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// End when standard input ends.
    #[arg(long)]
    until_stdin_closes: bool,
}

fn main() {
    let arguments = Arguments::parse();
    if let Err(text) = run(&arguments) {
        eprintln!("site: {text}");
        std::process::exit(1);
    }
    if arguments.until_stdin_closes {
        let mut sink = Vec::new();
        // An error means the same as the end: nobody is there any more.
        drop(std::io::stdin().read_to_end(&mut sink));
        return;
    }
    loop {
        thread::park();
    }
}

/// Binds every port, then starts serving; returns at once.
fn run(arguments: &Arguments) -> Result<(), String> {
    let clock = match &arguments.clock {
        Some(text) => Clock::parse(text).ok_or_else(|| format!("clock `{text}`: wanted REAL:SITE:RATE"))?,
        None => Clock::real(),
    };
    let base = arguments.base_port;
    let last = base.checked_add(39).ok_or_else(|| format!("base port {base}: wanted at most {}", u16::MAX - 39))?;
    let tls = tls::server_config(arguments.dir.as_deref()).map_err(|e| format!("certificates: {e}"))?;
    let mut listeners = Vec::new();
    for (device, name, offset) in ALL {
        let port = base + offset;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port));
        listeners.push((device, listener.map_err(|e| format!("port {port} for `{name}`: {e}"))?));
    }
    let site = Site::new(base, tls, World::new(clock, arguments.seed));
    for (device, listener) in listeners {
        let site = Arc::clone(&site);
        thread::spawn(move || server::listen(&site, device, listener));
    }
    thread::spawn(move || {
        loop {
            thread::sleep(Duration::from_millis(50));
            drop(site.world());
        }
    });
    println!("site ready on ports {base}-{last}");
    Ok(())
}
