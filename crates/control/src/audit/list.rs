//! Reading the log back.

use sqlx::Row;
use tributary_boxed::boxed;
use tributary_core::error::{Code, Result};
use tributary_core::ids::{KeyId, WorkspaceId};

use super::entry::AuditRow;
use crate::control::Control;
use crate::store::{DatabaseRow, failed};

/// Most rows listed at once.
const MAX_LISTED_ROWS: u32 = 10_000;

/// Which rows to list; every given condition must hold.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Rows of this workspace.
    pub space: Option<WorkspaceId>,
    /// Rows of this credential.
    pub token: Option<KeyId>,
    /// Rows of this tool.
    pub tool_name: Option<String>,
    /// Rows with this outcome.
    pub outcome: Option<Result<(), Code>>,
    /// Rows handed in at or after this instant, microseconds since the epoch, UTC.
    pub since_us: Option<i64>,
    /// Rows before this number: the last `seq` of a page leads to the next one.
    pub before_seq: Option<i64>,
}

impl Control {
    /// The newest rows that match, newest first, at most `limit` of them (and never more than 10,000).
    #[boxed]
    pub async fn list_audit(&self, limit: u32, filter: &AuditFilter) -> Result<Vec<AuditRow>> {
        let outcome = filter.outcome.as_ref().map(|outcome| outcome.as_ref().map_or_else(|code| code.as_str(), |()| "ok"));
        let rows = sqlx::query(
            "SELECT seq, correlation_id, at_us, door, tool_name, args_digest, latency_ms, output_size_bytes, space_id, user_id,
             token_id, client_user_agent, client_ip, was_internal, outcome, prev_hash, hash
             FROM mcp_audit_log
             WHERE ($2 IS NULL OR space_id = $2) AND ($3 IS NULL OR token_id = $3) AND ($4 IS NULL OR tool_name = $4)
               AND ($5 IS NULL OR outcome = $5) AND ($6 IS NULL OR at_us >= $6) AND ($7 IS NULL OR seq < $7)
             ORDER BY seq DESC LIMIT $1",
        )
        .bind(i64::from(limit.min(MAX_LISTED_ROWS)))
        .bind(filter.space.map(|space| space.0))
        .bind(filter.token.map(|token| token.0))
        .bind(filter.tool_name.as_deref())
        .bind(outcome)
        .bind(filter.since_us)
        .bind(filter.before_seq)
        .fetch_all(self.inner.store.reader())
        .await
        .map_err(failed("the audit log could not be listed"))?;
        rows.iter().map(row_from).collect()
    }
}

/// Reads a row with every column of the table.
pub(super) fn row_from(row: &DatabaseRow) -> Result<AuditRow> {
    let read = failed("a row of the audit log could not be read");
    Ok(AuditRow {
        seq: row.try_get("seq").map_err(&read)?,
        correlation_id: row.try_get("correlation_id").map_err(&read)?,
        at_us: row.try_get("at_us").map_err(&read)?,
        door: row.try_get("door").map_err(&read)?,
        tool_name: row.try_get("tool_name").map_err(&read)?,
        args_digest: row.try_get("args_digest").map_err(&read)?,
        latency_ms: row.try_get("latency_ms").map_err(&read)?,
        output_size_bytes: row.try_get("output_size_bytes").map_err(&read)?,
        space_id: row.try_get("space_id").map_err(&read)?,
        user_id: row.try_get("user_id").map_err(&read)?,
        token_id: row.try_get("token_id").map_err(&read)?,
        client_user_agent: row.try_get("client_user_agent").map_err(&read)?,
        client_ip: row.try_get("client_ip").map_err(&read)?,
        was_internal: row.try_get("was_internal").map_err(&read)?,
        outcome: row.try_get("outcome").map_err(&read)?,
        prev_hash: row.try_get("prev_hash").map_err(&read)?,
        hash: row.try_get("hash").map_err(&read)?,
    })
}
