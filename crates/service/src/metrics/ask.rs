//! Metrics of a period.

use tributary_boxed::boxed;
use tributary_control::WorkspaceAccess;
use tributary_core::error::Result;

use super::answer::{MetricsAnswer, Table};
use super::question::MetricsQuestion;
use crate::service::Service;

impl Service {
    /// Answers metrics by dimensions over a stretch of days.
    ///
    /// Errors: `invalid_params` naming every field at fault and what would be accepted, `question_too_large` past the bounds.
    #[boxed]
    pub async fn query_metrics(&self, access: &WorkspaceAccess, question: &MetricsQuestion) -> Result<MetricsAnswer> {
        let plan = self.plan(access, question).await?;
        let (facts, watermark) = self.gather(&plan).await?;
        Ok(Table::of(&plan, &facts)?.shown(&plan, &facts, watermark))
    }

    /// Checks a question without asking it.
    pub(crate) async fn check_question(&self, access: &WorkspaceAccess, question: &MetricsQuestion) -> Result<()> {
        self.plan(access, question).await.map(drop)
    }
}
