//! A damaged file is found, named, and never read as data.

use std::fs;
use std::path::{Path, PathBuf};

use tributary_core::error::{Code, Result};
use tributary_core::event::Event;
use tributary_core::time::{DAY_US, TimeRange};
use tributary_events::store::{Erasure, EventStore, Holdings};
use tributary_testkit::scope::workspace;
use tributary_timeline::Timeline;
use tributary_timeline::options::Options;

use crate::ground::{open, small};
use crate::sample::{MAY, MONTH_US, event, events_in, series, signed_in};

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

fn flipped(good: &[u8], at: usize) -> Vec<u8> {
    let mut bad = good.to_vec();
    bad[at] ^= 1 << (at % 8);
    bad
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
    for at in (0..good.len()).step_by(97) {
        fs::write(&path, flipped(&good, at)).unwrap();
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
async fn a_segment_cut_anywhere_is_found() {
    let folder = tempfile::tempdir().unwrap();
    two_months(folder.path()).await;
    let path = file(folder.path(), "2026-05", "parquet");
    let good = fs::read(&path).unwrap();
    for length in (0..good.len()).step_by(64) {
        fs::write(&path, &good[..length]).unwrap();
        let timeline = open(folder.path(), small());
        expect_named(&timeline, &path, &format!("cut to {length} bytes")).await;
    }
}

#[tokio::test]
async fn an_id_index_damaged_anywhere_is_found() {
    let folder = tempfile::tempdir().unwrap();
    two_months(folder.path()).await;
    let path = file(folder.path(), "2026-05", "keys");
    let good = fs::read(&path).unwrap();
    let flips = (0..good.len()).map(|at| (format!("bit {} of byte {at}", at % 8), flipped(&good, at)));
    let cuts = (0..good.len()).step_by(7).map(|length| (format!("cut to {length} bytes"), good[..length].to_vec()));
    for (case, bad) in flips.chain(cuts) {
        fs::write(&path, bad).unwrap();
        let timeline = open(folder.path(), small());
        // Sent again, an event of May must not be taken for a new one.
        let error = timeline.append(&workspace(1), vec![event("v", "may-0", MAY)]).await.unwrap_err();
        assert!(error.message().contains("2026-05") && error.message().contains(".keys"), "{case}: {}", error.chain());
        assert_eq!(timeline.verify().unwrap().problems.len(), 1, "{case}");
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

/// Segments, a tail with small and large entries, something forgotten in both, two workspaces.
async fn a_bit_of_everything(timeline: &Timeline) {
    let person = |n: i64| signed_in("laptop", "ada", &format!("ada-{n}"), MAY + n);
    timeline.append(&workspace(1), series("flushed", 12, MAY)).await.unwrap();
    timeline.append(&workspace(1), (0..3).map(person).collect()).await.unwrap();
    timeline.append(&workspace(2), series("other", 4, MAY)).await.unwrap();
    timeline.flush().unwrap();
    timeline.append(&workspace(1), (3..5).map(person).collect()).await.unwrap();
    timeline.erase(&workspace(1), Erasure::User(String::from("ada"))).await.unwrap();
    timeline.append(&workspace(1), series("large", 40, MAY)).await.unwrap();
    timeline.append(&workspace(1), series("tiny", 1, MAY)).await.unwrap();
    timeline.append(&workspace(2), series("other-tiny", 1, MAY)).await.unwrap();
}

type Everything = Vec<(Vec<Event>, Holdings)>;

async fn everything(timeline: &Timeline) -> Result<Everything> {
    let mut all = Vec::new();
    for id in 1..=2 {
        let scope = workspace(id);
        all.push((events_in(timeline, &scope, TimeRange::ALL).await?, timeline.describe(&scope).await?));
    }
    Ok(all)
}

/// The folder answers as before, or something names the database.
async fn expect_unchanged_or_named(folder: &Path, right: &Everything, case: &str) -> bool {
    let answered = match Timeline::open(folder, small()) {
        Ok(timeline) => everything(&timeline).await,
        Err(error) => Err(error),
    };
    match answered {
        Ok(found) => {
            assert_eq!(found, *right, "{case}");
            false
        }
        Err(error) => {
            assert!(error.chain().contains("`events.db`"), "{case}: {}", error.chain());
            true
        }
    }
}

fn copy_of(folder: &Path) -> tempfile::TempDir {
    fn copy(from: &Path, to: &Path) {
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            let target = to.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                fs::create_dir(&target).unwrap();
                copy(&entry.path(), &target);
            } else {
                fs::copy(entry.path(), target).unwrap();
            }
        }
    }
    let to = tempfile::tempdir().unwrap();
    copy(folder, to.path());
    to
}

/// Flips and cuts one file of a folder in many places; how many cases were named.
async fn damage_everywhere(folder: &Path, name: &str, step: usize, right: &Everything) -> (usize, usize) {
    let good = fs::read(folder.join(name)).unwrap();
    let flips = (0..good.len()).step_by(step).map(|at| (format!("bit {} of byte {at}", at % 8), flipped(&good, at)));
    let cuts = (0..good.len()).step_by(step).map(|length| (format!("cut to {length} bytes"), good[..length].to_vec()));
    let (mut named, mut cases) = (0, 0);
    for (case, bad) in flips.chain(cuts) {
        let copy = copy_of(folder);
        fs::write(copy.path().join(name), bad).unwrap();
        named += usize::from(expect_unchanged_or_named(copy.path(), right, &format!("{name}: {case}")).await);
        cases += 1;
    }
    (named, cases)
}

#[tokio::test]
async fn nothing_damaged_in_the_database_is_read_as_data() {
    let folder = tempfile::tempdir().unwrap();
    let timeline = open(folder.path(), small());
    a_bit_of_everything(&timeline).await;
    let right = everything(&timeline).await.unwrap();
    timeline.close();
    drop(timeline);
    let (named, cases) = damage_everywhere(folder.path(), "events.db", 127, &right).await;
    assert!(named > cases / 2, "{named} of {cases} were named");
}

#[tokio::test]
async fn nothing_the_write_ahead_file_loses_goes_unnoticed() {
    let folder = tempfile::tempdir().unwrap();
    let timeline = open(folder.path(), small());
    a_bit_of_everything(&timeline).await;
    let right = everything(&timeline).await.unwrap();
    // What a kill would leave.
    let killed = copy_of(folder.path());
    timeline.close();
    assert!(!expect_unchanged_or_named(copy_of(killed.path()).path(), &right, "as it is").await);
    let (named, cases) = damage_everywhere(killed.path(), "events.db-wal", 1_021, &right).await;
    assert!(named > cases / 2, "{named} of {cases} were named");
    damage_everywhere(killed.path(), "events.seen", 1, &right).await;
}

#[tokio::test]
async fn a_changed_row_of_any_table_is_named_at_open() {
    let folder = tempfile::tempdir().unwrap();
    let timeline = open(folder.path(), small());
    a_bit_of_everything(&timeline).await;
    let right = everything(&timeline).await.unwrap();
    timeline.close();
    drop(timeline);
    for (change, named) in [
        ("update log set payload = zeroblob(length(payload)) where id = (select max(id) from log)", "the log entry of sequence"),
        ("update log set format = format - 1", "the log entry of sequence"),
        ("update log set last_sequence = last_sequence + 1", "the log entry of sequence"),
        ("update segment set rows = rows - 1 where id = 1", "the entry of segment 1"),
        ("update segment set first_us = first_us + 1 where id = 1", "the entry of segment 1"),
        ("update tombstone set value = 'bob'", "the entry of erasure 1"),
        ("update workspace set watermark = watermark + 1 where id = 2", "the watermark of workspace 2"),
        ("delete from log where id = (select max(id) - 2 from log)", "sequence"),
        ("delete from tombstone; delete from sqlite_sequence", "erasures"),
    ] {
        let copy = copy_of(folder.path());
        let database = rusqlite::Connection::open(copy.path().join("events.db")).unwrap();
        database.execute_batch(change).unwrap();
        drop(database);
        let error = Timeline::open(copy.path(), small()).err().unwrap();
        assert!(error.message().contains("`events.db` is damaged"), "{change}: {}", error.chain());
        assert!(error.message().contains(named), "{change}: {}", error.chain());
    }
    // Rows older than checksums are read as they are.
    let database = rusqlite::Connection::open(folder.path().join("events.db")).unwrap();
    database.execute_batch("update log set crc = null; update segment set crc = null; update workspace set crc = null").unwrap();
    drop(database);
    assert_eq!(everything(&open(folder.path(), small())).await.unwrap(), right);
}
