//! A page as a tree, and the text at one place of it. The tree is bounded in size, depth and time, because markup can
//! be written that costs a parser hours or all memory. It knows no numbers and no words.

use std::time::{Duration, Instant};

use html5ever::driver::{ParseOpts, parse_document};
use html5ever::tendril::{StrTendril, TendrilSink};
use scraper::{ElementRef, Html, HtmlTreeSink, Node, Selector};
use serde_json::Value;

use super::fault;
use crate::config::PagePlace;
use crate::http::excerpt;
use crate::model::{Fault, FaultKind};

/// The longest page, in bytes as they came and as text.
pub const PAGE_MAX: usize = 2 * 1024 * 1024;
/// Elements, texts and comments of one page.
const NODES_MAX: usize = 100_000;
/// Elements within each other.
const DEPTH_MAX: usize = 400;
/// Real time for reading one page; a large sound one takes a tenth.
const PARSE_MAX: Duration = Duration::from_secs(3);
/// The tree is looked at after so many bytes of the page.
const PIECE: usize = 512;
/// The longest text at a place that is looked at.
const TEXT_MAX: usize = 256 * 1024;

/// Elements that stand inside a line; any other parts the text before it from the text after it. `sup` and `sub` are
/// not here: they are not read as a part of the number they stand at.
const INLINE: [&str; 22] = [
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "em", "font", "i", "mark", "nobr", "s",
    "small", "span", "strong", "time", "tt", "u",
];
/// Elements whose text no reader sees.
const UNSEEN: [&str; 4] = ["script", "style", "template", "noscript"];

/// A page or an answer, ready to be looked at.
pub enum Document {
    /// A page.
    Page(Html),
    /// An answer that is JSON.
    Json(Value),
}

/// Reads a body as what the place asks for.
pub fn open(body: &str, place: &PagePlace) -> Result<Document, Fault> {
    match place {
        PagePlace::Element { .. } => html(body).map(Document::Page),
        PagePlace::Json(_) => match serde_json::from_str(body) {
            Ok(value) => Ok(Document::Json(value)),
            Err(error) => Err(crate::drivers::common::not_json(super::NAME, body, &error)),
        },
    }
}

/// A page as a tree, within bounds.
pub fn html(body: &str) -> Result<Html, Fault> {
    let began = Instant::now();
    let refuse = |what: String| Err(fault(FaultKind::Unreadable, format!("page cannot be read: {what}")));
    if body.len() > PAGE_MAX {
        return refuse(format!("it is longer than {PAGE_MAX} bytes"));
    }
    let mut parser = parse_document(HtmlTreeSink::new(Html::new_document()), ParseOpts::default());
    let mut rest = body;
    while !rest.is_empty() {
        let end = (PIECE..rest.len()).find(|end| rest.is_char_boundary(*end)).unwrap_or(rest.len());
        let (piece, tail) = rest.split_at_checked(end).unwrap_or((rest, ""));
        parser.process(StrTendril::from(piece));
        rest = tail;
        let so_far = parser.tokenizer.sink.sink.0.borrow();
        if so_far.tree.values().len() > NODES_MAX {
            return refuse(format!("it has more than {NODES_MAX} elements and texts"));
        }
        if so_far.tree.nodes().next_back().is_some_and(|last| last.ancestors().nth(DEPTH_MAX).is_some()) {
            return refuse(format!("more than {DEPTH_MAX} elements stand within each other"));
        }
        if began.elapsed() > PARSE_MAX {
            return refuse("its markup takes too long".to_owned());
        }
    }
    Ok(parser.finish())
}

/// The text at a place, white space folded. `Missing` where there is nothing, `Unreadable` where there is not one.
pub fn text_at(document: &Document, place: &PagePlace) -> Result<String, Fault> {
    let text = match (document, place) {
        (Document::Page(page), PagePlace::Element { selector, attribute }) => {
            let element = the_element(page, selector)?;
            match attribute {
                None => seen_text(element),
                Some(name) => element.value().attr(name).map(str::to_owned).ok_or_else(|| {
                    let shown = excerpt(selector);
                    fault(FaultKind::Missing, format!("element `{shown}` has no attribute `{}`", excerpt(name)))
                })?,
            }
        }
        (Document::Json(value), PagePlace::Json(pointer)) => json_text(value, pointer)?,
        (Document::Page(_), PagePlace::Json(_)) | (Document::Json(_), PagePlace::Element { .. }) => {
            return Err(fault(FaultKind::Unreadable, "page and place are of two kinds".to_owned()));
        }
    };
    if text.len() > TEXT_MAX {
        let detail = format!("text at {} is longer than {TEXT_MAX} bytes", shown(place));
        return Err(fault(FaultKind::Unreadable, detail));
    }
    Ok(folded(&text))
}

/// How a place is named in messages.
pub fn shown(place: &PagePlace) -> String {
    match place {
        PagePlace::Element { selector, attribute: None } => format!("selector `{}`", excerpt(selector)),
        PagePlace::Element { selector, attribute: Some(name) } => {
            format!("attribute `{}` of selector `{}`", excerpt(name), excerpt(selector))
        }
        PagePlace::Json(pointer) => format!("JSON `{}`", excerpt(pointer)),
    }
}

fn the_element<'a>(page: &'a Html, selector: &str) -> Result<ElementRef<'a>, Fault> {
    let shown = excerpt(selector);
    let parsed = Selector::parse(selector)
        .map_err(|_| fault(FaultKind::Unreadable, format!("selector `{shown}` is not a CSS selector")))?;
    let mut matches = page.select(&parsed);
    match (matches.next(), matches.count()) {
        (Some(element), 0) => Ok(element),
        (None, _) => Err(fault(FaultKind::Missing, format!("selector `{shown}` matches no element; wanted 1"))),
        (Some(_), others) => {
            let detail = format!("selector `{shown}` matches {} elements; wanted 1", others + 1);
            Err(fault(FaultKind::Unreadable, detail))
        }
    }
}

fn json_text(value: &Value, pointer: &str) -> Result<String, Fault> {
    let shown = excerpt(pointer);
    match value.pointer(pointer) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(scalar @ (Value::Number(_) | Value::Bool(_))) => Ok(scalar.to_string()),
        Some(Value::Null) => Err(fault(FaultKind::Missing, format!("JSON `{shown}` is null"))),
        Some(Value::Array(_) | Value::Object(_)) => {
            Err(fault(FaultKind::Unreadable, format!("JSON `{shown}` is not a single value")))
        }
        None => Err(fault(FaultKind::Missing, format!("JSON `{shown}` is not in the answer"))),
    }
}

/// What a reader sees of an element: without scripts (unless it is one), with a blank where a cell, a line or a
/// paragraph ends.
pub fn seen_text(element: ElementRef<'_>) -> String {
    let mut text = String::new();
    let edge = |text: &mut String, node: &Node| {
        if node.as_element().is_some_and(|inner| !INLINE.contains(&inner.name())) {
            text.push(' ');
        }
    };
    let mut next = element.first_child();
    while let Some(node) = next {
        edge(&mut text, node.value());
        let is_unseen = ElementRef::wrap(node).is_some_and(|inner| UNSEEN.contains(&inner.value().name()));
        if let Node::Text(part) = node.value() {
            text.push_str(part);
        }
        next = node.first_child().filter(|_| !is_unseen);
        let mut ended = node;
        while next.is_none() {
            edge(&mut text, ended.value());
            next = ended.next_sibling();
            match ended.parent() {
                Some(parent) if next.is_none() && parent.id() != element.id() => ended = parent,
                _ => break,
            }
        }
    }
    text
}

/// White space of any kind folded to single blanks; a no-break one between two digits stays as U+00A0, since pages
/// write thousands so.
pub fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut gap = 0_usize;
    let mut no_break = true;
    for letter in text.chars() {
        if letter.is_whitespace() || matches!(letter, '\u{200b}' | '\u{feff}') {
            gap += 1;
            no_break = matches!(letter, '\u{a0}' | '\u{202f}' | '\u{2007}' | '\u{2009}');
            continue;
        }
        if gap > 0 && !folded.is_empty() {
            let in_number = gap == 1 && no_break && letter.is_ascii_digit();
            let after_digit = folded.ends_with(|c: char| c.is_ascii_digit());
            folded.push(if in_number && after_digit { '\u{a0}' } else { ' ' });
        }
        gap = 0;
        folded.push(letter);
    }
    folded
}
