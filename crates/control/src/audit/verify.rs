//! Walking the chain: is the log what the server wrote?

use tributary_boxed::boxed;
use tributary_core::error::Result;

use super::chain::{GENESIS, row_hash};
use super::entry::AuditRow;
use super::list::row_from;
use super::writer::{AuditHead, sealed_head};
use crate::control::Control;
use crate::store::{DatabaseTransaction, failed};

/// Rows read at a time.
const PAGE_ROWS: i64 = 1_000;

/// What a walk over the whole log found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditReport {
    /// Rows looked at: all of them, or those before and including the first broken one.
    pub rows: u64,
    /// The last row looked at. Noted elsewhere, it later proves that the log up to here is unchanged.
    pub head: AuditHead,
    /// The first thing that is wrong; `None` for an intact log.
    pub fault: Option<AuditFault>,
}

/// Where the log is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditFault {
    /// The row's number (of a missing row, the number it should have had).
    pub seq: i64,
    /// The row's id, where there is a row.
    pub correlation_id: Option<String>,
    /// What is wrong with it.
    pub reason: String,
}

impl AuditReport {
    /// Whether nothing is wrong.
    pub fn is_intact(&self) -> bool {
        self.fault.is_none()
    }
}

impl Control {
    /// Walks the whole log, in one state of the database, and names the first broken row. Reads as many rows as there are,
    /// and first checks the database's pages.
    #[boxed]
    pub async fn verify_audit(&self) -> Result<AuditReport> {
        self.check_pages().await?;
        self.inner.audit.drain().await?;
        let mut transaction = self.inner.store.begin_read().await?;
        let mut report = AuditReport { rows: 0, head: AuditHead { seq: 0, hash: GENESIS.to_owned() }, fault: None };
        loop {
            let page = page_after(&mut transaction, report.head.seq).await?;
            for row in &page {
                report.rows += 1;
                report.fault = fault_of(row, &report.head);
                if report.fault.is_some() {
                    return Ok(report);
                }
                report.head = AuditHead { seq: row.seq, hash: row.hash.clone() };
            }
            if page.is_empty() {
                break;
            }
        }
        let sealed = sealed_head(&mut transaction, self.inner.audit.seal_key()).await?;
        report.fault = fault_at_end(&report.head, sealed.as_ref());
        Ok(report)
    }
}

async fn page_after(transaction: &mut DatabaseTransaction, seq: i64) -> Result<Vec<AuditRow>> {
    let rows = sqlx::query(
        "SELECT seq, correlation_id, at_us, door, tool_name, args_digest, latency_ms, output_size_bytes, space_id, user_id,
         token_id, client_user_agent, client_ip, was_internal, outcome, prev_hash, hash
         FROM mcp_audit_log WHERE seq > $1 ORDER BY seq LIMIT $2",
    )
    .bind(seq)
    .bind(PAGE_ROWS)
    .fetch_all(&mut **transaction)
    .await
    .map_err(failed("the audit log could not be read"))?;
    rows.iter().map(row_from).collect()
}

fn fault_of(row: &AuditRow, before: &AuditHead) -> Option<AuditFault> {
    let expected = before.seq + 1;
    let here = |reason: &str| {
        Some(AuditFault { seq: row.seq, correlation_id: Some(row.correlation_id.clone()), reason: reason.to_owned() })
    };
    if row.seq != expected {
        let reason = format!("rows {expected} to {} are missing", row.seq - 1);
        return Some(AuditFault { seq: expected, correlation_id: None, reason });
    }
    if row.hash != row_hash(row) {
        return here("a column was changed: the row does not have the hash it carries");
    }
    if row.prev_hash != before.hash {
        return here("the row does not follow the one before: it carries another hash of it");
    }
    None
}

fn fault_at_end(last: &AuditHead, sealed: Option<&AuditHead>) -> Option<AuditFault> {
    let fault = |seq: i64, reason: String| Some(AuditFault { seq, correlation_id: None, reason });
    let Some(sealed) = sealed else {
        return fault(last.seq, String::from("the sealed head is missing or was not sealed with this secret.key"));
    };
    if sealed.seq > last.seq {
        return fault(last.seq + 1, format!("rows {} to {} were cut off the end", last.seq + 1, sealed.seq));
    }
    if sealed != last {
        return fault(sealed.seq + 1, format!("the log goes on after its sealed head, row {}, or was rewritten", sealed.seq));
    }
    None
}
