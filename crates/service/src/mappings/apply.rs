//! A webhook rule at work: from a payload to the body of `POST /public-api/v1/events/track`. Pure.

use std::cmp::Ordering;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tributary_core::conversion::ConversionType;
use tributary_core::error::{Code, Result};
use tributary_core::money::{Currency, format_micros, parse_micros};

use super::rule::{FieldSource, Holds, NOBODY, PayloadCondition, PayloadOperator, WebhookRule, holds, identifies};
use crate::problem::Problems;

/// Longest text taken over, characters.
const MAX_TEXT_CHARS: usize = 2_048;
/// Digits a JSON number surely keeps when it is no whole number.
const SURE_DIGITS: usize = 15;

/// What to say of an amount that cannot be read.
const AMOUNT: &str = "must be a decimal number of at most six decimals, between -9223372036854 and 9223372036854";

/// What a rule makes of a payload: the JSON body of `POST /public-api/v1/events/track`. The amount is decimal text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct MappedEvent {
    /// The body.
    pub body: Map<String, Value>,
}

/// The event a rule makes of a payload; `None` when a condition does not hold.
///
/// Errors: `invalid_payload` naming each field that cannot be read.
pub fn apply(to: ConversionType, rule: &WebhookRule, payload: &Value) -> Result<Option<MappedEvent>> {
    if unmet(rule, payload).next().is_some() {
        return Ok(None);
    }
    // An upsell is sent as a purchase that says it is one.
    let is_upsell = to == ConversionType::UPSELL_PURCHASE;
    let name = if is_upsell { ConversionType::PURCHASE } else { to };
    let mut body = Map::new();
    body.insert(String::from("event_name"), Value::from(name.as_str()));
    let mut problems = Problems::new();
    for (name, source) in &rule.fields {
        match holds(name).map_or(Err(String::from("is no field of an event")), |holds| read(source, holds, payload)) {
            Ok(Some(value)) => {
                body.insert(name.clone(), value);
            }
            Ok(None) => {}
            Err(problem) => problems.add(name.as_str(), problem),
        }
    }
    if is_upsell {
        body.insert(String::from("is_upsell"), Value::Bool(true));
    }
    if problems.is_empty() && !identifies(|name| body.contains_key(name)) {
        problems.add("email", NOBODY);
    }
    problems.check(Code::InvalidPayload)?;
    Ok(Some(MappedEvent { body }))
}

/// The conditions that do not hold, with their places.
pub(super) fn unmet<'r>(rule: &'r WebhookRule, payload: &'r Value) -> impl Iterator<Item = (usize, &'r PayloadCondition)> {
    rule.conditions.iter().enumerate().filter(move |(_, condition)| !meets(condition, payload))
}

fn meets(condition: &PayloadCondition, payload: &Value) -> bool {
    let found = find(payload, &condition.path);
    let wanted = condition.value.as_ref();
    let compare = |wanted: &Value| Some(number(found?)?.cmp(&number(wanted)?));
    let texts = || Some((folded(found?)?, folded(wanted?)?));
    let equal = || match (found, wanted) {
        (Some(found), Some(wanted)) => is_same(found, wanted),
        (None, _) | (_, None) => false,
    };
    match condition.operator {
        PayloadOperator::Any => found.is_some(),
        PayloadOperator::Unknown => found.is_none(),
        PayloadOperator::EqualTo => equal(),
        PayloadOperator::NotEqualTo => !equal(),
        PayloadOperator::StartsWith => texts().is_some_and(|(found, wanted)| found.starts_with(&wanted)),
        PayloadOperator::Contains => match (found, wanted) {
            (Some(Value::Array(items)), Some(wanted)) => items.iter().any(|item| is_same(item, wanted)),
            _ => texts().is_some_and(|(found, wanted)| found.contains(&wanted)),
        },
        PayloadOperator::GreaterThan => wanted.and_then(compare) == Some(Ordering::Greater),
        PayloadOperator::LessThan => wanted.and_then(compare) == Some(Ordering::Less),
    }
}

/// Whether two values are one number, or one text whatever the case.
fn is_same(found: &Value, wanted: &Value) -> bool {
    match (number(found), number(wanted)) {
        (Some(found), Some(wanted)) => found == wanted,
        _ => folded(found).is_some_and(|found| Some(found) == folded(wanted)),
    }
}

/// The value at a path. `null` and empty text are none.
fn find<'p>(payload: &'p Value, path: &str) -> Option<&'p Value> {
    let mut at = payload;
    for step in path.split('.') {
        at = match at {
            Value::Object(entries) => entries.get(step)?,
            Value::Array(items) => match step.split_once('=') {
                Some((name, value)) => {
                    items.iter().find(|item| item.get(name).and_then(scalar).is_some_and(|found| found == value))?
                }
                None => items.get(step.parse::<usize>().ok()?)?,
            },
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return None,
        };
    }
    let is_empty = at.is_null() || at.as_str().is_some_and(|text| text.trim().is_empty());
    (!is_empty).then_some(at)
}

/// A number in micros, also one in a text.
pub(super) fn number(value: &Value) -> Option<i64> {
    match value {
        Value::Number(_) | Value::String(_) => parse_micros(&scalar(value)?).ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn folded(value: &Value) -> Option<String> {
    scalar(value).map(|text| text.to_lowercase())
}

/// The value of a field, `None` where the payload has none, or why it cannot be read.
fn read(source: &FieldSource, holds: Holds, payload: &Value) -> Result<Option<Value>, String> {
    let (found, place) = match (&source.path, &source.value) {
        (Some(path), _) => (find(payload, path), format!("`{path}` ")),
        (None, value) => (value.as_ref(), String::new()),
    };
    let Some(found) = found else {
        return if source.required { Err(format!("{place}is missing, and the rule requires it")) } else { Ok(None) };
    };
    let divisor = i64::from(source.divide_by.unwrap_or(1));
    taken(found, holds, divisor).map(Some).map_err(|problem| format!("{place}{problem}"))
}

/// Checks a literal of a field as far as it can be checked without a payload.
pub(super) fn literal(value: &Value, holds: Holds, max_chars: usize) -> Result<(), String> {
    if value.as_str().is_some_and(|text| text.chars().count() > max_chars || text.trim().is_empty()) {
        return Err(format!("must have 1 to {max_chars} characters"));
    }
    taken(value, holds, 1).map(|_| ())
}

fn taken(value: &Value, holds: Holds, divisor: i64) -> Result<Value, String> {
    match holds {
        Holds::Text => match value {
            Value::String(text) if text.chars().count() > MAX_TEXT_CHARS => {
                Err(format!("is longer than {MAX_TEXT_CHARS} characters"))
            }
            Value::String(_) | Value::Number(_) => scalar(value).map(Value::from).ok_or_else(String::new),
            other => Err(format!("is {}; accepted: text or a number", kind_of(other))),
        },
        Holds::Currency => value
            .as_str()
            .and_then(|code| code.trim().parse::<Currency>().ok())
            .map(|currency| Value::from(currency.as_str()))
            .ok_or_else(|| String::from("must be an ISO 4217 code of three letters, such as EUR")),
        Holds::Amount => amount(value, divisor),
        Holds::Time => time(value, divisor),
        Holds::Flag => match scalar(value).unwrap_or_default().to_lowercase().as_str() {
            "true" | "1" => Ok(Value::Bool(true)),
            "false" | "0" => Ok(Value::Bool(false)),
            _ => Err(String::from("must be true or false")),
        },
    }
}

/// Decimal text, exact: whole numbers and texts are read digit by digit. Other JSON numbers were parsed as binary ones, which
/// keep 15 digits; one that shows more is refused rather than guessed at.
fn amount(value: &Value, divisor: i64) -> Result<Value, String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => {
            let text = number.to_string();
            let digits = text.trim_start_matches(['-', '0', '.']).bytes().filter(u8::is_ascii_digit).count();
            if number.is_f64() && digits > SURE_DIGITS {
                return Err(format!("has more than {SURE_DIGITS} digits: it must come as text to be exact"));
            }
            text
        }
        other => return Err(format!("is {}; accepted: a number, also as text", kind_of(other))),
    };
    let micros = parse_micros(&text).map_err(|_| String::from(AMOUNT))?;
    if micros % divisor != 0 {
        return Err(format!("divided by {divisor} has more than six decimals"));
    }
    Ok(Value::from(format_micros(i128::from(micros / divisor))))
}

/// ISO 8601 text as it is, or Unix seconds.
fn time(value: &Value, divisor: i64) -> Result<Value, String> {
    let whole = match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    match (whole, value) {
        (Some(whole), _) => Ok(Value::from(whole.div_euclid(divisor))),
        (None, Value::String(text)) if divisor == 1 && text.chars().count() <= MAX_TEXT_CHARS => Ok(Value::from(text.trim())),
        (None, _) => Err(String::from("must be ISO 8601 text or whole Unix seconds")),
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests;
