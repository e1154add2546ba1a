//! What is wrong with which field, collected: a caller learns everything at once.

use serde_json::{Map, Value};
use tributary_core::error::{Code, Error, Result};

/// Problems by dotted path, in the order they were found.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<(String, String)>);

impl Problems {
    pub fn add(&mut self, path: impl Into<String>, problem: impl Into<String>) {
        self.0.push((path.into(), problem.into()));
    }

    /// Keeps the value, or notes why there is none.
    pub fn take<T>(&mut self, path: impl Into<String>, result: Result<T, String>) -> Option<T> {
        result.map_err(|problem| self.add(path, problem)).ok()
    }

    /// `invalid_params` with `details.fieldErrors` if anything is wrong.
    pub fn check(self) -> Result<()> {
        let Some((path, problem)) = self.0.first() else { return Ok(()) };
        let message = match self.0.len() {
            1 => format!("{path}: {problem}"),
            more => format!("{path}: {problem} (and {} more)", more - 1),
        };
        let mut fields: Map<String, Value> = Map::new();
        for (path, problem) in &self.0 {
            let told = fields.entry(path.as_str()).or_insert_with(|| Value::Array(Vec::new()));
            told.as_array_mut().into_iter().for_each(|told| told.push(Value::from(problem.as_str())));
        }
        Err(Error::new(Code::InvalidParams, message).with_details(serde_json::json!({ "fieldErrors": fields })))
    }
}
