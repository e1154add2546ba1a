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
use parquet::file::statistics::Statistics;
use std::collections::HashMap;
use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};

use tributary_core::error::{Code, Error, Result};
use tributary_core::event::Event;
use tributary_events::field::property;

use crate::cache::{ColumnCache, ColumnSet};
use crate::catalogue::{SegmentRecord, Tombstone};
use crate::column::{Amounts, Codes, Column, ColumnId, TextColumn, Texts, Times, Visitors};
use crate::files;
use crate::keys::KeyIndex;
use crate::live::{LiveRows, Liveness};
use crate::run::{Chunk, session_texts, visitor_texts};
use crate::schema::{
    AMOUNT_MICROS, ANONYMOUS_ID, DICTIONARY_SCHEMA, Decoder, FILE_SCHEMA, FORMAT, FORMAT_KEY, RECEIVED, SEQUENCE, TIME, Text,
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
    footer: Mutex<Option<Arc<Footer>>>,
    sets: Mutex<HashMap<ColumnId, Weak<ColumnSet>>>,
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
            sets: Mutex::default(),
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

    pub fn chunks(&self) -> Result<Arc<[Chunk]>> {
        Ok(self.footer()?.chunks.clone())
    }

    /// A column, to be loaded chunk by chunk.
    pub fn set(&self, id: &ColumnId) -> Result<Arc<ColumnSet>> {
        let mut sets = self.sets.lock().expect("no holder of this lock panics");
        if let Some(set) = sets.get(id).and_then(Weak::upgrade) {
            return Ok(set);
        }
        let set = ColumnSet::new(self.record.id, id.clone(), self.chunks()?.len());
        sets.insert(id.clone(), Arc::downgrade(&set));
        Ok(set)
    }

    /// One chunk of a column of this segment.
    pub fn load(&self, set: &Arc<ColumnSet>, chunk: usize) -> Result<Column> {
        self.cache.load(set, chunk, || self.decode(set, chunk))
    }

    pub fn column(&self, id: &ColumnId, chunk: usize) -> Result<Column> {
        self.load(&self.set(id)?, chunk)
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

    fn decode(&self, set: &ColumnSet, chunk: usize) -> Result<Column> {
        Ok(match &set.id {
            ColumnId::Visitors => {
                let mut hashes: Vec<u64> = Vec::new();
                for batch in self.chunk(&[VISITOR_HASH], chunk)? {
                    hashes.extend_from_slice(batch?.column(0).as_primitive::<UInt64Type>().values());
                }
                Column::Visitors(Arc::new(Visitors::of(hashes.into_iter())))
            }
            ColumnId::VisitorIds => {
                let visitors = self.column(&ColumnId::Visitors, chunk)?;
                let mut starts = visitors.visitors().starts.iter().map(|start| *start as usize).peekable();
                let (mut ids, mut row) = (Texts::default(), 0);
                for batch in self.chunk(&[ANONYMOUS_ID], chunk)? {
                    let batch = batch?;
                    let column = batch.column(0).as_string::<i32>();
                    while let Some(start) = starts.next_if(|start| *start < row + column.len()) {
                        ids.push(column.value(start - row));
                    }
                    row += column.len();
                }
                Column::Ids(Arc::new(ids))
            }
            ColumnId::Time => Column::Times(Arc::new(self.times(TIME, chunk)?)),
            ColumnId::Received => Column::Times(Arc::new(self.times(RECEIVED, chunk)?)),
            ColumnId::Sequence => {
                let mut values = Vec::new();
                for batch in self.chunk(&[SEQUENCE], chunk)? {
                    values.extend_from_slice(batch?.column(0).as_primitive::<UInt64Type>().values());
                }
                Column::Unsigned(Arc::new(values))
            }
            ColumnId::ContentHash => self.content_hashes(chunk)?,
            ColumnId::Amounts => {
                let (mut amounts, mut row) = (Amounts::default(), 0);
                for batch in self.chunk(&[AMOUNT_MICROS], chunk)? {
                    let batch = batch?;
                    let column = batch.column(0).as_primitive::<Int64Type>();
                    for at in (0..column.len()).filter(|at| column.is_valid(*at)) {
                        amounts.push(row + at, column.value(at));
                    }
                    row += column.len();
                }
                Column::Amounts(Arc::new(amounts))
            }
            ColumnId::Text(text) => self.texts(set, text.name(), chunk, |value| Some(value.to_owned().into()))?,
            ColumnId::Property(key) => self.texts(set, Text::Properties.name(), chunk, |json| property(json, key).map(Into::into))?,
            ColumnId::AnonymousId => {
                let visitors = self.column(&ColumnId::Visitors, chunk)?;
                visitor_texts(set, visitors.visitors(), self.column(&ColumnId::VisitorIds, chunk)?.ids())
            }
            ColumnId::Session => {
                let (visitors, ids) = (self.column(&ColumnId::Visitors, chunk)?, self.column(&ColumnId::VisitorIds, chunk)?);
                let (times, named) =
                    (self.column(&ColumnId::Time, chunk)?, self.column(&ColumnId::Text(Text::Session), chunk)?);
                session_texts(set, visitors.visitors(), ids.ids(), times.times(), named.text())
            }
        })
    }

    fn times(&self, name: &str, chunk: usize) -> Result<Times> {
        let mut values = Vec::new();
        for batch in self.chunk(&[name], chunk)? {
            values.extend_from_slice(batch?.column(0).as_primitive::<TimestampMicrosecondType>().values());
        }
        Ok(Times::of(values))
    }

    /// A text column as codes into the set's dictionary; each distinct text is looked at once per batch.
    fn texts(&self, set: &ColumnSet, name: &str, chunk: usize, of: impl Fn(&str) -> Option<Box<str>>) -> Result<Column> {
        const UNKNOWN: u32 = u32::MAX;
        let mut codes = Vec::with_capacity(self.chunks()?[chunk].rows);
        for batch in self.chunk(&[name], chunk)? {
            let batch = batch?;
            let column: &DictionaryArray<Int32Type> = batch.column(0).as_dictionary();
            let values = column.values().as_string::<i32>();
            let mut code_of_key = vec![UNKNOWN; values.len()];
            set.dictionary.grow(|interner| {
                for key in column.keys() {
                    codes.push(match key {
                        None => 0,
                        Some(key) => {
                            let code = &mut code_of_key[key as usize];
                            if *code == UNKNOWN {
                                *code = interner.code_of(of(values.value(key as usize)).as_deref());
                            }
                            *code
                        }
                    });
                }
            });
        }
        Ok(Column::Text(Arc::new(TextColumn { codes: Codes::narrow(codes), dictionary: set.dictionary.clone() })))
    }

    /// Not stored: eight bytes an event that never compress, for the rare question that meets events of one visitor, time
    /// and id in several runs. Worked out from whole rows and then cached like any column.
    fn content_hashes(&self, chunk: usize) -> Result<Column> {
        let builder = self.builder(Shape::Events)?.with_batch_size(EVENT_BATCH_ROWS).with_row_groups(vec![chunk]);
        let reader = builder.build().map_err(|error| self.unreadable_parquet(error))?;
        let mut hashes = Vec::new();
        for batch in (Batches { reader, segment: self }) {
            let batch = batch?;
            for row in 0..batch.rows() {
                hashes.push(batch.event(row)?.content_hash());
            }
        }
        Ok(Column::Unsigned(Arc::new(hashes)))
    }

    /// Some columns of one chunk, batch by batch.
    fn chunk(&self, names: &[&str], chunk: usize) -> Result<impl Iterator<Item = Result<RecordBatch>>> {
        let builder = self.builder(Shape::Columns)?;
        let indices = names.iter().map(|name| FILE_SCHEMA.index_of(name).expect("declared columns only"));
        let mask = ProjectionMask::roots(builder.parquet_schema(), indices);
        let reader = builder
            .with_projection(mask)
            .with_batch_size(COLUMN_BATCH_ROWS)
            .with_row_groups(vec![chunk])
            .build()
            .map_err(|error| self.unreadable_parquet(error))?;
        Ok(reader.map(|batch| batch.map_err(|error| self.unreadable(&self.record.name(), error))))
    }

    fn builder(&self, shape: Shape) -> Result<ParquetRecordBatchReaderBuilder<File>> {
        let footer = self.footer()?;
        let file = File::open(self.record.path(&self.root)).map_err(|error| self.unreadable(&self.record.name(), error))?;
        let metadata = match shape {
            Shape::Columns => footer.dictionaries.clone(),
            Shape::Events => footer.plain.clone(),
        };
        Ok(ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata))
    }

    fn footer(&self) -> Result<Arc<Footer>> {
        let path = self.record.path(&self.root);
        {
            let mut checked = self.data_checked.lock().expect("no holder of this lock panics");
            if !*checked {
                files::check(&path, &self.record.name(), &self.record.data)?;
                *checked = true;
            }
        }
        let mut footer = self.footer.lock().expect("no holder of this lock panics");
        if let Some(footer) = &*footer {
            return Ok(footer.clone());
        }
        let file = File::open(&path).map_err(|error| self.unreadable(&self.record.name(), error))?;
        let loaded = Arc::new(Footer::load(&file).map_err(|error| self.unreadable_parquet(error))?);
        Ok(footer.insert(loaded).clone())
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
    chunks: Arc<[Chunk]>,
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
        let hash_column = FILE_SCHEMA.index_of(VISITOR_HASH).expect("declared");
        let mut first_row = 0;
        let chunks = metadata.row_groups().iter().map(|group| {
            let rows = group.num_rows() as usize;
            let (first_hash, last_hash) = match group.column(hash_column).statistics() {
                Some(Statistics::Int64(hashes)) => (
                    hashes.min_opt().map_or(0, |hash| *hash as u64),
                    hashes.max_opt().map_or(u64::MAX, |hash| *hash as u64),
                ),
                Some(_) | None => (0, u64::MAX),
            };
            first_row += rows;
            Chunk { first_row: first_row - rows, rows, first_hash, last_hash }
        });
        let chunks = chunks.collect();
        let plain = ArrowReaderMetadata::try_new(metadata.clone(), options().with_schema(FILE_SCHEMA.clone()))?;
        let dictionaries = ArrowReaderMetadata::try_new(metadata, options().with_schema(DICTIONARY_SCHEMA.clone()))?;
        Ok(Self { dictionaries, plain, chunks })
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
