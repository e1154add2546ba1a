//! A data folder this process owns: the lock and the open stores.

use std::path::PathBuf;

use tributary_core::error::Result;

use super::lock::Lock;
use super::owner::Owner;
use crate::globals::Globals;

/// The control plane's database inside the folder.
pub const CONTROL_FILE: &str = "control.db";

/// A data folder this process owns.
pub struct Owned {
    /// The folder.
    pub root: PathBuf,
    _lock: Lock,
}

impl Owned {
    /// Opens the stores of a folder whose lock this process holds.
    pub(super) async fn open(globals: &Globals, lock: Lock) -> Result<Owned> {
        let root = globals.data.clone();
        Owner::this_process().write(&root)?;
        Ok(Owned { root, _lock: lock })
    }

    /// Writes everything out and releases the folder.
    pub async fn close(self) -> Result<()> {
        Owner::clear(&self.root);
        Ok(())
    }
}
