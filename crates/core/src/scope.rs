//! Isolation as a type: no data method without a [`WorkspaceScope`], and only `control` issues one.

use crate::ids::WorkspaceId;

/// Permission to touch the data of one workspace.
///
/// There is no public constructor: a scope comes from a [`Mint`], and the mint belongs to `control`, which issues scopes
/// only after it has verified a credential or a local operator.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WorkspaceScope {
    workspace: WorkspaceId,
}

impl WorkspaceScope {
    /// The workspace this scope opens.
    pub fn workspace(&self) -> WorkspaceId {
        self.workspace
    }
}

/// The only press that prints scopes. Building one outside `control` (or a test) is refused by lint.
#[derive(Debug)]
pub struct Mint(());

impl Mint {
    /// Builds the press. Banned by `clippy.toml` everywhere but in `control` and test code.
    #[expect(clippy::new_without_default, reason = "a `Default` would be a second, unguarded way in")]
    pub fn new() -> Self {
        Self(())
    }

    /// Issues a scope for `workspace`. The caller has verified the right to it.
    pub fn issue(&self, workspace: WorkspaceId) -> WorkspaceScope {
        WorkspaceScope { workspace }
    }
}
