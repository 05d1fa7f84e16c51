//! The request, checked: who, method, size, type, and for a POST where it comes from. Whatever is odd is refused with a
//! status and a sentence; nothing is repaired.

use std::io::Read;
use std::net::IpAddr;

use super::origin;

/// The largest body.
const BODY_BYTES_MAX: u64 = 64 * 1024;
/// The longest user name.
const USER_CHARS_MAX: usize = 64;
/// The longest query.
const QUERY_BYTES_MAX: usize = 2048;
/// Fields of one form.
const FIELDS_MAX: usize = 400;
/// The only form that is read.
const FORM: &str = "application/x-www-form-urlencoded";
/// The cookie that ties a form to its browser.
pub(super) const COOKIE: &str = "minectl";

/// Why a request is not answered as it wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The sentence for the person.
    pub text: String,
}

impl Refusal {
    /// A refusal with its status.
    pub fn new(status: u16, text: impl Into<String>) -> Refusal {
        Refusal { status, text: text.into() }
    }
}

/// The methods that are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Look.
    Get,
    /// Look, without the body.
    Head,
    /// Change something.
    Post,
}

/// Names and values of a query or a form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    fn parse(bytes: &[u8]) -> Result<Fields, Refusal> {
        let fields: Vec<(String, String)> = url::form_urlencoded::parse(bytes)
            .take(FIELDS_MAX + 1)
            .map(|(k, v)| (k.into_owned(), v.into_owned()))
            .collect();
        if fields.len() > FIELDS_MAX {
            return Err(Refusal::new(413, format!("a form has at most {FIELDS_MAX} fields")));
        }
        let names = fields.iter().enumerate();
        let mut twice = names.filter(|(place, (name, _))| fields.iter().take(*place).any(|(other, _)| other == name));
        if twice.next().is_some() {
            return Err(Refusal::new(400, "a field is there twice"));
        }
        Ok(Fields(fields))
    }

    /// A field's value; the empty text when it is not there.
    pub fn get(&self, name: &str) -> &str {
        self.find(name).unwrap_or_default()
    }

    /// A field's value; `None` when it is not there.
    pub fn find(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A request that may be looked at. For a POST the token is still to be checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Its method.
    pub method: Method,
    /// Where the pages are, as the browser names it: `/admin`. What links and redirects begin with.
    pub base: String,
    /// What is asked for below that: `/config`.
    pub path: String,
    /// The query.
    pub query: Fields,
    /// The form of a POST.
    pub form: Fields,
    /// Who logged in at the web server.
    pub user: String,
    /// From which address.
    pub address: String,
    /// The browser's cookie, if it has one of ours.
    pub session: Option<String>,
}

impl Request {
    /// Takes the request from CGI's variables and the body. `Err` is what to answer instead.
    pub fn read(variable: &dyn Fn(&str) -> Option<String>, body: &mut dyn Read) -> Result<Request, Refusal> {
        let get = |name: &str| variable(name).unwrap_or_default();
        let user = user(&get("REMOTE_USER"))?;
        let method = match get("REQUEST_METHOD").as_str() {
            "GET" => Method::Get,
            "HEAD" => Method::Head,
            "POST" => Method::Post,
            _ => return Err(Refusal::new(405, "only GET, HEAD and POST are answered")),
        };
        let query = get("QUERY_STRING");
        if query.len() > QUERY_BYTES_MAX {
            return Err(Refusal::new(414, "the address is too long"));
        }
        let form = match method {
            Method::Post => {
                origin::check(variable).map_err(|cause| Refusal::new(403, cause))?;
                Fields::parse(&read_form(variable, body)?)?
            }
            Method::Get | Method::Head => Fields::default(),
        };
        Ok(Request {
            method,
            base: base(&get("SCRIPT_NAME"))?,
            path: get("PATH_INFO"),
            query: Fields::parse(query.as_bytes())?,
            form,
            user,
            address: get("REMOTE_ADDR").parse::<IpAddr>().map_or("unknown address".to_owned(), |at| at.to_string()),
            session: session(&get("HTTP_COOKIE")),
        })
    }

    /// Who asks for a change, for the record.
    pub fn who(&self) -> String {
        format!("debug page: {} from {}", self.user, self.address)
    }
}

/// Without a password the pages are open to anyone on the network; the program does not rely on the web server's
/// configuration alone.
fn user(name: &str) -> Result<String, Refusal> {
    let bad = name.trim().is_empty() || name.chars().count() > USER_CHARS_MAX || name.chars().any(char::is_control);
    if bad {
        let text = "nobody is logged in: the web server must ask for a password (auth_basic) and pass REMOTE_USER on";
        return Err(Refusal::new(403, text));
    }
    Ok(name.trim().to_owned())
}

/// It goes into links and redirects, so it must be a path and nothing else.
fn base(script: &str) -> Result<String, Refusal> {
    let base = script.trim_end_matches('/');
    let plain = base.chars().all(|c| c.is_ascii_alphanumeric() || "/_.-".contains(c));
    let good = base.is_empty() || (base.starts_with('/') && plain && !base.contains("//") && !base.contains(".."));
    good.then(|| base.to_owned()).ok_or_else(|| Refusal::new(400, "SCRIPT_NAME is not a plain path"))
}

fn session(cookies: &str) -> Option<String> {
    let ours = cookies.split(';').filter_map(|pair| pair.trim().split_once('=')).find(|(name, _)| *name == COOKIE);
    let value = ours.map(|(_, value)| value)?;
    (value.len() == 32 && value.bytes().all(|b| b.is_ascii_hexdigit())).then(|| value.to_owned())
}

fn read_form(variable: &dyn Fn(&str) -> Option<String>, body: &mut dyn Read) -> Result<Vec<u8>, Refusal> {
    let kind = variable("CONTENT_TYPE").unwrap_or_default().to_ascii_lowercase();
    let mut parts = kind.split(';').map(str::trim);
    let charset = |part: &str| part == "charset=utf-8" || part == "charset=\"utf-8\"";
    if parts.next() != Some(FORM) || !parts.all(charset) {
        return Err(Refusal::new(415, format!("only forms ({FORM}, UTF-8) are taken")));
    }
    let length = variable("CONTENT_LENGTH").unwrap_or_default();
    if length.is_empty() {
        return Err(Refusal::new(411, "the length is missing"));
    }
    let digits = length.bytes().all(|b| b.is_ascii_digit());
    let length: u64 = if digits { length.parse().unwrap_or(u64::MAX) } else { return Err(bad_length()) };
    if length > BODY_BYTES_MAX {
        return Err(Refusal::new(413, format!("a form has at most {} KiB", BODY_BYTES_MAX / 1024)));
    }
    let mut bytes = Vec::new();
    body.take(length)
        .read_to_end(&mut bytes)
        .map_err(|cause| Refusal::new(400, format!("the form broke off: {cause}")))?;
    if bytes.len() as u64 == length { Ok(bytes) } else { Err(bad_length()) }
}

fn bad_length() -> Refusal {
    Refusal::new(400, "the form is not as long as it says")
}
