//! Labels of custom fields: what a workspace calls a slot. Only labelled slots can be filtered by.

use std::collections::BTreeMap;

use sqlx::Row;
use tributary_boxed::boxed;
use tributary_core::error::{Code, Error, Result};
use tributary_core::ids::WorkspaceId;
use tributary_core::scope::WorkspaceScope;

use super::kind::line;
use super::slot::Slot;
use crate::control::Control;
use crate::problems::Problems;
use crate::store::{DatabaseTransaction, commit, damaged, failed};

/// Longest label, characters.
const MAX_LABEL_CHARS: usize = 128;

/// What a workspace calls a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The slot.
    pub slot: Slot,
    /// Its name, 1 to 128 characters, unlike every other label and slot of the workspace whatever the case.
    pub label: String,
}

impl Control {
    /// The labels of a workspace, by slot.
    #[boxed]
    pub async fn list_labels(&self, scope: &WorkspaceScope) -> Result<Vec<Label>> {
        let mut transaction = self.inner.store.begin_read().await?;
        let labels = read_labels(&mut transaction, scope.workspace()).await?;
        Ok(labels.into_iter().map(|(slot, label)| Label { slot, label }).collect())
    }

    /// Calls a slot by a name; a label it had is replaced.
    ///
    /// Errors: `invalid_params` for a name that is too long or looks like a slot, `conflict` for one another slot has.
    #[boxed]
    pub async fn set_label(&self, scope: &WorkspaceScope, slot: Slot, label: &str) -> Result<()> {
        let mut problems = Problems::default();
        let label = problems.take("label", line(label.trim(), MAX_LABEL_CHARS)).unwrap_or_default();
        let folded = label.to_lowercase();
        if folded.starts_with("profile_field_") {
            problems.add("label", "must not begin with `profile_field_`: that names slots");
        }
        problems.check()?;
        let workspace = scope.workspace();
        self.run_to_end(move |control| async move {
            let mut transaction = control.inner.store.begin().await?;
            sqlx::query(
                "INSERT INTO contact_labels (workspace_id, slot, label, folded) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (workspace_id, slot) DO UPDATE SET label = excluded.label, folded = excluded.folded",
            )
            .bind(workspace.0)
            .bind(i64::from(slot.number()))
            .bind(&label)
            .bind(&folded)
            .execute(&mut *transaction)
            .await
            .map_err(|error| match error.as_database_error() {
                Some(cause) if cause.is_unique_violation() => {
                    Error::new(Code::Conflict, format!("another slot has the label `{label}`; labels must be unique"))
                }
                _ => failed("the label could not be set")(error),
            })?;
            commit(transaction).await
        })
        .await
    }

    /// Takes a slot's label away. What the slot holds stays.
    #[boxed]
    pub async fn clear_label(&self, scope: &WorkspaceScope, slot: Slot) -> Result<()> {
        let workspace = scope.workspace();
        self.run_to_end(move |control| async move {
            let mut transaction = control.inner.store.begin().await?;
            sqlx::query("DELETE FROM contact_labels WHERE workspace_id = $1 AND slot = $2")
                .bind(workspace.0)
                .bind(i64::from(slot.number()))
                .execute(&mut *transaction)
                .await
                .map_err(failed("the label could not be taken away"))?;
            commit(transaction).await
        })
        .await
    }
}

/// Labels inside a transaction.
pub(super) async fn read_labels(transaction: &mut DatabaseTransaction, workspace: WorkspaceId) -> Result<BTreeMap<Slot, String>> {
    let read = failed("the labels could not be read");
    let rows = sqlx::query("SELECT slot, label FROM contact_labels WHERE workspace_id = $1")
        .bind(workspace.0)
        .fetch_all(&mut **transaction)
        .await
        .map_err(&read)?;
    let mut labels = BTreeMap::new();
    for row in &rows {
        let slot: i64 = row.try_get("slot").map_err(&read)?;
        let slot = u8::try_from(slot).ok().and_then(Slot::new).ok_or_else(|| damaged("a label's stored slot is damaged"))?;
        labels.insert(slot, row.try_get("label").map_err(&read)?);
    }
    Ok(labels)
}
