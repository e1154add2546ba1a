//! Scopes for tests.

use tributary_core::ids::WorkspaceId;
use tributary_core::scope::{Mint, WorkspaceScope};

/// The scope of any workspace.
#[expect(clippy::disallowed_methods, reason = "test code stands in for `control` here")]
pub fn workspace(id: i64) -> WorkspaceScope {
    Mint::new().issue(WorkspaceId(id))
}
