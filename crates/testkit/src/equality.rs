//! Holds an engine to the reference evaluator.

use tributary_core::error::Result;
use tributary_core::event::Event;
use tributary_core::scope::WorkspaceScope;
use tributary_events::answer::{Answer, Answered, RowsAnswer};
use tributary_events::conformance::Ground;
use tributary_events::question::{Budget, Question, Rows};
use tributary_events::reference::ReferenceStore;
use tributary_events::store::{EventStore, Holdings};

use crate::random::history::{Asked, History, Step};

/// Replays a history on an engine and on the reference, and compares every outcome and every answer. `Err` says where
/// they differ.
pub async fn check_history(ground: &dyn Ground, history: &History) -> Result<(), String> {
    let scope = ground.workspace();
    let reference = ReferenceStore::new();
    let mut watermarks = Vec::new();
    for (number, step) in history.steps.iter().enumerate() {
        let engine = ground.store();
        match step {
            Step::Append(events) => {
                let found = engine.append(&scope, events.clone()).await.map_err(|error| error.chain())?;
                let expected = reference.append(&scope, events.clone()).await.map_err(|error| error.chain())?;
                same(&format!("outcomes of step {number}"), &found.outcomes, &expected.outcomes)?;
            }
            Step::Erase(what) => {
                let found = engine.erase(&scope, what.clone()).await.map_err(|error| error.chain())?;
                let expected = reference.erase(&scope, what.clone()).await.map_err(|error| error.chain())?;
                same(&format!("events forgotten in step {number}, {what:?}"), &found, &expected)?;
            }
            Step::Expire(before_us) => {
                engine.expire(&scope, *before_us).await.map_err(|error| error.chain())?;
                reference.expire(&scope, *before_us).await.map_err(|error| error.chain())?;
            }
            Step::Settle => ground.settle().await,
        }
        let found = ground.store().describe(&scope).await.map_err(|error| error.chain())?;
        let expected = reference.describe(&scope).await.map_err(|error| error.chain())?;
        watermarks.push((found.watermark, expected.watermark));
        same(&format!("holdings after step {number}"), &comparable(found), &comparable(expected))?;
    }
    let engine = ground.store();
    for Asked { question, as_of_step, budget } in &history.asked {
        let (mut asked, mut expected) = (question.clone(), question.clone());
        if let Some(step) = as_of_step {
            let (engine_watermark, reference_watermark) = watermarks[step % watermarks.len()];
            asked.slice_mut().as_of = Some(engine_watermark);
            expected.slice_mut().as_of = Some(reference_watermark);
        }
        let engine_question = asked.clone();
        let found = engine.ask(&scope, asked, *budget).await;
        let expected = reference.ask(&scope, expected, *budget).await;
        if let (Question::Rows(rows), Ok(found)) = (&engine_question, &found) {
            check_positions(&*engine, &scope, rows, found, *budget).await?;
        }
        compare(question, found, expected)?;
    }
    Ok(())
}

/// Holds an engine to its own rows: after a row come those that stood after it, and a row is found by its sequence.
async fn check_positions(
    engine: &dyn EventStore,
    scope: &WorkspaceScope,
    question: &Rows,
    found: &Answered,
    budget: Budget,
) -> Result<(), String> {
    let Answer::Rows(whole) = &found.answer else { return Err(String::from("rows answer rows")) };
    same("sequences and rows", &whole.sequences.len(), &whole.rows.len())?;
    let ask = async |question: Rows| match engine.ask(scope, Question::Rows(question), budget).await {
        Ok(Answered { answer: Answer::Rows(answer), .. }) => Ok(answer),
        other => Err(format!("{other:?}")),
    };
    let rows = whole.rows.len();
    for at in [0, rows / 2, rows.saturating_sub(1)].into_iter().filter(|at| *at < rows) {
        let rest = ask(Rows { after: whole.position(at), ..question.clone() }).await?;
        let both = (rows - at - 1).min(rest.rows.len());
        // Where counting stopped, nobody knows how many there are.
        if rows as u64 == whole.total && whole.total < question.count_up_to {
            same("the number of rows left", &(rest.rows.len(), rest.total), &(rows - at - 1, whole.total - at as u64 - 1))?;
        }
        let what = format!("rows after number {at} of {question:#?}");
        same(
            &what,
            &(&rest.rows[..both], &rest.sequences[..both]),
            &(&whole.rows[at + 1..][..both], &whole.sequences[at + 1..][..both]),
        )?;
        let only = ask(Rows { after: None, only: Some(whole.sequences[at]), ..question.clone() }).await?;
        let one = RowsAnswer { rows: vec![whole.rows[at].clone()], sequences: vec![whole.sequences[at]], total: 1 };
        same(&format!("row number {at} alone of {question:#?}"), &only, &one)?;
    }
    Ok(())
}

/// Asks both stores the same question and compares the answers, or the codes of their errors. `Err` says how they differ.
/// Sequence numbers are an engine's own affair, so watermarks are not compared.
pub async fn check_equal(
    engine: &dyn EventStore,
    reference: &dyn EventStore,
    scope: &WorkspaceScope,
    question: &Question,
    budget: Budget,
) -> Result<(), String> {
    let found = engine.ask(scope, question.clone(), budget).await;
    let expected = reference.ask(scope, question.clone(), budget).await;
    compare(question, found, expected)
}

fn compare(question: &Question, found: Result<Answered>, expected: Result<Answered>) -> Result<(), String> {
    match (found, expected) {
        (Ok(found), Ok(expected)) => {
            same(&format!("answers to {question:#?}"), &timeless(found.answer), &timeless(expected.answer))
        }
        (Err(found), Err(expected)) => same(&format!("errors to {question:#?}"), &found.code(), &expected.code()),
        (Ok(found), Err(expected)) => Err(format!("{question:#?}\nanswered: {found:#?}\nexpected the error: {expected}")),
        (Err(found), Ok(_)) => Err(format!("{question:#?}\nfailed: {}", found.chain())),
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what} differ\nfound: {found:#?}\nexpected: {expected:#?}")) }
}

/// Arrival is no part of an event's identity: of events equal in everything else, either may come first. Sequence numbers are an
/// engine's own affair.
fn timeless(answer: Answer) -> Answer {
    match answer {
        Answer::Rows(mut rows) => {
            rows.rows = rows.rows.into_iter().map(|event| Event { received_us: 0, ..event }).collect();
            rows.sequences.fill(0);
            Answer::Rows(rows)
        }
        other @ (Answer::Aggregate(_)
        | Answer::Funnel(_)
        | Answer::Retention(_)
        | Answer::Sessions(_)
        | Answer::Values(_)
        | Answer::Attribution(_)) => other,
    }
}

fn comparable(holdings: Holdings) -> Holdings {
    Holdings { watermark: 0, disk_bytes: 0, ..holdings }
}
