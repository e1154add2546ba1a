//! The random data is worth its name: questions find something, ties and duplicates happen, every kind is asked.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::collections::BTreeMap;
use std::sync::Arc;

use tributary_core::event::Event;
use tributary_events::answer::Answer;
use tributary_events::attribution::model::Model;
use tributary_events::attribution::window::Window;
use tributary_events::question::{
    Attribution, BreakdownEvent, Budget, Funnel, FunnelBreakdown, Question, Rows, TouchRule, TouchWindow,
};
use tributary_events::reference;
use tributary_events::store::{EventStore, Outcome};
use tributary_events::traits::Trait;
use tributary_testkit::equality::check_history;
use tributary_testkit::ground::ReferenceGround;
use tributary_testkit::race;
use tributary_testkit::random::events::events;
use tributary_testkit::random::history::history;
use tributary_testkit::random::questions::{attribution, funnel, question, rows};
use tributary_testkit::scope::workspace;

const SAMPLES: usize = 600;

fn runner() -> TestRunner {
    TestRunner::new_with_rng(Config::default(), TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

fn sample<S: Strategy>(strategy: &S, runner: &mut TestRunner) -> S::Value {
    strategy.new_tree(runner).expect("the strategy refuses nothing").current()
}

#[test]
fn random_questions_are_valid_and_find_something() {
    let mut runner = runner();
    let (events, question) = (events(60), question());
    let mut asked: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for _ in 0..SAMPLES {
        let events = sample(&events, &mut runner);
        let events: Vec<&Event> = events.iter().collect();
        let question = sample(&question, &mut runner);
        let answer = reference::answer(&events, &question, Budget::INTERACTIVE).expect("random questions are valid");
        let (kind, telling) = match answer {
            Answer::Aggregate(answer) => ("aggregate", answer.rows.len() > 1),
            Answer::Rows(answer) => ("rows", answer.total > 1),
            Answer::Funnel(answer) => ("funnel", answer.overall.reached.get(1).is_some_and(|reached| *reached > 0)),
            Answer::Retention(answer) => {
                ("retention", answer.cohorts.iter().any(|cohort| cohort.active[1..].iter().any(|n| *n > 0)))
            }
            Answer::Sessions(answer) => ("sessions", answer.sizes.len() > 1),
            Answer::Values(answer) => ("values", answer.total > 1),
            Answer::Attribution(answer) => ("attribution", !answer.rows.is_empty()),
        };
        let counts = asked.entry(kind).or_default();
        counts.0 += 1;
        counts.1 += usize::from(telling);
    }
    assert_eq!(asked.len(), 7, "{asked:?}");
    for (kind, (asked, telling)) in asked {
        assert!(telling * 5 > asked, "only {telling} of {asked} answers to {kind} tell anything");
    }
}

#[test]
fn what_a_question_adds_changes_its_answer() {
    let mut runner = runner();
    let events = events(60);
    let mut changed: BTreeMap<&str, usize> = BTreeMap::new();
    for _ in 0..SAMPLES {
        let events = sample(&events, &mut runner);
        let events: Vec<&Event> = events.iter().collect();
        let answer = |question: &Question| reference::answer(&events, question, Budget::INTERACTIVE).expect("a valid question");
        let differ = |one: &Question, other: &Question| usize::from(answer(one) != answer(other));

        let merged = sample(&question(), &mut runner);
        let mut apart = merged.clone();
        apart.slice_mut().people = None;
        *changed.entry("people").or_default() += differ(&merged, &apart);

        let known = sample(&question(), &mut runner);
        let mut unknown = known.clone();
        for one in &mut unknown.slice_mut().traits {
            *one = Trait::new(one.name(), []).expect("nobody is named twice");
        }
        *changed.entry("traits").or_default() += differ(&known, &unknown);

        let funnel = sample(&funnel(), &mut runner);
        let free = Question::Funnel(Funnel { exclusions: Vec::new(), ..funnel.clone() });
        *changed.entry("exclusions").or_default() += differ(&Question::Funnel(funnel.clone()), &free);
        let Answer::Funnel(found) = answer(&Question::Funnel(funnel.clone())) else { panic!("funnels answer funnels") };
        *changed.entry("times").or_default() += usize::from(found.overall.median_us.iter().any(Option::is_some));
        if let Some(FunnelBreakdown { field, on: BreakdownEvent::Step(_) }) = &funnel.breakdown {
            let breakdown = Some(FunnelBreakdown { field: field.clone(), on: BreakdownEvent::First });
            let on_first = Question::Funnel(Funnel { breakdown, ..funnel.clone() });
            *changed.entry("values on steps").or_default() += differ(&Question::Funnel(funnel), &on_first);
        }

        let rows = sample(&rows(), &mut runner);
        let unbounded = Question::Rows(Rows { count_up_to: u64::MAX, ..rows.clone() });
        *changed.entry("bounded counts").or_default() += differ(&Question::Rows(rows), &unbounded);

        let attribution = sample(&attribution(), &mut runner);
        let together = Question::Attribution(Attribution { conversion_by: None, ..attribution.clone() });
        *changed.entry("kinds of conversions").or_default() += differ(&Question::Attribution(attribution.clone()), &together);
        let first = Question::Attribution(Attribution { model: Model::FirstTouch, ..attribution.clone() });
        let last = Question::Attribution(Attribution { model: Model::LastTouch, ..attribution.clone() });
        *changed.entry("models").or_default() += differ(&first, &last);
        let every = Question::Attribution(Attribution { touches: TouchRule::Every, ..attribution.clone() });
        *changed.entry("touch rules").or_default() += differ(&Question::Attribution(attribution.clone()), &every);
        let window = TouchWindow::Dates(Window::Lifetime);
        let unlimited = Question::Attribution(Attribution { window, ..attribution.clone() });
        *changed.entry("windows").or_default() += differ(&Question::Attribution(attribution), &unlimited);
    }
    assert_eq!(changed.len(), 10);
    assert!(changed.values().all(|times| times * 100 > SAMPLES), "of {SAMPLES} questions: {changed:?}");
}

#[tokio::test]
async fn random_events_tie_and_repeat() {
    let mut runner = runner();
    let events = events(60);
    let (mut ties, mut duplicates) = (0, 0);
    for number in 0..50 {
        let events = sample(&events, &mut runner);
        let mut times: Vec<i64> = events.iter().map(|event| event.time_us).collect();
        times.sort_unstable();
        ties += times.windows(2).filter(|pair| pair[0] == pair[1]).count();
        let store = reference::ReferenceStore::new();
        let appended = store.append(&workspace(number), events).await.expect("the reference takes everything");
        duplicates += appended.outcomes.iter().filter(|outcome| **outcome == Outcome::Duplicate).count();
    }
    assert!(ties > 100 && duplicates > 100, "{ties} ties, {duplicates} duplicates");
}

#[tokio::test]
async fn a_history_replays_equally_on_two_references() {
    let mut runner = runner();
    let history = history(20);
    for _ in 0..50 {
        let history = sample(&history, &mut runner);
        assert!(history.asked.iter().all(|asked| asked.question.check().is_ok()));
        check_history(&ReferenceGround::default(), &history).await.expect("a store equals itself");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racing_writers_get_along_with_the_reference() {
    race::check(Arc::new(ReferenceGround::default())).await;
}
