//! A workspace in which one visitor has a million events, written as a file like generate.py's.

use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray, UInt32Array, UInt64Array};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use super::BATCH_ROWS;
use crate::failure::{Failure, Result};

/// Events of the one visitor when the run is large enough to warrant it.
pub const GIANT_EVENTS: u64 = 1_000_000;
/// The visitor. Greater than every other one of the file, so that peers find it as the greatest.
pub const GIANT_VISITOR: u64 = u64::MAX - 1;
/// Of this many events one is another visitor's.
const OTHERS_EVERY: u64 = 11;
/// Events of each other visitor.
const EVENTS_OF_OTHERS: u64 = 5;
/// 2025-08-01T00:00:00Z.
const START_US: i64 = 1_754_006_400_000_000;
const DAYS: i64 = 30;

/// Names by weight out of 100, as generate.py weighs them.
const NAMES: &[(&str, u64)] =
    &[("page_view", 55), ("click", 12), ("scroll", 10), ("add_to_cart", 5), ("checkout", 2), ("purchase", 1), ("search", 15)];
const SOURCES: &[&str] = &["direct", "google", "facebook", "newsletter"];
const MEDIUMS: &[&str] = &["none", "organic", "paid", "email"];
const BROWSERS: &[&str] = &["Chrome", "Safari", "Firefox"];
const DEVICES: &[&str] = &["desktop", "mobile", "tablet"];

/// Writes the file: `events` of the one visitor, and a tenth as many of others between them.
pub fn write(events: u64, into: &Path) -> Result<()> {
    let fresh = into.with_extension("new");
    let file = File::create(&fresh).map_err(|error| Failure::at("writing", &fresh, error))?;
    let schema = Arc::new(schema());
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?)).build();
    let mut writer = ArrowWriter::try_new(file, schema.clone(), Some(properties))?;
    let rows = events + events / (OTHERS_EVERY - 1);
    let step = DAYS * 86_400_000_000 / i64::try_from(rows).unwrap_or(i64::MAX).max(1);
    let mut first = 0;
    while first < rows {
        let numbers: Vec<u64> = (first..rows.min(first + BATCH_ROWS as u64)).collect();
        writer.write(&batch(&schema, &numbers, step)?)?;
        first += numbers.len() as u64;
    }
    writer.close()?;
    std::fs::rename(&fresh, into).map_err(|error| Failure::at("naming", into, error))
}

fn schema() -> Schema {
    let text = |name: &str| Field::new(name, DataType::Utf8, false);
    Schema::new(vec![
        Field::new("project_id", DataType::UInt32, false),
        Field::new("ts", DataType::Timestamp(TimeUnit::Microsecond, None), false),
        Field::new("visitor_id", DataType::UInt64, false),
        text("event"),
        text("source"),
        text("medium"),
        text("campaign"),
        text("country"),
        text("browser"),
        text("device"),
        text("path"),
        Field::new("revenue", DataType::Float64, true),
        text("properties"),
    ])
}

fn batch(schema: &Arc<Schema>, numbers: &[u64], step_us: i64) -> Result<RecordBatch> {
    let text = |of: &dyn Fn(u64) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(numbers.iter().map(|number| of(*number))))
    };
    let pick = |list: &'static [&'static str], salt: u64| {
        move |number: u64| list[(mixed(number ^ salt) % list.len() as u64) as usize].to_owned()
    };
    let columns: Vec<ArrayRef> = vec![
        Arc::new(UInt32Array::from_iter_values(numbers.iter().map(|_| 1))),
        Arc::new(TimestampMicrosecondArray::from_iter_values(
            numbers.iter().map(|number| START_US + i64::try_from(*number).unwrap_or(i64::MAX) * step_us),
        )),
        Arc::new(UInt64Array::from_iter_values(numbers.iter().map(|number| visitor(*number)))),
        text(&|number| name(number).to_owned()),
        text(&pick(SOURCES, 1 << 40)),
        text(&pick(MEDIUMS, 1 << 40)),
        text(&|number| format!("campaign_{}", mixed(number) % 20)),
        text(&|number| format!("C{:02}", mixed(number ^ (2 << 40)) % 100)),
        text(&pick(BROWSERS, 3 << 40)),
        text(&pick(DEVICES, 4 << 40)),
        text(&|number| format!("/p/{}", mixed(number ^ (5 << 40)) % 1_000)),
        Arc::new(numbers.iter().map(|number| (name(*number) == "purchase").then_some(25.0)).collect::<Float64Array>()),
        text(&|number| format!(r#"{{"plan":"{}","v":{}}}"#, DEVICES[(mixed(number ^ (4 << 40)) % 3) as usize], number % 1_000)),
    ];
    Ok(RecordBatch::try_new(schema.clone(), columns)?)
}

fn visitor(number: u64) -> u64 {
    if number % OTHERS_EVERY == OTHERS_EVERY - 1 {
        // Half the range, so that none passes the giant.
        mixed(number / (OTHERS_EVERY * EVENTS_OF_OTHERS)) >> 1
    } else {
        GIANT_VISITOR
    }
}

fn name(number: u64) -> &'static str {
    let mut at = mixed(number ^ (6 << 40)) % 100;
    for (name, weight) in NAMES {
        if at < *weight {
            return name;
        }
        at -= weight;
    }
    NAMES[0].0
}

/// Spreads numbers over 64 bits (splitmix64): the same file in every run.
fn mixed(number: u64) -> u64 {
    let mut x = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_of_eleven_events_are_the_giants_and_weights_add_up() {
        assert_eq!((0..110).filter(|number| visitor(*number) == GIANT_VISITOR).count(), 100);
        assert_eq!(NAMES.iter().map(|(_, weight)| weight).sum::<u64>(), 100);
        assert!((0..100_000).any(|number| name(number) == "purchase"));
    }
}
