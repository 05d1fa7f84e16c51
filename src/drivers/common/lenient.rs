//! A reader for the JSON of small devices: keys without quotes, keys that come twice (the last one counts), control
//! characters and odd escapes in texts, values without quotes, commas too many. It invents nothing: an answer that does
//! not end where its outermost bracket closes is refused. No I/O.

use serde_json::{Map, Number, Value};

/// Deeper nesting than any device sends.
const DEPTH_MAX: u32 = 32;

/// Why a text cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::drivers) enum Problem {
    /// It ends too early.
    CutOff,
    /// It is something else.
    NotJson,
}

/// The one object in a text; only white space and control characters may stand around it.
pub(in crate::drivers) fn object(text: &str) -> Result<Map<String, Value>, Problem> {
    let mut reader = Reader { rest: text };
    reader.skip_blank();
    if !reader.take('{') {
        return Err(Problem::NotJson);
    }
    let object = reader.object(0)?;
    reader.skip_blank();
    if reader.rest.is_empty() { Ok(object) } else { Err(Problem::NotJson) }
}

struct Reader<'t> {
    rest: &'t str,
}

impl<'t> Reader<'t> {
    fn peek(&self) -> Result<char, Problem> {
        self.rest.chars().next().ok_or(Problem::CutOff)
    }

    fn skip_blank(&mut self) {
        self.rest = self.rest.trim_start_matches(|c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}');
    }

    /// Takes this character when it is the next one.
    fn take(&mut self, wanted: char) -> bool {
        let after = self.rest.strip_prefix(wanted);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    /// Takes everything before the first of these characters.
    fn take_until(&mut self, ends: &[char]) -> Result<&'t str, Problem> {
        let at = self.rest.find(ends).ok_or(Problem::CutOff)?;
        let (word, rest) = self.rest.split_at_checked(at).ok_or(Problem::NotJson)?;
        self.rest = rest;
        Ok(word.trim_matches(|c: char| c.is_whitespace() || c.is_control()))
    }

    /// The object whose opening bracket has been taken.
    fn object(&mut self, depth: u32) -> Result<Map<String, Value>, Problem> {
        if depth > DEPTH_MAX {
            return Err(Problem::NotJson);
        }
        let mut object = Map::new();
        loop {
            self.skip_blank();
            if self.take('}') {
                return Ok(object);
            }
            if self.take(',') {
                continue;
            }
            let key = match self.take('"') {
                true => self.string()?,
                false => self.take_until(&[':', ',', '{', '}', '[', ']', '"'])?.to_owned(),
            };
            self.skip_blank();
            if key.is_empty() || !self.take(':') {
                return Err(if self.rest.is_empty() { Problem::CutOff } else { Problem::NotJson });
            }
            let value = self.value(depth)?;
            object.insert(key, value);
            self.end_of_item('}')?;
        }
    }

    /// The array whose opening bracket has been taken.
    fn array(&mut self, depth: u32) -> Result<Vec<Value>, Problem> {
        if depth > DEPTH_MAX {
            return Err(Problem::NotJson);
        }
        let mut items = Vec::new();
        loop {
            self.skip_blank();
            if self.take(']') {
                return Ok(items);
            }
            if self.take(',') {
                continue;
            }
            items.push(self.value(depth)?);
            self.end_of_item(']')?;
        }
    }

    /// After a value there is a comma, or the end of what it is in.
    fn end_of_item(&mut self, close: char) -> Result<(), Problem> {
        self.skip_blank();
        let next = self.peek()?;
        if next == ',' || next == close { Ok(()) } else { Err(Problem::NotJson) }
    }

    fn value(&mut self, depth: u32) -> Result<Value, Problem> {
        self.skip_blank();
        if self.take('{') {
            return self.object(depth + 1).map(Value::Object);
        }
        if self.take('[') {
            return self.array(depth + 1).map(Value::Array);
        }
        if self.take('"') {
            return self.string().map(Value::String);
        }
        self.take_until(&[',', '}', ']', '"', '{', '[']).map(bare)
    }

    /// The text whose opening quote has been taken. A `\` that begins no known escape stands for itself.
    fn string(&mut self) -> Result<String, Problem> {
        let mut text = String::new();
        loop {
            let at = self.rest.find(['"', '\\']).ok_or(Problem::CutOff)?;
            let (plain, rest) = self.rest.split_at_checked(at).ok_or(Problem::NotJson)?;
            text.push_str(plain);
            self.rest = rest;
            if self.take('"') {
                return Ok(text);
            }
            let (known, length) = escaped(self.rest);
            text.push(known);
            self.rest = self.rest.get(length..).ok_or(Problem::CutOff)?;
        }
    }
}

/// The character that an escape at the start of the text means, and the escape's length.
fn escaped(text: &str) -> (char, usize) {
    let unit = |from: usize| text.get(from..from + 4).and_then(|hex| u16::from_str_radix(hex, 16).ok());
    match text.chars().nth(1) {
        Some(plain @ ('"' | '\\' | '/')) => (plain, 2),
        Some('b') => ('\u{8}', 2),
        Some('f') => ('\u{c}', 2),
        Some('n') => ('\n', 2),
        Some('r') => ('\r', 2),
        Some('t') => ('\t', 2),
        Some('u') => {
            let Some(first) = unit(2) else { return ('\\', 1) };
            let second = text.get(6..8).filter(|mark| *mark == "\\u").and_then(|_| unit(8));
            let whole = second.and_then(|second| char::decode_utf16([first, second]).next()?.ok());
            match (char::from_u32(u32::from(first)), whole) {
                (Some(one), _) => (one, 6),
                (None, Some(pair)) => (pair, 12),
                (None, None) => (char::REPLACEMENT_CHARACTER, 6),
            }
        }
        Some(_) | None => ('\\', 1),
    }
}

/// A value without quotes: a number, `true`, `false`, nothing, or a word that stays a text.
fn bare(word: &str) -> Value {
    match word {
        "" | "null" => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => word.parse::<Number>().map_or_else(|_| Value::String(word.to_owned()), Value::Number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(text: &str) -> Value {
        object(text).map(Value::Object).unwrap_or_else(|problem| panic!("{text}: {problem:?}"))
    }

    #[test]
    fn sound_json_reads_as_usual() {
        let text = r#" {"a":[1,-2.5,"x",{"b":null,"c":true}],"d":"\"\\\/\b\f\n\r\tA\ud83d\ude00","e":{},"f":[]} "#;
        assert_eq!(read(text), serde_json::from_str::<Value>(text).unwrap());
    }

    #[test]
    fn what_small_devices_send_is_read_too() {
        assert_eq!(read("{a:1,b_2:\"x:y\",c:[{d:-1.5}]}"), json!({"a": 1, "b_2": "x:y", "c": [{"d": -1.5}]}));
        assert_eq!(read("{\"a\":1,\"b\":2,\"a\":3}"), json!({"a": 3, "b": 2}), "the last of two counts");
        assert_eq!(read("{\"a\" : 1 ,\r\n\t\"b\": \"c\"}"), json!({"a": 1, "b": "c"}));
        assert_eq!(read("{\"a\":1,,\"b\":[1,2,],}"), json!({"a": 1, "b": [1, 2]}));
        assert_eq!(read("{\"a\":\"x\u{7}y\0\",\"b\":\"c:\\d\\u12\"}"), json!({"a": "x\u{7}y\0", "b": "c:\\d\\u12"}));
        assert_eq!(
            read("{a:Exit Temp,b:007,c:nan,d:,e:+5}"),
            json!({"a": "Exit Temp", "b": "007", "c": "nan", "d": null, "e": "+5"})
        );
        assert_eq!(read("\u{feff}\0{\"a\":\"\\ud800\"}\0\0\r\n"), json!({"a": "\u{fffd}"}));
    }

    #[test]
    fn what_is_cut_off_is_told_from_what_is_something_else() {
        let whole = r#"{"a":[1,"x"],b:{"c":"d"}}"#;
        for end in 1..whole.len() {
            let part = whole.get(..end).unwrap();
            assert_eq!(object(part), Err(Problem::CutOff), "{part}");
        }
        for text in
            ["", "404 Error", "[1]", "{}{}", "{} x", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "{\"a\":1]", "{[1]}", "{:1}"]
        {
            assert_eq!(object(text), Err(Problem::NotJson), "{text}");
        }
    }

    #[test]
    fn nesting_without_end_is_refused() {
        assert_eq!(object(&"{\"a\":".repeat(60_000)), Err(Problem::NotJson));
        assert_eq!(object(&format!("{{\"a\":{}", "[".repeat(60_000))), Err(Problem::NotJson));
    }
}
