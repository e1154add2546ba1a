//! From a file to batches: which table it is, then its rows.

use std::io::Read;

use csv::{ByteRecord, ReaderBuilder};
use tributary_core::ads::AdBatch;
use tributary_core::error::{Code, Error, Result};

use crate::columns::{Header, Row};
use crate::entities::Newest;
use crate::platforms::TABLES;
use crate::problem::{Fault, Problem};
use crate::report::Sums;
use crate::rows::{self, Inputs};
use crate::table::{Content, Table};

/// Most rows handed on together.
pub const MAX_BATCH_ROWS: usize = 1_000;
/// Most columns a file may have.
const MAX_COLUMNS: usize = 10_000;

/// What a file was recognised as.
#[derive(Clone, Copy, Debug)]
pub enum Export {
    /// A platform's table.
    Table(&'static Table),
    /// Our own table of spend, see [`rows::COLUMNS`].
    Spend,
}

/// What a file held.
#[derive(Debug)]
pub struct Imported {
    /// What it was recognised as.
    pub export: Export,
    /// Rows read, the header not counted, rows with problems among them; none where there is nothing to import.
    pub rows: u64,
    /// Its content, at most [`MAX_BATCH_ROWS`] rows each.
    pub batches: Vec<AdBatch>,
}

/// Recognises a file by its name and header and reads it. Each row that cannot be read is told to `on_problem`; the others
/// are kept.
///
/// Errors: `invalid_params` when the file is no table known here, or cannot be read at all.
pub fn read_file(file_name: &str, input: impl Read, on_problem: &mut dyn FnMut(Problem)) -> Result<Imported> {
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(input);
    let broken = |error: csv::Error| {
        Error::new(Code::InvalidParams, format!("{file_name} could not be read; accepted: a CSV file")).caused_by(error)
    };
    let mut record = ByteRecord::new();
    if !reader.read_byte_record(&mut record).map_err(broken)? {
        return Err(Error::new(Code::InvalidParams, format!("{file_name} is empty; accepted: a CSV file with a header")));
    }
    let cells: Vec<&str> = record.iter().map(|cell| std::str::from_utf8(cell).unwrap_or_default()).take(MAX_COLUMNS).collect();
    let export = Export::recognise(file_name, &cells)?;
    if export.nothing().is_some() {
        return Ok(Imported { export, rows: 0, batches: Vec::new() });
    }
    let header = Header::new(cells.iter().copied());
    let mut reading = Reading::of(export);
    let mut rows = 0;
    let mut next = ByteRecord::new();
    while reader.read_byte_record(&mut next).map_err(broken)? {
        rows += 1;
        let line = next.position().map_or(0, csv::Position::line);
        let read = Row::new(&header, &next).map_err(|fault| vec![fault]).and_then(|row| reading.add(line, &row));
        for fault in read.err().into_iter().flatten() {
            on_problem(fault.at(file_name, line));
        }
    }
    Ok(Imported { export, rows, batches: reading.into_batches() })
}

impl Export {
    /// The table a file's name and header belong to.
    ///
    /// The name must end with a table's name, before `_data` and the extensions; the header must have the columns the table
    /// is read by. A header of our own columns is our own table, whatever the file is called.
    pub fn recognise(file_name: &str, header: &[&str]) -> Result<Export> {
        let columns = Header::new(header.iter().copied());
        let stem = stem(file_name);
        let named = TABLES.iter().copied().flatten().filter(|table| ends_with_name(&stem, table.name));
        let Some(table) = named.max_by_key(|table| table.name.len()) else {
            if !rows::REQUIRED.iter().all(|column| columns.has(column)) {
                return Err(unknown(file_name));
            }
            return refuse_other_columns(file_name, &columns).map(|()| Export::Spend);
        };
        let mut missing: Vec<&str> = table.required().into_iter().filter(|column| !columns.has(column)).collect();
        missing.sort_unstable();
        missing.dedup();
        if missing.is_empty() {
            return Ok(Export::Table(table));
        }
        let name = table.name;
        Err(Error::new(
            Code::InvalidParams,
            format!("{file_name} is named like the table {name}, which has the columns {}; the file has not", missing.join(", ")),
        ))
    }

    /// The table's name.
    pub fn name(&self) -> &'static str {
        match self {
            Export::Table(table) => table.name,
            Export::Spend => "spend",
        }
    }

    /// Why there is nothing to import, if there is nothing.
    pub fn nothing(&self) -> Option<&'static str> {
        match self {
            Export::Table(Table { content: Content::Nothing(reason), .. }) => Some(reason),
            Export::Table(_) | Export::Spend => None,
        }
    }
}

/// Every table known here, platform by platform.
pub fn tables() -> impl Iterator<Item = &'static Table> {
    TABLES.iter().copied().flatten()
}

/// Rows on their way, by what they are.
enum Reading {
    Report(&'static Table, Sums),
    Entities(&'static Table, Newest),
    Nothing,
    Spend(Inputs),
}

impl Reading {
    fn of(export: Export) -> Self {
        let Export::Table(table) = export else { return Reading::Spend(Inputs::default()) };
        match &table.content {
            Content::Report(report) => Reading::Report(table, Sums::new(table.source, report)),
            Content::Entities(_) => Reading::Entities(table, Newest::new(table.source)),
            Content::Nothing(_) => Reading::Nothing,
        }
    }

    fn add(&mut self, line: u64, row: &Row<'_>) -> Result<(), Vec<Fault>> {
        match (self, row) {
            (Reading::Report(Table { content: Content::Report(report), .. }, sums), row) => {
                sums.add(report, row).map_err(|fault| vec![fault])
            }
            (Reading::Entities(Table { content: Content::Entities(entities), .. }, newest), row) => {
                newest.add(entities, row).map_err(|fault| vec![fault])
            }
            (Reading::Spend(inputs), row) => inputs.add(line, &|column| Ok(row.filled(column)?.map(str::to_owned))),
            (Reading::Report(..) | Reading::Entities(..) | Reading::Nothing, _) => Ok(()),
        }
    }

    fn into_batches(self) -> Vec<AdBatch> {
        match self {
            Reading::Report(_, sums) => sums.into_batches(MAX_BATCH_ROWS),
            Reading::Entities(_, newest) => newest.into_batches(MAX_BATCH_ROWS),
            Reading::Nothing => Vec::new(),
            Reading::Spend(inputs) => inputs.into_batches(MAX_BATCH_ROWS),
        }
    }
}

/// A file's name without folders, extensions and the `_data` that seeds carry.
fn stem(file_name: &str) -> String {
    let name = file_name.rsplit(['/', '\\']).next().unwrap_or(file_name).to_ascii_lowercase();
    let name = name.split('.').next().unwrap_or_default().to_owned();
    name.strip_suffix("_data").map(str::to_owned).unwrap_or(name)
}

fn ends_with_name(stem: &str, name: &str) -> bool {
    stem.strip_suffix(name.strip_suffix("_data").unwrap_or(name))
        .is_some_and(|before| before.chars().next_back().is_none_or(|letter| !letter.is_ascii_alphanumeric()))
}

/// A misspelt column would be lost without a word.
fn refuse_other_columns(file_name: &str, columns: &Header) -> Result<()> {
    let mut others: Vec<&str> = columns.others(&rows::COLUMNS).collect();
    others.sort_unstable();
    if others.is_empty() {
        return Ok(());
    }
    let (others, accepted) = (others.join(", "), rows::COLUMNS.join(", "));
    Err(Error::new(Code::InvalidParams, format!("{file_name} has columns nobody reads: {others}; accepted: {accepted}")))
}

fn unknown(file_name: &str) -> Error {
    Error::new(
        Code::InvalidParams,
        format!(
            "{file_name} is no table known here; accepted: a file whose name ends with a platform's table, such as \
             facebook_ads_basic_ad.csv, or any file with the columns {}",
            rows::REQUIRED.join(", ")
        ),
    )
}
