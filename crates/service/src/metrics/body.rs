//! Metric questions as JSON bodies: the question's own fields, and those of what is done with it beside them.

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tributary_core::error::{Code, Result};

use super::compare::CompareTo;
use super::question::MetricsQuestion;
use crate::body::object;
use crate::problem::Problems;

/// A question and what it is compared with, for schemas: read by [`compared`].
#[derive(Debug, JsonSchema)]
pub struct ComparedQuestion {
    /// The question's own fields.
    #[schemars(flatten)]
    pub question: MetricsQuestion,
    /// What it is compared with.
    #[schemars(flatten)]
    pub compare_to: CompareTo,
}

/// A question and the models it is asked under, for schemas: read by [`under_models`].
#[derive(Debug, JsonSchema)]
pub struct QuestionUnderModels {
    /// The question's own fields; its own model is not looked at.
    #[schemars(flatten)]
    pub question: MetricsQuestion,
    /// The models.
    #[schemars(flatten)]
    pub models: Models,
}

/// Models to compare.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(inline)]
pub struct Models {
    /// Slugs, at most twelve; the documented eight when empty.
    pub attribution_models: Vec<String>,
}

/// Reads a question.
///
/// Errors: `invalid_payload` for what is no JSON object, `invalid_params` naming the field that does not fit.
pub fn question(body: &[u8]) -> Result<MetricsQuestion> {
    typed(object(body)?)
}

/// Reads a question and what it is compared with.
pub fn compared(body: &[u8]) -> Result<(MetricsQuestion, CompareTo)> {
    let mut object = object(body)?;
    let beside = taken(&mut object, &["compare_to", "previous_date_start", "previous_date_end"]);
    Ok((typed(object)?, typed(beside)?))
}

/// Reads a question and the models it is asked under; its own model may be left out.
pub fn under_models(body: &[u8]) -> Result<(MetricsQuestion, Vec<String>)> {
    let mut object = object(body)?;
    let models: Models = typed(taken(&mut object, &["attribution_models"]))?;
    object.entry("attribution_model").or_insert_with(|| Value::from("last_touch"));
    Ok((typed(object)?, models.attribution_models))
}

fn taken(object: &mut Map<String, Value>, names: &[&str]) -> Map<String, Value> {
    names.iter().filter_map(|name| Some((String::from(*name), object.shift_remove(*name)?))).collect()
}

fn typed<T: DeserializeOwned>(object: Map<String, Value>) -> Result<T> {
    serde_json::from_value(Value::Object(object)).map_err(|error| {
        let mut problems = Problems::new();
        problems.add("body", error.to_string());
        problems.into_error(Code::InvalidParams)
    })
}
