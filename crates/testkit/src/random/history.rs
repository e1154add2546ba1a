//! Random histories: what happens to a workspace, and what is asked of it afterwards.

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;

use tributary_core::event::{Event, Origin};
use tributary_events::question::{Budget, Question};
use tributary_events::store::Erasure;

use super::events::events;
use super::pools::{USERS, VISITORS, instant, one_of};
use super::questions::question;

/// One thing that happens.
#[derive(Clone, Debug)]
pub enum Step {
    /// Events arrive in one call.
    Append(Vec<Event>),
    /// Something is forgotten.
    Erase(Erasure),
    /// Events before this instant expire.
    Expire(i64),
    /// The engine does its housekeeping: flush, compaction, reopening.
    Settle,
}

/// What happens to a workspace, and what is asked afterwards.
#[derive(Clone, Debug)]
pub struct History {
    /// In order.
    pub steps: Vec<Step>,
    /// What is asked.
    pub asked: Vec<Asked>,
}

/// One question.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The question, without `as_of`.
    pub question: Question,
    /// As of the watermark after one of the steps, counted modulo their number; `None` for now.
    pub as_of_step: Option<usize>,
    /// How many groups the answer may have: usually enough.
    pub budget: Budget,
}

/// A history with calls of up to `most` events.
pub fn history(most: usize) -> impl Strategy<Value = History> {
    let step = prop_oneof![
        6 => events(most).prop_map(Step::Append),
        2 => Just(Step::Settle),
        1 => erasure().prop_map(Step::Erase),
        1 => instant().prop_map(Step::Expire),
    ];
    (events(most), vec(step, 0..6), vec(asked(), 1..12)).prop_map(|(first, rest, asked)| {
        let mut steps: Vec<Step> = [Step::Append(first)].into_iter().chain(rest).collect();
        avoid_expired_ids(&mut steps);
        History { steps, asked }
    })
}

/// Whether the id of an expired event is taken is the engine's affair, so no later call uses it again.
fn avoid_expired_ids(steps: &mut [Step]) {
    let mut horizon_us = i64::MIN;
    let mut sent: Vec<(Origin, String, i64)> = Vec::new();
    for step in steps {
        match step {
            Step::Append(events) => {
                for event in events.iter_mut() {
                    let expired = |(origin, event_id, time_us): &(Origin, String, i64)| {
                        *origin == event.origin && Some(event_id) == event.event_id.as_ref() && *time_us < horizon_us
                    };
                    if sent.iter().any(expired) {
                        event.event_id = None;
                    }
                }
                sent.extend(events.iter().filter_map(|event| Some((event.origin, event.event_id.clone()?, event.time_us))));
            }
            Step::Expire(before_us) => horizon_us = horizon_us.max(*before_us),
            Step::Erase(_) | Step::Settle => {}
        }
    }
}

fn asked() -> impl Strategy<Value = Asked> {
    let max_groups = prop_oneof![8 => Just(Budget::INTERACTIVE.max_groups), 1 => 0_usize..8];
    (question(), weighted(0.2, any::<usize>()), max_groups).prop_map(|(question, as_of_step, max_groups)| Asked {
        question,
        as_of_step,
        budget: Budget { max_groups, ..Budget::INTERACTIVE },
    })
}

fn erasure() -> impl Strategy<Value = Erasure> {
    prop_oneof![
        4 => one_of(USERS).prop_map(Erasure::User),
        4 => one_of(VISITORS).prop_map(Erasure::Visitor),
        1 => Just(Erasure::Workspace),
    ]
}
