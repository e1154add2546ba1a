//! One JSON object per line.

use serde_json::{Map, Value};
use siphasher::sip::SipHasher13;
use std::hash::Hasher;

use tributary_core::error::Result;

use crate::import::cell::{Cell, Column, Row};
use crate::import::plan::Plan;
use crate::import::read::lines::{Line, next_line};
use crate::import::read::open::{cannot_read, open};
use crate::import::read::{BATCH_ROWS, Batch, MAX_ROW_BYTES, Raw, Reading, Rows, row_id};

/// Reads the file.
pub fn read(reading: &Reading, emit: &mut dyn FnMut(Batch) -> Result<()>) -> Result<()> {
    let plan = Plan::for_objects(&reading.mapping, &reading.around)?;
    read_lines(reading, emit, &mut |number, line| {
        let row: Map<String, Value> =
            serde_json::from_str(line).map_err(|error| format!("the line is not a JSON object: {error}"))?;
        plan.draft(&row, || row_id(number, content_hash(line.as_bytes())))
    })
}

/// Reads any file of lines, mapping each with `map`. Blank lines are passed over.
pub(super) fn read_lines(
    reading: &Reading,
    emit: &mut dyn FnMut(Batch) -> Result<()>,
    map: &mut dyn FnMut(u64, &str) -> Result<tributary_ingest::imported::ImportedRow, String>,
) -> Result<()> {
    let cannot = |error: std::io::Error| cannot_read(&reading.path).caused_by(error);
    let mut reader = open(&reading.path, reading.consumed.clone())?;
    let mut buffer = Vec::new();
    let mut rows = Rows::default();
    let mut raw = Vec::new();
    for number in 1_u64.. {
        let line = match next_line(&mut *reader, &mut buffer).map_err(cannot)? {
            Line::End => break,
            line => line,
        };
        let text = String::from_utf8_lossy(&buffer);
        let text = if number == 1 { text.trim_start_matches('\u{feff}') } else { &*text };
        if text.trim().is_empty() {
            continue;
        }
        let row = match line {
            Line::TooLong => Err(format!("the line is longer than {MAX_ROW_BYTES} bytes")),
            Line::Read | Line::End => map(number, text),
        };
        rows.push(number, row);
        raw.push(text.to_owned());
        if rows.len() == BATCH_ROWS {
            emit(Batch::new(std::mem::take(&mut rows), Raw::Lines(std::mem::take(&mut raw))))?;
        }
    }
    if rows.len() == 0 { Ok(()) } else { emit(Batch::new(rows, Raw::Lines(raw))) }
}

/// A hash of a line that is the same on every machine.
pub(super) fn content_hash(line: &[u8]) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write(line);
    hasher.finish()
}

impl Row for Map<String, Value> {
    fn cell(&self, column: &Column) -> Cell<'_> {
        let literal = self.get(&column.name);
        let nested = || {
            let (first, rest) = column.name.split_once('.')?;
            rest.split('.').try_fold(self.get(first)?, |value, part| value.get(part))
        };
        literal.or_else(nested).map_or(Cell::Absent, Cell::json)
    }

    fn each(&self, visit: &mut dyn FnMut(&str, Cell<'_>)) {
        for (name, value) in self {
            visit(name, Cell::json(value));
        }
    }
}
