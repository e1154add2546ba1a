//! Saved reports: a metric question and the chart it is shown as.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tributary_boxed::boxed;
use tributary_control::{SavedKind, WorkspaceAccess};
use tributary_core::error::{Code, Result};
use tributary_core::ids::SavedId;

use super::stored_definition;
use crate::dates::resolve::DateRange;
use crate::metrics::answer::MetricsAnswer;
use crate::metrics::question::MetricsQuestion;
use crate::problem::Problems;
use crate::service::Service;

/// What a report is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportDefinition {
    /// The chart.
    #[serde(rename = "type")]
    pub chart: ReportType,
    /// What is asked.
    pub question: MetricsQuestion,
}

/// The seven types of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum ReportType {
    /// A line over time.
    Line,
    /// Upright bars.
    Column,
    /// Bars lying down.
    Bar,
    /// A filled line over time.
    Area,
    /// Shares of a whole.
    Pie,
    /// Rows and columns.
    Table,
    /// One number.
    Kpi,
}

/// A report's answer.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ReportOutput {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// The chart it is shown as.
    #[serde(rename = "type")]
    pub chart: ReportType,
    /// The answer to its question.
    #[serde(flatten)]
    pub answer: MetricsAnswer,
}

impl Service {
    /// Runs a saved report, over other days than its own when some are given.
    ///
    /// Errors: `not_found`, and those of the question.
    #[boxed]
    pub async fn run_report(&self, access: &WorkspaceAccess, id: i64, days: Option<DateRange>) -> Result<ReportOutput> {
        let saved = self.control.get_saved(&access.scope, SavedKind::Report, SavedId(id)).await?;
        let ReportDefinition { chart, mut question } = stored_definition(&saved)?;
        if let Some(DateRange { date_range, date_start, date_end }) = days {
            question = MetricsQuestion { date_range, date_start, date_end, ..question };
        }
        let answer = self.query_metrics(access, &question).await?;
        Ok(ReportOutput { id, name: saved.name, chart, answer })
    }

    /// Checks a report: its question, and that its chart can show the answer.
    pub(super) async fn check_report(&self, access: &WorkspaceAccess, report: &ReportDefinition) -> Result<()> {
        self.check_question(access, &report.question).await?;
        let mut problems = Problems::new();
        let groups = report.question.group_by.len();
        match report.chart {
            ReportType::Line | ReportType::Area if groups == 0 => {
                problems.add("definition.question.group_by", "a line needs what it runs over: day, week, month, quarter or year");
            }
            ReportType::Pie if report.question.metrics.len() != 1 || groups != 1 => {
                problems.add("definition.question", "a pie shows one metric by one dimension");
            }
            ReportType::Kpi if groups > 0 => {
                problems.add("definition.question.group_by", "a KPI is one number and has no dimension")
            }
            _ => {}
        }
        problems.check(Code::InvalidParams)
    }
}
