//! How many visitors come how far through a row of events.

use std::cmp::Reverse;
use std::collections::HashMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tributary_boxed::boxed;
use tributary_core::error::{Code, Result};
use tributary_core::time::SECOND_US;
use tributary_events::answer::{FunnelAnswer, FunnelCounts};
use tributary_events::field::Field;
use tributary_events::filter::Filter;
use tributary_events::question::{self, BreakdownEvent, Funnel, FunnelMode, Unit};

use crate::input::{MAX_EVENT_NAME_CHARS, Window};
use crate::problem::Problems;
use crate::provenance::{self, Provenance, Rows};
use crate::reach::Reach;
use crate::service::Service;

/// The fewest steps.
pub const MIN_STEPS: usize = 2;
/// The most steps.
pub const MAX_STEPS: usize = 10;
/// The longest window, seconds: ten years.
pub const MAX_WINDOW_S: u64 = 315_360_000;
/// The most sources a breakdown shows, largest first step first.
pub const MAX_BREAKDOWN: usize = 50;

/// What is asked.
#[derive(Clone, Debug)]
pub struct FunnelInput {
    /// Range and bot rule. Every step must fall into the range.
    pub window: Window,
    /// Event names in order, [`MIN_STEPS`] to [`MAX_STEPS`].
    pub steps: Vec<String>,
    /// Longest time from the first step to the last, seconds, inclusive; `None` for the whole range.
    pub window_seconds: Option<u64>,
    /// What "in order" means.
    pub mode: Order,
    /// Whether to break down by first-touch source.
    pub breakdown: Option<FunnelBreakdown>,
}

/// What "in order" means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Order {
    /// A chain of events in order, each at or after the one before, anything in between: the best chain a visitor has.
    #[default]
    Ordered,
    /// The documented SQL recipe: the first time of each step's event, step n counting when step n-1 does and its first
    /// time is not before the first time of step n-1.
    FirstTimes,
}

/// What a funnel can be broken down by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum FunnelBreakdown {
    /// The source of the visitor's first event in the range.
    Source,
}

/// The answer.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FunnelOutput {
    /// One row per step; with a breakdown, one per source and step.
    pub rows: Vec<FunnelRow>,
    /// With a breakdown: the same steps over all sources.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub overall: Vec<FunnelRow>,
    /// What "in order" meant.
    pub mode: Order,
    /// Longest time from the first step to the last, seconds; `null` for the whole range.
    pub window_seconds: Option<u64>,
    /// What the answer holds for.
    #[serde(flatten)]
    pub provenance: Provenance,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct FunnelRow {
    /// Source of the visitors' first event in the range; only with a breakdown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Number of the step, from 1.
    pub step: u32,
    /// The step's event name.
    pub event: String,
    /// Visitors (`anonymous_id`) who came at least this far.
    pub users: u64,
    /// Percentage of the previous step's visitors, 0 to 100, two decimals; `null` when nobody took the previous step.
    pub conversion_from_previous: Option<f64>,
    /// Percentage of the first step's visitors, 0 to 100, two decimals; `null` when nobody took the first step.
    pub conversion_from_first: Option<f64>,
}

impl Service {
    /// Answers how many visitors come how far.
    #[boxed]
    pub async fn funnel(&self, reach: Reach<'_>, input: &FunnelInput) -> Result<FunnelOutput> {
        check(input)?;
        let slice = input.window.slice(&reach.zone())?;
        let range = slice.range;
        let question = Funnel {
            slice,
            steps: input.steps.iter().map(|step| vec![Filter::is(Field::EventName, step.as_str())]).collect(),
            window_us: input.window_seconds.map(|seconds| seconds as i64 * SECOND_US),
            mode: match input.mode {
                Order::Ordered => FunnelMode::Ordered,
                Order::FirstTimes => FunnelMode::FirstTimes,
            },
            unit: Unit::Visitor,
            exclusions: Vec::new(),
            breakdown: input.breakdown.map(|breakdown| match breakdown {
                FunnelBreakdown::Source => question::FunnelBreakdown { field: Field::Source, on: BreakdownEvent::First },
            }),
            with_times: false,
        };
        let answers = self.funnels(reach, &question).await?;
        let overall = add_up(answers.answers.iter().map(|answer| &answer.overall), input.steps.len());
        let has_no_start = overall.reached.first().is_none_or(|users| *users == 0);
        let missing: Vec<&str> =
            input.steps.iter().zip(&overall.reached).filter(|(_, users)| **users == 0).map(|(step, _)| step.as_str()).collect();
        let (rows, overall, total_rows) = match input.breakdown {
            None => {
                let rows = print(None, &input.steps, &overall);
                let total = rows.len();
                (rows, Vec::new(), total)
            }
            Some(FunnelBreakdown::Source) => {
                let by_source = by_value(&answers.answers, input.steps.len());
                let total = by_source.len() * input.steps.len();
                let rows = by_source
                    .into_iter()
                    .take(MAX_BREAKDOWN)
                    .flat_map(|(source, counts)| print(Some(source.unwrap_or_default()), &input.steps, &counts))
                    .collect();
                (rows, print(None, &input.steps, &overall), total)
            }
        };
        let counted = Rows::exact(rows.len(), total_rows as u64);
        let mut provenance = provenance::of(reach, range, input.window.bots, &answers.watermarks, counted);
        if reach.is_wide() {
            provenance.add_note(crate::stats::NOTE_SUMMED_VISITORS);
        }
        if has_no_start || !missing.is_empty() {
            self.name_unknown_events(reach, &missing, &mut provenance).await?;
        }
        Ok(FunnelOutput { rows, overall, mode: input.mode, window_seconds: input.window_seconds, provenance })
    }
}

fn check(input: &FunnelInput) -> Result<()> {
    let mut problems = Problems::new();
    if !(MIN_STEPS..=MAX_STEPS).contains(&input.steps.len()) {
        problems.add("steps", format!("must hold {MIN_STEPS} to {MAX_STEPS} event names"));
    }
    if input.steps.iter().any(|step| !(1..=MAX_EVENT_NAME_CHARS).contains(&step.chars().count())) {
        problems.add("steps", format!("every event name must have 1 to {MAX_EVENT_NAME_CHARS} characters"));
    }
    if input.window_seconds.is_some_and(|seconds| !(1..=MAX_WINDOW_S).contains(&seconds)) {
        problems.add("window_seconds", format!("must be between 1 and {MAX_WINDOW_S}"));
    }
    problems.check(Code::InvalidParams)
}

fn add_up<'a>(counts: impl Iterator<Item = &'a FunnelCounts>, steps: usize) -> FunnelCounts {
    let mut sum = FunnelCounts { reached: vec![0; steps], median_us: Vec::new() };
    for counts in counts {
        sum.reached.iter_mut().zip(&counts.reached).for_each(|(sum, users)| *sum += users);
    }
    sum
}

fn by_value(answers: &[FunnelAnswer], steps: usize) -> Vec<(Option<String>, FunnelCounts)> {
    let mut groups: HashMap<Option<String>, Vec<&FunnelCounts>> = HashMap::new();
    for (value, counts) in answers.iter().flat_map(|answer| &answer.by_value) {
        groups.entry(value.clone()).or_default().push(counts);
    }
    let mut summed: Vec<(Option<String>, FunnelCounts)> =
        groups.into_iter().map(|(value, counts)| (value, add_up(counts.into_iter(), steps))).collect();
    summed.sort_by(|(left, left_counts), (right, right_counts)| {
        let start = |counts: &FunnelCounts| Reverse(counts.reached.first().copied());
        start(left_counts).cmp(&start(right_counts)).then_with(|| left.cmp(right))
    });
    summed
}

fn print(source: Option<String>, steps: &[String], counts: &FunnelCounts) -> Vec<FunnelRow> {
    let first = counts.reached.first().copied().unwrap_or_default();
    let mut previous = first;
    let mut rows = Vec::with_capacity(steps.len());
    for (number, (event, users)) in (1..).zip(steps.iter().zip(counts.reached.iter().copied())) {
        rows.push(FunnelRow {
            source: source.clone(),
            step: number,
            event: event.clone(),
            users,
            conversion_from_previous: percentage(users, previous),
            conversion_from_first: percentage(users, first),
        });
        previous = users;
    }
    rows
}

/// `part` of `whole` in per cent, rounded half up to two decimals in integers.
fn percentage(part: u64, whole: u64) -> Option<f64> {
    let (part, whole) = (u128::from(part), u128::from(whole));
    (whole > 0).then(|| ((part * 20_000 + whole) / (2 * whole)) as f64 / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_have_two_decimals() {
        for (part, whole, per_cent) in [(1, 3, 33.33), (2, 3, 66.67), (3, 3, 100.0), (0, 5, 0.0), (1, 800, 0.13), (1, 16, 6.25)] {
            assert_eq!(percentage(part, whole), Some(per_cent), "{part} of {whole}");
        }
        assert_eq!(percentage(0, 0), None);
    }
}
