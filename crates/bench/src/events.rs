//! The event files: the benchmark's own, what is derived from it, and the visitor with a million events.

pub mod giant;
pub mod people;
pub mod shards;

use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, Result};
use crate::say::say;

/// Rows handled at once.
pub const BATCH_ROWS: usize = 65_536;

/// Runs `generate.py`, which lies beside peers.py, unless its file is there already.
pub fn generate(python: &Path, peers: &Path, rows: u64, into: &Path) -> Result<()> {
    if into.is_file() {
        return Ok(());
    }
    let script = peers.with_file_name("generate.py");
    if !script.is_file() {
        return Err(Failure::new(format!(
            "there is no {}; name the events with --file, or peers.py with --peers and generate.py beside it",
            script.display()
        )));
    }
    say(&format!("generating {rows} events (needs numpy and polars; 20 million peak at 9.4 GB)"));
    let fresh: PathBuf = into.with_extension("new");
    let done = Command::new(python)
        .arg(&script)
        .arg(rows.to_string())
        .arg(&fresh)
        .output()
        .map_err(|error| Failure::at("starting", python, error))?;
    if !done.status.success() {
        let text = String::from_utf8_lossy(&done.stderr).trim().to_owned();
        let last: String = text.lines().last().unwrap_or_default().to_owned();
        return Err(Failure::new(format!(
            "generate.py failed: {last}; it needs `{} -m pip install numpy polars`, or name an event file with --file",
            python.display()
        )));
    }
    std::fs::rename(&fresh, into).map_err(|error| Failure::at("naming", into, error))
}

/// Opens some columns of an event file.
fn read_columns(file: &Path, columns: &[&str]) -> Result<ParquetRecordBatchReader> {
    let open = File::open(file).map_err(|error| Failure::at("opening", file, error))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(open).map_err(|error| Failure::at("reading", file, error))?;
    let mask = if columns.is_empty() {
        ProjectionMask::all()
    } else {
        let schema = builder.schema();
        for column in columns {
            if schema.index_of(column).is_err() {
                return Err(Failure::new(format!(
                    "{} has no column `{column}`; the events must be as generate.py writes them",
                    file.display()
                )));
            }
        }
        ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied())
    };
    Ok(builder.with_projection(mask).with_batch_size(BATCH_ROWS).build()?)
}

/// Rows of an event file, from its footer.
pub fn count_rows(file: &Path) -> Result<u64> {
    let open = File::open(file).map_err(|error| Failure::at("opening", file, error))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(open).map_err(|error| Failure::at("reading", file, error))?;
    Ok(u64::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0))
}
