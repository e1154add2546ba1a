//! What metric questions can be made of, as lists.

use schemars::JsonSchema;
use serde::Serialize;
use tributary_boxed::boxed;
use tributary_control::WorkspaceAccess;
use tributary_core::error::Result;
use tributary_events::attribution::model::Model;

use super::catalogue::{Category, Computed, Metric};
use super::dimension::{DIMENSIONS, Family};
use super::unit::Unit;
use crate::service::Service;

/// A metric of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MetricRow {
    /// The name questions use.
    pub slug: String,
    /// The name people read; accepted wherever the slug is.
    pub label: String,
    /// Where it stands in lists.
    pub category: Category,
    /// What its number is a number of.
    #[serde(rename = "type")]
    pub unit: Unit,
    /// What it means.
    pub definition: String,
    /// The metrics it is made of; null for what is counted.
    pub expression: Option<String>,
}

/// A dimension.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DimensionRow {
    /// The name questions use.
    pub slug: String,
    /// The name people read; accepted wherever the slug is.
    pub label: String,
    /// Where it stands in lists.
    pub family: Family,
    /// What it holds.
    pub definition: String,
}

/// An attribution model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ModelRow {
    /// The name questions use.
    pub slug: String,
    /// The name people read.
    pub label: String,
    /// What it does.
    pub definition: String,
    /// Where the definition comes from.
    pub source: String,
    /// Whether rows may add up to more than the totals.
    pub may_exceed_total: bool,
}

impl From<&Metric> for MetricRow {
    fn from(metric: &Metric) -> Self {
        Self {
            slug: metric.slug.to_string(),
            label: metric.label.to_string(),
            category: metric.category,
            unit: metric.unit,
            definition: metric.definition.to_string(),
            expression: match &metric.computed {
                Computed::Formula(formula) => Some(formula.to_string()),
                Computed::Measure(_) => None,
            },
        }
    }
}

impl From<Model> for ModelRow {
    fn from(model: Model) -> Self {
        Self {
            slug: model.slug().to_owned(),
            label: model.label().to_owned(),
            definition: model.definition().to_owned(),
            source: model.source().to_owned(),
            may_exceed_total: model.may_exceed_total(),
        }
    }
}

/// The attribution models.
pub fn attribution_models() -> Vec<ModelRow> {
    Model::ALL.into_iter().map(ModelRow::from).collect()
}

impl Service {
    /// The metrics of a workspace.
    #[boxed]
    pub async fn list_metrics(&self, access: &WorkspaceAccess) -> Result<Vec<MetricRow>> {
        Ok(self.metric_catalogue(access).await?.metrics().iter().map(MetricRow::from).collect())
    }

    /// The dimensions of a workspace: the fixed ones and its labelled custom fields.
    #[boxed]
    pub async fn list_dimensions(&self, access: &WorkspaceAccess) -> Result<Vec<DimensionRow>> {
        let fixed = DIMENSIONS.iter().map(|dimension| DimensionRow {
            slug: dimension.slug.to_owned(),
            label: dimension.label.to_owned(),
            family: dimension.family,
            definition: dimension.definition.to_owned(),
        });
        let labels = self.control.list_labels(&access.scope).await?;
        let custom = labels.into_iter().map(|label| DimensionRow {
            slug: label.slot.to_string(),
            definition: format!("custom field of the contact, {}", label.slot.kind().as_str()),
            label: label.label,
            family: Family::CustomField,
        });
        Ok(fixed.chain(custom).collect())
    }
}
