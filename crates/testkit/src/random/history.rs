//! Random histories: what happens to a workspace, and what is asked of it afterwards.

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;

use tributary_core::event::Event;
use tributary_events::question::{Budget, Question};
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
    ];
    (events(most), vec(step, 0..6), vec(asked(), 1..12))
        .prop_map(|(first, rest, asked)| History { steps: [Step::Append(first)].into_iter().chain(rest).collect(), asked })
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
