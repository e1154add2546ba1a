use super::*;
use proptest::prelude::*;
use std::path::Path;
use std::sync::atomic::AtomicU64;

use tributary_core::clock::FixedClock;
use tributary_core::event::Event;

use crate::merge::{Merging, merge};
use crate::options::Options;
use crate::sample::{MAY, event};
use crate::schema::Text;
use crate::segment_writer::{Destination, write_rows};
use crate::sorted::Sorted;
use crate::stored::Stored;

fn hashes() -> Hashes {
    Hashes::new(&[7; 16])
}

fn row(visitor: &str, event_id: Option<String>, at_ms: i64, sequence: u64) -> Stored {
    let event = Event {
        time_us: MAY + at_ms * 1_000,
        received_us: MAY + sequence as i64,
        event_id,
        path: Some(format!("/{}", sequence % 3)),
        ..event(visitor)
    };
    Stored { sequence, ..hashes().prepare(event) }
}

fn sorted(rows: impl IntoIterator<Item = Stored>) -> Vec<Arc<Stored>> {
    let mut rows: Vec<Arc<Stored>> = rows.into_iter().map(Arc::new).collect();
    rows.sort_unstable_by(|a, b| a.run_order(b));
    rows
}

struct Ground {
    folder: tempfile::TempDir,
    options: Options,
    next_id: AtomicU64,
}

impl Ground {
    fn new(row_group_rows: usize) -> Self {
        let options = Options { row_group_rows, ..Options::new([7; 16], FixedClock::at(0)) };
        Self { folder: tempfile::tempdir().unwrap(), options, next_id: AtomicU64::new(1) }
    }

    fn to(&self) -> Destination {
        Destination { root: self.folder.path().to_owned(), workspace: 1, month: 24_316, applied_tombstone: 0 }
    }

    /// The segment opened anew, with nothing decoded.
    fn open(&self, record: &SegmentRecord) -> Arc<Segment> {
        let root: &Path = self.folder.path();
        Segment::new(record.clone(), root.to_owned(), Arc::new(ColumnCache::new(1 << 20)), hashes())
    }

    fn write(&self, rows: &[Arc<Stored>]) -> SegmentRecord {
        let rows: Vec<&Stored> = rows.iter().map(|row| &**row).collect();
        write_rows(&self.options, &self.next_id, &self.to(), &Sorted::new(&rows)).unwrap().remove(0)
    }

    fn merge(&self, segments: &[Arc<Segment>]) -> SegmentRecord {
        let with = Merging { options: &self.options, next_id: &self.next_id, hashes: &hashes(), to: self.to() };
        merge(&with, segments, &[]).unwrap().remove(0)
    }
}

fn expected(row: &Arc<Stored>) -> (u64, Event) {
    (row.sequence, row.event.clone())
}

fn whole(segment: &Segment) -> Vec<(u64, Event)> {
    let mut found = Vec::new();
    for batch in segment.batches().unwrap() {
        let batch = batch.unwrap();
        found.extend((0..batch.rows()).map(|row| (batch.sequence(row), batch.event(row).unwrap())));
    }
    found
}

/// Every way of reading gives what was written.
fn check(ground: &Ground, record: &SegmentRecord, rows: &[Arc<Stored>], picked: &[bool]) {
    let all: Vec<(u64, Event)> = rows.iter().map(expected).collect();
    assert_eq!(whole(&ground.open(record)), all);
    let segment = ground.open(record);
    for (at, chunk) in segment.chunks().unwrap().iter().enumerate() {
        let here = &rows[chunk.first_row..chunk.first_row + chunk.rows];
        let wanted: Vec<u32> =
            (0..chunk.rows as u32).zip(picked.iter().cycle()).filter(|(_, picked)| **picked).map(|(row, _)| row).collect();
        let picked: Vec<(u64, Event)> = wanted.iter().map(|row| expected(&here[*row as usize])).collect();
        for pass in ["cold", "again", "decoded"] {
            if pass == "decoded" {
                for id in [ColumnId::Sequence, ColumnId::VisitorIds, ColumnId::Text(Text::EventId)] {
                    segment.column(&id, at).unwrap();
                }
            }
            assert_eq!(segment.events(at, &wanted).unwrap(), picked, "{pass}");
        }
        let ids = segment.column(&ColumnId::Text(Text::EventId), at).unwrap();
        let visitors = segment.column(&ColumnId::AnonymousId, at).unwrap();
        let contents = segment.column(&ColumnId::ContentHash, at).unwrap();
        for (row, stored) in here.iter().enumerate() {
            assert_eq!(ids.text().at(row), stored.event.event_id);
            assert_eq!(visitors.text().at(row).as_ref(), Some(&stored.event.anonymous_id));
            assert_eq!(contents.unsigned()[row], stored.content_hash());
        }
    }
    let keys: Vec<(u128, usize)> = rows.iter().enumerate().filter_map(|(at, row)| Some((row.key?, at))).collect();
    let mut found = Vec::new();
    segment.find_keys(&keys, &[], &mut |place| found.push(place)).unwrap();
    assert_eq!(found, keys.iter().map(|(_, at)| *at).collect::<Vec<_>>());
}

/// Ids like those of imports, those that nearly are, those of senders, and none.
fn event_id() -> impl Strategy<Value = Option<String>> {
    prop::option::weighted(0.9, prop_oneof!["00000000[0-9]{2}-[ab]{0,2}", "[0-9]{9,11}-?[0-9]{0,2}", "[-0-9a-fé]{1,12}"])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_and_merged_is_what_is_read(
        drawn in prop::collection::vec((0u32..5, event_id(), 0i64..4, 0usize..3), 1..60),
        row_group_rows in 1usize..12,
        merged_group_rows in 1usize..30,
        picked in prop::collection::vec(any::<bool>(), 1..40),
    ) {
        let mut ground = Ground::new(row_group_rows);
        let stored = |(at, (visitor, id, at_ms, source)): (usize, (u32, Option<String>, i64, usize))| {
            (source, row(&format!("v{visitor}"), id, at_ms, at as u64 + 1))
        };
        let drawn: Vec<(usize, Stored)> = drawn.into_iter().enumerate().map(stored).collect();
        let mut sources = Vec::new();
        for source in 0..3 {
            let rows = sorted(drawn.iter().filter(|(of, _)| *of == source).map(|(_, row)| row.clone()));
            if !rows.is_empty() {
                let record = ground.write(&rows);
                check(&ground, &record, &rows, &picked);
                sources.push(ground.open(&record));
            }
        }
        ground.options.row_group_rows = merged_group_rows;
        let merged = ground.merge(&sources);
        check(&ground, &merged, &sorted(drawn.into_iter().map(|(_, row)| row)), &picked);
    }
}

#[test]
fn visitors_whose_hashes_meet_remain_two() {
    let meeting = |visitor: &str, at_ms: i64, sequence: u64| Stored { visitor_hash: 5, ..row(visitor, None, at_ms, sequence) };
    let rows = [("b", 1, 1), ("a", 2, 2), ("b", 3, 3), ("a", 4, 4), ("c", 5, 5)].map(|(id, at, n)| meeting(id, at, n));
    let ground = Ground::new(10);
    let all = sorted(rows.clone());
    let record = ground.write(&all);
    let expected: Vec<(u64, Event)> = all.iter().map(expected).collect();
    assert_eq!(whole(&ground.open(&record)), expected);
    assert_eq!(ground.open(&record).events(0, &[1, 3]).unwrap(), [expected[1].clone(), expected[3].clone()]);
    let halves = rows.chunks(2).map(|half| ground.open(&ground.write(&sorted(half.to_vec())))).collect::<Vec<_>>();
    assert_eq!(whole(&ground.open(&ground.merge(&halves))), expected);
}

/// The id stands once, far above the rows asked for and pages away.
#[test]
fn rows_of_a_busy_visitor_find_the_id_far_before_them() {
    let ground = Ground::new(50_000);
    let busy = (0..60_000).map(|n| row("busy", Some(format!("{n:010}-import")), n, n as u64 + 9));
    let others = (0..200).map(|n| row(&format!("v{n}"), Some(format!("{n:x}")), n, 100_000 + n as u64));
    let rows = sorted(busy.chain(others));
    let record = ground.write(&rows);
    let chunks = ground.open(&record).chunks().unwrap();
    for (at, chunk) in chunks.iter().enumerate() {
        let here = &rows[chunk.first_row..chunk.first_row + chunk.rows];
        let last = chunk.rows as u32 - 1;
        for wanted in [vec![0], vec![last], vec![last / 2], vec![0, 1, 300, 5_000, 5_001, last - 1, last], (0..last).collect()] {
            let wanted: Vec<u32> = wanted.into_iter().filter(|row| *row <= last).collect();
            let picked: Vec<(u64, Event)> = wanted.iter().map(|row| expected(&here[*row as usize])).collect();
            assert!(ground.open(&record).events(at, &wanted).unwrap() == picked, "{} rows of {at}", wanted.len());
        }
    }
    assert!(chunks.iter().any(|chunk| chunk.rows >= 60_000));
    let file = ground.open(&record).file().unwrap();
    let values: u64 = (0..file.row_groups())
        .map(|group| file.group_rows(group).len() as u64 - file.chunk("anonymous_id", group).unwrap().nulls().unwrap())
        .sum();
    assert_eq!(values, 201, "one for each visitor");
}
