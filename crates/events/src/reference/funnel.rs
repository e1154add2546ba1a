//! How many come how far.

mod path;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use tributary_core::error::Result;
use tributary_core::event::Event;

use self::path::{Taken, path};
use super::{person_of, value_of, within};
use crate::answer::{FunnelAnswer, FunnelCounts};
use crate::question::{BreakdownEvent, Budget, Funnel, FunnelBreakdown, Unit};

/// Answers over the events of the slice.
pub fn answer(events: &[&Event], question: &Funnel, budget: Budget) -> Result<FunnelAnswer> {
    let mut units: BTreeMap<(&str, Option<String>), Vec<&Event>> = BTreeMap::new();
    for event in events {
        let unit = match question.unit {
            Unit::Visitor => (person_of(&question.slice, event), None),
            Unit::Session => (event.anonymous_id.as_str(), Some(event.session_id())),
        };
        units.entry(unit).or_default().push(event);
    }
    let mut overall = Vec::new();
    let mut by_value: BTreeMap<Option<String>, Vec<Vec<Taken>>> = BTreeMap::new();
    for events in units.values() {
        let path = path(events, question);
        if path.is_empty() {
            continue;
        }
        if let Some(breakdown) = &question.breakdown {
            by_value.entry(value_on(breakdown, events, &path, question)).or_default().push(path.clone());
        }
        overall.push(path);
    }
    within(budget, by_value.len())?;
    let mut by_value: Vec<(Option<String>, FunnelCounts)> =
        by_value.into_iter().map(|(value, paths)| (value, counts(&paths, question))).collect();
    by_value.sort_by_key(|(value, counts)| (Reverse(counts.reached[0]), value.clone()));
    Ok(FunnelAnswer { overall: counts(&overall, question), by_value })
}

/// The breakdown's value for a unit with these events, in order, and this path.
fn value_on(breakdown: &FunnelBreakdown, events: &[&Event], path: &[Taken], question: &Funnel) -> Option<String> {
    let event = match breakdown.on {
        BreakdownEvent::First => events[0],
        BreakdownEvent::Step(number) => {
            let step = number - 1;
            let taken = path.iter().find(|taken| taken.step == step)?;
            events.iter().find(|event| event.time_us == taken.time_us && question.slice.all_hold(&question.steps[step], event))?
        }
    };
    value_of(&question.slice, &breakdown.field, event)
}

fn counts(paths: &[Vec<Taken>], question: &Funnel) -> FunnelCounts {
    let steps = question.steps.len();
    let reached = (1..=steps).map(|level| paths.iter().filter(|path| path.len() >= level).count() as u64).collect();
    let median_us = match question.with_times {
        true => (1..steps).map(|step| median(paths, step)).collect(),
        false => Vec::new(),
    };
    FunnelCounts { reached, median_us }
}

/// The lower median of the times from the step before to this one on the paths that come that far.
fn median(paths: &[Vec<Taken>], step: usize) -> Option<i64> {
    let took_both = paths.iter().filter(|path| path.len() > step);
    let mut times: Vec<i64> = took_both.map(|path| path[step].time_us.saturating_sub(path[step - 1].time_us)).collect();
    times.sort_unstable();
    times.get(times.len().saturating_sub(1) / 2).copied()
}
