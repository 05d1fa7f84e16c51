//! Asks a board for its state, or gives it an order, whose reply is the state as well: which page, in which words, over
//! which kind of connection. Reading tries what a board may be; nothing is ever written on a guess.

use super::parse::{BoardState, Dialect, state, without_relays};
use crate::config::{RelayBoardConfig, RelayFamily, RelayPage, RelayPoint};
use crate::drivers::common::{Limits, basic_auth, joined};
use crate::http::{Request, excerpt, raw_get, send_or_raw};
use crate::model::{Fault, FaultKind};

/// What a board sends at most, with room to spare.
const BODY_MAX: usize = 64 * 1024;

/// A board as it is spoken to: page and words.
#[derive(Clone, Copy)]
pub(super) struct Way {
    page: RelayPage,
    dialect: Option<Dialect>,
}

impl Way {
    /// How the configuration alone says it; `None` where the board must be read first to know.
    pub(super) fn configured(cfg: &RelayBoardConfig) -> Option<Way> {
        let dialect = words_of(cfg.family)?;
        pages(cfg, false).first().map(|page| Way { page: *page, dialect: Some(dialect) })
    }

    /// The parameter that switches a relay; `None` where this board has no such relay.
    pub(super) fn parameter(self, relay: &RelayPoint) -> Option<String> {
        match (relay, self.dialect?) {
            (RelayPoint::Name(name), _) => Some(name.clone()),
            (RelayPoint::Number(number), Dialect::Numbers) => Some(format!("relay{number}")),
            (RelayPoint::Number(number), Dialect::NumbersState | Dialect::Digits) => {
                Some(format!("relay{number}State"))
            }
            (RelayPoint::Number(1), Dialect::Single) => Some("relayState".to_owned()),
            (RelayPoint::Number(_), Dialect::Single) => None,
        }
    }
}

/// The words that a family must use; `None` where any will do.
fn words_of(family: RelayFamily) -> Option<Dialect> {
    match family {
        RelayFamily::Auto => None,
        RelayFamily::Series400 => Some(Dialect::Numbers),
        RelayFamily::Series300 => Some(Dialect::NumbersState),
        RelayFamily::Single => Some(Dialect::Single),
        RelayFamily::X332 => Some(Dialect::Digits),
    }
}

/// The pages that may show the relays, in the order in which they are tried.
fn pages(cfg: &RelayBoardConfig, has_names: bool) -> Vec<RelayPage> {
    match (cfg.page, cfg.family) {
        (Some(page), _) => vec![page],
        (None, RelayFamily::Auto | RelayFamily::Series400) if has_names => vec![RelayPage::CustomStateJson],
        (None, RelayFamily::Series400) => vec![RelayPage::StateJson],
        (None, RelayFamily::Auto) => vec![RelayPage::StateJson, RelayPage::StateXml],
        (None, RelayFamily::Series300 | RelayFamily::Single | RelayFamily::X332) => vec![RelayPage::StateXml],
    }
}

/// Reads a board. With `has_names` its relays may all be known by name only.
pub(super) fn look(cfg: &RelayBoardConfig, has_names: bool, limits: Limits) -> Result<(Way, BoardState), Fault> {
    let mut missed: Option<Fault> = None;
    for page in pages(cfg, has_names) {
        match ask(cfg, page, "", has_names, limits) {
            Ok(state) => {
                // Names are set by themselves, in whatever words the rest is shown.
                let dialect = state.dialect.or(has_names.then_some(Dialect::Numbers));
                return Ok((Way { page, dialect }, state));
            }
            Err(fault) if is_other_page_likely(&fault) => {
                missed = Some(match missed {
                    Some(first) => both(&first, &fault),
                    None => fault,
                });
            }
            Err(fault) => return Err(fault),
        }
    }
    Err(missed.unwrap_or_else(|| Fault::new(&cfg.name, FaultKind::WrongDevice, "no page is known for this family")))
}

/// Whether another page may do where this one did not: older boards drop the connection when asked for JSON.
fn is_other_page_likely(fault: &Fault) -> bool {
    match fault.kind {
        FaultKind::Broken | FaultKind::Status | FaultKind::Unreadable | FaultKind::WrongDevice => true,
        FaultKind::Unreachable
        | FaultKind::TimedOut
        | FaultKind::Refused
        | FaultKind::Missing
        | FaultKind::OutOfRange
        | FaultKind::Stale
        | FaultKind::NotObeyed => false,
    }
}

fn both(first: &Fault, second: &Fault) -> Fault {
    let detail = format!("{}; and by state.json: {}", second.detail, first.detail);
    Fault { detail, ..second.clone() }
}

/// Gives an order: parameters with 0 or 1. The reply is the state.
pub(super) fn order(cfg: &RelayBoardConfig, way: Way, pairs: &[String], limits: Limits) -> Result<BoardState, Fault> {
    ask(cfg, way.page, &pairs.join("&"), way.page == RelayPage::CustomStateJson, limits)
}

/// Reads a board that is known.
pub(super) fn again(cfg: &RelayBoardConfig, way: Way, limits: Limits) -> Result<BoardState, Fault> {
    order(cfg, way, &[], limits)
}

fn ask(
    cfg: &RelayBoardConfig,
    page: RelayPage,
    query: &str,
    has_names: bool,
    limits: Limits,
) -> Result<BoardState, Fault> {
    // Units and colours would be written behind the values.
    let plain = if page == RelayPage::CustomStateJson { "showUnits=0&showColors=0" } else { "" };
    let query: Vec<&str> = [plain, query].into_iter().filter(|part| !part.is_empty()).collect();
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    let url = joined(&cfg.url, &format!("{}{query}", page.file()));
    let mut request = Request::get(&cfg.name, &url, limits.next());
    request.body_max = BODY_MAX;
    request.ca_file = cfg.ca_file.as_deref();
    if let Some(user) = cfg.user.as_deref().or(cfg.password.as_ref().map(|_| "none")) {
        request = request.header("Authorization", basic_auth(user, cfg.password.as_ref()));
    }
    request.secrets.extend(cfg.password.as_ref());
    let is_bare = matches!(page, RelayPage::StateXml | RelayPage::StateFullXml) && url.starts_with("http://");
    let answer = if is_bare { raw_get(&request)? } else { send_or_raw(&request)? };
    let text = answer.accepted(&cfg.name, &url)?.text();
    let state = state(&text, &cfg.name)?;
    if state.relays.is_empty() && !has_names {
        return Err(without_relays(&text, &cfg.name));
    }
    check_words(cfg, &state, has_names)?;
    Ok(state)
}

/// Refuses a board of another family than the one that is configured.
fn check_words(cfg: &RelayBoardConfig, state: &BoardState, has_names: bool) -> Result<(), Fault> {
    let Some((wanted, seen)) = words_of(cfg.family).zip(state.dialect) else { return Ok(()) };
    if wanted == seen || has_names {
        return Ok(());
    }
    let family = match seen {
        Dialect::Numbers => "400",
        Dialect::NumbersState => "x300",
        Dialect::Single => "single",
        Dialect::Digits => "x332",
    };
    let names: Vec<&str> =
        state.shown.keys().filter(|name| name.to_ascii_lowercase().starts_with("relay")).map(String::as_str).collect();
    let detail = format!(
        "this board speaks as family = \"{family}\" does (`{}`); set that if it is the right board",
        excerpt(&names.join("`, `"))
    );
    Err(Fault::new(&cfg.name, FaultKind::WrongDevice, detail))
}
