//! Events that expire: gone from every answer, whenever they arrived.

use tributary_core::event::Event;
use tributary_core::time::{DAY_US, TimeRange};

use super::sample::{at, by_bot, event, with_id};
use super::{Ground, Play};
use crate::answer::Answer;
use crate::field::Field;
use crate::question::{Aggregate, Bots, Journey, Metric, Question, RowOrder, Rows, Slice, Values};
use crate::store::{Erasure, Holdings, Outcome};

pub(super) async fn run(ground: &dyn Ground) {
    events_before_the_instant_expire(ground).await;
    later_arrivals_expire_too(ground).await;
    the_instant_only_moves_forward(ground).await;
    expiry_outlives_an_erasure(ground).await;
    expired_events_are_not_erased_again(ground).await;
    other_workspaces_keep_theirs(ground).await;
    every_kind_of_answer_forgets(ground).await;
}

fn everything() -> Slice {
    Slice { bots: Bots::Include, ..Slice::of(TimeRange::ALL) }
}

async fn names(play: &Play<'_>, slice: Slice) -> Vec<String> {
    let question = Rows { slice, order: RowOrder::OldestFirst, limit: 1_000, count_up_to: u64::MAX, after: None, only: None };
    match play.ask(Question::Rows(question)).await {
        Answer::Rows(answer) => {
            assert_eq!(answer.total, answer.rows.len() as u64);
            answer.rows.into_iter().map(|event| event.name).collect()
        }
        other => panic!("rows answer rows, not {other:?}"),
    }
}

async fn expire(play: &Play<'_>, before_us: i64) {
    play.ground.store().expire(&play.scope, before_us).await.expect("expiring succeeds");
}

async fn holdings(play: &Play<'_>) -> Holdings {
    let holdings = play.ground.store().describe(&play.scope).await.expect("describing succeeds");
    Holdings { disk_bytes: 0, ..holdings }
}

async fn events_before_the_instant_expire(ground: &dyn Ground) {
    let mut old = event("old", "v", at(0));
    old.received_us = at(900);
    let events = vec![old, event("barely", "v", at(10) - 1), event("exactly", "v", at(10)), by_bot(event("later", "w", at(20)))];
    let play = Play::with(ground, events).await;
    let before = holdings(&play).await;
    assert_eq!((before.events, before.first_us, before.last_received_us), (4, Some(at(0)), Some(at(900))));

    expire(&play, at(10)).await;
    let after = Holdings { events: 2, first_us: Some(at(10)), last_received_us: Some(at(21)), ..before };
    for _ in 0..2 {
        assert_eq!(names(&play, everything()).await, ["exactly", "later"]);
        assert_eq!(names(&play, Slice { as_of: Some(before.watermark), ..everything() }).await, ["exactly", "later"]);
        let range = TimeRange { start_us: at(0), end_us: at(10) };
        assert_eq!(names(&play, Slice { range, ..everything() }).await, Vec::<String>::new());
        assert_eq!(holdings(&play).await, after);
        ground.settle().await;
    }
    expire(&play, at(21)).await;
    assert_eq!(names(&play, everything()).await, Vec::<String>::new());
    let nothing = Holdings { events: 0, first_us: None, last_us: None, last_received_us: None, ..before };
    assert_eq!(holdings(&play).await, nothing, "the watermark stays");
}

async fn later_arrivals_expire_too(ground: &dyn Ground) {
    let play = Play::fresh(ground);
    // In a workspace nothing was stored in yet.
    expire(&play, at(10)).await;
    ground.settle().await;
    let watermark = holdings(&play).await.watermark;
    let arriving = vec![event("late", "v", at(9)), event("new", "v", at(10)), event("very late", "v", at(0) - 900 * DAY_US)];
    let appended = play.append(arriving).await;
    assert_eq!(appended.outcomes, [Outcome::Accepted; 3]);
    assert!(appended.watermark > watermark);
    assert_eq!(names(&play, everything()).await, ["new"]);
    assert_eq!(holdings(&play).await.first_us, Some(at(10)));

    // Ids within a call still count once, expired or not.
    let twice = vec![with_id(event("late", "v", at(0)), "e1"), with_id(event("new", "v", at(20)), "e1")];
    assert_eq!(play.append(twice).await.outcomes, [Outcome::Accepted, Outcome::Duplicate]);
    assert_eq!(names(&play, everything()).await, ["new"]);
}

async fn the_instant_only_moves_forward(ground: &dyn Ground) {
    let play = Play::with(ground, (0..5).map(|second| event(&second.to_string(), "v", at(second))).collect()).await;
    for (before_us, expected) in [
        (i64::MIN, vec!["0", "1", "2", "3", "4"]),
        (at(2), vec!["2", "3", "4"]),
        (at(1), vec!["2", "3", "4"]),
        (i64::MIN, vec!["2", "3", "4"]),
        (at(2), vec!["2", "3", "4"]),
        (at(3) + 1, vec!["4"]),
    ] {
        expire(&play, before_us).await;
        assert_eq!(names(&play, everything()).await, expected, "before {before_us}");
        ground.settle().await;
        assert_eq!(names(&play, everything()).await, expected, "before {before_us}, settled");
    }
    play.append(vec![event("late", "v", at(3)), event("new", "v", at(4))]).await;
    let mut left = names(&play, everything()).await;
    left.sort();
    assert_eq!(left, ["4", "new"]);
}

async fn expiry_outlives_an_erasure(ground: &dyn Ground) {
    let play = Play::with(ground, vec![event("a", "v", at(0)), event("b", "v", at(10))]).await;
    expire(&play, at(5)).await;
    let erased = ground.store().erase(&play.scope, Erasure::Workspace).await.expect("erasing succeeds");
    assert_eq!(erased.events, 1);
    ground.settle().await;
    play.append(vec![event("c", "v", at(4)), event("d", "v", at(5))]).await;
    assert_eq!(names(&play, everything()).await, ["d"]);
}

async fn expired_events_are_not_erased_again(ground: &dyn Ground) {
    let named = |name: &str, second: i64| Event { user_id: Some(String::from("u")), ..event(name, "v", at(second)) };
    let events = vec![named("a", 0), named("b", 10), event("c", "w", at(0)), event("d", "w", at(11))];
    let play = Play::with(ground, events).await;
    expire(&play, at(5)).await;
    let erase = async |what: Erasure| ground.store().erase(&play.scope, what).await.expect("erasing succeeds").events;
    assert_eq!(erase(Erasure::User(String::from("u"))).await, 1);
    assert_eq!(names(&play, everything()).await, ["d"]);
    assert_eq!(erase(Erasure::Visitor(String::from("v"))).await, 0);
    assert_eq!(erase(Erasure::Visitor(String::from("w"))).await, 1);
    assert_eq!(names(&play, everything()).await, Vec::<String>::new());
}

async fn other_workspaces_keep_theirs(ground: &dyn Ground) {
    let mine = Play::with(ground, vec![event("a", "v", at(0)), event("b", "v", at(10))]).await;
    let other = Play::with(ground, vec![event("a", "v", at(0)), event("b", "v", at(10))]).await;
    expire(&mine, at(10)).await;
    ground.settle().await;
    assert_eq!(names(&mine, everything()).await, ["b"]);
    assert_eq!(names(&other, everything()).await, ["a", "b"]);
}

async fn every_kind_of_answer_forgets(ground: &dyn Ground) {
    // An event far from the others, as a segment of its own may hold it, and two that share a second with what stays.
    let events = vec![
        event("old", "u", at(0) - 100 * DAY_US),
        event("old", "v", at(0)),
        event("old", "v", at(10) - 1),
        event("new", "w", at(10)),
        event("new", "v", at(11)),
    ];
    let play = Play::with(ground, events).await;
    expire(&play, at(10)).await;
    let metrics = vec![Metric::Events, Metric::Visitors, Metric::Sessions];
    let aggregate = Aggregate { slice: everything(), metrics, group_by: vec![Field::EventName], buckets: None, limit: 10 };
    match play.ask(Question::Aggregate(aggregate)).await {
        Answer::Aggregate(answer) => assert_eq!((answer.rows.len(), answer.totals), (1, vec![2, 2, 2])),
        other => panic!("aggregates answer aggregates, not {other:?}"),
    }
    match play.ask(Question::Values(Values { slice: everything(), field: Field::AnonymousId, limit: 10 })).await {
        Answer::Values(answer) => {
            let values: Vec<(&str, u64)> = answer.values.iter().map(|value| (value.value.as_str(), value.events)).collect();
            assert_eq!(values, [("v", 1), ("w", 1)]);
        }
        other => panic!("values answer values, not {other:?}"),
    }
    let journey = Journey { slice: everything(), anonymous_id: String::from("v"), limit: 10 };
    match play.ask(Question::Journey(journey)).await {
        Answer::Rows(answer) => assert_eq!((answer.rows[0].name.as_str(), answer.total), ("new", 1)),
        other => panic!("journeys answer rows, not {other:?}"),
    }
}
