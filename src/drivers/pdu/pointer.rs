//! JSON pointers (RFC 6901), with parts that choose by content: `?type=power` is the member whose `type` is `power`, and,
//! where a sum is wanted, `*` is every member.

use serde_json::Value;

use crate::drivers::common::quoted;

/// Values that one pointer may find.
const FOUND_MAX: usize = 4096;

/// The value at a pointer.
pub(super) fn find<'a>(document: &'a Value, pointer: &str) -> Option<&'a Value> {
    parts(pointer).try_fold(document, |value, part| step(value, &part))
}

/// Every value at a pointer; `None` stands for a member that lacks the rest of it.
pub(super) fn find_all<'a>(document: &'a Value, pointer: &str) -> Vec<Option<&'a Value>> {
    let mut found = vec![Some(document)];
    for part in parts(pointer) {
        let next = found.into_iter().flat_map(|value| match (value, part.as_str()) {
            (Some(Value::Array(items)), "*") => items.iter().map(Some).collect(),
            (Some(Value::Object(fields)), "*") => fields.values().map(Some).collect(),
            (Some(value), part) => vec![step(value, part)],
            (None, _) => vec![None],
        });
        found = next.take(FOUND_MAX).collect();
    }
    found
}

/// How far a pointer leads that finds nothing, in words.
pub(super) fn dead_end(document: &Value, pointer: &str) -> String {
    let (mut value, mut place) = (document, String::new());
    for part in parts(pointer) {
        match step(value, &part) {
            Some(inner) => (value, place) = (inner, format!("{place}/{part}")),
            None => break,
        }
    }
    let place = if place.is_empty() { "the answer".to_owned() } else { format!("`{place}`") };
    match value {
        Value::Object(fields) => {
            let known: Vec<String> =
                fields.keys().take(5).map(|key| quoted(Some(&Value::from(key.as_str())))).collect();
            let more = if fields.len() > known.len() { " and more" } else { "" };
            format!(
                "{place} has {}{more}",
                if known.is_empty() { "nothing in it".to_owned() } else { known.join(", ") }
            )
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            format!("{place} is {}", quoted(Some(value)))
        }
    }
}

fn parts(pointer: &str) -> impl Iterator<Item = String> + '_ {
    // The text before the first slash is empty.
    pointer.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~"))
}

fn step<'a>(value: &'a Value, part: &str) -> Option<&'a Value> {
    if let Some((field, wanted)) = part.strip_prefix('?').and_then(|choice| choice.split_once('=')) {
        let is_meant = |member: &&Value| member.get(field).is_some_and(|found| is_text(found, wanted));
        return match value {
            Value::Array(items) => items.iter().find(is_meant),
            Value::Object(fields) => fields.values().find(is_meant),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        };
    }
    match value {
        Value::Object(fields) => fields.get(part),
        Value::Array(items) => {
            let plain = part == "0" || !part.starts_with(['0', '+']);
            items.get(part.parse::<usize>().ok().filter(|_| plain)?)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

fn is_text(value: &Value, wanted: &str) -> bool {
    match value.as_str() {
        Some(text) => text.eq_ignore_ascii_case(wanted),
        None => value.to_string().as_str() == wanted,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn plain_pointers_find_what_the_standard_says() {
        let document = json!({"a/b": [10, 20], "m~n": {"": 8}, "x": {"0": "zero"}});
        for pointer in ["", "/a~1b", "/a~1b/0", "/a~1b/1", "/a~1b/2", "/a~1b/01", "/m~0n/", "/x/0", "/x/1", "/none"] {
            assert_eq!(find(&document, pointer), document.pointer(pointer), "{pointer}");
        }
    }

    #[test]
    fn a_member_is_chosen_by_its_content() {
        let document = json!({"0": {"type": "voltage", "value": "230"}, "4": {"type": "realPower", "value": "23"}});
        assert_eq!(find(&document, "/?type=realPower/value"), Some(&json!("23")));
        assert_eq!(find(&document, "/?type=current/value"), None);
        assert_eq!(find(&json!([{"n": 1}, {"n": 2, "v": 5}]), "/?n=2/v"), Some(&json!(5)));
    }

    #[test]
    fn a_star_finds_all_members_and_tells_of_those_that_lack_it() {
        let cords = json!([{"w": 1}, {"w": 2}, {"x": 3}]);
        assert_eq!(find_all(&cords, "/*/w"), [Some(&json!(1)), Some(&json!(2)), None]);
        assert_eq!(find_all(&json!([]), "/*/w"), Vec::<Option<&Value>>::new());
        assert_eq!(find_all(&cords, "/0/w"), [Some(&json!(1))]);
    }

    #[test]
    fn a_dead_end_says_where_it_was_and_what_is_there() {
        let document = json!({"data": {"A1": {}, "B2": {}}});
        assert_eq!(dead_end(&document, "/data/C3/outlet"), "`/data` has `A1`, `B2`");
        assert_eq!(dead_end(&document, "/data/A1/outlet"), "`/data/A1` has nothing in it");
        assert_eq!(dead_end(&json!("no"), "/data"), "the answer is `no`");
    }
}
