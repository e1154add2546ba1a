//! Retention: who starts, who comes back, and how periods are counted.

use jiff::tz::TimeZone;

use tributary_core::event::Event;
use tributary_core::time::{SECOND_US, TimeRange, parse_instant, zone};

use super::sample::{by_bot, event};
use super::{Ground, Play};
use crate::answer::{Answer, Cohort};
use crate::bucket::Interval;
use crate::field::Field;
use crate::filter::Filter;
use crate::question::{Question, Retention, RetentionPeriod, Slice};

pub(super) async fn run(ground: &dyn Ground) {
    local_days_decide(ground).await;
    weeks_begin_on_monday_and_months_on_the_first(ground).await;
    elapsed_blocks_count_from_the_first_event(ground).await;
    blocks_of_days_count_from_the_first_day(ground).await;
    starting_and_returning_may_differ(ground).await;
    cohorts_split_by_value_on_the_cohort_event(ground).await;
}

fn when(text: &str) -> i64 {
    parse_instant(text, &TimeZone::UTC).expect("cases use valid instants")
}

fn visits(visitor: &str, times: &[&str]) -> Vec<Event> {
    times.iter().map(|text| event("visit", visitor, when(text))).collect()
}

fn daily(zone_name: &str) -> Retention {
    Retention {
        slice: Slice::of(TimeRange::ALL),
        start: vec![],
        returning: vec![],
        period: RetentionPeriod::Calendar(Interval::Day),
        zone: zone(zone_name).expect("the zone is known"),
        by_period: false,
        breakdown: None,
        periods: 4,
    }
}

async fn cohorts(play: &Play<'_>, question: Retention) -> Vec<Cohort> {
    match play.ask(Question::Retention(question)).await {
        Answer::Retention(answer) => answer.cohorts,
        other => panic!("retention answers retention, not {other:?}"),
    }
}

async fn local_days_decide(ground: &dyn Ground) {
    // Berlin's 29 March 2026 has 23 hours; 22:30 UTC is the next day there.
    let mut events = visits("v", &["2026-03-28T22:30:00Z", "2026-03-28T23:30:00Z", "2026-03-29T22:30:00Z"]);
    events.extend(visits("w", &["2026-03-28T12:00:00Z", "2026-04-20T12:00:00Z"]));
    events.extend(visits("x", &["2026-03-28T12:00:00Z"]).into_iter().map(by_bot));
    let play = Play::with(ground, events).await;

    let utc = cohorts(&play, daily("UTC")).await;
    assert_eq!(utc, [Cohort { start_us: None, value: None, size: 2, active: vec![2, 1, 0, 0], active_from: vec![2, 2, 1, 1] }]);
    let berlin = cohorts(&play, daily("Europe/Berlin")).await;
    assert_eq!(berlin[0].active, [2, 1, 1, 0]);
    assert_eq!(berlin[0].active_from, [2, 2, 2, 1]);

    let by_day = cohorts(&play, Retention { by_period: true, ..daily("Europe/Berlin") }).await;
    let starts: Vec<Option<i64>> = by_day.iter().map(|cohort| cohort.start_us).collect();
    assert_eq!(starts, [Some(when("2026-03-27T23:00:00Z"))]);
    assert_eq!(by_day[0].size, 2);
}

async fn weeks_begin_on_monday_and_months_on_the_first(ground: &dyn Ground) {
    // 3 May 2026 is a Sunday.
    let mut events = visits("v", &["2026-05-03T23:59:59Z", "2026-05-04T00:00:00Z", "2026-06-30T00:00:00Z"]);
    events.extend(visits("w", &["2026-05-04T00:00:00Z", "2026-05-31T23:00:00Z"]));
    let play = Play::with(ground, events).await;
    let by = |interval| Retention { period: RetentionPeriod::Calendar(interval), by_period: true, ..daily("UTC") };
    let cohort = |start: &str, size, active: [u64; 4], active_from: [u64; 4]| Cohort {
        start_us: Some(when(start)),
        value: None,
        size,
        active: active.to_vec(),
        active_from: active_from.to_vec(),
    };
    assert_eq!(
        cohorts(&play, by(Interval::Week)).await,
        [cohort("2026-04-27", 1, [1, 1, 0, 0], [1, 1, 1, 1]), cohort("2026-05-04", 1, [1, 0, 0, 1], [1, 1, 1, 1])]
    );
    assert_eq!(cohorts(&play, by(Interval::Month)).await, [cohort("2026-05-01", 2, [2, 1, 0, 0], [2, 1, 0, 0])]);
    assert_eq!(cohorts(&play, by(Interval::Quarter)).await, [cohort("2026-04-01", 2, [2, 0, 0, 0], [2, 0, 0, 0])]);
    assert_eq!(cohorts(&play, by(Interval::Year)).await, [cohort("2026-01-01", 2, [2, 0, 0, 0], [2, 0, 0, 0])]);
}

async fn elapsed_blocks_count_from_the_first_event(ground: &dyn Ground) {
    let play = Play::with(
        ground,
        visits("v", &["2026-05-03T23:59:59Z", "2026-05-04T00:00:58.999999Z", "2026-05-04T00:00:59Z", "2026-05-04T00:02:59Z"]),
    )
    .await;
    let asked = Retention { period: RetentionPeriod::Elapsed(60 * SECOND_US), ..daily("UTC") };
    assert_eq!(cohorts(&play, asked).await[0].active, [1, 1, 0, 1]);
}

async fn blocks_of_days_count_from_the_first_day(ground: &dyn Ground) {
    // The first day ends at 22:00 UTC in Berlin; two days later is the next block, however late the first event was.
    let play = Play::with(ground, visits("v", &["2026-05-03T21:59:59Z", "2026-05-04T22:00:00Z", "2026-05-09T21:59:59Z"])).await;
    let asked = |zone_name| Retention { period: RetentionPeriod::Days(2), ..daily(zone_name) };
    assert_eq!(cohorts(&play, asked("Europe/Berlin")).await[0].active, [1, 1, 0, 1]);
    assert_eq!(cohorts(&play, asked("UTC")).await[0].active, [1, 0, 0, 1]);
}

async fn starting_and_returning_may_differ(ground: &dyn Ground) {
    let named = |name: &str, visitor: &str, text: &str| event(name, visitor, when(text));
    let play = Play::with(
        ground,
        vec![
            named("buy", "v", "2026-05-04T08:00:00Z"),
            named("sign_up", "v", "2026-05-04T09:00:00Z"),
            named("sign_up", "v", "2026-05-06T09:00:00Z"),
            named("buy", "v", "2026-05-05T09:00:00Z"),
            // At the very instant of the cohort event.
            named("buy", "w", "2026-05-04T09:00:00Z"),
            named("sign_up", "w", "2026-05-04T09:00:00Z"),
            // Never signs up.
            named("buy", "x", "2026-05-04T09:00:00Z"),
        ],
    )
    .await;
    let is = |name: &str| vec![Filter::is(Field::EventName, name)];
    let asked = Retention { start: is("sign_up"), returning: is("buy"), ..daily("UTC") };
    assert_eq!(
        cohorts(&play, asked).await,
        [Cohort { start_us: None, value: None, size: 2, active: vec![1, 1, 0, 0], active_from: vec![2, 1, 0, 0] }]
    );
}

async fn cohorts_split_by_value_on_the_cohort_event(ground: &dyn Ground) {
    let from = |country: Option<&str>, mut events: Vec<Event>| {
        events[0].country = country.map(str::to_owned);
        events
    };
    let mut events = from(Some("DE"), visits("v", &["2026-05-04", "2026-05-05"]));
    events.extend(from(None, visits("w", &["2026-05-04"])));
    events.extend(from(Some("AT"), visits("x", &["2026-05-05", "2026-05-08"])));
    let play = Play::with(ground, events).await;
    let asked = Retention { breakdown: Some(Field::Country), by_period: true, periods: 2, ..daily("UTC") };
    let cohort = |start: &str, value: Option<&str>, active: [u64; 2], active_from: [u64; 2]| Cohort {
        start_us: Some(when(start)),
        value: value.map(str::to_owned),
        size: 1,
        active: active.to_vec(),
        active_from: active_from.to_vec(),
    };
    assert_eq!(
        cohorts(&play, asked).await,
        [
            cohort("2026-05-04", None, [1, 0], [1, 0]),
            cohort("2026-05-04", Some("DE"), [1, 1], [1, 1]),
            cohort("2026-05-05", Some("AT"), [1, 0], [1, 1])
        ]
    );
}
