//! The questions. Each is complete by itself and bounded; zones and edges are in it, so no engine needs to know more.

mod check;
mod fields;
mod slice;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;

use tributary_core::error::{Code, Error};
use tributary_core::money::Currency;
use tributary_core::time::TimeRange;

use crate::attribution::bootstrap::Resampling;
use crate::attribution::model::Model;
use crate::attribution::window::{Window, WindowType};
use crate::bucket::{Buckets, Interval};
use crate::field::Field;
use crate::filter::Filter;

pub use self::slice::{Bots, Slice};

/// The most fields one question may group by.
pub const MAX_GROUP_BY: usize = 8;
/// The most steps a funnel may have.
pub const MAX_STEPS: usize = 20;
/// The most exclusions a funnel may have.
pub const MAX_EXCLUSIONS: usize = 10;
/// The most currencies one attribution question may sum.
pub const MAX_CURRENCIES: usize = 50;
/// The most filters in one list.
pub const MAX_FILTERS: usize = 50;
/// The most traits one question may bring.
pub const MAX_TRAITS: usize = 16;
/// The most rows one question may return.
pub const MAX_ROWS: usize = 100_000;
/// The most groups any answer may hold before it is ordered and cut.
pub const MAX_GROUPS: usize = 500_000;
/// The most periods a retention question may look ahead.
pub const MAX_PERIODS: u32 = 400;

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
    /// Which touch each conversion is credited to.
    Attribution(Attribution),
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
    /// Distinct visitors (`anonymous_id`), exact; people with [`Slice::people`].
    Visitors,
    /// Distinct recorded sessions (visitor and session id), exact.
    Sessions,
    /// Sum of the typed amounts in this currency, micros. Other currencies do not count.
    Amount(Currency),
}

/// The events themselves, with the number that match.
#[derive(Clone, Debug)]
pub struct Rows {
    /// Which events.
    pub slice: Slice,
    /// Direction of [`tributary_core::event::Event::order`]; events equal in it stand by sequence number.
    pub order: RowOrder,
    /// Rows returned at most.
    pub limit: usize,
    /// How far matching rows are counted, at least `limit`: the answer's total is the smaller of the two. A total above a page is seldom worth reading everything for: an
    /// engine stops at the newest segments once it has counted this many. `u64::MAX` counts all.
    pub count_up_to: u64,
    /// Only the rows that come after this one in the question's order: the next page. They are counted alone. A row that the
    /// slice does not hold, or no longer, because it was erased or expired, leaves its whole instant out.
    pub after: Option<RowPosition>,
    /// Only the row with this ingest sequence number, if the slice holds it. A range as short as
    /// [`RowId::day_range`](crate::row_id::RowId::day_range) makes it fast. Not together with `after`.
    pub only: Option<u64>,
}

/// Where a row stands among all others, whichever way they are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowPosition {
    /// The event's time.
    pub time_us: i64,
    /// Its ingest sequence number, see [`crate::answer::RowsAnswer::sequences`].
    pub sequence: u64,
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
    /// A visitor; a person with [`Slice::people`].
    Visitor,
    /// A visitor's recorded session, whoever the visitor is.
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
    /// What must not happen in between. Only with [`FunnelMode::Ordered`] and [`FunnelMode::StrictIncrease`].
    pub exclusions: Vec<Exclusion>,
    /// Break down by a field's value on one event of the unit. Values none of whose units reaches the first level are not
    /// listed.
    pub breakdown: Option<FunnelBreakdown>,
    /// Whether the median times between steps are wanted, see [`crate::answer::FunnelCounts::median_us`].
    pub with_times: bool,
}

/// What must not happen between two steps. An event that passes is taken before all steps of the same instant (so before its
/// own, if it is a step as well); it forgets the remembered chain of every step from `after` on and before `before` (so with
/// 1 and 2, a chain that has taken step 1 but not step 2). Chains that have gone further stay. The unit keeps the level it
/// had reached, and the path that reached it, and may begin anew.
#[derive(Clone, Debug)]
pub struct Exclusion {
    /// All must hold.
    pub filters: Vec<Filter>,
    /// Number of the first step, from 1, after which the event is not allowed.
    pub after: usize,
    /// Number of the step, greater than `after`, from which on it is allowed again.
    pub before: usize,
}

/// Which event of a unit a funnel's breakdown reads.
#[derive(Clone, Debug)]
pub struct FunnelBreakdown {
    /// The field.
    pub field: Field,
    /// The event it is read on.
    pub on: BreakdownEvent,
}

/// An event of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakdownEvent {
    /// The unit's first event in the slice (first touch, [`tributary_core::event::Event::order`]).
    First,
    /// The event that took this one of the question's steps (from 1, also in `AnyOrder`) on the unit's path, see
    /// [`crate::answer::FunnelCounts::median_us`]. Of several events of that instant that pass the step, the first in
    /// [`tributary_core::event::Event::order`]. A unit whose path does not hold the step counts under "absent".
    Step(usize),
}

/// What "in order" means. The first four are ClickHouse's `windowFunnel` with its modes of the same names. A unit's events
/// are taken by time and, at equal times, by step number, an event that is no step before those that are; an event that
/// passes several steps is taken once for each. Step 1 always starts anew; step k is taken when step k - 1 was and the
/// window counted from that chain's start still holds it, and it overwrites an earlier step k with its chain. So each
/// step remembers its latest chain only. The level of a unit is the highest step ever taken; once that is the last step, what
/// follows is not looked at.
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
    /// The first event of a visitor (a person with [`Slice::people`]) passing these puts it into its cohort.
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
    /// Calendar days, weeks (Monday), months, quarters or years in the zone: period n is the nth after the first event's own.
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
    /// A gap between events of a visitor (a person with [`Slice::people`]) longer than this many microseconds.
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

/// Everything one visitor did, oldest first; with [`Slice::people`], everything the visitor's person did, also where none of
/// it is the visitor's own.
#[derive(Clone, Debug)]
pub struct Journey {
    /// Which events.
    pub slice: Slice,
    /// The visitor.
    pub anonymous_id: String,
    /// Events returned at most.
    pub limit: usize,
}

/// Which touches conversions are credited to. Every conversion's credit goes to touches of the same visitor (person with
/// [`Slice::people`]) or to none; how it is shared is the model's to say, see [`crate::attribution`].
#[derive(Clone, Debug)]
pub struct Attribution {
    /// Which events. Conversions and touches both lie in it: a touch before its range is not seen, whatever the window, so the
    /// range begins as long before the report as the window reaches.
    pub slice: Slice,
    /// The range reported, inside the slice's.
    pub report: TimeRange,
    /// What must lie in the report.
    pub dated_by: DatedBy,
    /// An event that passes all of these is a conversion.
    pub conversion: Vec<Filter>,
    /// An event that passes all of these is a visit: a touch, or a candidate for one. A conversion may be its own touch.
    pub touch: Vec<Filter>,
    /// Which visits are touches.
    pub touches: TouchRule,
    /// How credit is shared among the touches at or before the time of a conversion. A touch of the conversion's own instant
    /// counts, on whichever side of it [`tributary_core::event::Event::order`] puts it.
    pub model: Model,
    /// How long before a conversion a touch counts.
    pub window: TouchWindow,
    /// Whether touches must lie in the report, too.
    pub window_type: WindowType,
    /// Time buckets of the conversion or of the touch, see `dated_by`; `None` for one bucket. They must begin at or before the
    /// report. Not with models that need all paths.
    pub buckets: Option<Buckets>,
    /// Group columns, read on the touch: a combination of their values is a channel to the model.
    pub group_by: Vec<Field>,
    /// A field read on the conversion, whose value tells rows and `unattributed` apart as one more key, the last: several kinds of
    /// conversions in one pass. Totals stay those of all. Not with models that need all paths, nor with `resampling`.
    pub conversion_by: Option<Field>,
    /// Asks how much each row's conversions would vary from sample to sample. Models that need all paths resample all journeys,
    /// the others those of the report's conversions. Not with buckets nor by touch date.
    pub resampling: Option<Resampling>,
    /// Sums of the conversions' typed amounts, one for each of these currencies.
    pub amounts: Vec<Currency>,
    /// Rows returned at most: bucket ascending, conversions descending, keys ascending (absent first).
    pub limit: usize,
}

/// Which date of a credit decides where it is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum DatedBy {
    /// The conversion's: conversions inside the report count, wherever in the window their touches lie.
    #[default]
    Conversion,
    /// The touch's: touches inside the report count, with their parts of conversions anywhere in the slice. Totals are then
    /// the sum of what is credited, and nothing is unattributed. Not with models that need all paths.
    Touch,
}

/// Which visits are touches. Visits are taken in [`tributary_core::event::Event::order`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TouchRule {
    /// Every visit.
    Every,
    /// The first visit of each session: the first of all, and one more than this many microseconds after the visit before.
    Sessions(i64),
    /// The same, and inside a session a visit by another channel ([`crate::channel`]) than the touch before, direct ones
    /// excepted: an inner page is no new arrival.
    Arrivals(i64),
}

/// How long before a conversion a touch counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TouchWindow {
    /// In UTC calendar days.
    Dates(Window),
    /// This many microseconds, inclusive.
    Elapsed(i64),
}

impl TouchWindow {
    /// The first instant inside for a conversion.
    pub fn opens_us(self, conversion_time_us: i64) -> i64 {
        match self {
            TouchWindow::Dates(window) => window.opens_us(conversion_time_us),
            TouchWindow::Elapsed(length_us) => conversion_time_us.saturating_sub(length_us),
        }
    }
}

/// How much work one question may cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Groups held at once before ordering and cutting: rows of aggregates, sessions and attribution, breakdown values,
    /// cohorts, distinct values. One more is `QuestionTooLarge`.
    pub max_groups: usize,
    /// Wall time. A question that needs more is `QuestionTooLarge`.
    pub max_time: Duration,
    /// Memory the question's own state may take: groups, visitors' steps, collected rows; columns that are kept decoded for
    /// every question do not count. One byte more is `QuestionTooLarge`.
    pub max_bytes: usize,
}

impl Budget {
    /// For people and agents who wait.
    pub const INTERACTIVE: Budget = Budget { max_groups: 100_000, max_time: Duration::from_secs(30), max_bytes: 256 << 20 };
    /// For exports and other background work.
    pub const BACKGROUND: Budget = Budget { max_groups: MAX_GROUPS, max_time: Duration::from_secs(3_600), max_bytes: 2 << 30 };

    /// The refusal of a question with more groups than `max_groups`. Every engine refuses in these words.
    pub fn groups_exceeded(&self) -> Error {
        let limit = self.max_groups;
        let message =
            format!("the answer has more than {limit} groups; group by fewer or coarser fields, filter, or narrow the range");
        Error::new(Code::QuestionTooLarge, message).with_details(json!({ "bound": "groups", "limit": limit }))
    }

    /// The refusal of a question that took longer than `max_time`.
    pub fn time_exceeded(&self) -> Error {
        let seconds = self.max_time.as_secs_f64();
        let message = format!("the question took longer than {seconds} s; filter, or ask for a shorter range");
        Error::new(Code::QuestionTooLarge, message).with_details(json!({ "bound": "time", "limit_s": seconds }))
    }

    /// The refusal of a question whose own state would take more than `max_bytes`.
    pub fn bytes_exceeded(&self) -> Error {
        let limit = self.max_bytes;
        let message = format!(
            "the question needs more than {} MiB of memory; group by fewer or coarser fields, filter, or ask for a shorter range",
            limit >> 20
        );
        Error::new(Code::QuestionTooLarge, message).with_details(json!({ "bound": "memory", "limit_bytes": limit }))
    }
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
            Question::Attribution(question) => &question.slice,
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
            Question::Attribution(question) => &mut question.slice,
        }
    }
}
