//! Field errors, collected: a caller learns everything that is wrong at once.

use serde_json::{Map, Value, json};
use tributary_core::error::{Code, Error, Result};

/// What is wrong with which field.
#[derive(Debug, Default)]
pub struct Problems(Vec<(String, String)>);

impl Problems {
    /// None so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes a problem with a field.
    pub fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.0.push((field.into(), message.into()));
    }

    /// Keeps the value, or notes why there is none.
    pub fn take<T>(&mut self, field: &str, result: Result<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.add(field, error.message());
                None
            }
        }
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The error, if anything is wrong.
    pub fn check(self, code: Code) -> Result<()> {
        if self.is_empty() { Ok(()) } else { Err(self.into_error(code)) }
    }

    /// An error whose details are `{"fieldErrors": {field: [message, …]}}`.
    pub fn into_error(self, code: Code) -> Error {
        let message = match self.0.as_slice() {
            [] => String::from("the input is not valid"),
            [(field, message)] => format!("{field}: {message}"),
            [(field, message), rest @ ..] => format!("{field}: {message} (and {} more)", rest.len()),
        };
        let mut fields: Map<String, Value> = Map::new();
        for (field, problem) in self.0 {
            match fields.entry(field).or_insert_with(|| json!([])) {
                Value::Array(list) => list.push(Value::String(problem)),
                _ => unreachable!("only arrays are put in"),
            }
        }
        Error::new(code, message).with_details(json!({ "fieldErrors": fields }))
    }
}

/// An `invalid_params` error about one field.
pub fn invalid(field: &str, message: impl Into<String>) -> Error {
    let mut problems = Problems::new();
    problems.add(field, message);
    problems.into_error(Code::InvalidParams)
}
