//! Retention by local day, by ISO week and rolling.

use std::collections::BTreeMap;

use tributary_core::time::{format_in, zone};
use tributary_events::bucket::Interval;
use tributary_events::question::{Retention, RetentionPeriod};

use super::super::asking::Filled;
use super::super::table::read;
use super::all;

pub(super) async fn check(filled: &Filled<'_>) {
    for zone_name in ["UTC", "Europe/Berlin"] {
        daily(filled, zone_name).await;
        weekly(filled, zone_name).await;
    }
    rolling(filled).await;
}

fn question(interval: Interval, zone_name: &str) -> Retention {
    Retention {
        slice: all(),
        start: vec![],
        returning: vec![],
        period: RetentionPeriod::Calendar(interval),
        zone: zone(zone_name).expect("the zone is known"),
        by_period: false,
        breakdown: None,
        periods: 31,
    }
}

async fn daily(filled: &Filled<'_>, zone_name: &str) {
    let table = format!("events_synthetic/expected/retention_day_n_{}.csv", zone_name.replace('/', "_"));
    let cohorts = filled.retention(question(Interval::Day, zone_name)).await;
    assert_eq!(cohorts.len(), 1);
    for row in read(&table) {
        assert_eq!(cohorts[0].active[row.number::<usize>("day_offset")], row.number::<u64>("users"), "{table} {row:?}");
    }
}

async fn weekly(filled: &Filled<'_>, zone_name: &str) {
    let table = format!("events_synthetic/expected/retention_weekly_{}.csv", zone_name.replace('/', "_"));
    let asked = Retention { by_period: true, ..question(Interval::Week, zone_name) };
    let zone = asked.zone.clone();
    let mut found: BTreeMap<(String, usize), u64> = BTreeMap::new();
    for cohort in filled.retention(asked).await {
        let monday = format_in(cohort.start_us.expect("cohorts by period have a start"), &zone)[..10].to_owned();
        assert_eq!(cohort.size, cohort.active[0], "every visitor is active in the first week");
        let active = cohort.active.iter().enumerate().filter(|(_, users)| **users > 0);
        found.extend(active.map(|(week, users)| ((monday.clone(), week), *users)));
    }
    let expected: BTreeMap<(String, usize), u64> = read(&table)
        .iter()
        .map(|row| ((row.text("cohort_week_monday").to_owned(), row.number("week_offset")), row.number("users")))
        .collect();
    assert_eq!(found, expected, "{table}");
}

async fn rolling(filled: &Filled<'_>) {
    let cohorts = filled.retention(question(Interval::Day, "UTC")).await;
    for row in read("events_synthetic/expected/retention_rolling_utc.csv") {
        let found = cohorts[0].active_from[row.number::<usize>("day_offset")];
        assert_eq!(found, row.number::<u64>("users_active_on_or_after"), "retention_rolling_utc.csv {row:?}");
    }
}
