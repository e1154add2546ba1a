//! Decoded columns under a byte budget; the least recently used chunks go first.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, RwLock};

use tributary_core::error::Result;

use crate::column::{Column, ColumnId, Dictionary};

/// When the budget is passed, this share of it is freed at once, so that eviction is rare.
const FREED_SHARE: usize = 8;

/// The cache of one timeline, shared by all its segments. It counts what segments keep; what a question holds while it runs
/// is the question's.
pub(crate) struct ColumnCache {
    budget_bytes: usize,
    clock: AtomicU64,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    bytes: usize,
    slots: Vec<(Arc<ColumnSet>, usize)>,
}

/// One column of one run: a slot for each chunk, and the dictionary they share. It lives as long as a chunk of it is kept or a
/// question holds it.
pub(crate) struct ColumnSet {
    pub id: ColumnId,
    pub segment: u64,
    pub dictionary: Arc<Dictionary>,
    slots: Vec<Slot>,
    /// Chunks whose values the dictionary holds, and the dictionary's bytes as counted.
    met: Mutex<Met>,
}

#[derive(Default)]
struct Met {
    chunks: Vec<bool>,
    dictionary_bytes: usize,
}

#[derive(Default)]
struct Slot {
    column: RwLock<Option<Column>>,
    /// Held while decoding, so that a chunk is decoded once however many wait for it.
    decoding: Mutex<()>,
    used: AtomicU64,
    bytes: AtomicUsize,
}

impl ColumnSet {
    pub fn new(segment: u64, id: ColumnId, chunks: usize) -> Arc<Self> {
        Arc::new(Self {
            id,
            segment,
            dictionary: Arc::default(),
            slots: (0..chunks).map(|_| Slot::default()).collect(),
            met: Mutex::new(Met { chunks: vec![false; chunks], dictionary_bytes: 0 }),
        })
    }

    /// Whether this chunk's values are in the dictionary.
    pub fn has_met(&self, chunk: usize) -> bool {
        self.met.lock().expect("no holder of this lock panics").chunks[chunk]
    }

    /// Whether the chunk is at hand.
    pub fn has(&self, chunk: usize) -> bool {
        self.slots[chunk].column.read().expect("no holder of this lock panics").is_some()
    }
}

impl ColumnCache {
    pub fn new(budget_bytes: usize) -> Self {
        Self { budget_bytes, clock: AtomicU64::new(1), kept: Mutex::default() }
    }

    /// The chunk's column: at hand, or decoded now and kept if the budget allows it.
    pub fn load(&self, set: &Arc<ColumnSet>, chunk: usize, decode: impl FnOnce() -> Result<Column>) -> Result<Column> {
        let slot = &set.slots[chunk];
        if let Some(column) = self.find(slot) {
            return Ok(column);
        }
        let _decoding = slot.decoding.lock().expect("no holder of this lock panics");
        if let Some(column) = self.find(slot) {
            return Ok(column);
        }
        let column = decode()?;
        self.keep(set, chunk, &column);
        Ok(column)
    }

    fn find(&self, slot: &Slot) -> Option<Column> {
        let column = slot.column.read().expect("no holder of this lock panics").clone()?;
        slot.used.store(self.clock.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        Some(column)
    }

    fn keep(&self, set: &Arc<ColumnSet>, chunk: usize, column: &Column) {
        let slot = &set.slots[chunk];
        let grown = {
            let mut met = set.met.lock().expect("no holder of this lock panics");
            met.chunks[chunk] = true;
            let before = std::mem::replace(&mut met.dictionary_bytes, set.dictionary.bytes());
            met.dictionary_bytes.saturating_sub(before)
        };
        let bytes = column.bytes() + grown;
        let mut kept = self.kept.lock().expect("no holder of this lock panics");
        if kept.bytes + bytes > self.budget_bytes {
            self.free(&mut kept, bytes);
        }
        // Larger than everything: whoever asked has it, and memory stays bounded.
        if kept.bytes + bytes > self.budget_bytes {
            return;
        }
        *slot.column.write().expect("no holder of this lock panics") = Some(column.clone());
        slot.used.store(self.clock.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        slot.bytes.store(bytes, Ordering::Relaxed);
        kept.bytes += bytes;
        kept.slots.push((set.clone(), chunk));
    }

    /// Makes room for so many bytes, and some more.
    fn free(&self, kept: &mut Kept, bytes: usize) {
        let wanted = self.budget_bytes.saturating_sub(bytes).min(self.budget_bytes - self.budget_bytes / FREED_SHARE);
        kept.slots.sort_by_cached_key(|(set, chunk)| std::cmp::Reverse(set.slots[*chunk].used.load(Ordering::Relaxed)));
        while kept.bytes > wanted {
            let Some((set, chunk)) = kept.slots.pop() else { break };
            kept.bytes -= set.empty(chunk);
        }
    }

    /// Drops what is kept of a segment that is gone.
    pub fn forget(&self, segment: u64) {
        let mut kept = self.kept.lock().expect("no holder of this lock panics");
        let mut freed = 0;
        kept.slots.retain(|(set, chunk)| {
            let stays = set.segment != segment;
            if !stays {
                freed += set.empty(*chunk);
            }
            stays
        });
        kept.bytes -= freed;
    }

    /// Bytes kept now.
    pub fn bytes(&self) -> usize {
        self.kept.lock().expect("no holder of this lock panics").bytes
    }
}

impl ColumnSet {
    /// Empties a slot; returns the bytes it was counted with.
    fn empty(&self, chunk: usize) -> usize {
        let slot = &self.slots[chunk];
        *slot.column.write().expect("no holder of this lock panics") = None;
        slot.bytes.swap(0, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_go_first_and_the_budget_holds() {
        let cache = ColumnCache::new(100);
        let set = |segment: u64| ColumnSet::new(segment, ColumnId::Sequence, 1);
        let sets = [set(1), set(2), set(3), set(4)];
        let load = |at: usize, rows: usize| cache.load(&sets[at], 0, || Ok(Column::Unsigned(Arc::new(vec![0; rows])))).unwrap();
        load(0, 5);
        load(1, 5);
        load(0, 5);
        load(2, 4);
        assert_eq!([0, 1, 2].map(|at| sets[at].has(0)), [true, false, true]);
        load(3, 50);
        assert!(!sets[3].has(0), "larger than the budget");
        load(0, 5);
        assert!(cache.bytes() <= 100);
        let before = cache.bytes();
        cache.forget(1);
        assert_eq!(cache.bytes(), before - 40);
        assert!(!sets[0].has(0));
    }
}
