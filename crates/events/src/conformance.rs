//! What every engine must pass: named cases with tricky data and answers written down by hand.
//!
//! A case starts from fresh workspaces and asserts; a failing one panics with its name in the message. The same cases run
//! on the reference evaluator, and on an engine with its tail in the log as well as settled on disk: see [`Ground`].

use async_trait::async_trait;
use std::sync::Arc;

use tributary_core::scope::WorkspaceScope;

use crate::store::EventStore;

/// Where cases play: a store, fresh workspaces in it, and its housekeeping.
#[async_trait]
pub trait Ground: Send + Sync {
    /// The store; asked for again after [`Ground::settle`], which may have reopened it.
    fn store(&self) -> Arc<dyn EventStore>;

    /// A workspace nothing was stored in yet.
    fn workspace(&self) -> WorkspaceScope;

    /// Called between storing and asking: an engine flushes, compacts or reopens here. Nothing may change in answers.
    async fn settle(&self) {}
}
