//! Questions of people: the command line's words become a question of the event port, its answer becomes rows.

mod attribution;
mod events;
mod filter;
mod funnel;
mod names;
mod range;
mod retention;
mod sessions;
mod sources;
mod stats;

use jiff::tz::TimeZone;
use serde_json::{Map, Value};
use std::sync::Arc;

use tributary_control::WorkspaceAccess;
use tributary_core::error::{Code, Error, Result};
use tributary_core::time::{TimeRange, format_in};
use tributary_events::answer::{Answer, Answered};
use tributary_events::bucket::{Buckets, Interval};
use tributary_events::field::{DIMENSIONS, Field};
use tributary_events::people::People;
use tributary_events::question::{Bots, Budget, Question, Slice};
use tributary_events::store::EventStore;
use tributary_http::admin::{BotsBody, QueryAnswer, QueryBody, QuestionBody};

/// One row of an answer.
type Row = Map<String, Value>;

/// What a question's own module makes of its answer.
struct Shown {
    rows: Vec<Row>,
    total_rows: u64,
    /// Whether `total_rows` was counted to the end.
    is_exact: bool,
    totals: Row,
}

impl Shown {
    /// Rows whose total is known.
    fn of(rows: Vec<Row>, total_rows: u64, totals: Row) -> Self {
        Self { rows, total_rows, is_exact: true, totals }
    }
}

/// Asks the store and words the answer.
pub async fn answer(
    store: &dyn EventStore,
    budget: Budget,
    access: &WorkspaceAccess,
    body: QueryBody,
    people: Option<Arc<People>>,
    now_us: i64,
) -> Result<QueryAnswer> {
    let workspace = &access.workspace;
    let range = range::resolve(&body.range, &workspace.zone, now_us)?;
    let slice = Slice {
        range,
        filters: body.filters.iter().map(|text| filter::parse(text)).collect::<Result<_>>()?,
        bots: match body.bots {
            BotsBody::Exclude => Bots::Exclude,
            BotsBody::Include => Bots::Include,
            BotsBody::Only => Bots::Only,
        },
        as_of: body.as_of,
        people,
        traits: Vec::new(),
    };
    let cx = Context { store, budget, access, zone: &workspace.zone, slice };
    let (shown, watermark) = match body.question {
        QuestionBody::Stats { metrics, group_by, interval, limit } => {
            stats::ask(cx, &metrics, &group_by, interval.as_deref(), limit).await?
        }
        QuestionBody::Sources { by_medium, limit } => sources::ask(cx, by_medium, limit).await?,
        QuestionBody::Events { limit } => events::recent(cx, limit).await?,
        QuestionBody::Journey { visitor, limit } => events::journey(cx, visitor, limit).await?,
        QuestionBody::Funnel { steps, window, mode, unit, breakdown, breakdown_step, exclude, times } => {
            let words = funnel::Words { steps, window, mode, unit, breakdown, breakdown_step, exclude, times };
            funnel::ask(cx, &words).await?
        }
        QuestionBody::Attribution(body) => attribution::ask(cx, &body).await?,
        QuestionBody::Retention { start, returning, period, periods, cohorts, breakdown } => {
            let words = retention::Words { start, returning, period, periods, cohorts, breakdown };
            retention::ask(cx, words).await?
        }
        QuestionBody::Sessions { gap, containing, group_by, interval, limit } => {
            sessions::ask(cx, gap.as_deref(), &containing, &group_by, interval.as_deref(), limit).await?
        }
        QuestionBody::Names { field, limit } => names::ask(cx, &field, limit).await?,
    };
    Ok(QueryAnswer {
        workspace: workspace.slug.clone(),
        from: format_in(range.start_us, &workspace.zone),
        to: format_in(range.end_us, &workspace.zone),
        timezone: workspace.zone_name.clone(),
        bots: body.bots,
        watermark,
        truncated: (shown.rows.len() as u64) < shown.total_rows,
        total_rows: shown.total_rows,
        total_rows_is_exact: shown.is_exact,
        rows: shown.rows,
        totals: shown.totals,
    })
}

/// What every question works with.
struct Context<'a> {
    store: &'a dyn EventStore,
    budget: Budget,
    access: &'a WorkspaceAccess,
    zone: &'a TimeZone,
    slice: Slice,
}

impl Context<'_> {
    async fn ask(&self, question: Question) -> Result<(Answer, u64)> {
        let Answered { watermark, answer } = self.store.ask(&self.access.scope, question, self.budget).await?;
        Ok((answer, watermark))
    }
}

/// The store answered another question than it was asked.
fn mismatched() -> Error {
    Error::internal("the event store answered another question than it was asked")
}

fn field(name: &str) -> Result<Field> {
    Field::parse(name).ok_or_else(|| {
        let names: Vec<&str> = DIMENSIONS.iter().map(|dimension| dimension.name).collect();
        Error::new(Code::InvalidParams, format!("unknown field `{name}`; accepted: {}, properties.<key>", names.join(", ")))
    })
}

fn fields(names: &[String]) -> Result<Vec<Field>> {
    names.iter().map(|name| field(name)).collect()
}

fn buckets(range: TimeRange, interval: Option<&str>, zone: &TimeZone) -> Result<Option<Buckets>> {
    interval.map(|name| Buckets::cover(range, interval_named(name)?, zone)).transpose()
}

fn interval_named(name: &str) -> Result<Interval> {
    Interval::parse(name).ok_or_else(|| {
        Error::new(
            Code::InvalidParams,
            format!("unknown interval `{name}`; accepted: hour, wall_hour, day, week, month, quarter, year"),
        )
    })
}

/// The bucket's label as the first cell of a row.
fn put_bucket(row: &mut Row, buckets: Option<&Buckets>, bucket: Option<u32>) {
    if let Some(buckets) = buckets {
        let label = bucket.and_then(|bucket| buckets.labels.get(bucket as usize));
        row.insert(String::from("bucket"), label.map_or(Value::Null, |label| Value::from(label.as_str())));
    }
}

fn put_keys(row: &mut Row, fields: &[Field], keys: Vec<Option<String>>) {
    for (field, key) in fields.iter().zip(keys) {
        row.insert(field.name().into_owned(), key.map_or(Value::Null, Value::from));
    }
}

/// A count as JSON; counts are never negative and never beyond `u64`.
fn count(value: i128) -> Value {
    Value::from(u64::try_from(value).unwrap_or(u64::MAX))
}

/// Share of a whole with four decimals, null of nothing.
fn share(part: u64, whole: u64) -> Value {
    if whole == 0 { Value::Null } else { Value::from((part as f64 / whole as f64 * 10_000.0).round() / 10_000.0) }
}
