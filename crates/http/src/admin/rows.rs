//! Rows in and out: what `import` and `export` move through the process that owns the folder.

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};

use tributary_core::event::Event;
use tributary_service::import::{ImportInput, RowFate};

use super::Operator;
use super::body::{Body, Refused};
use super::query::BotsBody;

/// The largest body of imported rows, bytes.
pub const MAX_IMPORT_BYTES: usize = 64 << 20;

/// What an import has to know of a workspace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImportTerms {
    /// Slug of the workspace.
    pub workspace: String,
    /// IANA zone of timestamps without offset.
    pub timezone: String,
    /// Currency of amounts without one.
    pub currency: String,
    /// Key of the visitor hash of access logs: the same on every import into this folder.
    pub visitor_key: [u8; 16],
}

/// Which events to hand out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowsBody {
    /// First instant, microseconds.
    pub start_us: i64,
    /// First instant past the end, microseconds.
    pub end_us: i64,
    /// Names of events; empty for all.
    pub events: Vec<String>,
    /// What happens to bots.
    pub bots: BotsBody,
    /// Only events up to this ingest sequence number.
    pub as_of: Option<u64>,
    /// Events handed out at most.
    pub limit: usize,
}

/// Some events, oldest first, without the hash of the address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RowsPage {
    /// The events.
    pub rows: Vec<Event>,
    /// How many match without the limit.
    pub total: u64,
}

/// The extent of a workspace's events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Extent {
    /// Events, bots included.
    pub events: u64,
    /// Time of the earliest, microseconds.
    pub first_us: Option<i64>,
    /// Time of the latest, microseconds.
    pub last_us: Option<i64>,
    /// Sequence number of the last event stored.
    pub watermark: u64,
}

pub(super) async fn terms(State(operator): State<Operator>, Path(selector): Path<String>) -> Result<Json<ImportTerms>, Refused> {
    let access = operator.workspace(&selector).await?;
    Ok(Json(ImportTerms {
        workspace: access.workspace.slug.clone(),
        timezone: access.workspace.zone_name.clone(),
        currency: access.workspace.currency.to_string(),
        visitor_key: visitor_key(&operator.control),
    }))
}

pub(super) async fn import(
    State(operator): State<Operator>,
    Path(selector): Path<String>,
    Body(body): Body<ImportInput>,
) -> Result<Json<Vec<RowFate>>, Refused> {
    let access = operator.workspace(&selector).await?;
    Ok(Json(operator.store.import(&access, body).await?))
}

pub(super) async fn extent(State(operator): State<Operator>, Path(selector): Path<String>) -> Result<Json<Extent>, Refused> {
    let access = operator.workspace(&selector).await?;
    Ok(Json(operator.store.extent(&access).await?))
}

pub(super) async fn rows(
    State(operator): State<Operator>,
    Path(selector): Path<String>,
    Body(body): Body<RowsBody>,
) -> Result<Json<RowsPage>, Refused> {
    let access = operator.workspace(&selector).await?;
    let mut page = operator.store.rows(&access, body).await?;
    for event in &mut page.rows {
        event.ip_hash = None;
    }
    Ok(Json(page))
}

/// Key of the visitor hash of access logs.
pub fn visitor_key(control: &tributary_control::Control) -> [u8; 16] {
    let secret = control.derived_secret("access log visitor");
    *secret.first_chunk::<16>().expect("a derived secret has 32 bytes")
}
