//! One page of rows after the other, and single rows by their sequence.

use tributary_core::error::Code;
use tributary_core::event::Event;
use tributary_core::time::TimeRange;

use super::sample::{at, by_bot, event, with_id};
use super::{Ground, Play};
use crate::answer::{Answer, RowsAnswer};
use crate::field::Field;
use crate::filter::Filter;
use crate::question::{Budget, Journey, Question, RowOrder, RowPosition, Rows, Slice};
use crate::row_id::RowId;
use crate::store::Erasure;

pub(super) async fn run(ground: &dyn Ground) {
    pages_hold_every_row_once(ground).await;
    a_position_that_is_gone_leaves_its_instant_out(ground).await;
    a_row_is_found_by_its_sequence(ground).await;
    one_row_or_what_follows_but_not_both(ground).await;
}

const ORDERS: [RowOrder; 2] = [RowOrder::OldestFirst, RowOrder::NewestFirst];

fn asked(order: RowOrder, limit: usize) -> Rows {
    Rows { slice: Slice::of(TimeRange::ALL), order, limit, count_up_to: u64::MAX, after: None, only: None }
}

async fn rows(play: &Play<'_>, question: Rows) -> RowsAnswer {
    match play.ask(Question::Rows(question)).await {
        Answer::Rows(answer) => answer,
        other => panic!("rows answer rows, not {other:?}"),
    }
}

fn names(answer: &RowsAnswer) -> Vec<&str> {
    answer.rows.iter().map(|event| event.name.as_str()).collect()
}

/// Ties of every kind, in three calls: by id, by content, by arrival alone, of several visitors.
async fn filled(ground: &dyn Ground) -> Play<'_> {
    let calls: [Vec<Event>; 3] = [
        vec![event("b", "v", at(0)), with_id(event("d", "w", at(0)), "2"), event("twin", "v", at(1)), event("a", "w", at(-9))],
        vec![event("twin", "v", at(1)), with_id(event("c", "v", at(0)), "1"), event("old", "x", at(-90_000_000))],
        vec![event("twin", "v", at(1)), event("z", "x", at(5)), by_bot(event("bot", "x", at(0)))],
    ];
    let play = Play::fresh(ground);
    for events in calls {
        play.append(events).await;
    }
    play
}

async fn pages_hold_every_row_once(ground: &dyn Ground) {
    let play = filled(ground).await;
    for order in ORDERS {
        let whole = rows(&play, asked(order, 100)).await;
        assert_eq!((whole.rows.len(), whole.sequences.len(), whole.total), (9, 9, 9));
        for limit in 1..=9 {
            let (mut read, mut sequences, mut after) = (Vec::new(), Vec::new(), None);
            loop {
                let page = rows(&play, Rows { after, ..asked(order, limit) }).await;
                // The total is what is left.
                assert_eq!(page.total, 9 - read.len() as u64, "{order:?} {limit}");
                let Some(last) = page.rows.len().checked_sub(1) else { break };
                after = page.position(last);
                assert!(after.is_some());
                read.extend(page.rows);
                sequences.extend(page.sequences);
            }
            assert_eq!((&read, &sequences), (&whole.rows, &whole.sequences), "{order:?} {limit}");
        }
        // Counting stops where it is asked to, and the slice's filters hold.
        let after = whole.position(0);
        let counted = rows(&play, Rows { after, count_up_to: 3, ..asked(order, 2) }).await;
        assert_eq!((counted.rows.as_slice(), counted.total), (&whole.rows[1..3], 3));
        let slice = Slice::of(TimeRange::ALL).with(Filter::is(Field::AnonymousId, "v"));
        let own = rows(&play, Rows { slice: slice.clone(), ..asked(order, 100) }).await;
        let rest = rows(&play, Rows { slice, after: own.position(1), ..asked(order, 100) }).await;
        assert_eq!(rest.rows, own.rows[2..]);
    }
    let journey = Journey { slice: Slice::of(TimeRange::ALL), anonymous_id: String::from("w"), limit: 10 };
    let Answer::Rows(journey) = play.ask(Question::Journey(journey)).await else { panic!("journeys answer rows") };
    let whole = rows(&play, asked(RowOrder::OldestFirst, 100)).await;
    let place = |at: usize| whole.sequences.iter().position(|sequence| *sequence == journey.sequences[at]);
    assert_eq!(names(&journey), ["a", "d"]);
    assert_eq!([place(0), place(1)].map(|place| place.map(|at| whole.rows[at].name.as_str())), [Some("a"), Some("d")]);
}

async fn a_position_that_is_gone_leaves_its_instant_out(ground: &dyn Ground) {
    let play = filled(ground).await;
    let whole = rows(&play, asked(RowOrder::OldestFirst, 100)).await;
    let gone = names(&whole).iter().position(|name| *name == "d").and_then(|at| whole.position(at));
    play.ground.store().erase(&play.scope, Erasure::Visitor(String::from("w"))).await.expect("the erasure succeeds");
    play.ground.settle().await;
    for (order, expected) in [(ORDERS[0], &["twin", "twin", "twin", "z"][..]), (ORDERS[1], &["old"])] {
        let rest = rows(&play, Rows { after: gone, ..asked(order, 100) }).await;
        assert_eq!((names(&rest).as_slice(), rest.total), (expected, expected.len() as u64), "{order:?}");
    }
    for after in [i64::MIN, i64::MAX].map(|time_us| Some(RowPosition { time_us, sequence: 1 })) {
        let left: Vec<usize> = [
            rows(&play, Rows { after, ..asked(ORDERS[0], 100) }).await,
            rows(&play, Rows { after, ..asked(ORDERS[1], 100) }).await,
        ]
        .map(|answer| answer.rows.len())
        .to_vec();
        assert_eq!(left, if after.is_some_and(|after| after.time_us < 0) { [7, 0] } else { [0, 7] });
    }
}

async fn a_row_is_found_by_its_sequence(ground: &dyn Ground) {
    let play = filled(ground).await;
    let whole = rows(&play, asked(RowOrder::OldestFirst, 100)).await;
    for (event, sequence) in whole.rows.iter().zip(&whole.sequences) {
        let id = RowId::of(event.time_us, *sequence).expect("this century");
        let slice = Slice::of(id.day_range());
        let found =
            rows(&play, Rows { slice: slice.clone(), only: Some(id.sequence()), ..asked(RowOrder::NewestFirst, 5) }).await;
        assert_eq!(
            (found.rows.as_slice(), found.sequences.as_slice(), found.total),
            (std::slice::from_ref(event), &[*sequence][..], 1)
        );
        // The slice must hold it.
        let other = Filter::is(Field::EventName, "another");
        for slice in [slice.with(other), Slice::of(TimeRange { start_us: at(10), end_us: at(11) })] {
            let found = rows(&play, Rows { slice, only: Some(*sequence), ..asked(RowOrder::NewestFirst, 5) }).await;
            assert_eq!((found.rows.len(), found.total), (0, 0));
        }
    }
    let found = rows(&play, Rows { only: Some(1 << 37), ..asked(RowOrder::NewestFirst, 5) }).await;
    assert_eq!((found.rows.len(), found.total), (0, 0));
}

async fn one_row_or_what_follows_but_not_both(ground: &dyn Ground) {
    let play = Play::fresh(ground);
    let after = Some(RowPosition { time_us: at(0), sequence: 1 });
    let both = Rows { after, only: Some(1), ..asked(RowOrder::NewestFirst, 5) };
    assert_eq!(play.refusal(Question::Rows(both), Budget::INTERACTIVE).await, Code::InvalidParams);
}
