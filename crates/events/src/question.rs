//! The questions. Each is complete by itself and bounded; zones and edges are in it, so no engine needs to know more.

use jiff::tz::TimeZone;
use std::time::Duration;

use tributary_core::error::{Code, Error, Result};
use tributary_core::money::Currency;
use tributary_core::time::TimeRange;

use crate::bucket::{Buckets, Interval};
use crate::field::Field;
use crate::filter::Filter;

/// The most fields one question may group by.
pub const MAX_GROUP_BY: usize = 8;
/// The most steps a funnel may have.
pub const MAX_STEPS: usize = 20;
/// The most filters in one list.
pub const MAX_FILTERS: usize = 50;
/// The most rows one question may return.
pub const MAX_ROWS: usize = 100_000;
/// The most groups any answer may hold before it is ordered and cut.
pub const MAX_GROUPS: usize = 500_000;
/// The most periods a retention question may look ahead.
pub const MAX_PERIODS: u32 = 400;

/// Which events a question looks at.
#[derive(Clone, Debug, PartialEq)]
pub struct Slice {
    /// Event time, half-open.
    pub range: TimeRange,
    /// All must hold.
    pub filters: Vec<Filter>,
    /// What happens to bots.
    pub bots: Bots,
    /// Only events up to this ingest sequence number; `None` for all. An answer names its own watermark.
    pub as_of: Option<u64>,
}

impl Slice {
    /// People's events in a range.
    pub fn of(range: TimeRange) -> Self {
        Self { range, filters: Vec::new(), bots: Bots::Exclude, as_of: None }
    }

    /// The same with one more filter.
    #[must_use]
    pub fn with(mut self, filter: Filter) -> Self {
        self.filters.push(filter);
        self
    }
}

/// What happens to events labelled as a bot's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Bots {
    /// Left out: the default everywhere.
    #[default]
    Exclude,
    /// Counted like people.
    Include,
    /// Nothing else is counted.
    Only,
}

/// Any question.
#[derive(Clone, Debug)]
pub enum Question {
    /// Numbers by group and bucket.
    Aggregate(Aggregate),
    /// The events themselves.
    Rows(Rows),
    /// How many come how far.
    Funnel(Funnel),
    /// How many come back.
    Retention(Retention),
    /// Sessions by gap or by recorded id.
    Sessions(Sessions),
    /// Distinct values of a field with their counts.
    Values(Values),
    /// Everything one visitor did.
    Journey(Journey),
}

/// Numbers by group and bucket.
#[derive(Clone, Debug)]
pub struct Aggregate {
    /// Which events.
    pub slice: Slice,
    /// What is counted; at least one. The first one orders the answer.
    pub metrics: Vec<Metric>,
    /// Group columns.
    pub group_by: Vec<Field>,
    /// Time buckets, `None` for one bucket. They must begin at or before the range.
    pub buckets: Option<Buckets>,
    /// Rows returned at most, after ordering: bucket ascending, first metric descending, keys ascending (absent first).
    pub limit: usize,
}

/// What is counted.
#[derive(Clone, Debug, PartialEq)]
pub enum Metric {
    /// Events.
    Events,
    /// Events that pass further filters.
    EventsWhere(Vec<Filter>),
    /// Distinct visitors (`anonymous_id`), exact.
    Visitors,
    /// Distinct sessions (visitor and session id), exact.
    Sessions,
    /// Sum of the typed amounts in this currency, micros. Other currencies do not count.
    Amount(Currency),
}

/// The events themselves, with the total number that match.
#[derive(Clone, Debug)]
pub struct Rows {
    /// Which events.
    pub slice: Slice,
    /// Direction of [`tributary_core::event::Event::order`].
    pub order: RowOrder,
    /// Rows returned at most.
    pub limit: usize,
}

/// Direction of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowOrder {
    /// Newest first.
    NewestFirst,
    /// Oldest first.
    OldestFirst,
}

/// What is counted as one in funnels and retention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A visitor.
    Visitor,
    /// A visitor's session.
    Session,
}

/// How many come how far through a row of steps.
#[derive(Clone, Debug)]
pub struct Funnel {
    /// Which events; the range bounds every step.
    pub slice: Slice,
    /// 1 to [`MAX_STEPS`] steps, each the events that pass all its filters. An event may serve several steps.
    pub steps: Vec<Vec<Filter>>,
    /// Longest time from the first step to the last, inclusive; `None` for the whole range.
    pub window_us: Option<i64>,
    /// What "in order" means.
    pub mode: FunnelMode,
    /// What is counted.
    pub unit: Unit,
    /// Break down by this field's value on the unit's first event in the slice (first touch, [`Event::order`]). Values none
    /// of whose units reaches the first level are not listed.
    ///
    /// [`Event::order`]: tributary_core::event::Event::order
    pub breakdown: Option<Field>,
}

/// What "in order" means. The first four are ClickHouse's `windowFunnel` with its modes of the same names. A unit's events
/// are taken by time and, at equal times, by step number, an event that is no step before those that are; an event that
/// passes several steps is taken once for each. Step 1 always starts anew; step k is taken when step k - 1 was and the
/// window counted from that chain's start still holds it, and it overwrites an earlier step k with its chain. So each
/// step remembers its latest chain only. The level of a unit is the highest step taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunnelMode {
    /// Steps in order, equal times allowed, anything in between.
    Ordered,
    /// As `Ordered`, but step k must be later than the remembered step k - 1.
    StrictIncrease,
    /// As `Ordered`, but once a step 1 was seen, the first event of the slice that is no step, or a step whose predecessor
    /// was not taken yet, ends everything. Repeats of steps already taken, and steps outside the window, do not.
    StrictOrder,
    /// As `Ordered`, but the first repeat of a step already taken, step 1 excepted, ends everything.
    StrictDeduplication,
    /// All steps inside the window, in any order. A unit reaches level k when k different steps have an event inside one
    /// stretch of the window's length (both ends included); one event may serve several.
    AnyOrder,
    /// Millimetric's recipe: the first time of each step's event; step n counts when step n-1 does and its first time is
    /// not before the first time of step n-1 (the window, if any, counts from step 1's first time).
    FirstTimes,
}

/// How many come back.
#[derive(Clone, Debug)]
pub struct Retention {
    /// Which events.
    pub slice: Slice,
    /// The visitor's first event passing these puts it into its cohort.
    pub start: Vec<Filter>,
    /// An event passing these, at or after the time of the cohort event, counts as coming back.
    pub returning: Vec<Filter>,
    /// How time since the first event is counted.
    pub period: RetentionPeriod,
    /// Zone of calendar periods and days.
    pub zone: TimeZone,
    /// Cohorts by the calendar period of the first event; without it all visitors are one cohort. Only with calendar periods.
    pub by_period: bool,
    /// Break cohorts down by this field's value on the cohort event.
    pub breakdown: Option<Field>,
    /// Periods looked ahead, period 0 included: 1 to [`MAX_PERIODS`].
    pub periods: u32,
}

/// How time since the first event is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetentionPeriod {
    /// Calendar days, weeks (Monday) or months in the zone: period n is the nth after the first event's own.
    Calendar(Interval),
    /// Blocks of this many calendar days in the zone, beginning with the first event's own: period n is
    /// `floor(days between the local dates / block)`.
    Days(u32),
    /// Blocks of elapsed microseconds from the first event: period n is `floor(elapsed / block)`.
    Elapsed(i64),
}

/// Sessions.
#[derive(Clone, Debug)]
pub struct Sessions {
    /// Which events; sessions are cut from these alone.
    pub slice: Slice,
    /// What ends a session.
    pub rule: SessionRule,
    /// Buckets of the session's start. They must begin at or before the range.
    pub buckets: Option<Buckets>,
    /// Group columns, read on the session's first event.
    pub group_by: Vec<Field>,
    /// For each list of filters, count the sessions that hold an event passing all of it.
    pub containing: Vec<Vec<Filter>>,
    /// Rows returned at most: bucket ascending, sessions descending, keys ascending.
    pub limit: usize,
}

/// What ends a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionRule {
    /// The recorded session id: the caller's, or the documented half-hour clock bucket.
    Recorded,
    /// A gap between a visitor's events longer than this many microseconds.
    GapOver(i64),
    /// A gap of at least this many microseconds.
    GapFrom(i64),
}

/// Distinct values of a field with their counts, most frequent first, then by name. Absent values are not listed.
#[derive(Clone, Debug)]
pub struct Values {
    /// Which events.
    pub slice: Slice,
    /// The field.
    pub field: Field,
    /// Values returned at most.
    pub limit: usize,
}

/// Everything one visitor did, oldest first.
#[derive(Clone, Debug)]
pub struct Journey {
    /// Which events.
    pub slice: Slice,
    /// The visitor.
    pub anonymous_id: String,
    /// Events returned at most.
    pub limit: usize,
}

/// How much work one question may cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Groups held at once before ordering and cutting: rows of aggregates and sessions, breakdown values, cohorts, distinct
    /// values. One more is `QuestionTooLarge`.
    pub max_groups: usize,
    /// Wall time.
    pub max_time: Duration,
}

impl Budget {
    /// For people and agents who wait.
    pub const INTERACTIVE: Budget = Budget { max_groups: 100_000, max_time: Duration::from_secs(30) };
    /// For exports and other background work.
    pub const BACKGROUND: Budget = Budget { max_groups: MAX_GROUPS, max_time: Duration::from_secs(3_600) };
}

impl Question {
    /// The slice it looks at.
    pub fn slice(&self) -> &Slice {
        match self {
            Question::Aggregate(question) => &question.slice,
            Question::Rows(question) => &question.slice,
            Question::Funnel(question) => &question.slice,
            Question::Retention(question) => &question.slice,
            Question::Sessions(question) => &question.slice,
            Question::Values(question) => &question.slice,
            Question::Journey(question) => &question.slice,
        }
    }

    /// The slice it looks at, to change it.
    pub fn slice_mut(&mut self) -> &mut Slice {
        match self {
            Question::Aggregate(question) => &mut question.slice,
            Question::Rows(question) => &mut question.slice,
            Question::Funnel(question) => &mut question.slice,
            Question::Retention(question) => &mut question.slice,
            Question::Sessions(question) => &mut question.slice,
            Question::Values(question) => &mut question.slice,
            Question::Journey(question) => &mut question.slice,
        }
    }

    /// Refuses questions outside the named bounds. Every engine calls this first.
    pub fn check(&self) -> Result<()> {
        let refuse = |message: String| Err(Error::new(Code::InvalidParams, message));
        let slice = self.slice();
        if slice.range.end_us <= slice.range.start_us {
            return refuse(String::from("the range must end after it starts"));
        }
        if slice.filters.len() > MAX_FILTERS {
            return refuse(format!("at most {MAX_FILTERS} filters"));
        }
        let limit = |limit: usize| {
            if (1..=MAX_ROWS).contains(&limit) { Ok(()) } else { refuse(format!("limit must be between 1 and {MAX_ROWS}")) }
        };
        let buckets = |buckets: &Option<Buckets>| match buckets {
            Some(buckets) if buckets.edges.first().is_none_or(|first| *first > slice.range.start_us) => {
                refuse(String::from("the buckets must begin at or before the range"))
            }
            Some(_) | None => Ok(()),
        };
        let groups = |fields: &[Field]| {
            if fields.len() <= MAX_GROUP_BY { Ok(()) } else { refuse(format!("at most {MAX_GROUP_BY} group columns")) }
        };
        match self {
            Question::Aggregate(question) => {
                if question.metrics.is_empty() {
                    return refuse(String::from("at least one metric is needed"));
                }
                buckets(&question.buckets)?;
                groups(&question.group_by)?;
                limit(question.limit)
            }
            Question::Rows(question) => limit(question.limit),
            Question::Funnel(question) => {
                if question.steps.is_empty() || question.steps.len() > MAX_STEPS {
                    return refuse(format!("a funnel has 1 to {MAX_STEPS} steps"));
                }
                if question.window_us.is_some_and(|window| window < 0) {
                    return refuse(String::from("the window must not be negative"));
                }
                Ok(())
            }
            Question::Retention(question) => {
                if !(1..=MAX_PERIODS).contains(&question.periods) {
                    return refuse(format!("periods must be between 1 and {MAX_PERIODS}"));
                }
                match question.period {
                    RetentionPeriod::Elapsed(..=0) | RetentionPeriod::Days(0) => {
                        refuse(String::from("the block must be positive"))
                    }
                    RetentionPeriod::Elapsed(_) | RetentionPeriod::Days(_) if question.by_period => {
                        refuse(String::from("cohorts by period need calendar periods: day, week or month"))
                    }
                    RetentionPeriod::Calendar(Interval::Hour | Interval::WallHour) => {
                        refuse(String::from("retention counts days, weeks or months"))
                    }
                    RetentionPeriod::Elapsed(_)
                    | RetentionPeriod::Days(_)
                    | RetentionPeriod::Calendar(Interval::Day | Interval::Week | Interval::Month) => Ok(()),
                }
            }
            Question::Sessions(question) => {
                buckets(&question.buckets)?;
                groups(&question.group_by)?;
                match question.rule {
                    SessionRule::GapOver(gap) | SessionRule::GapFrom(gap) if gap <= 0 => {
                        refuse(String::from("the session gap must be positive"))
                    }
                    SessionRule::Recorded | SessionRule::GapOver(_) | SessionRule::GapFrom(_) => limit(question.limit),
                }
            }
            Question::Values(question) => limit(question.limit),
            Question::Journey(question) => limit(question.limit),
        }
    }
}
