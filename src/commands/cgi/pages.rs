//! Fills the templates of the debug and the configuration page. All text is escaped by handlebars; only our own style
//! goes in as it is.

use handlebars::Handlebars;
use serde::Serialize;

use super::Visit;
use crate::cgi::{Answer, Refusal};
use crate::dashboard::clean;

const STYLE: &str = include_str!("../../../templates/admin/style.css");
const TEMPLATES: [(&str, &str); 10] = [
    ("top", include_str!("../../../templates/admin/top.hbs")),
    ("end", include_str!("../../../templates/admin/end.hbs")),
    ("row", include_str!("../../../templates/admin/row.hbs")),
    ("field", include_str!("../../../templates/admin/field.hbs")),
    ("debug", include_str!("../../../templates/admin/debug.hbs")),
    ("plan", include_str!("../../../templates/admin/plan.hbs")),
    ("confirm", include_str!("../../../templates/admin/confirm.hbs")),
    ("config", include_str!("../../../templates/admin/config.hbs")),
    ("difference", include_str!("../../../templates/admin/difference.hbs")),
    ("refusal", include_str!("../../../templates/admin/refusal.hbs")),
];

/// What stands at the top of every page, and what its forms carry.
#[derive(Debug, Serialize)]
struct Frame {
    style: &'static str,
    title: String,
    site: String,
    mode: &'static str,
    observe: bool,
    test_clock: bool,
    base: String,
    user: String,
    address: String,
    token: String,
    on_debug: bool,
}

#[derive(Serialize)]
struct Page<'a, T> {
    f: Frame,
    p: &'a T,
}

/// A page from its template and what it shows.
pub(super) fn page<T: Serialize>(
    visit: &Visit<'_>,
    status: u16,
    template: &str,
    title: &str,
    content: &T,
) -> Result<Answer, Refusal> {
    let site = clean(&visit.cfg.site.name);
    let frame = Frame {
        style: STYLE,
        title: format!("{title} – {site}"),
        site,
        mode: visit.cfg.mode.word(),
        observe: visit.cfg.mode == crate::config::Mode::Observe,
        test_clock: visit.clock.is_test(),
        base: visit.request.base.clone(),
        user: clean(&visit.request.user),
        address: visit.request.address.clone(),
        token: visit.token(),
        on_debug: !visit.request.path.starts_with("/config"),
    };
    let body = fill(template, &Page { f: frame, p: content }).map_err(|text| Refusal::new(500, text))?;
    Ok(Answer::page(status, body, STYLE))
}

#[derive(Serialize)]
struct RefusalPage<'a> {
    style: &'static str,
    status: u16,
    lines: Vec<String>,
    base: &'a str,
}

/// The page of a request that is not done. It needs no configuration, since that may be what is wrong.
pub(super) fn refusal(refusal: &Refusal, base: &str) -> Answer {
    let lines = refusal.text.lines().map(clean).collect();
    let view = RefusalPage { style: STYLE, status: refusal.status, lines, base };
    // A template that does not fit is a mistake of ours; the status still says no.
    let body = fill("refusal", &view).unwrap_or_else(|_| "<!DOCTYPE html><title>not done</title>".to_owned());
    Answer::page(refusal.status, body, STYLE)
}

fn fill<T: Serialize>(template: &str, view: &T) -> Result<String, String> {
    let mut templates = Handlebars::new();
    templates.set_strict_mode(true);
    for (name, text) in TEMPLATES {
        templates.register_template_string(name, text).map_err(|error| format!("template `{name}`: {error}"))?;
    }
    templates.render(template, view).map_err(|error| format!("template `{template}`: {error}"))
}
