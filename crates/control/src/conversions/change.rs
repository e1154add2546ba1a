//! What a workspace sets for a type of conversion, and takes back.

use tributary_boxed::boxed;
use tributary_core::conversion::ConversionType;
use tributary_core::error::{Code, Error, Result};
use tributary_core::ids::WorkspaceId;
use tributary_core::scope::WorkspaceScope;

use super::{ConversionSettings, CountsFrom, note_change, read_conversions};
use crate::contacts::line;
use crate::control::Control;
use crate::problems::Problems;
use crate::store::{DatabaseTransaction, commit, failed};

/// Longest label, characters.
const MAX_LABEL_CHARS: usize = 128;

/// A change to a type: what is `None` stays. At least one is needed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConversionChange {
    /// Custom slots only: 1 to 128 characters, unlike every other label and every slug whatever the case.
    pub label: Option<String>,
    /// Custom slots only.
    pub include_in_gross_revenue: Option<bool>,
    /// Whose events count.
    pub counts_from: Option<CountsFrom>,
}

impl Control {
    /// Changes what is set for a type. The first change to a custom slot names it: that makes it usable.
    ///
    /// Errors: `invalid_params` naming every field at fault, `conflict` for a label another slot has.
    #[boxed]
    pub async fn set_conversion(
        &self,
        scope: &WorkspaceScope,
        conversion: ConversionType,
        change: ConversionChange,
    ) -> Result<ConversionSettings> {
        let change = checked(conversion, change)?;
        let workspace = scope.workspace();
        self.run_to_end(move |control| async move {
            let mut transaction = control.inner.store.begin().await?;
            let known = read_conversions(&mut transaction, workspace).await?;
            let mut set = known.settings(conversion).clone();
            set.label = change.label.or(set.label);
            set.include_in_gross_revenue = change.include_in_gross_revenue.unwrap_or(set.include_in_gross_revenue);
            set.counts_from = change.counts_from.unwrap_or(set.counts_from);
            if conversion.is_custom() && set.label.is_none() {
                let mut problems = Problems::default();
                problems.add("label", "is required: the slot has none yet");
                problems.check()?;
            }
            write(&mut transaction, workspace, &set).await?;
            note_change(&mut transaction, workspace).await?;
            commit(transaction).await?;
            Ok(set)
        })
        .await
    }

    /// Takes back what is set for a type: a custom slot has no label again. Events and rules of the type stay.
    #[boxed]
    pub async fn clear_conversion(&self, scope: &WorkspaceScope, conversion: ConversionType) -> Result<()> {
        let workspace = scope.workspace();
        self.run_to_end(move |control| async move {
            let mut transaction = control.inner.store.begin().await?;
            sqlx::query("DELETE FROM conversions WHERE workspace_id = $1 AND conversion = $2")
                .bind(workspace.0)
                .bind(conversion.as_str())
                .execute(&mut *transaction)
                .await
                .map_err(failed("what is set for a conversion could not be taken back"))?;
            note_change(&mut transaction, workspace).await?;
            commit(transaction).await
        })
        .await
    }
}

/// The change with its label in the spelling it is kept in.
fn checked(conversion: ConversionType, mut change: ConversionChange) -> Result<ConversionChange> {
    let mut problems = Problems::default();
    if change == ConversionChange::default() {
        problems.add("label", "one of label, include_in_gross_revenue and counts_from is required");
    }
    if !conversion.is_custom() {
        if change.label.is_some() {
            problems.add("label", "only custom slots, custom_event_1 to custom_event_50, have a label of their own");
        }
        let fixed = super::is_revenue(conversion);
        if change.include_in_gross_revenue.is_some_and(|include| include != fixed) {
            problems.add("include_in_gross_revenue", format!("is always {fixed} for {conversion}"));
        }
    } else if let Some(label) = change.label.take() {
        change.label = problems.take("label", line(label.trim(), MAX_LABEL_CHARS));
        let folded = change.label.as_deref().unwrap_or_default().to_lowercase();
        let same =
            |other: &ConversionType| other.as_str() == folded || (*other != conversion && other.label().to_lowercase() == folded);
        if let Some(other) = ConversionType::all().find(same) {
            problems.add("label", format!("must not be the slug or the standard label of a type: this is {other}"));
        }
    }
    problems.check()?;
    Ok(change)
}

async fn write(transaction: &mut DatabaseTransaction, workspace: WorkspaceId, set: &ConversionSettings) -> Result<()> {
    sqlx::query(
        "INSERT INTO conversions (workspace_id, conversion, label, folded, include_in_gross_revenue, counts_from)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (workspace_id, conversion) DO UPDATE SET label = excluded.label, folded = excluded.folded,
         include_in_gross_revenue = excluded.include_in_gross_revenue, counts_from = excluded.counts_from",
    )
    .bind(workspace.0)
    .bind(set.conversion.as_str())
    .bind(set.label.as_deref())
    .bind(set.label.as_deref().map(str::to_lowercase))
    .bind(set.include_in_gross_revenue)
    .bind(set.counts_from.as_str())
    .execute(&mut **transaction)
    .await
    .map_err(|error| match error.as_database_error() {
        Some(cause) if cause.is_unique_violation() => {
            let label = set.label.as_deref().unwrap_or_default();
            Error::new(Code::Conflict, format!("another slot has the label `{label}`; labels must be unique"))
        }
        _ => failed("the conversion could not be set")(error),
    })?;
    Ok(())
}
