//! Decoded columns, as questions read them: one stretch of rows (a chunk: a row group of a segment, or a stretch of the tail).

mod event_ids;
mod sparse;
mod times;

use hashbrown::HashTable;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, RwLock};

use tributary_core::ads::AdLevel;

use crate::schema::Text;
pub(crate) use event_ids::{EventIds, Numbers};
pub(crate) use sparse::{Amounts, Visitors};
pub(crate) use times::{Times, newest_rows};

/// Time offsets are counted from a quarter of an hour, so that a table of quarters finds any zone's bucket.
pub(crate) const QUARTER_US: i64 = 900_000_000;

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
    /// Event ids in two parts, as they are stored.
    EventIds,
    /// The newest rows, the newest first: see [`newest_rows`].
    Newest,
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
    EventIds(Arc<EventIds>),
    Newest(Arc<Vec<u32>>),
}

// A column id decides the variant; these say so once.
impl Column {
    pub fn visitors(&self) -> &Arc<Visitors> {
        let Column::Visitors(visitors) = self else { unreachable!("the visitors column holds visitors") };
        visitors
    }

    pub fn ids(&self) -> &Arc<Texts> {
        let Column::Ids(ids) = self else { unreachable!("the column of visitor ids holds ids") };
        ids
    }

    pub fn times(&self) -> &Arc<Times> {
        let Column::Times(times) = self else { unreachable!("the two columns of instants hold times") };
        times
    }

    pub fn unsigned(&self) -> &Arc<Vec<u64>> {
        let Column::Unsigned(values) = self else { unreachable!("sequences and hashes are unsigned") };
        values
    }

    pub fn amounts(&self) -> &Arc<Amounts> {
        let Column::Amounts(amounts) = self else { unreachable!("the column of amounts holds amounts") };
        amounts
    }

    pub fn text(&self) -> &Arc<TextColumn> {
        let Column::Text(column) = self else { unreachable!("text columns hold text") };
        column
    }

    pub fn newest(&self) -> &Arc<Vec<u32>> {
        let Column::Newest(rows) = self else { unreachable!("the column of the newest rows holds rows") };
        rows
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
            Column::EventIds(ids) => ids.bytes(),
            Column::Newest(rows) => rows.len() * 4,
        }
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
