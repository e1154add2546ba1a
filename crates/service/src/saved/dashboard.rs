//! Saved dashboards: reports side by side.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tributary_boxed::boxed;
use tributary_control::{SavedKind, WorkspaceAccess};
use tributary_core::error::{Code, Result};
use tributary_core::ids::SavedId;

use super::report::ReportOutput;
use super::stored_definition;
use crate::dates::resolve::DateRange;
use crate::problem::Problems;
use crate::service::Service;

/// Most cards of a dashboard.
pub const MAX_CARDS: usize = 24;
/// Columns a dashboard has.
pub const COLUMNS: u8 = 12;

/// What a dashboard is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DashboardDefinition {
    /// Its cards, in reading order.
    pub cards: Vec<Card>,
}

/// A report on a dashboard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Card {
    /// The saved report.
    pub report_id: i64,
    /// Columns it takes, 1 to 12; half the width unless given.
    #[serde(default = "half")]
    pub width: u8,
}

fn half() -> u8 {
    COLUMNS / 2
}

/// A dashboard's answers.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct DashboardOutput {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its reports, in the order of its cards.
    pub reports: Vec<ReportOutput>,
}

impl Service {
    /// Runs every report of a dashboard, over other days than their own when some are given.
    ///
    /// Errors: `not_found`, and those of the questions.
    #[boxed]
    pub async fn run_dashboard(&self, access: &WorkspaceAccess, id: i64, days: Option<DateRange>) -> Result<DashboardOutput> {
        let saved = self.control.get_saved(&access.scope, SavedKind::Dashboard, SavedId(id)).await?;
        let definition: DashboardDefinition = stored_definition(&saved)?;
        let mut reports = Vec::with_capacity(definition.cards.len());
        for card in &definition.cards {
            reports.push(self.run_report(access, card.report_id, days.clone()).await?);
        }
        Ok(DashboardOutput { id, name: saved.name, reports })
    }

    /// Checks that a dashboard's reports are there.
    pub(super) async fn check_dashboard(&self, access: &WorkspaceAccess, dashboard: &DashboardDefinition) -> Result<()> {
        let mut problems = Problems::new();
        if dashboard.cards.is_empty() || dashboard.cards.len() > MAX_CARDS {
            problems.add("definition.cards", format!("must have 1 to {MAX_CARDS} cards, got {}", dashboard.cards.len()));
        }
        let reports = self.control.list_saved(&access.scope, SavedKind::Report).await?;
        let known: BTreeSet<i64> = reports.into_iter().map(|report| report.id.0).collect();
        for (index, card) in dashboard.cards.iter().enumerate() {
            if !known.contains(&card.report_id) {
                problems.add(format!("definition.cards.{index}.report_id"), format!("no report has the id {}", card.report_id));
            }
            if !(1..=COLUMNS).contains(&card.width) {
                problems.add(format!("definition.cards.{index}.width"), format!("must be between 1 and {COLUMNS}"));
            }
        }
        problems.check(Code::InvalidParams)
    }
}
