//! Questions for people: the same ones agents ask, as one route.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Operator;
use super::body::{Body, Refused};

/// A question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueryBody {
    /// Workspace by slug, UUID or numeric id.
    pub workspace: String,
    /// Which stretch of time.
    #[serde(default)]
    pub range: RangeBody,
    /// Conditions such as `source=google`; all must hold.
    #[serde(default)]
    pub filters: Vec<String>,
    /// What happens to bots.
    #[serde(default)]
    pub bots: BotsBody,
    /// Who counts as one wherever visitors are counted.
    #[serde(default)]
    pub people: PeopleBody,
    /// Only events up to this ingest sequence number: an earlier answer's `watermark`. Absent for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<u64>,
    /// What is asked.
    pub question: QuestionBody,
}

/// A stretch of time, read in the workspace's zone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RangeBody {
    /// First instant inside, ISO 8601; a date means local midnight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// First instant past the end, ISO 8601; absent means the end of today.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Instead of both: `24h` (elapsed hours), or `30d`, `8w`, `6m` (whole local days, weeks of seven days, calendar
    /// months back; today included). Without anything, `30d`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
}

/// Who counts as one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PeopleBody {
    /// Each visitor.
    #[default]
    Visitors,
    /// Each contact with all its visitors; a visitor of no contact for itself.
    Contacts,
    /// Each company with all its contacts; whoever belongs to none as with contacts.
    Companies,
}

/// What happens to events taken for a bot's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BotsBody {
    /// Left out.
    #[default]
    Exclude,
    /// Counted like people.
    Include,
    /// Nothing else is counted.
    Only,
}

/// A question for attribution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttributionBody {
    /// The event that is a conversion, optionally with conditions, as a funnel's step.
    pub conversion: String,
    /// Conditions of a visit that may be a touch, such as `medium!=direct`.
    pub touch: Vec<String>,
    /// The model's slug, with its parameters after a colon: `last_touch`, `time_decay:3d`, `position_based:30-30`,
    /// `markov:2`, `markov:1-per_path`.
    pub model: String,
    /// `arrivals` (absent: the first visit of each session, and changes of channel), `sessions`, `every` event.
    #[serde(default)]
    pub touches: Option<String>,
    /// UTC calendar days from touch to conversion: 1, 7, 14, 30 (absent), 60, 90, or 0 for the lifetime.
    #[serde(default)]
    pub window: Option<u32>,
    /// Longest time from touch to conversion, instead of a window: `12h`, `30d`.
    #[serde(default)]
    pub lookback: Option<String>,
    /// `relative` (absent) or `absolute`: whether touches must lie in the range, too.
    #[serde(default)]
    pub window_type: Option<String>,
    /// `conversion` (absent) or `touch`: which of them must lie in the range, and dates the buckets.
    #[serde(default)]
    pub dated_by: Option<String>,
    /// Buckets: `hour`, `wall_hour`, `day`, `week`, `month`, `quarter`, `year`.
    #[serde(default)]
    pub interval: Option<String>,
    /// Group columns, read on the touch.
    pub group_by: Vec<String>,
    /// Currencies whose amounts are summed.
    pub currencies: Vec<String>,
    /// Rounds of a bootstrap, for intervals that hold 95 % of them.
    #[serde(default)]
    pub bootstrap: Option<u32>,
    /// Seed of the bootstrap: the same seed gives the same intervals.
    #[serde(default)]
    pub seed: u64,
    /// Rows returned at most.
    pub limit: usize,
}

/// What is asked. Times are durations such as `30m`, `7d`; fields are dimensions such as `source` or `properties.plan`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum QuestionBody {
    /// Numbers by group and bucket.
    Stats {
        /// `events`, `visitors`, `sessions`, `amount:EUR`; the first one orders the rows.
        metrics: Vec<String>,
        /// Group columns.
        group_by: Vec<String>,
        /// `hour`, `wall_hour`, `day`, `week`, `month`, `quarter`, `year`.
        interval: Option<String>,
        /// Rows returned at most.
        limit: usize,
    },
    /// Where visitors come from.
    Sources {
        /// Whether source and medium are told apart, or sources only.
        by_medium: bool,
        /// Rows returned at most.
        limit: usize,
    },
    /// The events themselves, newest first.
    Events {
        /// Rows returned at most.
        limit: usize,
    },
    /// How many come how far.
    Funnel {
        /// Two or more; each an event name, optionally with conditions: `purchase,properties.plan=pro`.
        steps: Vec<String>,
        /// Longest time from the first step to the last.
        window: Option<String>,
        /// `first_times`, `ordered`, `strict_increase`, `strict_order`, `strict_deduplication`, `any_order`.
        mode: String,
        /// `visitor` or `session`.
        unit: String,
        /// Break down by this field, read on the unit's first event unless `breakdown_step` says otherwise.
        breakdown: Option<String>,
        /// Read the breakdown's field on the event that took this step, from 1.
        #[serde(default)]
        breakdown_step: Option<usize>,
        /// What must not happen in between: an event as in `steps`, then `:after-before` (numbers of steps) unless it is
        /// ruled out from the first step to the last: `refund:1-2`.
        #[serde(default)]
        exclude: Vec<String>,
        /// Whether the median time from the step before is wanted.
        #[serde(default)]
        times: bool,
    },
    /// Which touches conversions are credited to.
    Attribution(AttributionBody),
    /// How many come back.
    Retention {
        /// Event that starts a cohort; absent for any event.
        start: Option<String>,
        /// Event that counts as coming back; absent for any event.
        returning: Option<String>,
        /// `day`, `week`, `month`, `quarter`, `year` (calendar), or a duration such as `7d` (elapsed from the first event).
        period: String,
        /// Periods looked ahead, period 0 included.
        periods: u32,
        /// Whether cohorts are split by the calendar period of the first event.
        cohorts: bool,
        /// Break cohorts down by this field on the cohort event.
        breakdown: Option<String>,
    },
    /// Sessions.
    Sessions {
        /// A gap such as `30m` that ends a session; absent for the recorded session ids.
        gap: Option<String>,
        /// Event to count sessions with.
        containing: Vec<String>,
        /// Group columns, read on the session's first event.
        group_by: Vec<String>,
        /// Buckets of the session's start.
        interval: Option<String>,
        /// Rows returned at most.
        limit: usize,
    },
    /// Distinct values of a field with their counts.
    Names {
        /// The field; `event_name` for event names.
        field: String,
        /// Rows returned at most.
        limit: usize,
    },
    /// Everything one visitor did, oldest first.
    Journey {
        /// The visitor's `anonymous_id`.
        visitor: String,
        /// Rows returned at most.
        limit: usize,
    },
}

/// An answer: rows of one shape, and what they hold for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QueryAnswer {
    /// Workspace slug.
    pub workspace: String,
    /// First instant inside the range, RFC 3339 with the zone's offset.
    pub from: String,
    /// First instant past the end.
    pub to: String,
    /// IANA zone of buckets and printed instants.
    pub timezone: String,
    /// What happened to bots.
    pub bots: BotsBody,
    /// Ingest sequence number the answer holds for.
    pub watermark: u64,
    /// The rows; every row has the same keys in the same order, absent values are null.
    pub rows: Vec<Map<String, Value>>,
    /// Rows there are without the limit; at least as many where `total_rows_is_exact` is false.
    pub total_rows: u64,
    /// Absent for an exact `total_rows`; false when counting stopped there.
    #[serde(default = "is_exact", skip_serializing_if = "Clone::clone")]
    pub total_rows_is_exact: bool,
    /// Whether the limit cut rows off.
    pub truncated: bool,
    /// Numbers over everything, where the question has some.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub totals: Map<String, Value>,
}

fn is_exact() -> bool {
    true
}

pub(super) async fn query(
    State(operator): State<Operator>,
    Body(question): Body<QueryBody>,
) -> Result<Json<QueryAnswer>, Refused> {
    let access = operator.workspace(&question.workspace).await?;
    Ok(Json(operator.store.query(&access, question).await?))
}
