//! How many come how far.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use tributary_core::error::Result;
use tributary_core::event::Event;

use super::{value_of, within};
use crate::answer::{FunnelAnswer, FunnelCounts};
use crate::filter::{Filter, all_hold};
use crate::question::{Budget, Funnel, FunnelMode, Unit};

/// Answers over the events of the slice.
pub fn answer(events: &[&Event], question: &Funnel, budget: Budget) -> Result<FunnelAnswer> {
    let mut units: BTreeMap<(&str, Option<String>), Vec<&Event>> = BTreeMap::new();
    for event in events {
        let session = match question.unit {
            Unit::Visitor => None,
            Unit::Session => Some(event.session_id()),
        };
        units.entry((&event.anonymous_id, session)).or_default().push(event);
    }
    let nobody = FunnelCounts { reached: vec![0; question.steps.len()] };
    let mut overall = nobody.clone();
    let mut by_value: BTreeMap<Option<String>, FunnelCounts> = BTreeMap::new();
    for events in units.values() {
        let level = level(events, question);
        if level == 0 {
            continue;
        }
        count(&mut overall, level);
        if let Some(breakdown) = &question.breakdown {
            let first_touch = value_of(breakdown, events[0]);
            count(by_value.entry(first_touch).or_insert_with(|| nobody.clone()), level);
        }
    }
    within(budget, by_value.len())?;
    let mut by_value: Vec<(Option<String>, FunnelCounts)> = by_value.into_iter().collect();
    by_value.sort_by_key(|(value, counts)| (Reverse(counts.reached[0]), value.clone()));
    Ok(FunnelAnswer { overall, by_value })
}

fn count(counts: &mut FunnelCounts, level: usize) {
    for reached in &mut counts.reached[..level] {
        *reached += 1;
    }
}

/// How far one unit comes: 0, or the number of steps it reaches. Its events come in order.
pub fn level(events: &[&Event], question: &Funnel) -> usize {
    match question.mode {
        FunnelMode::Ordered | FunnelMode::StrictIncrease | FunnelMode::StrictOrder | FunnelMode::StrictDeduplication => {
            window_funnel(events, question)
        }
        FunnelMode::AnyOrder => any_order(events, question),
        FunnelMode::FirstTimes => first_times(events, question),
    }
}

/// The latest chain that took a step: when it began, and when it took the step.
#[derive(Clone, Copy)]
struct Chain {
    start_us: i64,
    step_us: i64,
}

fn window_funnel(events: &[&Event], question: &Funnel) -> usize {
    let mut chains: Vec<Option<Chain>> = vec![None; question.steps.len()];
    for (time_us, step) in takes(events, &question.steps) {
        let started = chains[0].is_some();
        let Some(step) = step else {
            if question.mode == FunnelMode::StrictOrder && started {
                break;
            }
            continue;
        };
        if step == 0 {
            chains[0] = Some(Chain { start_us: time_us, step_us: time_us });
            continue;
        }
        if question.mode == FunnelMode::StrictDeduplication && chains[step].is_some() {
            break;
        }
        let Some(previous) = chains[step - 1] else {
            if question.mode == FunnelMode::StrictOrder && started {
                break;
            }
            continue;
        };
        let later = question.mode != FunnelMode::StrictIncrease || previous.step_us < time_us;
        if later && inside(previous.start_us, time_us, question.window_us) {
            chains[step] = Some(Chain { start_us: previous.start_us, step_us: time_us });
            if step + 1 == chains.len() {
                break;
            }
        }
    }
    chains.iter().rposition(Option::is_some).map_or(0, |step| step + 1)
}

/// Every event once for each step it passes, or once as no step, by time and then by step number.
fn takes(events: &[&Event], steps: &[Vec<Filter>]) -> Vec<(i64, Option<usize>)> {
    let mut takes = Vec::new();
    for event in events {
        let passed: Vec<usize> = (0..steps.len()).filter(|step| all_hold(&steps[*step], event)).collect();
        if passed.is_empty() {
            takes.push((event.time_us, None));
        }
        takes.extend(passed.into_iter().map(|step| (event.time_us, Some(step))));
    }
    takes.sort_unstable();
    takes
}

fn any_order(events: &[&Event], question: &Funnel) -> usize {
    let levels = events.iter().map(|first| {
        let stretch: Vec<&&Event> = events
            .iter()
            .filter(|event| event.time_us >= first.time_us && inside(first.time_us, event.time_us, question.window_us))
            .collect();
        question.steps.iter().filter(|step| stretch.iter().any(|event| all_hold(step, event))).count()
    });
    levels.max().unwrap_or(0)
}

fn first_times(events: &[&Event], question: &Funnel) -> usize {
    let mut level = 0;
    let mut start_us = None;
    let mut previous_us = i64::MIN;
    for step in &question.steps {
        let Some(first) = events.iter().find(|event| all_hold(step, event)) else { break };
        let start_us = *start_us.get_or_insert(first.time_us);
        if first.time_us < previous_us || !inside(start_us, first.time_us, question.window_us) {
            break;
        }
        previous_us = first.time_us;
        level += 1;
    }
    level
}

/// Whether the window opened at `start_us` still holds `time_us`.
fn inside(start_us: i64, time_us: i64, window_us: Option<i64>) -> bool {
    window_us.is_none_or(|window| i128::from(time_us) - i128::from(start_us) <= i128::from(window))
}
