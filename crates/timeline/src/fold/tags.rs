//! Filters as lookup tables over codes. Several lists of filters give each row a word of tag bits: bit n is set when the row
//! passes all of list n. A question's own filters are the list that gives the bit [`KEPT`].

use std::ops::{BitAndAssign, BitOrAssign};

use tributary_core::error::Result;
use tributary_events::filter::{Filter, Test};

use super::reads::{Read, Reads};
use super::scan::{BYTE_CODES, Piece, Scan};
use crate::column::Codes;

/// The tag of a row that passes the only list.
pub(crate) const KEPT: u8 = 1;

/// A word of tag bits.
pub(crate) trait TagWord: Copy + Default + Eq + Send + Sync + BitAndAssign + BitOrAssign + 'static {
    /// Lists it has room for.
    const LISTS: usize;
    fn narrow(tags: u32) -> Self;
    fn widen(self) -> u32;
}

impl TagWord for u8 {
    const LISTS: usize = 8;
    fn narrow(tags: u32) -> Self {
        tags as u8
    }
    fn widen(self) -> u32 {
        u32::from(self)
    }
}

impl TagWord for u32 {
    const LISTS: usize = 32;
    fn narrow(tags: u32) -> Self {
        tags
    }
    fn widen(self) -> u32 {
        self
    }
}

/// Lists of filters before the dictionaries are known.
pub(crate) struct TagFilters {
    lists: Vec<Vec<(Read, Test)>>,
}

/// The same as tables, for every source.
pub(crate) struct Tags<T> {
    tables: Vec<Table<T>>,
    all: T,
}

/// What each code of one column grants: the bits of the lists it passes, and of those that do not look at this column.
struct Table<T> {
    read: Read,
    granted: Vec<Granted<T>>,
}

/// That for one source, by code.
#[derive(Default)]
struct Granted<T> {
    /// As long as bytes have codes at least.
    by_code: Vec<T>,
    /// Where one code alone is granted something else than all others: that code, what it is granted, and what the others are.
    /// Many rows at once can be compared with one code.
    odd: Option<(u8, T, T)>,
}

impl TagFilters {
    pub fn plan<'f>(lists: impl IntoIterator<Item = &'f [Filter]>, reads: &mut Reads) -> Self {
        let mut plan = |filters: &[Filter]| {
            filters.iter().map(|filter| (reads.field(&filter.field), filter.test.clone())).collect::<Vec<(Read, Test)>>()
        };
        Self { lists: lists.into_iter().map(&mut plan).collect() }
    }

    pub fn len(&self) -> usize {
        self.lists.len()
    }

    /// Turns the lists into tables, once the columns' dictionaries are complete.
    pub fn over<T: TagWord>(&self, scan: &Scan<'_>) -> Result<Tags<T>> {
        assert!(self.lists.len() <= T::LISTS, "the caller chose a word that has room for all lists");
        let all = u32::MAX.checked_shr(32 - self.lists.len() as u32).unwrap_or_default();
        let mut reads: Vec<Read> = self.lists.iter().flatten().map(|(read, _)| *read).collect();
        reads.sort_unstable_by_key(|read| read.0);
        reads.dedup();
        let mut tables = Vec::with_capacity(reads.len());
        for read in reads {
            let granted = scan.per_source(|source| {
                source.dictionary(read).read(|values| {
                    let mut granted = Vec::with_capacity((values.len() + 1).max(BYTE_CODES));
                    granted.push(T::narrow(self.granted(read, None)));
                    granted.extend(values.iter().map(|value| T::narrow(self.granted(read, Some(value)))));
                    Granted::of(granted)
                })
            })?;
            tables.push(Table { read, granted });
        }
        Ok(Tags { tables, all: T::narrow(all) })
    }

    fn granted(&self, read: Read, value: Option<&str>) -> u32 {
        let passes = |list: &[(Read, Test)]| list.iter().filter(|(other, _)| *other == read).all(|(_, test)| test.holds(value));
        self.lists.iter().enumerate().fold(0, |tags, (bit, list)| tags | (u32::from(passes(list)) << bit))
    }
}

impl<T: TagWord> Granted<T> {
    fn of(mut by_code: Vec<T>) -> Self {
        // Of two, either may be the odd one.
        let usual = by_code.get(2).filter(|third| by_code[..2].contains(third)).or(by_code.get(1)).copied();
        let mut odd = None;
        if let Some(usual) = usual {
            let mut others = (0..).zip(&by_code).filter(|(_, granted)| **granted != usual);
            if let (Some((code, granted)), None) = (others.next(), others.next()) {
                odd = u8::try_from(code as usize).ok().map(|code: u8| (code, *granted, usual));
            }
        }
        by_code.resize(by_code.len().max(BYTE_CODES), T::default());
        Self { by_code, odd }
    }
}

impl<T: TagWord> Tags<T> {
    /// The tags of a row that no list has looked at yet.
    pub fn all(&self) -> T {
        self.all
    }

    /// Narrows the tags of the piece's rows; they start as [`Tags::all`].
    pub fn apply(&self, piece: &Piece, tags: &mut [T]) {
        for table in &self.tables {
            let Granted { by_code: granted, odd } = &table.granted[piece.source];
            let codes = &piece.column(table.read).text().codes;
            if let Codes::Same(code) = codes
                && granted[*code as usize] == self.all
            {
                continue;
            }
            if let (Codes::Bytes(codes), Some((odd, its, usual)), None) = (codes, *odd, &piece.picked) {
                for (tags, code) in tags.iter_mut().zip(&codes[piece.rows.clone()]) {
                    *tags &= if *code == odd { its } else { usual };
                }
                continue;
            }
            let Some(rows) = &piece.picked else {
                piece.look_up(codes, granted, 0, tags, |tags, granted| *tags &= granted);
                continue;
            };
            // Rows that lie apart cost a look at memory each: not where nothing is left to grant.
            for (tags, row) in tags.iter_mut().zip(rows).filter(|(tags, _)| **tags != T::default()) {
                *tags &= granted[codes.at(*row as usize) as usize];
            }
        }
    }
}
