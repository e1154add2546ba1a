//! Apache Parquet.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, BooleanArray, PrimitiveArray, RecordBatch, StringArray};
use arrow_schema::{DataType, Schema, TimeUnit};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use siphasher::sip::SipHasher13;
use std::fs::File;
use std::hash::Hasher;
use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tributary_core::error::{Code, Error, Result};
use tributary_core::time::DAY_US;

use crate::import::cell::{Cell, Column, Row};
use crate::import::plan::Plan;
use crate::import::read::open::cannot_read;
use crate::import::read::{BATCH_ROWS, Batch, Raw, Reading, Rows, row_id};

/// The largest footer read to tell files apart, bytes.
const MAX_FOOTER_BYTES: u64 = 64 << 20;

/// Reads the file.
pub fn read(reading: &Reading, emit: &mut dyn FnMut(Batch) -> Result<()>) -> Result<()> {
    let broken = |what: String| Error::new(Code::InvalidParams, format!("{}: {what}", reading.path.display()));
    let mut file = File::open(&reading.path).map_err(|error| cannot_read(&reading.path).caused_by(error))?;
    let size = file.metadata().map_err(|error| cannot_read(&reading.path).caused_by(error))?.len();
    let identity = identity(&mut file, size).map_err(|error| cannot_read(&reading.path).caused_by(error))?;
    // The types of the file format itself; what the writer's library called them in memory does not matter.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)
        .map_err(|error| broken(format!("not a readable Parquet file: {error}")))?;
    let schema: Arc<Schema> = builder.schema().clone();
    let header: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
    let plan = Plan::for_header(&reading.mapping, &header, &reading.around)?;
    let places = plan.places();
    let total_rows = builder.metadata().file_metadata().num_rows().max(1) as u64;
    let mask = ProjectionMask::roots(builder.parquet_schema(), places.iter().copied());
    let reader = builder
        .with_projection(mask)
        .with_batch_size(BATCH_ROWS)
        .build()
        .map_err(|error| broken(format!("not a readable Parquet file: {error}")))?;
    let mut number = 0_u64;
    for batch in reader {
        let batch = batch.map_err(|error| broken(format!("row {}: {error}", number + 1)))?;
        let table = Table::new(&batch, &places, &header).map_err(broken)?;
        let mut rows = Rows::default();
        for index in 0..batch.num_rows() {
            number += 1;
            rows.push(number, plan.draft(&table.row(index), || row_id(number, identity)));
        }
        // Rows stand in for bytes: which of them a batch took from disk, the reader does not say.
        reading
            .consumed
            .store((number.min(total_rows) as u128 * u128::from(size) / u128::from(total_rows)) as u64, Ordering::Relaxed);
        emit(Batch::new(rows, Raw::Table(table)))?;
    }
    Ok(())
}

/// A hash of the footer: it holds sizes, offsets and statistics of every column chunk, so it tells files apart by content.
fn identity(file: &mut File, size: u64) -> std::io::Result<u64> {
    let mut tail = [0; 8];
    file.seek(SeekFrom::Start(size.saturating_sub(8)))?;
    file.read_exact(&mut tail)?;
    let length =
        u64::from(u32::from_le_bytes([tail[0], tail[1], tail[2], tail[3]])).min(MAX_FOOTER_BYTES).min(size.saturating_sub(8));
    file.seek(SeekFrom::Start(size - 8 - length))?;
    let mut footer = Vec::new();
    file.take(length).read_to_end(&mut footer)?;
    file.seek(SeekFrom::Start(0))?;
    let mut hasher = SipHasher13::new();
    hasher.write(&footer);
    Ok(hasher.finish())
}

/// The columns of one batch that are read, by their place in the file.
pub struct Table {
    names: Vec<String>,
    columns: Vec<Option<Values>>,
}

enum Values {
    Text(StringArray),
    Bool(BooleanArray),
    Signed(Vec<Option<i64>>),
    Unsigned(Vec<Option<u64>>),
    Float(Vec<Option<f64>>),
    Instant(Vec<Option<i64>>),
    Decimal(PrimitiveArray<Decimal128Type>, i8),
}

impl Table {
    fn new(batch: &RecordBatch, places: &[usize], header: &[String]) -> Result<Table, String> {
        let mut columns: Vec<Option<Values>> = header.iter().map(|_| None).collect();
        for (array, place) in batch.columns().iter().zip(places) {
            columns[*place] = Some(Values::of(array).ok_or_else(|| {
                format!(
                    "column `{}` has type {}; accepted: text, numbers, booleans, dates and timestamps (or list it under `ignore`)",
                    header[*place],
                    array.data_type()
                )
            })?);
        }
        Ok(Table { names: header.to_vec(), columns })
    }

    /// One row.
    pub fn row(&self, index: usize) -> TableRow<'_> {
        TableRow { table: self, index }
    }
}

/// One row of a [`Table`].
pub struct TableRow<'a> {
    table: &'a Table,
    index: usize,
}

impl Row for TableRow<'_> {
    fn cell(&self, column: &Column) -> Cell<'_> {
        self.table.columns.get(column.index).and_then(Option::as_ref).map_or(Cell::Absent, |values| values.cell(self.index))
    }

    fn each(&self, visit: &mut dyn FnMut(&str, Cell<'_>)) {
        for (name, values) in self.table.names.iter().zip(&self.table.columns) {
            if let Some(values) = values {
                visit(name, values.cell(self.index));
            }
        }
    }
}

impl Values {
    fn of(array: &ArrayRef) -> Option<Values> {
        let micros = |values: Vec<Option<i64>>, scale: fn(i64) -> i64| {
            Values::Instant(values.into_iter().map(|value| value.map(scale)).collect())
        };
        Some(match array.data_type() {
            DataType::Utf8 => Values::Text(array.as_string::<i32>().clone()),
            DataType::Boolean => Values::Bool(array.as_boolean().clone()),
            DataType::Int8 => Values::Signed(list::<Int8Type, _>(array)),
            DataType::Int16 => Values::Signed(list::<Int16Type, _>(array)),
            DataType::Int32 => Values::Signed(list::<Int32Type, _>(array)),
            DataType::Int64 => Values::Signed(list::<Int64Type, _>(array)),
            DataType::UInt8 => Values::Unsigned(list::<UInt8Type, _>(array)),
            DataType::UInt16 => Values::Unsigned(list::<UInt16Type, _>(array)),
            DataType::UInt32 => Values::Unsigned(list::<UInt32Type, _>(array)),
            DataType::UInt64 => Values::Unsigned(list::<UInt64Type, _>(array)),
            // The shortest decimal that reads back as the same 32 bits, not the longer one of its 64-bit neighbour.
            DataType::Float32 => Values::Float(
                list::<Float32Type, f32>(array)
                    .into_iter()
                    .map(|value| value.map(|value| value.to_string().parse().unwrap_or(f64::from(value))))
                    .collect(),
            ),
            DataType::Float64 => Values::Float(list::<Float64Type, _>(array)),
            DataType::Decimal128(_, scale) if (0..=18).contains(scale) => {
                Values::Decimal(array.as_primitive::<Decimal128Type>().clone(), *scale)
            }
            DataType::Date32 => micros(list::<Date32Type, _>(array), |days| days.saturating_mul(DAY_US)),
            DataType::Timestamp(TimeUnit::Millisecond, _) => {
                micros(list::<TimestampMillisecondType, _>(array), |millis| millis.saturating_mul(1_000))
            }
            DataType::Timestamp(TimeUnit::Microsecond, _) => micros(list::<TimestampMicrosecondType, _>(array), |micros| micros),
            DataType::Timestamp(TimeUnit::Nanosecond, _) => {
                micros(list::<TimestampNanosecondType, _>(array), |nanos| nanos.div_euclid(1_000))
            }
            _ => return None,
        })
    }

    fn cell(&self, index: usize) -> Cell<'_> {
        match self {
            Values::Text(array) if array.is_null(index) => Cell::Absent,
            Values::Text(array) => Cell::text(array.value(index)),
            Values::Bool(array) if array.is_null(index) => Cell::Absent,
            Values::Bool(array) => Cell::Bool(array.value(index)),
            Values::Signed(values) => values[index].map_or(Cell::Absent, Cell::Integer),
            Values::Unsigned(values) => values[index].map_or(Cell::Absent, Cell::Unsigned),
            Values::Float(values) => values[index].filter(|value| value.is_finite()).map_or(Cell::Absent, Cell::Float),
            Values::Instant(values) => values[index].map_or(Cell::Absent, Cell::Instant),
            Values::Decimal(array, _) if array.is_null(index) => Cell::Absent,
            Values::Decimal(array, scale) => Cell::Decimal(decimal(array.value(index), scale.unsigned_abs() as usize)),
        }
    }
}

fn list<T: ArrowPrimitiveType, N: From<T::Native>>(array: &ArrayRef) -> Vec<Option<N>> {
    array.as_primitive::<T>().iter().map(|value| value.map(N::from)).collect()
}

fn decimal(unscaled: i128, scale: usize) -> String {
    let sign = if unscaled < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_keep_their_digits() {
        assert_eq!(decimal(12_345, 2), "123.45");
        assert_eq!(decimal(-5, 2), "-0.05");
        assert_eq!(decimal(7, 0), "7");
    }
}
