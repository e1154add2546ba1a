//! Rows handed to the server that owns the data folder, over its operator socket.

use std::sync::Arc;

use tributary_core::error::{Error, Result};
use tributary_ingest::imported::ImportedRow;
use tributary_service::import::{ImportInput, RowFate};

use crate::import::chunk::chunks;
use crate::operator::{Operator, segment};

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
        for chunk in chunks(rows) {
            fates.extend(self.send_chunk(chunk).await?);
        }
        Ok(fates)
    }

    async fn send_chunk(&self, rows: Vec<ImportedRow>) -> Result<Vec<RowFate>> {
        let count = rows.len();
        let body = ImportInput { site_host: self.site_host.clone(), rows };
        let fates: Vec<RowFate> = self.operator.post(&format!("/import/{}", segment(&self.workspace)), &body).await?;
        if fates.len() != count {
            return Err(Error::internal("the server told the fate of another number of rows than it was sent"));
        }
        Ok(fates)
    }
}
