//! Metrics a workspace makes of others.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::catalogue::{Catalogue, Category, Computed, Metric};
use super::formula::{Fault, Formula};
use super::unit::Unit;

/// What a user-defined metric is, as it is saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricDefinition {
    /// How its number is shown, and what the formula must give.
    #[serde(rename = "type")]
    pub unit: Unit,
    /// Metrics by slug, or by label between double quotes, decimal numbers, `+ - * / ( )`.
    pub expression: String,
}

impl MetricDefinition {
    /// Checks the formula against the metrics there are, and spells it with slugs.
    pub fn checked(&self, catalogue: &Catalogue) -> Result<MetricDefinition, Fault> {
        let formula = Formula::parse(&self.expression)?.renamed(&mut |name| {
            let metric = catalogue.resolve(name)?;
            if metric.category == Category::UserDefined {
                return Err(Fault(format!("`{name}` is user-defined itself; accepted: metrics of the catalogue")));
            }
            Ok(metric.slug.to_string())
        })?;
        formula.check(self.unit, &|slug| catalogue.get(slug).map(|metric| metric.unit))?;
        Ok(MetricDefinition { unit: self.unit, expression: formula.to_string() })
    }
}

/// A saved metric.
#[derive(Clone, Debug, PartialEq)]
pub struct UserDefined {
    /// Its id.
    pub id: i64,
    /// The name callers use.
    pub slug: String,
    /// The name people read.
    pub name: String,
    /// What it is.
    pub definition: MetricDefinition,
}

impl UserDefined {
    /// The metric; `None` for a stored formula that no longer reads.
    pub(super) fn metric(&self) -> Option<Metric> {
        let formula = Formula::parse(&self.definition.expression).ok()?;
        Some(Metric {
            slug: Cow::Owned(self.slug.clone()),
            label: Cow::Owned(self.name.clone()),
            category: Category::UserDefined,
            unit: self.definition.unit,
            definition: Cow::Owned(self.definition.expression.clone()),
            computed: Computed::Formula(formula),
        })
    }
}
