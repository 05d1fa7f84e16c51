//! User and password towards a PDU: by HTTP Basic with each request, or by HTTP Digest where the configuration says so or
//! the PDU asks for it. With `auth = "digest"` the password is never sent as it is.

use std::time::Instant;

use crate::config::{PduAuth, PduConfig, Secret};
use crate::drivers::common::basic_auth;
use crate::drivers::digest::Challenge;
use crate::http::{Answer, Request, send};
use crate::model::Fault;

/// How requests of one conversation say who asks.
pub(super) struct Password<'a> {
    cfg: &'a PduConfig,
    challenge: Option<Challenge>,
    /// The PDU refused user and password with a challenge of its own: no other answer will please it.
    is_refused: bool,
}

impl<'a> Password<'a> {
    pub(super) fn new(cfg: &'a PduConfig) -> Password<'a> {
        Password { cfg, challenge: None, is_refused: false }
    }

    /// Sends a request with user and password, where there are some; once more within its time when the PDU asks for a
    /// Digest, or for a new one. A refused request did nothing, so that sending it again does no harm.
    pub(super) fn send(&mut self, request: &Request) -> Result<Answer, Fault> {
        let Some((user, password)) = self.cfg.user.as_deref().zip(self.cfg.password.as_ref()) else {
            return send(request);
        };
        let began = Instant::now();
        let answer = send(&self.signed(request, user, password))?;
        let Some(challenge) = Challenge::of(&answer).filter(|_| !self.is_refused) else { return Ok(answer) };
        self.challenge = Some(challenge);
        let mut again = self.signed(request, user, password);
        again.timeout = request.timeout.saturating_sub(began.elapsed());
        let answer = send(&again)?;
        self.is_refused = answer.status == 401;
        Ok(answer)
    }

    fn signed<'r>(&mut self, request: &Request<'r>, user: &str, password: &Secret) -> Request<'r> {
        let digest = self.challenge.as_mut().and_then(|challenge| challenge.authorization(user, password, request));
        let authorization = match (digest, self.cfg.auth) {
            (Some(digest), _) => digest,
            (None, PduAuth::Basic) => basic_auth(user, Some(password)),
            (None, PduAuth::Digest) => return request.clone(),
        };
        request.clone().header("Authorization", authorization)
    }
}
