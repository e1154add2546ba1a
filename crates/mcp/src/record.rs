//! The audit row of a tool call: one, whatever becomes of the call, also when the caller goes away before the answer.

use tributary_control::{ArgsDigest, AuditEntry, Caller};
use tributary_core::error::{Code, Result};
use tributary_service::service::Service;
use uuid::Uuid;

use serde_json::Value;

use crate::server::{OpenDoor, Request};

/// A call under way. Dropped before its end, it leaves a row that says `cancelled`.
pub(crate) struct Record<'a> {
    /// The row's id, which the answer to a failed call names.
    pub reference: Uuid,
    service: &'a Service,
    open: &'a OpenDoor,
    caller: &'a Caller,
    request: &'a Request<'a>,
    tool_name: &'a str,
    started_us: i64,
    /// Taken when the row is written.
    args: Option<ArgsDigest>,
}

impl<'a> Record<'a> {
    /// Starts the clock.
    pub fn begin(
        service: &'a Service,
        open: &'a OpenDoor,
        caller: &'a Caller,
        request: &'a Request<'a>,
        tool_name: &'a str,
        arguments: &Value,
    ) -> Self {
        Self {
            reference: service.control.new_correlation_id(),
            service,
            open,
            caller,
            request,
            tool_name,
            started_us: service.clock.now_us(),
            args: Some(service.control.digest_arguments(arguments)),
        }
    }

    /// Time spent so far, microseconds.
    pub fn latency_us(&self) -> i64 {
        self.service.clock.now_us().saturating_sub(self.started_us).max(0)
    }

    /// Writes the row and returns when it is on disk.
    pub async fn end(mut self, outcome: Result<(), Code>, latency_us: i64, size: u64) {
        let Some(entry) = self.take_entry(outcome, latency_us, size) else { return };
        if let Err(error) = self.service.control.audit(entry).await {
            tracing::error!(reference = %self.reference, error = %error.chain(), "a tool call could not be audited");
        }
    }

    fn take_entry(&mut self, outcome: Result<(), Code>, latency_us: i64, size: u64) -> Option<AuditEntry> {
        let args = self.args.take()?;
        Some(AuditEntry {
            correlation_id: Some(self.reference),
            door: self.open.door.name.to_owned(),
            tool_name: self.tool_name.to_owned(),
            args,
            latency_ms: latency_us.unsigned_abs() / 1_000,
            output_size_bytes: size,
            space: match self.caller.workspaces.as_slice() {
                [only] if !self.open.door.selects_projects => Some(only.workspace.id),
                _ => None,
            },
            user: None,
            token: Some(self.caller.key),
            client_user_agent: self.request.user_agent.map(str::to_owned),
            client_ip: self.request.address,
            was_internal: false,
            outcome,
        })
    }
}

impl Drop for Record<'_> {
    fn drop(&mut self) {
        let latency_us = self.latency_us();
        let Some(entry) = self.take_entry(Err(Code::Cancelled), latency_us, 0) else { return };
        let (door, reference) = (self.open.door.name, self.reference);
        tracing::info!(door, tool = self.tool_name, latency_us, %reference, "the caller went away before the answer");
        if let Err(error) = self.service.control.audit_queue(entry) {
            tracing::error!(%reference, error = %error.chain(), "a cancelled tool call could not be audited");
        }
    }
}
