//! A segment's data file, opened: checked block by block as it is read, its footer parsed, its columns handed out as batches.

use arrow_array::cast::AsArray;
use arrow_array::types::{TimestampMicrosecondType, TimestampMillisecondType};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Schema, SchemaRef, TimeUnit};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, PageIndexPolicy, ParquetMetaData, ParquetStatisticsPolicy};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::statistics::Statistics;
use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use tributary_core::error::{Code, Error, Result};

use crate::catalogue::SegmentRecord;
use crate::files::{CheckedFile, CheckedReader};
use crate::schema::{FORMAT_KEY, FORMATS_READ, VISITOR_HASH, dictionary_type};

/// An opened data file. Cheap to clone.
#[derive(Clone)]
pub(crate) struct ParquetFile(Arc<Inner>);

struct Inner {
    file: CheckedFile,
    metadata: Arc<ParquetMetaData>,
    columns: Vec<String>,
    /// Where each of them stands.
    positions: HashMap<String, usize>,
    has_property_columns: bool,
    /// First row of each row group, and the number of rows at the end.
    starts: Vec<usize>,
    plain: ArrowReaderMetadata,
    dictionaries: ArrowReaderMetadata,
}

impl ParquetFile {
    /// Opens the data file of a segment: its length, its footer and its page index are checked, the rest when it is read.
    ///
    /// # Errors
    /// `UpstreamFailed` naming the file when it is damaged, or of a format this program does not read.
    pub fn open(record: &SegmentRecord, root: &Path) -> Result<Self> {
        let file = CheckedFile::open(&record.path(root), record.name(), record.data.clone())?;
        let _held = file.hold()?;
        let inner = Inner::load(file.clone()).map_err(|error| unreadable(&file, error))?;
        let rows = inner.metadata.file_metadata().num_rows();
        if rows != record.rows as i64 {
            let message = format!("the file `{}` holds {rows} rows instead of {}", file.name(), record.rows);
            return Err(Error::new(Code::UpstreamFailed, message));
        }
        Ok(Self(Arc::new(inner)))
    }

    /// The rows of a row group that may hold a value of an ascending unsigned column, as its pages tell; all of them when they do
    /// not.
    pub fn rows_around(&self, name: &str, group: usize, value: u64) -> Range<usize> {
        let all = 0..self.group_rows(group).len();
        let index = self.position(name).zip(self.0.metadata.page_index());
        let Some((pages, Some(ColumnIndexMetaData::INT64(bounds)))) =
            index.and_then(|(column, index)| Some((index.offset_index(group, column)?, index.column_index(group, column))))
        else {
            return all;
        };
        let (pages, last) = (pages.page_locations(), bounds.max_values());
        if last.len() != pages.len() {
            return all;
        }
        let first_row = |page: usize| pages.get(page).map_or(all.end, |page| page.first_row_index as usize);
        let first = last.partition_point(|last| (*last as u64) < value);
        // The value may begin in one page and go on in the next.
        let end = bounds.min_values().partition_point(|first| *first as u64 <= value).max(first);
        first_row(first)..first_row(end)
    }

    /// Keeps the file open, which is cheaper for many reads than one by one.
    pub fn hold(&self) -> Result<Arc<File>> {
        self.0.file.hold()
    }

    /// Number of row groups. Every visitor lies in one, unless the visitor alone fills more than one.
    pub fn row_groups(&self) -> usize {
        self.0.metadata.num_row_groups()
    }

    /// The rows of a row group.
    pub fn group_rows(&self, group: usize) -> Range<usize> {
        self.0.starts[group]..self.0.starts[group + 1]
    }

    /// Names of the columns, in the order of the file; properties as `properties.<key>`.
    pub fn columns(&self) -> &[String] {
        &self.0.columns
    }

    /// Whether the file has the column.
    pub fn has(&self, name: &str) -> bool {
        self.position(name).is_some()
    }

    /// Whether frequent properties are columns of the file; format 1 had none.
    pub fn has_property_columns(&self) -> bool {
        self.0.has_property_columns
    }

    /// Whether a column of instants holds milliseconds rather than microseconds.
    pub fn is_in_milliseconds(&self, name: &str) -> bool {
        self.micros_per_tick(name) > 1
    }

    /// What the footer tells about a column in a row group; `None` when there is no such column.
    pub fn chunk(&self, name: &str, group: usize) -> Option<Chunk<'_>> {
        let column = self.position(name)?;
        Some(Chunk(self.0.metadata.row_group(group).column(column)))
    }

    /// Whether no row has a value in this column, as far as the footer tells; such a column needs no read. Also true of a
    /// column that the file does not have.
    pub fn is_absent(&self, name: &str) -> bool {
        (0..self.row_groups()).all(|group| self.chunk(name, group).is_none_or(|chunk| chunk.is_absent()))
    }

    /// Smallest and largest visitor hash of a row group.
    pub fn visitor_bounds(&self, group: usize) -> Option<(u64, u64)> {
        let (first, last) = self.chunk(VISITOR_HASH, group)?.integer_bounds()?;
        Some((first as u64, last as u64))
    }

    /// Has a column's values in a row group fetched that will be read soon: all of them, or the pages of some rows, which ascend.
    pub fn prefetch(&self, name: &str, group: usize, rows: Option<&[u32]>) -> Result<()> {
        let Some(column) = self.position(name) else { return Ok(()) };
        let file = &self.0.file;
        let (start, length) = self.0.metadata.row_group(group).column(column).byte_range();
        let index = self.0.metadata.page_index().and_then(|index| index.offset_index(group, column));
        let pages = index.as_ref().map(|index| index.page_locations().as_slice()).unwrap_or_default();
        let (Some(rows), Some(first)) = (rows, pages.first()) else { return file.prefetch(start..start + length) };
        // A dictionary lies before the first page.
        file.prefetch(start..first.offset as u64)?;
        let mut last = None;
        for row in rows {
            let page = pages.partition_point(|page| page.first_row_index <= i64::from(*row)).saturating_sub(1);
            if last.replace(page) != Some(page) {
                let begin = pages[page].offset as u64;
                file.prefetch(begin..begin + pages[page].compressed_page_size as u64)?;
            }
        }
        Ok(())
    }

    /// Reads columns, in the order asked for, batch by batch. A batch never crosses row groups, so that text comes with the
    /// dictionary of its row group when it is asked for as `Dictionary(Int32, Utf8)`. `row_groups` ascend; `selection`
    /// counts the rows of these row groups only. Instants are milliseconds or microseconds: see [`instants_us`].
    pub fn read(
        &self,
        names: &[&str],
        row_groups: Range<usize>,
        selection: Option<RowSelection>,
        batch_rows: usize,
        text_as_dictionary: bool,
    ) -> Result<RecordBatches> {
        let mut wanted = Vec::with_capacity(names.len());
        for name in names {
            let position = self
                .position(name)
                .ok_or_else(|| Error::internal(format!("the file `{}` has no column `{name}`", self.0.file.name())))?;
            wanted.push(position);
        }
        // Batches come in the order of the file.
        let mut ascending = wanted.clone();
        ascending.sort_unstable();
        ascending.dedup();
        let order =
            wanted.iter().map(|position| ascending.binary_search(position).expect("collected from the same list")).collect();
        let metadata = if text_as_dictionary { &self.0.dictionaries } else { &self.0.plain };
        Ok(RecordBatches {
            file: self.clone(),
            metadata: metadata.clone(),
            columns: ascending,
            order,
            groups: row_groups,
            selection,
            batch_rows,
            reader: None,
        })
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.0.positions.get(name).copied()
    }

    fn micros_per_tick(&self, name: &str) -> i64 {
        let unit = self.position(name).map(|column| self.0.plain.schema().field(column).data_type());
        if let Some(DataType::Timestamp(TimeUnit::Millisecond, _)) = unit { 1_000 } else { 1 }
    }

    fn unreadable(&self, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        unreadable(&self.0.file, error)
    }
}

/// Damage is what matters to the reader of an error; the layers between lose it on the way.
fn unreadable(file: &CheckedFile, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    match file.damage() {
        Some(damage) => damage,
        None => {
            let error = error.into();
            let what = if error.downcast_ref::<ParquetError>().is_some_and(is_ours) {
                format!("the file `{}` cannot be read: {error}", file.name())
            } else {
                format!("the file `{}` cannot be read", file.name())
            };
            Error::new(Code::UpstreamFailed, what).caused_by(error)
        }
    }
}

/// Whether the error is [`Inner::load`]'s own, about the format.
fn is_ours(error: &ParquetError) -> bool {
    matches!(error, ParquetError::NYI(_))
}

impl Inner {
    fn load(file: CheckedFile) -> Result<Self, ParquetError> {
        // The page index tells which pages hold the rows wanted, so that a few events cost a few pages. The schema is the
        // file's own: an embedded one could only ask for other types.
        let options = || {
            ArrowReaderOptions::new()
                .with_page_index_policy(PageIndexPolicy::Optional)
                .with_encoding_stats_policy(ParquetStatisticsPolicy::SkipAll)
                .with_size_stats_policy(ParquetStatisticsPolicy::SkipAll)
                .with_skip_arrow_metadata(true)
        };
        let plain = ArrowReaderMetadata::load(&file, options())?;
        let metadata = plain.metadata().clone();
        let format = metadata
            .file_metadata()
            .key_value_metadata()
            .and_then(|pairs| pairs.iter().find(|pair| pair.key == FORMAT_KEY))
            .and_then(|pair| pair.value.as_deref());
        if !format.is_some_and(|format| FORMATS_READ.contains(&format)) {
            let (found, read) = (format.unwrap_or("none"), FORMATS_READ.join(", "));
            return Err(ParquetError::NYI(format!("the segment's format is {found}; this program reads formats {read}")));
        }
        let has_property_columns = format != Some("1");
        let with_dictionaries = options().with_schema(with_dictionaries(plain.schema()));
        let dictionaries = ArrowReaderMetadata::try_new(metadata.clone(), with_dictionaries)?;
        let columns: Vec<String> = plain.schema().fields().iter().map(|field| field.name().clone()).collect();
        let positions = columns.iter().cloned().zip(0..).collect();
        let mut starts = vec![0];
        for group in metadata.row_groups() {
            starts.push(starts.last().copied().unwrap_or_default() + group.num_rows() as usize);
        }
        Ok(Self { file, metadata, columns, positions, has_property_columns, starts, plain, dictionaries })
    }
}

fn with_dictionaries(schema: &Schema) -> SchemaRef {
    let field = |field: &Arc<arrow_schema::Field>| match field.data_type() {
        DataType::Utf8 => Arc::new(field.as_ref().clone().with_data_type(dictionary_type())),
        _ => field.clone(),
    };
    Arc::new(Schema::new(schema.fields().iter().map(field).collect::<Vec<_>>()))
}

/// What the footer tells about a column in a row group.
#[derive(Clone, Copy)]
pub(crate) struct Chunk<'f>(&'f ColumnChunkMetaData);

impl Chunk<'_> {
    /// Rows without a value, if the footer tells.
    pub fn nulls(self) -> Option<u64> {
        self.0.statistics()?.null_count_opt()
    }

    /// Whether no row has a value.
    pub fn is_absent(self) -> bool {
        self.nulls() == Some(self.0.num_values() as u64)
    }

    /// Bytes after decompression.
    pub fn encoded_bytes(self) -> u64 {
        self.0.uncompressed_size() as u64
    }

    /// Smallest and largest value of an integer column, as stored: instants in the file's unit, unsigned ones by their bits.
    pub fn integer_bounds(self) -> Option<(i64, i64)> {
        match self.0.statistics()? {
            Statistics::Int64(bounds) => Some((*bounds.min_opt()?, *bounds.max_opt()?)),
            _ => None,
        }
    }
}

/// Batches of some columns.
pub(crate) struct RecordBatches {
    file: ParquetFile,
    metadata: ArrowReaderMetadata,
    columns: Vec<usize>,
    /// Where each column asked for stands among those read.
    order: Vec<usize>,
    groups: Range<usize>,
    /// Of the rows of the groups to come.
    selection: Option<RowSelection>,
    batch_rows: usize,
    reader: Option<ParquetRecordBatchReader>,
}

impl RecordBatches {
    fn advance(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(reader) = &mut self.reader {
                if let Some(batch) = reader.next() {
                    let batch = batch.map_err(|error| self.file.unreadable(error))?;
                    let batch = batch.project(&self.order).map_err(|error| self.file.unreadable(error))?;
                    return Ok(Some(batch));
                }
                self.reader = None;
            }
            let Some(group) = self.groups.next() else { return Ok(None) };
            let rows = self.file.group_rows(group).len();
            let selection = self.selection.as_mut().map(|selection| selection.split_off(rows));
            if selection.as_ref().is_some_and(|selection| !selection.selects_any()) {
                continue;
            }
            let held = self.file.0.file.hold()?;
            let reader = self.open(held, group, selection).map_err(|error| self.file.unreadable(error))?;
            self.reader = Some(reader);
        }
    }

    fn open(
        &self,
        held: Arc<File>,
        group: usize,
        selection: Option<RowSelection>,
    ) -> Result<ParquetRecordBatchReader, ParquetError> {
        let inner = &*self.file.0;
        let chunks = self.columns.iter().map(|column| {
            let (start, length) = inner.metadata.row_group(group).column(*column).byte_range();
            (start..start + length, OnceLock::new())
        });
        // All of a chunk is needed anyway, or only a few of its pages.
        let chunks = if selection.is_none() { chunks.collect() } else { Vec::new() };
        let input = ChunkedFile { file: inner.file.clone(), chunks, _held: held };
        let mask = ProjectionMask::leaves(inner.metadata.file_metadata().schema_descr(), self.columns.iter().copied());
        let mut builder = ParquetRecordBatchReaderBuilder::new_with_metadata(input, self.metadata.clone())
            .with_row_groups(vec![group])
            .with_projection(mask)
            .with_batch_size(self.batch_rows);
        if let Some(selection) = selection {
            builder = builder.with_row_selection(selection);
        }
        builder.build()
    }
}

impl Iterator for RecordBatches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.advance().transpose();
        if matches!(next, Some(Err(_))) {
            // Nothing comes after damage.
            (self.reader, self.groups) = (None, 0..0);
        }
        next
    }
}

/// A checked file whose column chunks are read whole and then handed out page by page.
struct ChunkedFile {
    file: CheckedFile,
    chunks: Vec<(Range<u64>, OnceLock<Bytes>)>,
    /// Keeps the file open.
    _held: Arc<File>,
}

impl Length for ChunkedFile {
    fn len(&self) -> u64 {
        self.file.bytes()
    }
}

impl ChunkReader for ChunkedFile {
    type T = CheckedReader;

    fn get_read(&self, start: u64) -> Result<CheckedReader, ParquetError> {
        self.file.get_read(start)
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let end = start.saturating_add(length as u64);
        let Some((range, chunk)) = self.chunks.iter().find(|(range, _)| range.start <= start && end <= range.end) else {
            return self.file.get_bytes(start, length);
        };
        let bytes = match chunk.get() {
            Some(bytes) => bytes,
            None => {
                let read = self.file.get_bytes(range.start, (range.end - range.start) as usize)?;
                chunk.get_or_init(|| read)
            }
        };
        Ok(bytes.slice((start - range.start) as usize..(end - range.start) as usize))
    }
}

/// The instants of a column as microseconds, whichever unit the file has.
pub(crate) fn instants_us(column: &dyn Array) -> Cow<'_, [i64]> {
    match column.data_type() {
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            let ticks = column.as_primitive::<TimestampMillisecondType>().values();
            // No instant of the calendar overflows; anything else was refused when it came.
            Cow::Owned(ticks.iter().map(|ticks| ticks.saturating_mul(1_000)).collect())
        }
        _ => Cow::Borrowed(column.as_primitive::<TimestampMicrosecondType>().values()),
    }
}

#[cfg(test)]
mod tests;
