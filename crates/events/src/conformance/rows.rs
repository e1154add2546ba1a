//! Events as they were stored, in their total order; journeys; distinct values.

use tributary_core::error::Code;
use tributary_core::event::Event;
use tributary_core::time::TimeRange;

use super::sample::{at, by_bot, event, full, with_id};
use super::{Ground, Play};
use crate::answer::{Answer, RowsAnswer, ValueCount, ValuesAnswer};
use crate::field::Field;
use crate::filter::Filter;
use crate::question::{Bots, Budget, Journey, Question, RowOrder, Rows, Slice, Values};

pub(super) async fn run(ground: &dyn Ground) {
    events_come_back_whole(ground).await;
    ties_have_one_order_whatever_the_arrival(ground).await;
    limits_cut_and_totals_do_not(ground).await;
    matches_are_counted_as_far_as_asked(ground).await;
    ranges_are_half_open_to_the_microsecond(ground).await;
    bots_are_left_out_unless_asked_for(ground).await;
    a_journey_is_one_visitors(ground).await;
    values_are_counted_and_dated(ground).await;
}

async fn rows(play: &Play<'_>, question: Rows) -> RowsAnswer {
    match play.ask(Question::Rows(question)).await {
        Answer::Rows(answer) => answer,
        other => panic!("rows answer rows, not {other:?}"),
    }
}

async fn names(play: &Play<'_>, slice: Slice) -> Vec<String> {
    let answer =
        rows(play, Rows { slice, order: RowOrder::OldestFirst, limit: 1_000, count_up_to: u64::MAX, after: None, only: None })
            .await;
    answer.rows.into_iter().map(|event| event.name).collect()
}

fn all() -> Slice {
    Slice::of(TimeRange::ALL)
}

async fn events_come_back_whole(ground: &dyn Ground) {
    let stored = vec![event("a", "日本", at(-1)), full("v", at(0)), by_bot(full("w", at(1)))];
    let stored: Vec<Event> = stored.into_iter().enumerate().map(|(number, event)| with_id(event, &number.to_string())).collect();
    let play = Play::with(ground, stored.clone()).await;
    let slice = Slice { bots: Bots::Include, ..all() };
    let answer =
        rows(&play, Rows { slice, order: RowOrder::OldestFirst, limit: 10, count_up_to: u64::MAX, after: None, only: None })
            .await;
    assert_eq!((answer.rows, answer.total), (stored, 3));
}

async fn ties_have_one_order_whatever_the_arrival(ground: &dyn Ground) {
    // Same instant: no id before ids, ids by bytes, then content.
    let mut events = vec![
        event("x", "v", at(0)),
        event("y", "v", at(0)),
        event("x", "w", at(0)),
        with_id(event("b", "v", at(0)), "2"),
        with_id(event("a", "v", at(0)), "10"),
        with_id(event("c", "v", at(0)), "Z"),
        with_id(event("d", "v", at(0)), "a"),
    ];
    let forward = Play::with(ground, events.clone()).await;
    let mut expected = events.clone();
    expected.sort_by(Event::order);
    assert_eq!(expected[3..].iter().map(|event| event.name.as_str()).collect::<Vec<_>>(), ["a", "b", "c", "d"]);
    events.reverse();
    let backward = Play::fresh(ground);
    for event in events {
        backward.append(vec![event]).await;
    }
    for play in [forward, backward] {
        let answer = rows(
            &play,
            Rows { slice: all(), order: RowOrder::OldestFirst, limit: 10, count_up_to: u64::MAX, after: None, only: None },
        )
        .await;
        assert_eq!(answer.rows, expected);
        let newest = rows(
            &play,
            Rows { slice: all(), order: RowOrder::NewestFirst, limit: 10, count_up_to: u64::MAX, after: None, only: None },
        )
        .await;
        assert_eq!(newest.rows, expected.iter().rev().cloned().collect::<Vec<_>>());
    }
}

async fn limits_cut_and_totals_do_not(ground: &dyn Ground) {
    let play = Play::with(ground, (0..5).map(|second| event(&second.to_string(), "v", at(second))).collect()).await;
    for (order, expected) in [(RowOrder::OldestFirst, ["0", "1"]), (RowOrder::NewestFirst, ["4", "3"])] {
        let answer = rows(&play, Rows { slice: all(), order, limit: 2, count_up_to: u64::MAX, after: None, only: None }).await;
        assert_eq!(answer.rows.iter().map(|event| event.name.as_str()).collect::<Vec<_>>(), expected);
        assert_eq!(answer.total, 5);
    }
}

async fn matches_are_counted_as_far_as_asked(ground: &dyn Ground) {
    let mut events: Vec<Event> = (0..5).map(|second| event(&second.to_string(), "v", at(second))).collect();
    events.push(by_bot(event("bot", "v", at(6))));
    // Enough of them years ago that an engine may leave them unread.
    events.extend((0..5).map(|second| event("old", "w", at(second - 100_000_000))));
    let play = Play::with(ground, events).await;
    for (order, expected) in [(RowOrder::OldestFirst, ["old", "old"]), (RowOrder::NewestFirst, ["4", "3"])] {
        for (count_up_to, total) in [(2, 2), (3, 3), (10, 10), (11, 10), (u64::MAX, 10)] {
            let answer = rows(&play, Rows { slice: all(), order, limit: 2, count_up_to, after: None, only: None }).await;
            assert_eq!(answer.rows.iter().map(|event| event.name.as_str()).collect::<Vec<_>>(), expected, "{count_up_to}");
            assert_eq!(answer.total, total, "{order:?} up to {count_up_to}");
        }
    }
    // What is counted passes the filters.
    let slice = || all().with(Filter::is(Field::AnonymousId, "v"));
    for (count_up_to, total) in [(4, 4), (5, 5), (6, 5)] {
        let answer =
            rows(&play, Rows { slice: slice(), order: RowOrder::NewestFirst, limit: 1, count_up_to, after: None, only: None })
                .await;
        assert_eq!((answer.rows[0].name.as_str(), answer.total), ("4", total));
    }
    let short =
        Question::Rows(Rows { slice: all(), order: RowOrder::NewestFirst, limit: 3, count_up_to: 2, after: None, only: None });
    assert_eq!(play.refusal(short, Budget::INTERACTIVE).await, Code::InvalidParams);
}

async fn ranges_are_half_open_to_the_microsecond(ground: &dyn Ground) {
    let events = vec![
        event("before", "v", at(0) - 1),
        event("first", "v", at(0)),
        event("last", "v", at(10) - 1),
        event("after", "v", at(10)),
    ];
    let play = Play::with(ground, events).await;
    assert_eq!(names(&play, Slice::of(TimeRange { start_us: at(0), end_us: at(10) })).await, ["first", "last"]);
    assert_eq!(names(&play, Slice::of(TimeRange { start_us: at(0), end_us: at(0) + 1 })).await, ["first"]);
    // Before the epoch time still runs forward.
    let old = Play::with(ground, vec![event("b", "v", -1), event("a", "v", -1_800_000_001)]).await;
    assert_eq!(names(&old, Slice::of(TimeRange { start_us: -1_800_000_001, end_us: 0 })).await, ["a", "b"]);
}

async fn bots_are_left_out_unless_asked_for(ground: &dyn Ground) {
    let play = Play::with(ground, vec![event("person", "v", at(0)), by_bot(event("bot", "v", at(1)))]).await;
    for (bots, expected) in [(Bots::Exclude, vec!["person"]), (Bots::Include, vec!["person", "bot"]), (Bots::Only, vec!["bot"])] {
        assert_eq!(names(&play, Slice { bots, ..all() }).await, expected, "{bots:?}");
    }
}

async fn a_journey_is_one_visitors(ground: &dyn Ground) {
    let mut named = event("c", "w", at(3));
    named.user_id = Some(String::from("v"));
    let events = vec![event("b", "v", at(2)), event("a", "v", at(1)), named, event("d", "v2", at(0)), event("e", "v", at(9))];
    let play = Play::with(ground, events).await;
    let journey = async |visitor: &str, slice: Slice, limit: usize| match play
        .ask(Question::Journey(Journey { slice, anonymous_id: visitor.to_owned(), limit }))
        .await
    {
        Answer::Rows(answer) => (answer.rows.into_iter().map(|event| event.name).collect::<Vec<_>>(), answer.total),
        other => panic!("journeys answer rows, not {other:?}"),
    };
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(journey("v", all(), 10).await, (owned(&["a", "b", "e"]), 3));
    assert_eq!(journey("v", all(), 1).await, (owned(&["a"]), 3));
    assert_eq!(journey("v", all().with(Filter::is(Field::EventName, "b")), 10).await, (owned(&["b"]), 1));
    assert_eq!(journey("nobody", all(), 10).await, (owned(&[]), 0));
}

async fn values_are_counted_and_dated(ground: &dyn Ground) {
    let on = |path: &str, second: i64| {
        let mut event = event("view", "v", at(second));
        event.path = Some(path.to_owned());
        event
    };
    let events =
        vec![on("/b", 9), on("/b", 3), on("/a", 5), on("/c", 4), on("/c", 4), event("none", "v", at(0)), by_bot(on("/d", 1))];
    let play = Play::with(ground, events).await;
    let values = async |field: Field, limit: usize| match play.ask(Question::Values(Values { slice: all(), field, limit })).await
    {
        Answer::Values(answer) => answer,
        other => panic!("values answer values, not {other:?}"),
    };
    let value = |value: &str, events, first: i64, last: i64| ValueCount {
        value: value.to_owned(),
        events,
        first_us: at(first),
        last_us: at(last),
    };
    let expected = vec![value("/b", 2, 3, 9), value("/c", 2, 4, 4), value("/a", 1, 5, 5)];
    assert_eq!(values(Field::Path, 10).await, ValuesAnswer { values: expected.clone(), total: 3 });
    assert_eq!(values(Field::Path, 1).await, ValuesAnswer { values: expected[..1].to_vec(), total: 3 });
    assert_eq!(values(Field::Country, 10).await, ValuesAnswer { values: vec![], total: 0 });
    assert_eq!(values(Field::EventName, 10).await.values, [value("view", 5, 3, 9), value("none", 1, 0, 0)]);
}
