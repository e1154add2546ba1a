//! Distinct values of a field with their counts.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use tributary_core::error::Result;
use tributary_core::event::Event;

use super::{value_of, within};
use crate::answer::{ValueCount, ValuesAnswer};
use crate::question::{Budget, Values};

/// Answers over the events of the slice.
pub fn answer(events: &[&Event], question: &Values, budget: Budget) -> Result<ValuesAnswer> {
    let mut times: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for event in events {
        if let Some(value) = value_of(&question.slice, &question.field, event) {
            times.entry(value).or_default().push(event.time_us);
        }
    }
    within(budget, times.len())?;
    let mut values: Vec<ValueCount> = times
        .into_iter()
        .map(|(value, times)| ValueCount {
            value,
            events: times.len() as u64,
            // The events come in order of time, and every value came with one.
            first_us: times[0],
            last_us: times[times.len() - 1],
        })
        .collect();
    let total = values.len();
    values.sort_by_key(|value| (Reverse(value.events), value.value.clone()));
    values.truncate(question.limit);
    Ok(ValuesAnswer { values, total })
}
