//! `owner.json`: who owns the folder and where its operator API listens. A hint only; the lock decides.

use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

use tributary_core::error::{Error, Result};

/// The file's name.
pub const FILE_NAME: &str = "owner.json";

/// Who owns the folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Process id.
    pub pid: u32,
    /// Unix domain socket of the operator API; `None` while a short command holds the folder.
    pub socket: Option<PathBuf>,
    /// Address the server listens on, such as `http://127.0.0.1:8787`.
    pub url: Option<String>,
}

impl Owner {
    /// This process, without a socket.
    pub fn this_process() -> Owner {
        Owner { pid: std::process::id(), socket: None, url: None }
    }

    /// What the folder says; `None` when it says nothing readable.
    pub fn read(folder: &Path) -> Option<Owner> {
        serde_json::from_slice(&fs::read(folder.join(FILE_NAME)).ok()?).ok()
    }

    /// Writes the file in one step, so that no reader sees half of it.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let failed = |error: std::io::Error| Error::internal("owner.json cannot be written").caused_by(error);
        let text = serde_json::to_vec_pretty(self).expect("plain data serializes");
        let fresh = folder.join(format!("{FILE_NAME}.new"));
        fs::write(&fresh, text).map_err(failed)?;
        fs::rename(&fresh, folder.join(FILE_NAME)).map_err(failed)
    }

    /// Removes the file; a missing one is fine.
    pub fn clear(folder: &Path) {
        if let Err(error) = fs::remove_file(folder.join(FILE_NAME))
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "owner.json could not be removed");
        }
    }

    /// Whether an operator API listens on the socket.
    pub async fn answers(&self) -> bool {
        match &self.socket {
            Some(socket) => tokio::net::UnixStream::connect(socket).await.is_ok(),
            None => false,
        }
    }
}
