//! The path of a unit through the steps.

use tributary_core::event::Event;

use crate::question::{Funnel, FunnelMode};

/// A step, counted from 0, and when it was taken.
#[derive(Clone, Copy)]
pub(super) struct Taken {
    pub(super) time_us: i64,
    pub(super) step: usize,
}

/// The steps one unit took on its path, by time and step: as many as the level it reaches. Its events come in order.
pub(super) fn path(events: &[&Event], question: &Funnel) -> Vec<Taken> {
    match question.mode {
        FunnelMode::Ordered | FunnelMode::StrictIncrease | FunnelMode::StrictOrder | FunnelMode::StrictDeduplication => {
            first_longest_chain(events, question)
        }
        FunnelMode::AnyOrder => first_fullest_stretch(events, question),
        FunnelMode::FirstTimes => first_times(events, question),
    }
}

fn first_longest_chain(events: &[&Event], question: &Funnel) -> Vec<Taken> {
    // For each step, the latest chain that took it.
    let mut chains: Vec<Option<Vec<Taken>>> = vec![None; question.steps.len()];
    let mut longest: Vec<Taken> = Vec::new();
    for (time_us, part) in parts(events, question) {
        let started = chains[0].is_some();
        let step = match part {
            Part::Excluded(number) => {
                let exclusion = &question.exclusions[number];
                chains[exclusion.after - 1..exclusion.before - 1].fill(None);
                continue;
            }
            Part::NoStep if question.mode == FunnelMode::StrictOrder && started => break,
            Part::NoStep => continue,
            Part::Step(step) => step,
        };
        if question.mode == FunnelMode::StrictDeduplication && step > 0 && chains[step].is_some() {
            break;
        }
        let mut chain = match step {
            0 => Vec::new(),
            _ => match &chains[step - 1] {
                Some(previous) => previous.clone(),
                None if question.mode == FunnelMode::StrictOrder && started => break,
                None => continue,
            },
        };
        if let (Some(start), Some(previous)) = (chain.first(), chain.last()) {
            let later = question.mode != FunnelMode::StrictIncrease || previous.time_us < time_us;
            if !later || !inside(start.time_us, time_us, question.window_us) {
                continue;
            }
        }
        chain.push(Taken { time_us, step });
        if chain.len() > longest.len() {
            longest.clone_from(&chain);
        }
        if longest.len() == question.steps.len() {
            break;
        }
        chains[step] = Some(chain);
    }
    longest
}

/// What an event does, in the order in which events of one instant do it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    /// It passes this exclusion.
    Excluded(usize),
    /// It passes no step.
    NoStep,
    /// It passes this step.
    Step(usize),
}

/// Every event once for each exclusion and each step it passes, and once as no step when it passes none.
fn parts(events: &[&Event], question: &Funnel) -> Vec<(i64, Part)> {
    let mut parts = Vec::new();
    for event in events {
        let excluded =
            (0..question.exclusions.len()).filter(|number| question.slice.all_hold(&question.exclusions[*number].filters, event));
        parts.extend(excluded.map(|number| (event.time_us, Part::Excluded(number))));
        let passed: Vec<usize> =
            (0..question.steps.len()).filter(|step| question.slice.all_hold(&question.steps[*step], event)).collect();
        if passed.is_empty() {
            parts.push((event.time_us, Part::NoStep));
        }
        parts.extend(passed.into_iter().map(|step| (event.time_us, Part::Step(step))));
    }
    parts.sort_unstable();
    parts
}

fn first_fullest_stretch(events: &[&Event], question: &Funnel) -> Vec<Taken> {
    let mut fullest: Vec<Taken> = Vec::new();
    for first in events {
        let stretch: Vec<&&Event> = events
            .iter()
            .filter(|event| event.time_us >= first.time_us && inside(first.time_us, event.time_us, question.window_us))
            .collect();
        let first_of = |step: usize| stretch.iter().find(|event| question.slice.all_hold(&question.steps[step], event));
        let mut taken: Vec<Taken> = (0..question.steps.len())
            .filter_map(|step| first_of(step).map(|event| Taken { time_us: event.time_us, step }))
            .collect();
        taken.sort_by_key(|taken| (taken.time_us, taken.step));
        if taken.len() > fullest.len() {
            fullest = taken;
        }
    }
    fullest
}

fn first_times(events: &[&Event], question: &Funnel) -> Vec<Taken> {
    let mut path: Vec<Taken> = Vec::new();
    for (step, filters) in question.steps.iter().enumerate() {
        let Some(event) = events.iter().find(|event| question.slice.all_hold(filters, event)) else { break };
        let in_order = path.last().is_none_or(|previous| previous.time_us <= event.time_us);
        let in_time = path.first().is_none_or(|start| inside(start.time_us, event.time_us, question.window_us));
        if !in_order || !in_time {
            break;
        }
        path.push(Taken { time_us: event.time_us, step });
    }
    path
}

/// Whether the window opened at `start_us` still holds `time_us`.
fn inside(start_us: i64, time_us: i64, window_us: Option<i64>) -> bool {
    window_us.is_none_or(|window| i128::from(time_us) - i128::from(start_us) <= i128::from(window))
}
