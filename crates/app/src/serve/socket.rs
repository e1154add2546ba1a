//! The operator socket: a Unix domain socket only the folder's owner may open.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::net::UnixListener;
use tributary_core::error::{Error, Result};

/// The socket's name in the data folder.
const FILE_NAME: &str = "tributary.sock";
/// Longest path a socket can have everywhere, bytes (`sun_path` is 104 bytes on macOS, 108 on Linux).
const MAX_PATH_BYTES: usize = 100;

/// A bound operator socket; its file goes when it is dropped.
pub struct OperatorSocket {
    /// Where it is.
    pub path: PathBuf,
    /// What accepts.
    pub listener: UnixListener,
    _place: Place,
}

/// Removes what binding made.
enum Place {
    /// The socket file in the data folder.
    Folder(PathBuf),
    /// A private folder of its own, removed by its own drop.
    Elsewhere { _folder: TempDir },
}

impl OperatorSocket {
    /// Binds in the data folder, or, where its path is too long for a socket, in a private folder for temporary files.
    /// The caller holds the folder's lock, so a file left there by a killed server may go.
    pub fn bind(folder: &Path) -> Result<OperatorSocket> {
        let failed = |error: std::io::Error| Error::internal("the operator socket cannot be made").caused_by(error);
        let inside = std::path::absolute(folder).map_err(failed)?.join(FILE_NAME);
        let (path, place) = if inside.as_os_str().len() <= MAX_PATH_BYTES {
            (inside.clone(), Place::Folder(inside))
        } else {
            let private = tempfile::Builder::new().prefix("tributary-").tempdir().map_err(failed)?;
            (private.path().join(FILE_NAME), Place::Elsewhere { _folder: private })
        };
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
            Ok(()) | Err(_) => {}
        }
        let listener = UnixListener::bind(&path).map_err(failed)?;
        fs::set_permissions(&path, Permissions::from_mode(0o600)).map_err(failed)?;
        Ok(OperatorSocket { path, listener, _place: place })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Place::Folder(path) = self {
            // A missing file is as good as a removed one.
            let _ = fs::remove_file(path);
        }
    }
}
