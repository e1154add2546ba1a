//! The audit log: its rows, and whether the chain is whole.

use axum::Json;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};

use tributary_control::AuditFilter;
use tributary_core::time::format_utc;

use super::Operator;
use super::body::Refused;

/// Which rows to list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditRows {
    /// Newest rows returned at most, up to 10,000.
    pub limit: u32,
    /// Only rows of this workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
    /// Only rows of this tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
}

/// One call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditRowAnswer {
    /// Place in the log.
    pub seq: i64,
    /// The id the caller was given.
    pub correlation_id: String,
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// The door.
    pub door: String,
    /// The tool.
    pub tool_name: String,
    /// `ok` or an error code.
    pub outcome: String,
    /// Time spent, milliseconds.
    pub latency_ms: i64,
    /// Length of the answer, bytes.
    pub output_size_bytes: i64,
    /// The workspace.
    pub workspace_id: Option<i64>,
    /// The credential's id.
    pub key_id: Option<i64>,
    /// The client's network.
    pub client_ip: Option<String>,
    /// The client's user agent.
    pub client_user_agent: Option<String>,
    /// Keyed digest of the arguments.
    pub args_digest: String,
    /// Hash of the row.
    pub hash: String,
}

/// What a walk over the whole log found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditChainAnswer {
    /// Whether nothing is wrong.
    pub intact: bool,
    /// Rows looked at.
    pub rows: u64,
    /// Number of the last row looked at.
    pub head_seq: i64,
    /// Its hash: noted elsewhere, it later proves that the log up to here is unchanged.
    pub head_hash: String,
    /// The first thing that is wrong.
    pub fault: Option<AuditFaultAnswer>,
}

/// Where the log is broken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditFaultAnswer {
    /// The row's number.
    pub seq: i64,
    /// The row's id, where there is a row.
    pub correlation_id: Option<String>,
    /// What is wrong with it.
    pub reason: String,
}

pub(super) async fn list(
    State(operator): State<Operator>,
    Query(which): Query<AuditRows>,
) -> Result<Json<Vec<AuditRowAnswer>>, Refused> {
    let space = match &which.workspace {
        Some(selector) => Some(operator.workspace(selector).await?.workspace.id),
        None => None,
    };
    let filter = AuditFilter { space, tool_name: which.tool, ..AuditFilter::default() };
    let rows = operator.control.list_audit(which.limit, &filter).await?;
    let answers = rows.into_iter().map(|row| AuditRowAnswer {
        seq: row.seq,
        correlation_id: row.correlation_id,
        at: format_utc(row.at_us),
        door: row.door,
        tool_name: row.tool_name,
        outcome: row.outcome,
        latency_ms: row.latency_ms,
        output_size_bytes: row.output_size_bytes,
        workspace_id: row.space_id,
        key_id: row.token_id,
        client_ip: row.client_ip,
        client_user_agent: row.client_user_agent,
        args_digest: row.args_digest,
        hash: row.hash,
    });
    Ok(Json(answers.collect()))
}

pub(super) async fn verify(State(operator): State<Operator>) -> Result<Json<AuditChainAnswer>, Refused> {
    let report = operator.control.verify_audit().await?;
    Ok(Json(AuditChainAnswer {
        intact: report.is_intact(),
        rows: report.rows,
        head_seq: report.head.seq,
        head_hash: report.head.hash,
        fault: report.fault.map(|fault| AuditFaultAnswer {
            seq: fault.seq,
            correlation_id: fault.correlation_id,
            reason: fault.reason,
        }),
    }))
}
