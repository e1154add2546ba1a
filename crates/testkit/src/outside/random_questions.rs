//! Random questions over as many events as fill several row groups, instead of the few that random histories hold.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use std::collections::BTreeSet;
use std::sync::Arc;

use tributary_core::event::Event;
use tributary_core::time::SECOND_US;
use tributary_events::conformance::Ground;
use tributary_events::people::People;
use tributary_events::question::Budget;
use tributary_events::reference::ReferenceStore;
use tributary_events::store::{Erasure, EventStore};

use super::synthetic;
use crate::equality::check_equal;
use crate::random::questions::question;

/// Events per append.
const CALL_EVENTS: usize = 3_000;

/// Asks an engine and the reference so many random questions over the synthetic events; half-way, some people are forgotten.
/// `Err` says where the two differ.
pub async fn check(ground: &dyn Ground, questions: usize) -> Result<(), String> {
    let (scope, reference) = (ground.workspace(), ReferenceStore::new());
    let events = events();
    let people = people(&events);
    for call in events.chunks(CALL_EVENTS) {
        let found = ground.store().append(&scope, call.to_vec()).await.map_err(|error| error.chain())?;
        let expected = reference.append(&scope, call.to_vec()).await.map_err(|error| error.chain())?;
        assert_eq!(found.outcomes, expected.outcomes);
    }
    ground.settle().await;
    let (strategy, mut runner) = (question(), TestRunner::default());
    for number in 0..questions {
        if number == questions / 2 {
            for user_id in ["u5", "u10", "u35"] {
                let person = || Erasure::User(user_id.to_owned());
                let found = ground.store().erase(&scope, person()).await.map_err(|error| error.chain())?;
                assert_eq!(found, reference.erase(&scope, person()).await.map_err(|error| error.chain())?);
            }
            ground.settle().await;
        }
        let mut question = strategy.new_tree(&mut runner).map_err(|reason| reason.to_string())?.current();
        let slice = question.slice_mut();
        slice.people = slice.people.as_ref().map(|_| people.clone());
        check_equal(ground.store().as_ref(), &reference, &scope, &question, Budget::BACKGROUND).await?;
    }
    Ok(())
}

/// Every other run of visitors is one person, of two to six.
fn people(events: &[Event]) -> Arc<People> {
    let visitors: BTreeSet<&str> = events.iter().map(|event| event.anonymous_id.as_str()).collect();
    let mut visitors = visitors.into_iter().map(str::to_owned);
    let sizes = (0..).map(|number| 2 + number % 5);
    let runs = sizes.map(|size| visitors.by_ref().take(size).collect::<Vec<String>>());
    People::new(runs.take_while(|run| !run.is_empty()).step_by(2)).expect("every visitor is in one run")
}

/// The synthetic events under the names random questions ask for, with bots, persons, properties, named sessions and ties.
fn events() -> Vec<Event> {
    let mut events = synthetic::events();
    for (number, event) in events.iter_mut().enumerate() {
        let name = match event.name.as_str() {
            "page_view" => "view",
            "view_item" => "cart",
            "add_to_cart" => "pay",
            _ => "Ünïcode ✓",
        };
        event.name = name.to_owned();
        event.bot = number.is_multiple_of(11).then(|| String::from("isbot:x@1"));
        event.user_id = number.is_multiple_of(5).then(|| format!("u{}", number % 700));
        event.session = number.is_multiple_of(7).then(|| format!("s{}", number % 1_000));
        event.properties = number.is_multiple_of(3).then(|| {
            let (plan, amount) = (number % 17, number % 100);
            format!(r#"{{"plan":"p{plan}","amount":{amount}.5,"cart":{{"currency":"EUR"}}}}"#)
        });
        if number.is_multiple_of(2) {
            event.time_us -= event.time_us.rem_euclid(60 * SECOND_US);
        }
    }
    events
}
