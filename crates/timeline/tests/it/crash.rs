//! Killed at any moment: every acknowledged event is there exactly once.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use tributary_core::entropy::{Entropy, SeededEntropy};
use tributary_events::store::{EventStore, Outcome};
use tributary_testkit::scope::workspace;
use tributary_timeline::options::Options;

use crate::ground::{open, small};
use crate::sample::{MAY, MONTH_US, event, ids};

const ROUNDS: u64 = 8;
const WRITERS: i64 = 4;
/// The child stops by itself when nobody kills it.
const MOST_BATCHES: i64 = 20_000;

/// Flushes and compactions happen all the time.
fn busy() -> Options {
    Options { flush_events: 120, segment_rows: 400, row_group_rows: 200, compact_fan_in: 3, flush_after_ms: 5, ..small() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_acknowledged_event_survives_a_kill_exactly_once() {
    let folder = tempfile::tempdir().unwrap();
    let chance = SeededEntropy::new(20_260_501);
    let mut acknowledged: Vec<String> = Vec::new();
    for round in 0..ROUNDS {
        let mut bytes = [0; 2];
        chance.fill(&mut bytes);
        let kill_after = 20 + usize::from(u16::from_le_bytes(bytes)) % 2_500;
        acknowledged.extend(killed_after(folder.path(), round, kill_after));

        let timeline = open(folder.path(), busy());
        let mut counts: HashMap<String, usize> = HashMap::new();
        timeline
            .export(
                &workspace(1),
                &tributary_events::question::Slice::of(tributary_core::time::TimeRange::ALL),
                &mut |_, event| {
                    *counts.entry(event.event_id.unwrap_or_default()).or_default() += 1;
                    Ok(())
                },
            )
            .unwrap();
        for id in &acknowledged {
            assert_eq!(counts.get(id), Some(&1), "event {id} after round {round}");
        }
        assert!(counts.values().all(|count| *count == 1), "nothing is there twice after round {round}");
        assert_eq!(timeline.verify().unwrap().problems, [], "round {round}");
        // A sender that heard nothing sends again; what was stored is known.
        let again = acknowledged.iter().rev().take(500).map(|id| event("again", id, MAY)).collect();
        let outcomes = timeline.append(&workspace(1), again).await.unwrap().outcomes;
        assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Duplicate), "round {round}");
        timeline.close();
    }
    let timeline = open(folder.path(), busy());
    timeline.compact().unwrap();
    let mut found = ids(&*timeline, &workspace(1)).await;
    found.sort();
    let before = found.len();
    found.dedup();
    assert_eq!(found.len(), before);
    assert!(acknowledged.iter().all(|id| found.binary_search(id).is_ok()));
}

/// Lets a child write into the folder, kills it after so many acknowledged events, and returns their ids.
fn killed_after(folder: &Path, round: u64, count: usize) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::child_that_writes_until_it_is_killed", "--ignored", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{round} {}", folder.display()).unwrap();
    let mut ids = Vec::new();
    let mut is_killed = false;
    // What was printed before the kill counts, read or not: go on to the end of the pipe.
    for line in BufReader::new(child.stdout.take().unwrap()).split(b'\n') {
        let line = line.unwrap();
        if let Some(id) = line.strip_prefix(b"stored ") {
            // A line cut short by the kill lacks its end mark.
            if let Some(id) = id.strip_suffix(b".") {
                ids.push(String::from_utf8(id.to_vec()).unwrap());
            }
        }
        if ids.len() >= count && !is_killed {
            child.kill().unwrap();
            is_killed = true;
        }
    }
    child.wait().unwrap();
    assert!(is_killed, "the child ended before it was killed, after {} events", ids.len());
    ids
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the child of the test above; started by it"]
async fn child_that_writes_until_it_is_killed() {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    let Some((round, folder)) = line.trim().split_once(' ') else { return };
    let timeline = open(Path::new(folder), busy());
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (timeline, round) = (Arc::clone(&timeline), round.to_owned());
            tokio::spawn(async move {
                for batch in 0..MOST_BATCHES {
                    let events: Vec<_> = (0..=batch % 7)
                        .map(|n| {
                            let number = batch * 7 + n;
                            let time = MAY + (number * 7_919_000_000) % (2 * MONTH_US);
                            event(&format!("v{}", number % 40), &format!("{round}-{writer}-{number}"), time)
                        })
                        .collect();
                    let ids: Vec<_> = events.iter().filter_map(|event| event.event_id.clone()).collect();
                    if timeline.append(&workspace(1), events).await.is_ok() {
                        for id in ids {
                            println!("stored {id}.");
                        }
                    }
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
}
