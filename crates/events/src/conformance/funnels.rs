//! Funnels: each mode on short stories.

use tributary_core::event::Event;
use tributary_core::time::{SECOND_US, TimeRange};

use super::sample::{at, by_bot, event};
use super::{Ground, Play};
use crate::answer::{Answer, FunnelAnswer, FunnelCounts};
use crate::field::Field;
use crate::filter::Filter;
use crate::question::{BreakdownEvent, Funnel, FunnelBreakdown, FunnelMode, Question, Slice, Unit};

pub(super) async fn run(ground: &dyn Ground) {
    modes_tell_stories_apart(ground).await;
    one_event_may_serve_several_steps(ground).await;
    sessions_are_units_of_their_own(ground).await;
    a_breakdown_reads_the_first_touch(ground).await;
    other_peoples_events_and_bots_do_not_help(ground).await;
}

use FunnelMode::{AnyOrder, FirstTimes, Ordered, StrictDeduplication, StrictIncrease, StrictOrder};

/// A story is one visitor's events, `name@second`; the level is for the funnel a, b, c within ten seconds.
const STORIES: &[(&str, [(FunnelMode, usize); 6])] = &[
    ("a@0 b@1 c@2", levels(3, 3, 3, 3, 3, 3)),
    ("x@0 y@1", levels(0, 0, 0, 0, 0, 0)),
    ("b@0 c@1", levels(0, 0, 0, 0, 2, 0)),
    ("c@0 b@1 a@2", levels(1, 1, 1, 1, 3, 1)),
    // At one instant steps happen in their order, unless times must grow.
    ("c@0 b@0 a@0", levels(3, 1, 3, 3, 3, 3)),
    ("a@0 b@0 c@1", levels(3, 1, 3, 3, 3, 3)),
    // The window's end is inside; a microsecond later is not (seconds here, the next case is finer).
    ("a@0 b@5 c@10", levels(3, 3, 3, 3, 3, 3)),
    ("a@0 b@5 c@11", levels(2, 2, 2, 2, 2, 2)),
    // The latest start counts, also where the first one is too old.
    ("a@0 a@8 b@9 c@15", levels(3, 3, 3, 3, 3, 2)),
    ("a@0 b@1 a@8 c@12", levels(2, 2, 2, 2, 2, 2)),
    ("a@0 b@1 a@8 b@9 c@12", levels(3, 3, 3, 2, 3, 2)),
    // A stranger in between, before, and at the same instant as the start.
    ("a@0 b@1 x@2 c@3", levels(3, 3, 2, 3, 3, 3)),
    ("x@0 a@1 b@2 c@3", levels(3, 3, 3, 3, 3, 3)),
    ("x@0 a@0 b@1 c@2", levels(3, 3, 3, 3, 3, 3)),
    ("a@0 x@1 b@1 c@2", levels(3, 3, 1, 3, 3, 3)),
    // A step too early, and a repeat.
    ("a@0 c@1 b@2 c@3", levels(3, 3, 1, 3, 3, 2)),
    ("c@0 a@1 b@2 c@3", levels(3, 3, 3, 3, 3, 2)),
    ("a@0 b@1 b@2 c@3", levels(3, 3, 3, 2, 3, 3)),
    ("a@0 a@1 b@2 c@3", levels(3, 3, 3, 3, 3, 3)),
    ("a@0 b@1 a@2 c@3", levels(3, 3, 3, 3, 3, 3)),
    // A step outside the window does not disturb.
    ("a@0 b@20 a@21 b@22 c@23", levels(3, 3, 3, 3, 3, 1)),
    // Only the latest start is remembered: with growing times a later start at the step's own instant hides the earlier.
    ("a@0 a@1 b@1 c@2", levels(3, 1, 3, 3, 3, 3)),
];

const fn levels(
    ordered: usize,
    increase: usize,
    order: usize,
    deduplication: usize,
    any: usize,
    first: usize,
) -> [(FunnelMode, usize); 6] {
    [
        (Ordered, ordered),
        (StrictIncrease, increase),
        (StrictOrder, order),
        (StrictDeduplication, deduplication),
        (AnyOrder, any),
        (FirstTimes, first),
    ]
}

pub(super) fn story(text: &str, visitor: &str) -> Vec<Event> {
    let parts = text.split(' ').map(|part| part.split_once('@').expect("name@second"));
    parts.map(|(name, second)| event(name, visitor, at(second.parse().expect("a number")))).collect()
}

pub(super) fn steps(names: &[&str]) -> Vec<Vec<Filter>> {
    names.iter().map(|name| vec![Filter::is(Field::EventName, *name)]).collect()
}

pub(super) fn abc(mode: FunnelMode) -> Funnel {
    Funnel {
        slice: Slice::of(TimeRange::ALL),
        steps: steps(&["a", "b", "c"]),
        window_us: Some(10 * SECOND_US),
        mode,
        unit: Unit::Visitor,
        exclusions: vec![],
        breakdown: None,
        with_times: false,
    }
}

/// Counts without times.
fn untimed(reached: Vec<u64>) -> FunnelCounts {
    FunnelCounts { reached, median_us: vec![] }
}

pub(super) async fn funnel(play: &Play<'_>, question: Funnel) -> FunnelAnswer {
    match play.ask(Question::Funnel(question)).await {
        Answer::Funnel(answer) => answer,
        other => panic!("funnels answer funnels, not {other:?}"),
    }
}

async fn modes_tell_stories_apart(ground: &dyn Ground) {
    // One workspace holds all stories, a visitor each; the visitor filter picks one.
    let events = STORIES.iter().enumerate().flat_map(|(number, (text, _))| story(text, &format!("v{number}"))).collect();
    let play = Play::with(ground, events).await;
    for (number, (text, levels)) in STORIES.iter().enumerate() {
        for (mode, level) in levels {
            let mut asked = abc(*mode);
            asked.slice = asked.slice.with(Filter::is(Field::AnonymousId, format!("v{number}")));
            let reached: Vec<u64> = (0..3).map(|step| u64::from(step < *level)).collect();
            assert_eq!(funnel(&play, asked).await.overall, untimed(reached), "{text} {mode:?}");
        }
    }
    for mode in [Ordered, StrictIncrease, StrictOrder, StrictDeduplication, AnyOrder, FirstTimes] {
        let reached = (0..3).map(|step| count(mode, step)).collect();
        assert_eq!(funnel(&play, abc(mode)).await.overall, untimed(reached), "all stories, {mode:?}");
    }
}

/// How many stories come further than `step` in this mode.
fn count(mode: FunnelMode, step: usize) -> u64 {
    let of = |levels: &[(FunnelMode, usize); 6]| levels.iter().any(|(one, level)| *one == mode && *level > step);
    STORIES.iter().filter(|(_, levels)| of(levels)).count() as u64
}

async fn one_event_may_serve_several_steps(ground: &dyn Ground) {
    let play = Play::with(ground, story("a@0", "v")).await;
    for (mode, reached) in [
        (Ordered, [1, 1]),
        (StrictIncrease, [1, 0]),
        (StrictOrder, [1, 1]),
        (StrictDeduplication, [1, 1]),
        (AnyOrder, [1, 1]),
        (FirstTimes, [1, 1]),
    ] {
        let asked = Funnel { steps: vec![vec![], steps(&["a"]).remove(0)], window_us: None, ..abc(mode) };
        assert_eq!(funnel(&play, asked).await.overall.reached, reached, "{mode:?}");
    }
    let to_the_microsecond = Play::with(
        ground,
        vec![event("a", "v", at(0)), event("b", "v", at(10)), event("a", "w", at(0)), event("b", "w", at(10) + 1)],
    )
    .await;
    for mode in [Ordered, StrictIncrease, StrictOrder, StrictDeduplication, FirstTimes] {
        let asked = Funnel { steps: steps(&["a", "b"]), ..abc(mode) };
        assert_eq!(funnel(&to_the_microsecond, asked).await.overall.reached, [2, 1], "{mode:?}");
    }
}

async fn sessions_are_units_of_their_own(ground: &dyn Ground) {
    let mut events = story("a@0 b@1 c@1800 a@1801", "v");
    events.extend(story("a@0 b@1 c@2", "w"));
    let play = Play::with(ground, events).await;
    let by = |unit| Funnel { unit, window_us: None, ..abc(Ordered) };
    assert_eq!(funnel(&play, by(Unit::Visitor)).await.overall.reached, [2, 2, 2]);
    assert_eq!(funnel(&play, by(Unit::Session)).await.overall.reached, [3, 2, 1]);
}

async fn a_breakdown_reads_the_first_touch(ground: &dyn Ground) {
    let from = |country: Option<&str>, mut events: Vec<Event>| {
        events[0].country = country.map(str::to_owned);
        events
    };
    let stories = [
        (Some("DE"), "x@0 a@1 b@2", "v1"),
        (Some("DE"), "a@0", "v2"),
        (Some("AT"), "a@0 b@1 c@2", "v3"),
        (None, "a@0 b@1", "v4"),
        // Never reaches anything: not listed.
        (Some("CH"), "x@0 b@1", "v5"),
    ];
    let events = stories.into_iter().flat_map(|(country, text, visitor)| from(country, story(text, visitor))).collect();
    let play = Play::with(ground, events).await;
    let breakdown = Some(FunnelBreakdown { field: Field::Country, on: BreakdownEvent::First });
    let answer = funnel(&play, Funnel { breakdown, ..abc(Ordered) }).await;
    let counts = |reached: [u64; 3]| untimed(reached.to_vec());
    let value = |text: &str| Some(text.to_owned());
    assert_eq!(answer.overall, counts([4, 3, 1]));
    assert_eq!(answer.by_value, [(value("DE"), counts([2, 1, 0])), (None, counts([1, 1, 0])), (value("AT"), counts([1, 1, 1]))]);
}

async fn other_peoples_events_and_bots_do_not_help(ground: &dyn Ground) {
    let events = vec![
        event("a", "v", at(0)),
        event("b", "w", at(1)),
        by_bot(event("b", "v", at(1))),
        event("c", "v", at(2)),
        by_bot(event("a", "x", at(0))),
    ];
    let play = Play::with(ground, events).await;
    assert_eq!(funnel(&play, abc(Ordered)).await.overall.reached, [1, 0, 0]);
    // Events outside the slice are not even strangers.
    let strict = Funnel { slice: Slice::of(TimeRange { start_us: at(0), end_us: at(2) }), ..abc(StrictOrder) };
    assert_eq!(funnel(&play, strict).await.overall.reached, [1, 0, 0]);
}
