//! What a workspace sets for the types of conversions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tributary_boxed::boxed;
use tributary_control::{Control, ConversionChange, Conversions, CountsFrom};
use tributary_core::conversion::ConversionType;
use tributary_core::error::{Code, Error, Result};
use tributary_core::scope::WorkspaceScope;

use crate::body::{flag, refuse_unknown, shown, text};
use crate::problem::Problems;

/// A type of conversion, as the workspace has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConversionRow {
    /// Its slug: `purchase`, `custom_event_2`.
    pub slot: String,
    /// What people call it; `null` for a custom slot that is not configured.
    pub label: Option<String>,
    /// Whether its amounts are part of gross revenue.
    pub include_in_gross_revenue: bool,
    /// Whose events count: `any`, or `server` for those sent with a secret key or imported.
    pub counts_from: String,
    /// The names of events that are of this type: its slug, then those mapping rules name.
    pub event_names: Vec<String>,
}

impl ConversionRow {
    fn of(conversions: &Conversions, conversion: ConversionType) -> Self {
        let set = conversions.settings(conversion);
        let is_configured = !conversion.is_custom() || set.label.is_some();
        Self {
            slot: conversion.to_string(),
            label: is_configured.then(|| conversions.label_of(conversion).to_owned()),
            include_in_gross_revenue: set.include_in_gross_revenue,
            counts_from: set.counts_from.as_str().to_owned(),
            event_names: conversions.names_of(conversion),
        }
    }
}

/// Every type in order: the standard ones by slug, then the fifty slots.
#[boxed]
pub async fn list(control: &Control, scope: &WorkspaceScope) -> Result<Vec<ConversionRow>> {
    let conversions = control.conversions(scope).await?;
    Ok(ConversionType::all().map(|conversion| ConversionRow::of(&conversions, conversion)).collect())
}

/// Changes what the body names: `label`, `include_in_gross_revenue`, `counts_from`.
#[boxed]
pub async fn set(control: &Control, scope: &WorkspaceScope, slug: &str, given: &Map<String, Value>) -> Result<ConversionRow> {
    let conversion = known(slug)?;
    let mut problems = Problems::new();
    refuse_unknown(given, &["label", "include_in_gross_revenue", "counts_from"], &mut problems);
    let change = ConversionChange {
        label: text(given, "label", &mut problems),
        include_in_gross_revenue: flag(given, "include_in_gross_revenue", &mut problems),
        counts_from: text(given, "counts_from", &mut problems).and_then(|name| {
            let from = CountsFrom::parse(&name);
            if from.is_none() {
                problems.add("counts_from", "must be any or server");
            }
            from
        }),
    };
    problems.check(Code::InvalidPayload)?;
    control.set_conversion(scope, conversion, change).await?;
    let conversions = control.conversions(scope).await?;
    Ok(ConversionRow::of(&conversions, conversion))
}

/// Takes back what is set for a type.
#[boxed]
pub async fn clear(control: &Control, scope: &WorkspaceScope, slug: &str) -> Result<ConversionRow> {
    let conversion = known(slug)?;
    control.clear_conversion(scope, conversion).await?;
    let conversions = control.conversions(scope).await?;
    Ok(ConversionRow::of(&conversions, conversion))
}

/// The type an address names.
fn known(slug: &str) -> Result<ConversionType> {
    ConversionType::try_from(slug.to_owned()).map_err(|error| Error::new(Code::NotFound, error.message().to_owned()))
}

/// The type a body names by slug or label.
pub(crate) fn resolve(conversions: &Conversions, name: &str, problems: &mut Problems) -> Option<ConversionType> {
    let found = conversions.resolve(name);
    if found.is_none() {
        let labels: Vec<&str> = conversions.configured().filter_map(|set| set.label.as_deref()).collect();
        let labels =
            if labels.is_empty() { String::new() } else { format!(", or a label of this workspace: {}", labels.join(", ")) };
        problems.add(
            "to",
            format!("`{}` is no conversion. Allowed: a slug such as purchase or custom_event_1{labels}.", shown(name)),
        );
    }
    found
}
