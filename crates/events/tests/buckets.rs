//! Buckets against the calendar itself: for any instant, the wall clock says which bucket it belongs to.

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use proptest::prelude::*;
use proptest::sample::select;

use tributary_core::time::{DAY_US, SECOND_US, TimeRange, zone};
use tributary_events::bucket::{Buckets, Interval};

/// Whole, half and quarter hours; changes at midnight, by half an hour, by a whole day; none at all.
const ZONES: &[&str] = &[
    "UTC",
    "Europe/Berlin",
    "Europe/Dublin",
    "America/New_York",
    "America/Sao_Paulo",
    "America/Santiago",
    "America/St_Johns",
    "America/Caracas",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Asia/Pyongyang",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Chatham",
];

const INTERVALS: &[Interval] =
    &[Interval::Hour, Interval::WallHour, Interval::Day, Interval::Week, Interval::Month, Interval::Quarter, Interval::Year];

fn instant() -> impl Strategy<Value = i64> {
    // 2005 to 2035, and the night Samoa skipped 30 December 2011.
    prop_oneof![
        4 => 1_104_537_600_i64..2_051_222_400,
        1 => 1_325_000_000_i64..1_325_400_000,
    ]
    .prop_flat_map(|second| (Just(second), 0..SECOND_US))
    .prop_map(|(second, us)| second * SECOND_US + us)
}

/// What the wall clock says about the bucket of an instant; the beginning of its label.
fn wall_label(time_us: i64, interval: Interval, zone: &TimeZone) -> String {
    let wall = zone.to_datetime(Timestamp::from_microsecond(time_us).expect("within the calendar"));
    let date = wall.date();
    match interval {
        Interval::Hour | Interval::WallHour => wall.strftime("%Y-%m-%dT%H:").to_string(),
        Interval::Day => date.to_string(),
        Interval::Week => (date - i64::from(date.weekday().since(Weekday::Monday)).days()).to_string(),
        Interval::Month => date.strftime("%Y-%m-").to_string(),
        Interval::Quarter => format!("{}-{:02}-01T", date.year(), [1, 4, 7, 10][(date.month() as usize - 1) / 3]),
        Interval::Year => date.strftime("%Y-01-01T").to_string(),
    }
}

fn check(start_us: i64, length_us: i64, interval: Interval, zone_name: &str, part: f64) {
    let zone = zone(zone_name).expect("the zone is known");
    let range = TimeRange::new(start_us, start_us + length_us).expect("ascending");
    let buckets = Buckets::cover(range, interval, &zone).expect("few buckets");

    assert!(buckets.edges.windows(2).all(|pair| pair[0] < pair[1]), "edges ascend");
    assert_eq!(buckets.edges.len(), buckets.bucket_of.len());
    assert!(
        buckets.edges[0] <= range.start_us && *buckets.edges.last().expect("not empty") < range.end_us,
        "edges cover the range"
    );
    assert!(buckets.edges.get(1).is_none_or(|second| *second > range.start_us), "no bucket lies before the range");
    let mut labels = buckets.labels.clone();
    labels.sort();
    labels.dedup();
    assert_eq!(labels.len(), buckets.labels.len(), "labels tell buckets apart");

    // Where an instant falls: at every edge, a microsecond before it, at both ends of the range and somewhere inside.
    let inside = range.start_us + ((length_us - 1) as f64 * part) as i64;
    let around = buckets.edges.iter().flat_map(|edge| [*edge, *edge - 1]);
    for time_us in around.chain([range.start_us, range.end_us - 1, inside]).filter(|time_us| range.contains(*time_us)) {
        let bucket = buckets.find(time_us).expect("inside the range");
        let label = &buckets.labels[bucket as usize];
        let expected = wall_label(time_us, interval, &zone);
        assert!(label.starts_with(&expected), "{time_us} in {zone_name} belongs to {expected}, not {label}");
    }
    if interval == Interval::Hour {
        assert!(buckets.edges.windows(2).all(|pair| pair[1] - pair[0] <= 3_600 * SECOND_US), "hours are at most an hour");
    }
}

proptest! {
    #[test]
    fn every_instant_falls_where_the_wall_clock_says(
        start_us in instant(),
        days in 0_i64..300,
        rest_us in 1..DAY_US,
        interval in select(INTERVALS),
        zone_name in select(ZONES),
        part in 0.0..1.0,
    ) {
        let days = if matches!(interval, Interval::Hour | Interval::WallHour) { days % 20 } else { days };
        check(start_us, days * DAY_US + rest_us, interval, zone_name, part);
    }

    #[test]
    fn no_range_makes_buckets_panic(
        start_us in any::<i64>(),
        end_us in any::<i64>(),
        interval in select(INTERVALS),
        zone_name in select(ZONES),
    ) {
        if let Ok(range) = TimeRange::new(start_us, end_us) {
            let _ = Buckets::cover(range, interval, &zone(zone_name).expect("the zone is known"));
        }
    }
}

#[test]
fn the_ends_of_the_calendar_are_refused_or_covered() {
    let latest = Timestamp::MAX.as_microsecond();
    let earliest = Timestamp::MIN.as_microsecond();
    for zone_name in ZONES {
        for interval in INTERVALS {
            for range in [
                TimeRange { start_us: latest - DAY_US, end_us: latest },
                TimeRange { start_us: earliest, end_us: earliest + DAY_US },
                TimeRange::ALL,
            ] {
                let zone = zone(zone_name).expect("the zone is known");
                if let Ok(buckets) = Buckets::cover(range, *interval, &zone) {
                    assert!(buckets.edges[0] <= range.start_us, "{zone_name} {interval:?} {range:?}");
                }
            }
        }
    }
}
