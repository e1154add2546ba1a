//! Rows handed to the server that owns the data folder, over its operator socket.

use axum::body::Bytes;
use std::sync::Arc;

use tributary_core::error::{Error, Result};
use tributary_ingest::imported::ImportedRow;
use tributary_service::import::{ImportInput, RowFate};

use crate::import::chunk::chunks;
use crate::import::read::BATCH_ROWS;
use crate::operator::{Operator, json, segment};

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

/// One request, ready to be sent.
pub struct Request {
    rows: usize,
    body: Bytes,
}

impl Served {
    /// Rows as requests: the heavy part on this side, done while the server is at the rows before.
    pub fn requests(&self, rows: Vec<ImportedRow>) -> Result<Vec<Request>> {
        let request = |rows: Vec<ImportedRow>| {
            let count = rows.len();
            let body = json(&ImportInput { site_host: self.site_host.clone(), rows })?;
            Ok(Request { rows: count, body })
        };
        // A commit costs the same for a thousand rows and for eight: the socket's bound is one of bytes.
        chunks(rows, BATCH_ROWS).into_iter().map(request).collect()
    }

    /// Sends rows in order.
    pub async fn send(&self, requests: Vec<Request>) -> Result<Vec<RowFate>> {
        let mut fates = Vec::new();
        for Request { rows, body } in requests {
            let told: Vec<RowFate> = self.operator.post_json(&format!("/import/{}", segment(&self.workspace)), body).await?;
            if told.len() != rows {
                return Err(Error::internal("the server told the fate of another number of rows than it was sent"));
            }
            fates.extend(told);
        }
        Ok(fates)
    }
}
