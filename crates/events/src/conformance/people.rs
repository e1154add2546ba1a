//! Visitors known to be one person.

use std::sync::Arc;

use jiff::tz::TimeZone;

use tributary_core::event::Event;
use tributary_core::time::{DAY_US, SECOND_US, TimeRange};

use super::funnels::{abc, funnel, story};
use super::sample::{at, by_bot, event, with_id};
use super::{Ground, Play};
use crate::answer::{AggregateAnswer, Answer};
use crate::bucket::Interval;
use crate::field::Field;
use crate::filter::Filter;
use crate::people::People;
use crate::question::{
    Aggregate, BreakdownEvent, Funnel, FunnelBreakdown, FunnelMode, Journey, Metric, Question, Retention, RetentionPeriod,
    SessionRule, Sessions, Slice, Unit,
};

pub(super) async fn run(ground: &dyn Ground) {
    people_are_counted_instead_of_visitors(ground).await;
    interleaved_visitors_are_one_story(ground).await;
    the_first_touch_is_the_persons(ground).await;
    a_person_comes_back_as_another_visitor(ground).await;
    gaps_are_the_persons_and_recorded_sessions_are_not(ground).await;
    a_journey_is_the_whole_persons(ground).await;
    only_the_slice_is_looked_at(ground).await;
}

fn people(groups: &[&[&str]]) -> Option<Arc<People>> {
    let groups = groups.iter().map(|group| group.iter().map(|visitor| (*visitor).to_owned()).collect());
    Some(People::new(groups).expect("every visitor of a case is one person's"))
}

/// Everything, with v and w one person.
fn merged() -> Slice {
    Slice { people: people(&[&["w", "v", "never seen"]]), ..Slice::of(TimeRange::ALL) }
}

fn apart() -> Slice {
    Slice::of(TimeRange::ALL)
}

async fn aggregate(play: &Play<'_>, slice: Slice, group_by: Vec<Field>) -> AggregateAnswer {
    let metrics = vec![Metric::Visitors, Metric::Sessions, Metric::Events];
    match play.ask(Question::Aggregate(Aggregate { slice, metrics, group_by, buckets: None, limit: 100 })).await {
        Answer::Aggregate(answer) => answer,
        other => panic!("aggregates answer aggregates, not {other:?}"),
    }
}

async fn people_are_counted_instead_of_visitors(ground: &dyn Ground) {
    let events =
        ["v", "w", "x", "y", "z", "z"].iter().zip(0..).map(|(visitor, second)| event("view", visitor, at(second))).collect();
    let play = Play::with(ground, events).await;
    assert_eq!(aggregate(&play, apart(), vec![]).await.totals, [5, 5, 6]);
    assert_eq!(aggregate(&play, merged(), vec![]).await.totals, [4, 5, 6]);
    let two = Slice { people: people(&[&["v", "w", "y"], &["z", "x"]]), ..apart() };
    assert_eq!(aggregate(&play, two.clone(), vec![]).await.totals, [2, 5, 6]);
    // A person is counted in every group it has a visitor in; the visitor column is the event's own.
    let answer = aggregate(&play, two, vec![Field::AnonymousId]).await;
    let rows: Vec<(&str, &[i128])> =
        answer.rows.iter().map(|row| (row.keys[0].as_deref().expect("a visitor"), row.values.as_slice())).collect();
    let expected: [(&str, &[i128]); 5] =
        [("v", &[1, 1, 1]), ("w", &[1, 1, 1]), ("x", &[1, 1, 1]), ("y", &[1, 1, 1]), ("z", &[1, 1, 2])];
    assert_eq!((rows, answer.totals), (expected.to_vec(), vec![2, 5, 6]));
    // Undone by asking without.
    assert_eq!(aggregate(&play, Slice { people: people(&[]), ..apart() }, vec![]).await.totals, [5, 5, 6]);
    assert_eq!(aggregate(&play, Slice { people: people(&[&["v"], &["a", "b"]]), ..apart() }, vec![]).await.totals, [5, 5, 6]);
}

async fn interleaved_visitors_are_one_story(ground: &dyn Ground) {
    let events = [story("a@0 c@2", "v"), story("b@1 x@4", "w"), story("a@0 b@1", "x")];
    let play = Play::with(ground, events.concat()).await;
    use FunnelMode::{AnyOrder, FirstTimes, Ordered, StrictDeduplication, StrictIncrease, StrictOrder};
    for mode in [Ordered, StrictIncrease, StrictOrder, StrictDeduplication, FirstTimes] {
        let by = |slice, unit| Funnel { slice, unit, ..abc(mode) };
        assert_eq!(funnel(&play, by(apart(), Unit::Visitor)).await.overall.reached, [2, 1, 0], "{mode:?}");
        assert_eq!(funnel(&play, by(merged(), Unit::Visitor)).await.overall.reached, [2, 2, 1], "{mode:?}");
        // A session stays its visitor's.
        assert_eq!(funnel(&play, by(merged(), Unit::Session)).await.overall.reached, [2, 1, 0], "{mode:?}");
    }
    let any = |slice| Funnel { slice, with_times: true, ..abc(AnyOrder) };
    assert_eq!(funnel(&play, any(apart())).await.overall.reached, [3, 2, 0]);
    let together = funnel(&play, any(merged())).await.overall;
    assert_eq!((together.reached, together.median_us), (vec![2, 2, 1], vec![Some(SECOND_US), Some(SECOND_US)]));
}

async fn the_first_touch_is_the_persons(ground: &dyn Ground) {
    let from = |country: &str, event: Event| Event { country: Some(country.to_owned()), ..event };
    let play = Play::with(
        ground,
        vec![
            // At one instant the id decides, not the visitor.
            from("DE", with_id(event("a", "v", at(0)), "2")),
            from("AT", with_id(event("x", "w", at(0)), "1")),
            from("CH", event("b", "w", at(1))),
            by_bot(from("FR", event("x", "w", at(-1)))),
        ],
    )
    .await;
    let by = async |slice: Slice, on: BreakdownEvent| {
        let breakdown = Some(FunnelBreakdown { field: Field::Country, on });
        let answer = funnel(&play, Funnel { slice, breakdown, ..abc(FunnelMode::Ordered) }).await;
        answer.by_value.into_iter().map(|(value, counts)| (value.unwrap_or_default(), counts.reached)).collect::<Vec<_>>()
    };
    assert_eq!(by(apart(), BreakdownEvent::First).await, [(String::from("DE"), vec![1, 0, 0])]);
    assert_eq!(by(merged(), BreakdownEvent::First).await, [(String::from("AT"), vec![1, 1, 0])]);
    assert_eq!(by(merged(), BreakdownEvent::Step(1)).await, [(String::from("DE"), vec![1, 1, 0])]);
    assert_eq!(by(merged(), BreakdownEvent::Step(2)).await, [(String::from("CH"), vec![1, 1, 0])]);
}

async fn a_person_comes_back_as_another_visitor(ground: &dyn Ground) {
    let on_day = |visitor: &str, day: i64| event("view", visitor, at(0) + day * DAY_US);
    // The person: day 0 as v, 1 and 3 as w, 2 as v again.
    let events = vec![on_day("v", 0), on_day("w", 1), on_day("v", 2), on_day("w", 3), on_day("x", 1)];
    let play = Play::with(ground, events).await;
    let active = async |slice: Slice| {
        let asked = Retention {
            slice,
            start: vec![],
            returning: vec![],
            period: RetentionPeriod::Calendar(Interval::Day),
            zone: TimeZone::UTC,
            by_period: true,
            breakdown: None,
            periods: 4,
        };
        match play.ask(Question::Retention(asked)).await {
            Answer::Retention(answer) => {
                answer.cohorts.into_iter().map(|cohort| (cohort.size, cohort.active)).collect::<Vec<_>>()
            }
            other => panic!("retention answers retention, not {other:?}"),
        }
    };
    assert_eq!(active(apart()).await, [(1, vec![1, 0, 1, 0]), (2, vec![2, 0, 1, 0])]);
    assert_eq!(active(merged()).await, [(1, vec![1, 1, 1, 1]), (1, vec![1, 0, 0, 0])]);
}

async fn gaps_are_the_persons_and_recorded_sessions_are_not(ground: &dyn Ground) {
    let named = |visitor: &str, second: i64| {
        let session = Some(String::from("s"));
        Event { session, source: visitor.to_owned(), ..event("view", visitor, at(second)) }
    };
    // Apart, every gap of v is too long; together no gap is.
    let events = vec![named("w", 1_000), named("v", 0), named("v", 2_000), named("v", 5_000)];
    let play = Play::with(ground, events).await;
    let sessions = async |slice: Slice, rule: SessionRule| {
        let group_by = vec![Field::Source];
        let asked = Sessions { slice, rule, buckets: None, group_by, containing: vec![], limit: 100 };
        match play.ask(Question::Sessions(asked)).await {
            Answer::Sessions(answer) => {
                let rows = answer.rows.into_iter().map(|row| (row.keys[0].clone().unwrap_or_default(), row.counts.sessions));
                (rows.collect::<Vec<_>>(), answer.sizes, answer.totals.duration_us / i128::from(SECOND_US))
            }
            other => panic!("sessions answer sessions, not {other:?}"),
        }
    };
    let row = |source: &str, sessions: u64| (source.to_owned(), sessions);
    let gap = |seconds: i64| SessionRule::GapOver(seconds * SECOND_US);
    assert_eq!(sessions(apart(), gap(1_800)).await, (vec![row("v", 3), row("w", 1)], vec![(1, 4)], 0));
    assert_eq!(sessions(merged(), gap(1_800)).await, (vec![row("v", 2)], vec![(1, 1), (3, 1)], 2_000));
    let from = SessionRule::GapFrom(1_000 * SECOND_US);
    assert_eq!(sessions(merged(), from).await, (vec![row("v", 3), row("w", 1)], vec![(1, 4)], 0));
    for slice in [apart(), merged()] {
        let recorded = sessions(slice, SessionRule::Recorded).await;
        assert_eq!(recorded, (vec![row("v", 1), row("w", 1)], vec![(1, 1), (3, 1)], 5_000));
    }
}

async fn journey(play: &Play<'_>, visitor: &str, slice: Slice, limit: usize) -> (Vec<String>, u64) {
    match play.ask(Question::Journey(Journey { slice, anonymous_id: visitor.to_owned(), limit })).await {
        Answer::Rows(answer) => (answer.rows.into_iter().map(|event| event.name).collect(), answer.total),
        other => panic!("journeys answer rows, not {other:?}"),
    }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

async fn a_journey_is_the_whole_persons(ground: &dyn Ground) {
    let events = vec![
        event("d", "w", at(3)),
        event("a", "v", at(0)),
        event("c", "v", at(2)),
        event("b", "w", at(1)),
        event("x", "x", at(1)),
        by_bot(event("bot", "w", at(1))),
    ];
    let play = Play::with(ground, events).await;
    assert_eq!(journey(&play, "v", apart(), 10).await, (names(&["a", "c"]), 2));
    for visitor in ["v", "w", "never seen"] {
        assert_eq!(journey(&play, visitor, merged(), 10).await, (names(&["a", "b", "c", "d"]), 4), "{visitor}");
        assert_eq!(journey(&play, visitor, merged(), 1).await, (names(&["a"]), 4), "{visitor}");
    }
    assert_eq!(journey(&play, "x", merged(), 10).await, (names(&["x"]), 1));
}

async fn only_the_slice_is_looked_at(ground: &dyn Ground) {
    // Of the person's three visitors only w has anything in the range, or passes the filter.
    let events = vec![event("a", "v", at(0)), event("b", "w", at(10)), event("c", "u", at(20)), event("a", "x", at(11))];
    let play = Play::with(ground, events).await;
    let person = || Slice { people: people(&[&["u", "v", "w"]]), ..apart() };
    let in_range = Slice { range: TimeRange { start_us: at(10), end_us: at(20) }, ..person() };
    let filtered = person().with(Filter::is(Field::AnonymousId, "w"));
    assert_eq!(aggregate(&play, in_range.clone(), vec![]).await.totals, [2, 2, 2]);
    assert_eq!(aggregate(&play, filtered.clone(), vec![]).await.totals, [1, 1, 1]);
    for slice in [in_range, filtered] {
        for visitor in ["u", "v", "w"] {
            assert_eq!(journey(&play, visitor, slice.clone(), 10).await, (names(&["b"]), 1), "{visitor}");
        }
        let started = u64::from(slice.filters.is_empty());
        let asked = Funnel { slice, window_us: None, ..abc(FunnelMode::Ordered) };
        assert_eq!(funnel(&play, asked).await.overall.reached, [started, 0, 0]);
    }
    let all = Funnel { slice: person(), window_us: None, ..abc(FunnelMode::Ordered) };
    assert_eq!(funnel(&play, all).await.overall.reached, [2, 1, 1]);
}
