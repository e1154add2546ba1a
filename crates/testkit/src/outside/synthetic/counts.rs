//! Events, distinct visitors and money: in all, by local day, by wall-clock hour, by source.

use std::collections::BTreeMap;

use tributary_core::money::{Currency, parse_micros};
use tributary_core::time::{TimeRange, zone};
use tributary_events::bucket::{Buckets, Interval};
use tributary_events::field::Field;
use tributary_events::filter::Filter;
use tributary_events::question::{Aggregate, Metric, Slice, Values};

use super::super::asking::Filled;
use super::super::table::read;
use super::{all, instant};

pub(super) async fn check(filled: &Filled<'_>) {
    basic(filled).await;
    distinct(filled).await;
    revenue(filled).await;
    local_days(filled).await;
    wall_clock_hours(filled).await;
}

const MOST_ROWS: usize = 100_000;

fn question(metrics: Vec<Metric>, group_by: Vec<Field>) -> Aggregate {
    Aggregate { slice: all(), metrics, group_by, buckets: None, limit: MOST_ROWS }
}

async fn basic(filled: &Filled<'_>) {
    let answer = filled.aggregate(question(vec![Metric::Events, Metric::Visitors], vec![Field::EventName])).await;
    let found: BTreeMap<&str, &[i128]> =
        answer.rows.iter().map(|row| (row.keys[0].as_deref().expect("events have names"), row.values.as_slice())).collect();
    let expected = read("events_synthetic/expected/basic.csv");
    assert_eq!(found.len(), expected.len(), "basic.csv");
    for row in expected {
        let counts: [i128; 2] = [row.number("events"), row.number("users")];
        assert_eq!(found[row.text("event")], counts, "basic.csv {row:?}");
    }
    for row in read("events_synthetic/expected/basic_currency.csv") {
        let currency: Currency = row.text("currency").parse().expect("a currency code");
        let answer = filled.aggregate(question(vec![Metric::Amount(currency)], vec![])).await;
        assert_eq!(
            answer.totals,
            [i128::from(parse_micros(row.text("total")).expect("a decimal"))],
            "basic_currency.csv {row:?}"
        );
    }
}

async fn distinct(filled: &Filled<'_>) {
    let days = Buckets::cover(all().range, Interval::Day, &jiff::tz::TimeZone::UTC).expect("few days");
    let rows = async |group_by: Vec<Field>, buckets: Option<Buckets>| {
        let asked = Aggregate { limit: 1, buckets, ..question(vec![Metric::Events], group_by) };
        filled.aggregate(asked).await.total_rows
    };
    for row in read("events_synthetic/expected/distinct.csv") {
        let found = match row.text("what") {
            "user_id" => filled.aggregate(question(vec![Metric::Visitors], vec![])).await.totals[0] as usize,
            "event_id" => filled.values(Values { slice: all(), field: Field::EventId, limit: 1 }).await.total,
            "user_id|page" => rows(vec![Field::AnonymousId, Field::Path], None).await,
            "user_id|utc_date" => rows(vec![Field::AnonymousId], Some(days.clone())).await,
            other => panic!("distinct.csv counts something new: {other}"),
        };
        assert_eq!(found, row.number::<usize>("exact"), "distinct.csv {row:?}");
    }
}

async fn revenue(filled: &Filled<'_>) {
    let expected = read("events_synthetic/expected/revenue_by_source_medium_campaign_currency.csv");
    for code in ["EUR", "JPY", "USD"] {
        let currency: Currency = code.parse().expect("a currency code");
        let group_by = vec![Field::Source, Field::Medium, Field::Campaign];
        let purchases = vec![Filter::is(Field::EventName, "purchase"), Filter::is(Field::Currency, code)];
        let asked = Aggregate {
            slice: Slice { filters: purchases, ..all() },
            ..question(vec![Metric::Amount(currency), Metric::Events], group_by)
        };
        let found: BTreeMap<Vec<Option<String>>, Vec<i128>> =
            filled.aggregate(asked).await.rows.into_iter().map(|row| (row.keys, row.values)).collect();
        let wanted: BTreeMap<Vec<Option<String>>, Vec<i128>> = expected
            .iter()
            .filter(|row| row.text("currency") == code)
            .map(|row| {
                let keys = ["utm_source", "utm_medium", "utm_campaign"].map(|column| row.optional(column)).to_vec();
                let micros = parse_micros(row.text("revenue")).expect("a decimal");
                (keys, vec![i128::from(micros), row.number("purchases")])
            })
            .collect();
        assert_eq!(found, wanted, "revenue_by_source_medium_campaign_currency.csv {code}");
    }
}

async fn local_days(filled: &Filled<'_>) {
    let mut expected: BTreeMap<String, BTreeMap<String, Vec<i128>>> = BTreeMap::new();
    for row in read("events_synthetic/expected/events_users_per_local_day.csv") {
        let days = expected.entry(row.text("zone").to_owned()).or_default();
        days.insert(row.text("local_date").to_owned(), vec![row.number("events"), row.number("users")]);
    }
    assert_eq!(expected.len(), 8, "eight zones");
    for (zone_name, days) in expected {
        let found = per_bucket(filled, all().range, Interval::Day, &zone_name, vec![Metric::Events, Metric::Visitors], 10).await;
        assert_eq!(found, days, "events_users_per_local_day.csv {zone_name}");
    }
}

async fn wall_clock_hours(filled: &Filled<'_>) {
    let mut expected: BTreeMap<String, BTreeMap<String, Vec<i128>>> = BTreeMap::new();
    for row in read("events_synthetic/expected/events_per_local_hour_dst_days.csv") {
        let hours = expected.entry(row.text("zone").to_owned()).or_default();
        hours.insert(row.text("local_hour").replace(' ', "T"), vec![row.number("events")]);
    }
    // The table covers these stretches: the changes in New York, Berlin and on Lord Howe.
    let stretches = [("2026-03-07", "2026-03-10"), ("2026-03-28", "2026-03-31"), ("2026-04-04", "2026-04-06")];
    for (zone_name, hours) in expected {
        let mut found = BTreeMap::new();
        for (start, end) in stretches {
            let range = TimeRange { start_us: instant(start), end_us: instant(end) };
            found.extend(per_bucket(filled, range, Interval::WallHour, &zone_name, vec![Metric::Events], 13).await);
        }
        assert_eq!(found, hours, "events_per_local_hour_dst_days.csv {zone_name}");
    }
}

/// Metrics by bucket, the labels cut to as many characters.
async fn per_bucket(
    filled: &Filled<'_>,
    range: TimeRange,
    interval: Interval,
    zone_name: &str,
    metrics: Vec<Metric>,
    characters: usize,
) -> BTreeMap<String, Vec<i128>> {
    let zone = zone(zone_name).expect("the zone is known");
    let buckets = Buckets::cover(range, interval, &zone).expect("few buckets");
    let labels = buckets.labels.clone();
    let asked = Aggregate { slice: Slice::of(range), buckets: Some(buckets), ..question(metrics, vec![]) };
    let rows = filled.aggregate(asked).await.rows;
    let label = |bucket: Option<u32>| labels[bucket.expect("there are buckets") as usize][..characters].to_owned();
    rows.into_iter().map(|row| (label(row.bucket), row.values)).collect()
}
