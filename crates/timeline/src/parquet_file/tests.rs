use super::*;
use parquet::arrow::ArrowWriter;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use crate::encode::Layout;
use crate::files::DurableFile;
use crate::options::Options;
use crate::sample::{MAY, event};
use crate::schema::{FORMAT, TIME};
use crate::segment_writer::{Destination, write_rows};
use crate::sorted::Sorted;
use crate::stored::{Hashes, Stored};
use std::sync::atomic::AtomicU64;
use tributary_core::clock::FixedClock;
use tributary_core::event::Event;

fn opened_as(format: Option<&str>) -> Result<ParquetFile> {
    let folder = tempfile::tempdir().unwrap();
    let mut record = SegmentRecord::empty(1, 1, 0, 0);
    let layout = Layout { time: TimeUnit::Millisecond, received: TimeUnit::Microsecond, properties: vec![] };
    let pairs = format.map(|format| vec![KeyValue::new(String::from(FORMAT_KEY), format.to_owned())]);
    let properties = WriterProperties::builder().set_key_value_metadata(pairs).build();
    let file = DurableFile::create(&record.path(folder.path())).unwrap();
    let writer = ArrowWriter::try_new(file, layout.schema(), Some(properties)).unwrap();
    record.data = writer.into_inner().unwrap().finish().unwrap();
    ParquetFile::open(&record, folder.path())
}

#[test]
fn a_segment_of_another_format_is_refused_by_name() {
    for format in ["1", "2", FORMAT] {
        assert_eq!(opened_as(Some(format)).unwrap().row_groups(), 0);
    }
    for (format, named) in [(Some("99"), "99"), (None, "none")] {
        let error = opened_as(format).err().expect("refused").to_string();
        assert!(error.contains(&format!("format is {named}; this program reads formats 1, 2, 3")), "{error}");
        assert!(error.contains(".parquet` cannot be read"), "{error}");
    }
}

/// Two visitors' rows in three row groups, the second visitor in two of them.
fn two_visitors() -> (tempfile::TempDir, ParquetFile, Vec<Arc<Stored>>) {
    let folder = tempfile::tempdir().unwrap();
    let hashes = Hashes::new(&[7; 16]);
    let event = |n: i64| Event {
        name: format!("event-{}", n % 3),
        time_us: MAY + n * 1_000,
        received_us: MAY + 1 + n,
        event_id: Some(format!("{n}")),
        path: (n % 2 == 0).then(|| format!("/{n}")),
        properties: Some(format!(r#"{{"n":{n}}}"#)),
        ..event(if n < 4 { "a" } else { "b" })
    };
    let mut rows: Vec<Arc<Stored>> =
        (0..12).map(|n| Arc::new(Stored { sequence: n as u64 + 1, ..hashes.prepare(event(n)) })).collect();
    rows.sort_unstable_by(|a, b| a.run_order(b));
    let options = Options { row_group_rows: 3, ..Options::new([7; 16], FixedClock::at(0)) };
    let to = Destination { root: folder.path().to_owned(), workspace: 1, month: 24_316, applied_tombstone: 0 };
    let sorted: Vec<&Stored> = rows.iter().map(|row| &**row).collect();
    let records = write_rows(&options, &AtomicU64::new(1), &to, &Sorted::new(&sorted)).unwrap();
    let file = ParquetFile::open(&records[0], folder.path()).unwrap();
    (folder, file, rows)
}

#[test]
fn the_footer_tells_what_need_not_be_read() {
    let (_folder, file, rows) = two_visitors();
    assert_eq!((file.group_rows(2).end, file.row_groups()), (12, 3));
    assert!(file.has_property_columns() && file.has("properties.n") && !file.has("properties.other"));
    assert!(file.is_in_milliseconds(TIME) && !file.is_in_milliseconds("received_at"));
    for (name, absent) in [("url", true), ("path", false), ("properties.other", true), ("amount_micros", true)] {
        assert_eq!(file.is_absent(name), absent, "{name}");
    }
    for group in 0..file.row_groups() {
        let of = &rows[file.group_rows(group)];
        let hashes = (of[0].visitor_hash, of[of.len() - 1].visitor_hash);
        assert_eq!(file.visitor_bounds(group), Some(hashes));
        let chunk = file.chunk("path", group).unwrap();
        assert_eq!(chunk.nulls(), Some(of.iter().filter(|row| row.event.path.is_none()).count() as u64));
        assert!(chunk.encoded_bytes() > 0);
    }
}

#[test]
fn columns_come_in_the_order_asked_for_and_rows_as_selected() {
    let (_folder, file, rows) = two_visitors();
    let names = ["properties.n", "sequence", "event"];
    for as_dictionary in [false, true] {
        for wanted in [vec![0, 1, 5, 11], (0..12).collect(), vec![7], vec![]] {
            let ranges = wanted.iter().map(|row| *row..*row + 1);
            let selection = RowSelection::from_consecutive_ranges(ranges, 12);
            let selection = (wanted.len() < 12).then_some(selection);
            let mut found = Vec::new();
            for batch in file.read(&names, 0..file.row_groups(), selection, 3, as_dictionary).unwrap() {
                let batch = batch.unwrap();
                let sequences = batch.column(1).as_primitive::<arrow_array::types::UInt64Type>();
                assert_eq!(*batch.schema().field(2).data_type() == dictionary_type(), as_dictionary);
                found.extend(sequences.values().iter().copied());
            }
            let expected: Vec<u64> = wanted.iter().map(|row| rows[*row].sequence).collect();
            assert_eq!(found, expected, "{wanted:?}");
        }
    }
    assert!(file.read(&["no_such"], 0..1, None, 10, false).err().unwrap().message().contains("no column `no_such`"));
}
#[test]
fn pages_tell_where_a_visitor_is() {
    const VISITORS: usize = 20_000;
    let folder = tempfile::tempdir().unwrap();
    let hashes = Hashes::new(&[7; 16]);
    // One visitor in a thousand has as many events as others have together.
    let count = |visitor: usize| if visitor.is_multiple_of(1_000) { 1_000 } else { 1 };
    let rows = (0..VISITORS).flat_map(|visitor| std::iter::repeat_n(visitor, count(visitor)));
    let mut rows: Vec<Stored> = rows.map(|visitor| hashes.prepare(event(&format!("v{visitor}")))).collect();
    rows.sort_unstable_by(|a, b| a.run_order(b));
    let options = Options::new([7; 16], FixedClock::at(0));
    let to = Destination { root: folder.path().to_owned(), workspace: 1, month: 24_316, applied_tombstone: 0 };
    let sorted: Vec<&Stored> = rows.iter().collect();
    let records = write_rows(&options, &AtomicU64::new(1), &to, &Sorted::new(&sorted)).unwrap();
    let file = ParquetFile::open(&records[0], folder.path()).unwrap();
    assert_eq!(file.row_groups(), 1);
    for visitor in (0..VISITORS).step_by(250) {
        let hash = hashes.visitor(&format!("v{visitor}"));
        let first = rows.partition_point(|row| row.visitor_hash < hash);
        let around = file.rows_around(VISITOR_HASH, 0, hash);
        assert!(around.start <= first && first + count(visitor) <= around.end, "{visitor}: {around:?} without {first}");
        assert!(around.len() <= rows.len() - 2_000, "{visitor}: {around:?} of {} is hardly less than all", rows.len());
    }
    assert!(file.rows_around(VISITOR_HASH, 0, 0).is_empty() && file.rows_around(VISITOR_HASH, 0, u64::MAX).is_empty());
    assert_eq!(file.rows_around("event", 0, 5), 0..rows.len(), "no unsigned column");
}
