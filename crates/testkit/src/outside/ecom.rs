//! `ecom_retentioneering`: 31,106 synthetic shop events with built-in stories, against tables from ClickHouse and DuckDB.

use jiff::tz::TimeZone;
use std::collections::BTreeMap;

use tributary_core::event::Event;
use tributary_core::time::{SECOND_US, TimeRange, parse_instant};
use tributary_events::bucket::{Buckets, Interval};
use tributary_events::conformance::Ground;
use tributary_events::conformance::sample::event;
use tributary_events::field::Field;
use tributary_events::filter::Filter;
use tributary_events::question::{
    Aggregate, Funnel, FunnelMode, Metric, Retention, RetentionPeriod, SessionRule, Sessions, Slice, Unit,
};

use super::asking::Filled;
use super::table::{Row, read};

/// All tables that are questions to an engine.
pub async fn check(ground: &dyn Ground) {
    let filled = Filled::with(ground, events()).await;
    names(&filled).await;
    funnels(&filled).await;
    retention(&filled).await;
    sessions_by_month(&filled).await;
    conversion_by_channel(&filled).await;
}

/// The events: user is the visitor, platform the device, acquisition channel the source; cohort and life cycle are properties.
pub fn events() -> Vec<Event> {
    read("ecom_retentioneering/ecom.csv.gz").iter().map(read_event).collect()
}

fn read_event(row: &Row) -> Event {
    let properties = serde_json::json!({ "user_cohort": row.text("user_cohort"), "user_lifecycle": row.text("user_lifecycle") });
    Event {
        session: row.optional("session_id"),
        source: row.text("acquisition_channel").to_owned(),
        device_type: row.optional("platform"),
        properties: Some(properties.to_string()),
        ..event(row.text("event"), row.text("user_id"), instant(row.text("timestamp")))
    }
}

fn instant(text: &str) -> i64 {
    parse_instant(text, &TimeZone::UTC).expect("the table holds dates and times")
}

fn all() -> Slice {
    Slice::of(TimeRange { start_us: instant("2023-12-01"), end_us: instant("2025-01-01") })
}

fn named(name: &str) -> Vec<Filter> {
    vec![Filter::is(Field::EventName, name)]
}

async fn names(filled: &Filled<'_>) {
    let asked = Aggregate {
        slice: all(),
        metrics: vec![Metric::Events, Metric::Visitors, Metric::Sessions],
        group_by: vec![Field::EventName],
        buckets: None,
        limit: 100,
    };
    let answer = filled.aggregate(asked).await;
    let found: BTreeMap<Vec<Option<String>>, Vec<i128>> = answer.rows.into_iter().map(|row| (row.keys, row.values)).collect();
    let expected: BTreeMap<Vec<Option<String>>, Vec<i128>> = read("ecom_retentioneering/expected/ecom_events.csv")
        .iter()
        .map(|row| (vec![row.optional("event")], vec![row.number("events"), row.number("users"), row.number("sessions")]))
        .collect();
    assert_eq!(found, expected, "ecom_events.csv");
    assert_eq!(answer.totals, [31_106, 600, 3_605]);
}

async fn funnels(filled: &Filled<'_>) {
    let steps = ["product_view", "add_to_cart", "cart", "shipping_details", "payment_details", "purchase"];
    for (column, unit) in [("user_id", Unit::Visitor), ("session_id", Unit::Session)] {
        for window_s in [1_800, 86_400, 604_800] {
            let asked = Funnel {
                slice: all(),
                steps: steps.iter().map(|name| named(name)).collect(),
                window_us: Some(window_s * SECOND_US),
                mode: FunnelMode::Ordered,
                unit,
                exclusions: vec![],
                breakdown: None,
                with_times: false,
            };
            let table = format!("ecom_retentioneering/expected/ecom_funnel_{column}_{window_s}s.csv");
            let expected: Vec<u64> = read(&table).iter().map(|row| row.number("count")).collect();
            assert_eq!(filled.funnel(asked).await.overall.reached, expected, "{table}");
        }
    }
}

async fn retention(filled: &Filled<'_>) {
    let asked = Retention {
        slice: all(),
        start: vec![],
        returning: vec![],
        period: RetentionPeriod::Days(7),
        zone: TimeZone::UTC,
        by_period: false,
        breakdown: Some(Field::Property(String::from("user_cohort"))),
        periods: 60,
    };
    let mut found: BTreeMap<(String, usize), u64> = BTreeMap::new();
    for cohort in filled.retention(asked).await {
        let value = cohort.value.expect("every user has a cohort");
        let active = cohort.active.iter().enumerate().filter(|(_, users)| **users > 0);
        found.extend(active.map(|(block, users)| ((value.clone(), block), *users)));
    }
    let table = "ecom_retentioneering/expected/ecom_retention_7day_blocks_by_user_cohort.csv";
    let expected: BTreeMap<(String, usize), u64> = read(table)
        .iter()
        .map(|row| ((row.text("user_cohort").to_owned(), row.number("block_of_7_days_since_first_event")), row.number("users")))
        .collect();
    assert_eq!(found, expected, "{table}");
}

async fn sessions_by_month(filled: &Filled<'_>) {
    let buckets = Buckets::cover(all().range, Interval::Month, &TimeZone::UTC).expect("few months");
    let labels = buckets.labels.clone();
    let contained = ["add_to_cart", "purchase", "checkout_bug", "payment_error"];
    let asked = Sessions {
        slice: all(),
        rule: SessionRule::Recorded,
        buckets: Some(buckets),
        group_by: vec![Field::DeviceType],
        containing: contained.iter().map(|name| named(name)).collect(),
        limit: 1_000,
    };
    let month = |bucket: Option<u32>| labels[bucket.expect("there are buckets") as usize][..10].to_owned();
    let rows = filled.sessions(asked).await.rows.into_iter();
    let found: BTreeMap<(String, Option<String>), Vec<u64>> = rows
        .map(|row| {
            let counts = [row.counts.sessions].into_iter().chain(row.counts.containing).collect();
            ((month(row.bucket), row.keys[0].clone()), counts)
        })
        .collect();
    let table = "ecom_retentioneering/expected/ecom_sessions_by_month_platform.csv";
    let expected: BTreeMap<(String, Option<String>), Vec<u64>> = read(table)
        .iter()
        .map(|row| {
            let with = contained.iter().map(|name| row.number(&format!("with_{name}")));
            let counts = [row.number("sessions")].into_iter().chain(with).collect();
            ((row.text("month").to_owned(), row.optional("platform")), counts)
        })
        .collect();
    assert_eq!(found, expected, "{table}");
}

async fn conversion_by_channel(filled: &Filled<'_>) {
    let asked = Sessions {
        slice: all(),
        rule: SessionRule::Recorded,
        buckets: None,
        group_by: vec![Field::Source],
        containing: vec![named("purchase")],
        limit: 100,
    };
    let rows = filled.sessions(asked).await.rows.into_iter();
    let found: BTreeMap<Option<String>, (u64, u64)> =
        rows.map(|row| (row.keys[0].clone(), (row.counts.sessions, row.counts.containing[0]))).collect();
    let table = "ecom_retentioneering/expected/ecom_conversion_by_channel.csv";
    let expected: BTreeMap<Option<String>, (u64, u64)> = read(table)
        .iter()
        .map(|row| (row.optional("acquisition_channel"), (row.number("sessions"), row.number("purchasing_sessions"))))
        .collect();
    assert_eq!(found, expected, "{table}");
}
