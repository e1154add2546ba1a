//! Folders written by earlier versions: the first 150 events of [`Old::appended`] flushed, the others in the log, then
//! [`FORGOTTEN`] erased. `tests/data/format-1` was made at commit `b95f50e` (tables of version 1, segments and id indexes of
//! format 1), `tests/data/format-2` at commit `5c4b80c` (segments and id indexes of format 2). Each has an erasure not yet
//! applied.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

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
use crate::sample::{MAY, event, events_in, signed_in};

const FORGOTTEN: &str = "user-3";

fn options() -> Options {
    Options { segment_rows: 60, row_group_rows: 20, ..small() }
}

/// A folder by its format.
#[derive(Clone, Copy, Debug)]
struct Old(u32);

const OLD: [Old; 2] = [Old(1), Old(2)];

impl Old {
    /// A copy of the folder, opened.
    fn open(self, options: Options) -> (TempDir, Arc<Timeline>) {
        let copied = tempfile::tempdir().unwrap();
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/format-{}", self.0)), copied.path());
        let timeline = open(copied.path(), options);
        (copied, timeline)
    }

    /// What was appended, in order. In the folder of format 2 every second id is like one of an import.
    fn appended(self) -> Vec<Event> {
        let made = |n: i64| {
            let event = appended(n);
            let is_numbered = self.0 == 2 && n % 2 == 1;
            let event_id = event.event_id.map(|id| if is_numbered { format!("{:010}-old", n + 1) } else { id });
            Event { event_id, ..event }
        };
        (0..160).map(made).collect()
    }

    fn kept(self) -> Vec<(u64, Event)> {
        let all = self.appended().into_iter().zip(1..).map(|(event, sequence)| (sequence, event));
        all.filter(|(_, event)| event.user_id.as_deref() != Some(FORGOTTEN)).collect()
    }
}

fn appended(n: i64) -> Event {
    let id = if n % 9 == 0 { String::new() } else { format!("old-{n}") };
    let visitor = format!("visitor-{}", n * 7 % 23);
    let mut event = event(&visitor, &id, MAY + n * DAY_US / 4 + n % 5 * 1_000 + n % 3);
    if n % 4 == 0 {
        event = signed_in(&visitor, &format!("user-{}", n % 5), &id, event.time_us);
    }
    event.origin = if n % 2 == 0 { Origin::Browser } else { Origin::Server };
    event.amount = (n % 6 == 0).then(|| Money { micros: n * 990_000, currency: "EUR".parse().unwrap() });
    event.bot = (n % 17 == 0).then(|| String::from("isbot:googlebot@5.2.3"));
    event.session = (n % 8 == 1).then(|| format!("session-{}", n / 8));
    event.properties = (n % 3 > 0).then(|| format!(r#"{{"plan":"{}","n":{n},"deep":{{"k":[1]}}}}"#, ["a", "b"][n as usize % 2]));
    event
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
async fn a_folder_of_an_old_format_opens_answers_and_compacts_into_the_new_one() {
    for old in OLD {
        let (folder, mut timeline) = old.open(options());
        assert_eq!(timeline.verify().unwrap().problems, []);
        let answer = by_plan(&timeline).await;
        assert_eq!(answer.len(), 3, "two plans and none");
        for step in ["as it was", "flushed", "compacted", "reopened"] {
            match step {
                "flushed" => timeline.flush().unwrap(),
                "compacted" => timeline.compact().unwrap(),
                "reopened" => {
                    timeline.close();
                    timeline = open(folder.path(), options());
                }
                _ => {}
            }
            assert_eq!(exported(&timeline), old.kept(), "{old:?} {step}");
            assert_eq!(by_plan(&timeline).await, answer, "{old:?} {step}");
            let (gone, left): (Vec<Event>, Vec<Event>) = old
                .appended()
                .into_iter()
                .filter(|event| event.event_id.is_some())
                .partition(|event| event.user_id.as_deref() == Some(FORGOTTEN));
            assert!(!gone.is_empty());
            let again = timeline.append(&workspace(1), left).await.unwrap().accepted();
            assert_eq!(again, 0, "ids are known: {old:?} {step}");
        }
    }
}

/// Segments of an old format and of the new one hold rows of the same visitors, some of one instant, and are merged.
#[tokio::test]
async fn old_and_new_segments_merge_into_one_order() {
    for old in OLD {
        let (_folder, timeline) = old.open(Options { segment_rows: 1_000, ..options() });
        timeline.flush().unwrap();
        let mut right = old.kept();
        let sequence = right.iter().map(|(sequence, _)| *sequence).max().unwrap() + 1;
        let later = (0..160).map(|n| Event {
            user_id: None,
            event_id: [None, Some(format!("new-{n}")), Some(format!("{n:010}-new")), Some(format!("{n:011}-new"))]
                [n as usize % 4]
                .clone(),
            ..appended(n)
        });
        let later: Vec<Event> = later.collect();
        assert_eq!(timeline.append(&workspace(1), later.clone()).await.unwrap().accepted(), 160);
        right.extend((sequence..).zip(later));
        let before = timeline.stats().unwrap().segments;
        for step in ["in the tail", "flushed", "compacted"] {
            match step {
                "flushed" => timeline.flush().unwrap(),
                "compacted" => timeline.compact().unwrap(),
                _ => {}
            }
            assert_eq!(exported(&timeline), right, "{old:?} {step}");
            let mut events: Vec<Event> = right.iter().map(|(_, event)| event.clone()).collect();
            events.sort_by(Event::order);
            assert_eq!(events_in(&*timeline, &workspace(1), TimeRange::ALL).await.unwrap(), events, "{old:?} {step}");
        }
        assert!(before > 2, "{before}");
        assert_eq!(timeline.stats().unwrap().segments, 2, "one a month");
        assert_eq!(timeline.verify().unwrap().problems, []);
    }
}
