//! Files to batches of drafts: one reader per format, all streaming.

pub mod access_log;
pub mod csv;
pub mod lines;
pub mod ndjson;
pub mod open;
pub mod parquet;

use serde_json::{Map, Value};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tributary_core::error::Result;
use tributary_ingest::imported::ImportedRow;

use crate::import::cell::Row;
use crate::import::mapping::Mapping;
use crate::import::plan::Surroundings;
use access_log::LogOptions;
use open::Format;

/// Rows handed on at once: enough to amortise a commit, few enough to stay in cache.
pub const BATCH_ROWS: usize = 8_192;
/// The longest line or record read, bytes. Longer lines are rejected, longer CSV records end the file.
pub const MAX_ROW_BYTES: usize = 1 << 20;

/// Some rows of a file, read and mapped.
pub struct Batch {
    /// Per row its number in the file (the line it starts on, or the row of a table; from 1), and why it cannot be used.
    pub rows: Vec<(u64, Result<(), String>)>,
    /// The usable rows, in order.
    drafts: Vec<ImportedRow>,
    raw: Raw,
}

/// Rows on their way into a batch.
#[derive(Default)]
struct Rows {
    numbers: Vec<(u64, Result<(), String>)>,
    drafts: Vec<ImportedRow>,
}

impl Rows {
    /// Adds the row of this number, or why it cannot be used.
    fn push(&mut self, number: u64, row: Result<ImportedRow, String>) {
        if self.numbers.is_empty() {
            self.numbers.reserve(BATCH_ROWS);
            self.drafts.reserve(BATCH_ROWS);
        }
        self.numbers.push((number, row.map(|row| self.drafts.push(row))));
    }

    fn len(&self) -> usize {
        self.numbers.len()
    }
}

enum Raw {
    Lines(Vec<String>),
    Records(Arc<[String]>, Vec<::csv::StringRecord>),
    Table(parquet::Table),
}

impl Batch {
    fn new(Rows { numbers: rows, drafts }: Rows, raw: Raw) -> Batch {
        Batch { rows, drafts, raw }
    }

    /// Takes the usable rows out, in order.
    pub fn take_rows(&mut self) -> Vec<ImportedRow> {
        std::mem::take(&mut self.drafts)
    }

    /// The row as it stood in the file, for the file of rejected rows.
    pub fn raw(&self, index: usize) -> Value {
        match &self.raw {
            Raw::Lines(lines) => Value::from(lines[index].as_str()),
            Raw::Records(header, records) => {
                let names = header.iter().map(String::as_str).chain(std::iter::repeat(""));
                let mut object = Map::new();
                for (place, (name, value)) in names.zip(&records[index]).enumerate() {
                    let name = if name.is_empty() { format!("column_{}", place + 1) } else { name.to_owned() };
                    object.insert(name, Value::from(value));
                }
                Value::Object(object)
            }
            Raw::Table(table) => {
                let mut object = Map::new();
                table.row(index).each(&mut |name, cell| {
                    object.insert(name.to_owned(), cell.into_property().unwrap_or(Value::Null));
                });
                Value::Object(object)
            }
        }
    }
}

/// How a file is read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The file.
    pub path: PathBuf,
    /// Its format.
    pub format: Format,
    /// Its columns' meaning.
    pub mapping: Mapping,
    /// What the mapping leaves open.
    pub around: Surroundings,
    /// How access logs are read.
    pub log: LogOptions,
    /// Counts bytes of the file as they are consumed.
    pub consumed: Arc<AtomicU64>,
}

/// Reads a whole file, handing batches to `emit` in file order. Stops at the first error of `emit`.
pub fn read(reading: &Reading, emit: &mut dyn FnMut(Batch) -> Result<()>) -> Result<()> {
    match reading.format {
        Format::Ndjson => ndjson::read(reading, emit),
        Format::Csv => csv::read(reading, emit),
        Format::Parquet => parquet::read(reading, emit),
        Format::AccessLog => access_log::read(reading, emit),
    }
}

/// The id of a row that brings none: its number first, so that rows of the same instant keep their order, then a hash of
/// its content, so that another file's row of that number is another event.
fn row_id(row: u64, content: u64) -> String {
    const ROW_DIGITS: usize = 10;
    const HEX: &[u8; 16] = b"0123456789abcdef";
    if row >= 10_u64.pow(ROW_DIGITS as u32) {
        return format!("{row}-{content:016x}");
    }
    // By hand: every row has one, and formatting takes as long as reading and mapping several cells.
    let mut id = [b'-'; ROW_DIGITS + 17];
    let (mut row, mut content) = (row, content);
    for digit in id[..ROW_DIGITS].iter_mut().rev() {
        *digit = HEX[(row % 10) as usize];
        row /= 10;
    }
    for digit in id[ROW_DIGITS + 1..].iter_mut().rev() {
        *digit = HEX[(content % 16) as usize];
        content /= 16;
    }
    id.map(char::from).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_rows_are_numbered_in_ten_digits_or_more() {
        for (row, content) in [(0, 0), (1, u64::MAX), (9_999_999_999, 0xabc), (10_000_000_000, 1 << 60), (u64::MAX, 5)] {
            assert_eq!(row_id(row, content), format!("{row:010}-{content:016x}"));
        }
    }
}
