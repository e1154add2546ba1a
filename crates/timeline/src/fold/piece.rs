//! Rows on their way to a fold: stretches of chunks with their columns, and visitors with their stretches.

use std::ops::Range;

use super::reads::Read;
use super::tags::KEPT;
use crate::column::{Codes, Column, Times};
use crate::encode::MILLISECOND_US;

/// Codes of one byte find their entry without a bounds check in a table of this many.
pub(crate) const BYTE_CODES: usize = 256;
/// A piece of which less than one row in this many is in the slice is handed over as those rows alone.
const SPARSE: usize = 4;
/// Rows whose masks are looked at together, and many such.
const WORD_ROWS: usize = 8;
const LINE_ROWS: usize = 128;

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

/// Whether any row of a mask is kept.
pub(crate) fn is_any_kept(mask: &[u8]) -> bool {
    mask.chunks(LINE_ROWS).any(|line| line.iter().fold(0, |any, kept| any | kept) != 0)
}

/// Hands over the places of a mask's rows that are kept. Where few are, most lines and words of rows are passed over at once.
pub(crate) fn each_kept(mask: &[u8], mut give: impl FnMut(u32)) {
    let mut first = 0;
    for line in mask.chunks(LINE_ROWS) {
        if is_any_kept(line) {
            let (words, rest) = line.as_chunks::<WORD_ROWS>();
            for (word, rows) in (first..).step_by(WORD_ROWS).zip(words) {
                let mut left = u64::from_le_bytes(*rows);
                while left != 0 {
                    let place = left.trailing_zeros() / u8::BITS;
                    give(word + place);
                    left &= !(u64::from(u8::MAX) << (place * u8::BITS));
                }
            }
            let word = first + (line.len() - rest.len()) as u32;
            (word..).zip(rest).filter(|(_, kept)| **kept != 0).for_each(|(at, _)| give(at));
        }
        first += line.len() as u32;
    }
}

/// How many rows of a mask are kept.
pub(crate) fn count(mask: &[u8]) -> usize {
    // A mask has far fewer rows than four bytes count; an addition that is checked would be done row after row.
    mask.iter().fold(0u32, |sum, kept| sum.wrapping_add(u32::from(*kept != 0))) as usize
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

    /// Hands place, time and mark of each row of a stretch over. `marks` stand for the stretch's rows.
    #[inline]
    pub fn each_time<T: Copy>(&self, time: Read, stretch: Stretch, marks: &[T], mut give: impl FnMut(u32, i64, T)) {
        let times = self.column(time).times();
        let places = stretch.start..stretch.end;
        if let (None, Times::Millis { base_us, offsets }) = (&self.picked, &**times) {
            let first = self.row(stretch.start);
            for ((at, mark), offset) in places.zip(marks).zip(&offsets[first..first + stretch.range().len()]) {
                // The instant came from eight bytes, so it fits again.
                give(at, base_us.wrapping_add(i64::from(*offset).wrapping_mul(MILLISECOND_US)), *mark);
            }
            return;
        }
        places.zip(marks).for_each(|(at, mark)| give(at, times.at(self.row(at)), *mark));
    }

    /// Keeps the rows of the slice alone, if they are few. `mask` stands for the piece's rows and is cut likewise.
    pub fn thin_out(&mut self, mask: &mut Vec<u8>) {
        let kept = count(&mask[self.base..]);
        if kept * SPARSE < self.rows.len() {
            let mut picked = Vec::with_capacity(kept);
            each_kept(&mask[self.base..], |at| picked.push(self.rows.start as u32 + at));
            self.picked = Some(picked);
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
    /// pieces. Whether any two share an instant.
    pub fn rows_by_time(&self, time: Read, rows: &mut Vec<Row>) -> bool {
        self.rows_where(time, self.mask, |kept| kept != 0, rows)
    }

    /// The same for rows chosen by other marks, which stand for the rows of the partition.
    pub fn rows_where<T: Copy>(&self, time: Read, marks: &[T], is_wanted: impl Fn(T) -> bool, rows: &mut Vec<Row>) -> bool {
        rows.clear();
        let (mut before_us, mut ascends) = (i64::MIN, true);
        for stretch in self.stretches {
            let piece = &self.pieces[stretch.piece as usize];
            piece.each_time(time, *stretch, &marks[stretch.range()], |at, time_us, mark| {
                if is_wanted(mark) {
                    ascends &= before_us < time_us;
                    before_us = time_us;
                    rows.push(Row { time_us, piece: stretch.piece, at });
                }
            });
        }
        if ascends {
            return false;
        }
        rows.sort_by_key(|row| row.time_us);
        !rows.is_sorted_by(|a, b| a.time_us < b.time_us)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kept_row_is_handed_over_once_and_in_order() {
        for rows in [0usize, 1, 7, 8, 9, 127, 128, 129, 300, 1_000] {
            for step in [1, 2, 13, 128, 999] {
                let mask: Vec<u8> = (0..rows).map(|row| u8::from(row.is_multiple_of(step)) * KEPT).collect();
                let mut found = Vec::new();
                each_kept(&mask, |at| found.push(at));
                let expected: Vec<u32> = (0..rows as u32).step_by(step).collect();
                assert_eq!(found, expected, "{rows} rows, one in {step}");
                assert_eq!((count(&mask), is_any_kept(&mask)), (expected.len(), rows > 0));
            }
        }
        assert!(!is_any_kept(&[0; 500]));
    }
}
