//! Funnels: the path of a unit, its times, and values read on it.

use tributary_core::error::Code;
use tributary_core::event::Event;
use tributary_core::time::SECOND_US;

use super::funnels::{abc, funnel, steps, story};
use super::sample::with_id;
use super::{Ground, Play};
use crate::answer::FunnelCounts;
use crate::field::Field;
use crate::filter::Filter;
use crate::question::{BreakdownEvent, Budget, Exclusion, Funnel, FunnelBreakdown, FunnelMode, Question};

pub(super) async fn run(ground: &dyn Ground) {
    paths_tell_modes_apart(ground).await;
    a_forgotten_chain_may_still_be_the_path(ground).await;
    medians_are_lower_middles(ground).await;
    a_breakdown_reads_a_step_of_the_path(ground).await;
    of_tied_events_the_first_that_passes_is_read(ground).await;
    steps_that_are_not_there_are_refused(ground).await;
}

use FunnelMode::{AnyOrder, FirstTimes, Ordered, StrictDeduplication, StrictIncrease, StrictOrder};

/// Seconds between the steps of the path.
type Times = [Option<i64>; 2];

const NEVER: Times = [None, None];

const fn once(first: i64) -> Times {
    [Some(first), None]
}

const fn twice(first: i64, second: i64) -> Times {
    [Some(first), Some(second)]
}

/// One visitor's events and the times for the funnel a, b, c within ten seconds, in the order of [`MODES`].
const STORIES: &[(&str, [Times; 6])] = &[
    ("a@0 b@1 c@3", [twice(1, 2); 6]),
    ("x@0 a@0", [NEVER; 6]),
    ("b@0 c@1", [NEVER, NEVER, NEVER, NEVER, once(1), NEVER]),
    // The latest start is on the path, but not in modes that go by first times.
    ("a@0 a@2 b@3 c@7", [twice(1, 4), twice(1, 4), twice(1, 4), twice(1, 4), twice(3, 4), twice(3, 4)]),
    // So is the latest second step, unless its repeat ended everything.
    ("a@0 b@1 b@4 c@5", [twice(4, 1), twice(4, 1), twice(4, 1), once(1), twice(1, 4), twice(1, 4)]),
    // A new start after the second step does not touch the chain of the second.
    ("a@0 b@1 a@3 c@5", [twice(1, 4); 6]),
    // Of chains that come equally far the first is the path.
    ("a@0 b@1 a@3 b@8", [once(1); 6]),
    ("a@0 b@3 a@20 b@21", [once(3); 6]),
    // The one that comes further is, although it is later.
    ("a@0 b@1 a@20 b@23 c@25", [twice(3, 2), twice(3, 2), twice(3, 2), once(1), twice(3, 2), once(1)]),
    // In any order, times ascend whatever the steps; the first stretch that holds most.
    ("c@0 b@1 a@3", [NEVER, NEVER, NEVER, NEVER, twice(1, 2), NEVER]),
    ("a@0 b@8 c@11 a@12", [once(8), once(8), once(8), once(8), twice(3, 1), once(8)]),
    // Equal times are no time, and may be too little.
    ("a@0 b@0 c@0", [twice(0, 0), NEVER, twice(0, 0), twice(0, 0), twice(0, 0), twice(0, 0)]),
    ("a@0 b@0 b@2 c@3", [twice(2, 1), twice(2, 1), twice(2, 1), once(0), twice(0, 3), twice(0, 3)]),
];

const MODES: [FunnelMode; 6] = [Ordered, StrictIncrease, StrictOrder, StrictDeduplication, AnyOrder, FirstTimes];

fn timed(mode: FunnelMode) -> Funnel {
    Funnel { with_times: true, ..abc(mode) }
}

fn of_visitor(mut asked: Funnel, visitor: &str) -> Funnel {
    asked.slice = asked.slice.with(Filter::is(Field::AnonymousId, visitor));
    asked
}

fn micros(seconds: &[Option<i64>]) -> Vec<Option<i64>> {
    seconds.iter().map(|seconds| seconds.map(|seconds| seconds * SECOND_US)).collect()
}

async fn paths_tell_modes_apart(ground: &dyn Ground) {
    let events = STORIES.iter().enumerate().flat_map(|(number, (text, _))| story(text, &format!("v{number}"))).collect();
    let play = Play::with(ground, events).await;
    for (number, (text, times)) in STORIES.iter().enumerate() {
        for (mode, times) in MODES.into_iter().zip(times) {
            let answer = funnel(&play, of_visitor(timed(mode), &format!("v{number}"))).await;
            assert_eq!(answer.overall.median_us, micros(times), "{text} {mode:?}");
        }
    }
    assert_eq!(funnel(&play, abc(Ordered)).await.overall.median_us, [], "not asked for");
    let single = Funnel { steps: steps(&["a"]), ..timed(Ordered) };
    assert_eq!(funnel(&play, single).await.overall.median_us, [], "nothing to measure");
}

async fn a_forgotten_chain_may_still_be_the_path(ground: &dyn Ground) {
    let events = [story("a@0 b@1 x@2 a@3 b@7", "v"), story("a@0 b@1 x@2 a@3 b@7 c@9", "w"), story("a@0 x@1 a@2 b@5", "x")];
    let play = Play::with(ground, events.concat()).await;
    for (visitor, times) in [("v", once(1)), ("w", twice(4, 2)), ("x", once(3))] {
        let exclusions = vec![Exclusion { filters: vec![Filter::is(Field::EventName, "x")], after: 1, before: 3 }];
        let asked = Funnel { exclusions, ..timed(Ordered) };
        assert_eq!(funnel(&play, of_visitor(asked, visitor)).await.overall.median_us, micros(&times), "{visitor}");
    }
}

async fn medians_are_lower_middles(ground: &dyn Ground) {
    let from = |country: &str, text: &str, visitor: &str| {
        let events = story(text, visitor).into_iter();
        events.map(|event| Event { country: Some(country.to_owned()), ..event }).collect::<Vec<_>>()
    };
    let play = Play::with(
        ground,
        [
            from("DE", "a@0 b@9 c@10", "v1"),
            from("DE", "a@0 b@2 c@5", "v2"),
            from("DE", "a@0 b@5", "v3"),
            from("DE", "a@0 b@7", "v4"),
            from("AT", "a@0 b@1", "v5"),
            from("AT", "a@0", "v6"),
            from("CH", "a@0", "v7"),
            from("IT", "b@0 c@1", "v8"),
        ]
        .concat(),
    )
    .await;
    let breakdown = Some(FunnelBreakdown { field: Field::Country, on: BreakdownEvent::First });
    let answer = funnel(&play, Funnel { breakdown, ..timed(Ordered) }).await;
    let counts = |reached: [u64; 3], times: Times| FunnelCounts { reached: reached.to_vec(), median_us: micros(&times) };
    // 1 2 5 7 9 and 1 3; 2 5 7 9 and 1 3; 1.
    assert_eq!(answer.overall, counts([7, 5, 2], twice(5, 1)));
    let value = |text: &str| Some(text.to_owned());
    let expected = [
        (value("DE"), counts([4, 4, 2], twice(5, 1))),
        (value("AT"), counts([2, 1, 0], once(1))),
        (value("CH"), counts([1, 0, 0], NEVER)),
    ];
    assert_eq!(answer.by_value, expected);
}

/// Positions in a story of the events read: of the first event, and of steps 1, 2 and 3.
type Positions = [Option<usize>; 4];

/// A story of one visitor whose events name their position as campaign: 0, 1, …
fn numbered(text: &str, visitor: &str) -> Vec<Event> {
    let events = story(text, visitor).into_iter().enumerate();
    events.map(|(number, event)| Event { campaign: Some(number.to_string()), ..event }).collect()
}

async fn read_on(play: &Play<'_>, mode: FunnelMode, visitor: &str, on: BreakdownEvent) -> Option<String> {
    let asked = Funnel { breakdown: Some(FunnelBreakdown { field: Field::Campaign, on }), ..abc(mode) };
    let mut answer = funnel(play, of_visitor(asked, visitor)).await;
    assert_eq!(answer.by_value.len(), 1, "one visitor has one value");
    assert_eq!(answer.by_value[0].1, answer.overall);
    answer.by_value.remove(0).0
}

async fn a_breakdown_reads_a_step_of_the_path(ground: &dyn Ground) {
    let stories: [(&str, &[(FunnelMode, Positions)]); 5] = [
        (
            "x@0 a@1 a@2 b@3 c@7",
            &[
                (Ordered, [Some(0), Some(2), Some(3), Some(4)]),
                (FirstTimes, [Some(0), Some(1), Some(3), Some(4)]),
                (AnyOrder, [Some(0), Some(1), Some(3), Some(4)]),
            ],
        ),
        (
            "a@0 b@1 b@4 c@5",
            &[
                (Ordered, [Some(0), Some(0), Some(2), Some(3)]),
                (StrictDeduplication, [Some(0), Some(0), Some(1), None]),
                (FirstTimes, [Some(0), Some(0), Some(1), Some(3)]),
            ],
        ),
        ("a@0 b@3 a@20 b@21", &[(Ordered, [Some(0), Some(0), Some(1), None]), (AnyOrder, [Some(0), Some(0), Some(1), None])]),
        // In any order it is still the question's step that is meant.
        (
            "c@0 b@1 a@3",
            &[
                (AnyOrder, [Some(0), Some(2), Some(1), Some(0)]),
                (Ordered, [Some(0), Some(2), None, None]),
                (FirstTimes, [Some(0), Some(2), None, None]),
            ],
        ),
        ("c@0 a@2", &[(AnyOrder, [Some(0), Some(1), None, Some(0)])]),
    ];
    let events = stories.iter().enumerate().flat_map(|(number, (text, _))| numbered(text, &format!("v{number}"))).collect();
    let play = Play::with(ground, events).await;
    for (number, (text, expected)) in stories.iter().enumerate() {
        let on = [BreakdownEvent::First, BreakdownEvent::Step(1), BreakdownEvent::Step(2), BreakdownEvent::Step(3)];
        for (mode, positions) in *expected {
            for (on, position) in on.into_iter().zip(positions) {
                let found = read_on(&play, *mode, &format!("v{number}"), on).await;
                assert_eq!(found, position.map(|position| position.to_string()), "{text} {mode:?} {on:?}");
            }
        }
    }
    // Of all visitors together, those whose path lacks the step count as absent; order is by the first step.
    let breakdown = Some(FunnelBreakdown { field: Field::Campaign, on: BreakdownEvent::Step(2) });
    let answer = funnel(&play, Funnel { breakdown, ..abc(Ordered) }).await;
    let rows = answer.by_value.iter().map(|(value, counts)| (value.as_deref(), counts.reached.clone())).collect::<Vec<_>>();
    let expected = [(None, vec![2, 0, 0]), (Some("1"), vec![1, 1, 0]), (Some("2"), vec![1, 1, 1]), (Some("3"), vec![1, 1, 1])];
    assert_eq!(rows, expected);
}

async fn of_tied_events_the_first_that_passes_is_read(ground: &dyn Ground) {
    // By id: a0 is no step, b9 and b1 both took the second one, whatever arrived first.
    let mut events = numbered("a@0 b@1 b@1 x@1 c@1", "v");
    for (event, id) in events.iter_mut().zip(["s", "b9", "b1", "a0", "z"]) {
        *event = with_id(event.clone(), id);
    }
    let play = Play::with(ground, events).await;
    for mode in [Ordered, AnyOrder, FirstTimes] {
        assert_eq!(read_on(&play, mode, "v", BreakdownEvent::Step(2)).await.as_deref(), Some("2"), "{mode:?}");
        assert_eq!(read_on(&play, mode, "v", BreakdownEvent::Step(3)).await.as_deref(), Some("4"), "{mode:?}");
    }
    // At one instant a step may come before its predecessor in the order of events.
    let mut tied = numbered("a@0 b@0", "w");
    tied = vec![with_id(tied[0].clone(), "w2"), with_id(tied[1].clone(), "w1")];
    let play = Play::with(ground, tied).await;
    assert_eq!(read_on(&play, Ordered, "w", BreakdownEvent::First).await.as_deref(), Some("1"));
    assert_eq!(read_on(&play, Ordered, "w", BreakdownEvent::Step(1)).await.as_deref(), Some("0"));
    assert_eq!(read_on(&play, Ordered, "w", BreakdownEvent::Step(2)).await.as_deref(), Some("1"));
}

async fn steps_that_are_not_there_are_refused(ground: &dyn Ground) {
    let play = Play::fresh(ground);
    for step in [0, 4] {
        let breakdown = Some(FunnelBreakdown { field: Field::Source, on: BreakdownEvent::Step(step) });
        let asked = Question::Funnel(Funnel { breakdown, ..abc(Ordered) });
        assert_eq!(play.refusal(asked, Budget::INTERACTIVE).await, Code::InvalidParams, "step {step}");
    }
}
