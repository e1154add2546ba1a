//! The first rows of segments so large that they are looked through in windows of time, where the times are at hand.

use tributary_core::event::Event;
use tributary_core::time::{DAY_US, TimeRange};
use tributary_events::field::Field;
use tributary_events::filter::Filter;
use tributary_events::question::{Aggregate, Budget, Metric, Question, RowOrder, RowPosition, Rows, Slice};
use tributary_events::reference::ReferenceStore;
use tributary_events::store::{Erasure, EventStore};
use tributary_testkit::scope::workspace;
use tributary_timeline::options::Options;

use crate::ground::{open, small};
use crate::sample::{MAY, event};

const EVENTS: i64 = 6_000;
const SPAN_US: i64 = 28 * DAY_US;

/// Events of many visitors, most of them late in the month, some of one instant.
fn events() -> Vec<Event> {
    let one = |n: i64| {
        let share = n * 7_919 % EVENTS;
        // The square root crowds them at the end.
        let time_us = MAY + ((share as f64 / EVENTS as f64).sqrt() * SPAN_US as f64) as i64 / 60_000_000 * 60_000_000;
        let name = match n % 200 {
            0 => "rare",
            1..=40 => "common",
            _ => "page_view",
        };
        Event { name: String::from(name), ..event(&format!("v{}", n % 61), &format!("{n}"), time_us) }
    };
    (0..EVENTS).map(one).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_rows_of_a_large_segment_equal_the_reference() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { segment_rows: 10_000, row_group_rows: 64, memory_budget_bytes: 64 << 20, ..small() };
    let (timeline, reference, scope) = (open(folder.path(), options), ReferenceStore::new(), workspace(1));
    timeline.append(&scope, events()).await.unwrap();
    reference.append(&scope, events()).await.unwrap();
    timeline.compact().unwrap();
    assert_eq!(timeline.stats().unwrap().segments, 1);
    // Times are decoded for a range that cuts the segment.
    let cut = TimeRange::new(MAY + DAY_US, MAY + SPAN_US).unwrap();
    let slice = Slice::of(cut);
    let counts = Aggregate { slice, metrics: vec![Metric::Events], group_by: vec![], buckets: None, limit: 1 };
    timeline.ask(&scope, Question::Aggregate(counts), Budget::INTERACTIVE).await.unwrap();
    for step in ["whole", "with an erased visitor"] {
        if step != "whole" {
            let gone = Erasure::Visitor(String::from("v7"));
            let erased = timeline.erase(&scope, gone.clone()).await.unwrap();
            assert_eq!(erased, reference.erase(&scope, gone).await.unwrap());
        }
        let mut asked = 0;
        for order in [RowOrder::NewestFirst, RowOrder::OldestFirst] {
            for name in [None, Some("page_view"), Some("common"), Some("rare"), Some("unheard of")] {
                for range in [TimeRange::ALL, cut, TimeRange::new(MAY + 9 * DAY_US, MAY + 17 * DAY_US).unwrap()] {
                    for (limit, count_up_to) in [(1, 1), (7, 7), (50, 1_000), (100, u64::MAX)] {
                        let mut slice = Slice::of(range);
                        slice.filters.extend(name.map(|name| Filter::is(Field::EventName, name)));
                        let mut rows = Rows { slice, order, limit, count_up_to, after: None, only: None };
                        // The first page and those that follow it.
                        for page in 0..3 {
                            let question = Question::Rows(rows.clone());
                            let found = timeline.ask(&scope, question.clone(), Budget::INTERACTIVE).await.unwrap().answer;
                            let expected = reference.ask(&scope, question, Budget::INTERACTIVE).await.unwrap().answer;
                            assert_eq!(found, expected, "{step}, page {page} of {rows:?}");
                            asked += 1;
                            let tributary_events::answer::Answer::Rows(found) = found else { panic!("rows were asked for") };
                            let (Some(last), Some(sequence)) = (found.rows.last(), found.sequences.last()) else { break };
                            rows.after = Some(RowPosition { time_us: last.time_us, sequence: *sequence });
                        }
                    }
                }
            }
        }
        assert!(asked > 200, "{asked}");
    }
}

/// More events of one instant than are read to be ordered, some of them without an id, and some of those alike in everything that
/// is not their content.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_through_very_many_events_of_one_instant_equal_the_reference() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { segment_rows: 700, row_group_rows: 64, ..small() };
    let (timeline, reference, scope) = (open(folder.path(), options), ReferenceStore::new(), workspace(1));
    let one = |n: i64| {
        let time_us = MAY + i64::from(n % 10 == 0) * DAY_US;
        let with_id = event(&format!("v{}", n % 61), &format!("{}", n * 7_919 % 3_001), time_us);
        let properties = Some(format!(r#"{{"n":{n}}}"#));
        let event_id = with_id.event_id.clone().filter(|_| n % 3 > 0);
        Event { properties, event_id, ..with_id }
    };
    let events: Vec<Event> = (0..3_000).map(one).collect();
    timeline.append(&scope, events.clone()).await.unwrap();
    reference.append(&scope, events).await.unwrap();
    timeline.compact().unwrap();
    for order in [RowOrder::NewestFirst, RowOrder::OldestFirst] {
        let slice = Slice::of(TimeRange::ALL);
        let mut rows = Rows { slice, order, limit: 230, count_up_to: u64::MAX, after: None, only: None };
        let mut passed = 0;
        loop {
            let question = Question::Rows(rows.clone());
            let found = timeline.ask(&scope, question.clone(), Budget::INTERACTIVE).await.unwrap().answer;
            let expected = reference.ask(&scope, question, Budget::INTERACTIVE).await.unwrap().answer;
            assert_eq!(found, expected, "after {passed} rows of {rows:?}");
            let tributary_events::answer::Answer::Rows(found) = found else { panic!("rows were asked for") };
            passed += found.rows.len();
            let (Some(last), Some(sequence)) = (found.rows.last(), found.sequences.last()) else { break };
            rows.after = Some(RowPosition { time_us: last.time_us, sequence: *sequence });
        }
        assert_eq!(passed, 3_000);
    }
}
