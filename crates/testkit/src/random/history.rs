//! Random histories: what happens to a workspace, and what is asked of it afterwards.

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;

use tributary_core::event::Event;
use tributary_events::question::Question;
use tributary_events::store::Erasure;

use super::events::events;
use super::pools::{USERS, VISITORS, one_of};
use super::questions::question;

/// One thing that happens.
#[derive(Clone, Debug)]
pub enum Step {
    /// Events arrive in one call.
    Append(Vec<Event>),
    /// Something is forgotten.
    Erase(Erasure),
    /// The engine does its housekeeping: flush, compaction, reopening.
    Settle,
}

/// What happens to a workspace, and what is asked afterwards.
#[derive(Clone, Debug)]
pub struct History {
    /// In order.
    pub steps: Vec<Step>,
    /// Questions, each perhaps as of the watermark after one of the steps (counted modulo their number).
    pub questions: Vec<(Question, Option<usize>)>,
}

/// A history with calls of up to `most` events.
pub fn history(most: usize) -> impl Strategy<Value = History> {
    let step = prop_oneof![
        6 => events(most).prop_map(Step::Append),
        2 => Just(Step::Settle),
        1 => erasure().prop_map(Step::Erase),
    ];
    (events(most), vec(step, 0..6), vec((question(), weighted(0.2, any::<usize>())), 1..12)).prop_map(
        |(first, rest, questions)| History { steps: [Step::Append(first)].into_iter().chain(rest).collect(), questions },
    )
}

fn erasure() -> impl Strategy<Value = Erasure> {
    prop_oneof![
        4 => one_of(USERS).prop_map(Erasure::User),
        4 => one_of(VISITORS).prop_map(Erasure::Visitor),
        1 => Just(Erasure::Workspace),
    ]
}
