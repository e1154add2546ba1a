//! Rows on their way into a segment's columns.

use arrow_array::builder::{Int64Builder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch, TimestampMicrosecondArray, TimestampMillisecondArray, UInt64Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use std::ops::Range;
use std::sync::Arc;

use tributary_core::error::{Error, Result};

use crate::event_id::EventId;
use crate::properties::{Extracted, PROPERTY};
use crate::schema::{AMOUNT_MICROS, ANONYMOUS_ID, EVENT_ID_NUMBER, RECEIVED, SEQUENCE, TEXTS, TIME, VISITOR_HASH};
use crate::sorted::Sorted;
use crate::stored::Stored;

/// Microseconds of a millisecond.
pub(crate) const MILLISECOND_US: i64 = 1_000;

/// What differs from file to file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub time: TimeUnit,
    pub received: TimeUnit,
    /// Keys of `properties` that are columns too.
    pub properties: Vec<String>,
}

impl Layout {
    /// The schema of the file. Batches may hold text as codes with a dictionary; the file is the same either way.
    pub fn schema(&self) -> SchemaRef {
        let instant = |unit: TimeUnit| DataType::Timestamp(unit, Some("UTC".into()));
        let mut fields = vec![
            Field::new(VISITOR_HASH, DataType::UInt64, false),
            Field::new(ANONYMOUS_ID, DataType::Utf8, true),
            Field::new(TIME, instant(self.time), false),
            Field::new(RECEIVED, instant(self.received), false),
            Field::new(SEQUENCE, DataType::UInt64, false),
            Field::new(AMOUNT_MICROS, DataType::Int64, true),
            Field::new(EVENT_ID_NUMBER, DataType::Int64, true),
        ];
        fields.extend(TEXTS.iter().map(|column| Field::new(column.name, DataType::Utf8, !column.required)));
        fields.extend(self.properties.iter().map(|key| Field::new(format!("{PROPERTY}{key}"), DataType::Utf8, true)));
        Arc::new(Schema::new(fields))
    }
}

/// The coarsest unit that holds the instants exactly.
pub(crate) fn unit_of(instants_us: impl IntoIterator<Item = i64>) -> TimeUnit {
    let mut instants = instants_us.into_iter();
    if instants.all(|instant| instant % MILLISECOND_US == 0) { TimeUnit::Millisecond } else { TimeUnit::Microsecond }
}

/// Instants as a column of a unit that holds them exactly.
pub(crate) fn instants(unit: TimeUnit, instants_us: impl Iterator<Item = i64>) -> ArrayRef {
    match unit {
        TimeUnit::Millisecond => {
            let ticks = TimestampMillisecondArray::from_iter_values(instants_us.map(|instant| instant / MILLISECOND_US));
            Arc::new(ticks.with_timezone("UTC"))
        }
        _ => Arc::new(TimestampMicrosecondArray::from_iter_values(instants_us).with_timezone("UTC")),
    }
}

/// Rows of a file with what was worked out about all of them.
pub(crate) struct Rows<'a> {
    pub rows: &'a [&'a Stored],
    pub layout: Layout,
    pub schema: SchemaRef,
    sorted: &'a Sorted<'a>,
    /// Where among the sorted rows these begin.
    first: usize,
    places: &'a [u32],
    properties: Extracted<'a>,
}

impl<'a> Rows<'a> {
    /// The rows of a range of sorted ones.
    pub fn new(sorted: &'a Sorted<'a>, range: Range<usize>) -> Self {
        let first = range.start;
        let (rows, places) = (&sorted.rows[range.clone()], &sorted.places[range]);
        let mut properties = Extracted::of(sorted.properties(), places);
        let layout = Layout {
            time: unit_of(rows.iter().map(|row| row.event.time_us)),
            received: unit_of(rows.iter().map(|row| row.event.received_us)),
            properties: std::mem::take(&mut properties.keys),
        };
        Self { rows, schema: layout.schema(), layout, sorted, first, places, properties }
    }

    /// Whether a row, not the first one, is the first of its visitor.
    pub fn begins_visitor(&self, row: usize) -> bool {
        self.sorted.begins_visitor(self.first + row)
    }

    /// Some of the rows of the row group that begins with row `group` as a batch.
    pub fn encode(&self, group: usize, range: Range<usize>) -> Result<RecordBatch> {
        let failed = |error| Error::internal("building the columns of a segment").caused_by(error);
        let (rows, places) = (&self.rows[range.clone()], &self.places[range.clone()]);
        let integers =
            |of: fn(&Stored) -> u64| -> ArrayRef { Arc::new(UInt64Array::from_iter_values(rows.iter().map(|row| of(row)))) };
        let mut amounts = Int64Builder::with_capacity(rows.len());
        for row in rows {
            amounts.append_option(row.event.amount.map(|amount| amount.micros));
        }
        let visitors = range.clone().map(|row| {
            let stands_here = row == group || self.begins_visitor(row);
            stands_here.then(|| self.rows[row].event.anonymous_id.as_str())
        });
        let (mut numbers, mut ids) = (Int64Builder::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
        for row in rows {
            let id = row.event.event_id.as_deref().map(|id| EventId::split(id, row.sequence));
            numbers.append_option(id.and_then(|id| id.number));
            ids.push(id.map(|id| id.text));
        }
        let mut columns: Vec<ArrayRef> = vec![
            integers(|row| row.visitor_hash),
            texts(rows.len(), visitors),
            instants(self.layout.time, rows.iter().map(|row| row.event.time_us)),
            instants(self.layout.received, rows.iter().map(|row| row.event.received_us)),
            integers(|row| row.sequence),
            Arc::new(amounts.finish()),
            Arc::new(numbers.finish()),
        ];
        for coded in &self.sorted.texts {
            columns.push(match coded {
                Some(coded) => coded.array(places).map_err(failed)?,
                None => texts(rows.len(), ids.iter().copied()),
            });
        }
        for coded in &self.properties.columns {
            columns.push(coded.array(places).map_err(failed)?);
        }
        RecordBatch::try_new(as_held(&self.schema, &columns), columns).map_err(failed)
    }
}

fn texts<'t>(rows: usize, values: impl Iterator<Item = Option<&'t str>>) -> ArrayRef {
    let mut builder = StringBuilder::with_capacity(rows, rows * 8);
    values.for_each(|value| builder.append_option(value));
    Arc::new(builder.finish())
}

/// The schema of a batch: texts may be codes with a dictionary.
pub(crate) fn as_held(schema: &Schema, columns: &[ArrayRef]) -> SchemaRef {
    let fields = schema.fields().iter().zip(columns);
    let fields = fields.map(|(field, column)| field.as_ref().clone().with_data_type(column.data_type().clone()));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}
