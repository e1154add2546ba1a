//! The lock that makes one process the owner. The operating system releases it when the process ends, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use tributary_core::error::{Error, Result};

/// The locked file's name. Its content is empty: who holds it stands in `owner.json`.
pub const FILE_NAME: &str = "tributary.lock";

/// Ownership of a folder, until dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock, `None` when another process holds it.
    pub fn try_take(folder: &Path) -> Result<Option<Lock>> {
        let path = folder.join(FILE_NAME);
        let failed = || Error::internal(format!("the lock file {} cannot be used; the folder must be writable", path.display()));
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| failed().caused_by(error))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(failed().caused_by(error)),
        }
    }
}
