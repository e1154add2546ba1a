//! Numbers by group and bucket.

use jiff::tz::TimeZone;

use tributary_core::event::Event;
use tributary_core::time::{SECOND_US, TimeRange, zone};

use super::sample::{at, by_bot, event, worth};
use super::{Ground, Play};
use crate::answer::{AggregateAnswer, Answer};
use crate::bucket::{Buckets, Interval};
use crate::field::Field;
use crate::filter::Filter;
use crate::question::{Aggregate, Metric, Question, Slice};

pub(super) async fn run(ground: &dyn Ground) {
    metrics_are_exact_and_totals_are_not_sums(ground).await;
    rows_are_ordered_and_cut(ground).await;
    absent_values_are_a_group_of_their_own(ground).await;
    money_is_summed_per_currency(ground).await;
    derived_and_recorded_sessions_meet_by_name(ground).await;
    buckets_follow_the_clocks(ground).await;
}

async fn aggregate(play: &Play<'_>, question: Aggregate) -> AggregateAnswer {
    match play.ask(Question::Aggregate(question)).await {
        Answer::Aggregate(answer) => answer,
        other => panic!("aggregates answer aggregates, not {other:?}"),
    }
}

fn question(metrics: Vec<Metric>, group_by: Vec<Field>) -> Aggregate {
    Aggregate { slice: Slice::of(TimeRange::ALL), metrics, group_by, buckets: None, limit: 100 }
}

/// Rows as `key: value value`, one line each.
fn table(answer: &AggregateAnswer) -> String {
    let rows = answer.rows.iter().map(|row| {
        let keys: Vec<&str> = row.keys.iter().map(|key| key.as_deref().unwrap_or("-")).collect();
        let values: Vec<String> = row.values.iter().map(i128::to_string).collect();
        let bucket = row.bucket.map(|bucket| format!("{bucket} ")).unwrap_or_default();
        format!("{bucket}{}: {}", keys.join(","), values.join(" "))
    });
    rows.collect::<Vec<_>>().join("\n")
}

async fn metrics_are_exact_and_totals_are_not_sums(ground: &dyn Ground) {
    let from = |source: &str, event: Event| Event { source: source.to_owned(), ..event };
    let play = Play::with(
        ground,
        vec![
            from("google", event("view", "v", at(0))),
            from("bing", event("view", "v", at(10))),
            from("google", event("pay", "v", at(1_800))),
            from("google", event("view", "w", at(20))),
            from("google", by_bot(event("view", "x", at(30)))),
        ],
    )
    .await;
    let metrics = vec![
        Metric::Events,
        Metric::Visitors,
        Metric::Sessions,
        Metric::EventsWhere(vec![Filter::is(Field::EventName, "view")]),
        Metric::EventsWhere(vec![]),
    ];
    let answer = aggregate(&play, question(metrics, vec![Field::Source])).await;
    assert_eq!(table(&answer), "google: 3 2 3 2 3\nbing: 1 1 1 1 1");
    assert_eq!(answer.totals, [4, 2, 3, 3, 4]);
    assert_eq!(answer.total_rows, 2);
    let ungrouped = aggregate(&play, question(vec![Metric::Visitors], vec![])).await;
    assert_eq!(table(&ungrouped), ": 2");
}

async fn rows_are_ordered_and_cut(ground: &dyn Ground) {
    let mut events = Vec::new();
    for (path, times) in [("/c", 2), ("/a", 2), ("/b", 3), ("/d", 1)] {
        for second in 0..times {
            let mut event = event("view", "v", at(second));
            event.path = Some(path.to_owned());
            events.push(event);
        }
    }
    let play = Play::with(ground, events).await;
    let mut asked = question(vec![Metric::Events, Metric::Visitors], vec![Field::Path]);
    assert_eq!(table(&aggregate(&play, asked.clone()).await), "/b: 3 1\n/a: 2 1\n/c: 2 1\n/d: 1 1");
    asked.limit = 2;
    let answer = aggregate(&play, asked.clone()).await;
    assert_eq!(table(&answer), "/b: 3 1\n/a: 2 1");
    assert_eq!((answer.total_rows, answer.totals), (4, vec![8, 1]));
    // The first metric orders.
    asked.metrics.reverse();
    assert_eq!(table(&aggregate(&play, asked).await), "/a: 1 2\n/b: 1 3");
}

async fn absent_values_are_a_group_of_their_own(ground: &dyn Ground) {
    let mut with_both = event("view", "v", at(0));
    with_both.country = Some(String::from("DE"));
    with_both.properties = Some(String::from(r#"{"plan":"pro"}"#));
    let mut with_null = event("view", "v", at(1));
    with_null.properties = Some(String::from(r#"{"plan":null}"#));
    let mut with_dash = event("view", "v", at(2));
    with_dash.country = Some(String::from("DE"));
    let play = Play::with(ground, vec![with_both, with_null, with_dash, event("view", "v", at(3))]).await;
    let plan = Field::Property(String::from("plan"));
    let answer = aggregate(&play, question(vec![Metric::Events], vec![Field::Country, plan])).await;
    assert_eq!(table(&answer), "-,-: 2\nDE,-: 1\nDE,pro: 1");
}

async fn money_is_summed_per_currency(ground: &dyn Ground) {
    let pay = |micros: i64, currency: &str| worth(event("pay", "v", at(0)), micros, currency);
    let play = Play::with(
        ground,
        vec![pay(i64::MAX, "EUR"), pay(i64::MAX, "EUR"), pay(-1, "EUR"), pay(1, "JPY"), event("view", "v", at(0))],
    )
    .await;
    let amount = |code: &str| Metric::Amount(code.parse().expect("cases use valid currencies"));
    let metrics = vec![amount("EUR"), amount("JPY"), amount("USD")];
    let answer = aggregate(&play, question(metrics, vec![Field::Currency])).await;
    let euros = 2 * i128::from(i64::MAX) - 1;
    assert_eq!(table(&answer), format!("EUR: {euros} 0 0\n-: 0 0 0\nJPY: 0 1 0"));
    assert_eq!(answer.totals, [euros, 1, 0]);
}

async fn derived_and_recorded_sessions_meet_by_name(ground: &dyn Ground) {
    let derived = event("view", "v", at(0));
    let name = derived.session_id();
    let named = |visitor: &str| Event { session: Some(name.clone()), ..event("view", visitor, at(90_000)) };
    let play = Play::with(ground, vec![derived, named("v"), named("w")]).await;
    let answer = aggregate(&play, question(vec![Metric::Sessions], vec![Field::SessionId])).await;
    assert_eq!(table(&answer), format!("{name}: 2"));
}

async fn buckets_follow_the_clocks(ground: &dyn Ground) {
    // 2026-10-25, from 00:30 to 03:30 UTC, a view every half hour: Berlin shows 02:30, 02:00 again, 02:30 again, 03:00, …
    let start_us = 1_792_888_200 * SECOND_US;
    let play = Play::with(ground, (0..6).map(|half| event("view", "v", start_us + half * 1_800 * SECOND_US)).collect()).await;
    let berlin = zone("Europe/Berlin").expect("the zone is known");
    let range = TimeRange { start_us, end_us: start_us + 3 * 3_600 * SECOND_US };
    let count = async |interval: Interval, zone: &TimeZone| {
        let buckets = Buckets::cover(range, interval, zone).expect("few buckets");
        let labels = buckets.labels.clone();
        let asked = Aggregate { slice: Slice::of(range), buckets: Some(buckets), ..question(vec![Metric::Events], vec![]) };
        let answer = aggregate(&play, asked).await;
        let rows = answer.rows.iter().map(|row| {
            let label = &labels[row.bucket.expect("there are buckets") as usize];
            format!("{label} {}", row.values[0])
        });
        rows.collect::<Vec<_>>()
    };
    assert_eq!(
        count(Interval::Hour, &berlin).await,
        [
            "2026-10-25T02:00:00+02:00 1",
            "2026-10-25T02:00:00+01:00 2",
            "2026-10-25T03:00:00+01:00 2",
            "2026-10-25T04:00:00+01:00 1"
        ]
    );
    assert_eq!(
        count(Interval::WallHour, &berlin).await,
        ["2026-10-25T02:00:00 3", "2026-10-25T03:00:00 2", "2026-10-25T04:00:00 1"]
    );
    assert_eq!(count(Interval::Day, &berlin).await, ["2026-10-25T00:00:00+02:00 6"]);
    assert_eq!(count(Interval::Week, &berlin).await, ["2026-10-19T00:00:00+02:00 6"]);
    assert_eq!(count(Interval::Month, &TimeZone::UTC).await, ["2026-10-01T00:00:00Z 6"]);
    assert_eq!(count(Interval::Quarter, &berlin).await, ["2026-10-01T00:00:00+02:00 6"]);
    assert_eq!(count(Interval::Year, &berlin).await, ["2026-01-01T00:00:00+01:00 6"]);
}
