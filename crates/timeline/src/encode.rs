//! Rows on their way into a segment's columns.

use arrow_array::builder::{Int64Builder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch, TimestampMicrosecondArray, TimestampMillisecondArray, UInt64Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use std::ops::Range;
use std::sync::Arc;

use tributary_core::error::{Error, Result};

use crate::event_id::EventId;
use crate::properties::{Extracted, PROPERTY};
use crate::schema::{AMOUNT_MICROS, ANONYMOUS_ID, EVENT_ID_NUMBER, RECEIVED, SEQUENCE, TEXTS, TIME, Text, VISITOR_HASH};
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
    pub rows: &'a [Arc<Stored>],
    pub layout: Layout,
    pub schema: SchemaRef,
    properties: Extracted,
}

impl<'a> Rows<'a> {
    pub fn new(rows: &'a [Arc<Stored>]) -> Self {
        let mut properties = Extracted::of(rows.iter().map(|row| row.event.properties.as_deref()));
        let layout = Layout {
            time: unit_of(rows.iter().map(|row| row.event.time_us)),
            received: unit_of(rows.iter().map(|row| row.event.received_us)),
            properties: std::mem::take(&mut properties.keys),
        };
        Self { rows, schema: layout.schema(), layout, properties }
    }

    /// Whether a row, not the first one, is the first of its visitor.
    pub fn begins_visitor(&self, row: usize) -> bool {
        let (before, row) = (&self.rows[row - 1], &self.rows[row]);
        before.visitor_hash != row.visitor_hash || before.event.anonymous_id != row.event.anonymous_id
    }

    /// Some of the rows of the row group that begins with row `group` as a batch.
    pub fn encode(&self, group: usize, range: Range<usize>) -> Result<RecordBatch> {
        let rows = &self.rows[range.clone()];
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
        columns.extend(TEXTS.iter().map(|column| match column.text {
            Text::EventId => texts(rows.len(), ids.iter().copied()),
            _ => texts(rows.len(), rows.iter().map(|row| (column.of)(&row.event))),
        }));
        columns.extend(
            (0..self.layout.properties.len())
                .map(|key| texts(rows.len(), range.clone().map(|row| self.properties.value(key, row)))),
        );
        RecordBatch::try_new(self.schema.clone(), columns)
            .map_err(|error| Error::internal("building the columns of a segment").caused_by(error))
    }
}

fn texts<'t>(rows: usize, values: impl Iterator<Item = Option<&'t str>>) -> ArrayRef {
    let mut builder = StringBuilder::with_capacity(rows, rows * 8);
    values.for_each(|value| builder.append_option(value));
    Arc::new(builder.finish())
}
