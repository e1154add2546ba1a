//! Errors by field, in the shape of the documented `400 invalid_payload`.

use serde_json::{Value, json};
use tributary_core::error::{Code, Error};

/// Most fields one answer lists; the rest is counted.
pub const MAX_LISTED_FIELDS: usize = 200;

/// The field name of a fault of an element as a whole.
pub const WHOLE: &str = "";

/// What is wrong with a body, field by field. Fields of a batch are named `events.3.event`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldErrors {
    fields: Vec<(String, Vec<String>)>,
    unlisted: usize,
}

impl FieldErrors {
    /// Notes a fault of a field.
    pub fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        let field = field.into();
        if let Some((_, messages)) = self.fields.iter_mut().rev().find(|(name, _)| *name == field) {
            messages.push(message.into());
        } else if self.fields.len() < MAX_LISTED_FIELDS {
            self.fields.push((field, vec![message.into()]));
        } else {
            self.unlisted += 1;
        }
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Whether a field has a fault already, so that a second message would only repeat it.
    pub fn names(&self, field: &str) -> bool {
        self.fields.iter().any(|(name, _)| name == field)
    }

    /// Takes over the faults of one element, its fields named below `prefix`; [`WHOLE`] becomes `prefix` itself.
    pub fn absorb(&mut self, prefix: &str, other: FieldErrors) {
        for (field, messages) in other.fields {
            let name = if field == WHOLE { prefix.to_owned() } else { format!("{prefix}.{field}") };
            for message in messages {
                self.add(name.clone(), message);
            }
        }
        self.unlisted += other.unlisted;
    }

    /// The same faults, those of one field under the name its sender knows.
    #[must_use]
    pub fn renamed(mut self, from: &str, to: &str) -> Self {
        for (field, _) in &mut self.fields {
            if field == from {
                to.clone_into(field);
            }
        }
        self
    }

    /// The error callers see: `InvalidPayload` with `details.fieldErrors`.
    pub fn into_error(self) -> Error {
        let first = self.fields.first().map(|(field, messages)| format!("{field}: {}", messages.join("; ")));
        let count = self.fields.len() + self.unlisted;
        let message = match first {
            Some(first) if count > 1 => format!("{count} fields are invalid, the first is {first}"),
            Some(first) => first,
            None => String::from("the body is invalid"),
        };
        let fields: serde_json::Map<String, Value> =
            self.fields.into_iter().map(|(field, messages)| (field, json!(messages))).collect();
        let details = match self.unlisted {
            0 => json!({ "fieldErrors": fields }),
            more => json!({ "formErrors": [format!("{more} more fields are invalid")], "fieldErrors": fields }),
        };
        Error::new(Code::InvalidPayload, message).with_details(details)
    }
}

/// A fault of the body as a whole, such as text that is no JSON.
pub fn body_error(message: impl Into<String>) -> Error {
    let message = message.into();
    Error::new(Code::InvalidPayload, message.clone()).with_details(json!({ "formErrors": [message], "fieldErrors": {} }))
}
