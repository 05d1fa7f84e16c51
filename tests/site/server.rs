//! Sockets: one listener a device, one thread a connection, and the wire faults of the HTTP devices. What a device says
//! is not decided here.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use rustls::ServerConfig;

use crate::devices::{self, ALL, Device, signal::http_date};
use crate::faults::Fault;
use crate::http::{Request, Response};
use crate::physics::pick;
use crate::world::World;
use crate::{control, smtp};

/// A silent client is let go after this.
const READ_S_MAX: u64 = 30;
/// How often a connection that plays dead looks whether its fault is over.
const HELD_POLL: Duration = Duration::from_millis(100);

/// Whether a listener is to be open, and whether it is.
#[derive(Clone, Copy)]
struct Gate {
    wanted: bool,
    is_open: bool,
}

/// What all threads share.
pub(crate) struct Site {
    pub(crate) base_port: u16,
    pub(crate) tls: Arc<ServerConfig>,
    world: Mutex<World>,
    /// The world as it was when a device froze.
    frozen: Mutex<Vec<(Device, World)>>,
    /// The world as it was when it was to be kept.
    kept: Mutex<Option<World>>,
    gates: Mutex<Vec<Gate>>,
    gate_moved: Condvar,
}

impl Site {
    pub(crate) fn new(base_port: u16, tls: Arc<ServerConfig>, world: World) -> Arc<Site> {
        let gates = Mutex::new(vec![Gate { wanted: true, is_open: true }; ALL.len()]);
        let world = Mutex::new(world);
        let (frozen, kept) = (Mutex::new(Vec::new()), Mutex::new(None));
        Arc::new(Site { base_port, tls, world, frozen, kept, gates, gate_moved: Condvar::new() })
    }

    /// The world, brought up to now.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        let mut world = self.world.lock().unwrap();
        world.advance();
        world
    }

    pub(crate) fn port(&self, device: Device) -> u16 {
        self.base_port + device.offset()
    }

    /// Begins a fault on a device; a refused port is really closed when this returns.
    pub(crate) fn set_fault(&self, device: Device, fault: Fault) {
        self.clear_fault(device);
        let is_refusal = fault.kind == "refuse";
        let is_frozen = fault.kind == "frozen";
        let mut world = self.world();
        if is_frozen {
            let mut copy = world.clone();
            copy.frozen_at = Some(world.seconds());
            copy.forget_calls();
            self.frozen.lock().unwrap().push((device, copy));
        }
        world.set_fault(device, fault);
        drop(world);
        if is_refusal {
            self.move_gate(device, false);
        }
    }

    /// Ends a device's fault; its port is open again when this returns.
    pub(crate) fn clear_fault(&self, device: Device) {
        self.world().clear_fault(device);
        self.frozen.lock().unwrap().retain(|(d, _)| *d != device);
        self.move_gate(device, true);
    }

    /// Starts the world again from its beginning, all faults cleared.
    pub(crate) fn reset(&self) {
        self.clear_faults();
        let mut world = self.world();
        *world = World::new(world.clock, world.seed);
    }

    /// Remembers the world as it is, for `back`.
    pub(crate) fn keep(&self) {
        *self.kept.lock().unwrap() = Some(self.world().clone());
    }

    /// Takes back all that happened since `keep`, except the time that went by; false when nothing was kept.
    pub(crate) fn back(&self) -> bool {
        self.clear_faults();
        let Some(kept) = self.kept.lock().unwrap().clone() else { return false };
        *self.world() = kept;
        true
    }

    fn clear_faults(&self) {
        for (device, _, _) in ALL {
            self.clear_fault(device);
        }
    }

    fn move_gate(&self, device: Device, open: bool) {
        let index = gate_index(device);
        let mut gates = self.gates.lock().unwrap();
        gates[index].wanted = open;
        self.gate_moved.notify_all();
        while gates[index].is_open != open {
            if !open {
                // Wakes the listener out of `accept`; that this connection then fails is the point.
                drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port(device))));
            }
            gates = self.gate_moved.wait_timeout(gates, Duration::from_millis(50)).unwrap().0;
        }
    }

    fn is_wanted_open(&self, device: Device) -> bool {
        self.gates.lock().unwrap()[gate_index(device)].wanted
    }

    fn set_open(&self, device: Device, is_open: bool) {
        self.gates.lock().unwrap()[gate_index(device)].is_open = is_open;
        self.gate_moved.notify_all();
    }

    fn wait_until_wanted(&self, device: Device) {
        let mut gates = self.gates.lock().unwrap();
        while !gates[gate_index(device)].wanted {
            gates = self.gate_moved.wait(gates).unwrap();
        }
    }

    /// Keeps a connection silent until its fault is over or the peer gives up.
    pub(crate) fn hold(&self, mut stream: TcpStream, device: Device, kind: &str) {
        if stream.set_read_timeout(Some(HELD_POLL)).is_err() {
            return;
        }
        let mut block = [0u8; 4096];
        while self.world().fault(device) == kind {
            match stream.read(&mut block) {
                Ok(0) => return,
                // A request, read and not answered; do not spin on a peer that keeps sending.
                Ok(_) => thread::sleep(HELD_POLL),
                Err(e) if e.kind() == ErrorKind::WouldBlock || e.kind() == ErrorKind::TimedOut => {}
                Err(_) => return,
            }
        }
    }

    /// One byte a second, for ever.
    pub(crate) fn drip(&self, stream: &mut TcpStream, device: Device, start: &[u8]) {
        let mut bytes = start.iter().copied().chain(std::iter::repeat(b' '));
        while self.world().fault(device) == "slow-drip" {
            let byte = bytes.next().unwrap_or(b' ');
            if stream.write_all(&[byte]).is_err() {
                return;
            }
            thread::sleep(Duration::from_secs(1));
        }
    }
}

fn gate_index(device: Device) -> usize {
    ALL.iter().position(|(d, _, _)| *d == device).unwrap()
}

/// Drops a connection with unread bytes, which makes the kernel send a reset instead of an orderly end.
pub(crate) fn reset(stream: TcpStream) {
    // An error or a time-out leaves nothing unread; the peer then sees an early end.
    drop(stream.peek(&mut [0u8; 1]));
    drop(stream);
}

/// Accepts on one port for ever; closes it while it is refused.
pub(crate) fn listen(site: &Arc<Site>, device: Device, first: TcpListener) {
    let mut listener = first;
    loop {
        for stream in listener.incoming() {
            if !site.is_wanted_open(device) {
                break;
            }
            if let Ok(stream) = stream {
                let site = Arc::clone(site);
                thread::spawn(move || serve(&site, device, stream));
            }
        }
        drop(listener);
        site.set_open(device, false);
        site.wait_until_wanted(device);
        listener = loop {
            match TcpListener::bind((Ipv4Addr::LOCALHOST, site.port(device))) {
                Ok(bound) => break bound,
                Err(_) => thread::sleep(Duration::from_millis(20)),
            }
        };
        site.set_open(device, true);
    }
}

fn serve(site: &Site, device: Device, stream: TcpStream) {
    let timeout = Some(Duration::from_secs(READ_S_MAX));
    if stream.set_read_timeout(timeout).is_err() || stream.set_nodelay(true).is_err() {
        return;
    }
    let fault = {
        let mut world = site.world();
        *world.counters.entry(device.name()).or_default() += 1;
        world.fault(device)
    };
    match (device, fault) {
        (_, "hang") => site.hold(stream, device, "hang"),
        (Device::Smtp | Device::Smtps, _) => smtp::serve(site, device, stream, fault),
        (_, "reset") => reset(stream),
        _ => exchange(site, device, stream, fault),
    }
}

/// Reads a request and answers it, as far as the fault allows. A peer that went away is not an error here.
fn exchange(site: &Site, device: Device, mut stream: TcpStream, fault: &str) {
    let Some(request) = Request::read(&mut stream) else { return };
    if device == Device::Control {
        return finish(stream, &control::answer(site, &request).bytes());
    }
    let delay = {
        let world = site.world();
        world.settings.delay_ms + if device == Device::Telegram { world.chats.delay_ms } else { 0 }
    };
    thread::sleep(Duration::from_millis(delay));
    if let Some(response) = canned(site, device, &request, fault) {
        return finish(stream, &dated(site, device, response).bytes());
    }
    match fault {
        "slow-drip" => site.drip(&mut stream, device, b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"),
        "oversize" => endless(stream),
        "frozen" => {
            let response = frozen_answer(site, device, &request);
            finish(stream, &dated(site, device, response).bytes());
        }
        _ => {
            let response = devices::answer(&mut site.world(), device, &request);
            let bytes = dated(site, device, response.clone()).bytes();
            let cut = if fault == "half-body" { bytes.len() - response.body.len().div_ceil(2) } else { bytes.len() };
            finish(stream, &bytes[..cut]);
        }
    }
}

/// Commands reach the real device behind the frozen face; the answer is the one of the moment it froze.
fn frozen_answer(site: &Site, device: Device, request: &Request) -> Response {
    let frozen = site.frozen.lock().unwrap().iter().find(|(d, _)| *d == device).map(|(_, world)| world.clone());
    let live = devices::answer(&mut site.world(), device, request);
    match frozen {
        Some(mut world) => devices::answer(&mut world, device, request),
        None => live,
    }
}

/// The answers that do not come from the device itself.
fn canned(site: &Site, device: Device, request: &Request, fault: &str) -> Option<Response> {
    Some(match fault {
        "500" => Response::new(500, "text/html", "<html><body><h1>500 Internal Server Error</h1></body></html>"),
        "401" => devices::unauthorized(device),
        "html-login" => Response::new(200, "text/html; charset=utf-8", LOGIN),
        "garbage" => Response::new(200, "application/octet-stream", garbage(site)),
        "empty" => Response::new(200, "text/html", ""),
        "redirect" => {
            let other = if device == Device::Signal { Device::RoomAlert } else { Device::Signal };
            let to = format!("http://127.0.0.1:{}{}", site.port(other), request.path);
            Response::new(302, "text/html", "").with("Location", to)
        }
        "error-text-200" => devices::error_text(&mut site.world(), device, request),
        _ => return None,
    })
}

const LOGIN: &str = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>\n<h1>Welcome to the guest network</h1>\n<form action=\"/login\" method=\"post\"><input name=\"user\"> <input name=\"password\" type=\"password\"> <button>Sign in</button></form>\n</body></html>\n";

fn garbage(site: &Site) -> Vec<u8> {
    let world = site.world();
    (0..700).map(|i| pick(world.seed, world.step, i, 0, 255) as u8).collect()
}

fn dated(site: &Site, device: Device, response: Response) -> Response {
    if !device.tells_date() {
        return response;
    }
    let now = site.world().seconds();
    response.with("Date", http_date(now))
}

fn endless(mut stream: TcpStream) {
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n";
    let block = [b'A'; 16_384];
    if stream.write_all(head).is_ok() {
        while stream.write_all(&block).is_ok() {}
    }
}

/// Writes and closes in order. A peer that has gone is its own affair.
fn finish(mut stream: TcpStream, bytes: &[u8]) {
    if stream.write_all(bytes).is_ok() {
        drop(stream.shutdown(std::net::Shutdown::Write));
        // Let the peer close first, so that its last packets do not turn the end into a reset.
        drop(stream.set_read_timeout(Some(Duration::from_millis(500))));
        drop(stream.read(&mut [0u8; 256]));
    }
}
