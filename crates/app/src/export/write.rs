//! Events to bytes in one of three formats.

use arrow_array::builder::{Decimal128Builder, StringBuilder, TimestampMicrosecondBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use std::io::Write;
use std::sync::Arc;

use tributary_core::error::{Error, Result};
use tributary_core::event::Event;

use crate::export::columns::{COLUMNS, Kind, as_json, as_text};

/// A format of exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ExportFormat {
    /// One JSON object per line.
    Ndjson,
    /// Comma separated values with a header line.
    Csv,
    /// Apache Parquet, zstd compressed.
    Parquet,
}

/// Digits of an amount, six of them decimals.
const AMOUNT_PRECISION: u8 = 19;
const AMOUNT_SCALE: i8 = 6;
/// Rows of a Parquet row group.
const ROW_GROUP_ROWS: usize = 250_000;

/// Writes events in a format.
pub enum Writer {
    /// One JSON object per line.
    Ndjson(Sink),
    /// Comma separated values.
    Csv(Box<csv::Writer<Sink>>),
    /// Apache Parquet.
    Parquet(Box<ArrowWriter<Sink>>),
}

/// Where bytes go.
pub type Sink = Box<dyn Write + Send>;

impl Writer {
    /// Begins to write.
    pub fn begin(format: ExportFormat, sink: Sink) -> Result<Writer> {
        Ok(match format {
            ExportFormat::Ndjson => Writer::Ndjson(sink),
            ExportFormat::Csv => {
                let mut writer = csv::Writer::from_writer(sink);
                writer.write_record(COLUMNS.iter().map(|column| column.name)).map_err(failed)?;
                Writer::Csv(Box::new(writer))
            }
            ExportFormat::Parquet => {
                let properties = WriterProperties::builder()
                    .set_compression(Compression::ZSTD(ZstdLevel::default()))
                    .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
                    .build();
                Writer::Parquet(Box::new(ArrowWriter::try_new(sink, schema(), Some(properties)).map_err(failed)?))
            }
        })
    }

    /// Writes events.
    pub fn write(&mut self, events: &[Event]) -> Result<()> {
        match self {
            Writer::Ndjson(sink) => {
                for event in events {
                    writeln!(sink, "{}", as_json(event)).map_err(failed)?;
                }
            }
            Writer::Csv(writer) => {
                for event in events {
                    writer.write_record(COLUMNS.iter().map(|column| as_text(column, event).into_owned())).map_err(failed)?;
                }
            }
            Writer::Parquet(writer) => writer.write(&batch(events)?).map_err(failed)?,
        }
        Ok(())
    }

    /// Writes what is left and ends the file.
    pub fn finish(self) -> Result<()> {
        match self {
            Writer::Ndjson(mut sink) => sink.flush().map_err(failed),
            Writer::Csv(mut writer) => writer.flush().map_err(failed),
            Writer::Parquet(writer) => writer.into_inner().map_err(failed)?.flush().map_err(failed),
        }
    }
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::internal("the export cannot be written").caused_by(error)
}

fn schema() -> Arc<Schema> {
    let field = |column: &crate::export::columns::ExportColumn| {
        let (kind, is_nullable) = match column.kind {
            Kind::Text(_) | Kind::Json(_) => (DataType::Utf8, true),
            Kind::Instant(_) => (DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), false),
            Kind::Micros(_) => (DataType::Decimal128(AMOUNT_PRECISION, AMOUNT_SCALE), true),
        };
        Field::new(column.name, kind, is_nullable)
    };
    Arc::new(Schema::new(COLUMNS.iter().map(field).collect::<Vec<_>>()))
}

fn batch(events: &[Event]) -> Result<RecordBatch> {
    let column = |kind: Kind| -> Result<ArrayRef> {
        Ok(match kind {
            Kind::Text(read) => {
                let mut builder = StringBuilder::new();
                events.iter().for_each(|event| builder.append_option(read(event)));
                Arc::new(builder.finish())
            }
            Kind::Json(read) => {
                let mut builder = StringBuilder::new();
                events.iter().for_each(|event| builder.append_option(read(event)));
                Arc::new(builder.finish())
            }
            Kind::Instant(read) => {
                let mut builder = TimestampMicrosecondBuilder::with_capacity(events.len()).with_timezone("UTC");
                events.iter().for_each(|event| builder.append_value(read(event)));
                Arc::new(builder.finish())
            }
            Kind::Micros(read) => {
                let mut builder = Decimal128Builder::with_capacity(events.len())
                    .with_precision_and_scale(AMOUNT_PRECISION, AMOUNT_SCALE)
                    .map_err(failed)?;
                events.iter().for_each(|event| builder.append_option(read(event).map(i128::from)));
                Arc::new(builder.finish())
            }
        })
    };
    let arrays = COLUMNS.iter().map(|one| column(one.kind)).collect::<Result<Vec<_>>>()?;
    RecordBatch::try_new(schema(), arrays).map_err(failed)
}
