//! `event_id`: exactly once per workspace and origin, for as long as the event is kept.

use tributary_core::event::{Event, Origin};
use tributary_core::time::{DAY_US, TimeRange};

use super::sample::{at, event, with_id};
use super::{Ground, Play};
use crate::answer::Answer;
use crate::question::{Question, RowOrder, Rows, Slice};
use crate::store::{Erasure, Outcome};

pub(super) async fn run(ground: &dyn Ground) {
    the_first_of_two_wins(ground).await;
    origins_and_workspaces_have_their_own_ids(ground).await;
    an_erased_id_is_free_again(ground).await;
}

const NEW: Outcome = Outcome::Accepted;
const OLD: Outcome = Outcome::Duplicate;

async fn the_first_of_two_wins(ground: &dyn Ground) {
    let play = Play::fresh(ground);
    let first = with_id(event("a", "v", at(0)), "e1");
    let call = vec![first.clone(), with_id(event("b", "w", at(5)), "e1"), with_id(event("c", "v", at(6)), "e2")];
    let appended = play.append(call).await;
    assert_eq!(appended.outcomes, [NEW, OLD, NEW]);
    assert_eq!((appended.accepted(), appended.duplicates()), (2, 1));

    // Whatever its time; without an id nothing is a duplicate.
    let far = with_id(event("d", "v", at(0) - 900 * DAY_US), "e1");
    let plain = event("p", "v", at(7));
    let again = play.append(vec![far, plain.clone(), plain, first]).await;
    assert_eq!(again.outcomes, [OLD, NEW, NEW, OLD]);
    assert!(again.watermark > appended.watermark);
    assert_eq!(names(&play).await, ["a", "c", "p", "p"]);

    // Upper and lower case, and neighbours in any sort order, are other ids.
    let others = ["E1", "e", "e10", "e1 ", "é1"].map(|id| with_id(event("o", "v", at(8)), id)).to_vec();
    assert_eq!(play.append(others).await.duplicates(), 0);
}

async fn origins_and_workspaces_have_their_own_ids(ground: &dyn Ground) {
    let server = || with_id(event("server", "v", at(1)), "e1");
    let browser = || Event { origin: Origin::Browser, ..with_id(event("browser", "v", at(0)), "e1") };
    let play = Play::fresh(ground);
    assert_eq!(play.append(vec![browser(), server(), browser()]).await.outcomes, [NEW, NEW, OLD]);
    assert_eq!(play.append(vec![server()]).await.outcomes, [OLD]);
    assert_eq!(names(&play).await, ["browser", "server"]);

    let other = Play::fresh(ground);
    assert_eq!(other.append(vec![server()]).await.outcomes, [NEW]);
}

async fn an_erased_id_is_free_again(ground: &dyn Ground) {
    let play = Play::with(ground, vec![with_id(event("a", "v", at(0)), "e1"), with_id(event("b", "w", at(1)), "e2")]).await;
    let erased = ground.store().erase(&play.scope, Erasure::Visitor(String::from("v"))).await.expect("erasing succeeds");
    assert_eq!(erased.events, 1);
    let again = vec![with_id(event("c", "v", at(2)), "e1"), with_id(event("d", "w", at(3)), "e2")];
    assert_eq!(play.append(again.clone()).await.outcomes, [NEW, OLD]);
    assert_eq!(play.append(again).await.outcomes, [OLD, OLD]);
    assert_eq!(names(&play).await, ["b", "c"]);
}

async fn names(play: &Play<'_>) -> Vec<String> {
    let slice = Slice::of(TimeRange::ALL);
    match play
        .ask(Question::Rows(Rows {
            slice,
            order: RowOrder::OldestFirst,
            limit: 100,
            count_up_to: u64::MAX,
            after: None,
            only: None,
        }))
        .await
    {
        Answer::Rows(answer) => answer.rows.into_iter().map(|event| event.name).collect(),
        other => panic!("rows answer rows, not {other:?}"),
    }
}
