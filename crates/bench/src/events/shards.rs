//! The same events again as other visitors: 100 million out of one file of 20 million.

use arrow_array::cast::AsArray;
use arrow_array::types::UInt64Type;
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use super::read_columns;
use crate::failure::{Failure, Result};

/// What the visitor ids of a shard end with; the only shard of a plain run has none.
pub fn suffixes(shards: u32) -> Vec<String> {
    if shards <= 1 { vec![String::new()] } else { (0..shards).map(|shard| format!("-{shard}")).collect() }
}

/// Writes a copy of an event file with another ending on every visitor id, which becomes text.
pub fn write(from: &Path, suffix: &str, into: &Path) -> Result<()> {
    let reader = read_columns(from, &[])?;
    let fields: Vec<Field> =
        arrow_array::RecordBatchReader::schema(&reader)
            .fields()
            .iter()
            .map(|field| {
                if field.name() == "visitor_id" {
                    Field::new("visitor_id", DataType::Utf8, false)
                } else {
                    field.as_ref().clone()
                }
            })
            .collect();
    let schema = Arc::new(Schema::new(fields));
    let at = schema.index_of("visitor_id").map_err(|_| Failure::new(format!("{} has no column `visitor_id`", from.display())))?;
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?)).build();
    let file = File::create(into).map_err(|error| Failure::at("writing", into, error))?;
    let mut writer = ArrowWriter::try_new(file, schema.clone(), Some(properties))?;
    for batch in reader {
        let batch = batch?;
        let ids = batch.column(at).as_primitive_opt::<UInt64Type>();
        let ids = ids.ok_or_else(|| Failure::new("`visitor_id` is no column of unsigned 64-bit integers"))?;
        let named: ArrayRef = Arc::new(StringArray::from_iter_values(ids.values().iter().map(|id| format!("{id}{suffix}"))));
        let mut columns = batch.columns().to_vec();
        columns[at] = named;
        writer.write(&RecordBatch::try_new(schema.clone(), columns)?)?;
    }
    writer.close()?;
    Ok(())
}
