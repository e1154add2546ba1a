//! Rows in run order become segments: one workspace and month each, rolled over at the bounds.

use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tributary_core::error::{Error, Result};

use crate::catalogue::SegmentRecord;
use crate::files::{DurableFile, sync_folder};
use crate::keys::write_keys;
use crate::options::Options;
use crate::schema::{ANONYMOUS_ID, DELTA_INTEGERS, FILE_SCHEMA, FORMAT, FORMAT_KEY, Text, encode, text_bytes};
use crate::stored::{Stored, month_name};

/// Rows turned into columns at once.
const BATCH_ROWS: usize = 8_192;

/// Where segments of one kind go.
#[derive(Clone)]
pub(crate) struct Destination {
    pub root: PathBuf,
    pub workspace: i64,
    pub month: i32,
    /// Highest tombstone already applied to the rows that come.
    pub applied_tombstone: i64,
}

/// Writes rows that come in run order into as few segments as the bounds allow.
pub(crate) struct SegmentWriter<'a> {
    options: &'a Options,
    next_id: &'a AtomicU64,
    to: Destination,
    current: Option<Current>,
    done: Vec<SegmentRecord>,
}

struct Current {
    record: SegmentRecord,
    path: PathBuf,
    writer: ArrowWriter<DurableFile>,
    batch: Vec<Arc<Stored>>,
    keys: Vec<u128>,
    text_bytes: usize,
}

impl<'a> SegmentWriter<'a> {
    pub fn new(options: &'a Options, next_id: &'a AtomicU64, to: Destination) -> Self {
        Self { options, next_id, to, current: None, done: Vec::new() }
    }

    /// Adds the next row. Its order after the one before is the caller's promise.
    pub fn push(&mut self, row: Arc<Stored>) -> Result<()> {
        let full = self.current.as_ref().is_some_and(|current| {
            current.record.rows as usize >= self.options.segment_rows || current.text_bytes >= self.options.segment_text_bytes
        });
        if full {
            self.roll()?;
        }
        let current = match &mut self.current {
            Some(current) => current,
            vacant => vacant.insert(Current::begin(self.options, self.next_id.fetch_add(1, Ordering::SeqCst), &self.to)?),
        };
        current.push(row)
    }

    /// Completes the last file and syncs the folder and those above it, which may be new: what is returned is durable.
    pub fn finish(mut self) -> Result<Vec<SegmentRecord>> {
        self.roll()?;
        if let Some(record) = self.done.first() {
            for folder in record.path(&self.to.root).ancestors().skip(1).take_while(|folder| folder.starts_with(&self.to.root)) {
                sync_folder(folder)?;
            }
        }
        Ok(self.done)
    }

    fn roll(&mut self) -> Result<()> {
        if let Some(current) = self.current.take() {
            self.done.push(current.finish(&self.to.root)?);
        }
        Ok(())
    }
}

impl Current {
    fn begin(options: &Options, id: u64, to: &Destination) -> Result<Self> {
        let record = SegmentRecord::empty(id, to.workspace, to.month, to.applied_tombstone);
        let path = record.path(&to.root);
        let file = DurableFile::create(&path)?;
        let writer = ArrowWriter::try_new(file, FILE_SCHEMA.clone(), Some(properties(options, to)))
            .map_err(|error| failed(&path, error))?;
        Ok(Self { record, path, writer, batch: Vec::with_capacity(BATCH_ROWS), keys: Vec::new(), text_bytes: 0 })
    }

    fn push(&mut self, row: Arc<Stored>) -> Result<()> {
        self.keys.extend(row.key);
        self.text_bytes += text_bytes(&row.event);
        self.record.cover(&row);
        self.batch.push(row);
        if self.batch.len() >= BATCH_ROWS { self.write_batch() } else { Ok(()) }
    }

    fn write_batch(&mut self) -> Result<()> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let batch = encode(&self.batch)?;
        self.batch.clear();
        self.writer.write(&batch).map_err(|error| failed(&self.path, error))
    }

    fn finish(mut self, root: &Path) -> Result<SegmentRecord> {
        self.write_batch()?;
        let file = self.writer.into_inner().map_err(|error| failed(&self.path, error))?;
        self.record.data = file.finish()?;
        self.record.keys = write_keys(&self.record.keys_path(root), self.keys)?;
        Ok(self.record)
    }
}

fn properties(options: &Options, to: &Destination) -> WriterProperties {
    let column = |name: &str| ColumnPath::from(name);
    let mut properties = WriterProperties::builder()
        .set_created_by(String::from("tributary"))
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).expect("level 1 exists")))
        .set_max_row_group_row_count(Some(options.row_group_rows))
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_key_value_metadata(Some(vec![
            KeyValue::new(String::from(FORMAT_KEY), FORMAT.to_owned()),
            KeyValue::new(String::from("tributary.workspace"), to.workspace.to_string()),
            KeyValue::new(String::from("tributary.month"), month_name(to.month)),
        ]))
        // Visitors repeat in long runs and event ids never: prefixes serve the one, plain bytes the other.
        .set_column_dictionary_enabled(column(ANONYMOUS_ID), false)
        .set_column_encoding(column(ANONYMOUS_ID), Encoding::DELTA_BYTE_ARRAY)
        .set_column_dictionary_enabled(column(Text::EventId.name()), false)
        .set_column_encoding(column(Text::EventId.name()), Encoding::DELTA_LENGTH_BYTE_ARRAY);
    for name in DELTA_INTEGERS {
        properties = properties
            .set_column_dictionary_enabled(column(name), false)
            .set_column_encoding(column(name), Encoding::DELTA_BINARY_PACKED);
    }
    properties.build()
}

fn failed(path: &Path, error: parquet::errors::ParquetError) -> Error {
    Error::internal(format!("writing `{}` failed", path.display())).caused_by(error)
}
