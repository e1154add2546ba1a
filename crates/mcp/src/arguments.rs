//! Arguments against their schema: every problem at once, with what would be accepted.

use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind;
use serde_json::{Map, Value, json};
use tributary_core::error::{Code, Error, Result};
use tributary_service::problem::Problems;

/// Problems told at once.
const MAX_PROBLEMS: usize = 20;
/// Longest message about one problem, characters.
const MAX_MESSAGE_CHARS: usize = 200;

/// Brings arguments to the form the schema speaks of: `null` for an optional argument means it is absent, and `50.0` is the
/// integer 50, as JSON Schema has it.
pub(crate) fn normalise(schema: &Value, arguments: &mut Map<String, Value>) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    arguments.retain(|name, value| !(value.is_null() && properties.contains_key(name)));
    for (name, property) in properties {
        let is_integer = property.get("type").and_then(Value::as_str) == Some("integer");
        if let (true, Some(value)) = (is_integer, arguments.get_mut(name))
            && let Some(number) = value.as_f64().filter(|number| value.is_f64() && number.fract() == 0.0 && number.abs() < 1e15)
        {
            *value = json!(number as i64);
        }
    }
}

/// Refuses arguments that do not fit, with `fieldErrors`, the accepted arguments and an example.
pub(crate) fn check(schema: &Value, validator: &Validator, example: &str, arguments: &Value) -> Result<()> {
    let mut problems = Problems::new();
    for error in validator.iter_errors(arguments).take(MAX_PROBLEMS) {
        let at = error.instance_path().to_string().trim_start_matches('/').to_owned();
        match error.kind() {
            ValidationErrorKind::Required { property } => problems.add(property.as_str().unwrap_or_default(), "is required"),
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                for name in unexpected.iter().take(MAX_PROBLEMS) {
                    problems.add(cut(name), unknown_argument(schema, name));
                }
            }
            _ => problems.add(if at.is_empty() { String::from("arguments") } else { at }, cut(&error.to_string())),
        }
    }
    if problems.is_empty() {
        return Ok(());
    }
    let refusal = problems.into_error(Code::InvalidParams);
    let mut details = refusal.details().cloned().unwrap_or_default();
    details["accepted"] = json!(names(schema));
    details["example"] = serde_json::from_str(example).unwrap_or_default();
    Err(Error::new(Code::InvalidParams, refusal.message().to_owned()).with_details(details))
}

fn unknown_argument(schema: &Value, name: &str) -> String {
    let near = names(schema)
        .into_iter()
        .map(|known| (strsim::jaro_winkler(name, known), known))
        .filter(|(score, _)| *score >= 0.8)
        .max_by(|left, right| left.0.total_cmp(&right.0));
    match near {
        Some((_, known)) => format!("is not an argument of this tool; did you mean `{known}`?"),
        None => String::from("is not an argument of this tool"),
    }
}

fn names(schema: &Value) -> Vec<&str> {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.map(|properties| properties.keys().map(String::as_str).collect()).unwrap_or_default()
}

fn cut(text: &str) -> String {
    text.chars().take(MAX_MESSAGE_CHARS).collect()
}
