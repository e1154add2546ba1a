//! A row group of a source of a merge, whatever its format, as the newest format would have it.

use arrow_array::builder::{ArrayBuilder, Int64Builder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, UInt64Type};
use arrow_array::{Array, DictionaryArray, Int32Array, Int64Array, RecordBatch, StringArray, UInt64Array};
use std::borrow::Cow;
use std::sync::Arc;

use tributary_core::error::{Error, Result};

use super::{Origin, Source};
use crate::event_id::EventId;
use crate::parquet_file::instants_us;
use crate::properties::columns_of;
use crate::schema::{
    AMOUNT_MICROS, ANONYMOUS_ID, EVENT_ID_NUMBER, Parts, RECEIVED, SEQUENCE, TEXTS, TIME, Text, VISITOR_HASH, event_of,
};

/// A row group of a source.
pub(crate) struct Batch {
    pub first_row: usize,
    pub hashes: UInt64Array,
    /// One value for each visitor.
    pub ids: DictionaryArray<Int32Type>,
    pub times_us: Vec<i64>,
    pub received_us: Vec<i64>,
    pub sequences: UInt64Array,
    /// Event ids without the numbers they begin with, and these; none where no row has one.
    pub event_ids: Option<StringArray>,
    pub event_id_numbers: Option<Int64Array>,
    pub amounts: Option<Int64Array>,
    /// By [`TEXTS`], then by the output's property columns; the event ids are apart.
    pub texts: Vec<Option<DictionaryArray<Int32Type>>>,
    /// Distinct text by row, on average.
    pub row_bytes: usize,
}

impl Batch {
    pub(super) fn load(source: &Source<'_>, group: usize) -> Result<Self> {
        let file = &source.file;
        let rows = file.group_rows(group);
        let read = |names: &[&str], as_dictionary: bool| -> Result<RecordBatch> {
            let mut batches = file.read(names, group..group + 1, None, rows.len(), as_dictionary)?;
            let batch = batches.next().transpose()?.filter(|batch| batch.num_rows() == rows.len());
            batch.ok_or_else(|| Error::internal(format!("the file `{}` gives too few rows", source.segment.record.name())))
        };
        let mut plain_names = vec![VISITOR_HASH, ANONYMOUS_ID, TIME, RECEIVED, SEQUENCE];
        let optional = [Text::EventId.name(), EVENT_ID_NUMBER, AMOUNT_MICROS];
        plain_names.extend(optional.into_iter().filter(|name| !file.is_absent(name)));
        let plain = read(&plain_names, false)?;
        let integers = |name: &str| plain.column_by_name(name).map(|column| column.as_primitive::<Int64Type>().clone());
        let names: Vec<&str> = source.texts.iter().map(String::as_str).collect();
        let coded = read(&names, true)?;
        let dictionary = |column: usize| coded.column(column).as_dictionary::<Int32Type>().clone();
        let mut derived = Vec::new();
        if !source.derived.is_empty()
            && let Some(json) = source.texts.iter().position(|name| name == Text::Properties.name())
        {
            let keys: Vec<&str> = source.derived.iter().map(String::as_str).collect();
            let json = dictionary(json);
            derived = columns_of(&json, json.values().as_string::<i32>(), &keys);
        }
        let ids = stretches(plain.column(1).as_string())?;
        let distinct = coded.columns().iter().map(|column| distinct_bytes(column.as_dictionary()));
        let row_bytes = (distinct.sum::<usize>() + distinct_bytes(&ids)).div_ceil(rows.len().max(1));
        let texts = source.columns.iter().map(|origin| match origin {
            Origin::Absent => None,
            Origin::Read(column) => Some(dictionary(*column)),
            Origin::Derived(column) => derived.get(*column).cloned(),
        });
        let sequences = plain.column(4).as_primitive::<UInt64Type>().clone();
        let event_ids = plain.column_by_name(Text::EventId.name()).map(|column| column.as_string::<i32>().clone());
        let (event_ids, event_id_numbers) = match event_ids {
            Some(whole) if !file.has(EVENT_ID_NUMBER) => split(whole, &sequences),
            stored => (stored, integers(EVENT_ID_NUMBER)),
        };
        Ok(Self {
            first_row: rows.start,
            hashes: plain.column(0).as_primitive::<UInt64Type>().clone(),
            ids,
            times_us: instants_us(plain.column(2)).into_owned(),
            received_us: instants_us(plain.column(3)).into_owned(),
            sequences,
            event_ids,
            event_id_numbers,
            amounts: integers(AMOUNT_MICROS),
            texts: texts.collect(),
            row_bytes,
        })
    }

    pub fn rows(&self) -> usize {
        self.hashes.len()
    }

    pub fn hash(&self, row: usize) -> u64 {
        self.hashes.value(row)
    }

    pub fn id(&self, row: usize) -> &str {
        text(&self.ids, row).unwrap_or_default()
    }

    /// The event id as it is stored.
    pub fn event_id(&self, row: usize) -> Option<EventId<'_>> {
        let text = self.event_ids.as_ref().filter(|texts| texts.is_valid(row))?.value(row);
        Some(EventId { number: self.event_id_number(row), text })
    }

    pub fn event_id_number(&self, row: usize) -> Option<i64> {
        self.event_id_numbers.as_ref().filter(|numbers| numbers.is_valid(row)).map(|numbers| numbers.value(row))
    }

    /// The event id of the event.
    pub fn whole_event_id(&self, row: usize) -> Option<Cow<'_, str>> {
        self.event_id(row).map(|id| id.to_whole(self.sequences.value(row)))
    }

    /// A stored text.
    pub fn text(&self, column: Text, row: usize) -> Option<&str> {
        if column == Text::EventId {
            return self.event_id(row).map(|id| id.text);
        }
        let at = TEXTS.iter().position(|declared| declared.text == column)?;
        text(self.texts[at].as_ref()?, row)
    }

    pub fn content_hash(&self, row: usize) -> Result<u64> {
        let event = event_of(&Parts {
            anonymous_id: self.id(row),
            time_us: self.times_us[row],
            received_us: self.received_us[row],
            micros: self.amounts.as_ref().map_or(0, |amounts| amounts.value(row)),
            sequence: self.sequences.value(row),
            event_id_number: self.event_id_number(row),
            text: |column| self.text(column, row),
        })?;
        Ok(event.content_hash())
    }
}

/// The value of a row of a text column.
fn text(column: &DictionaryArray<Int32Type>, row: usize) -> Option<&str> {
    column.key(row).map(|key| column.values().as_string::<i32>().value(key))
}

fn distinct_bytes(column: &DictionaryArray<Int32Type>) -> usize {
    column.values().as_string::<i32>().value_data().len()
}

/// Visitors' ids with one value for each stretch of rows: a row without an id has that of the row before.
fn stretches(ids: &StringArray) -> Result<DictionaryArray<Int32Type>> {
    let mut values = StringBuilder::new();
    let (mut keys, mut last) = (Vec::with_capacity(ids.len()), None);
    for row in 0..ids.len() {
        if ids.is_valid(row) || last.is_none() {
            let id = ids.value(row);
            if last != Some(id) {
                values.append_value(id);
                last = Some(id);
            }
        }
        keys.push(values.len() as i32 - 1);
    }
    DictionaryArray::try_new(Int32Array::from(keys), Arc::new(values.finish()))
        .map_err(|error| Error::internal("reading the visitors of a segment").caused_by(error))
}

/// Takes the numbers out of event ids of a format that kept them whole.
fn split(whole: StringArray, sequences: &UInt64Array) -> (Option<StringArray>, Option<Int64Array>) {
    let id = |row: usize| whole.is_valid(row).then(|| EventId::split(whole.value(row), sequences.value(row)));
    if !(0..whole.len()).any(|row| id(row).is_some_and(|id| id.number.is_some())) {
        return (Some(whole), None);
    }
    let mut texts = StringBuilder::with_capacity(whole.len(), whole.value_data().len());
    let mut numbers = Int64Builder::with_capacity(whole.len());
    for row in 0..whole.len() {
        let id = id(row);
        texts.append_option(id.map(|id| id.text));
        numbers.append_option(id.and_then(|id| id.number));
    }
    (Some(texts.finish()), Some(numbers.finish()))
}
