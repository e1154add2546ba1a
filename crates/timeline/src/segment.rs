//! An immutable segment: checked before its first read, its footer held, its columns decoded on demand through the cache.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMicrosecondType, UInt64Type};
use arrow_array::{Array, DictionaryArray, RecordBatch};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::PageIndexPolicy;
use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tributary_core::error::{Code, Error, Result};
use tributary_core::event::Event;

use crate::cache::ColumnCache;
use crate::catalogue::{SegmentRecord, Tombstone};
use crate::column::{Codes, Column, ColumnId, Interner, TextColumn, Visitors};
use crate::files;
use crate::keys::KeyIndex;
use crate::live::{LiveRows, Liveness};
use crate::schema::{
    AMOUNT_MICROS, ANONYMOUS_ID, DICTIONARY_SCHEMA, Decoder, FILE_SCHEMA, FORMAT, FORMAT_KEY, RECEIVED, SEQUENCE, TIME,
    VISITOR_HASH,
};
use crate::stored::Hashes;

/// Rows decoded at once when a whole column is read.
const COLUMN_BATCH_ROWS: usize = 65_536;
/// Rows decoded at once when whole events are read.
const EVENT_BATCH_ROWS: usize = 4_096;

/// A listed segment. Files of one that was replaced go when the last holder lets go.
pub(crate) struct Segment {
    pub record: SegmentRecord,
    root: PathBuf,
    cache: Arc<ColumnCache>,
    pub hashes: Hashes,
    data_checked: Mutex<bool>,
    footer: Mutex<Option<Footer>>,
    keys: Mutex<Option<Arc<KeyIndex>>>,
    liveness: Mutex<Liveness>,
    is_replaced: AtomicBool,
}

impl Segment {
    pub fn new(record: SegmentRecord, root: PathBuf, cache: Arc<ColumnCache>, hashes: Hashes) -> Arc<Self> {
        Arc::new(Self {
            record,
            root,
            cache,
            hashes,
            data_checked: Mutex::new(false),
            footer: Mutex::new(None),
            keys: Mutex::new(None),
            liveness: Mutex::default(),
            is_replaced: AtomicBool::new(false),
        })
    }

    pub fn rows(&self) -> usize {
        self.record.rows as usize
    }

    /// Length and hash of both files, read from disk now.
    pub fn check(&self) -> Result<()> {
        files::check(&self.record.path(&self.root), &self.record.name(), &self.record.data)?;
        files::check(&self.record.keys_path(&self.root), &self.record.keys_name(), &self.record.keys)
    }

    /// A column, from the cache or decoded now.
    pub fn column(&self, id: ColumnId) -> Result<Column> {
        if let Some(column) = self.cache.find(self.record.id, id) {
            return Ok(column);
        }
        let column = self.decode(id)?;
        self.cache.keep(self.record.id, id, column.clone());
        Ok(column)
    }

    /// Which rows are left of those the tombstones cover; `None` when all are.
    pub fn live(&self, tombstones: &[Tombstone]) -> Result<Option<Arc<LiveRows>>> {
        let pending: Vec<&Tombstone> = tombstones.iter().filter(|tombstone| self.is_pending(tombstone)).collect();
        if pending.is_empty() {
            return Ok(None);
        }
        let mut liveness = self.liveness.lock().expect("no holder of this lock panics");
        liveness.apply(self, &pending)
    }

    /// Whether the tombstone may cover rows of this file that are still in it.
    pub fn is_pending(&self, tombstone: &Tombstone) -> bool {
        tombstone.id > self.record.applied_tombstone && self.record.first_sequence <= tombstone.up_to_sequence
    }

    /// Whether an event with this key is kept here.
    pub fn holds_key(&self, key: u128, tombstones: &[Tombstone]) -> Result<bool> {
        let is_here = self.key_index()?.holds(key).map_err(|error| self.unreadable(&self.record.keys_name(), error))?;
        Ok(is_here && self.live(tombstones)?.is_none_or(|live| !live.freed_keys.contains(&key)))
    }

    /// The events of some rows, ascending, each with its sequence number.
    pub fn events(&self, rows: &[u32]) -> Result<Vec<(u64, Event)>> {
        let ranges = rows.iter().map(|row| *row as usize..*row as usize + 1);
        let selection = RowSelection::from_consecutive_ranges(ranges, self.rows());
        let reader = self.builder(Shape::Events)?.with_row_selection(selection).with_batch_size(EVENT_BATCH_ROWS).build();
        let mut events = Vec::with_capacity(rows.len());
        let batches = Batches { reader: reader.map_err(|error| self.unreadable_parquet(error))?, segment: self };
        for batch in batches {
            let batch = batch?;
            for row in 0..batch.rows() {
                events.push((batch.sequence(row), batch.event(row)?));
            }
        }
        Ok(events)
    }

    /// All rows in order, batch by batch.
    pub fn batches(&self) -> Result<Batches<'_>> {
        let builder = self.builder(Shape::Events)?.with_batch_size(EVENT_BATCH_ROWS);
        let reader = builder.build().map_err(|error| self.unreadable_parquet(error))?;
        Ok(Batches { reader, segment: self })
    }

    /// The files are no longer listed: remove them once nobody reads them.
    pub fn retire(&self) {
        self.is_replaced.store(true, Ordering::SeqCst);
    }

    fn decode(&self, id: ColumnId) -> Result<Column> {
        let names: &[&str] = match id {
            ColumnId::Visitors => &[VISITOR_HASH, ANONYMOUS_ID],
            ColumnId::Time => &[TIME],
            ColumnId::Received => &[RECEIVED],
            ColumnId::Sequence => &[SEQUENCE],
            ColumnId::ContentHash => return self.content_hashes(),
            ColumnId::AmountMicros => &[AMOUNT_MICROS],
            ColumnId::Text(text) => &[text.name()],
        };
        let builder = self.builder(Shape::Columns)?;
        let indices = names.iter().map(|name| FILE_SCHEMA.index_of(name).expect("declared columns only"));
        let mask = ProjectionMask::roots(builder.parquet_schema(), indices);
        let reader = builder
            .with_projection(mask)
            .with_batch_size(COLUMN_BATCH_ROWS)
            .build()
            .map_err(|error| self.unreadable_parquet(error))?;
        let batches = reader.map(|batch| batch.map_err(|error| self.unreadable(&self.record.name(), error)));
        let column = match id {
            ColumnId::Visitors => visitors(batches)?,
            ColumnId::Time | ColumnId::Received => {
                let mut values = Vec::with_capacity(self.rows());
                for batch in batches {
                    values.extend_from_slice(batch?.column(0).as_primitive::<TimestampMicrosecondType>().values());
                }
                Column::Signed(Arc::new(values))
            }
            ColumnId::AmountMicros => {
                let mut values = Vec::with_capacity(self.rows());
                for batch in batches {
                    values.extend(batch?.column(0).as_primitive::<Int64Type>().iter().map(Option::unwrap_or_default));
                }
                Column::Signed(Arc::new(values))
            }
            ColumnId::ContentHash => return self.content_hashes(),
            ColumnId::Sequence => {
                let mut values = Vec::with_capacity(self.rows());
                for batch in batches {
                    values.extend_from_slice(batch?.column(0).as_primitive::<UInt64Type>().values());
                }
                Column::Unsigned(Arc::new(values))
            }
            ColumnId::Text(_) => texts(batches, self.rows())?,
        };
        Ok(column)
    }

    /// Not stored: eight bytes an event that never compress, for the rare question that meets events of one visitor, time
    /// and id in several runs. Worked out from whole rows and then cached like any column.
    fn content_hashes(&self) -> Result<Column> {
        let mut hashes = Vec::with_capacity(self.rows());
        for batch in self.batches()? {
            let batch = batch?;
            for row in 0..batch.rows() {
                hashes.push(batch.event(row)?.content_hash());
            }
        }
        Ok(Column::Unsigned(Arc::new(hashes)))
    }

    fn builder(&self, shape: Shape) -> Result<ParquetRecordBatchReaderBuilder<File>> {
        let path = self.record.path(&self.root);
        {
            let mut checked = self.data_checked.lock().expect("no holder of this lock panics");
            if !*checked {
                files::check(&path, &self.record.name(), &self.record.data)?;
                *checked = true;
            }
        }
        let file = File::open(&path).map_err(|error| self.unreadable(&self.record.name(), error))?;
        let mut footer = self.footer.lock().expect("no holder of this lock panics");
        let footer = match &mut *footer {
            Some(footer) => footer,
            vacant => vacant.insert(Footer::load(&file).map_err(|error| self.unreadable_parquet(error))?),
        };
        let metadata = match shape {
            Shape::Columns => footer.dictionaries.clone(),
            Shape::Events => footer.plain.clone(),
        };
        Ok(ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata))
    }

    fn key_index(&self) -> Result<Arc<KeyIndex>> {
        let mut keys = self.keys.lock().expect("no holder of this lock panics");
        if let Some(keys) = &*keys {
            return Ok(keys.clone());
        }
        let path = self.record.keys_path(&self.root);
        files::check(&path, &self.record.keys_name(), &self.record.keys)?;
        Ok(keys.insert(Arc::new(KeyIndex::open(&path)?)).clone())
    }

    fn unreadable(&self, name: &str, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        Error::new(Code::UpstreamFailed, format!("the file `{name}` cannot be read")).caused_by(error)
    }

    fn unreadable_parquet(&self, error: parquet::errors::ParquetError) -> Error {
        self.unreadable(&self.record.name(), error)
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        self.cache.forget(self.record.id);
        if *self.is_replaced.get_mut() {
            for path in [self.record.path(&self.root), self.record.keys_path(&self.root)] {
                if let Err(error) = fs::remove_file(&path) {
                    tracing::warn!(file = %path.display(), %error, "could not remove a replaced segment; the next start will");
                }
            }
        }
    }
}

/// How text is wanted.
#[derive(Clone, Copy)]
enum Shape {
    /// As dictionaries, one column at a time.
    Columns,
    /// As it is, whole rows.
    Events,
}

/// The parsed footer, for both shapes.
struct Footer {
    dictionaries: ArrowReaderMetadata,
    plain: ArrowReaderMetadata,
}

impl Footer {
    fn load(file: &File) -> Result<Self, ParquetError> {
        // The page index tells which pages hold the rows wanted, so that a few events cost a few pages.
        let options = || ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional);
        let metadata = ArrowReaderMetadata::load(file, options())?.metadata().clone();
        let format = metadata
            .file_metadata()
            .key_value_metadata()
            .and_then(|pairs| pairs.iter().find(|pair| pair.key == FORMAT_KEY))
            .and_then(|pair| pair.value.as_deref());
        if format != Some(FORMAT) {
            let found = format.unwrap_or("none");
            return Err(ParquetError::General(format!("the segment's format is {found}; this program reads format {FORMAT}")));
        }
        let plain = ArrowReaderMetadata::try_new(metadata.clone(), options().with_schema(FILE_SCHEMA.clone()))?;
        let dictionaries = ArrowReaderMetadata::try_new(metadata, options().with_schema(DICTIONARY_SCHEMA.clone()))?;
        Ok(Self { dictionaries, plain })
    }
}

/// Whole rows of a segment, in its order.
pub(crate) struct Batches<'a> {
    reader: ParquetRecordBatchReader,
    segment: &'a Segment,
}

impl Iterator for Batches<'_> {
    type Item = Result<Decoder>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.reader.next()?;
        Some(batch.map(Decoder::new).map_err(|error| self.segment.unreadable(&self.segment.record.name(), error)))
    }
}

fn visitors(batches: impl Iterator<Item = Result<RecordBatch>>) -> Result<Column> {
    let mut visitors = Visitors::default();
    let mut row = 0;
    for batch in batches {
        let batch = batch?;
        let hashes = batch.column(0).as_primitive::<UInt64Type>().values();
        let ids = batch.column(1).as_string::<i32>();
        for (at, hash) in hashes.iter().enumerate() {
            visitors.push_row(row, *hash, ids.value(at));
            row += 1;
        }
    }
    visitors.finish(row);
    Ok(Column::Visitors(Arc::new(visitors)))
}

fn texts(batches: impl Iterator<Item = Result<RecordBatch>>, rows: usize) -> Result<Column> {
    const UNKNOWN: u32 = u32::MAX;
    let mut interner = Interner::default();
    let mut codes = Vec::with_capacity(rows);
    for batch in batches {
        let batch = batch?;
        let column: &DictionaryArray<Int32Type> = batch.column(0).as_dictionary();
        let values = column.values().as_string::<i32>();
        let mut code_of_key = vec![UNKNOWN; values.len()];
        for key in column.keys() {
            codes.push(match key {
                None => 0,
                Some(key) => {
                    let code = &mut code_of_key[key as usize];
                    if *code == UNKNOWN {
                        *code = interner.code(values.value(key as usize));
                    }
                    *code
                }
            });
        }
    }
    let values = interner.values;
    Ok(Column::Text(Arc::new(TextColumn { codes: Codes::narrow(codes, values.len()), values })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::arrow::ArrowWriter;
    use parquet::file::metadata::KeyValue;
    use parquet::file::properties::WriterProperties;

    fn written_as(format: Option<&str>) -> File {
        let file = tempfile::tempfile().unwrap();
        let pairs = format.map(|format| vec![KeyValue::new(String::from(FORMAT_KEY), format.to_owned())]);
        let properties = WriterProperties::builder().set_key_value_metadata(pairs).build();
        let writer = ArrowWriter::try_new(file.try_clone().unwrap(), FILE_SCHEMA.clone(), Some(properties)).unwrap();
        writer.close().unwrap();
        file
    }

    #[test]
    fn a_segment_of_another_format_is_refused_by_name() {
        assert!(Footer::load(&written_as(Some(FORMAT))).is_ok());
        for (format, named) in [(Some("99"), "99"), (None, "none")] {
            let error = Footer::load(&written_as(format)).err().expect("refused").to_string();
            assert!(error.contains(&format!("format is {named}; this program reads format {FORMAT}")), "{error}");
        }
    }
}
