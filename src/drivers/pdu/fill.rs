//! Placeholders in a dialect's texts, and bodies as they are sent. Each text is filled in one go: what is filled in is
//! never looked at again.

use serde_json::Value;

use crate::config::Secret;

/// What the placeholders stand for.
#[derive(Clone, Copy, Default)]
pub(super) struct Names<'a> {
    pub(super) id: Option<&'a str>,
    pub(super) unit: Option<&'a str>,
    pub(super) user: Option<&'a str>,
    pub(super) password: Option<&'a Secret>,
    pub(super) token: Option<&'a Secret>,
}

impl Names<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        match name {
            "id" => self.id,
            "unit" => self.unit,
            "user" => self.user,
            "password" => self.password.map(Secret::reveal),
            "token" => self.token.map(Secret::reveal),
            _ => None,
        }
    }

    /// A text with its placeholders filled in; unknown ones stay.
    pub(super) fn text(&self, text: &str) -> String {
        self.with(text, str::to_owned)
    }

    /// The same for a path: what is filled in is encoded.
    pub(super) fn path(&self, path: &str) -> String {
        self.with(path, encoded)
    }

    fn with(&self, text: &str, each: impl Fn(&str) -> String) -> String {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let found = after.split_once('}').and_then(|(name, after)| Some((self.get(name)?, after)));
            match found {
                Some((value, after)) => {
                    filled.push_str(&each(value));
                    rest = after;
                }
                None => {
                    filled.push('{');
                    rest = after;
                }
            }
        }
        filled.push_str(rest);
        filled
    }

    /// A body with its placeholders filled in: the text `{id}` alone becomes a number where the id is one.
    pub(super) fn body(&self, body: &Value) -> Value {
        match body {
            Value::String(text) if text == "{id}" => match self.id {
                None => body.clone(),
                Some(id) => {
                    let number = id.parse::<u64>().ok().filter(|number| number.to_string() == id);
                    number.map_or_else(|| Value::from(id), Value::from)
                }
            },
            Value::String(text) => Value::from(self.text(text)),
            Value::Array(items) => items.iter().map(|item| self.body(item)).collect(),
            Value::Object(fields) => fields.iter().map(|(name, value)| (self.text(name), self.body(value))).collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) => body.clone(),
        }
    }
}

/// A body as a form: an object's fields, or a text as it is.
pub(super) fn form(body: &Value) -> String {
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match body {
        Value::Object(fields) => {
            let pairs = fields.iter().map(|(name, value)| (name.as_str(), plain(value)));
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => plain(body),
    }
}

/// A value as a part of a path.
fn encoded(id: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    id.bytes().map(|byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ids_are_filled_into_bodies_as_numbers_where_they_are_numbers() {
        let body = json!({"Outputs": [{"ID": "{id}", "Action": 1, "note": "outlet {id}"}]});
        let filled = |id| Names { id: Some(id), ..Names::default() }.body(&body);
        assert_eq!(filled("7"), json!({"Outputs": [{"ID": 7, "Action": 1, "note": "outlet 7"}]}));
        assert_eq!(filled("AA1")["Outputs"][0]["ID"], json!("AA1"));
        assert_eq!(filled("07")["Outputs"][0]["ID"], json!("07"));
    }

    #[test]
    fn ids_are_encoded_for_paths_and_what_is_filled_in_is_not_filled_again() {
        let token = Secret::new("{password}");
        let password = Secret::new("hunter2");
        let names = Names { id: Some("../a b"), token: Some(&token), password: Some(&password), ..Names::default() };
        assert_eq!(names.path("/outlets/{id}?x={y}"), "/outlets/..%2Fa%20b?x={y}");
        assert_eq!(names.text("JWT {token}{"), "JWT {password}{");
        assert_eq!(names.path("AA-1_2.3~"), "AA-1_2.3~");
    }

    #[test]
    fn forms_are_fields_or_a_text_as_it_is() {
        assert_eq!(form(&json!({"value": true, "name": "a b&c"})), "name=a+b%26c&value=true");
        assert_eq!(form(&json!("value=false")), "value=false");
    }
}
