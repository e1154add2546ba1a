//! 31,106 shop events by another project: after an import with a mapping the engine's questions give the expected tables,
//! which ClickHouse and DuckDB computed.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::support::{World, all, data, mapping, table, world};
use tributary_core::event::Event;
use tributary_core::time::format_utc;
use tributary_events::answer::Answer;
use tributary_events::bucket::{Buckets, Interval};
use tributary_events::field::Field;
use tributary_events::filter::Filter;
use tributary_events::question::{
    Bots, Funnel, FunnelMode, Metric, Question, Retention, RetentionPeriod, SessionRule, Sessions, Slice, Unit,
};

fn expected(name: &str) -> Vec<BTreeMap<String, String>> {
    table(&data("ecom_retentioneering/expected").join(name))
}

fn number(row: &BTreeMap<String, String>, column: &str) -> i128 {
    row[column].parse().unwrap_or_else(|_| panic!("{column} of {row:?}"))
}

async fn shop() -> World {
    let world = world();
    let counts = world.import(&data("ecom_retentioneering/ecom.csv.gz"), mapping("ecom.toml")).await;
    assert_eq!((counts.accepted, counts.duplicates, counts.rejected), (31_106, 0, 0));
    world
}

fn named(event: &str) -> Vec<Filter> {
    vec![Filter::is(Field::EventName, event)]
}

#[tokio::test]
async fn events_users_and_sessions_per_event() {
    let world = shop().await;
    let metrics = [Metric::Events, Metric::Visitors, Metric::Sessions];
    let answer = world.aggregate(all(Bots::Include), &metrics, &[Field::EventName], None).await;
    let found: BTreeMap<&str, &[i128]> =
        answer.rows.iter().map(|row| (row.keys[0].as_deref().unwrap_or(""), row.values.as_slice())).collect();
    let table = expected("ecom_events.csv");
    assert_eq!(found.len(), table.len());
    for row in &table {
        let wanted = ["events", "users", "sessions"].map(|column| number(row, column));
        assert_eq!(found[row["event"].as_str()], wanted, "{row:?}");
    }
}

#[tokio::test]
async fn funnels_per_user_and_per_session() {
    const STEPS: [&str; 6] = ["product_view", "add_to_cart", "cart", "shipping_details", "payment_details", "purchase"];
    let world = shop().await;
    for (unit_name, unit) in [("user_id", Unit::Visitor), ("session_id", Unit::Session)] {
        for window_s in [1_800_i64, 86_400, 604_800] {
            let question = Funnel {
                slice: all(Bots::Include),
                steps: STEPS.map(named).to_vec(),
                window_us: Some(window_s * 1_000_000),
                mode: FunnelMode::Ordered,
                unit,
                exclusions: Vec::new(),
                breakdown: None,
                with_times: false,
            };
            let found: Vec<i128> = world.funnel(question).await.overall.reached.into_iter().map(i128::from).collect();
            let wanted: Vec<i128> =
                expected(&format!("ecom_funnel_{unit_name}_{window_s}s.csv")).iter().map(|row| number(row, "count")).collect();
            assert_eq!(found, wanted, "{unit_name} within {window_s} s");
        }
    }
}

#[tokio::test]
async fn sessions_that_hold_an_event_by_month_and_platform_and_by_channel() {
    let world = shop().await;
    let slice = all(Bots::Include);
    let buckets = |slice: &Slice| Buckets::cover(slice.range, Interval::Month, &jiff::tz::TimeZone::UTC).expect("few");
    let question = |group_by: Vec<Field>, buckets: Option<Buckets>, events: &[&str]| Sessions {
        slice: slice.clone(),
        rule: SessionRule::Recorded,
        buckets,
        group_by,
        containing: events.iter().map(|event| named(event)).collect(),
        limit: 1_000,
    };
    let events = ["add_to_cart", "purchase", "checkout_bug", "payment_error"];
    let months = buckets(&slice);
    let answer = world.sessions(question(vec![Field::DeviceType], Some(months.clone()), &events)).await;
    let table = expected("ecom_sessions_by_month_platform.csv");
    assert_eq!(answer.rows.len(), table.len());
    for row in &table {
        let found = answer
            .rows
            .iter()
            .find(|found| {
                let month = &months.labels[found.bucket.expect("bucketed") as usize];
                month.starts_with(&row["month"]) && found.keys[0].as_deref() == Some(&row["platform"])
            })
            .unwrap_or_else(|| panic!("no row for {row:?}"));
        let numbers: Vec<i128> =
            [found.counts.sessions].iter().chain(&found.counts.containing).map(|count| i128::from(*count)).collect();
        let columns = ["sessions", "with_add_to_cart", "with_purchase", "with_checkout_bug", "with_payment_error"];
        assert_eq!(numbers, columns.map(|column| number(row, column)), "{row:?}");
    }

    let by_channel = world.sessions(question(vec![Field::Source], None, &["purchase"])).await;
    let table = expected("ecom_conversion_by_channel.csv");
    assert_eq!(by_channel.rows.len(), table.len());
    for row in &table {
        let channel = row["acquisition_channel"].as_str();
        let found = by_channel.rows.iter().find(|found| found.keys[0].as_deref() == Some(channel)).expect("a row per channel");
        let numbers = [i128::from(found.counts.sessions), i128::from(found.counts.containing[0])];
        assert_eq!(numbers, [number(row, "sessions"), number(row, "purchasing_sessions")], "{channel}");
    }
}

#[tokio::test]
async fn retention_in_blocks_of_seven_days_by_cohort() {
    let world = shop().await;
    let question = Retention {
        slice: all(Bots::Include),
        start: Vec::new(),
        returning: Vec::new(),
        period: RetentionPeriod::Days(7),
        zone: jiff::tz::TimeZone::UTC,
        by_period: false,
        breakdown: Some(Field::Property("user_cohort".into())),
        periods: 60,
    };
    let Answer::Retention(answer) = world.ask(Question::Retention(question)).await else { panic!("no retention") };
    let mut found = BTreeMap::new();
    for cohort in &answer.cohorts {
        for (block, users) in cohort.active.iter().enumerate().filter(|(_, users)| **users > 0) {
            found.insert((cohort.value.clone().expect("every user has a cohort"), block as i128), i128::from(*users));
        }
    }
    let wanted: BTreeMap<(String, i128), i128> = expected("ecom_retention_7day_blocks_by_user_cohort.csv")
        .iter()
        .map(|row| ((row["user_cohort"].clone(), number(row, "block_of_7_days_since_first_event")), number(row, "users")))
        .collect();
    assert_eq!(found, wanted);
}

/// Ties of one second are broken by the order of rows in the file: row ids carry the row's number.
#[tokio::test]
async fn transitions_inside_sessions_keep_the_order_of_the_file() {
    let world = shop().await;
    let mut last: BTreeMap<String, String> = BTreeMap::new();
    let mut found: BTreeMap<(String, String), i128> = BTreeMap::new();
    for event in world.events().await {
        if let Some(before) = last.insert(event.session_id(), event.name.clone()) {
            *found.entry((before, event.name)).or_default() += 1;
        }
    }
    let wanted: BTreeMap<(String, String), i128> = expected("ecom_transitions_in_session.csv")
        .iter()
        .map(|row| ((row["from_event"].clone(), row["to_event"].clone()), number(row, "count")))
        .collect();
    let differing: BTreeSet<_> = found.keys().chain(wanted.keys()).filter(|key| found.get(key) != wanted.get(key)).collect();
    assert!(differing.is_empty(), "{differing:?}");
}

/// The checkout bug as its authors built it in: from the shipping form back to the cart.
#[tokio::test]
async fn ways_back_from_shipping_by_month_and_platform() {
    let world = shop().await;
    let mut last: BTreeMap<String, Event> = BTreeMap::new();
    let mut found: BTreeMap<(String, String), (i128, i128)> = BTreeMap::new();
    for event in world.events().await {
        let is_back = event.name == "add_to_cart";
        let Some(before) = last.insert(event.session_id(), event) else { continue };
        if before.name != "shipping_details" {
            continue;
        }
        let month = format!("{}-01", &format_utc(before.time_us)[..7]);
        let counts = found.entry((month, Field::DeviceType.of(&before).unwrap_or_default().into_owned())).or_default();
        counts.0 += i128::from(is_back);
        counts.1 += 1;
    }
    let wanted: BTreeMap<(String, String), (i128, i128)> = expected("ecom_shipping_back_to_cart_by_month_platform.csv")
        .iter()
        .map(|row| {
            let counts = (number(row, "shipping_to_add_to_cart"), number(row, "transitions_out_of_shipping"));
            ((row["month"].clone(), row["platform"].clone()), counts)
        })
        .collect();
    assert_eq!(found, wanted);
}
