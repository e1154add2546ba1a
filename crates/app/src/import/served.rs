//! Rows handed to the server that owns the data folder, over its operator socket.

use std::sync::Arc;

use tributary_core::error::{Error, Result};
use tributary_http::admin::{ImportRowsBody, RowFate};
use tributary_ingest::imported::{ImportedRow, Restored};

use crate::operator::{Operator, segment};

/// Rows of one request at most.
const ROWS_AT_ONCE: usize = 1_000;
/// Text of one request's rows at most, bytes, estimated by their longest fields.
const BYTES_AT_ONCE: usize = 8 << 20;

/// A workspace of the server that owns the data folder.
#[derive(Clone)]
pub struct Served {
    /// The way to the server.
    pub operator: Arc<Operator>,
    /// Workspace by slug, UUID or numeric id.
    pub workspace: String,
    /// Host of the site the rows are from, where known.
    pub site_host: Option<String>,
}

impl Served {
    /// Sends rows.
    pub async fn send(&self, rows: Vec<ImportedRow>) -> Result<Vec<RowFate>> {
        let mut fates = Vec::with_capacity(rows.len());
        let mut chunk = Vec::new();
        let mut bytes = 0;
        for mut row in rows {
            // The draft's instant has no place in JSON; the row's has.
            row.restored = Restored { time_us: row.draft.time_us, ..row.restored };
            bytes += weight(&row);
            chunk.push(row);
            if chunk.len() == ROWS_AT_ONCE || bytes >= BYTES_AT_ONCE {
                fates.extend(self.send_chunk(std::mem::take(&mut chunk)).await?);
                bytes = 0;
            }
        }
        if !chunk.is_empty() {
            fates.extend(self.send_chunk(chunk).await?);
        }
        Ok(fates)
    }

    async fn send_chunk(&self, rows: Vec<ImportedRow>) -> Result<Vec<RowFate>> {
        let count = rows.len();
        let body = ImportRowsBody { site_host: self.site_host.clone(), rows };
        let fates: Vec<RowFate> = self.operator.post(&format!("/import/{}", segment(&self.workspace)), &body).await?;
        if fates.len() != count {
            return Err(Error::internal("the server told the fate of another number of rows than it was sent"));
        }
        Ok(fates)
    }
}

fn weight(row: &ImportedRow) -> usize {
    let text = |value: &Option<String>| value.as_ref().map_or(0, String::len);
    let properties =
        row.draft.properties.as_ref().map_or(0, |map| map.values().map(|value| value.as_str().map_or(16, str::len)).sum());
    text(&row.draft.url) + text(&row.draft.referrer) + text(&row.draft.path) + properties
}
