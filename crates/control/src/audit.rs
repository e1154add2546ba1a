//! The audit log: one row per tool call, append-only, each row carrying the hash of the one before.
//!
//! What [`Control::verify_audit`] can tell: any row changed, removed, inserted or moved, the tail cut off, the whole chain
//! recomputed, all by someone who can write the database but does not hold `secret.key`. What it cannot tell: the whole
//! folder put back to an earlier state, a forgery by someone who holds `secret.key` too, and what the server never wrote.
//! Against the first two, note the head it reports (number and hash) somewhere else from time to time.

mod chain;
mod digest;
mod entry;
mod list;
mod verify;
mod writer;

use tributary_boxed::boxed;
use tributary_core::error::{Code, Error, Result};
use uuid::Uuid;

pub use digest::ArgsDigest;
pub use entry::{AuditEntry, AuditRow};
pub use list::AuditFilter;
pub use verify::{AuditFault, AuditReport};
pub use writer::AuditHead;
pub(crate) use writer::{AuditLog, found_log};

use crate::control::Control;

impl Control {
    /// Appends one row and returns its correlation id once the row is on disk. Rows of concurrent calls share a commit.
    ///
    /// The row is written even when the caller stops waiting. Errors: `internal_error` when it could not be written.
    #[boxed]
    pub async fn audit(&self, entry: AuditEntry) -> Result<String> {
        let row = entry.into_pending(self);
        let correlation_id = row.correlation_id.to_string();
        self.inner.audit.append(row).await?;
        Ok(correlation_id)
    }

    /// Queues one row without waiting for the disk and returns its correlation id. [`Control::flush`] waits for all queued.
    ///
    /// Errors: `overloaded` when the queue is full; nothing is queued then. A queued row that later cannot be written is
    /// logged and counted in [`Control::audit_lost`].
    pub fn audit_queue(&self, entry: AuditEntry) -> Result<String> {
        let row = entry.into_pending(self);
        let correlation_id = row.correlation_id.to_string();
        self.inner.audit.queue(row).map_err(|()| {
            Error::new(Code::Overloaded, "the audit log's queue is full; try again shortly")
                .with_details(serde_json::json!({ "retry_after_s": 1 }))
        })?;
        Ok(correlation_id)
    }

    /// A fresh id for a row whose caller must name it before the row is written.
    pub fn new_correlation_id(&self) -> Uuid {
        self.new_uuid()
    }

    /// Queued rows that could not be written since the process started.
    pub fn audit_lost(&self) -> u64 {
        self.inner.audit.lost()
    }
}
