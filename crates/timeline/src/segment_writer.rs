//! Columns become segments: one workspace and month each, in row groups that end where a visitor ends.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use tributary_core::error::{Error, Result};

use crate::catalogue::SegmentRecord;
use crate::encode::Rows;
use crate::files::{DurableFile, sync_folder};
use crate::keys::write_keys;
use crate::options::Options;
use crate::schema::{ANONYMOUS_ID, DELTA_INTEGERS, EVENT_ID_NUMBER, FORMAT, FORMAT_KEY, RECEIVED, TIME, Text, VISITOR_HASH};
use crate::sorted::Sorted;
use crate::stored::month_name;

/// Rows turned into columns at once: few enough that they are still in the processor's cache for the last column.
const BATCH_ROWS: usize = 2_048;
/// Rows of a page: what is decoded to read one row of it.
const PAGE_ROWS: usize = 16_384;
/// Bytes of a page, before compression: wide columns get pages of fewer rows.
const PAGE_BYTES: usize = 64 << 10;
/// Rows are handed to a column's encoder in steps of this many, so pages end on a multiple of it.
const STEP_ROWS: usize = 1_024;
/// Largest dictionary of a column in a row group, bytes; past it values are written plain.
const DICTIONARY_BYTES: usize = 4 << 20;
/// The same for columns of few different values or of many: past so many a dictionary is no longer the smaller way.
const SMALL_DICTIONARY_BYTES: usize = 16 << 10;
/// A row group may grow to this many times its target for the sake of one visitor.
const MOST_GROWTH: usize = 2;

/// Text of a row group at most, bytes, in rows that come one by one: a column's texts are decoded into one buffer.
pub(crate) const GROUP_TEXT_BYTES: usize = 1 << 28;

/// Where segments of one kind go.
#[derive(Clone)]
pub(crate) struct Destination {
    pub root: PathBuf,
    pub workspace: i64,
    pub month: i32,
    /// Highest tombstone already applied to the rows that come.
    pub applied_tombstone: i64,
}

/// A segment being written.
pub(crate) struct SegmentWriter {
    pub record: SegmentRecord,
    path: PathBuf,
    writer: ArrowWriter<DurableFile>,
    keys: Vec<u128>,
}

impl SegmentWriter {
    pub fn begin(next_id: &AtomicU64, to: &Destination, schema: SchemaRef) -> Result<Self> {
        let record = SegmentRecord::empty(next_id.fetch_add(1, Ordering::SeqCst), to.workspace, to.month, to.applied_tombstone);
        let path = record.path(&to.root);
        let file = DurableFile::create(&path)?;
        // Without the embedded schema, which would only tell how the batches looked.
        let options = ArrowWriterOptions::new().with_properties(properties(to)).with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(file, schema, options).map_err(|error| failed(&path, error))?;
        Ok(Self { record, path, writer, keys: Vec::new() })
    }

    /// Adds columns to the current row group. The caller sees to their order and covers the rows in [`Self::record`].
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.writer.write(batch).map_err(|error| failed(&self.path, error))
    }

    /// Adds the key of a row's event id.
    pub fn add_key(&mut self, key: u128) {
        self.keys.push(key);
    }

    /// Ends the current row group.
    pub fn end_group(&mut self) -> Result<()> {
        self.writer.flush().map_err(|error| failed(&self.path, error))
    }

    /// Completes both files. They are durable once their folders are synced: [`sync_segments`].
    pub fn finish(mut self, root: &Path) -> Result<SegmentRecord> {
        let file = self.writer.into_inner().map_err(|error| failed(&self.path, error))?;
        self.record.data = file.finish()?;
        self.record.keys = write_keys(&self.record.keys_path(root), self.keys)?;
        Ok(self.record)
    }
}

/// Makes finished segments durable: the folder they all lie in, and those above it, which may be new.
pub(crate) fn sync_segments(records: &[SegmentRecord], root: &Path) -> Result<()> {
    let Some(path) = records.first().map(|record| record.path(root)) else { return Ok(()) };
    path.ancestors().skip(1).take_while(|folder| folder.starts_with(root)).try_for_each(sync_folder)
}

/// Writes rows in run order into as few segments as the bounds on text allow.
pub(crate) fn write_rows(
    options: &Options,
    next_id: &AtomicU64,
    to: &Destination,
    rows: &Sorted<'_>,
) -> Result<Vec<SegmentRecord>> {
    let mut records = Vec::new();
    let mut start = 0;
    while start < rows.rows.len() {
        let mut text = 0;
        let most = rows.rows.len().min(start + options.segment_rows.max(1));
        let full = (start..most).find(|row| {
            text += rows.text_bytes(*row);
            text >= options.segment_text_bytes
        });
        let end = full.map_or(most, |last| last + 1);
        records.push(write_segment(options, next_id, to, rows, start..end)?);
        start = end;
    }
    sync_segments(&records, &to.root)?;
    Ok(records)
}

fn write_segment(
    options: &Options,
    next_id: &AtomicU64,
    to: &Destination,
    sorted: &Sorted<'_>,
    range: Range<usize>,
) -> Result<SegmentRecord> {
    let rows = Rows::new(sorted, range.clone());
    let mut writer = SegmentWriter::begin(next_id, to, rows.schema.clone())?;
    let mut start = 0;
    while start < rows.rows.len() {
        let mut text = 0;
        let fit = (range.start + start..range.end).take(MOST_GROWTH * options.row_group_rows.max(1)).take_while(|row| {
            text += sorted.text_bytes(*row);
            text <= GROUP_TEXT_BYTES
        });
        let fit = start + fit.count().max(1);
        let last = if text > GROUP_TEXT_BYTES { fit } else { rows.rows.len() };
        let group = start;
        let end = group_end(start..last, options.row_group_rows, |row| rows.begins_visitor(row));
        while start < end {
            let batch = start..end.min(start + BATCH_ROWS);
            for row in &rows.rows[batch.clone()] {
                writer.record.cover(row);
                writer.keys.extend(row.key);
            }
            writer.write(&rows.encode(group, batch.clone())?)?;
            start = batch.end;
        }
        writer.end_group()?;
    }
    writer.finish(&to.root)
}

/// Where a row group that begins with the range ends: at the last visitor's beginning within `target` rows, else at the next
/// one within twice that, else there. `begins_visitor` is asked for rows after the first.
pub(crate) fn group_end(range: Range<usize>, target: usize, begins_visitor: impl Fn(usize) -> bool) -> usize {
    let (start, target) = (range.start, target.max(1));
    if range.len() <= target {
        return range.end;
    }
    let most = range.end.min(start + target * MOST_GROWTH);
    if let Some(end) = (start + 1..=start + target).rev().find(|row| begins_visitor(*row)) {
        return end;
    }
    (start + target + 1..most).find(|row| begins_visitor(*row)).unwrap_or(most)
}

fn properties(to: &Destination) -> WriterProperties {
    let column = |name: &str| ColumnPath::from(vec![name.to_owned()]);
    let mut properties = WriterProperties::builder()
        .set_created_by(String::from("tributary"))
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).expect("level 1 exists")))
        // Row groups are ended by hand.
        .set_max_row_group_row_count(None)
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_data_page_size_limit(PAGE_BYTES)
        .set_write_batch_size(STEP_ROWS)
        .set_dictionary_page_size_limit(DICTIONARY_BYTES)
        // Bounds by page only where rows are looked for by them; elsewhere they cost more than they spare.
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_column_statistics_enabled(column(VISITOR_HASH), EnabledStatistics::Page)
        .set_column_statistics_enabled(column(TIME), EnabledStatistics::Page)
        .set_key_value_metadata(Some(vec![
            KeyValue::new(String::from(FORMAT_KEY), FORMAT.to_owned()),
            KeyValue::new(String::from("tributary.workspace"), to.workspace.to_string()),
            KeyValue::new(String::from("tributary.month"), month_name(to.month)),
        ]))
        // Where a visitor's id stands it is a new one, and event ids hardly ever repeat unless an import has numbered them.
        .set_column_dictionary_enabled(column(ANONYMOUS_ID), false)
        .set_column_encoding(column(ANONYMOUS_ID), Encoding::DELTA_LENGTH_BYTE_ARRAY)
        .set_column_encoding(column(Text::EventId.name()), Encoding::DELTA_LENGTH_BYTE_ARRAY);
    for name in DELTA_INTEGERS {
        properties = properties
            .set_column_dictionary_enabled(column(name), false)
            .set_column_encoding(column(name), Encoding::DELTA_BINARY_PACKED);
    }
    // Many events arrive in one request or one step of an import, which numbers them; where they do not, the dictionary is given
    // up early.
    for name in [RECEIVED, EVENT_ID_NUMBER, Text::EventId.name()] {
        properties = properties
            .set_column_dictionary_enabled(column(name), true)
            .set_column_dictionary_page_size_limit(column(name), SMALL_DICTIONARY_BYTES);
    }
    properties.build()
}

fn failed(path: &Path, error: parquet::errors::ParquetError) -> Error {
    Error::internal(format!("writing `{}` failed", path.display())).caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_groups_end_where_visitors_do_unless_one_fills_two() {
        let visitors = [1, 1, 2, 2, 2, 2, 2, 2, 2, 3, 4, 4, 5];
        let mut ends = vec![];
        while ends.last() != Some(&visitors.len()) {
            let start = ends.last().copied().unwrap_or(0);
            ends.push(group_end(start..visitors.len(), 3, |row| visitors[row - 1] != visitors[row]));
        }
        assert_eq!(ends, [2, 8, 10, 13], "the visitor of seven rows is cut at six");
    }
}
