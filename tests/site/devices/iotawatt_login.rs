//! The IotaWatt's login: HTTP Digest as its firmware does it. Each refusal makes a session that stays for ten minutes after
//! its last use and goes only when a Digest header comes; a count must be new and no older than the last three.

use digest_auth::{AuthContext, AuthorizationHeader};

use crate::http::{Request, Response};
use crate::world::World;

const USER: &str = "user";
const PASSWORD: &str = "site-iotawatt-password";
const REALM: &str = "IotaWatt";
const SESSION_S: i64 = 600;

/// Sessions that the unit has given out and not forgotten.
#[derive(Clone, Default)]
pub(crate) struct Logins {
    sessions: Vec<Session>,
}

#[derive(Clone)]
struct Session {
    nonce: String,
    counts: [u32; 4],
    used: i64,
}

/// The refusal of a request, or `None` when it may pass.
pub(super) fn refusal(world: &mut World, request: &Request) -> Option<Response> {
    if is_known(world, request).is_some() {
        return None;
    }
    let number = world.counters.entry("iotawatt-challenges").or_default();
    *number += 1;
    let nonce = format!("{:08x}{number:08x}{:016x}", world.seed as u32, world.wall);
    world.logins.sessions.push(Session { nonce: nonce.clone(), counts: [0; 4], used: world.wall });
    let challenge = format!("Digest realm=\"{REALM}\",qop=\"auth\",nonce=\"{nonce}\"");
    Some(Response::new(401, "text/html", "IoTaWatt-Login").with("WWW-Authenticate", challenge))
}

fn is_known(world: &mut World, request: &Request) -> Option<()> {
    let header = request.header("authorization").filter(|header| header.starts_with("Digest") && header.is_ascii())?;
    let now = world.wall;
    world.logins.sessions.retain(|session| session.used + SESSION_S >= now);
    // The firmware takes the first `nonce=` in the text, which is the wrong one when `cnonce=` stands before it.
    let after = header.split_once("nonce=")?.1.trim_start_matches('"');
    let nonce = after.split(['"', ',']).next()?;
    let sent = AuthorizationHeader::parse(header).ok()?;
    let session = world.logins.sessions.iter_mut().find(|session| session.nonce == nonce)?;
    if sent.nc <= session.counts[0] || session.counts.contains(&sent.nc) {
        return None;
    }
    session.counts.rotate_left(1);
    session.counts[3] = sent.nc;
    let mut check = sent.clone();
    check.realm = REALM.to_owned();
    check.digest(&AuthContext::new(USER, PASSWORD, sent.uri.clone()));
    if sent.username != USER || check.response != sent.response {
        return None;
    }
    session.used = now;
    Some(())
}
