//! `tz`: clock changes and days that are not 24 hours long, 2023 to 2027, against [`Buckets`] and the bundled database.

use jiff::tz::TimeZone;

use tributary_core::time::{SECOND_US, TimeRange, format_in, format_utc, parse_instant, zone};
use tributary_events::bucket::{Buckets, Interval};

use super::table::read;

fn instant(text: &str) -> i64 {
    parse_instant(text, &TimeZone::UTC).expect("the tables hold ISO 8601 instants")
}

/// Rows of `irregular_days.csv` that `Buckets` draws differently, as `zone date: found, not expected`.
pub fn differing_days() -> Vec<String> {
    let mut differing = Vec::new();
    for row in read("tz/irregular_days.csv") {
        let zone = zone(row.text("zone")).expect("the zone is known");
        let (first, next) = (instant(row.text("first_instant_utc")), instant(row.text("next_day_first_instant_utc")));
        assert_eq!(next - first, row.number::<i64>("seconds") * SECOND_US, "the table agrees with itself");
        // From the middle of the day into the middle of the next.
        let range = TimeRange { start_us: first + 12 * 3_600 * SECOND_US, end_us: next + 12 * 3_600 * SECOND_US };
        let buckets = Buckets::cover(range, Interval::Day, &zone).expect("two days");
        let found: Vec<String> = buckets.edges.iter().map(|edge| format_utc(*edge)).collect();
        let label = buckets.labels[0].starts_with(row.text("local_date"));
        if found != [format_utc(first), format_utc(next)] || !label {
            let expected = [row.text("first_instant_utc"), row.text("next_day_first_instant_utc")];
            differing.push(format!("{} {}: {found:?}, not {expected:?}", row.text("zone"), row.text("local_date")));
        }
    }
    differing
}

/// Rows of `transitions.csv` whose wall clock or offset the bundled database gives differently.
pub fn differing_transitions() -> Vec<String> {
    let mut differing = Vec::new();
    for row in read("tz/transitions.csv") {
        let zone = zone(row.text("zone")).expect("the zone is known");
        let time_us = instant(row.text("utc_instant"));
        let timestamp = jiff::Timestamp::from_microsecond(time_us).expect("within the calendar");
        let wall = zone.to_datetime(timestamp).to_string();
        let offset = zone.to_offset(timestamp).seconds();
        if wall != row.text("local_wall") || offset != row.number::<i32>("offset_seconds") {
            let (zone_name, utc) = (row.text("zone"), row.text("utc_instant"));
            differing.push(format!("{zone_name} {utc}: {}, not {}", format_in(time_us, &zone), row.text("local_wall")));
        }
    }
    differing
}
