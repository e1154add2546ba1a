//! Many writers at once, with housekeeping and questions in between: what was acknowledged is there, exactly once.

use std::sync::Arc;
use tokio::task::JoinSet;

use tributary_core::event::Event;
use tributary_core::scope::WorkspaceScope;
use tributary_core::time::TimeRange;
use tributary_events::answer::Answer;
use tributary_events::conformance::Ground;
use tributary_events::conformance::sample::{at, event, with_id};
use tributary_events::field::Field;
use tributary_events::question::{Aggregate, Bots, Budget, Metric, Question, RowOrder, Rows, Slice};
use tributary_events::reference::ReferenceStore;
use tributary_events::store::EventStore;

use crate::equality::check_equal;

const WRITERS: usize = 6;
const CALLS: usize = 30;
const CALL_EVENTS: usize = 8;

/// Pairs of writers send the same events into one workspace. Every id is accepted once, no answer ever goes back behind what was acknowledged before it was asked, and in the end all answers equal the
/// reference's. The ground's housekeeping must keep its store open. Panics where this does not hold.
pub async fn check(ground: Arc<dyn Ground>) {
    let scope = ground.workspace();
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        writers.spawn(write(ground.clone(), scope.clone(), writer));
    }
    let mut accepted = 0;
    while let Some(written) = writers.join_next().await {
        accepted += written.expect("no writer panics");
        ground.settle().await;
    }
    let sent: Vec<Event> = (0..WRITERS).flat_map(|writer| (0..CALLS).flat_map(move |call| events(writer, call))).collect();
    let reference = ReferenceStore::new();
    let expected = reference.append(&scope, sent).await.expect("the reference takes everything").accepted();
    assert_eq!(accepted, expected, "every id is accepted once");
    for question in questions() {
        let equal = check_equal(ground.store().as_ref(), &reference, &scope, &question, Budget::INTERACTIVE).await;
        equal.expect("the engine equals the reference");
    }
}

/// Sends one writer's events and returns how many were accepted.
async fn write(ground: Arc<dyn Ground>, scope: WorkspaceScope, writer: usize) -> usize {
    let mut accepted = 0;
    for call in 0..CALLS {
        let own = events(writer, call);
        let appended = ground.store().append(&scope, own.clone()).await.expect("the append succeeds");
        accepted += appended.accepted();
        let answered = ground.store().ask(&scope, by_id(), Budget::INTERACTIVE).await.expect("the question is answered");
        assert!(answered.watermark >= appended.watermark, "acknowledged means visible");
        let Answer::Aggregate(answer) = answered.answer else { panic!("aggregates answer aggregates") };
        let ids: Vec<&str> = answer.rows.iter().filter_map(|row| row.keys[0].as_deref()).collect();
        for event in &own {
            let id = event.event_id.as_deref().expect("racing events have ids");
            assert!(ids.contains(&id), "{id} was acknowledged and is not there");
        }
        assert!(answer.rows.iter().all(|row| row.values == [1]), "an id is there twice");
        if call % 7 == writer {
            ground.settle().await;
        }
    }
    accepted
}

/// The events of a call: the same as those of the other writer of the pair.
fn events(writer: usize, call: usize) -> Vec<Event> {
    let pair = writer / 2;
    let one = |number: usize| {
        let second = (pair * 7 + call * 11 + number * 37) as i64 * 3_601 % 5_000_000;
        with_id(event("view", &format!("v{}", number % 3), at(second)), &format!("{pair}-{call}-{number}"))
    };
    (0..CALL_EVENTS).map(one).collect()
}

fn all() -> Slice {
    Slice { bots: Bots::Include, ..Slice::of(TimeRange::ALL) }
}

fn by_id() -> Question {
    let (metrics, group_by) = (vec![Metric::Events], vec![Field::EventId]);
    Question::Aggregate(Aggregate { slice: all(), metrics, group_by, buckets: None, limit: 100_000 })
}

fn questions() -> [Question; 2] {
    [
        by_id(),
        Question::Rows(Rows {
            slice: all(),
            order: RowOrder::NewestFirst,
            limit: 100_000,
            count_up_to: u64::MAX,
            after: None,
            only: None,
        }),
    ]
}
