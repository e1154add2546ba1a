//! An immutable segment: its file opened at first use and checked block by block as it is read, its columns decoded chunk by
//! chunk through the cache.

use arrow_array::cast::AsArray;
use arrow_array::types::UInt64Type;
use parquet::arrow::arrow_reader::RowSelection;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};

use tributary_core::error::Result;

use crate::cache::{ColumnCache, ColumnSet};
use crate::catalogue::{SegmentRecord, Tombstone};
use crate::column::{Column, ColumnId};
use crate::decode::stored_in;
use crate::files;
use crate::keys::KeyIndex;
use crate::live::{LiveRows, Liveness};
use crate::parquet_file::{ParquetFile, RecordBatches};
use crate::run::Chunk;
use crate::schema::{Decoder, EVENT_COLUMNS, EVENT_ID_NUMBER, VISITOR_HASH};
use crate::stored::Hashes;

/// A footer takes about this many bytes for so many rows.
const FOOTER_BYTES: u64 = 8_192;
const FOOTER_ROWS: u64 = 131_072;
/// Rows decoded at once when whole events are read.
const EVENT_BATCH_ROWS: usize = 4_096;

/// A listed segment. Files of one that was replaced go when the last holder lets go.
pub(crate) struct Segment {
    pub record: SegmentRecord,
    root: PathBuf,
    cache: Arc<ColumnCache>,
    pub hashes: Hashes,
    opened: Mutex<Option<Opened>>,
    sets: Mutex<HashMap<ColumnId, Weak<ColumnSet>>>,
    /// Chunks that events were read from.
    visited: Mutex<HashSet<usize>>,
    /// Chunks that a visitor was looked for in.
    searched: Mutex<HashSet<usize>>,
    keys: Mutex<Option<Arc<KeyIndex>>>,
    liveness: Mutex<Liveness>,
    is_replaced: AtomicBool,
}

#[derive(Clone)]
struct Opened {
    file: ParquetFile,
    chunks: Arc<[Chunk]>,
}

impl Segment {
    pub fn new(record: SegmentRecord, root: PathBuf, cache: Arc<ColumnCache>, hashes: Hashes) -> Arc<Self> {
        Arc::new(Self {
            record,
            root,
            cache,
            hashes,
            opened: Mutex::default(),
            sets: Mutex::default(),
            visited: Mutex::default(),
            searched: Mutex::default(),
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

    /// The data file, opened at first use.
    pub fn file(&self) -> Result<ParquetFile> {
        Ok(self.opened()?.file)
    }

    /// Whether the data file was opened.
    pub fn is_opened(&self) -> bool {
        self.opened.lock().expect("no holder of this lock panics").is_some()
    }

    /// Has the footer fetched before the file is opened.
    pub fn prefetch_footer(&self) {
        let groups = self.record.rows / FOOTER_ROWS + 1;
        files::prefetch_end(&self.record.path(&self.root), groups * FOOTER_BYTES);
    }

    /// Has fetched what a chunk of a column is decoded from.
    pub fn prefetch(&self, id: &ColumnId, chunk: usize) -> Result<()> {
        let file = self.file()?;
        match stored_in(id) {
            Some(name) if !self.is_absent(&name, chunk)? => file.prefetch(&name, chunk, None),
            Some(_) | None => Ok(()),
        }
    }

    /// Has fetched what some events, ascending, are read from.
    pub fn prefetch_events(&self, chunk: usize, rows: &[u32]) -> Result<()> {
        let file = self.file()?;
        let _held = file.hold()?;
        for name in EVENT_COLUMNS.iter().chain([&EVENT_ID_NUMBER]).filter(|name| **name != VISITOR_HASH) {
            if !self.is_absent(name, chunk)? {
                file.prefetch(name, chunk, Some(rows))?;
            }
        }
        Ok(())
    }

    /// The row groups of the file.
    pub fn chunks(&self) -> Result<Arc<[Chunk]>> {
        Ok(self.opened()?.chunks)
    }

    fn opened(&self) -> Result<Opened> {
        let mut opened = self.opened.lock().expect("no holder of this lock panics");
        if let Some(opened) = &*opened {
            return Ok(opened.clone());
        }
        let file = ParquetFile::open(&self.record, &self.root)?;
        let chunk = |group: usize| {
            let rows = file.group_rows(group);
            let (first_hash, last_hash) = file.visitor_bounds(group).unwrap_or((0, u64::MAX));
            Chunk { first_row: rows.start, rows: rows.len(), first_hash, last_hash }
        };
        let chunks = (0..file.row_groups()).map(chunk).collect();
        Ok(opened.insert(Opened { file, chunks }).clone())
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

    /// A chunk of a column, if it is at hand.
    pub fn kept(&self, id: &ColumnId, chunk: usize) -> Result<Option<Column>> {
        let set = self.sets.lock().expect("no holder of this lock panics").get(id).and_then(Weak::upgrade);
        match set {
            Some(set) if set.has(chunk) => self.load(&set, chunk).map(Some),
            Some(_) | None => Ok(None),
        }
    }

    /// The rows of a visitor in a chunk. A chunk that is searched for the first time is not worth decoding: pages tell who is where.
    pub fn find(&self, hash: u64, chunk: usize) -> Result<Option<Range<usize>>> {
        let set = self.set(&ColumnId::Visitors)?;
        let is_first = self.searched.lock().expect("no holder of this lock panics").insert(chunk);
        if !is_first || set.has(chunk) {
            return Ok(self.load(&set, chunk)?.visitors().find(hash));
        }
        let file = self.file()?;
        let rows = file.rows_around(VISITOR_HASH, chunk, hash);
        let selection = RowSelection::from_consecutive_ranges(std::iter::once(rows.clone()), file.group_rows(chunk).len());
        let mut hashes: Vec<u64> = Vec::with_capacity(rows.len());
        for batch in file.read(&[VISITOR_HASH], chunk..chunk + 1, Some(selection), rows.len().max(1), false)? {
            hashes.extend_from_slice(batch?.column(0).as_primitive::<UInt64Type>().values());
        }
        let first = hashes.partition_point(|other| *other < hash);
        let end = hashes.partition_point(|other| *other <= hash);
        Ok((first < end).then_some(rows.start + first..rows.start + end))
    }

    /// Has fetched what a visitor is looked for in.
    pub fn prefetch_visitor(&self, hash: u64, chunk: usize) -> Result<()> {
        let file = self.file()?;
        let rows = file.rows_around(VISITOR_HASH, chunk, hash);
        let edges = [rows.start as u32, rows.end.saturating_sub(1).max(rows.start) as u32];
        file.prefetch(VISITOR_HASH, chunk, Some(&edges))
    }

    /// Notes that events of this chunk are read; whether that happened before.
    pub fn visit(&self, chunk: usize) -> bool {
        !self.visited.lock().expect("no holder of this lock panics").insert(chunk)
    }

    /// Whether events of this chunk were read before.
    pub fn was_visited(&self, chunk: usize) -> bool {
        self.visited.lock().expect("no holder of this lock panics").contains(&chunk)
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

    /// Tells which of the keys, each with its place, belong to events that are kept here. Keys in ascending order are looked
    /// up fastest: so they lie in the index.
    pub fn find_keys(&self, keys: &[(u128, usize)], tombstones: &[Tombstone], found: &mut dyn FnMut(usize)) -> Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        let index = self.key_index()?;
        for (key, place) in keys {
            if index.holds(*key)? && self.live(tombstones)?.is_none_or(|live| !live.freed_keys.contains(key)) {
                found(*place);
            }
        }
        Ok(())
    }

    /// All rows in order, batch by batch.
    pub fn batches(&self) -> Result<Batches> {
        self.read_events(0..self.file()?.row_groups())
    }

    /// Whole rows of some row groups.
    pub fn read_events(&self, groups: std::ops::Range<usize>) -> Result<Batches> {
        let file = self.file()?;
        let mut names = EVENT_COLUMNS.clone();
        names.extend(file.has(EVENT_ID_NUMBER).then_some(EVENT_ID_NUMBER));
        Ok(Batches { batches: file.read(&names, groups, None, EVENT_BATCH_ROWS, false)?, last_id: String::new() })
    }

    /// The files are no longer listed: remove them once nobody reads them.
    pub fn retire(&self) {
        self.is_replaced.store(true, Ordering::SeqCst);
    }

    fn key_index(&self) -> Result<Arc<KeyIndex>> {
        let mut keys = self.keys.lock().expect("no holder of this lock panics");
        if let Some(keys) = &*keys {
            return Ok(keys.clone());
        }
        let (path, name) = (self.record.keys_path(&self.root), self.record.keys_name());
        Ok(keys.insert(Arc::new(KeyIndex::open(&path, name, self.record.keys.clone())?)).clone())
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

/// Whole rows of a segment, in its order.
pub(crate) struct Batches {
    batches: RecordBatches,
    /// The visitor of the last row so far.
    last_id: String,
}

impl Iterator for Batches {
    type Item = Result<Decoder>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.batches.next()?;
        Some(batch.map(|batch| {
            let decoder = Decoder::new(batch, std::mem::take(&mut self.last_id));
            self.last_id.push_str(decoder.last_id());
            decoder
        }))
    }
}

#[cfg(test)]
mod tests;
