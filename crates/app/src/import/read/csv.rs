//! Comma, semicolon or tab separated values with a header line.

use csv::{ByteRecord, ReaderBuilder, StringRecord};
use siphasher::sip::SipHasher13;
use std::cell::Cell as Shared;
use std::hash::{Hash, Hasher};
use std::io::{BufRead, Read};
use std::rc::Rc;
use std::sync::Arc;

use tributary_core::error::{Code, Error, Result};

use crate::import::cell::{Cell, Column, Row};
use crate::import::plan::Plan;
use crate::import::read::open::{cannot_read, open};
use crate::import::read::{BATCH_ROWS, Batch, MAX_ROW_BYTES, Raw, Reading, Rows, row_id};

/// Reads the file.
pub fn read(reading: &Reading, emit: &mut dyn FnMut(Batch) -> Result<()>) -> Result<()> {
    let mut source = open(&reading.path, reading.consumed.clone())?;
    let delimiter = delimiter(source.fill_buf().map_err(|error| cannot_read(&reading.path).caused_by(error))?);
    let left = Rc::new(Shared::new(MAX_ROW_BYTES));
    let bounded = Bounded { source, left: left.clone() };
    let mut reader = ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(bounded);
    let broken = |error: csv::Error| {
        let line = error.position().map_or(0, csv::Position::line);
        let file = reading.path.display();
        match error.into_kind() {
            csv::ErrorKind::Io(cause) if cause.kind() == std::io::ErrorKind::FileTooLarge => Error::new(
                Code::InvalidParams,
                format!(
                    "{file}: a record near line {line} is longer than {MAX_ROW_BYTES} bytes; an opening quote may lack its end"
                ),
            ),
            csv::ErrorKind::Io(cause) => cannot_read(&reading.path).caused_by(cause),
            kind => Error::new(Code::InvalidParams, format!("{file} is not CSV near line {line}: {kind:?}")),
        }
    };
    let header: Arc<[String]> =
        reader.byte_headers().map_err(broken)?.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect();
    let plan = Plan::for_header(&reading.mapping, &header, &reading.around)?;
    let mut rows = Rows::default();
    let mut raw = Vec::new();
    let mut record = ByteRecord::new();
    loop {
        left.set(MAX_ROW_BYTES);
        if !reader.read_byte_record(&mut record).map_err(broken)? {
            break;
        }
        let line = record.position().map_or(0, csv::Position::line);
        let text = StringRecord::from_byte_record_lossy(record.clone());
        let row = if text.len() != header.len() {
            Err(format!("the record has {} fields and the header {}", text.len(), header.len()))
        } else if text.as_byte_record() != &record {
            Err(String::from("the record is not UTF-8"))
        } else {
            plan.draft(&CsvRow { header: &header, record: &text }, || row_id(line, content_hash(&text)))
        };
        rows.push(line, row);
        raw.push(text);
        if rows.len() == BATCH_ROWS {
            emit(Batch::new(std::mem::take(&mut rows), Raw::Records(header.clone(), std::mem::take(&mut raw))))?;
        }
    }
    if rows.len() == 0 { Ok(()) } else { emit(Batch::new(rows, Raw::Records(header, raw))) }
}

/// The separator that stands most often in the header line; a comma when none does.
fn delimiter(start: &[u8]) -> u8 {
    let header = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |separator: u8| header.iter().filter(|byte| **byte == separator).count();
    [b'\t', b';', b','].into_iter().max_by_key(|separator| count(*separator)).unwrap_or(b',')
}

fn content_hash(record: &StringRecord) -> u64 {
    let mut hasher = SipHasher13::new();
    for field in record {
        field.hash(&mut hasher);
    }
    hasher.finish()
}

struct CsvRow<'a> {
    header: &'a [String],
    record: &'a StringRecord,
}

impl Row for CsvRow<'_> {
    fn cell(&self, column: &Column) -> Cell<'_> {
        self.record.get(column.index).map_or(Cell::Absent, Cell::text)
    }

    fn each(&self, visit: &mut dyn FnMut(&str, Cell<'_>)) {
        for (name, value) in self.header.iter().zip(self.record) {
            visit(name, Cell::text(value));
        }
    }
}

/// Hands on at most as many bytes as `left` says, then fails: an unclosed quote must not swallow the rest of a file into
/// memory.
struct Bounded {
    source: Box<dyn BufRead>,
    left: Rc<Shared<usize>>,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.left.get() == 0 {
            return Err(std::io::Error::from(std::io::ErrorKind::FileTooLarge));
        }
        let count = self.source.read(buffer)?;
        self.left.set(self.left.get().saturating_sub(count));
        Ok(count)
    }
}
