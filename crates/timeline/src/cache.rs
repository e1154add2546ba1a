//! Decoded columns under a byte budget; the least recently used go first.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use crate::column::{Column, ColumnId};

type Key = (u64, ColumnId);

/// The cache of one timeline, shared by all its segments.
pub(crate) struct ColumnCache {
    budget_bytes: usize,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    entries: HashMap<Key, Entry>,
    by_use: BTreeMap<u64, Key>,
    tick: u64,
    bytes: usize,
}

struct Entry {
    column: Column,
    bytes: usize,
    used: u64,
}

impl ColumnCache {
    pub fn new(budget_bytes: usize) -> Self {
        Self { budget_bytes, inner: Mutex::default() }
    }

    pub fn find(&self, segment: u64, column: ColumnId) -> Option<Column> {
        let mut inner = self.inner.lock().expect("no holder of this lock panics");
        inner.tick += 1;
        let tick = inner.tick;
        let entry = inner.entries.get_mut(&(segment, column))?;
        let before = std::mem::replace(&mut entry.used, tick);
        let found = entry.column.clone();
        inner.by_use.remove(&before);
        inner.by_use.insert(tick, (segment, column));
        Some(found)
    }

    /// Keeps a column. One larger than the whole budget is not kept: whoever asked has it, and memory stays bounded.
    pub fn keep(&self, segment: u64, id: ColumnId, column: Column) {
        let bytes = column.bytes();
        if bytes > self.budget_bytes {
            return;
        }
        let mut inner = self.inner.lock().expect("no holder of this lock panics");
        inner.tick += 1;
        let used = inner.tick;
        inner.bytes += bytes;
        inner.by_use.insert(used, (segment, id));
        if let Some(before) = inner.entries.insert((segment, id), Entry { column, bytes, used }) {
            inner.bytes -= before.bytes;
            inner.by_use.remove(&before.used);
        }
        while inner.bytes > self.budget_bytes {
            let Some((_, key)) = inner.by_use.pop_first() else { break };
            if let Some(entry) = inner.entries.remove(&key) {
                inner.bytes -= entry.bytes;
            }
        }
    }

    /// Drops the columns of a segment that is gone.
    pub fn forget(&self, segment: u64) {
        let mut inner = self.inner.lock().expect("no holder of this lock panics");
        let gone: Vec<Key> = inner.entries.keys().filter(|key| key.0 == segment).copied().collect();
        for key in gone {
            if let Some(entry) = inner.entries.remove(&key) {
                inner.bytes -= entry.bytes;
                inner.by_use.remove(&entry.used);
            }
        }
    }

    /// Bytes held now.
    pub fn bytes(&self) -> usize {
        self.inner.lock().expect("no holder of this lock panics").bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn the_least_recently_used_go_first_and_the_budget_holds() {
        let cache = ColumnCache::new(100);
        let column = || Column::Signed(Arc::new(vec![0; 5]));
        cache.keep(1, ColumnId::Time, column());
        cache.keep(2, ColumnId::Time, column());
        assert!(cache.find(1, ColumnId::Time).is_some());
        cache.keep(3, ColumnId::Time, column());
        assert_eq!([1, 2, 3].map(|segment| cache.find(segment, ColumnId::Time).is_some()), [true, false, true]);
        cache.keep(4, ColumnId::Time, Column::Signed(Arc::new(vec![0; 50])));
        assert!(cache.find(4, ColumnId::Time).is_none(), "larger than the budget");
        assert_eq!(cache.bytes(), 80);
        cache.forget(1);
        assert_eq!(cache.bytes(), 40);
    }
}
