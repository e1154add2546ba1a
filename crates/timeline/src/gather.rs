//! Rows of several batches gathered into the columns of one.

use arrow_array::builder::{Int64Builder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{
    Array, ArrayRef, DictionaryArray, Int32Array, Int64Array, RecordBatch, StringArray, UInt64Array, new_null_array,
};
use arrow_buffer::{NullBufferBuilder, ScalarBuffer};
use arrow_schema::{ArrowError, DataType};
use std::collections::HashMap;
use std::sync::Arc;

use tributary_core::error::{Error, Result};

use crate::catalogue::Bounds;
use crate::encode::{Layout, as_held, instants};
use crate::merge::Batch;
use crate::schema::{TEXTS, Text, dictionary_type};
use crate::stored::Hashes;

/// A row group ready to be written.
pub(crate) struct Gathered {
    pub batch: RecordBatch,
    pub bounds: Bounds,
    /// Of the rows with an event id.
    pub keys: Vec<u128>,
    /// Bytes of text in the rows.
    pub text_bytes: usize,
}

/// Gathers rows, each given by its batch and its place there.
pub(crate) fn gather(batches: &[Arc<Batch>], order: &[(u32, u32)], layout: &Layout, hashes: &Hashes) -> Result<Gathered> {
    let rows = || order.iter().map(|(batch, row)| (&batches[*batch as usize], *row as usize));
    let times = || rows().map(|(batch, row)| batch.times_us[row]);
    let arrivals = || rows().map(|(batch, row)| batch.received_us[row]);
    let sequences = || rows().map(|(batch, row)| batch.sequences.value(row));
    let bounds = Bounds {
        rows: order.len() as u64,
        first_us: times().min().unwrap_or(i64::MAX),
        last_us: times().max().unwrap_or(i64::MIN),
        first_sequence: sequences().min().unwrap_or(u64::MAX),
        last_sequence: sequences().max().unwrap_or_default(),
        last_received_us: arrivals().max().unwrap_or(i64::MIN),
    };
    let mut text_bytes = 0;
    let failed = |error| Error::internal("gathering the columns of a segment").caused_by(error);
    let mut coded = |columns: Vec<Option<&DictionaryArray<Int32Type>>>| -> Result<ArrayRef> {
        let (column, bytes) = dictionary(&columns, order).map_err(failed)?;
        text_bytes += bytes;
        Ok(column)
    };
    let integers = |of: fn(&Batch) -> &Option<Int64Array>| integers(batches, order, of);
    let mut columns: Vec<ArrayRef> = vec![
        Arc::new(UInt64Array::from_iter_values(rows().map(|(batch, row)| batch.hash(row)))),
        visitors(batches, order),
        instants(layout.time, times()),
        instants(layout.received, arrivals()),
        Arc::new(UInt64Array::from_iter_values(sequences())),
        integers(|batch| &batch.amounts),
        integers(|batch| &batch.event_id_numbers),
    ];
    let (mut keys, mut buffer) = (Vec::new(), String::new());
    for at in 0..TEXTS.len() + layout.properties.len() {
        columns.push(if TEXTS.get(at).is_some_and(|column| column.text == Text::EventId) {
            event_ids(batches, order)
        } else {
            coded(batches.iter().map(|batch| batch.texts[at].as_ref()).collect())?
        });
    }
    for (batch, row) in rows() {
        text_bytes += batch.id(row).len();
        if let Some(id) = batch.event_id(row) {
            let id = id.whole(batch.sequences.value(row), &mut buffer);
            text_bytes += id.len();
            keys.push(hashes.event_key(batch.text(Text::Origin, row).unwrap_or_default(), id));
        }
    }
    let batch = RecordBatch::try_new(as_held(&layout.schema(), &columns), columns).map_err(failed)?;
    Ok(Gathered { batch, bounds, keys, text_bytes })
}

/// Most ids differ from row to row: a dictionary would only be in the way.
fn event_ids(batches: &[Arc<Batch>], order: &[(u32, u32)]) -> ArrayRef {
    if batches.iter().all(|batch| batch.event_ids.is_none()) {
        return new_null_array(&DataType::Utf8, order.len());
    }
    let mut ids = StringBuilder::with_capacity(order.len(), order.len() * 16);
    for (batch, row) in order {
        ids.append_option(batches[*batch as usize].event_id(*row as usize).map(|id| id.text));
    }
    Arc::new(ids.finish())
}

/// Visitors' ids where they begin.
fn visitors(batches: &[Arc<Batch>], order: &[(u32, u32)]) -> ArrayRef {
    let mut ids = StringBuilder::new();
    let mut last = None;
    for (batch, row) in order {
        let batch = &batches[*batch as usize];
        let visitor = Some((batch.hash(*row as usize), batch.id(*row as usize)));
        ids.append_option(visitor.filter(|_| visitor != last).map(|(_, id)| id));
        last = visitor;
    }
    Arc::new(ids.finish())
}

fn integers(batches: &[Arc<Batch>], order: &[(u32, u32)], of: impl Fn(&Batch) -> &Option<Int64Array>) -> ArrayRef {
    if batches.iter().all(|batch| of(batch).is_none()) {
        return new_null_array(&DataType::Int64, order.len());
    }
    let mut integers = Int64Builder::with_capacity(order.len());
    for (batch, row) in order {
        let column = of(&batches[*batch as usize]).as_ref();
        integers.append_option(column.filter(|column| column.is_valid(*row as usize)).map(|column| column.value(*row as usize)));
    }
    Arc::new(integers.finish())
}

/// One column with one dictionary out of several with their own, and the bytes of its text. Each distinct text of a batch is
/// looked up once.
fn dictionary(columns: &[Option<&DictionaryArray<Int32Type>>], order: &[(u32, u32)]) -> Result<(ArrayRef, usize), ArrowError> {
    if columns.iter().all(|column| column.is_none_or(|column| column.null_count() == column.len())) {
        return Ok((new_null_array(&dictionary_type(), order.len()), 0));
    }
    const UNKNOWN: i32 = -1;
    struct Part<'a> {
        column: &'a DictionaryArray<Int32Type>,
        values: &'a StringArray,
        codes: Vec<i32>,
    }
    let mut parts: Vec<Option<Part<'_>>> = columns
        .iter()
        .map(|column| {
            column.map(|column| {
                let values = column.values().as_string::<i32>();
                Part { column, values, codes: vec![UNKNOWN; values.len()] }
            })
        })
        .collect();
    let mut known: HashMap<&str, i32> = HashMap::new();
    let mut values: Vec<&str> = Vec::new();
    let mut codes = Vec::with_capacity(order.len());
    let mut nulls = NullBufferBuilder::new(order.len());
    let mut bytes = 0;
    for (batch, row) in order {
        let code = parts[*batch as usize].as_mut().and_then(|part| {
            let key = part.column.key(*row as usize)?;
            let code = &mut part.codes[key];
            if *code == UNKNOWN {
                let value = part.values.value(key);
                *code = *known.entry(value).or_insert_with(|| {
                    values.push(value);
                    values.len() as i32 - 1
                });
            }
            Some(*code)
        });
        match code {
            Some(code) => {
                bytes += values[code as usize].len();
                codes.push(code);
                nulls.append_non_null();
            }
            None => {
                codes.push(0);
                nulls.append_null();
            }
        }
    }
    let codes = Int32Array::try_new(ScalarBuffer::from(codes), nulls.finish())?;
    if i32::try_from(values.iter().map(|value| value.len()).sum::<usize>()).is_err() {
        return Err(ArrowError::OffsetOverflowError(values.len()));
    }
    let column = DictionaryArray::try_new(codes, Arc::new(StringArray::from_iter_values(values)))?;
    Ok((Arc::new(column), bytes))
}
