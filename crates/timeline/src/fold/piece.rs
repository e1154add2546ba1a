//! Rows on their way to a fold: stretches of chunks with their columns, and visitors with their stretches.

use std::ops::Range;

use super::reads::Read;
use super::tags::KEPT;
use crate::column::{Codes, Column};

/// Codes of one byte find their entry without a bounds check in a table of this many.
pub(crate) const BYTE_CODES: usize = 256;
/// A piece of which less than one row in this many is in the slice is handed over as those rows alone.
const SPARSE: usize = 4;
/// Rows of one chunk, with the declared columns at hand.
pub(crate) struct Piece {
    pub source: usize,
    pub chunk: usize,
    /// Place of the first row among the rows of the partition.
    pub base: usize,
    /// Rows, counted in the chunk; of these only the ones picked, where there is a list.
    pub rows: Range<usize>,
    pub picked: Option<Vec<u32>>,
    pub columns: Vec<Column>,
}

/// A row of a partition, with its time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub time_us: i64,
    pub piece: u32,
    /// Place among the rows of the partition.
    pub at: u32,
}

/// Rows of one visitor that follow each other in one piece.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stretch {
    /// The visitor.
    pub hash: u64,
    pub piece: u32,
    /// Places among the rows of the partition.
    pub start: u32,
    pub end: u32,
}

/// A visitor (or a person) as the scan hands it over. Rows whose mask is 0 are not in the slice; there may be nothing else.
pub(crate) struct Visit<'v> {
    pub stretches: &'v [Stretch],
    pub pieces: &'v [Piece],
    /// One for each row of the partition.
    pub mask: &'v [u8],
}

impl Piece {
    pub fn column(&self, read: Read) -> &Column {
        &self.columns[read.0]
    }

    pub fn len(&self) -> usize {
        self.picked.as_ref().map_or(self.rows.len(), Vec::len)
    }

    /// The row of the chunk behind a place in the partition.
    pub fn row(&self, at: u32) -> usize {
        let place = at as usize - self.base;
        match &self.picked {
            None => self.rows.start + place,
            Some(rows) => rows[place] as usize,
        }
    }

    /// Hands what a table has for each row's code to the row's entry in `into`, which stands for the piece's rows after the first
    /// `skip`. Every code must be inside the table.
    #[inline]
    pub fn look_up<T: Copy, S>(&self, codes: &Codes, table: &[T], skip: usize, into: &mut [S], give: impl Fn(&mut S, T)) {
        if let Some(rows) = &self.picked {
            into.iter_mut().zip(&rows[skip..]).for_each(|(entry, row)| give(entry, table[codes.at(*row as usize) as usize]));
            return;
        }
        let rows = self.rows.start + skip..self.rows.start + skip + into.len();
        match codes {
            Codes::Same(code) => {
                let found = table[*code as usize];
                into.iter_mut().for_each(|entry| give(entry, found));
            }
            Codes::Bytes(codes) => match <&[T; BYTE_CODES]>::try_from(&table[..BYTE_CODES.min(table.len())]) {
                // Such a table needs no bounds check.
                Ok(table) => {
                    into.iter_mut().zip(&codes[rows]).for_each(|(entry, code)| give(entry, table[usize::from(*code)]));
                }
                Err(_) => {
                    into.iter_mut().zip(&codes[rows]).for_each(|(entry, code)| give(entry, table[usize::from(*code)]));
                }
            },
            Codes::Shorts(codes) => {
                into.iter_mut().zip(&codes[rows]).for_each(|(entry, code)| give(entry, table[usize::from(*code)]));
            }
            Codes::Words(codes) => {
                into.iter_mut().zip(&codes[rows]).for_each(|(entry, code)| give(entry, table[*code as usize]));
            }
        }
    }

    /// Keeps the rows of the slice alone, if they are few. `mask` stands for the piece's rows and is cut likewise.
    pub fn thin_out(&mut self, mask: &mut Vec<u8>) {
        let kept = mask[self.base..].iter().map(|kept| usize::from(*kept)).sum::<usize>();
        if kept * SPARSE < self.rows.len() {
            let first = self.rows.start as u32;
            let rows = mask[self.base..].iter().zip(first..).filter(|(kept, _)| **kept != 0).map(|(_, row)| row);
            self.picked = Some(rows.collect());
            mask.truncate(self.base);
            mask.resize(self.base + kept, KEPT);
        }
    }
}

impl Stretch {
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

impl Visit<'_> {
    /// The visitor of one of the rows.
    pub fn hash_of(&self, row: &Row) -> u64 {
        let holds = |stretch: &&Stretch| stretch.piece == row.piece && stretch.start <= row.at && row.at < stretch.end;
        self.stretches.iter().find(holds).map_or(0, |stretch| stretch.hash)
    }

    /// The visitor's rows of the slice with their times, ordered by time; rows of one instant stand in the order of their
    /// pieces.
    pub fn rows_by_time(&self, time: Read, rows: &mut Vec<Row>) {
        self.rows_where(time, rows, |at| self.mask[at] != 0);
    }

    /// The same for rows chosen otherwise.
    pub fn rows_where(&self, time: Read, rows: &mut Vec<Row>, is_wanted: impl Fn(usize) -> bool) {
        rows.clear();
        for stretch in self.stretches {
            let piece = &self.pieces[stretch.piece as usize];
            let times = piece.column(time).times();
            for at in stretch.range() {
                if is_wanted(at) {
                    rows.push(Row { time_us: times.at(piece.row(at as u32)), piece: stretch.piece, at: at as u32 });
                }
            }
        }
        if !rows.is_sorted_by_key(|row| row.time_us) {
            rows.sort_by_key(|row| row.time_us);
        }
    }
}
