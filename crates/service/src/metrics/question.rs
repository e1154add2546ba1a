//! A metric question in the caller's words.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::filter::FilterInput;
use crate::dates::resolve::DateRange;

/// Most metrics of one question.
pub const MAX_METRICS: usize = 50;
/// Most dimensions of one question.
pub const MAX_DIMENSIONS: usize = 6;
/// Most sources a question may be restricted to.
pub const MAX_SOURCES: usize = 15;
/// Most rows of an answer.
pub const MAX_LIMIT: usize = 10_000;
/// Rows of an answer when nothing else is asked for.
pub const DEFAULT_LIMIT: usize = 1_000;

/// Which metrics, of which days, credited how, by what.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricsQuestion {
    /// A preset (`last_30_days`, `this_month`, `q1_2026`, ...), or `custom`, `equal_to`, `after`, `before`, which need dates.
    pub date_range: String,
    /// First day, `YYYY-MM-DD`; needed by `custom` and `equal_to`. With `after`, the day before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_start: Option<String>,
    /// Last day, `YYYY-MM-DD`; needed by `custom`. With `before`, the day after the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_end: Option<String>,
    /// How conversions are credited: `first_touch`, `last_touch`, `last_non_direct_touch`, `linear`, `linear_paid_ads`,
    /// `u_shaped`, `first_touch_source_specific`, `last_touch_source_specific`, `position_based`, `time_decay`, `markov`,
    /// `shapley`.
    pub attribution_model: String,
    /// Days before a conversion in which touches count: 1, 7, 14, 30, 60, 90, or 0 for the lifetime.
    pub attribution_window: u32,
    /// `relative` (the default): counted back from each conversion; `absolute`: the touch must also lie in the report's days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribution_window_type: Option<String>,
    /// Metrics by slug or label; the first one orders the rows.
    pub metrics: Vec<String>,
    /// Whom events belong to: `profile` (contacts, the default), `company`, or `visitor` (browsers, nobody joined).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_mode: Option<String>,
    /// Dimensions by slug or label; at most one of them a unit of time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub group_by: Vec<String>,
    /// Only credit and spend of these sources; all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// Conditions on dimensions, read on the touch, on the day of spend, or on the visit; all must hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<FilterInput>,
    /// Conditions on the contacts' custom fields; all must hold. Only contacts count then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub custom_field_filters: Vec<Value>,
    /// Only the members of this saved segment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment_id: Option<i64>,
    /// Which date decides where credit is reported: `conversion` (the default) or `touch`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dated_by: Option<String>,
    /// Column the rows are ordered by, descending with a `-` before it. Otherwise time ascending, then the first metric
    /// descending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
    /// Rows at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

impl MetricsQuestion {
    /// Its days in the caller's words.
    pub fn dates(&self) -> DateRange {
        DateRange { date_range: self.date_range.clone(), date_start: self.date_start.clone(), date_end: self.date_end.clone() }
    }
}
