//! The JSON bodies and parameters of contacts and companies, read strictly: every problem at once, at its path.

use serde_json::{Map, Value};
use tributary_control::{CompanyChange, Condition, ContactChange, FieldInput, MAX_FIELD_FILTERS, Slot};
use tributary_core::error::{Code, Error, Result};

use crate::problem::Problems;

/// Largest body of a request about a contact or a company, decompressed, bytes: fifteen texts of 10,240 characters, escaped.
pub const MAX_CONTACT_BODY: usize = 2 * 1024 * 1024;

/// What the body of a request about a contact holds.
pub(crate) struct ContactBody {
    pub change: ContactChange,
}

impl ContactBody {
    pub fn read(body: &[u8]) -> Result<Self> {
        let given = object(body)?;
        let mut problems = Problems::new();
        refuse_unknown(&given, &["emails", "phones", "names", "locations", "custom_fields"], &mut problems);
        let mut list = |name: &str| given.get(name).map(|value| texts(value, name, &mut problems));
        let (emails, phones, names, locations) = (list("emails"), list("phones"), list("names"), list("locations"));
        let fields = given.get("custom_fields").map(|value| fields(value, &mut problems));
        problems.check(Code::InvalidPayload)?;
        Ok(Self { change: ContactChange { emails, phones, names, locations, fields } })
    }
}

/// What the body of `PUT /public-api/v1/companies/{id}` holds.
pub(crate) fn company_change(body: &[u8]) -> Result<CompanyChange> {
    let given = object(body)?;
    let mut problems = Problems::new();
    refuse_unknown(&given, &["domain", "name"], &mut problems);
    let mut text = |name: &str| match given.get(name)? {
        Value::String(text) => Some(text.clone()),
        _ => {
            problems.add(name, "must be text");
            None
        }
    };
    let change = CompanyChange { domain: text("domain"), name: text("name") };
    problems.check(Code::InvalidPayload)?;
    Ok(change)
}

/// Conditions on custom fields as JSON: a list of objects with `field`, `operator`, and `value` or `start` and `end`.
pub fn conditions(value: &Value, problems: &mut Problems) -> Vec<Condition> {
    const PATH: &str = "custom_field_filters";
    let Value::Array(items) = value else {
        problems.add(PATH, "must be a list of conditions, such as [{\"field\":\"profile_field_5\",\"operator\":\"any\"}]");
        return Vec::new();
    };
    if items.len() > MAX_FIELD_FILTERS {
        problems.add(PATH, format!("must have at most {MAX_FIELD_FILTERS} conditions, got {}", items.len()));
        return Vec::new();
    }
    let mut conditions = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let path = format!("{PATH}.{index}");
        let Value::Object(item) = item else {
            problems.add(path, "must be an object with field and operator");
            continue;
        };
        for name in item.keys().filter(|name| !["field", "operator", "value", "start", "end"].contains(&name.as_str())) {
            problems.add(format!("{path}.{}", shown(name)), "is not known here. Allowed: field, operator, value, start, end.");
        }
        let mut text = |name: &str| match item.get(name) {
            Some(Value::String(text)) => text.clone(),
            _ => {
                problems.add(format!("{path}.{name}"), "is required: a text");
                String::new()
            }
        };
        let (field, operator) = (text("field"), text("operator"));
        let mut operand = |name: &str| match item.get(name)? {
            Value::Null => None,
            Value::String(text) => Some(FieldInput::Text(text.clone())),
            Value::Number(number) => number.as_f64().map(FieldInput::Number),
            Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                problems.add(format!("{path}.{name}"), "must be text or a number");
                None
            }
        };
        let (value, start, end) = (operand("value"), operand("start"), operand("end"));
        conditions.push(Condition { field, operator, value, start, end });
    }
    conditions
}

pub(crate) fn object(body: &[u8]) -> Result<Map<String, Value>> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(given)) => Ok(given),
        Ok(_) => Err(Error::new(Code::InvalidPayload, "the body must be a JSON object")),
        Err(error) => Err(Error::new(Code::InvalidPayload, format!("the body is not valid JSON: {error}"))),
    }
}

fn refuse_unknown(given: &Map<String, Value>, known: &[&str], problems: &mut Problems) {
    for name in given.keys().filter(|name| !known.contains(&name.as_str())) {
        problems.add(shown(name), format!("is not a field of this body. Allowed: {}.", known.join(", ")));
    }
}

fn texts(value: &Value, path: &str, problems: &mut Problems) -> Vec<String> {
    let Value::Array(items) = value else {
        problems.add(path, "must be a list of texts");
        return Vec::new();
    };
    let mut texts = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        match item {
            Value::String(text) => texts.push(text.clone()),
            _ => problems.add(format!("{path}.{index}"), "must be text"),
        }
    }
    texts
}

/// Values by slot; `null` and empty text empty one, like leaving it out.
fn fields(value: &Value, problems: &mut Problems) -> Vec<(Slot, FieldInput)> {
    let Value::Object(given) = value else {
        problems.add("custom_fields", "must be an object by slot, such as {\"profile_field_1\": \"Pro\"}");
        return Vec::new();
    };
    let mut fields = Vec::with_capacity(given.len());
    for (name, value) in given {
        let path = format!("custom_fields.{}", shown(name));
        let Some(slot) = Slot::parse(name) else {
            problems.add(path, format!("is no slot. Allowed: profile_field_1 to profile_field_{}.", Slot::COUNT));
            continue;
        };
        match value {
            Value::Null => {}
            Value::String(text) if text.is_empty() => {}
            Value::String(text) => fields.push((slot, FieldInput::Text(text.clone()))),
            Value::Number(number) => fields.push((slot, FieldInput::Number(number.as_f64().unwrap_or(f64::NAN)))),
            Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                problems.add(path, format!("must be a {} or null", slot.kind().as_str()));
            }
        }
    }
    fields
}

/// A name a caller made up, short enough to be repeated.
pub(crate) fn shown(name: &str) -> String {
    name.chars().take(64).collect()
}
