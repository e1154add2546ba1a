//! Text columns of events that are about to be written, as codes of their distinct texts: most texts repeat, and what repeats
//! is read from where it lies in memory only once.

use ahash::RandomState;
use arrow_array::builder::StringBuilder;
use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, DictionaryArray, Int32Array, StringArray, new_null_array};
use arrow_buffer::{NullBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType};
use hashbrown::HashTable;
use std::borrow::Cow;
use std::hash::BuildHasher;
use std::sync::Arc;

/// The code of a row without a text.
pub(crate) const NO_TEXT: i32 = -1;
/// Distinct text that batches carry along as a dictionary, bytes at most. Columns with more are handed over text by text, so
/// that their pages are bounded by what is in them.
const DICTIONARY_BYTES: usize = 1 << 20;

/// A text column under construction.
pub(crate) struct Coder<'t> {
    hasher: RandomState,
    known: HashTable<i32>,
    codes: Vec<i32>,
    values: Vec<Cow<'t, str>>,
    bytes: usize,
    last: i32,
}

/// A text column: a code for each event, in the order the texts came.
pub(crate) struct Coded<'t> {
    codes: Vec<i32>,
    values: Vec<Cow<'t, str>>,
    /// The values again, where they are few.
    dictionary: Option<ArrayRef>,
}

/// A hasher whose outcome nobody outside can tell: texts come from there.
pub(crate) fn hasher() -> RandomState {
    let seeds = std::hash::RandomState::new();
    let [a, b, c, d] = [1, 2, 3, 4].map(|seed: u64| seeds.hash_one(seed));
    RandomState::with_seeds(a, b, c, d)
}

impl<'t> Coder<'t> {
    pub fn new(hasher: &RandomState, rows: usize) -> Self {
        Self {
            hasher: hasher.clone(),
            known: HashTable::new(),
            codes: Vec::with_capacity(rows),
            values: Vec::new(),
            bytes: 0,
            last: NO_TEXT,
        }
    }

    /// Adds an event's text.
    pub fn push(&mut self, text: Option<&'t str>) {
        let code = text.map_or(NO_TEXT, |text| self.code(Cow::Borrowed(text)));
        self.codes.push(code);
    }

    /// The code of a text, a new one for a new text.
    pub fn code(&mut self, text: Cow<'t, str>) -> i32 {
        if self.last != NO_TEXT && self.values[self.last as usize] == text {
            return self.last;
        }
        let hash = self.hasher.hash_one(text.as_bytes());
        let (values, hasher) = (&mut self.values, &self.hasher);
        let known = self.known.find(hash, |code| values[*code as usize] == text).copied();
        self.last = known.unwrap_or_else(|| {
            let code = values.len() as i32;
            self.bytes += text.len();
            values.push(text);
            self.known.insert_unique(hash, code, |code| hasher.hash_one(values[*code as usize].as_bytes()));
            code
        });
        self.last
    }

    pub fn finish(self) -> Coded<'t> {
        Coded::new(self.codes, self.values, self.bytes)
    }

    /// The column of other codes into the same values.
    pub fn finish_with(self, codes: Vec<i32>) -> Coded<'t> {
        Coded::new(codes, self.values, self.bytes)
    }
}

impl<'t> Coded<'t> {
    fn new(codes: Vec<i32>, values: Vec<Cow<'t, str>>, bytes: usize) -> Self {
        let dictionary: Option<ArrayRef> =
            (bytes <= DICTIONARY_BYTES).then(|| Arc::new(StringArray::from_iter_values(&values)) as ArrayRef);
        Self { codes, values, dictionary }
    }

    /// The code of each event.
    pub fn codes(&self) -> &[i32] {
        &self.codes
    }

    /// The distinct texts, by code.
    pub fn values(&self) -> &[Cow<'t, str>] {
        &self.values
    }

    /// The text of an event.
    pub fn text(&self, place: usize) -> Option<&str> {
        let code = self.codes[place];
        (code != NO_TEXT).then(|| self.values[code as usize].as_ref())
    }

    /// The texts of some events as an array, of text or of codes.
    pub fn array(&self, places: &[u32]) -> Result<ArrayRef, ArrowError> {
        if self.values.is_empty() {
            return Ok(new_null_array(&DataType::Utf8, places.len()));
        }
        let Some(dictionary) = &self.dictionary else {
            let mut texts = StringBuilder::with_capacity(places.len(), places.len() * 8);
            places.iter().for_each(|place| texts.append_option(self.text(*place as usize)));
            return Ok(Arc::new(texts.finish()));
        };
        let mut codes: Vec<i32> = places.iter().map(|place| self.codes[*place as usize]).collect();
        let nulls = codes.contains(&NO_TEXT).then(|| {
            let nulls: NullBuffer = codes.iter().map(|code| *code != NO_TEXT).collect::<Vec<bool>>().into();
            codes.iter_mut().for_each(|code| *code = (*code).max(0));
            nulls
        });
        let codes = Int32Array::try_new(ScalarBuffer::from(codes), nulls)?;
        Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(codes, dictionary.clone())?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::Array;
    use arrow_array::cast::AsArray;

    fn decoded(array: &ArrayRef) -> Vec<Option<String>> {
        let text = |array: &StringArray, row: usize| array.is_valid(row).then(|| array.value(row).to_owned());
        match array.data_type() {
            DataType::Utf8 => (0..array.len()).map(|row| text(array.as_string::<i32>(), row)).collect(),
            _ => {
                let codes = array.as_dictionary::<Int32Type>();
                let values = codes.values().as_string::<i32>();
                (0..codes.len()).map(|row| codes.key(row).and_then(|code| text(values, code))).collect()
            }
        }
    }

    #[test]
    fn texts_come_back_in_any_order_whether_they_are_few_or_many() {
        let many: Vec<String> = (0..3_000).map(|n| format!("{n:0500}")).collect();
        let few = [Some("a"), None, Some("b"), Some("b"), Some(""), Some("a"), None];
        let wide: Vec<Option<&str>> = many.iter().map(|text| Some(text.as_str())).chain([None]).collect();
        let none = [None, None, None];
        for (texts, is_coded) in [(few.as_slice(), true), (wide.as_slice(), false), (none.as_slice(), false)] {
            let mut coder = Coder::new(&hasher(), texts.len());
            texts.iter().for_each(|text| coder.push(*text));
            let coded = coder.finish();
            let places: Vec<u32> = (0..texts.len() as u32).rev().collect();
            let array = coded.array(&places).unwrap();
            let expected: Vec<Option<String>> = texts.iter().rev().map(|text| text.map(str::to_owned)).collect();
            assert_eq!(decoded(&array), expected);
            assert_eq!(*array.data_type() != DataType::Utf8, is_coded);
            assert!(texts.iter().enumerate().all(|(place, text)| coded.text(place) == *text));
        }
    }
}
