//! The answer: status, headers, page. Every answer forbids scripts, frames, foreign forms, and keeping it.

use std::io::Write;

use base64::Engine;
use sha2::{Digest, Sha256};

use super::request::{COOKIE, Method};

/// What the web server is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    status: u16,
    location: Option<String>,
    session: Option<(String, String)>,
    style: String,
    body: String,
}

impl Answer {
    /// A page, whose one `<style>` holds `style`.
    pub fn page(status: u16, body: String, style: &str) -> Answer {
        Answer { status, location: None, session: None, style: style.to_owned(), body }
    }

    /// What follows a change: the browser looks at `path`, so that loading it again sends nothing twice.
    pub fn see(path: String) -> Answer {
        Answer { status: 303, location: Some(path), session: None, style: String::new(), body: String::new() }
    }

    /// Gives the browser its name, for pages from `base` on.
    pub fn with_session(self, session: String, base: &str) -> Answer {
        Answer { session: Some((session, format!("{base}/"))), ..self }
    }

    /// Writes it as CGI wants it; without the body for HEAD.
    pub fn write(&self, method: Option<Method>, out: &mut dyn Write) -> std::io::Result<()> {
        let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(self.style.as_bytes()));
        write!(out, "Status: {} {}\r\n", self.status, reason(self.status))?;
        if let Some(location) = &self.location {
            write!(out, "Location: {location}\r\n")?;
        }
        if let Some((session, path)) = &self.session {
            write!(out, "Set-Cookie: {COOKIE}={session}; Path={path}; HttpOnly; SameSite=Strict\r\n")?;
        }
        if self.status == 405 {
            out.write_all(b"Allow: GET, HEAD, POST\r\n")?;
        }
        write!(
            out,
            "Content-Type: text/html; charset=utf-8\r\n\
             Content-Length: {}\r\n\
             Content-Security-Policy: default-src 'none'; style-src 'sha256-{hash}'; img-src data:; form-action 'self'; \
             base-uri 'none'; frame-ancestors 'none'\r\n\
             Cache-Control: no-store\r\n\
             X-Content-Type-Options: nosniff\r\n\
             X-Frame-Options: DENY\r\n\
             Referrer-Policy: same-origin\r\n\
             Cross-Origin-Opener-Policy: same-origin\r\n\
             Cross-Origin-Resource-Policy: same-origin\r\n\r\n",
            self.body.len()
        )?;
        if method != Some(Method::Head) {
            out.write_all(self.body.as_bytes())?;
        }
        out.flush()
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        303 => "See Other",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        411 => "Length Required",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Content",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    }
}
