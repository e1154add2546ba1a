//! Decoded columns, as questions read them.

use std::sync::Arc;

use crate::schema::Text;

/// Which column of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum ColumnId {
    /// Visitors with the rows of each.
    Visitors,
    /// Event time, microseconds.
    Time,
    /// Time of arrival, microseconds.
    Received,
    /// Ingest sequence.
    Sequence,
    /// Content hash.
    ContentHash,
    /// Typed amount, micros; 0 where there is none (the currency tells).
    AmountMicros,
    /// A dictionary of texts.
    Text(Text),
}

/// A decoded column; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) enum Column {
    Visitors(Arc<Visitors>),
    Signed(Arc<Vec<i64>>),
    Unsigned(Arc<Vec<u64>>),
    Text(Arc<TextColumn>),
}

impl Column {
    /// Memory it holds, bytes.
    pub fn bytes(&self) -> usize {
        match self {
            Column::Visitors(visitors) => visitors.hashes.len() * 8 + visitors.starts.len() * 4 + visitors.ids.bytes(),
            Column::Signed(values) => values.len() * 8,
            Column::Unsigned(values) => values.len() * 8,
            Column::Text(column) => column.codes.bytes() + column.values.bytes(),
        }
    }
}

/// The visitors of a run in its order, each with its stretch of rows.
#[derive(Debug, Default)]
pub(crate) struct Visitors {
    /// Keyed hash, ascending; visitors of equal hash stand in the order of their ids.
    pub hashes: Vec<u64>,
    /// The ids.
    pub ids: Texts,
    /// First row of each visitor, and the number of rows at the end.
    pub starts: Vec<u32>,
}

impl Visitors {
    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Adds one row of the run.
    pub fn push_row(&mut self, row: u32, hash: u64, id: &str) {
        let same = self.hashes.last() == Some(&hash) && self.ids.last() == Some(id);
        if !same {
            self.hashes.push(hash);
            self.ids.push(id);
            self.starts.push(row);
        }
    }

    /// To be called after the last row.
    pub fn finish(&mut self, rows: u32) {
        self.starts.push(rows);
    }

    /// The visitor's position, if it is here.
    pub fn find(&self, hash: u64, id: &str) -> Option<usize> {
        let first = self.hashes.partition_point(|other| *other < hash);
        (first..self.len()).take_while(|at| self.hashes[*at] == hash).find(|at| self.ids.get(*at) == id)
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

    pub fn last(&self) -> Option<&str> {
        self.ends.len().checked_sub(1).map(|at| self.get(at))
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|at| self.get(at))
    }

    pub fn bytes(&self) -> usize {
        self.ends.len() * size_of::<usize>() + self.text.len()
    }
}

/// One code per row into a dictionary. Code 0 is "absent"; code n is value n - 1.
#[derive(Debug)]
pub(crate) struct TextColumn {
    pub codes: Codes,
    pub values: Texts,
}

impl TextColumn {
    /// The value of a row.
    pub fn at(&self, row: usize) -> Option<&str> {
        self.value(self.codes.at(row))
    }

    /// The value behind a code.
    pub fn value(&self, code: u32) -> Option<&str> {
        (code as usize).checked_sub(1).map(|at| self.values.get(at))
    }

    /// The code of a value, if any row may hold it.
    pub fn code_of(&self, value: &str) -> Option<u32> {
        self.values.iter().position(|other| other == value).map(|at| at as u32 + 1)
    }
}

/// Codes as narrow as the dictionary allows.
#[derive(Debug)]
pub(crate) enum Codes {
    Bytes(Vec<u8>),
    Shorts(Vec<u16>),
    Words(Vec<u32>),
}

impl Codes {
    /// Narrows codes that are all at most `highest`.
    pub fn narrow(codes: Vec<u32>, highest: usize) -> Self {
        if highest <= usize::from(u8::MAX) {
            Codes::Bytes(codes.into_iter().map(|code| code as u8).collect())
        } else if highest <= usize::from(u16::MAX) {
            Codes::Shorts(codes.into_iter().map(|code| code as u16).collect())
        } else {
            Codes::Words(codes)
        }
    }

    #[inline]
    pub fn at(&self, row: usize) -> u32 {
        match self {
            Codes::Bytes(codes) => u32::from(codes[row]),
            Codes::Shorts(codes) => u32::from(codes[row]),
            Codes::Words(codes) => codes[row],
        }
    }

    pub fn bytes(&self) -> usize {
        match self {
            Codes::Bytes(codes) => codes.len(),
            Codes::Shorts(codes) => codes.len() * 2,
            Codes::Words(codes) => codes.len() * 4,
        }
    }
}

/// Collects texts and gives each distinct one a code from 1 on.
#[derive(Default)]
pub(crate) struct Interner {
    codes: std::collections::HashMap<Box<str>, u32>,
    pub values: Texts,
}

impl Interner {
    pub fn code(&mut self, text: &str) -> u32 {
        if let Some(code) = self.codes.get(text) {
            return *code;
        }
        self.values.push(text);
        let code = self.values.len() as u32;
        self.codes.insert(text.into(), code);
        code
    }

    pub fn code_of(&mut self, text: Option<&str>) -> u32 {
        text.map_or(0, |text| self.code(text))
    }
}
