//! The questions: q1 to q8 as peers.py asks them, and those its file does not strain.

use jiff::tz::TimeZone;
use std::sync::Arc;

use tributary_core::money::Currency;
use tributary_core::time::{DAY_US, TimeRange, parse_instant};
use tributary_events::attribution::model::Model;
use tributary_events::attribution::window::{Window, WindowType};
use tributary_events::bucket::{Buckets, Interval};
use tributary_events::field::Field;
use tributary_events::filter::{Filter, Test};
use tributary_events::people::People;
use tributary_events::question::{
    Aggregate, Attribution, DatedBy, Funnel, FunnelMode, Journey, Metric, Question, RowOrder, Rows, Slice, TouchRule,
    TouchWindow, Unit,
};

use crate::answer::Cell;
use crate::engine::Place;
use crate::events::giant::GIANT_VISITOR;
use crate::failure::Result;

/// Steps of the funnels.
pub const STEPS: [&str; 4] = ["page_view", "add_to_cart", "checkout", "purchase"];
/// Everything the event file holds.
pub const EVERYTHING: (&str, &str) = ("2025-06-01T00:00:00Z", "2025-10-01T00:00:00Z");
/// Thirty days of it.
pub const MONTH: (&str, &str) = ("2025-08-01T00:00:00Z", "2025-08-31T00:00:00Z");
/// The window of the funnels, seconds.
pub const WINDOW_SECONDS: i64 = 7 * 86_400;
/// What follows the last event.
const END: &str = "2025-09-13T15:06:40Z";

/// One question of the benchmark.
#[derive(Clone)]
pub struct Asked {
    /// Its name, shared with the peers.
    pub name: &'static str,
    /// Whose events.
    pub place: Place,
    /// The question to our engine.
    pub question: Question,
    /// What the columns of its answer are.
    pub cells: &'static [Cell],
    /// How many rows of the peers' answer count: both are compared after ordering where the order is not part of it.
    pub order: Order,
    /// A peer whose question of this name is another one: timed, not compared.
    pub not_compared: Option<&'static str>,
}

/// Whether the rows' order is part of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// It is.
    Asked,
    /// It is not.
    Any,
}

/// What the questions need to know of the events.
pub struct Known {
    /// The visitor whose journey is asked for.
    pub visitor: String,
    /// Who is who, for q12; without, it is not asked.
    pub people: Option<Arc<People>>,
}

/// Every question, in order.
pub fn all(known: &Known) -> Result<Vec<Asked>> {
    let mut asked = basic(&known.visitor)?;
    asked.extend(further(known)?);
    Ok(asked)
}

/// q1 to q8.
pub fn basic(visitor: &str) -> Result<Vec<Asked>> {
    use Cell::{Count, Instant, Money, Text};
    let usd: Currency = "USD".parse()?;
    let named = |name: &str| vec![Filter::is(Field::EventName, name)];
    let by_source = vec![Field::Source, Field::Medium];
    let everything = slice(EVERYTHING)?;
    let month = slice(MONTH)?;
    let late = slice((MONTH.0, EVERYTHING.1))?;
    let rows = Rows {
        slice: late.with(Filter::is(Field::EventName, "signup")).with(Filter::is(Field::Source, "facebook")),
        order: RowOrder::NewestFirst,
        limit: 50,
        count_up_to: 50,
        after: None,
        only: None,
    };
    let attribution = Attribution {
        report: everything.range,
        dated_by: DatedBy::Conversion,
        slice: everything.clone(),
        conversion: named("purchase"),
        touch: vec![Filter { field: Field::Source, test: Test::IsNot(vec![String::from("direct")]) }],
        touches: TouchRule::Every,
        model: Model::LastTouch,
        window: TouchWindow::Dates(Window::Lifetime),
        window_type: WindowType::Relative,
        buckets: None,
        resampling: None,
        conversion_by: None,
        group_by: by_source.clone(),
        amounts: vec![usd],
        limit: 20,
    };
    let page_views = aggregate(everything.clone().with(Filter::is(Field::EventName, "page_view")), &[Metric::Events]);
    Ok(vec![
        asked("q1_events_by_day", Question::Aggregate(by(page_views, Interval::Day)?), &[Instant, Count]).in_any_order(),
        asked("q2_uniques_30d", Question::Aggregate(aggregate(month.clone(), &[Metric::Visitors])), &[Count]),
        asked(
            "q3_uniques_by_source_medium_day_30d",
            Question::Aggregate(by(
                Aggregate { group_by: by_source.clone(), ..aggregate(month, &[Metric::Visitors]) },
                Interval::Day,
            )?),
            &[Text, Text, Instant, Count],
        )
        .in_any_order(),
        asked(
            "q4_top_sources_90d",
            Question::Aggregate(Aggregate {
                group_by: by_source,
                limit: 20,
                ..aggregate(everything.clone(), &[Metric::Events, Metric::Visitors, Metric::Amount(usd)])
            }),
            &[Text, Text, Count, Count, Money],
        ),
        asked("q5_funnel_4_steps_7d", funnel(everything.clone()), &[Count, Count, Count, Count]).but_not_with("duckdb"),
        asked("q6_last_non_direct_touch", Question::Attribution(attribution), &[Text, Text, Count, Money]),
        asked("q7_one_journey", journey(everything, visitor), &[Instant, Text, Text, Text]),
        asked("q8_latest_50_filtered", Question::Rows(rows), &[Instant, Text, Text]),
    ])
}

fn further(known: &Known) -> Result<Vec<Asked>> {
    use Cell::{Count, Instant, Text};
    let end = parse_instant(END, &TimeZone::UTC)?;
    let last = |span_us: i64| -> Result<Slice> { Ok(Slice::of(TimeRange::new(end - span_us, end)?)) };
    let both = [Metric::Events, Metric::Visitors];
    let by_path = Aggregate { group_by: vec![Field::Path], limit: 200, ..aggregate(last(7 * DAY_US)?, &[Metric::Visitors]) };
    let plan = Field::Property(String::from("plan"));
    let by_plan = Aggregate { group_by: vec![plan], ..aggregate(slice(EVERYTHING)?, &both) };
    let mut all = vec![
        asked("q9_last_hour", Question::Aggregate(aggregate(last(DAY_US / 24)?, &both)), &[Count, Count]),
        asked(
            "q10_last_24h_by_hour",
            Question::Aggregate(by(aggregate(last(DAY_US)?, &both), Interval::Hour)?),
            &[Instant, Count, Count],
        )
        .in_any_order(),
        asked("q11_uniques_by_path_7d", Question::Aggregate(by_path), &[Text, Count]),
    ];
    if let Some(people) = &known.people {
        let slice = Slice { people: Some(people.clone()), ..slice(MONTH)? };
        all.push(asked("q12_uniques_by_person_30d", Question::Aggregate(aggregate(slice, &[Metric::Visitors])), &[Count]));
    }
    all.push(asked("q13_by_json_property_90d", Question::Aggregate(by_plan), &[Text, Count, Count]));
    all.push(
        asked("q14_giant_journey", journey(slice(EVERYTHING)?, &GIANT_VISITOR.to_string()), &[Instant, Text, Text, Text])
            .of_the_giant(),
    );
    let funnel = asked("q15_giant_funnel_7d", funnel(slice(EVERYTHING)?), &[Count, Count, Count, Count]);
    all.push(funnel.of_the_giant().but_not_with("duckdb"));
    Ok(all)
}

/// q4 as `top_sources` asks it: without the revenue, with the paid share.
pub fn top_sources() -> Result<Question> {
    let paid = Metric::EventsWhere(vec![Filter::is(Field::Medium, "paid")]);
    Ok(Question::Aggregate(Aggregate {
        group_by: vec![Field::Source, Field::Medium],
        limit: 20,
        ..aggregate(slice(EVERYTHING)?, &[Metric::Events, Metric::Visitors, paid])
    }))
}

/// A question over everything, for other measurements.
pub fn whole(metrics: &[Metric], group_by: Vec<Field>) -> Result<Question> {
    Ok(Question::Aggregate(Aggregate { group_by, ..aggregate(slice(EVERYTHING)?, metrics) }))
}

pub fn slice((from, to): (&str, &str)) -> Result<Slice> {
    let (from, to) = (parse_instant(from, &TimeZone::UTC)?, parse_instant(to, &TimeZone::UTC)?);
    Ok(Slice::of(TimeRange::new(from, to)?))
}

fn aggregate(slice: Slice, metrics: &[Metric]) -> Aggregate {
    Aggregate { slice, metrics: metrics.to_vec(), group_by: Vec::new(), buckets: None, limit: 100_000 }
}

fn by(question: Aggregate, interval: Interval) -> Result<Aggregate> {
    let buckets = Buckets::cover(question.slice.range, interval, &TimeZone::UTC)?;
    Ok(Aggregate { buckets: Some(buckets), ..question })
}

fn funnel(slice: Slice) -> Question {
    Question::Funnel(Funnel {
        slice,
        steps: STEPS.iter().map(|step| vec![Filter::is(Field::EventName, *step)]).collect(),
        window_us: Some(WINDOW_SECONDS * 1_000_000),
        // ClickHouse's windowFunnel without a mode.
        mode: FunnelMode::Ordered,
        unit: Unit::Visitor,
        exclusions: Vec::new(),
        breakdown: None,
        with_times: false,
    })
}

fn journey(slice: Slice, visitor: &str) -> Question {
    Question::Journey(Journey { slice, anonymous_id: visitor.to_owned(), limit: 500 })
}

fn asked(name: &'static str, question: Question, cells: &'static [Cell]) -> Asked {
    Asked { name, place: Place::Bench, question, cells, order: Order::Asked, not_compared: None }
}

impl Asked {
    fn in_any_order(self) -> Self {
        Asked { order: Order::Any, ..self }
    }

    fn but_not_with(self, peer: &'static str) -> Self {
        Asked { not_compared: Some(peer), ..self }
    }

    fn of_the_giant(self) -> Self {
        Asked { place: Place::Giant, ..self }
    }

    /// `q1` of `q1_events_by_day`.
    pub fn short(&self) -> &'static str {
        short(self.name)
    }
}

/// `q1` of `q1_events_by_day`.
pub fn short(name: &str) -> &str {
    name.split('_').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_question_is_within_the_bounds_and_names_are_unique() {
        let people = People::new([vec![String::from("1"), String::from("2")]]).unwrap();
        let asked = all(&Known { visitor: String::from("7"), people: Some(people) }).unwrap();
        for one in &asked {
            one.question.check().unwrap_or_else(|error| panic!("{}: {error}", one.name));
        }
        let numbers: Vec<&str> = asked.iter().map(Asked::short).collect();
        let expected: Vec<String> = (1..=15).map(|number| format!("q{number}")).collect();
        assert_eq!(numbers, expected);
        top_sources().unwrap().check().unwrap();
    }
}
