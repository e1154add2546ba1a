//! What a question knows of visitors beyond their events.

use std::sync::Arc;

use jiff::tz::TimeZone;

use tributary_core::error::Code;
use tributary_core::time::TimeRange;

use super::attribution::question as attribution;
use super::funnels::{abc, funnel, story};
use super::sample::{at, event};
use super::{Ground, Play};
use crate::answer::Answer;
use crate::attribution::model::Model;
use crate::bucket::Interval;
use crate::field::Field;
use crate::filter::{Filter, Test};
use crate::people::People;
use crate::question::{
    Aggregate, Attribution, BreakdownEvent, Budget, Funnel, FunnelBreakdown, FunnelMode, Journey, MAX_TRAITS, Metric, Question,
    Retention, RetentionPeriod, RowOrder, Rows, SessionRule, Sessions, Slice, Values,
};
use crate::traits::Trait;

pub(super) async fn run(ground: &dyn Ground) {
    traits_filter_and_group(ground).await;
    a_trait_is_the_questions_alone(ground).await;
    traits_break_down_stories(ground).await;
    traits_credit_touches(ground).await;
    unknown_traits_are_refused(ground).await;
}

/// v and w are gold, x is free, y is unknown; one more was never seen.
fn tier() -> Arc<Trait> {
    known("tier", &[("v", "gold"), ("w", "gold"), ("x", "free"), ("never seen", "platinum")])
}

fn known(name: &str, values: &[(&str, &str)]) -> Arc<Trait> {
    let values = values.iter().map(|(visitor, value)| ((*visitor).to_owned(), (*value).to_owned()));
    Trait::new(name, values).expect("every visitor of a case has one value")
}

fn of_tier() -> Field {
    Field::Trait(String::from("tier"))
}

fn slice() -> Slice {
    Slice { traits: vec![known("city", &[("v", "Köln")]), tier()], ..Slice::of(TimeRange::ALL) }
}

fn by_tier(slice: Slice) -> Question {
    let metrics = vec![Metric::Events, Metric::Visitors, Metric::EventsWhere(vec![Filter::is(of_tier(), "free")])];
    Question::Aggregate(Aggregate { slice, metrics, group_by: vec![of_tier()], buckets: None, limit: 10 })
}

async fn counted(play: &Play<'_>, question: Question) -> Vec<(Option<String>, Vec<i128>)> {
    match play.ask(question).await {
        Answer::Aggregate(answer) => answer.rows.into_iter().map(|row| (row.keys[0].clone(), row.values)).collect(),
        other => panic!("aggregates answer aggregates, not {other:?}"),
    }
}

fn row(key: Option<&str>, values: [i128; 3]) -> (Option<String>, Vec<i128>) {
    (key.map(str::to_owned), values.to_vec())
}

async fn visits(ground: &dyn Ground) -> Play<'_> {
    let visitors = ["v", "v", "v", "w", "x", "x", "y"];
    Play::with(ground, visitors.iter().zip(0..).map(|(visitor, second)| event("view", visitor, at(second))).collect()).await
}

async fn traits_filter_and_group(ground: &dyn Ground) {
    let play = visits(ground).await;
    let gold = row(Some("gold"), [4, 2, 0]);
    let free = row(Some("free"), [2, 1, 2]);
    assert_eq!(counted(&play, by_tier(slice())).await, [gold.clone(), free.clone(), row(None, [1, 1, 0])]);
    // A trait is the event's own visitor's, whoever its person is.
    let people = People::new([["v", "x"].map(str::to_owned).to_vec()]).expect("one person");
    let merged = Slice { people: Some(people), ..slice() };
    assert_eq!(counted(&play, by_tier(merged)).await, [gold.clone(), free, row(None, [1, 1, 0])]);
    let is = |value: &str| slice().with(Filter::is(of_tier(), value));
    assert_eq!(counted(&play, by_tier(is("gold"))).await, [gold]);
    assert_eq!(counted(&play, by_tier(is("platinum"))).await, []);
    let unknown = slice().with(Filter { field: of_tier(), test: Test::Absent });
    assert_eq!(counted(&play, by_tier(unknown)).await, [row(None, [1, 1, 0])]);

    let values = match play.ask(Question::Values(Values { slice: slice(), field: of_tier(), limit: 10 })).await {
        Answer::Values(answer) => answer.values.into_iter().map(|one| (one.value, one.events)).collect::<Vec<_>>(),
        other => panic!("values answer values, not {other:?}"),
    };
    assert_eq!(values, [(String::from("gold"), 4), (String::from("free"), 2)]);
    let rows =
        Rows { slice: is("free"), order: RowOrder::NewestFirst, limit: 10, count_up_to: u64::MAX, after: None, only: None };
    let journey = |tier: &str| Journey { slice: is(tier), anonymous_id: String::from("x"), limit: 10 };
    for (question, total) in
        [(Question::Rows(rows), 2), (Question::Journey(journey("free")), 2), (Question::Journey(journey("gold")), 0)]
    {
        match play.ask(question).await {
            Answer::Rows(answer) => assert_eq!(answer.total, total),
            other => panic!("rows and journeys answer rows, not {other:?}"),
        }
    }
}

async fn a_trait_is_the_questions_alone(ground: &dyn Ground) {
    let play = visits(ground).await;
    for (value, expected) in [("silver", "silver"), ("bronze", "bronze"), ("silver", "silver")] {
        let tier = known("tier", &[("v", value), ("w", value), ("x", value), ("y", value)]);
        let asked = by_tier(Slice { traits: vec![tier], ..slice() });
        assert_eq!(counted(&play, asked).await, [row(Some(expected), [7, 4, 0])]);
    }
}

async fn traits_break_down_stories(ground: &dyn Ground) {
    let events = [story("a@0 b@1 c@2", "v"), story("a@0 b@1", "w"), story("a@0", "x"), story("a@0 b@5", "y")];
    let play = Play::with(ground, events.concat()).await;
    for on in [BreakdownEvent::First, BreakdownEvent::Step(1)] {
        let breakdown = Some(FunnelBreakdown { field: of_tier(), on });
        let asked = Funnel { slice: slice(), breakdown, ..abc(FunnelMode::Ordered) };
        let found = funnel(&play, asked).await.by_value;
        let found: Vec<(Option<&str>, &[u64])> =
            found.iter().map(|(value, counts)| (value.as_deref(), counts.reached.as_slice())).collect();
        assert_eq!(found, [(Some("gold"), &[2, 2, 1][..]), (None, &[1, 1, 0]), (Some("free"), &[1, 0, 0])]);
    }
    let steps = vec![vec![Filter::is(of_tier(), "gold")], vec![Filter::is(Field::EventName, "c")]];
    let asked = Funnel { slice: slice(), steps, ..abc(FunnelMode::Ordered) };
    assert_eq!(funnel(&play, asked).await.overall.reached, [2, 1]);

    let retention = Retention {
        slice: slice(),
        start: vec![Filter::is(of_tier(), "gold")],
        returning: vec![],
        period: RetentionPeriod::Calendar(Interval::Day),
        zone: TimeZone::UTC,
        by_period: false,
        breakdown: Some(of_tier()),
        periods: 1,
    };
    match play.ask(Question::Retention(retention)).await {
        Answer::Retention(answer) => {
            let sizes: Vec<(Option<&str>, u64)> =
                answer.cohorts.iter().map(|cohort| (cohort.value.as_deref(), cohort.size)).collect();
            assert_eq!(sizes, [(Some("gold"), 2)]);
        }
        other => panic!("retention answers retention, not {other:?}"),
    }
    let sessions = Sessions {
        slice: slice(),
        rule: SessionRule::GapOver(1_000_000_000),
        buckets: None,
        group_by: vec![of_tier()],
        containing: vec![vec![Filter::is(of_tier(), "free")]],
        limit: 10,
    };
    match play.ask(Question::Sessions(sessions)).await {
        Answer::Sessions(answer) => {
            let rows: Vec<(Option<&str>, u64, u64)> =
                answer.rows.iter().map(|row| (row.keys[0].as_deref(), row.counts.sessions, row.counts.containing[0])).collect();
            assert_eq!(rows, [(Some("gold"), 2, 0), (None, 1, 0), (Some("free"), 1, 1)]);
        }
        other => panic!("sessions answer sessions, not {other:?}"),
    }
}

async fn traits_credit_touches(ground: &dyn Ground) {
    let events = ["v", "x", "y"].iter().flat_map(|visitor| [event("visit", visitor, at(0)), event("pay", visitor, at(1))]);
    let play = Play::with(ground, events.collect()).await;
    let asked = Attribution {
        slice: slice(),
        conversion: vec![Filter::is(Field::EventName, "pay"), Filter { field: of_tier(), test: Test::Present }],
        touch: vec![Filter::is(Field::EventName, "visit"), Filter::is(of_tier(), "gold")],
        group_by: vec![of_tier()],
        ..attribution(Model::LastTouch)
    };
    match play.ask(Question::Attribution(asked)).await {
        Answer::Attribution(answer) => {
            let keys: Vec<Option<&str>> = answer.rows.iter().map(|row| row.keys[0].as_deref()).collect();
            assert_eq!((keys, answer.unattributed.len()), (vec![Some("gold")], 1));
            assert_eq!(answer.totals.units, 2 * answer.rows[0].credit.units);
        }
        other => panic!("attribution answers attribution, not {other:?}"),
    }
}

async fn unknown_traits_are_refused(ground: &dyn Ground) {
    let play = Play::fresh(ground);
    let without = Slice { traits: vec![known("city", &[])], ..slice() };
    let filtered = Slice { filters: vec![Filter { field: of_tier(), test: Test::Absent }], ..without.clone() };
    let twice = Slice { traits: vec![tier(), tier()], ..slice() };
    let names = (0..=MAX_TRAITS).map(|number| known(&number.to_string(), &[])).chain([tier()]);
    let many = Slice { traits: names.collect(), ..slice() };
    let rows = Rows { slice: filtered, order: RowOrder::NewestFirst, limit: 1, count_up_to: 1, after: None, only: None };
    for question in [by_tier(without), Question::Rows(rows), by_tier(twice), by_tier(many)] {
        assert_eq!(play.refusal(question, Budget::INTERACTIVE).await, Code::InvalidParams);
    }
}
