//! Rows of a chunk with their columns, and which of them are in the slice.

use std::collections::HashMap;
use std::ops::Range;

use tributary_core::error::Result;
use tributary_core::time::TimeRange;
use tributary_events::field::Field;

use super::{Piece, Scan, count};
use crate::column::{Codes, ColumnId};
use crate::fold::reads::column_of;
use crate::fold::tags::KEPT;

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
        (source, chunk, rows): (usize, usize, Range<usize>),
        window: TimeRange,
        mask: &mut Vec<u8>,
    ) -> Result<Option<Piece>> {
        let from = &self.sources[source];
        mask.clear();
        mask.resize(rows.len(), KEPT);
        let times = from.run.column(&ColumnId::Time, chunk)?;
        times.times().keep_inside(rows.start, mask, window.start_us, window.end_us);
        if count(mask) == 0 {
            return Ok(None);
        }
        from.narrow(chunk, &rows, mask)?;
        let columns = from.sets.iter().map(|set| self.load(source, set, chunk)).collect::<Result<_>>()?;
        let mut piece = Piece { source, chunk, base: 0, rows, picked: None, columns };
        piece.thin_out(mask);
        self.mask.as_ref().expect("prepared before").apply(&piece, mask);
        Ok(Some(piece))
    }

    /// Whether the times of all chunks of a source are at hand.
    pub fn has_times(&self, source: usize) -> Result<bool> {
        let source = &self.sources[source];
        let times = source.run.set(&ColumnId::Time)?;
        Ok((0..source.chunks.len()).all(|chunk| times.has(chunk)))
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
