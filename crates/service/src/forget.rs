//! Forgetting a person.

use schemars::JsonSchema;
use serde::Serialize;
use tributary_boxed::boxed;
use tributary_control::{Forgotten, WorkspaceAccess};
use tributary_core::error::{Code, Error, Result};
use tributary_events::store::Erasure;

use crate::service::Service;

/// What became of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ForgetOutput {
    /// Always true.
    pub ok: bool,
    /// Always true: answers forget at once, disk follows at the next compaction.
    pub queued: bool,
}

impl Service {
    /// Takes in the body of `POST /v1/forget`: every event with this `user_id` vanishes from the workspace, and the person's
    /// contact with everything known of it. Exports of the workspace go, too: they may hold the person.
    #[boxed]
    pub async fn forget(&self, access: &WorkspaceAccess, body: &[u8]) -> Result<ForgetOutput> {
        let user_id = self.pipeline.forget(body)?;
        let failed =
            |error: Error| Error::new(Code::ForgetFailed, "this person could not be forgotten; try again").caused_by(error);
        let erased =
            self.events.erase(&access.scope, Erasure::User(user_id.clone())).await.map_err(|error| match error.code() {
                Code::Overloaded | Code::UpstreamFailed => error,
                _ => failed(error),
            })?;
        let contacts = self.control.erase_contacts(&access.scope, Forgotten::User(user_id)).await.map_err(failed)?;
        // Their files may hold the person, too.
        self.forget_exports(access).await.map_err(failed)?;
        tracing::info!(workspace.id = %access.workspace.id, events = erased.events, contacts, "forgot a person");
        Ok(ForgetOutput { ok: true, queued: true })
    }
}
