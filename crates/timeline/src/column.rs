//! Decoded columns, as questions read them: one stretch of rows (a chunk: a row group of a segment, or a stretch of the tail).

use hashbrown::HashTable;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, RwLock};

use tributary_core::ads::AdLevel;

use crate::schema::Text;

/// Time offsets are counted from a quarter of an hour, so that a table of quarters finds any zone's bucket.
pub(crate) const QUARTER_US: i64 = 900_000_000;
const MILLI_US: i64 = 1_000;

/// Which column of a run.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum ColumnId {
    /// Visitors with the rows of each.
    Visitors,
    /// The id of each visitor.
    VisitorIds,
    /// Event time, microseconds.
    Time,
    /// Time of arrival, microseconds.
    Received,
    /// Ingest sequence.
    Sequence,
    /// Content hash.
    ContentHash,
    /// Typed amounts, micros; the currency is a text.
    Amounts,
    /// A stored text.
    Text(Text),
    /// A key of the properties.
    Property(Arc<str>),
    /// `anonymous_id` as a text of each row.
    AnonymousId,
    /// The session of each row, the sender's or the derived one.
    Session,
    /// The channel of each row, out of source and medium.
    Channel,
    /// Whether each row shows a visit, out of origin, path and channel.
    Visit,
    /// The ad that the page's address names.
    AdParameter(AdLevel),
    /// What a question knows of each row's visitor, by name. Questions differ, so no run keeps it: see `fold/traits.rs`.
    Trait(Arc<str>),
}

/// A decoded column of one chunk; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) enum Column {
    Visitors(Arc<Visitors>),
    Ids(Arc<Texts>),
    Times(Arc<Times>),
    Unsigned(Arc<Vec<u64>>),
    Amounts(Arc<Amounts>),
    Text(Arc<TextColumn>),
}

// A column id decides the variant; these say so once.
impl Column {
    pub fn visitors(&self) -> &Arc<Visitors> {
        match self {
            Column::Visitors(visitors) => visitors,
            Column::Ids(_) | Column::Times(_) | Column::Unsigned(_) | Column::Amounts(_) | Column::Text(_) => {
                unreachable!("the visitors column holds visitors")
            }
        }
    }

    pub fn ids(&self) -> &Arc<Texts> {
        match self {
            Column::Ids(ids) => ids,
            Column::Visitors(_) | Column::Times(_) | Column::Unsigned(_) | Column::Amounts(_) | Column::Text(_) => {
                unreachable!("the column of visitor ids holds ids")
            }
        }
    }

    pub fn times(&self) -> &Arc<Times> {
        match self {
            Column::Times(times) => times,
            Column::Visitors(_) | Column::Ids(_) | Column::Unsigned(_) | Column::Amounts(_) | Column::Text(_) => {
                unreachable!("the two columns of instants hold times")
            }
        }
    }

    pub fn unsigned(&self) -> &Arc<Vec<u64>> {
        match self {
            Column::Unsigned(values) => values,
            Column::Visitors(_) | Column::Ids(_) | Column::Times(_) | Column::Amounts(_) | Column::Text(_) => {
                unreachable!("sequences and hashes are unsigned")
            }
        }
    }

    pub fn amounts(&self) -> &Arc<Amounts> {
        match self {
            Column::Amounts(amounts) => amounts,
            Column::Visitors(_) | Column::Ids(_) | Column::Times(_) | Column::Unsigned(_) | Column::Text(_) => {
                unreachable!("the column of amounts holds amounts")
            }
        }
    }

    pub fn text(&self) -> &Arc<TextColumn> {
        match self {
            Column::Text(column) => column,
            Column::Visitors(_) | Column::Ids(_) | Column::Times(_) | Column::Unsigned(_) | Column::Amounts(_) => {
                unreachable!("text columns hold text")
            }
        }
    }

    /// Memory it holds, bytes, its dictionary aside.
    pub fn bytes(&self) -> usize {
        match self {
            Column::Visitors(visitors) => visitors.hashes.len() * 8 + visitors.starts.len() * 4,
            Column::Ids(ids) => ids.bytes(),
            Column::Times(times) => times.bytes(),
            Column::Unsigned(values) => values.len() * 8,
            Column::Amounts(amounts) => amounts.rows.len() * 12,
            Column::Text(column) => column.codes.bytes(),
        }
    }
}

/// The visitors of a chunk in its order, each with its stretch of rows. Inside the engine a visitor is its keyed 64-bit hash:
/// nobody outside can steer two into one, and among a million and a half visitors the chance that any two meet is one in
/// sixteen million.
#[derive(Debug, Default)]
pub(crate) struct Visitors {
    /// Keyed hash, ascending.
    pub hashes: Vec<u64>,
    /// First row of each visitor, and the number of rows at the end.
    pub starts: Vec<u32>,
}

impl Visitors {
    pub fn of(hashes: impl Iterator<Item = u64>) -> Self {
        let mut visitors = Visitors::default();
        let mut rows = 0;
        for hash in hashes {
            if visitors.hashes.last() != Some(&hash) {
                visitors.hashes.push(hash);
                visitors.starts.push(rows);
            }
            rows += 1;
        }
        visitors.starts.push(rows);
        visitors.hashes.shrink_to_fit();
        visitors.starts.shrink_to_fit();
        visitors
    }

    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    /// The rows of one visitor, by position.
    pub fn rows(&self, at: usize) -> std::ops::Range<usize> {
        self.starts[at] as usize..self.starts[at + 1] as usize
    }

    /// The visitor's rows, if it is here.
    pub fn find(&self, hash: u64) -> Option<std::ops::Range<usize>> {
        self.hashes.binary_search(&hash).ok().map(|at| self.rows(at))
    }
}

/// Instants: milliseconds in four bytes where the chunk allows it, microseconds otherwise.
#[derive(Debug)]
pub(crate) enum Times {
    Millis { base_us: i64, offsets: Vec<u32> },
    Micros(Vec<i64>),
}

impl Times {
    pub fn of(values: Vec<i64>) -> Self {
        let first = values.iter().copied().min().unwrap_or_default();
        let base_us = first.saturating_sub(first.rem_euclid(QUARTER_US));
        let mut offsets = Vec::with_capacity(values.len());
        for value in &values {
            let offset = value.wrapping_sub(base_us);
            match u32::try_from(offset / MILLI_US) {
                Ok(millis) if offset % MILLI_US == 0 => offsets.push(millis),
                Ok(_) | Err(_) => return Times::Micros(values),
            }
        }
        Times::Millis { base_us, offsets }
    }

    #[inline]
    pub fn at(&self, row: usize) -> i64 {
        match self {
            Times::Millis { base_us, offsets } => base_us + i64::from(offsets[row]) * MILLI_US,
            Times::Micros(values) => values[row],
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Times::Millis { offsets, .. } => offsets.len(),
            Times::Micros(values) => values.len(),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Times::Millis { offsets, .. } => offsets.len() * 4,
            Times::Micros(values) => values.len() * 8,
        }
    }

    /// Clears the mask of every row outside `start_us..end_us`. `mask` stands for the rows from `first` on.
    pub fn keep_inside(&self, first: usize, mask: &mut [u8], start_us: i64, end_us: i64) {
        match self {
            Times::Millis { base_us, offsets } => {
                let bound = |at_us: i64| {
                    let micros = i128::from(at_us) - i128::from(*base_us);
                    // An instant between two milliseconds bounds like the next one.
                    (micros + i128::from(MILLI_US) - 1).div_euclid(i128::from(MILLI_US)).clamp(0, 1 << 32) as u64
                };
                let (low, high) = (bound(start_us), bound(end_us));
                // One comparison of four bytes: what lies below the start wraps past any length.
                let (Ok(low), length) = (u32::try_from(low), high.saturating_sub(low)) else {
                    mask.fill(0);
                    return;
                };
                if let Ok(length) = u32::try_from(length) {
                    for (kept, offset) in mask.iter_mut().zip(&offsets[first..]) {
                        *kept &= u8::from(offset.wrapping_sub(low) < length);
                    }
                }
            }
            Times::Micros(values) => {
                for (kept, value) in mask.iter_mut().zip(&values[first..]) {
                    *kept &= u8::from(start_us <= *value && *value < end_us);
                }
            }
        }
    }
}

/// Typed amounts of the rows that have one.
#[derive(Debug, Default)]
pub(crate) struct Amounts {
    /// Rows, ascending.
    pub rows: Vec<u32>,
    /// Micros of each.
    pub micros: Vec<i64>,
}

impl Amounts {
    pub fn push(&mut self, row: usize, micros: i64) {
        self.rows.push(row as u32);
        self.micros.push(micros);
    }

    /// The amounts of a stretch of rows.
    pub fn inside(&self, rows: &std::ops::Range<usize>) -> impl Iterator<Item = (usize, i64)> {
        let first = self.rows.partition_point(|row| (*row as usize) < rows.start);
        let end = first + self.rows[first..].partition_point(|row| (*row as usize) < rows.end);
        self.rows[first..end].iter().zip(&self.micros[first..end]).map(|(row, micros)| (*row as usize, *micros))
    }

    pub fn at(&self, row: usize) -> i64 {
        self.rows.binary_search(&(row as u32)).map_or(0, |at| self.micros[at])
    }
}

/// Texts one after the other in one allocation.
#[derive(Debug, Default, Clone)]
pub(crate) struct Texts {
    ends: Vec<usize>,
    text: String,
}

impl Texts {
    pub fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends.push(self.text.len());
    }

    pub fn get(&self, at: usize) -> &str {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.text[start..self.ends[at]]
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|at| self.get(at))
    }

    pub fn bytes(&self) -> usize {
        self.ends.capacity() * size_of::<usize>() + self.text.capacity()
    }
}

/// One code per row into a dictionary. Code 0 is "absent"; code n is value n - 1.
#[derive(Debug)]
pub(crate) struct TextColumn {
    pub codes: Codes,
    pub dictionary: Arc<Dictionary>,
}

impl TextColumn {
    /// The value of a row.
    pub fn at(&self, row: usize) -> Option<String> {
        self.dictionary.value(self.codes.at(row))
    }
}

/// Codes as narrow as they allow.
#[derive(Debug)]
pub(crate) enum Codes {
    /// Every row has this one.
    Same(u32),
    Bytes(Vec<u8>),
    Shorts(Vec<u16>),
    Words(Vec<u32>),
}

impl Codes {
    pub fn narrow(codes: Vec<u32>) -> Self {
        let (low, high) = codes.iter().fold((u32::MAX, 0), |(low, high), code| (low.min(*code), high.max(*code)));
        if low >= high {
            Codes::Same(high)
        } else if high <= u32::from(u8::MAX) {
            Codes::Bytes(codes.into_iter().map(|code| code as u8).collect())
        } else if high <= u32::from(u16::MAX) {
            Codes::Shorts(codes.into_iter().map(|code| code as u16).collect())
        } else {
            Codes::Words(codes)
        }
    }

    #[inline]
    pub fn at(&self, row: usize) -> u32 {
        match self {
            Codes::Same(code) => *code,
            Codes::Bytes(codes) => u32::from(codes[row]),
            Codes::Shorts(codes) => u32::from(codes[row]),
            Codes::Words(codes) => codes[row],
        }
    }

    pub fn bytes(&self) -> usize {
        match self {
            Codes::Same(_) => 0,
            Codes::Bytes(codes) => codes.len(),
            Codes::Shorts(codes) => codes.len() * 2,
            Codes::Words(codes) => codes.len() * 4,
        }
    }
}

/// The distinct values of one column of a run. It grows while chunks are decoded; a code never changes its meaning.
#[derive(Debug, Default)]
pub(crate) struct Dictionary(RwLock<Interner>);

impl Dictionary {
    /// Looks at the values; value n has code n + 1.
    pub fn read<T>(&self, look: impl FnOnce(&Texts) -> T) -> T {
        look(&self.0.read().expect("no holder of this lock panics").values)
    }

    /// Adds values.
    pub fn grow<T>(&self, add: impl FnOnce(&mut Interner) -> T) -> T {
        add(&mut self.0.write().expect("no holder of this lock panics"))
    }

    /// The value behind a code.
    pub fn value(&self, code: u32) -> Option<String> {
        let at = (code as usize).checked_sub(1)?;
        Some(self.read(|values| values.get(at).to_owned()))
    }

    /// The code of a value, if any row may hold it.
    pub fn code_of(&self, value: &str) -> Option<u32> {
        self.0.read().expect("no holder of this lock panics").find(value)
    }

    pub fn bytes(&self) -> usize {
        self.0.read().expect("no holder of this lock panics").bytes()
    }
}

/// Collects texts and gives each distinct one a code from 1 on.
#[derive(Debug, Default)]
pub(crate) struct Interner {
    hasher: RandomState,
    codes: HashTable<u32>,
    pub values: Texts,
}

impl Interner {
    pub fn code(&mut self, text: &str) -> u32 {
        let Self { hasher, codes, values } = self;
        let hash = hasher.hash_one(text);
        if let Some(code) = codes.find(hash, |code| values.get(*code as usize - 1) == text) {
            return *code;
        }
        values.push(text);
        let code = values.len() as u32;
        codes.insert_unique(hash, code, |code| hasher.hash_one(values.get(*code as usize - 1)));
        code
    }

    pub fn code_of(&mut self, text: Option<&str>) -> u32 {
        text.map_or(0, |text| self.code(text))
    }

    pub fn find(&self, text: &str) -> Option<u32> {
        self.codes.find(self.hasher.hash_one(text), |code| self.values.get(*code as usize - 1) == text).copied()
    }

    pub fn bytes(&self) -> usize {
        self.values.bytes() + self.codes.capacity() * (size_of::<u32>() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_back_and_bound_exactly() {
        for values in [vec![1_000, 5_000, -7_000], vec![1_001, 2_000], vec![0, 1 << 60], vec![], vec![i64::MIN, i64::MAX]] {
            let times = Times::of(values.clone());
            assert_eq!((0..times.len()).map(|row| times.at(row)).collect::<Vec<_>>(), values);
            for (start, end) in [(0, 1), (-7_000, 5_000), (1_001, 1_002), (1_000, i64::MAX), (i64::MIN, -6_999)] {
                let mut mask = vec![1; values.len()];
                times.keep_inside(0, &mut mask, start, end);
                let expected: Vec<u8> = values.iter().map(|value| u8::from(start <= *value && *value < end)).collect();
                assert_eq!(mask, expected, "{values:?} in {start}..{end}");
            }
        }
        assert!(matches!(Times::of(vec![1_000, 2_000]), Times::Millis { .. }));
    }

    #[test]
    fn codes_are_as_narrow_as_they_allow() {
        for (codes, bytes) in [(vec![], 0), (vec![3, 3], 0), (vec![0, 255], 2), (vec![0, 256], 4), (vec![1, 70_000], 8)] {
            let narrow = Codes::narrow(codes.clone());
            assert_eq!(narrow.bytes(), bytes, "{codes:?}");
            assert_eq!((0..codes.len()).map(|row| narrow.at(row)).collect::<Vec<_>>(), codes);
        }
    }

    #[test]
    fn equal_texts_have_one_code() {
        let mut interner = Interner::default();
        let codes: Vec<u32> = ["a", "b", "", "a", "b"].iter().map(|text| interner.code(text)).collect();
        assert_eq!(codes, [1, 2, 3, 1, 2]);
        assert_eq!((interner.find("b"), interner.find("c"), interner.code_of(None)), (Some(2), None, 0));
    }
}
