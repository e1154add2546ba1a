//! Projects ranked by one number.

use schemars::JsonSchema;
use serde::Serialize;
use tributary_boxed::boxed;
use tributary_core::error::Result;
use tributary_events::field::Field;
use tributary_events::filter::Filter;
use tributary_events::question::Aggregate;

use crate::input::Window;
use crate::provenance::{self, Provenance, Rows};
use crate::reach::Reach;
use crate::service::Service;
use crate::stats::{StatsMetric, count};

/// What is asked.
#[derive(Clone, Debug)]
pub struct CompareInput {
    /// Range and bot rule.
    pub window: Window,
    /// What is counted.
    pub metric: StatsMetric,
    /// Only events of this name.
    pub event: Option<String>,
}

/// The answer.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CompareOutput {
    /// What was counted.
    pub metric: StatsMetric,
    /// One row per project, also for those without events: largest value first, then by slug.
    pub rows: Vec<CompareRow>,
    /// What the answer holds for.
    #[serde(flatten)]
    pub provenance: Provenance,
}

/// One project.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct CompareRow {
    /// The project's UUID.
    pub project_id: String,
    /// Short name.
    pub slug: String,
    /// Name for people.
    pub name: String,
    /// Events, or distinct visitors (exact), in the range.
    pub value: i64,
}

impl Service {
    /// Answers one number per project, ranked.
    #[boxed]
    pub async fn compare_projects(&self, reach: Reach<'_>, input: &CompareInput) -> Result<CompareOutput> {
        let mut slice = input.window.slice(&reach.zone())?;
        let range = slice.range;
        if let Some(event) = &input.event {
            slice = slice.with(Filter::is(Field::EventName, event.as_str()));
        }
        let question = Aggregate { slice, metrics: vec![input.metric.engine()], group_by: Vec::new(), buckets: None, limit: 1 };
        let answers = self.aggregate(reach, &question).await?;
        let mut rows = Vec::with_capacity(reach.workspaces().len());
        for (access, answer) in reach.workspaces().iter().zip(&answers.answers) {
            let workspace = &access.workspace;
            rows.push(CompareRow {
                project_id: workspace.uuid.to_string(),
                slug: workspace.slug.clone(),
                name: workspace.name.clone(),
                value: count(answer.totals.first().copied().unwrap_or_default())?,
            });
        }
        rows.sort_by(|left, right| right.value.cmp(&left.value).then_with(|| left.slug.cmp(&right.slug)));
        let counted = Rows::exact(rows.len(), rows.len() as u64);
        let mut provenance = provenance::of(reach, range, input.window.bots, &answers.watermarks, counted);
        if let (Some(event), true) = (&input.event, rows.iter().all(|row| row.value == 0)) {
            self.name_unknown_events(reach, &[event], &mut provenance).await?;
        }
        Ok(CompareOutput { metric: input.metric, rows, provenance })
    }
}
