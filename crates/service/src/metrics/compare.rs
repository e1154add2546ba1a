//! The same metrics of two periods, with what changed.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use tributary_boxed::boxed;
use tributary_control::WorkspaceAccess;
use tributary_core::error::{Code, Result};

use super::answer::{AttributionShown, LeftApart, MetricsAnswer, MetricsRow, PeriodShown, Table};
use super::dimension::Attribute;
use super::facts::Key;
use super::plan::Plan;
use super::question::MetricsQuestion;
use super::time::shown_time;
use super::value::{Value, shown};
use crate::dates::compare::{previous_period, previous_year};
use crate::dates::resolve::Days;
use crate::dates::{Period, days_between, moved, read_date};
use crate::problem::Problems;
use crate::service::Service;

/// Decimals of a change in percent.
const PERCENT_DECIMALS: u32 = 2;

/// What a period is compared with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct CompareTo {
    /// `previous_period` (the default), `previous_year` (365 days earlier) or `custom`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare_to: Option<String>,
    /// First day compared with, `YYYY-MM-DD`; needed by `custom`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_date_start: Option<String>,
    /// Last day compared with; needed by `custom`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_date_end: Option<String>,
}

/// Both periods and what changed.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Comparison {
    /// Rows of the period asked about.
    pub current: Vec<MetricsRow>,
    /// Rows of the period before.
    pub previous: Vec<MetricsRow>,
    /// One entry for each group and metric, in the order of `current`, groups of `previous` alone last.
    pub delta: Vec<Delta>,
    /// What changed over all rows.
    pub totals: Vec<Delta>,
    /// The days asked about.
    pub current_period: PeriodShown,
    /// The days before.
    pub previous_period: PeriodShown,
    /// How conversions were credited.
    pub attribution: AttributionShown,
    /// ISO 4217 currency of every amount.
    pub currency: String,
    /// Amounts of the days asked about in currencies that no rate of the workspace reaches.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_apart: Vec<LeftApart>,
    /// Those of the days before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub previous_left_apart: Vec<LeftApart>,
    /// Whether groups were cut off by the limit.
    pub truncated: bool,
    /// Why metrics are null, by metric.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub null_reasons: BTreeMap<String, Vec<String>>,
    /// What else a reader should know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Ingest sequence number of the events it was told from.
    pub watermark: u64,
}

/// How one metric of one group changed.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Delta {
    /// `dimension=value`, several joined by `&`; the source is spelled `sources`. Empty without dimensions.
    pub key: String,
    /// The metric.
    pub metric: String,
    /// Its number now.
    #[schemars(with = "Option<f64>")]
    pub current: Json,
    /// Its number before.
    #[schemars(with = "Option<f64>")]
    pub previous: Json,
    /// Now minus before; null when either is.
    #[schemars(with = "Option<f64>")]
    pub delta: Json,
    /// The change in percent, to two decimals; null when before is 0.
    #[schemars(with = "Option<f64>")]
    pub pct_change: Json,
}

impl Service {
    /// Answers metrics of a period and of the one it is compared with.
    ///
    /// Errors: as [`Service::query_metrics`].
    #[boxed]
    pub async fn compare_metrics(
        &self,
        access: &WorkspaceAccess,
        question: &MetricsQuestion,
        compare_to: &CompareTo,
    ) -> Result<Comparison> {
        let mut problems = Problems::new();
        let days = self.days_of(access, &question.dates(), &mut problems).await;
        let previous = days.and_then(|days| previous_days(days, compare_to, &mut problems));
        let (Some(days), Some(previous), true) = (days, previous, problems.is_empty()) else {
            // The question's own problems are told with these.
            return match self.plan(access, question).await {
                Ok(_) => Err(problems.into_error(Code::InvalidParams)),
                Err(error) => Err(error),
            };
        };
        let before = MetricsQuestion {
            date_range: String::from("custom"),
            date_start: Some(previous.start.to_string()),
            date_end: Some(previous.end.to_string()),
            ..question.clone()
        };
        let (now_plan, before_plan) = (self.plan(access, question).await?, self.plan(access, &before).await?);
        let (now_facts, now_mark) = self.gather(&now_plan).await?;
        let (before_facts, before_mark) = self.gather(&before_plan).await?;
        let (now, before) = (Table::of(&now_plan, &now_facts)?, Table::of(&before_plan, &before_facts)?);
        let delta = deltas(&now_plan, &now, &before, days.period, previous);
        let totals = now_plan
            .metrics
            .iter()
            .zip(now.totals.iter().zip(&before.totals))
            .map(|(metric, (now, before))| Delta::of(String::new(), &metric.slug, now, before))
            .collect();
        let current: MetricsAnswer = now.shown(&now_plan, &now_facts, now_mark);
        let previous = before.shown(&before_plan, &before_facts, before_mark);
        let mut null_reasons = current.null_reasons;
        for (metric, reasons) in previous.null_reasons {
            let held = null_reasons.entry(metric).or_default();
            held.extend(reasons);
            held.sort();
            held.dedup();
        }
        let mut notes = current.notes;
        notes.extend(previous.notes);
        notes.sort();
        notes.dedup();
        Ok(Comparison {
            current: current.rows,
            previous: previous.rows,
            delta,
            totals,
            current_period: current.period,
            previous_period: previous.period,
            attribution: current.attribution,
            currency: current.currency,
            left_apart: current.left_apart,
            previous_left_apart: previous.left_apart,
            truncated: current.truncated || previous.truncated,
            null_reasons,
            notes,
            watermark: current.watermark.max(previous.watermark),
        })
    }
}

fn previous_days(days: Days, compare_to: &CompareTo, problems: &mut Problems) -> Option<Period> {
    let is_custom = compare_to.compare_to.as_deref() == Some("custom");
    let mut date = |name: &str, given: &Option<String>| match given {
        Some(text) if is_custom => problems.take(name, read_date(text)),
        Some(_) => {
            problems.add(name, "is only taken with compare_to custom");
            None
        }
        None if is_custom => {
            problems.add(name, "is required with compare_to custom");
            None
        }
        None => None,
    };
    let start = date("previous_date_start", &compare_to.previous_date_start);
    let end = date("previous_date_end", &compare_to.previous_date_end);
    let period = match compare_to.compare_to.as_deref() {
        None | Some("previous_period") => previous_period(days.preset, days.period),
        Some("previous_year") => previous_year(days.period),
        Some("custom") => {
            let period = Period::new(start?, end?);
            return problems.take("previous_date_end", period);
        }
        Some(other) => {
            let shown: String = other.chars().take(40).collect();
            problems.add("compare_to", format!("`{shown}` is no comparison; accepted: previous_period, previous_year, custom"));
            return None;
        }
    };
    problems.take("compare_to", period)
}

/// Groups meet by their values; days and other units of time by their distance from the first day of their period.
fn deltas(plan: &Plan<'_>, now: &Table, before: &Table, current: Period, previous: Period) -> Vec<Delta> {
    let time = plan.dimensions.iter().position(|asked| matches!(asked.attribute, Attribute::Time(_)));
    let shift = days_between(previous.start, current.start);
    // Only days can be laid over days: other units begin where the calendar says.
    let is_by_day = plan.time().is_some_and(|unit| unit == super::dimension::Unit::Day);
    let aligned = |keys: &Key| -> Key {
        let mut keys = keys.clone();
        if let (Some(place), true) = (time, is_by_day) {
            let moved = keys[place].as_deref().and_then(|day| moved(read_date(day).ok()?, shift).ok());
            keys[place] = moved.map(|day| day.to_string());
        }
        keys
    };
    let by_key: BTreeMap<Key, &[Value]> = before.rows.iter().map(|row| (aligned(&row.keys), row.values.as_slice())).collect();
    let mut deltas = Vec::new();
    let mut add = |keys: &Key, now: &[Value], before: &[Value]| {
        let key = key_text(plan, keys);
        for (metric, (now, before)) in plan.metrics.iter().zip(now.iter().zip(before)) {
            deltas.push(Delta::of(key.clone(), &metric.slug, now, before));
        }
    };
    for row in now.rows.iter().take(plan.limit) {
        add(&row.keys, &row.values, by_key.get(&row.keys).copied().unwrap_or(&before.nothing));
    }
    let known: std::collections::BTreeSet<&Key> = now.rows.iter().map(|row| &row.keys).collect();
    for row in before.rows.iter().take(plan.limit) {
        let keys = aligned(&row.keys);
        if !known.contains(&keys) {
            add(&keys, &now.nothing, &row.values);
        }
    }
    deltas
}

fn key_text(plan: &Plan<'_>, keys: &Key) -> String {
    let parts: Vec<String> = plan
        .dimensions
        .iter()
        .zip(keys)
        .map(|(asked, value)| {
            let name = if asked.attribute == Attribute::Source { "sources" } else { asked.column.as_str() };
            let value = match (&asked.attribute, value) {
                (Attribute::Time(unit), Some(start)) => shown_time(*unit, start),
                (_, value) => value.clone().unwrap_or_default(),
            };
            format!("{name}={value}")
        })
        .collect();
    parts.join("&")
}

impl Delta {
    fn of(key: String, metric: &str, now: &Value, before: &Value) -> Delta {
        let json = |value: &Value| value.as_ref().map_or(Json::Null, |value| shown(*value));
        let change = now.as_ref().ok().zip(before.as_ref().ok()).and_then(|(now, before)| now.checked_sub(*before));
        let percent = change.zip(before.as_ref().ok()).filter(|(_, before)| !before.is_zero()).and_then(|(change, before)| {
            let percent = change.checked_mul(Decimal::ONE_HUNDRED)?.checked_div(before.abs())?;
            Some(percent.round_dp(PERCENT_DECIMALS))
        });
        Delta {
            key,
            metric: metric.to_owned(),
            current: json(now),
            previous: json(before),
            delta: change.map_or(Json::Null, shown),
            pct_change: percent.map_or(Json::Null, shown),
        }
    }
}
