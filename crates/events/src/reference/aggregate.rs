//! Numbers by group and bucket.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use tributary_core::error::Result;
use tributary_core::event::Event;

use super::{Group, keys_of, person_of, within};
use crate::answer::{AggregateAnswer, AggregateRow};
use crate::question::{Aggregate, Budget, Metric, Slice};

/// Answers over the events of the slice.
pub fn answer(events: &[&Event], question: &Aggregate, budget: Budget) -> Result<AggregateAnswer> {
    let mut groups: BTreeMap<Group, Vec<&Event>> = BTreeMap::new();
    for event in events {
        let bucket = question.buckets.as_ref().and_then(|buckets| buckets.find(event.time_us));
        groups.entry((bucket, keys_of(&question.slice, &question.group_by, event))).or_default().push(event);
    }
    within(budget, groups.len())?;
    let measure =
        |events: &[&Event]| question.metrics.iter().map(|metric| value(metric, events, &question.slice)).collect::<Vec<i128>>();
    let mut rows: Vec<AggregateRow> =
        groups.into_iter().map(|((bucket, keys), events)| AggregateRow { bucket, keys, values: measure(&events) }).collect();
    let total_rows = rows.len();
    rows.sort_by_key(|row| (row.bucket, Reverse(row.values[0]), row.keys.clone()));
    rows.truncate(question.limit);
    Ok(AggregateAnswer { rows, total_rows, totals: measure(events) })
}

fn value(metric: &Metric, events: &[&Event], slice: &Slice) -> i128 {
    let count = |number: usize| number as i128;
    match metric {
        Metric::Events => count(events.len()),
        Metric::EventsWhere(filters) => count(events.iter().filter(|event| slice.all_hold(filters, event)).count()),
        Metric::Visitors => count(events.iter().map(|event| person_of(slice, event)).collect::<BTreeSet<_>>().len()),
        Metric::Sessions => {
            count(events.iter().map(|event| (&event.anonymous_id, event.session_id())).collect::<BTreeSet<_>>().len())
        }
        Metric::Amount(currency) => events
            .iter()
            .filter_map(|event| event.amount)
            .filter(|amount| amount.currency == *currency)
            .map(|amount| i128::from(amount.micros))
            .sum(),
    }
}
