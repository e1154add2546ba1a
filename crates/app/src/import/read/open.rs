//! Opening a file: what format it is in, what it is compressed with.

use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tributary_core::error::{Code, Error, Result};

/// How much of a file is looked at to tell its format, bytes.
const SNIFF_BYTES: u64 = 64 << 10;
/// Read buffer, bytes.
const BUFFER_BYTES: usize = 256 << 10;

/// A file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// One JSON object per line.
    Ndjson,
    /// Comma, semicolon or tab separated values with a header line.
    Csv,
    /// Apache Parquet.
    Parquet,
    /// A web server's access log in the combined format.
    AccessLog,
}

/// Opens a file for reading, decompressed. Counts the bytes taken from disk in `consumed`.
pub fn open(path: &Path, consumed: Arc<AtomicU64>) -> Result<Box<dyn BufRead>> {
    let cannot = |error: std::io::Error| cannot_read(path).caused_by(error);
    let mut file = BufReader::with_capacity(BUFFER_BYTES, Counted { file: File::open(path).map_err(cannot)?, consumed });
    let magic = file.fill_buf().map_err(cannot)?;
    Ok(if magic.starts_with(&[0x1f, 0x8b]) {
        Box::new(BufReader::with_capacity(BUFFER_BYTES, MultiGzDecoder::new(file)))
    } else if magic.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        let decoder = zstd::stream::read::Decoder::with_buffer(file).map_err(cannot)?;
        Box::new(BufReader::with_capacity(BUFFER_BYTES, decoder))
    } else {
        Box::new(file)
    })
}

/// Tells the format of a file by its name, or else by its beginning.
pub fn detect(path: &Path) -> Result<Format> {
    let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
    let by_name = [
        (".parquet", Format::Parquet),
        (".ndjson", Format::Ndjson),
        (".jsonl", Format::Ndjson),
        (".csv", Format::Csv),
        (".tsv", Format::Csv),
    ];
    if let Some((_, format)) = by_name.iter().find(|(suffix, _)| name.ends_with(suffix)) {
        return Ok(*format);
    }
    let mut start = Vec::new();
    let reader = open(path, Arc::default())?;
    reader.take(SNIFF_BYTES).read_to_end(&mut start).map_err(|error| cannot_read(path).caused_by(error))?;
    let first = String::from_utf8_lossy(&start);
    let first = first.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim_start_matches('\u{feff}');
    if start.starts_with(b"PAR1") {
        Ok(Format::Parquet)
    } else if first.trim_start().starts_with('{') {
        Ok(Format::Ndjson)
    } else if tributary_ingest::access_log::parse(first).is_ok() {
        Ok(Format::AccessLog)
    } else if first.contains([',', ';', '\t']) {
        Ok(Format::Csv)
    } else {
        Err(Error::new(
            Code::InvalidParams,
            format!("cannot tell the format of {}; name it with --format: ndjson, csv, parquet or access-log", path.display()),
        ))
    }
}

/// The error of a file that cannot be read.
pub fn cannot_read(path: &Path) -> Error {
    Error::new(Code::InvalidParams, format!("cannot read {}; accepted: a readable file, plain, gzip or zstd", path.display()))
}

struct Counted {
    file: File,
    consumed: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.consumed.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
