//! What a browser and a web server do: variables, cookie, token, form. It judges nothing.

use std::cell::RefCell;
use std::io::Write;
use std::process::Stdio;

use crate::mine::{Mine, Ran, finish};

pub const USER: &str = "ann";
pub const ADDRESS: &str = "10.0.0.9";
const TYPE: &str = "application/x-www-form-urlencoded";

/// An answer of the program.
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    fn parse(ran: Ran) -> Answer {
        let (head, body) = ran.stdout.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no header: {ran:?}"));
        let header =
            |line: &str| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned())).unwrap();
        let headers: Vec<(String, String)> = head.split("\r\n").map(header).collect();
        let status = headers.iter().find(|(name, _)| name == "Status").unwrap().1[..3].parse().unwrap();
        Answer { status, headers, body: body.to_owned() }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The value of the first field of this name.
    pub fn field(&self, name: &str) -> String {
        let start = format!("name=\"{name}\" value=\"");
        let at = self.body.find(&start).unwrap_or_else(|| panic!("no field {name}: {}", self.body)) + start.len();
        let text = self.body[at..].split('"').next().unwrap();
        text.replace("&#x3D;", "=").replace("&amp;", "&")
    }

    /// All of the page's text without its tags, with the escapes undone.
    pub fn text(&self) -> String {
        let body = &self.body[self.body.find("</style>").unwrap_or(0)..];
        let tags = regex::Regex::new("<[^>]*>").unwrap();
        let text = tags.replace_all(body, "");
        let escapes =
            [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#x27;", "'"), ("&#x60;", "`"), ("&#x3D;", "=")];
        escapes.iter().fold(text.into_owned(), |text, (from, to)| text.replace(from, to)).replace("&amp;", "&")
    }

    pub fn with_status(self, status: u16) -> Answer {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }
}

/// One browser with its cookie and the token of the page that it saw last.
pub struct Browser<'a> {
    pub mine: &'a Mine,
    pub user: &'static str,
    pub cookie: RefCell<String>,
    pub token: RefCell<String>,
}

impl<'a> Browser<'a> {
    pub fn new(mine: &'a Mine, user: &'static str) -> Browser<'a> {
        Browser { mine, user, cookie: RefCell::default(), token: RefCell::default() }
    }

    /// A request with these variables instead of, or besides, the usual ones; an empty value takes one away.
    pub fn request(&self, method: &str, path: &str, query: &str, body: &str, other: &[(&str, &str)]) -> Answer {
        let length = body.len().to_string();
        let mut variables = vec![
            ("GATEWAY_INTERFACE", "CGI/1.1"),
            ("REQUEST_METHOD", method),
            ("SCRIPT_NAME", "/admin"),
            ("PATH_INFO", path),
            ("QUERY_STRING", query),
            ("REMOTE_USER", self.user),
            ("REMOTE_ADDR", ADDRESS),
            ("HTTP_HOST", "pi.local"),
        ];
        let cookie = self.cookie.borrow();
        if !cookie.is_empty() {
            variables.push(("HTTP_COOKIE", &cookie));
        }
        if method == "POST" {
            variables.extend([("CONTENT_TYPE", TYPE), ("CONTENT_LENGTH", &length), ("HTTP_ORIGIN", "http://pi.local")]);
        }
        variables.retain(|(name, _)| !other.iter().any(|(replaced, _)| replaced == name));
        variables.extend(other.iter().filter(|(_, value)| !value.is_empty()));
        let mut command = self.mine.command(&["cgi"]);
        let mut child = command.envs(variables).stdin(Stdio::piped()).spawn().unwrap();
        // One that refuses by its variables alone does not read the body.
        drop(child.stdin.take().unwrap().write_all(body.as_bytes()));
        Answer::parse(finish(child, "cgi"))
    }

    /// Opens a page, keeps its cookie and its token.
    pub fn open(&self, path: &str, query: &str) -> Answer {
        let answer = self.request("GET", path, query, "", &[]);
        if let Some((cookie, _)) = answer.header("Set-Cookie").split_once(';') {
            *self.cookie.borrow_mut() = cookie.to_owned();
        }
        if answer.body.contains("name=\"token\"") {
            *self.token.borrow_mut() = answer.field("token");
        }
        answer
    }

    /// Sends a form with the token.
    pub fn send(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send_with(path, fields, &[])
    }

    pub fn send_with(&self, path: &str, fields: &[(&str, &str)], other: &[(&str, &str)]) -> Answer {
        let token = self.token.borrow().clone();
        self.request("POST", path, "", &form(&[&[("token", token.as_str())], fields].concat()), other)
    }
}

pub fn form(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}
