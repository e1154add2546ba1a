//! What a workspace calls the thirty custom fields of its contacts.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tributary_boxed::boxed;
use tributary_control::{Control, Slot};
use tributary_core::error::{Code, Error, Result};
use tributary_core::scope::WorkspaceScope;

use crate::body::{refuse_unknown, required_text, shown};
use crate::problem::Problems;

/// A custom field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FieldRow {
    /// `profile_field_1` to `profile_field_30`.
    pub slot: String,
    /// What it holds: `text`, `number` or `date`.
    pub kind: String,
    /// What the workspace calls it; `null` makes it unusable for filters.
    pub label: Option<String>,
}

/// All thirty, in order.
#[boxed]
pub async fn list(control: &Control, scope: &WorkspaceScope) -> Result<Vec<FieldRow>> {
    let labels = control.list_labels(scope).await?;
    let mut labels: BTreeMap<Slot, String> = labels.into_iter().map(|label| (label.slot, label.label)).collect();
    Ok(Slot::all().map(|slot| row(slot, labels.remove(&slot))).collect())
}

/// Calls a field by the body's `label`.
#[boxed]
pub async fn set(control: &Control, scope: &WorkspaceScope, slot: &str, given: &Map<String, Value>) -> Result<FieldRow> {
    let slot = known(slot)?;
    let mut problems = Problems::new();
    refuse_unknown(given, &["label"], &mut problems);
    let label = required_text(given, "label", &mut problems);
    problems.check(Code::InvalidPayload)?;
    control.set_label(scope, slot, &label).await?;
    Ok(row(slot, Some(label.trim().to_owned())))
}

/// Takes a field's label away. What contacts hold in it stays.
#[boxed]
pub async fn clear(control: &Control, scope: &WorkspaceScope, slot: &str) -> Result<FieldRow> {
    let slot = known(slot)?;
    control.clear_label(scope, slot).await?;
    Ok(row(slot, None))
}

fn row(slot: Slot, label: Option<String>) -> FieldRow {
    FieldRow { slot: slot.to_string(), kind: slot.kind().as_str().to_owned(), label }
}

fn known(name: &str) -> Result<Slot> {
    Slot::parse(name).ok_or_else(|| {
        let message = format!("`{}` is no slot; accepted: profile_field_1 to profile_field_{}", shown(name), Slot::COUNT);
        Error::new(Code::NotFound, message)
    })
}
