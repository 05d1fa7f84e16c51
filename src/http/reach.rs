//! Whether a service answers at all, asked without its own path: what stands there may count as a use of it. It says
//! nothing about whether the service knows us.

use std::time::Duration;

use url::Url;

use super::{Request, send};
use crate::model::{Fault, FaultKind};

/// Asks for the head of the first page of a service's host. `Ok` says in words what answered; `None` when the address has
/// no path of its own, so that even this would be a use of it. A fault of the wire, or a status that says that the service
/// itself failed (5xx).
pub fn reach(device: &str, url: &str, timeout: Duration) -> Result<Option<String>, Fault> {
    let Ok(mut first) = Url::parse(url) else {
        return Err(Fault::new(device, FaultKind::Unreachable, "its address cannot be read"));
    };
    if first.path().trim_matches('/').is_empty() {
        return Ok(None);
    }
    first.set_path("/");
    first.set_query(None);
    first.set_fragment(None);
    let answer = send(&Request::new(device, "HEAD", first.as_str(), timeout))?;
    if answer.status >= 500 {
        let detail = format!("status {} ({first})", answer.status);
        return Err(Fault::new(device, FaultKind::Status, detail));
    }
    Ok(Some(format!("{} answers", first.host_str().unwrap_or_default())))
}
