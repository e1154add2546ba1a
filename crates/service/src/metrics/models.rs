//! The same metrics under several attribution models.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;
use tributary_boxed::boxed;
use tributary_control::WorkspaceAccess;
use tributary_core::error::{Code, Result};

use super::answer::{AttributionShown, LeftApart, MetricsRow, PeriodShown};
use super::question::MetricsQuestion;
use crate::problem::Problems;
use crate::service::Service;

/// Most models of one question.
pub const MAX_MODELS: usize = 12;
/// The models compared when none is named: the eight of the documented catalogue.
pub const DEFAULT_MODELS: [&str; 8] = [
    "first_touch",
    "last_touch",
    "last_non_direct_touch",
    "linear",
    "linear_paid_ads",
    "u_shaped",
    "first_touch_source_specific",
    "last_touch_source_specific",
];

/// The answer, model by model.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ModelComparison {
    /// Rows of every model in the order asked; column `attribution_model` first.
    pub rows: Vec<MetricsRow>,
    /// The totals of each model, likewise.
    pub totals: Vec<MetricsRow>,
    /// What no touch is credited with, likewise.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unattributed: Vec<MetricsRow>,
    /// What each model does.
    pub models: Vec<AttributionShown>,
    /// The days it is about.
    pub period: PeriodShown,
    /// ISO 4217 currency of every amount.
    pub currency: String,
    /// Amounts in currencies that no rate of the workspace reaches, repeats left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_apart: Vec<LeftApart>,
    /// Whether rows were cut off by the limit, which holds for each model.
    pub truncated: bool,
    /// What else a reader should know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Ingest sequence number of the events it was told from.
    pub watermark: u64,
}

impl Service {
    /// Answers the same question under each of some models; under the documented eight when none is named. The question's own
    /// model is not looked at.
    ///
    /// Errors: as [`Service::query_metrics`].
    #[boxed]
    pub async fn compare_models(
        &self,
        access: &WorkspaceAccess,
        question: &MetricsQuestion,
        models: &[String],
    ) -> Result<ModelComparison> {
        let named: Vec<String> = if models.is_empty() { DEFAULT_MODELS.map(String::from).to_vec() } else { models.to_vec() };
        if named.len() > MAX_MODELS {
            let mut problems = Problems::new();
            problems.add("attribution_models", format!("must name at most {MAX_MODELS} models, got {}", named.len()));
            return Err(problems.into_error(Code::InvalidParams));
        }
        let mut answers = Vec::with_capacity(named.len());
        for model in &named {
            let question = MetricsQuestion { attribution_model: model.clone(), ..question.clone() };
            answers.push(self.query_metrics(access, &question).await?);
        }
        let under = |model: &str, row: &MetricsRow| {
            let mut with_model = MetricsRow::new();
            with_model.insert(String::from("attribution_model"), Json::from(model));
            with_model.extend(row.iter().map(|(column, value)| (column.clone(), value.clone())));
            with_model
        };
        let mut comparison = ModelComparison {
            rows: Vec::new(),
            totals: Vec::new(),
            unattributed: Vec::new(),
            models: Vec::new(),
            period: answers[0].period.clone(),
            currency: answers[0].currency.clone(),
            left_apart: Vec::new(),
            truncated: false,
            notes: Vec::new(),
            watermark: 0,
        };
        for (model, answer) in named.iter().zip(answers) {
            comparison.rows.extend(answer.rows.iter().map(|row| under(model, row)));
            comparison.totals.push(under(model, &answer.totals));
            comparison.unattributed.extend(answer.unattributed.iter().map(|row| under(model, row)));
            comparison.models.push(answer.attribution);
            comparison.truncated |= answer.truncated;
            comparison.left_apart.extend(answer.left_apart);
            comparison.notes.extend(answer.notes);
            comparison.watermark = comparison.watermark.max(answer.watermark);
        }
        comparison.left_apart.dedup();
        comparison.notes.sort();
        comparison.notes.dedup();
        Ok(comparison)
    }
}
