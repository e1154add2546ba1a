//! Whether the stores answer.

use tributary_boxed::boxed;
use tributary_core::error::Result;

use crate::service::Service;

impl Service {
    /// Asks the control plane something small.
    #[boxed]
    pub async fn check_control(&self) -> Result<()> {
        self.control.list_accounts().await.map(drop)
    }

    /// Asks the event store something small about the oldest workspace. Without one it keeps nothing yet and cannot be asked.
    #[boxed]
    pub async fn check_events(&self) -> Result<()> {
        let Some(workspace) = self.control.list_workspaces(None).await?.into_iter().next() else { return Ok(()) };
        let access = self.control.operator_access(workspace.id).await?;
        self.events.describe(&access.scope).await.map(drop)
    }
}
