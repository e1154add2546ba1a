//! The reference evaluator as a ground for the conformance cases.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tributary_core::scope::WorkspaceScope;
use tributary_events::conformance::Ground;
use tributary_events::reference::ReferenceStore;
use tributary_events::store::EventStore;

use crate::scope::workspace;

/// A reference store with fresh workspaces.
#[derive(Debug, Default)]
pub struct ReferenceGround {
    store: Arc<ReferenceStore>,
    workspaces: Workspaces,
}

impl Ground for ReferenceGround {
    fn store(&self) -> Arc<dyn EventStore> {
        self.store.clone()
    }

    fn workspace(&self) -> WorkspaceScope {
        self.workspaces.fresh()
    }
}

/// Hands out scopes of workspaces nobody used yet.
#[derive(Debug, Default)]
pub struct Workspaces(AtomicI64);

impl Workspaces {
    /// The scope of the next workspace.
    pub fn fresh(&self) -> WorkspaceScope {
        workspace(self.0.fetch_add(1, Ordering::SeqCst) + 1)
    }
}
