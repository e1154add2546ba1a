//! A measurement, not a test: what segments weigh and how fast they are written and merged. `SEGMENTS` names a folder of
//! Parquet segments whose events are used, `OUT` an empty folder for the engine:
//! `SEGMENTS=.. OUT=.. cargo test --release -p tributary-timeline --test it measure_segments -- --ignored --nocapture`.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tributary_core::event::{Confidence, Event, Origin};
use tributary_core::money::Money;
use tributary_events::store::EventStore;
use tributary_testkit::scope::workspace;
use tributary_timeline::options::Options;

use crate::ground::{open, small};

const BATCH: usize = 5_000;
const FLUSH: usize = 100_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn measure_segments() {
    let (from, out) = (folder("SEGMENTS"), folder("OUT"));
    let mut events: Vec<(u64, Event)> = Vec::new();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "parquet") {
            let reader = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(path).unwrap()).unwrap().build().unwrap();
            reader.for_each(|batch| read(&batch.unwrap(), &mut events));
        }
    }
    events.sort_unstable_by_key(|(sequence, _)| *sequence);
    let count = events.len();
    let options = Options {
        flush_events: usize::MAX,
        compact_fan_in: usize::MAX,
        flush_after_ms: 10_000_000,
        ..Options::new([7; 16], small().clock)
    };
    let timeline = open(&out, options.clone());
    let (mut appending, mut flushing) = (Duration::ZERO, Duration::ZERO);
    let mut waiting = events.into_iter().map(|(_, event)| event).peekable();
    while waiting.peek().is_some() {
        let started = Instant::now();
        for _ in 0..FLUSH / BATCH {
            timeline.append(&workspace(1), waiting.by_ref().take(BATCH).collect()).await.unwrap();
        }
        appending += started.elapsed();
        let started = Instant::now();
        timeline.flush().unwrap();
        flushing += started.elapsed();
    }
    rate("appended", count, appending);
    rate("flushed", count, flushing);
    println!("{:?}", timeline.stats().unwrap());
    let started = Instant::now();
    timeline.compact().unwrap();
    rate("compacted", count, started.elapsed());
    println!("{:?}", timeline.stats().unwrap());
    timeline.close();
    let started = Instant::now();
    let timeline = open(&out, options);
    println!("reopened in {} us", started.elapsed().as_micros());
    let started = Instant::now();
    assert_eq!(timeline.verify().unwrap().problems, []);
    println!("verified in {} ms", started.elapsed().as_millis());
}

#[expect(clippy::disallowed_methods, reason = "a measurement is told where to work by its caller")]
fn folder(name: &str) -> PathBuf {
    Path::new(&std::env::var(name).unwrap()).to_owned()
}

fn rate(what: &str, count: usize, elapsed: Duration) {
    println!("{what}: {count} in {} ms, {:.0} per second", elapsed.as_millis(), count as f64 / elapsed.as_secs_f64());
}

fn read(batch: &RecordBatch, events: &mut Vec<(u64, Event)>) {
    let text = |name: &str, row: usize| {
        let column = batch.column_by_name(name).unwrap().as_string::<i32>();
        (!column.is_null(row)).then(|| column.value(row).to_owned())
    };
    let instants = |name: &str| batch.column_by_name(name).unwrap().as_primitive::<TimestampMicrosecondType>();
    let sequences = batch.column_by_name("sequence").unwrap().as_primitive::<arrow_array::types::UInt64Type>();
    let amounts = batch.column_by_name("amount_micros").unwrap().as_primitive::<Int64Type>();
    for row in 0..batch.num_rows() {
        let event = Event {
            name: text("event", row).unwrap(),
            time_us: instants("time").value(row),
            received_us: instants("received_at").value(row),
            anonymous_id: text("anonymous_id", row).unwrap(),
            user_id: text("user_id", row),
            session: text("session_id", row),
            event_id: text("event_id", row),
            origin: if text("origin", row).unwrap() == "server" { Origin::Server } else { Origin::Browser },
            url: text("url", row),
            path: text("path", row),
            referrer: text("referrer", row),
            source: text("source", row).unwrap(),
            medium: text("medium", row).unwrap(),
            campaign: text("campaign", row),
            source_confidence: Confidence::High,
            source_rule_id: text("source_rule_id", row).unwrap(),
            country: text("country", row),
            device_type: text("device_type", row),
            browser: text("browser", row),
            os: text("os", row),
            ip_hash: text("ip_hash", row),
            bot: text("bot", row),
            amount: text("currency", row)
                .map(|currency| Money { micros: amounts.value(row), currency: currency.parse().unwrap() }),
            properties: text("properties", row),
        };
        events.push((sequences.value(row), event));
    }
}
