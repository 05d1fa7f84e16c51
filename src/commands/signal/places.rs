//! Where on saved pages a value could be: elements and attributes that can be named by something that stays (an id, a
//! class, an ancestor with an id), and are there exactly once on every page. Places by position are not proposed: a
//! row that is added would turn one value into another.

use std::collections::{BTreeMap, BTreeSet};

use scraper::{ElementRef, Html, Selector};
use serde_json::Value;

use crate::config::PagePlace;
use crate::drivers::page::{Document, folded, seen_text, text_at};

/// Elements of the first page that are looked at.
const ELEMENTS_MAX: usize = 4000;
/// Places that are compared.
const PLACES_MAX: usize = 3000;
/// Attributes that show a state.
const ATTRIBUTES: [&str; 6] = ["src", "alt", "class", "title", "value", "content"];
/// Labels that are looked at, and the longest.
const LABELS_MAX: usize = 200;
const LABEL_CHARS_MAX: usize = 60;
/// The deepest JSON that is looked at.
const JSON_DEPTH_MAX: usize = 12;

/// A place that every page has, with its text on each.
pub(super) struct Candidate {
    /// The place.
    pub(super) place: PagePlace,
    /// Its text on each page, in the order of the pages.
    pub(super) texts: Vec<String>,
    /// How much its name promises to stay.
    pub(super) score: i32,
}

/// The places that all documents have.
pub(super) fn common(documents: &[Document]) -> Vec<Candidate> {
    let named = match documents.first() {
        Some(Document::Page(page)) => in_page(page),
        Some(Document::Json(value)) => in_json(value),
        None => Vec::new(),
    };
    let everywhere = |(place, score): (PagePlace, i32)| {
        let texts: Result<Vec<String>, _> = documents.iter().map(|document| text_at(document, &place)).collect();
        Some(Candidate { place, texts: texts.ok()?, score })
    };
    named.into_iter().take(PLACES_MAX).filter_map(everywhere).collect()
}

/// Cells that say the same on every page and stand there once, each with the text of the cell after it on each page.
pub(super) fn labels(documents: &[Document]) -> Vec<(String, Vec<String>)> {
    let pages: Vec<BTreeMap<String, Vec<String>>> = documents.iter().map(pairs).collect();
    let Some((first, others)) = pages.split_first() else { return Vec::new() };
    let once = |values: &Vec<String>| values.first().filter(|_| values.len() == 1).cloned();
    let on_all = |label: &String, values: &Vec<String>| {
        let rest = others.iter().map(|page| page.get(label).and_then(once));
        let texts: Vec<String> = std::iter::once(once(values)).chain(rest).collect::<Option<_>>()?;
        texts.iter().any(|text| Some(text) != texts.first()).then(|| (label.clone(), texts))
    };
    first.iter().filter_map(|(label, values)| on_all(label, values)).take(LABELS_MAX).collect()
}

/// Each cell's text with those of the cells after it.
fn pairs(document: &Document) -> BTreeMap<String, Vec<String>> {
    let mut pairs: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let (Document::Page(page), Ok(cells)) = (document, Selector::parse("td, th, dt, label, li > *")) else {
        return pairs;
    };
    for cell in page.select(&cells).take(ELEMENTS_MAX) {
        let label = folded(&seen_text(cell));
        let next = cell.next_siblings().find_map(ElementRef::wrap);
        if let Some(next) = next.filter(|_| (2..=LABEL_CHARS_MAX).contains(&label.chars().count())) {
            pairs.entry(label).or_default().push(folded(&seen_text(next)));
        }
    }
    pairs
}

fn in_page(page: &Html) -> Vec<(PagePlace, i32)> {
    let mut seen = BTreeSet::new();
    let mut places = Vec::new();
    let Ok(all) = Selector::parse("body, body *, meta[name], script[id]") else { return places };
    for element in page.select(&all).take(ELEMENTS_MAX) {
        let mut names = selectors(element);
        names.retain(|(selector, _)| seen.insert(selector.clone()) && is_once(page, selector));
        for (selector, score) in names {
            for name in ATTRIBUTES.iter().filter(|name| element.value().attr(name).is_some()) {
                let attribute = Some((*name).to_owned());
                places.push((PagePlace::Element { selector: selector.clone(), attribute }, score - 5));
            }
            places.push((PagePlace::Element { selector, attribute: None }, score));
        }
    }
    places
}

fn is_once(page: &Html, selector: &str) -> bool {
    Selector::parse(selector).is_ok_and(|selector| page.select(&selector).take(2).count() == 1)
}

/// Names of an element, those that promise to stay first.
fn selectors(element: ElementRef<'_>) -> Vec<(String, i32)> {
    let node = element.value();
    let tag = node.name();
    if tag == "body" {
        return vec![("body".to_owned(), 0)];
    }
    let mut own = Vec::new();
    if let Some(id) = node.id().filter(|id| is_plain(id)) {
        own.push((format!("#{id}"), if is_generated(id) { 15 } else { 40 }));
    }
    if let Some(name) = node.attr("name").filter(|name| is_plain(name)) {
        own.push((format!("{tag}[name=\"{name}\"]"), 25));
    }
    let classes: Vec<&str> = node.classes().filter(|class| is_plain(class) && !is_generated(class)).take(4).collect();
    own.extend(classes.iter().map(|class| (format!("{tag}.{class}"), 30)));
    let ancestor = element.ancestors().filter_map(ElementRef::wrap).find_map(|above| {
        let id = above.value().id().filter(|id| is_plain(id)).map(|id| (format!("#{id}"), is_generated(id)));
        let class = || above.value().classes().find(|class| is_plain(class) && !is_generated(class));
        id.or_else(|| Some((format!("{}.{}", above.value().name(), class()?), false)))
    });
    if let Some((above, generated)) = ancestor {
        let less = if generated { 10 } else { 0 };
        own.extend(classes.iter().map(|class| (format!("{above} .{class}"), 26 - less)).collect::<Vec<_>>());
        own.push((format!("{above} {tag}"), 20 - less));
    }
    own
}

/// A name that needs no escaping in a selector.
fn is_plain(name: &str) -> bool {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    starts && name.len() <= 60 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// A name that a program made, and may make differently tomorrow.
fn is_generated(name: &str) -> bool {
    let digits = name.bytes().filter(u8::is_ascii_digit).count();
    name.contains("ctl0") || digits >= 4 || (digits >= 2 && name.len() >= 8)
}

fn in_json(value: &Value) -> Vec<(PagePlace, i32)> {
    let mut places = Vec::new();
    let mut open = vec![(String::new(), value, 0)];
    while let Some((path, value, depth)) = open.pop() {
        if places.len() >= PLACES_MAX || depth > JSON_DEPTH_MAX {
            break;
        }
        match value {
            Value::Object(fields) => {
                open.extend(fields.iter().map(|(key, value)| (format!("{path}/{}", escaped(key)), value, depth + 1)));
            }
            // An element of a list is named by its position.
            Value::Array(items) => {
                let below = |(place, value)| (format!("{path}/{place}"), value, depth + 1);
                open.extend(items.iter().enumerate().take(200).map(below));
            }
            Value::Null => {}
            Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                let by_position = path.split('/').any(|part| part.parse::<u32>().is_ok());
                places.push((PagePlace::Json(path), if by_position { 15 } else { 35 }));
            }
        }
    }
    places
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
