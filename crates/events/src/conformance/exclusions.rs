//! Funnels with events that must not happen in between.

use tributary_core::error::Code;

use super::funnels::{abc, funnel, steps, story};
use super::{Ground, Play};
use crate::field::Field;
use crate::filter::Filter;
use crate::question::{Budget, Exclusion, Funnel, FunnelMode, MAX_EXCLUSIONS, Question};

pub(super) async fn run(ground: &dyn Ground) {
    excluded_events_forget_chains(ground).await;
    a_step_may_be_excluded_itself(ground).await;
    several_exclusions_hold_at_once(ground).await;
    misplaced_exclusions_are_refused(ground).await;
}

use FunnelMode::{AnyOrder, FirstTimes, Ordered, StrictDeduplication, StrictIncrease, StrictOrder};

/// A story, the steps between which no x may happen, and the levels for the funnel a, b, c within ten seconds: ordered, and
/// with growing times.
const STORIES: &[(&str, (usize, usize), [usize; 2])] = &[
    ("a@0 b@1 c@2", (1, 2), [3, 3]),
    ("x@0 x@1", (1, 2), [0, 0]),
    ("a@0 x@1 b@2 c@3", (1, 2), [1, 1]),
    // Outside of what it guards, it does nothing.
    ("x@0 a@1 b@2 c@3", (1, 3), [3, 3]),
    ("a@0 b@1 x@2 c@3", (1, 2), [3, 3]),
    ("a@0 x@1 b@2 c@3", (2, 3), [3, 3]),
    ("a@0 b@1 c@2 x@3", (1, 3), [3, 3]),
    // What was reached stays reached.
    ("a@0 b@1 x@2 c@3", (2, 3), [2, 2]),
    ("a@0 b@1 x@2 c@3", (1, 3), [2, 2]),
    ("a@0 b@1 x@2 a@3", (1, 3), [2, 2]),
    // A new start, in full or from the step that was not forgotten.
    ("a@0 x@1 a@2 b@3 c@4", (1, 2), [3, 3]),
    ("a@0 b@1 x@2 a@3 b@4 c@5", (1, 3), [3, 3]),
    ("a@0 b@1 x@2 b@3 c@4", (2, 3), [3, 3]),
    ("a@0 b@1 x@2 b@3 c@4", (1, 3), [2, 2]),
    ("a@0 b@1 x@2 b@3 c@4", (1, 2), [3, 3]),
    // The window counts from the new start.
    ("a@0 x@1 a@2 b@3 c@12", (1, 2), [3, 3]),
    ("a@0 x@1 a@2 b@3 c@13", (1, 2), [2, 2]),
    // At one instant it comes before the steps, those that lead there and those that leave.
    ("a@0 b@1 x@1 c@2", (1, 2), [1, 1]),
    ("a@0 b@1 x@1 c@2", (2, 3), [3, 3]),
    ("a@0 x@0 b@1 c@2", (1, 2), [3, 3]),
    ("a@0 b@0 x@0 c@1", (1, 2), [3, 1]),
    ("a@0 b@1 x@2 c@2", (2, 3), [2, 2]),
    ("a@0 x@1 a@1 b@2 c@3", (1, 2), [3, 3]),
];

fn without(name: &str, after: usize, before: usize) -> Exclusion {
    Exclusion { filters: vec![Filter::is(Field::EventName, name)], after, before }
}

async fn excluded_events_forget_chains(ground: &dyn Ground) {
    let events = STORIES.iter().enumerate().flat_map(|(number, (text, ..))| story(text, &format!("v{number}"))).collect();
    let play = Play::with(ground, events).await;
    for (number, (text, (after, before), levels)) in STORIES.iter().enumerate() {
        for (mode, level) in [Ordered, StrictIncrease].into_iter().zip(levels) {
            let mut asked = Funnel { exclusions: vec![without("x", *after, *before)], ..abc(mode) };
            asked.slice = asked.slice.with(Filter::is(Field::AnonymousId, format!("v{number}")));
            let reached: u64 = funnel(&play, asked).await.overall.reached.iter().sum();
            assert_eq!(reached, *level as u64, "{text} without x between {after} and {before}, {mode:?}");
        }
    }
}

async fn a_step_may_be_excluded_itself(ground: &dyn Ground) {
    let play = Play::with(ground, story("a@0 a@1 b@2 b@3 c@4", "v")).await;
    for (name, (after, before), reached) in [
        // Each start forgets the one before.
        ("a", (1, 2), [1, 1, 1]),
        // A second step forgets the start it would lead on from.
        ("b", (1, 2), [1, 0, 0]),
        // The second b forgets the first, and is taken itself.
        ("b", (2, 3), [1, 1, 1]),
        ("c", (2, 3), [1, 1, 0]),
    ] {
        let asked = Funnel { exclusions: vec![without(name, after, before)], ..abc(Ordered) };
        assert_eq!(funnel(&play, asked).await.overall.reached, reached, "without {name} between {after} and {before}");
    }
    // Without filters every event passes.
    let nothing = Exclusion { filters: vec![], after: 1, before: 2 };
    let asked = Funnel { exclusions: vec![nothing], ..abc(Ordered) };
    assert_eq!(funnel(&play, asked).await.overall.reached, [1, 0, 0]);
}

async fn several_exclusions_hold_at_once(ground: &dyn Ground) {
    let events = [
        story("a@0 x@1 b@2 c@3", "v1"),
        story("a@0 b@1 y@2 c@3", "v2"),
        story("a@0 y@1 b@2 x@3 c@4", "v3"),
        story("a@0 x@1 a@2 b@3 y@4 b@5 c@6", "v4"),
    ];
    let play = Play::with(ground, events.concat()).await;
    let asked = |exclusions| Funnel { exclusions, ..abc(Ordered) };
    let found = async |exclusions| funnel(&play, asked(exclusions)).await.overall.reached;
    assert_eq!(found(vec![]).await, [4, 4, 4]);
    assert_eq!(found(vec![without("x", 1, 2)]).await, [4, 3, 3]);
    assert_eq!(found(vec![without("x", 1, 2), without("y", 2, 3)]).await, [4, 3, 2]);
    assert_eq!(found(vec![without("x", 1, 3), without("y", 1, 3)]).await, [4, 2, 0]);
}

async fn misplaced_exclusions_are_refused(ground: &dyn Ground) {
    let play = Play::fresh(ground);
    let refused = async |mode, exclusions| {
        let asked = Question::Funnel(Funnel { exclusions, ..abc(mode) });
        assert_eq!(play.refusal(asked.clone(), Budget::INTERACTIVE).await, Code::InvalidParams, "{asked:?}");
    };
    for mode in [StrictOrder, StrictDeduplication, AnyOrder, FirstTimes] {
        refused(mode, vec![without("x", 1, 2)]).await;
    }
    for (after, before) in [(0, 1), (1, 1), (2, 1), (1, 4), (3, 4)] {
        refused(Ordered, vec![without("x", after, before)]).await;
    }
    refused(Ordered, vec![without("x", 1, 2); MAX_EXCLUSIONS + 1]).await;
    let single = Funnel { steps: steps(&["a"]), exclusions: vec![without("x", 1, 2)], ..abc(Ordered) };
    assert_eq!(play.refusal(Question::Funnel(single), Budget::INTERACTIVE).await, Code::InvalidParams);
}
