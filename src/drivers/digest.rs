//! Logins by HTTP Digest. For GETs to a device that keeps each challenge in its small memory, the challenge and the count
//! of its uses are kept in a file, so that the next run needs no new one. No device is known here.

use std::path::Path;

use digest_auth::{AuthContext, HttpMethod, WwwAuthenticateHeader};
use serde::{Deserialize, Serialize};

use super::common::Limits;
use super::common::kept::Kept as File;
use crate::config::Secret;
use crate::http::{Answer, Request, send};
use crate::model::{Fault, FaultKind};

/// A challenge is not used more often than this.
const USES_MAX: u32 = 1_000_000_000;

/// A longer challenge is none.
const CHALLENGE_MAX: usize = 1024;

/// User and password for one device, and the file that keeps its last challenge.
pub(super) struct Login<'a> {
    device: &'a str,
    user: &'a str,
    password: &'a Secret,
    ca_file: Option<&'a Path>,
    file: File,
}

/// What is kept. No password can be got from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Kept {
    /// The header as the device sent it.
    challenge: String,
    /// How often it was used; each use must count on.
    uses: u32,
    /// The device refused user and password with the challenge before this one.
    refused: bool,
}

impl<'a> Login<'a> {
    /// The login of a device, whose certificate `ca_file` may vouch for; its file lies in `folder`.
    pub(super) fn new(
        device: &'a str,
        (user, password): (&'a str, &'a Secret),
        ca_file: Option<&'a Path>,
        folder: &Path,
    ) -> Login<'a> {
        Login { device, user, password, ca_file, file: File::new(folder, "login", device) }
    }

    /// A GET with this login. A 401 comes back when the device refuses it: with a new challenge it is tried once more,
    /// but not when the one before was refused as well.
    pub(super) fn get(&self, url: &str, limits: Limits) -> Result<Answer, Fault> {
        let mut kept = self.load();
        let answer = match &mut kept {
            Some(kept) => self.answered(kept, url, limits)?,
            None => send(&self.request(url, limits))?,
        };
        if answer.status != 401 {
            return Ok(answer);
        }
        let Some(challenge) = challenge(&answer) else { return Ok(answer) };
        let mut fresh = Kept { challenge, uses: 0, refused: false };
        if kept.is_some_and(|kept| kept.refused) {
            self.keep(&Kept { refused: true, ..fresh });
            return Ok(answer);
        }
        let answer = self.answered(&mut fresh, url, limits)?;
        if let Some(challenge) = challenge_of_refusal(&answer) {
            self.keep(&Kept { challenge, uses: 0, refused: true });
        }
        Ok(answer)
    }

    /// Sends with the next use of a challenge. The use is kept before: a run that breaks off must not repeat it.
    fn answered(&self, kept: &mut Kept, url: &str, limits: Limits) -> Result<Answer, Fault> {
        let unusable = || Fault::new(self.device, FaultKind::Refused, "asks for a login that is not understood");
        let context = AuthContext::new(self.user, self.password.reveal(), path_of(url));
        let header = respond(kept, &context).ok_or_else(unusable)?;
        self.keep(kept);
        let request = self.request(url, limits).header("Authorization", header);
        let answer = send(&request.secret(self.password))?;
        if kept.refused && answer.status != 401 {
            kept.refused = false;
            self.keep(kept);
        }
        Ok(answer)
    }

    fn request<'b>(&'b self, url: &'b str, limits: Limits) -> Request<'b> {
        let mut request = Request::get(self.device, url, limits.next());
        request.ca_file = self.ca_file;
        request
    }

    fn load(&self) -> Option<Kept> {
        let kept: Kept = self.file.load()?;
        prompt(&kept).is_some().then_some(kept)
    }

    /// Without its file the login works all the same, with a new challenge each time.
    fn keep(&self, kept: &Kept) {
        self.file.keep(kept);
    }
}

/// A challenge that is answered within one conversation, by any method.
pub(super) struct Challenge {
    kept: Kept,
}

impl Challenge {
    /// That of a 401, if it brings one that is understood.
    pub(super) fn of(answer: &Answer) -> Option<Challenge> {
        let challenge = challenge_of_refusal(answer)?;
        Some(Challenge { kept: Kept { challenge, uses: 0, refused: false } })
    }

    /// The header value that answers it for this request; each use counts on.
    pub(super) fn authorization(&mut self, user: &str, password: &Secret, request: &Request) -> Option<String> {
        let body = request.body.as_deref();
        let method = HttpMethod::from(request.method);
        let path = path_of(request.url);
        respond(&mut self.kept, &AuthContext::new_with_method(user, password.reveal(), path, body, method))
    }
}

/// The next answer to a challenge.
fn respond(kept: &mut Kept, context: &AuthContext) -> Option<String> {
    let mut prompt = prompt(kept)?;
    let header = prompt.respond(context).ok()?.to_string();
    kept.uses = prompt.nc;
    Some(header)
}

/// The Digest challenge of a 401, if it brings one that is understood.
fn challenge(answer: &Answer) -> Option<String> {
    let all = answer.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("www-authenticate"));
    let digest = all.map(|(_, value)| value.trim()).find(|value| is_digest(value))?;
    let kept = Kept { challenge: digest.to_owned(), uses: 0, refused: false };
    prompt(&kept).map(|_| kept.challenge)
}

fn challenge_of_refusal(answer: &Answer) -> Option<String> {
    if answer.status == 401 { challenge(answer) } else { None }
}

fn is_digest(value: &str) -> bool {
    value.get(..7).is_some_and(|word| word.eq_ignore_ascii_case("digest "))
}

/// A kept challenge as the package wants it. Its reader counts characters as bytes: only ASCII may come near it.
fn prompt(kept: &Kept) -> Option<WwwAuthenticateHeader> {
    let text = &kept.challenge;
    if !text.is_ascii() || text.len() > CHALLENGE_MAX || kept.uses >= USES_MAX {
        return None;
    }
    let mut prompt = WwwAuthenticateHeader::parse(text.get(7..).filter(|_| is_digest(text))?).ok()?;
    prompt.nc = kept.uses;
    Some(prompt)
}

/// The header line that answers a challenge after so many uses; `None` for one that is not understood. For tests.
pub fn authorization(challenge: &str, uses: u32, user: &str, password: &Secret, url: &str) -> Option<String> {
    let kept = Kept { challenge: challenge.to_owned(), uses, refused: false };
    let context = AuthContext::new(user, password.reveal(), path_of(url));
    Some(prompt(&kept)?.respond(&context).ok()?.to_string())
}

/// What stands after the host of an address.
fn path_of(url: &str) -> &str {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    after_scheme.find('/').and_then(|at| after_scheme.get(at..)).unwrap_or("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(challenge: &str) -> Kept {
        Kept { challenge: challenge.to_owned(), uses: 7, refused: false }
    }

    #[test]
    fn a_challenge_is_understood_in_ascii_only_and_goes_on_counting() {
        let good = kept("Digest realm=\"box\",qop=\"auth\",nonce=\"3f9a61c2b7d04e85a1c6f0d29b7e4418\"");
        assert_eq!(prompt(&good).map(|prompt| prompt.nc), Some(7));
        for bad in ["", "Digest ", "Basic realm=\"box\"", "Digest realm=\"b\u{f6}x\",nonce=\"1\"", "Digest realm=\"box"]
        {
            assert_eq!(prompt(&kept(bad)), None, "{bad}");
        }
        assert_eq!(prompt(&Kept { uses: USES_MAX, ..good }), None);
    }

    #[test]
    fn the_path_is_what_is_sent_after_the_host() {
        assert_eq!(path_of("http://10.0.0.7:80/query?a=/b"), "/query?a=/b");
        assert_eq!(path_of("http://10.0.0.7"), "/");
    }

    proptest::proptest! {
        #[test]
        fn no_challenge_breaks_the_reader(text in "\\PC{0,80}", inside in "[a-z=\",\\\\ ]{0,80}") {
            drop(prompt(&kept(&text)));
            drop(prompt(&kept(&format!("Digest {inside}"))));
            drop(prompt(&kept(&format!("digest realm=\"{text}\",nonce=\"{inside}"))));
        }
    }
}
