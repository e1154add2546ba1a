//! Rows of a chunk with their columns, and which of them are in the slice.

use std::collections::HashMap;
use std::ops::Range;

use tributary_core::error::Result;
use tributary_core::time::TimeRange;
use tributary_events::field::Field;
use tributary_events::question::RowOrder;

use super::{Piece, Scan, Source, count};
use crate::column::{Codes, ColumnId, Times};
use crate::fold::reads::column_of;
use crate::fold::tags::KEPT;

impl Source {
    /// The rows of a chunk inside a window of time, the newest first, if they are all among the newest ones.
    fn newest_inside(&self, chunk: usize, times: &Times, window: TimeRange) -> Result<Option<Vec<u32>>> {
        let newest = self.run.column(&ColumnId::Newest, chunk)?;
        let newest = newest.newest();
        let at = |row: &u32| times.at(*row as usize);
        // Rows of the last one's instant may be missing.
        if newest.len() < times.len() && newest.last().is_none_or(|last| at(last) >= window.start_us) {
            return Ok(None);
        }
        let first = newest.partition_point(|row| at(row) >= window.end_us);
        let end = newest.partition_point(|row| at(row) >= window.start_us).max(first);
        Ok(Some(newest[first..end].to_vec()))
    }
}

impl Scan<'_> {
    /// A piece of a source with its columns, and its mask appended to `mask`.
    pub fn piece(&self, source: usize, chunk: usize, rows: Range<usize>, base: usize, mask: &mut Vec<u8>) -> Result<Piece> {
        let from = &self.sources[source];
        let columns = from.sets.iter().map(|set| self.load(source, set, chunk)).collect::<Result<_>>()?;
        let piece = Piece { source, chunk, base, rows, picked: None, columns };
        let first = mask.len();
        mask.resize(first + piece.len(), KEPT);
        let mask = &mut mask[first..];
        from.narrow(chunk, &piece.rows, mask)?;
        self.mask.as_ref().expect("prepared before").apply(&piece, mask);
        Ok(piece)
    }

    /// The rows of a chunk inside a window of time that are in the slice, as a piece by itself with its mask; `None` when the window
    /// holds none of them. Filters look at the rows of the window alone.
    pub fn piece_inside(
        &self,
        source: usize,
        chunk: usize,
        window: TimeRange,
        order: RowOrder,
        mask: &mut Vec<u8>,
    ) -> Result<Option<Piece>> {
        let from = &self.sources[source];
        let times = from.run.column(&ColumnId::Time, chunk)?;
        let times = times.times();
        let rows = 0..times.len();
        mask.clear();
        let picked = match order {
            RowOrder::NewestFirst => from.newest_inside(chunk, times, window)?,
            RowOrder::OldestFirst => None,
        };
        if let Some(picked) = &picked {
            mask.resize(picked.len(), KEPT);
        } else {
            mask.resize(rows.len(), KEPT);
            times.keep_inside(0, mask, window.start_us, window.end_us);
        }
        if count(mask) == 0 {
            return Ok(None);
        }
        let columns = from.sets.iter().map(|set| self.load(source, set, chunk)).collect::<Result<_>>()?;
        let piece = Piece { source, chunk, base: 0, rows, picked, columns };
        match &piece.picked {
            Some(picked) => from.narrow_picked(chunk, picked, mask)?,
            None => from.narrow(chunk, &piece.rows, mask)?,
        }
        self.mask.as_ref().expect("prepared before").apply(&piece, mask);
        Ok(Some(piece))
    }

    /// Whether all chunks of a column of a source are at hand.
    pub fn has(&self, source: usize, id: &ColumnId) -> Result<bool> {
        let source = &self.sources[source];
        let set = source.run.set(id)?;
        Ok((0..source.chunks.len()).all(|chunk| set.has(chunk)))
    }

    /// About how many rows of a source are in the slice: visitors are spread by chance, so one chunk tells of all.
    pub fn estimate(&self, source: usize) -> Result<u64> {
        let Some(first) = self.sources[source].chunks.first() else { return Ok(0) };
        let mut mask = Vec::new();
        self.piece(source, 0, 0..first.rows, 0, &mut mask)?;
        Ok((count(&mask) as u64).saturating_mul(self.sources[source].rows() as u64) / (first.rows as u64).max(1))
    }

    /// The mask of some rows of a chunk, for the few rows that need no tables.
    pub fn mask(&self, source: usize, chunk: usize, rows: &Range<usize>) -> Result<Vec<u8>> {
        let from = &self.sources[source];
        let mut mask = vec![KEPT; rows.len()];
        from.narrow(chunk, rows, &mut mask)?;
        for filter in &self.slice_filters {
            if let Field::Trait(name) = &filter.field {
                let visitors = from.run.column(&ColumnId::Visitors, chunk)?;
                self.traits.narrow(name, &filter.test, visitors.visitors(), rows, &mut mask, self.limits)?;
                continue;
            }
            let column = from.run.column(&column_of(&filter.field), chunk)?;
            let column = column.text();
            if let Codes::Same(code) = &column.codes {
                if !filter.test.holds(column.dictionary.value(*code).as_deref()) {
                    mask.fill(0);
                }
                continue;
            }
            let holds = |code| u8::from(filter.test.holds(column.dictionary.value(code).as_deref()));
            let mut passes: HashMap<u32, u8> = HashMap::new();
            // Neighbours are often alike.
            let mut last: Option<(u32, u8)> = None;
            for (kept, row) in mask.iter_mut().zip(rows.clone()) {
                let code = column.codes.at(row);
                let passed = match last {
                    Some((same, passed)) if same == code => passed,
                    _ => *passes.entry(code).or_insert_with(|| holds(code)),
                };
                last = Some((code, passed));
                *kept &= passed;
            }
        }
        Ok(mask)
    }
}
