//! Sessions by gap: longer than half an hour, and from half an hour on.

use jiff::tz::TimeZone;
use std::collections::BTreeMap;

use tributary_core::time::SECOND_US;
use tributary_events::bucket::{Buckets, Interval};
use tributary_events::question::{SessionRule, Sessions};

use super::super::asking::Filled;
use super::super::table::read;
use super::all;

const HALF_HOUR_US: i64 = 1_800 * SECOND_US;

pub(super) async fn check(filled: &Filled<'_>) {
    for (name, rule, sessions) in
        [("gt", SessionRule::GapOver(HALF_HOUR_US), 10_529), ("ge", SessionRule::GapFrom(HALF_HOUR_US), 11_571)]
    {
        let buckets = Buckets::cover(all().range, Interval::Day, &TimeZone::UTC).expect("few days");
        let labels = buckets.labels.clone();
        let asked = Sessions { slice: all(), rule, buckets: Some(buckets), group_by: vec![], containing: vec![], limit: 1_000 };
        let answer = filled.sessions(asked).await;
        assert_eq!((answer.totals.sessions, answer.totals.events), (sessions, 25_831), "{name}");

        let table = format!("events_synthetic/expected/sessions_per_day_utc_gap_{name}_30min.csv");
        let day = |bucket: Option<u32>| labels[bucket.expect("there are buckets") as usize][..10].to_owned();
        let found: BTreeMap<String, (u64, u64)> =
            answer.rows.iter().map(|row| (day(row.bucket), (row.counts.sessions, row.counts.events))).collect();
        let expected: BTreeMap<String, (u64, u64)> = read(&table)
            .iter()
            .map(|row| (row.text("session_start_date_utc").to_owned(), (row.number("sessions"), row.number("events"))))
            .collect();
        assert_eq!(found, expected, "{table}");

        if rule == SessionRule::GapOver(HALF_HOUR_US) {
            let table = read("events_synthetic/expected/session_size_distribution_gap_gt_30min.csv");
            let expected: BTreeMap<u64, u64> =
                table.iter().map(|row| (row.number("events_in_session"), row.number("sessions"))).collect();
            assert_eq!(
                answer.sizes.into_iter().collect::<BTreeMap<_, _>>(),
                expected,
                "session_size_distribution_gap_gt_30min.csv"
            );
        }
    }
}
