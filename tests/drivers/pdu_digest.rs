//! PDUs that want HTTP Digest: the challenge is answered for each method and path, and the password is not sent around.

use std::sync::{Arc, Mutex};

use digest_auth::{AuthContext, AuthorizationHeader, HttpMethod};
use minectl::config::PduAuth;
use minectl::model::{FaultKind, Reply};

use crate::acting::{LIMIT, act_within, results};
use crate::config::pdu_section;
use crate::pdu_presets::{outlet, pdu_alone, read, with_pdu};
use crate::server::{Act, Server};

/// The password of the user `owner`.
pub const PASSWORD: &str = "correct horse";

/// Stands in front of a device: `None` lets a request through. A challenge is good for so many requests, each with a
/// higher count.
pub fn guard(uses: usize) -> impl FnMut(&str) -> Option<Act> + Send + 'static {
    let (mut challenges, mut count, mut used) = (0, 0, 0);
    move |request| {
        let (method, path) = (request.split(' ').next().unwrap(), request.split(' ').nth(1).unwrap());
        let header = request.lines().find_map(|line| line.strip_prefix("authorization: "));
        let sent = header.filter(|header| header.starts_with("Digest ")).map(AuthorizationHeader::parse);
        if let Some(sent) = sent.map(Result::unwrap) {
            let mut check = sent.clone();
            check.digest(&AuthContext::new_with_method(
                "owner",
                PASSWORD,
                path,
                None::<&[u8]>,
                HttpMethod::from(method),
            ));
            used += 1;
            let fresh = sent.nonce == format!("n{challenges}") && sent.nc > count && used <= uses;
            if fresh && sent.username == "owner" && sent.uri == path && sent.response == check.response {
                count = sent.nc;
                return None;
            }
        }
        (challenges, count, used) = (challenges + 1, 0, 0);
        let challenge = format!("WWW-Authenticate: Digest realm=\"pdu\", qop=\"auth\", nonce=\"n{challenges}\"\r\n");
        Some(Act::answer(401, &challenge, "login please"))
    }
}

/// A PDU of two outlets in the manner of Digital Loggers: a bare list of states, switched one by one with a form.
fn pdu(uses: usize) -> Server {
    let states = Arc::new(Mutex::new([true, true]));
    let mut guard = guard(uses);
    Server::by(move |request| {
        if let Some(refusal) = guard(request) {
            return refusal;
        }
        let mut states = states.lock().unwrap();
        if request.starts_with("PUT /relay/1/state/ ") {
            states[1] = request.ends_with("value=true");
            return Act::answer(204, "", "");
        }
        Act::json(format!("[{{\"state\": {}}}, {{\"state\": {}}}]", states[0], states[1]))
    })
}

fn section(password: &str, more: &str) -> String {
    format!(
        r#"
user = "owner"
password = "{password}"
read_path = "/relay/all"
items = ""
id = "@index"
id_offset = -1
state = "/state"
on = true
off = false
body_type = "form"
switch_method = "PUT"
switch_path = "/relay/{{id}}/state/"
switch_headers = ["X-CSRF: x"]
on_body = '{{"value": true}}'
off_body = '{{"value": false}}'
settle = "0 s"
outlets = ["1-2"]
{more}"#
    )
}

fn states(server: &Server, more: &str) -> Vec<bool> {
    let reading = read(&with_pdu(&server.url, &section(PASSWORD, more))).unwrap();
    reading.outlets.values().map(|outlet| outlet.on.clone().unwrap()).collect()
}

#[test]
fn a_digest_that_the_pdu_asks_for_is_given_and_switching_goes_by_the_same_challenge() {
    let server = pdu(usize::MAX);
    assert_eq!(states(&server, ""), [true, true]);
    assert_eq!(server.requests().len(), 2, "one refusal, one answer");
    let cfg = with_pdu(&server.url, &section(PASSWORD, ""));
    assert_eq!(results(act_within(&cfg, LIMIT, &[outlet("2", false)])), [Ok(Reply::Confirmed)]);
    assert_eq!(server.lines().iter().filter(|line| line.starts_with("PUT")).count(), 2, "{:?}", server.lines());
    assert_eq!(states(&server, ""), [true, false]);
}

#[test]
fn with_auth_digest_the_password_is_never_sent_and_without_it_basic_comes_first() {
    let basic = "Basic b3duZXI6Y29ycmVjdCBob3JzZQ==";
    let server = pdu(usize::MAX);
    assert_eq!(states(&server, "auth = \"digest\""), [true, true]);
    let requests = server.requests();
    assert!(requests.iter().all(|request| !request.contains(basic)), "{requests:?}");
    assert!(!requests[0].contains("authorization"), "{}", requests[0]);
    let server = pdu(usize::MAX);
    states(&server, "");
    assert!(server.requests()[0].contains(basic) && !server.requests()[1].contains(basic));
}

#[test]
fn a_challenge_that_is_used_up_is_followed_by_the_next_within_the_conversation() {
    let server = pdu(1);
    let cfg = with_pdu(&server.url, &section(PASSWORD, "auth = \"digest\""));
    assert_eq!(results(act_within(&cfg, LIMIT, &[outlet("2", false)])), [Ok(Reply::Confirmed)]);
    assert_eq!(states(&server, ""), [true, false]);
}

#[test]
fn a_wrong_password_is_tried_with_one_challenge_and_then_refused() {
    let server = pdu(usize::MAX);
    let cfg = with_pdu(&server.url, &section("hunter2", "auth = \"digest\""));
    let fault = read(&cfg).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Refused, "{fault}");
    assert!(fault.detail.contains("status 401: `login please`") && !fault.detail.contains("hunter2"), "{fault}");
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn a_challenge_that_is_not_understood_leaves_the_refusal_as_it_is() {
    for header in ["WWW-Authenticate: Digest realm=\"b\u{f6}x\"\r\n", "WWW-Authenticate: NTLM\r\n", ""] {
        let server = Server::new(vec![Act::answer(401, header, "no")]);
        let fault = read(&with_pdu(&server.url, &section(PASSWORD, "auth = \"digest\""))).unwrap_err();
        assert_eq!((fault.kind, server.requests().len()), (FaultKind::Refused, 1), "{header}");
    }
}

#[test]
fn auth_goes_with_user_and_password_and_not_beside_a_login() {
    assert_eq!(pdu_alone(&section("x", "")).auth, PduAuth::Basic);
    assert_eq!(pdu_alone(&section("x", "auth = \"digest\"")).auth, PduAuth::Digest);
    let mistakes = |section: &str| {
        pdu_section(&format!("name = \"p\"\nurl = \"http://127.0.0.1:9\"\n{section}"))
            .err()
            .unwrap_or_default()
            .join("\n")
    };
    assert!(mistakes(&section("x", "auth = \"ntlm\"")).contains("known: `basic`, `digest`"));
    let alone = "preset = \"netio\"\noutlets = [\"1\"]\nauth = \"digest\"";
    assert!(mistakes(alone).contains("needs `user` and `password` beside it"), "{}", mistakes(alone));
    let geist =
        "preset = \"geist\"\nunit = \"1\"\nuser = \"a\"\npassword = \"b\"\noutlets = [\"1\"]\nauth = \"digest\"";
    assert!(mistakes(geist).contains("this PDU has a login"), "{}", mistakes(geist));
}
