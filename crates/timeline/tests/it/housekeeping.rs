//! Flush, compaction, erasure, backup, bounds, and what lies on disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use tributary_core::error::Code;
use tributary_core::time::TimeRange;
use tributary_events::answer::Answer;
use tributary_events::field::Field;
use tributary_events::filter::Filter;
use tributary_events::question::{Aggregate, Budget, Metric, Question, Slice};
use tributary_events::store::{Erasure, EventStore, Outcome};
use tributary_testkit::scope::workspace;
use tributary_timeline::Timeline;
use tributary_timeline::options::Options;

use crate::ground::{open, small};
use crate::sample::{MAY, MONTH_US, event, events_in, ids, series, signed_in};

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

fn with_extension(folder: &Path, extension: &str) -> Vec<PathBuf> {
    files(folder).into_iter().filter(|path| path.extension().is_some_and(|found| found == extension)).collect()
}

fn count(filter: Option<Filter>) -> Question {
    let mut slice = Slice::of(TimeRange::ALL);
    slice.filters.extend(filter);
    Question::Aggregate(Aggregate {
        slice,
        metrics: vec![Metric::Events, Metric::Visitors],
        group_by: vec![Field::AnonymousId],
        buckets: None,
        limit: 100,
    })
}

#[tokio::test]
async fn an_id_counts_once_whatever_its_time_and_wherever_the_first_one_lies() {
    let folder = tempfile::tempdir().unwrap();
    let scope = workspace(1);
    let mut timeline = open(folder.path(), small());
    let first: Vec<_> = series("a", 30, MAY);
    assert_eq!(timeline.append(&scope, first.clone()).await.unwrap().watermark, 30);
    for step in ["tail", "reopened tail", "segments", "reopened segments", "compacted"] {
        match step {
            "segments" => timeline.flush().unwrap(),
            "compacted" => timeline.compact().unwrap(),
            "reopened tail" | "reopened segments" => {
                timeline.close();
                timeline = open(folder.path(), small());
            }
            _ => {}
        }
        let late = first.iter().map(|event| tributary_core::event::Event { time_us: event.time_us - MONTH_US, ..event.clone() });
        let appended = timeline.append(&scope, late.collect()).await.unwrap();
        assert_eq!((appended.accepted(), appended.watermark), (0, 30), "{step}");
    }
    let mut other_origin = first[0].clone();
    other_origin.origin = tributary_core::event::Origin::Browser;
    let appended = timeline.append(&scope, vec![other_origin.clone(), other_origin]).await.unwrap();
    assert_eq!(appended.outcomes, [Outcome::Accepted, Outcome::Duplicate]);
    assert_eq!(timeline.append(&workspace(2), first).await.unwrap().accepted(), 30, "another workspace");
}

#[tokio::test]
async fn segments_keep_to_a_month_and_to_their_bound_and_are_plain_sorted_parquet() {
    let folder = tempfile::tempdir().unwrap();
    let timeline = open(folder.path(), small());
    timeline.append(&workspace(1), series("a", 24 * 40, MAY)).await.unwrap();
    timeline.flush().unwrap();
    timeline.compact().unwrap();
    let segments = with_extension(folder.path(), "parquet");
    assert!(segments.len() >= 24 * 40 / 7, "{}", segments.len());
    let mut rows = 0;
    for path in &segments {
        let builder = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(path).unwrap()).unwrap();
        if rows == 0 {
            let columns: Vec<String> =
                builder.schema().fields().iter().map(|field| format!("{}: {}", field.name(), field.data_type())).collect();
            insta::assert_snapshot!(columns.join("\n"), @r#"
            visitor_hash: UInt64
            anonymous_id: Utf8
            time: Timestamp(ms, "UTC")
            received_at: Timestamp(ms, "UTC")
            sequence: UInt64
            amount_micros: Int64
            event_id_number: Int64
            event: Utf8
            event_id: Utf8
            user_id: Utf8
            session_id: Utf8
            origin: Utf8
            url: Utf8
            path: Utf8
            referrer: Utf8
            source: Utf8
            medium: Utf8
            campaign: Utf8
            source_confidence: Utf8
            source_rule_id: Utf8
            country: Utf8
            device_type: Utf8
            browser: Utf8
            os: Utf8
            ip_hash: Utf8
            bot: Utf8
            currency: Utf8
            properties: Utf8
            properties.plan: Utf8
            "#);
        }
        let found = builder.metadata().file_metadata().num_rows();
        assert!((1..=7).contains(&found), "{found} rows in {}", path.display());
        rows += found;
    }
    assert_eq!(rows, 24 * 40);
    let stats = timeline.stats().unwrap();
    assert_eq!((stats.segments, stats.segment_events, stats.tail_events, stats.log_bytes), (segments.len() as u64, 960, 0, 0));
}

#[tokio::test]
async fn compaction_leaves_one_segment_per_month_and_no_other_file() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { segment_rows: 10_000, row_group_rows: 64, ..small() };
    let timeline = open(folder.path(), options.clone());
    let scope = workspace(1);
    for batch in 0..12 {
        timeline.append(&scope, series(&format!("a{batch}"), 24 * 40, MAY)).await.unwrap();
        timeline.flush().unwrap();
    }
    let before = ids(&*timeline, &scope).await;
    assert_eq!(with_extension(folder.path(), "parquet").len(), 24);
    timeline.compact().unwrap();
    assert_eq!(files(&folder.path().join("segments")).len(), 4, "two months, two files each");
    assert_eq!(ids(&*timeline, &scope).await, before);
    fs::write(folder.path().join("segments/w1/2026-05-99999999.parquet.tmp"), b"half a file").unwrap();
    fs::write(folder.path().join("segments/w1/2026-05-99999998.parquet"), b"never listed").unwrap();
    timeline.close();
    let timeline = open(folder.path(), options);
    assert_eq!(files(&folder.path().join("segments")).len(), 4, "orphans are gone");
    assert_eq!(ids(&*timeline, &scope).await, before);
}

#[tokio::test]
async fn the_background_flushes_and_compacts_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { flush_events: 100, segment_rows: 100_000, compact_fan_in: 4, ..small() };
    let timeline = open(folder.path(), options);
    let scope = workspace(1);
    let deadline = Instant::now() + Duration::from_secs(60);
    for batch in 0..16 {
        timeline.append(&scope, series(&format!("b{batch}"), 150, MAY)).await.unwrap();
        while timeline.stats().unwrap().tail_events >= 100 {
            assert!(Instant::now() < deadline, "the tail was not flushed");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    while timeline.stats().unwrap().segments >= 12 {
        assert!(Instant::now() < deadline, "the segments were not compacted");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(ids(&*timeline, &scope).await.len(), 16 * 150);
}

#[tokio::test]
async fn the_forgotten_leave_answers_at_once_and_the_disk_with_compaction() {
    let folder = tempfile::tempdir().unwrap();
    let scope = workspace(1);
    let mut timeline = open(folder.path(), small());
    let secret = "person-to-be-forgotten";
    timeline.append(&scope, vec![signed_in("v1", secret, "id-1", MAY), event("v1", "id-2", MAY + 1)]).await.unwrap();
    timeline.flush().unwrap();
    timeline.append(&scope, vec![signed_in("v2", secret, "id-3", MAY + 2), event(secret, "id-4", MAY + 3)]).await.unwrap();

    assert_eq!(timeline.erase(&scope, Erasure::User(secret.to_owned())).await.unwrap().events, 2);
    assert_eq!(timeline.erase(&scope, Erasure::User(secret.to_owned())).await.unwrap().events, 0);
    assert_eq!(timeline.erase(&scope, Erasure::Visitor(secret.to_owned())).await.unwrap().events, 1);
    assert_eq!(ids(&*timeline, &scope).await, ["id-2"]);
    timeline.close();
    timeline = open(folder.path(), small());
    assert_eq!(ids(&*timeline, &scope).await, ["id-2"], "after reopening");

    // The person comes back, and so do the ids of forgotten events.
    let back = vec![signed_in("v1", secret, "id-1", MAY + 4), signed_in("v2", secret, "id-3", MAY + 5), event("v1", "id-2", MAY)];
    let outcomes = timeline.append(&scope, back).await.unwrap().outcomes;
    assert_eq!(outcomes, [Outcome::Accepted, Outcome::Accepted, Outcome::Duplicate]);
    assert_eq!(ids(&*timeline, &scope).await, ["id-2", "id-1", "id-3"]);
    timeline.compact().unwrap();
    assert_eq!(ids(&*timeline, &scope).await, ["id-2", "id-1", "id-3"], "after compaction");

    assert_eq!(timeline.erase(&scope, Erasure::User(secret.to_owned())).await.unwrap().events, 2);
    timeline.compact().unwrap();
    timeline.close();
    for path in files(folder.path()) {
        let bytes = fs::read(&path).unwrap();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "a trace in {}", path.display());
    }
    let timeline = open(folder.path(), small());
    assert_eq!(ids(&*timeline, &scope).await, ["id-2"]);
    assert_eq!(timeline.stats().unwrap().segment_events, 1, "erased rows are no longer in any file");
    let appended = timeline.append(&scope, vec![event("v9", "", MAY)]).await.unwrap();
    assert_eq!(appended.watermark, 7, "sequence numbers are never used twice");
}

#[tokio::test]
async fn a_forgotten_workspace_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let timeline = open(folder.path(), small());
    timeline.append(&workspace(1), series("a", 20, MAY)).await.unwrap();
    timeline.append(&workspace(2), series("a", 5, MAY)).await.unwrap();
    timeline.flush().unwrap();
    timeline.append(&workspace(1), series("b", 20, MAY)).await.unwrap();
    assert_eq!(timeline.erase(&workspace(1), Erasure::Workspace).await.unwrap().events, 40);
    timeline.compact().unwrap();
    assert_eq!(files(&folder.path().join("segments/w1")), Vec::<PathBuf>::new());
    assert_eq!(ids(&*timeline, &workspace(2)).await.len(), 5);
    assert_eq!(timeline.describe(&workspace(1)).await.unwrap().events, 0);
}

#[tokio::test]
async fn a_backup_taken_while_events_arrive_opens_and_is_consistent() {
    let folder = tempfile::tempdir().unwrap();
    let copy = tempfile::tempdir().unwrap();
    let options = Options { flush_events: 50, segment_rows: 1_000, ..small() };
    let timeline = open(folder.path(), options.clone());
    let scope = workspace(1);
    timeline.append(&scope, series("before", 200, MAY)).await.unwrap();
    let writer = {
        let (timeline, scope) = (Arc::clone(&timeline), scope.clone());
        tokio::spawn(async move {
            for batch in 0..40 {
                timeline.append(&scope, series(&format!("during{batch}"), 10, MAY)).await.unwrap();
            }
        })
    };
    let into = copy.path().to_owned();
    let source = Arc::clone(&timeline);
    tokio::task::spawn_blocking(move || source.backup(&into)).await.unwrap().unwrap();
    writer.await.unwrap();
    assert_eq!(timeline.backup(copy.path()).unwrap_err().code(), Code::Conflict);

    let restored = open(copy.path(), options);
    assert_eq!(restored.verify().unwrap().problems, []);
    let found = ids(&*restored, &scope).await;
    assert_eq!(found.iter().filter(|id| id.starts_with("before")).count(), 200);
    assert_eq!((found.len() - 200) % 10, 0, "appends are whole");
    assert_eq!(restored.describe(&scope).await.unwrap().watermark, found.len() as u64);
}

#[tokio::test]
async fn an_export_hands_over_exactly_the_slice() {
    let folder = tempfile::tempdir().unwrap();
    let timeline = open(folder.path(), small());
    let scope = workspace(1);
    timeline.append(&scope, series("a", 100, MAY)).await.unwrap();
    timeline.flush().unwrap();
    timeline.append(&scope, series("b", 50, MAY)).await.unwrap();
    timeline.erase(&scope, Erasure::Visitor(String::from("v0"))).await.unwrap();
    let slice = Slice::of(TimeRange::new(MAY, MAY + 40 * 3_600_000_000).unwrap()).with(Filter::is(Field::AnonymousId, "v1"));
    let mut exported = Vec::new();
    timeline
        .export(&scope, &slice, &mut |sequence, event| {
            exported.push((sequence, event));
            Ok(())
        })
        .unwrap();
    assert_eq!(exported.len(), 16);
    assert!(exported.iter().all(|(_, event)| event.anonymous_id == "v1"));
    let mut sequences: Vec<u64> = exported.iter().map(|(sequence, _)| *sequence).collect();
    sequences.sort_unstable();
    assert_eq!(sequences[..9], [2, 7, 12, 17, 22, 27, 32, 37, 102]);
    let stopped = timeline.export(&scope, &slice, &mut |_, _| Err(tributary_core::error::Error::internal("enough")));
    assert_eq!(stopped.unwrap_err().message(), "enough");
}

#[tokio::test]
async fn a_full_tail_refuses_and_says_when_to_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let timeline = open(folder.path(), Options { tail_events: 10, ..small() });
    let scope = workspace(1);
    timeline.append(&scope, series("a", 10, MAY)).await.unwrap();
    let error = timeline.append(&scope, series("b", 1, MAY)).await.unwrap_err();
    assert_eq!((error.code(), error.details().unwrap()["retry_after_s"].as_i64()), (Code::Overloaded, Some(1)));
    timeline.flush().unwrap();
    assert_eq!(timeline.append(&scope, series("b", 1, MAY)).await.unwrap().watermark, 11);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_with_patience_waits_for_room() {
    let folder = tempfile::tempdir().unwrap();
    let timeline = open(folder.path(), Options { tail_events: 10, ..small() });
    let scope = workspace(1);
    timeline.append(&scope, series("a", 10, MAY)).await.unwrap();
    let impatient = timeline.append_patiently(&scope, series("b", 2, MAY), Duration::from_millis(10)).await;
    assert_eq!(impatient.unwrap_err().code(), Code::Overloaded);
    assert_eq!(ids(&*timeline, &scope).await.len(), 10, "nothing of a refused append is stored");
    let patient = tokio::spawn({
        let timeline = Arc::clone(&timeline);
        async move { timeline.append_patiently(&workspace(1), series("b", 2, MAY), Duration::from_secs(60)).await }
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(!patient.is_finished());
    timeline.flush().unwrap();
    assert_eq!(patient.await.unwrap().unwrap().watermark, 12);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn duplicates_inside_a_batch_stay_out_of_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let scope = workspace(1);
    let timeline = open(folder.path(), small());
    timeline.append(&scope, series("a", 3, MAY)).await.unwrap();
    // Few duplicates are left out by name, many by writing the rest anew.
    for (known, fresh, watermark) in [(2, 4, 7), (3, 1, 8)] {
        let mut mixed = series("a", known, MAY);
        mixed.extend(series(&format!("f{fresh}"), fresh, MAY));
        let appended = timeline.append(&scope, mixed).await.unwrap();
        assert_eq!((appended.duplicates() as i64, appended.watermark), (known, watermark));
    }
    let before = ids(&*timeline, &scope).await;
    timeline.close();
    drop(timeline);
    let timeline = open(folder.path(), small());
    assert_eq!(ids(&*timeline, &scope).await, before);
    assert_eq!(before.len(), 8);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_refuses_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let timeline = open(folder.path(), Options { queue_events: 20, ..small() });
    let appends: Vec<_> = (0..200)
        .map(|n| {
            let timeline = Arc::clone(&timeline);
            tokio::spawn(async move { timeline.append(&workspace(1), series(&format!("q{n}"), 10, MAY)).await })
        })
        .collect();
    let mut accepted = 0;
    for append in appends {
        match append.await.unwrap() {
            Ok(appended) => accepted += appended.accepted(),
            Err(error) => assert_eq!(error.code(), Code::Overloaded),
        }
    }
    assert!(accepted > 0);
    assert_eq!(ids(&*timeline, &workspace(1)).await.len(), accepted);
}

#[tokio::test]
async fn a_question_beyond_its_budget_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let timeline = open(folder.path(), small());
    let scope = workspace(1);
    timeline.append(&scope, series("a", 20, MAY)).await.unwrap();
    for (bound, budget) in [
        ("groups", Budget { max_groups: 4, ..Budget::INTERACTIVE }),
        ("time", Budget { max_time: Duration::ZERO, ..Budget::INTERACTIVE }),
    ] {
        let error = timeline.ask(&scope, count(None), budget).await.unwrap_err();
        assert_eq!((error.code(), error.details().unwrap()["bound"].as_str()), (Code::QuestionTooLarge, Some(bound)));
    }
    let enough = Budget { max_groups: 5, ..Budget::INTERACTIVE };
    let Answer::Aggregate(answer) = timeline.ask(&scope, count(None), enough).await.unwrap().answer else { panic!("aggregate") };
    assert_eq!((answer.rows.len(), answer.totals), (5, vec![20, 5]));
}

#[tokio::test]
async fn a_folder_keeps_its_key_and_a_closed_engine_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let timeline = open(folder.path(), small());
    timeline.append(&workspace(1), series("a", 3, MAY)).await.unwrap();
    timeline.close();
    let error = timeline.append(&workspace(1), series("b", 3, MAY)).await.unwrap_err();
    assert_eq!(error.message(), "the event store is closed");
    let error = Timeline::open(folder.path(), Options { visitor_key: [8; 16], ..small() }).err().unwrap();
    assert!(error.message().contains("another visitor key"), "{error}");
}

#[tokio::test]
async fn an_answer_can_be_asked_again_as_of_its_watermark() {
    let folder = tempfile::tempdir().unwrap();
    let timeline = open(folder.path(), small());
    let scope = workspace(1);
    timeline.append(&scope, series("a", 20, MAY)).await.unwrap();
    let asked = timeline.ask(&scope, count(None), Budget::INTERACTIVE).await.unwrap();
    assert_eq!(asked.watermark, 20);
    for step in 0..3 {
        timeline.append(&scope, series(&format!("later{step}"), 20, MAY)).await.unwrap();
        timeline.compact().unwrap();
        let mut again = count(None);
        if let Question::Aggregate(question) = &mut again {
            question.slice.as_of = Some(asked.watermark);
        }
        assert_eq!(timeline.ask(&scope, again, Budget::INTERACTIVE).await.unwrap(), asked);
    }
}

#[tokio::test]
async fn an_event_outside_the_calendar_is_refused_whole() {
    let folder = tempfile::tempdir().unwrap();
    let timeline = open(folder.path(), small());
    let error = timeline.append(&workspace(1), vec![event("v", "a", MAY), event("v", "b", i64::MAX)]).await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidPayload);
    assert_eq!(events_in(&*timeline, &workspace(1), TimeRange::ALL).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_acknowledged_is_in_the_next_answer_while_everything_moves() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { flush_events: 60, segment_rows: 500, compact_fan_in: 3, ..small() };
    let timeline = open(folder.path(), options);
    let writers: Vec<_> = (0..3)
        .map(|writer| {
            let timeline = Arc::clone(&timeline);
            tokio::spawn(async move {
                let scope = workspace(1);
                for batch in 0..40 {
                    let appended = timeline.append(&scope, series(&format!("{writer}-{batch}"), 9, MAY)).await.unwrap();
                    let answered = timeline.ask(&scope, count(None), Budget::INTERACTIVE).await.unwrap();
                    assert!(answered.watermark >= appended.watermark, "acknowledged is visible");
                    let Answer::Aggregate(answer) = answered.answer else { panic!("an aggregate was asked for") };
                    // Sequence numbers are dense and nothing was erased: an answer holds exactly what its watermark says.
                    assert_eq!(answer.totals[0], i128::from(answered.watermark));
                    let housekeeper = Arc::clone(&timeline);
                    match batch % 10 {
                        3 => tokio::task::spawn_blocking(move || housekeeper.flush()).await.unwrap().unwrap(),
                        7 => tokio::task::spawn_blocking(move || housekeeper.compact()).await.unwrap().unwrap(),
                        _ => {}
                    }
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(timeline.describe(&workspace(1)).await.unwrap().events, 3 * 40 * 9);
}
