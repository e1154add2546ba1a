//! Counts and exact distinct visitors, by columns and time buckets.

use std::cmp::Reverse;
use std::collections::HashMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tributary_boxed::boxed;
use tributary_core::error::{Code, Error, Result};
use tributary_events::answer::{AggregateAnswer, AggregateRow};
use tributary_events::bucket::{Buckets, Interval};
use tributary_events::field::Field;
use tributary_events::filter::Filter;
use tributary_events::question::{Aggregate, MAX_ROWS, Metric};

use crate::input::Window;
use crate::problem::invalid;
use crate::provenance::{self, Provenance, Rows};
use crate::reach::Reach;
use crate::service::Service;

/// The most rows an answer may have.
pub const MAX_LIMIT: usize = 1_000;
/// Rows of an answer when nothing else is asked for.
pub const DEFAULT_LIMIT: usize = 100;
/// The column that names the project, where several can be spanned.
pub const PROJECT_COLUMN: &str = "project_id";
/// The columns an answer can be grouped by.
pub const COLUMNS: [&str; 9] = ["event_name", "source", "medium", "campaign", "country", "device_type", "browser", "os", "path"];

/// Said whenever distinct visitors of several projects stand in one number.
pub(crate) const NOTE_SUMMED_VISITORS: &str =
    "several projects: distinct visitors are counted in each project and added up, since no identity spans projects";

/// What is asked.
#[derive(Clone, Debug)]
pub struct StatsInput {
    /// Range and bot rule.
    pub window: Window,
    /// What is counted.
    pub metric: StatsMetric,
    /// Only events of this name.
    pub event: Option<String>,
    /// Group columns, in the order they are printed.
    pub group_by: Vec<Column>,
    /// Time buckets, `None` for one bucket.
    pub interval: Option<StatsInterval>,
    /// Rows at most, 1 to [`MAX_LIMIT`].
    pub limit: usize,
}

/// What is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum StatsMetric {
    /// Events.
    #[default]
    Count,
    /// Distinct visitors (`anonymous_id`), exact.
    Uniques,
}

impl StatsMetric {
    /// The names callers use.
    pub const NAMES: [&str; 2] = ["count", "uniques"];

    /// Reads a caller's name.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "count" => StatsMetric::Count,
            "uniques" => StatsMetric::Uniques,
            _ => return None,
        })
    }

    pub(crate) fn engine(self) -> Metric {
        match self {
            StatsMetric::Count => Metric::Events,
            StatsMetric::Uniques => Metric::Visitors,
        }
    }
}

/// Width of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum StatsInterval {
    /// An hour.
    Hour,
    /// A local day.
    Day,
    /// A local week, Monday to Sunday.
    Week,
    /// A local calendar month.
    Month,
}

impl StatsInterval {
    /// The names callers use.
    pub const NAMES: [&str; 4] = ["hour", "day", "week", "month"];

    /// Reads a caller's name.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "hour" => StatsInterval::Hour,
            "day" => StatsInterval::Day,
            "week" => StatsInterval::Week,
            "month" => StatsInterval::Month,
            _ => return None,
        })
    }

    fn engine(self) -> Interval {
        match self {
            StatsInterval::Hour => Interval::Hour,
            StatsInterval::Day => Interval::Day,
            StatsInterval::Week => Interval::Week,
            StatsInterval::Month => Interval::Month,
        }
    }
}

/// A group column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// A dimension of the event.
    Field(Field),
    /// The project the event belongs to.
    Project,
}

impl Column {
    fn name(&self) -> String {
        match self {
            Column::Field(field) => field.name().into_owned(),
            Column::Project => String::from(PROJECT_COLUMN),
        }
    }
}

/// Which group columns a door offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnSet {
    /// [`COLUMNS`].
    OneProject,
    /// [`COLUMNS`] and [`PROJECT_COLUMN`].
    ManyProjects,
}

impl ColumnSet {
    /// The names on offer.
    pub fn names(self) -> Vec<&'static str> {
        match self {
            ColumnSet::OneProject => COLUMNS.to_vec(),
            ColumnSet::ManyProjects => std::iter::once(PROJECT_COLUMN).chain(COLUMNS).collect(),
        }
    }

    /// Reads a comma-separated list such as `source,medium`. Answers `invalid_group_by` with the allowed names.
    pub fn parse(self, text: &str) -> Result<Vec<Column>> {
        let allowed = self.names();
        let refuse = |message: String| {
            Err(Error::new(Code::InvalidGroupBy, message).with_details(
                json!({ "fieldErrors": { "group_by": [format!("accepted: {}", allowed.join(", "))] }, "allowed": allowed }),
            ))
        };
        let mut columns = Vec::new();
        for name in text.split(',').map(str::trim) {
            if !allowed.contains(&name) {
                let shown: String = name.chars().take(64).collect();
                return refuse(format!("group_by: unknown column `{shown}`; accepted, comma-separated: {}", allowed.join(", ")));
            }
            let column = match Field::parse(name) {
                Some(field) => Column::Field(field),
                None => Column::Project,
            };
            if columns.contains(&column) {
                return refuse(format!("group_by: column `{name}` stands there twice"));
            }
            columns.push(column);
        }
        // The engine bounds its own group columns; the project is none of them.
        if columns.iter().filter(|column| **column != Column::Project).count() > tributary_events::question::MAX_GROUP_BY {
            return refuse(format!("group_by: at most {} columns", tributary_events::question::MAX_GROUP_BY));
        }
        Ok(columns)
    }
}

/// The answer.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct StatsOutput {
    /// What was counted.
    pub metric: StatsMetric,
    /// Buckets ascending, then value descending, then group columns ascending.
    pub rows: Vec<StatsRow>,
    /// The metric over the whole slice, without groups and buckets; distinct visitors are not the sum of the rows.
    pub total: i64,
    /// What the answer holds for.
    #[serde(flatten)]
    pub provenance: Provenance,
}

/// One row: `bucket` (RFC 3339 start of the bucket, only with an interval), the group columns, `value` (integer).
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct StatsRow(pub Map<String, Value>);

impl Service {
    /// Answers counts or distinct visitors by group and bucket.
    #[boxed]
    pub async fn stats(&self, reach: Reach<'_>, input: &StatsInput) -> Result<StatsOutput> {
        let zone = reach.zone();
        let mut slice = input.window.slice(&zone)?;
        let range = slice.range;
        if let Some(event) = &input.event {
            slice = slice.with(Filter::is(Field::EventName, event.as_str()));
        }
        let cover = |interval: StatsInterval| {
            Buckets::cover(range, interval.engine(), &zone).map_err(|error| invalid("interval", error.message()))
        };
        let buckets = input.interval.map(cover).transpose()?;
        let group_by = input
            .group_by
            .iter()
            .filter_map(|column| match column {
                Column::Field(field) => Some(field.clone()),
                Column::Project => None,
            })
            .collect();
        let question = Aggregate {
            slice,
            metrics: vec![input.metric.engine()],
            group_by,
            buckets,
            // Rows of several workspaces can only be cut after they have been added up.
            limit: if reach.is_wide() { MAX_ROWS } else { input.limit },
        };
        let answers = self.aggregate(reach, &question).await?;
        let projects: Vec<String> = reach.workspaces().iter().map(|access| access.workspace.uuid.to_string()).collect();
        let total: i128 = answers.answers.iter().filter_map(|answer| answer.totals.first()).sum();
        let merged = merge(answers.answers, &input.group_by, &projects)?;
        let total_rows = merged.total_rows;
        let labels = question.buckets.as_ref().map(|buckets| buckets.labels.as_slice()).unwrap_or_default();
        let rows: Vec<StatsRow> =
            merged.rows.into_iter().take(input.limit).map(|row| print(row, &input.group_by, labels)).collect::<Result<_>>()?;
        let counted = Rows::exact(rows.len(), total_rows as u64);
        let mut provenance = provenance::of(reach, range, input.window.bots, &answers.watermarks, counted);
        if reach.is_wide() && input.metric == StatsMetric::Uniques {
            provenance.add_note(NOTE_SUMMED_VISITORS);
        }
        if let (Some(event), true) = (&input.event, total == 0) {
            self.name_unknown_events(reach, &[event], &mut provenance).await?;
        }
        Ok(StatsOutput { metric: input.metric, rows, total: count(total)?, provenance })
    }
}

struct Merged {
    rows: Vec<AggregateRow>,
    total_rows: usize,
}

/// Puts the project's id in where it was asked for, adds up rows of several workspaces, and orders them.
fn merge(answers: Vec<AggregateAnswer>, columns: &[Column], projects: &[String]) -> Result<Merged> {
    let project_at = columns.iter().position(|column| *column == Column::Project);
    let place = |mut row: AggregateRow, project: &String| {
        if let Some(at) = project_at {
            row.keys.insert(at, Some(project.clone()));
        }
        row
    };
    if let ([answer], [project]) = (answers.as_slice(), projects) {
        let rows = answer.rows.iter().cloned().map(|row| place(row, project)).collect();
        return Ok(Merged { rows, total_rows: answer.total_rows });
    }
    let mut sums: HashMap<(Option<u32>, Vec<Option<String>>), i128> = HashMap::new();
    for (answer, project) in answers.into_iter().zip(projects) {
        if answer.total_rows > answer.rows.len() {
            return Err(too_many_groups());
        }
        for row in answer.rows {
            let row = place(row, project);
            *sums.entry((row.bucket, row.keys)).or_default() += row.values.first().copied().unwrap_or_default();
        }
    }
    let mut rows: Vec<AggregateRow> =
        sums.into_iter().map(|((bucket, keys), value)| AggregateRow { bucket, keys, values: vec![value] }).collect();
    rows.sort_by(|left, right| order(left).cmp(&order(right)));
    let total_rows = rows.len();
    Ok(Merged { rows, total_rows })
}

/// The order of rows: bucket ascending, value descending, keys ascending (absent first).
pub(crate) fn order(row: &AggregateRow) -> (Option<u32>, Reverse<i128>, &[Option<String>]) {
    (row.bucket, Reverse(row.values.first().copied().unwrap_or_default()), &row.keys)
}

pub(crate) fn too_many_groups() -> Error {
    Error::new(
        Code::QuestionTooLarge,
        format!("the answer has more than {MAX_ROWS} groups in one project; group by fewer columns or ask for a shorter range"),
    )
    .with_details(json!({ "bound": "rows", "max": MAX_ROWS }))
}

fn print(row: AggregateRow, columns: &[Column], labels: &[String]) -> Result<StatsRow> {
    let mut printed = Map::new();
    if let Some(bucket) = row.bucket {
        let label = labels.get(bucket as usize).ok_or_else(|| Error::internal("the event store answered an unknown bucket"))?;
        printed.insert(String::from("bucket"), json!(label));
    }
    for (column, key) in columns.iter().zip(row.keys) {
        printed.insert(column.name(), cell(column, key));
    }
    let value = row.values.first().copied().ok_or_else(|| Error::internal("the event store answered a row without a value"))?;
    printed.insert(String::from("value"), json!(count(value)?));
    Ok(StatsRow(printed))
}

/// Columns filled by enrichment are documented as text: unknown reads as `""`. Columns the sender fills are nullable.
fn cell(column: &Column, key: Option<String>) -> Value {
    match (column, key) {
        (_, Some(text)) => Value::String(text),
        (Column::Field(Field::Country | Field::DeviceType | Field::Browser | Field::Os), None) => json!(""),
        (Column::Field(_) | Column::Project, None) => Value::Null,
    }
}

/// A count as JSON can carry it exactly.
pub(crate) fn count(value: i128) -> Result<i64> {
    i64::try_from(value).map_err(|_| Error::internal("a count left the range of 64 bits"))
}
