//! What the operator asks of the event store beyond the port: the owner of the folder implements it.

use async_trait::async_trait;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

use tributary_control::WorkspaceAccess;
use tributary_core::error::{Code, Error, Result};
use tributary_service::import::{ImportInput, RowFate};

use super::Operator;
use super::body::{Body, Refused};
use super::query::{QueryAnswer, QueryBody};
use super::rows::{Extent, RowsBody, RowsPage};

/// The operator's hands on the event store of this process.
#[async_trait]
pub trait Store: Send + Sync {
    /// What is kept for a workspace.
    async fn holdings(&self, access: &WorkspaceAccess) -> Result<Holdings>;

    /// Answers a question.
    async fn query(&self, access: &WorkspaceAccess, question: QueryBody) -> Result<QueryAnswer>;

    /// Takes imported rows through the pipeline and stores them; says what became of each, in order.
    async fn import(&self, access: &WorkspaceAccess, rows: ImportInput) -> Result<Vec<RowFate>>;

    /// The extent of a workspace's events.
    async fn extent(&self, access: &WorkspaceAccess) -> Result<Extent>;

    /// Events, oldest first.
    async fn rows(&self, access: &WorkspaceAccess, which: RowsBody) -> Result<RowsPage>;

    /// Forgets a person at once in answers and, when `from_disk`, in every file before this returns. Says how many events.
    async fn erase(&self, access: &WorkspaceAccess, person: Person, from_disk: bool) -> Result<u64>;

    /// Writes a consistent copy of the whole folder (control plane, events, configuration) into an empty or new folder.
    async fn backup(&self, into: &Path) -> Result<BackupDone>;

    /// Reads every stored byte and compares it with what the catalogue says of it.
    async fn verify(&self) -> Result<StoreReport>;
}

/// Whom an erasure covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Person {
    /// Every event with this `user_id`.
    User(String),
    /// Every event of this `anonymous_id`.
    Visitor(String),
    /// Every event of the workspace.
    Everyone,
}

/// What is kept for a workspace.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Holdings {
    /// Events, bots included.
    pub events: u64,
    /// Time of the earliest event, RFC 3339 in UTC.
    pub first_event_at: Option<String>,
    /// Time of the latest event.
    pub last_event_at: Option<String>,
    /// Arrival of the last event stored.
    pub last_received_at: Option<String>,
    /// Bytes on disk.
    pub disk_bytes: u64,
}

/// Where a backup goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupBody {
    /// An absolute path to a new or empty folder.
    pub to: PathBuf,
}

/// What a backup wrote.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BackupDone {
    /// The folder.
    pub to: PathBuf,
    /// Files written.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What a look at every stored byte found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StoreReport {
    /// Segment files read and compared with the catalogue.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Events in them and in the log, erased ones that compaction has not reached included.
    pub events: u64,
    /// What is wrong.
    pub faults: Vec<StoreFault>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoreFault {
    /// The file or part concerned.
    pub place: String,
    /// What is wrong with it.
    pub reason: String,
}

pub(super) async fn backup(
    State(operator): State<Operator>,
    Body(backup): Body<BackupBody>,
) -> Result<Json<BackupDone>, Refused> {
    if backup.to.is_relative() {
        // The server's working directory is not the operator's.
        return Err(Error::new(Code::InvalidParams, "the path of a backup must be absolute").into());
    }
    Ok(Json(operator.store.backup(&backup.to).await?))
}

pub(super) async fn verify(State(operator): State<Operator>) -> Result<Json<StoreReport>, Refused> {
    Ok(Json(operator.store.verify().await?))
}
