//! A folder written by the version before format 2 (`tests/data/format-1`, made at commit `b95f50e`: the first 150 events of
//! [`appended`] flushed, the others in the log, then [`FORGOTTEN`] erased): tables of version 1, segments and id indexes of format 1,
//! an erasure not yet applied.

use std::fs;
use std::path::{Path, PathBuf};

use tributary_core::event::{Event, Origin};
use tributary_core::money::Money;
use tributary_core::time::{DAY_US, TimeRange};
use tributary_events::answer::Answer;
use tributary_events::field::Field;
use tributary_events::question::{Aggregate, Bots, Budget, Metric, Question, Slice};
use tributary_events::store::EventStore;
use tributary_testkit::scope::workspace;
use tributary_timeline::Timeline;
use tributary_timeline::options::Options;

use crate::ground::{open, small};
use crate::sample::{MAY, event, signed_in};

const FORGOTTEN: &str = "user-3";

fn options() -> Options {
    Options { segment_rows: 60, row_group_rows: 20, ..small() }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/format-1")
}

/// What was appended, in order.
fn appended() -> Vec<Event> {
    let made = |n: i64| {
        let visitor = format!("visitor-{}", n * 7 % 23);
        let id = if n % 9 == 0 { String::new() } else { format!("old-{n}") };
        let mut event = event(&visitor, &id, MAY + n * DAY_US / 4 + n % 5 * 1_000 + n % 3);
        if n % 4 == 0 {
            event = signed_in(&visitor, &format!("user-{}", n % 5), &id, event.time_us);
        }
        event.origin = if n % 2 == 0 { Origin::Browser } else { Origin::Server };
        event.amount = (n % 6 == 0).then(|| Money { micros: n * 990_000, currency: "EUR".parse().unwrap() });
        event.bot = (n % 17 == 0).then(|| String::from("isbot:googlebot@5.2.3"));
        event.session = (n % 8 == 1).then(|| format!("session-{}", n / 8));
        event.properties =
            (n % 3 > 0).then(|| format!(r#"{{"plan":"{}","n":{n},"deep":{{"k":[1]}}}}"#, ["a", "b"][n as usize % 2]));
        event
    };
    (0..160).map(made).collect()
}

fn kept() -> Vec<(u64, Event)> {
    let all = appended().into_iter().zip(1..).map(|(event, sequence)| (sequence, event));
    all.filter(|(_, event)| event.user_id.as_deref() != Some(FORGOTTEN)).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, target).unwrap();
        }
    }
}

fn exported(timeline: &Timeline) -> Vec<(u64, Event)> {
    let slice = Slice { bots: Bots::Include, ..Slice::of(TimeRange::ALL) };
    let mut found = Vec::new();
    timeline
        .export(&workspace(1), &slice, &mut |sequence, event| {
            found.push((sequence, event));
            Ok(())
        })
        .unwrap();
    found.sort_by_key(|(sequence, _)| *sequence);
    found
}

async fn by_plan(timeline: &Timeline) -> Vec<(Vec<Option<String>>, Vec<i128>)> {
    let question = Question::Aggregate(Aggregate {
        slice: Slice::of(TimeRange::ALL),
        metrics: vec![Metric::Events, Metric::Visitors],
        group_by: vec![Field::Property(String::from("plan"))],
        buckets: None,
        limit: 100,
    });
    let Answer::Aggregate(answer) = timeline.ask(&workspace(1), question, Budget::INTERACTIVE).await.unwrap().answer else {
        panic!("an aggregate was asked for")
    };
    answer.rows.into_iter().map(|row| (row.keys, row.values)).collect()
}

#[tokio::test]
async fn a_folder_of_format_1_opens_answers_and_compacts_into_format_2() {
    let copied = tempfile::tempdir().unwrap();
    copy(&folder(), copied.path());
    let mut timeline = open(copied.path(), options());
    assert_eq!(timeline.verify().unwrap().problems, []);
    let answer = by_plan(&timeline).await;
    assert_eq!(answer.len(), 3, "two plans and none");
    for step in ["as it was", "flushed", "compacted", "reopened"] {
        match step {
            "flushed" => timeline.flush().unwrap(),
            "compacted" => timeline.compact().unwrap(),
            "reopened" => {
                timeline.close();
                timeline = open(copied.path(), options());
            }
            _ => {}
        }
        assert_eq!(exported(&timeline), kept(), "{step}");
        assert_eq!(by_plan(&timeline).await, answer, "{step}");
        let (gone, left): (Vec<Event>, Vec<Event>) = appended()
            .into_iter()
            .filter(|event| event.event_id.is_some())
            .partition(|event| event.user_id.as_deref() == Some(FORGOTTEN));
        assert!(!gone.is_empty());
        assert_eq!(timeline.append(&workspace(1), left).await.unwrap().accepted(), 0, "ids are known: {step}");
    }
}
