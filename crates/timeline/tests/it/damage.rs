//! A damaged file is found, named, and never read as data.

use std::fs;
use std::path::{Path, PathBuf};

use tributary_core::error::Code;
use tributary_core::event::Event;
use tributary_core::time::{DAY_US, TimeRange};
use tributary_events::store::EventStore;
use tributary_testkit::scope::workspace;
use tributary_timeline::Timeline;
use tributary_timeline::options::Options;

use crate::ground::{open, small};
use crate::sample::{MAY, MONTH_US, event, events_in, series};

/// A folder with one segment in May and one in June.
async fn two_months(folder: &Path) {
    let timeline = open(folder, small());
    timeline.append(&workspace(1), series("may", 6, MAY)).await.unwrap();
    timeline.append(&workspace(1), series("june", 6, MAY + MONTH_US)).await.unwrap();
    timeline.flush().unwrap();
    timeline.close();
}

fn file(folder: &Path, month: &str, extension: &str) -> PathBuf {
    let found = fs::read_dir(folder.join("segments/w1")).unwrap().map(|entry| entry.unwrap().path());
    let is_it = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(month))
            && path.extension().is_some_and(|found| found == extension)
    };
    found.into_iter().find(is_it).unwrap()
}

/// May fails and names the file; June answers.
async fn expect_named(timeline: &Timeline, path: &Path, case: &str) {
    let may = TimeRange::new(MAY, MAY + 20 * DAY_US).unwrap();
    let error = events_in(timeline, &workspace(1), may).await.unwrap_err();
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    assert_eq!(error.code(), Code::UpstreamFailed, "{case}: {}", error.chain());
    assert!(error.message().contains(&name), "{case}: {}", error.chain());
    let june = TimeRange::new(MAY + MONTH_US, MAY + 2 * MONTH_US).unwrap();
    assert_eq!(events_in(timeline, &workspace(1), june).await.unwrap().len(), 6, "{case}");
    let problems = timeline.verify().unwrap().problems;
    assert_eq!(problems.len(), 1, "{case}: {problems:?}");
    assert!(problems[0].file.contains(&name), "{case}: {problems:?}");
}

#[tokio::test]
async fn any_flipped_bit_of_a_segment_is_found() {
    let folder = tempfile::tempdir().unwrap();
    two_months(folder.path()).await;
    let path = file(folder.path(), "2026-05", "parquet");
    let good = fs::read(&path).unwrap();
    for at in (0..good.len()).step_by(good.len() / 24) {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        fs::write(&path, bad).unwrap();
        let timeline = open(folder.path(), small());
        expect_named(&timeline, &path, &format!("bit {} of byte {at}", at % 8)).await;
    }
    fs::write(&path, good).unwrap();
    assert_eq!(open(folder.path(), small()).verify().unwrap().problems, []);
}

/// Files of several blocks: what a question does not touch cannot spoil it, what it touches is checked.
#[tokio::test]
async fn damage_in_a_large_segment_is_never_read_as_data() {
    let folder = tempfile::tempdir().unwrap();
    let scope = workspace(1);
    let options = || Options { segment_rows: 100_000, row_group_rows: 2_000, ..small() };
    let timeline = open(folder.path(), options());
    let mixed = |n: i64| (n as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let events = (0..9_000).map(|n| Event {
        referrer: Some(format!("https://{:x}.example/{:x}", mixed(n), mixed(n + 7))),
        properties: Some(format!(r#"{{"plan":"{:x}"}}"#, mixed(n + 3))),
        ..event(&format!("v{:x}", mixed(n % 700)), &format!("{:x}", mixed(n + 1)), MAY + n * 1_000)
    });
    timeline.append(&scope, events.collect()).await.unwrap();
    timeline.flush().unwrap();
    let path = file(folder.path(), "2026-05", "parquet");
    timeline.append(&scope, series("small", 10, MAY)).await.unwrap();
    timeline.flush().unwrap();
    timeline.close();
    let good = fs::read(&path).unwrap();
    assert!(good.len() > 5 << 16, "{} bytes", good.len());
    let whole = events_in(&*open(folder.path(), options()), &scope, TimeRange::ALL).await.unwrap();
    let mut named = 0;
    let ends = good.len() - 4_000..good.len();
    for at in (0..good.len()).step_by(good.len() / 30).chain(ends.step_by(250)) {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        fs::write(&path, bad).unwrap();
        let timeline = open(folder.path(), options());
        match events_in(&*timeline, &scope, TimeRange::ALL).await {
            Ok(found) => assert!(found == whole, "byte {at} was read as data"),
            Err(error) => {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                assert!(
                    error.message().contains(&name) && error.message().contains("is damaged"),
                    "byte {at}: {}",
                    error.chain()
                );
                named += 1;
            }
        }
        assert_eq!(timeline.verify().unwrap().problems.len(), 1, "byte {at}");
        let error = timeline.compact().unwrap_err();
        assert!(error.message().contains("is damaged"), "byte {at} in a merge: {}", error.chain());
    }
    assert!(named > 20, "{named}");
    fs::write(&path, good).unwrap();
    let timeline = open(folder.path(), options());
    timeline.compact().unwrap();
    assert_eq!(timeline.stats().unwrap().segments, 1);
    assert!(events_in(&*timeline, &scope, TimeRange::ALL).await.unwrap() == whole);
}

#[tokio::test]
async fn a_shortened_lengthened_or_missing_segment_is_found() {
    let folder = tempfile::tempdir().unwrap();
    two_months(folder.path()).await;
    let path = file(folder.path(), "2026-05", "parquet");
    let good = fs::read(&path).unwrap();
    for (case, content) in [
        ("empty", Some(Vec::new())),
        ("half", Some(good[..good.len() / 2].to_vec())),
        ("one byte short", Some(good[..good.len() - 1].to_vec())),
        ("one byte more", Some([good.as_slice(), &[0]].concat())),
        ("missing", None),
    ] {
        match content {
            Some(content) => fs::write(&path, content).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        let timeline = open(folder.path(), small());
        expect_named(&timeline, &path, case).await;
    }
}

#[tokio::test]
async fn a_damaged_id_index_stops_appends_with_ids_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    two_months(folder.path()).await;
    let path = file(folder.path(), "2026-05", "keys");
    let mut bad = fs::read(&path).unwrap();
    let last = bad.len() - 1;
    bad[last] ^= 1;
    fs::write(&path, bad).unwrap();
    let timeline = open(folder.path(), small());
    let scope = workspace(1);
    let error = timeline.append(&scope, vec![event("v", "new", MAY)]).await.unwrap_err();
    assert!(error.message().contains("2026-05") && error.message().contains(".keys"), "{}", error.chain());
    assert_eq!(timeline.append(&scope, vec![event("v", "", MAY)]).await.unwrap().accepted(), 1);
    assert_eq!(events_in(&*timeline, &scope, TimeRange::ALL).await.unwrap().len(), 13);
}

#[tokio::test]
async fn a_damaged_log_entry_is_named_at_open() {
    let folder = tempfile::tempdir().unwrap();
    let timeline = open(folder.path(), small());
    timeline.append(&workspace(1), series("a", 50, MAY)).await.unwrap();
    timeline.close();
    let database = rusqlite::Connection::open(folder.path().join("events.db")).unwrap();
    database.execute("update log set payload = substr(payload, 1, length(payload) / 2)", []).unwrap();
    drop(database);
    let error = Timeline::open(folder.path(), small()).err().unwrap();
    assert!(error.message().contains("`events.db` is damaged: the log entry of sequence 1"), "{}", error.chain());
}
