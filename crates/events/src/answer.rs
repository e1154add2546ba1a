//! The answers: plain data, comparable, with totals and the watermark they hold for.

use tributary_core::event::Event;

use crate::attribution::bootstrap::Interval;
use crate::attribution::credit::Credit;
use crate::question::RowPosition;

/// An answer and what it holds for.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// Ingest sequence number the answer reaches: the question's `as_of`, or that of the last event stored if it is smaller
    /// (0 when nothing was ever stored). Asking again with
    /// `as_of` this number gives the same answer, erasures and expiry aside.
    pub watermark: u64,
    /// The answer.
    pub answer: Answer,
}

/// Any answer; the variant matches the question's.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// To [`crate::question::Aggregate`].
    Aggregate(AggregateAnswer),
    /// To [`crate::question::Rows`] and [`crate::question::Journey`].
    Rows(RowsAnswer),
    /// To [`crate::question::Funnel`].
    Funnel(FunnelAnswer),
    /// To [`crate::question::Retention`].
    Retention(RetentionAnswer),
    /// To [`crate::question::Sessions`].
    Sessions(SessionsAnswer),
    /// To [`crate::question::Values`].
    Values(ValuesAnswer),
    /// To [`crate::question::Attribution`].
    Attribution(AttributionAnswer),
}

/// Numbers by group and bucket.
#[derive(Clone, Debug, PartialEq)]
pub struct AggregateAnswer {
    /// The rows, ordered and cut to the limit.
    pub rows: Vec<AggregateRow>,
    /// How many rows there are without the limit.
    pub total_rows: usize,
    /// The metrics over the whole slice, ungrouped: exact, so distinct counts are not sums of the rows.
    pub totals: Vec<i128>,
}

/// One group.
#[derive(Clone, Debug, PartialEq)]
pub struct AggregateRow {
    /// Index into the question's bucket labels; `None` without buckets.
    pub bucket: Option<u32>,
    /// The group columns' values.
    pub keys: Vec<Option<String>>,
    /// One number per metric: counts, or micros for amounts.
    pub values: Vec<i128>,
}

/// Events.
#[derive(Clone, Debug, PartialEq)]
pub struct RowsAnswer {
    /// The events, ordered and cut to the limit.
    pub rows: Vec<Event>,
    /// The ingest sequence number of each: what identifies it in its workspace for good, see [`crate::row_id::RowId`].
    pub sequences: Vec<u64>,
    /// How many match without the limit, after the question's `after` and counted up to its `count_up_to`; all of a journey.
    pub total: u64,
}

impl RowsAnswer {
    /// Where one of the rows stands: what a question for the rows after it names.
    pub fn position(&self, at: usize) -> Option<RowPosition> {
        let (event, sequence) = (self.rows.get(at)?, self.sequences.get(at)?);
        Some(RowPosition { time_us: event.time_us, sequence: *sequence })
    }
}

/// How many come how far.
#[derive(Clone, Debug, PartialEq)]
pub struct FunnelAnswer {
    /// For all units.
    pub overall: FunnelCounts,
    /// By breakdown value, largest first step first, then by value (absent first). Empty without a breakdown.
    pub by_value: Vec<(Option<String>, FunnelCounts)>,
}

/// Units that reached each step.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct FunnelCounts {
    /// `reached[k]`: units that came at least as far as step k + 1.
    pub reached: Vec<u64>,
    /// `median_us[k]`: median time from step k + 1 to step k + 2 over the units that took both, microseconds; of an even
    /// number of times the lower middle one. `None` when nobody did; empty unless asked for. One entry fewer than `reached`.
    ///
    /// A unit is measured on its path: in the modes made of chains, the first chain that reached the unit's level, each step
    /// at the time that chain took it; in `AnyOrder`, the first stretch that reached the level, the first times of its
    /// different steps ascending; in `FirstTimes`, the first time of each step.
    pub median_us: Vec<Option<i64>>,
}

/// How many come back.
#[derive(Clone, Debug, PartialEq)]
pub struct RetentionAnswer {
    /// Cohorts by start ascending, then breakdown value (absent first). Cohorts without visitors are not listed.
    pub cohorts: Vec<Cohort>,
}

/// One cohort.
#[derive(Clone, Debug, PartialEq)]
pub struct Cohort {
    /// Start of the cohort's calendar period, microseconds; `None` when cohorts are not split by period.
    pub start_us: Option<i64>,
    /// The breakdown value on the cohort event; `None` without a breakdown or when absent.
    pub value: Option<String>,
    /// Visitors in the cohort.
    pub size: u64,
    /// `active[n]`: visitors with a returning event in period n. The cohort event itself counts in period 0 when it passes
    /// the returning filters.
    pub active: Vec<u64>,
    /// `active_from[n]`: visitors with a returning event in period n or later (rolling retention). Periods past the last
    /// one asked for count too.
    pub active_from: Vec<u64>,
}

/// Sessions.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionsAnswer {
    /// The rows, ordered and cut to the limit.
    pub rows: Vec<SessionsRow>,
    /// How many rows there are without the limit.
    pub total_rows: usize,
    /// Over everything.
    pub totals: SessionCounts,
    /// Sessions by their number of events, ascending: `(events, sessions)`.
    pub sizes: Vec<(u64, u64)>,
}

/// One group of sessions.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionsRow {
    /// Index into the question's bucket labels.
    pub bucket: Option<u32>,
    /// The group columns' values on the session's first event.
    pub keys: Vec<Option<String>>,
    /// The numbers.
    pub counts: SessionCounts,
}

/// Numbers of a group of sessions.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct SessionCounts {
    /// Sessions.
    pub sessions: u64,
    /// Their events.
    pub events: u64,
    /// Sessions of one event.
    pub single_event: u64,
    /// Sum of last minus first event time, microseconds.
    pub duration_us: i128,
    /// For each `containing` list, sessions that hold such an event.
    pub containing: Vec<u64>,
}

/// Distinct values.
#[derive(Clone, Debug, PartialEq)]
pub struct ValuesAnswer {
    /// Most frequent first, then by value; cut to the limit.
    pub values: Vec<ValueCount>,
    /// How many distinct values there are.
    pub total: usize,
}

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueCount {
    /// The value.
    pub value: String,
    /// Events that carry it.
    pub events: u64,
    /// First time it was seen in the slice, microseconds.
    pub first_us: i64,
    /// Last time.
    pub last_us: i64,
}

/// Which touches conversions are credited to.
#[derive(Clone, Debug, PartialEq)]
pub struct AttributionAnswer {
    /// The rows, ordered and cut to the limit.
    pub rows: Vec<AttributionRow>,
    /// How many rows there are without the limit.
    pub total_rows: usize,
    /// Conversions, or parts of them, that no touch is credited with: one entry for each bucket and value of `conversion_by`
    /// that has some, ascending (absent first).
    pub unattributed: Vec<BucketCredit>,
    /// All conversions: what the rows without the limit and `unattributed` add up to, exactly, unless the model
    /// [may exceed it](crate::attribution::model::Model::may_exceed_total).
    pub totals: Credit,
}

/// One bucket and group of touches.
#[derive(Clone, Debug, PartialEq)]
pub struct AttributionRow {
    /// Index into the question's bucket labels; `None` without buckets.
    pub bucket: Option<u32>,
    /// The group columns' values on the touch, then that of `conversion_by` on the conversion.
    pub keys: Vec<Option<String>>,
    /// What it is credited with.
    pub credit: Credit,
    /// How much its units would vary; only with [`crate::question::Attribution::resampling`].
    pub interval: Option<Interval<i128>>,
}

/// One bucket, and one kind of conversion where they are told apart.
#[derive(Clone, Debug, PartialEq)]
pub struct BucketCredit {
    /// Index into the question's bucket labels; `None` without buckets.
    pub bucket: Option<u32>,
    /// The value of `conversion_by` on the conversion; empty without it.
    pub keys: Vec<Option<String>>,
    /// Its credit.
    pub credit: Credit,
}
