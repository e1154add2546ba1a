//! Traffic by source and medium, with the paid share.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tributary_boxed::boxed;
use tributary_core::error::{Error, Result};
use tributary_events::answer::AggregateRow;
use tributary_events::field::Field;
use tributary_events::filter::Filter;
use tributary_events::question::{Aggregate, MAX_ROWS, Metric};

use crate::input::Window;
use crate::provenance::{self, Provenance, Rows};
use crate::reach::Reach;
use crate::service::Service;
use crate::stats::{NOTE_SUMMED_VISITORS, count, order, too_many_groups};

/// The most rows an answer may have.
pub const MAX_LIMIT: usize = 200;
/// Rows of an answer when nothing else is asked for.
pub const DEFAULT_LIMIT: usize = 50;

/// What is asked.
#[derive(Clone, Debug)]
pub struct SourcesInput {
    /// Range and bot rule.
    pub window: Window,
    /// How fine the rows are.
    pub breakdown: Breakdown,
    /// Rows at most, 1 to [`MAX_LIMIT`].
    pub limit: usize,
}

/// How fine the rows are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Breakdown {
    /// One row per source and medium: paid and organic traffic of one network stand apart.
    #[default]
    SourceMedium,
    /// One row per source.
    Source,
}

impl Breakdown {
    /// The names callers use.
    pub const NAMES: [&str; 2] = ["source_medium", "source"];

    /// Reads a caller's name.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "source_medium" => Breakdown::SourceMedium,
            "source" => Breakdown::Source,
            _ => return None,
        })
    }
}

/// The answer.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SourcesOutput {
    /// How fine the rows are.
    pub breakdown: Breakdown,
    /// Most events first, then by source and medium.
    pub rows: Vec<SourcesRow>,
    /// Over all sources, also those past the limit.
    pub totals: SourcesTotals,
    /// What the answer holds for.
    #[serde(flatten)]
    pub provenance: Provenance,
}

/// One source.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct SourcesRow {
    /// Classified source, such as `google`, `facebook`, `newsletter`, `direct`.
    pub source: String,
    /// Classified medium, such as `paid`, `organic`, `social`; absent with breakdown `source`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub medium: Option<String>,
    /// All events of the row, page views and others.
    pub events: i64,
    /// Distinct visitors (`anonymous_id`), exact.
    pub uniques: i64,
    /// Events with medium `paid` divided by all events of the row, 0.0 to 1.0.
    pub paid_share: f64,
}

/// Over all sources.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct SourcesTotals {
    /// Events of all sources.
    pub events: i64,
    /// Distinct visitors, exact; a visitor of two sources counts once here.
    pub uniques: i64,
}

impl Service {
    /// Answers traffic by source.
    #[boxed]
    pub async fn sources(&self, reach: Reach<'_>, input: &SourcesInput) -> Result<SourcesOutput> {
        let slice = input.window.slice(&reach.zone())?;
        let range = slice.range;
        let question = Aggregate {
            slice,
            metrics: vec![Metric::Events, Metric::Visitors, Metric::EventsWhere(vec![Filter::is(Field::Medium, "paid")])],
            group_by: match input.breakdown {
                Breakdown::SourceMedium => vec![Field::Source, Field::Medium],
                Breakdown::Source => vec![Field::Source],
            },
            buckets: None,
            limit: if reach.is_wide() { MAX_ROWS } else { input.limit },
        };
        let answers = self.aggregate(reach, &question).await?;
        let total =
            |metric: usize| -> Result<i64> { count(answers.answers.iter().filter_map(|answer| answer.totals.get(metric)).sum()) };
        let totals = SourcesTotals { events: total(0)?, uniques: total(1)? };
        let (rows, total_rows) = match answers.answers.as_slice() {
            [only] => (only.rows.clone(), only.total_rows),
            several => {
                let mut sums: HashMap<&[Option<String>], Vec<i128>> = HashMap::new();
                for answer in several {
                    if answer.total_rows > answer.rows.len() {
                        return Err(too_many_groups());
                    }
                    for row in &answer.rows {
                        let sum = sums.entry(&row.keys).or_insert_with(|| vec![0; row.values.len()]);
                        sum.iter_mut().zip(&row.values).for_each(|(sum, value)| *sum += value);
                    }
                }
                let mut rows: Vec<AggregateRow> =
                    sums.into_iter().map(|(keys, values)| AggregateRow { bucket: None, keys: keys.to_vec(), values }).collect();
                rows.sort_by(|left, right| order(left).cmp(&order(right)));
                let total_rows = rows.len();
                (rows, total_rows)
            }
        };
        let rows: Vec<SourcesRow> = rows.iter().take(input.limit).map(print).collect::<Result<_>>()?;
        let counted = Rows::exact(rows.len(), total_rows as u64);
        let mut provenance = provenance::of(reach, range, input.window.bots, &answers.watermarks, counted);
        if reach.is_wide() {
            provenance.add_note(NOTE_SUMMED_VISITORS);
        }
        Ok(SourcesOutput { breakdown: input.breakdown, rows, totals, provenance })
    }
}

fn print(row: &AggregateRow) -> Result<SourcesRow> {
    let &[events, uniques, paid] = row.values.as_slice() else {
        return Err(Error::internal("the event store answered a row with the wrong number of values"));
    };
    let mut keys = row.keys.iter().cloned();
    let (events, paid) = (count(events)?, count(paid)?);
    Ok(SourcesRow {
        source: keys.next().flatten().unwrap_or_default(),
        medium: keys.next().flatten(),
        events,
        uniques: count(uniques)?,
        paid_share: if events == 0 { 0.0 } else { paid as f64 / events as f64 },
    })
}
