//! Exports: many rows as one file, written in the background and fetched by a link that is good for a quarter of an hour.

mod definition;
mod write;

pub mod run;

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;
use tributary_boxed::boxed;
use tributary_control::{Export, ExportKind, ExportStatus, WorkspaceAccess};
use tributary_core::error::{Error, Result};
use tributary_core::ids::{ExportId, WorkspaceId};
use tributary_core::time::{SECOND_US, format_utc};

use self::definition::Definition;
use crate::service::Service;

/// Largest body of a request for an export, bytes.
pub const MAX_EXPORT_BODY: usize = 256 * 1024;
/// Most rows of one file.
pub const MAX_EXPORT_ROWS: u64 = 1_000_000;
/// How long a link to a file is good, seconds.
pub const LINK_SECONDS: i64 = 15 * 60;
/// How long an export is kept, microseconds.
const KEPT_US: i64 = 86_400 * SECOND_US;
/// What whoever asked for an export does next.
const QUEUED: &str = "The export was queued; ask for its status until it is completed.";

/// An export that was queued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ExportQueued {
    /// Its id.
    pub export_id: i64,
    /// Always `queued`.
    pub status: String,
    /// What to do next.
    pub message: String,
}

/// How far an export has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ExportState {
    /// Its id.
    pub export_id: i64,
    /// `queued`, `processing`, `completed` or `failed`.
    pub status: String,
    /// Where the file is, for a quarter of an hour from this answer on; once completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub download_url: Option<String>,
    /// When the file was there, RFC 3339 in UTC; once completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<String>,
    /// When the link stops to be good, RFC 3339 in UTC; once completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Rows of the file; once completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// Why there is no file; when failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl Service {
    /// Takes in the body of `POST /public-api/v1/{events,contacts,companies}/exports`. What can be checked is checked now.
    #[boxed]
    pub async fn create_export(&self, access: &WorkspaceAccess, kind: ExportKind, body: &[u8]) -> Result<ExportQueued> {
        if self.exports_folder.is_none() {
            return Err(Error::internal("exports have no folder in this process"));
        }
        let definition = Definition::read(kind, body)?;
        self.check_definition(access, &definition).await?;
        let export = self.control.create_export(&access.scope, kind, definition.to_text()).await?;
        self.export_queued.notify_one();
        Ok(ExportQueued { export_id: export.id.0, status: export.status.as_str().to_owned(), message: QUEUED.to_owned() })
    }

    /// How far an export has come. `base_url` is where clients reach this server.
    #[boxed]
    pub async fn export_state(&self, access: &WorkspaceAccess, kind: ExportKind, id: i64, base_url: &str) -> Result<ExportState> {
        let export = self.control.get_export(&access.scope, kind, ExportId(id)).await?;
        let is_completed = export.status == ExportStatus::Completed;
        let expires_s = self.clock.now_us() / SECOND_US + LINK_SECONDS;
        let link = is_completed.then(|| {
            let signature = self.control.sign_export(export.id, expires_s);
            format!("{base_url}/public-api/v1/exports/{id}/file?expires={expires_s}&signature={signature}")
        });
        Ok(ExportState {
            export_id: export.id.0,
            status: export.status.as_str().to_owned(),
            download_url: link,
            completed_at: export.finished_us.filter(|_| is_completed).map(format_utc),
            expires_at: is_completed.then(|| format_utc(expires_s * SECOND_US)),
            rows: export.lines,
            message: export.failure,
        })
    }

    /// The file a link leads to, and its name for whoever saves it. `not_found` for links that are not good.
    #[boxed]
    pub async fn export_file(&self, id: i64, expires_s: i64, signature: &str) -> Result<(PathBuf, String)> {
        let export = self.control.export_of_link(ExportId(id), expires_s, signature).await?;
        let path = self.path_of(export.workspace, export.id)?;
        Ok((path, format!("{}-{}.ndjson.gz", export.kind.as_str(), export.id)))
    }

    /// Forgets every export of a workspace, and its files: somebody in them is to be forgotten.
    pub(crate) async fn forget_exports(&self, access: &WorkspaceAccess) -> Result<()> {
        self.control.forget_exports(&access.scope).await?;
        let Some(folder) = &self.exports_folder else { return Ok(()) };
        remove_folder(folder.join(access.workspace.id.to_string())).await
    }

    /// Where a file of a workspace is kept.
    fn path_of(&self, workspace: WorkspaceId, id: ExportId) -> Result<PathBuf> {
        let folder = self.exports_folder.as_ref().ok_or_else(|| Error::internal("exports have no folder in this process"))?;
        Ok(folder.join(workspace.to_string()).join(format!("{id}.ndjson.gz")))
    }
}

/// Removes a folder with everything in it; one that is not there is gone.
async fn remove_folder(folder: PathBuf) -> Result<()> {
    match tokio::fs::remove_dir_all(&folder).await {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::internal("files of exports could not be removed").caused_by(error))
        }
        _ => Ok(()),
    }
}

/// The definition of an export that was stored.
fn stored_definition(export: &Export) -> Result<Definition> {
    Definition::from_text(export.kind, &export.definition)
}
