//! JSON bodies taken apart by hand, so that every problem is told at once, at its path.

use serde_json::{Map, Value};
use tributary_core::error::{Code, Error, Result};

use crate::problem::Problems;

/// The JSON object a body holds.
pub fn object(body: &[u8]) -> Result<Map<String, Value>> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(given)) => Ok(given),
        Ok(_) => Err(Error::new(Code::InvalidPayload, "the body must be a JSON object")),
        Err(error) => Err(Error::new(Code::InvalidPayload, format!("the body is not valid JSON: {error}"))),
    }
}

/// Notes every name the body may not have.
pub(crate) fn refuse_unknown(given: &Map<String, Value>, known: &[&str], problems: &mut Problems) {
    for name in given.keys().filter(|name| !known.contains(&name.as_str())) {
        problems.add(shown(name), format!("is not a field of this body. Allowed: {}.", known.join(", ")));
    }
}

/// A text the body may have.
pub(crate) fn text(given: &Map<String, Value>, name: &str, problems: &mut Problems) -> Option<String> {
    match given.get(name)? {
        Value::String(text) => Some(text.clone()),
        _ => {
            problems.add(name, "must be text");
            None
        }
    }
}

/// A text the body must have.
pub(crate) fn required_text(given: &Map<String, Value>, name: &str, problems: &mut Problems) -> String {
    if !given.contains_key(name) {
        problems.add(name, "is required: a text");
    }
    text(given, name, problems).unwrap_or_default()
}

/// A truth value the body may have.
pub(crate) fn flag(given: &Map<String, Value>, name: &str, problems: &mut Problems) -> Option<bool> {
    match given.get(name)? {
        Value::Bool(flag) => Some(*flag),
        _ => {
            problems.add(name, "must be true or false");
            None
        }
    }
}

/// A name a caller made up, short enough to be repeated.
pub(crate) fn shown(name: &str) -> String {
    name.chars().take(64).collect()
}
