//! The data folder: opened in this process when nobody owns it, reached through its owner otherwise.

pub mod lock;
pub mod owned;
pub mod owner;
mod seal;

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tributary_core::error::{Code, Error, Result};

use crate::globals::Globals;
use lock::Lock;
use owned::Owned;
use owner::Owner;

/// How long a command waits for a folder held by another short command, or by a server that is still starting.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What to do about a folder that does not exist yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Make it: for `serve`, `demo`, `account create`, `restore`.
    Create,
    /// Refuse, since a wrong path is likelier than an empty folder: for everything else.
    Refuse,
}

/// A data folder as this process may use it.
pub enum Folder {
    /// This process holds the lock and the stores.
    Owned(Box<Owned>),
    /// A server holds them and answers on its operator socket.
    Served(Owner),
}

impl Folder {
    /// Opens the folder named by `--data`: in-process if its lock is free, else through the server that owns it.
    ///
    /// Errors: `NotFound` when there is none and `missing` refuses, `Conflict` when a process without an operator socket
    /// keeps holding it.
    pub async fn open(globals: &Globals, missing: Missing) -> Result<Folder> {
        prepare(&globals.data, missing)?;
        let mut waited = Duration::ZERO;
        loop {
            if let Some(lock) = Lock::try_take(&globals.data)? {
                return Ok(Folder::Owned(Box::new(Owned::open(globals, lock).await?)));
            }
            let owner = Owner::read(&globals.data);
            if let Some(owner) = &owner
                && owner.answers().await
            {
                return Ok(Folder::Served(owner.clone()));
            }
            if waited >= PATIENCE {
                return Err(held(&globals.data, owner.as_ref()));
            }
            tokio::time::sleep(LOOK_EVERY).await;
            waited += LOOK_EVERY;
        }
    }

    /// Opens the folder in this process or refuses, naming the owner.
    pub async fn own(globals: &Globals, missing: Missing) -> Result<Owned> {
        match Folder::open(globals, missing).await? {
            Folder::Owned(owned) => Ok(*owned),
            Folder::Served(owner) => Err(held(&globals.data, Some(&owner))),
        }
    }
}

/// Whether a folder looks like a data folder of ours.
pub fn is_data_folder(path: &Path) -> bool {
    path.join(owned::CONTROL_FILE).is_file()
}

fn prepare(path: &Path, missing: Missing) -> Result<()> {
    if is_data_folder(path) {
        return Ok(());
    }
    match missing {
        Missing::Refuse => Err(Error::new(
            Code::NotFound,
            format!(
                "no data folder at {}; name one with --data, or make one with `tributary serve` or `tributary account create`",
                shown(path).display()
            ),
        )),
        Missing::Create => {
            let failed = |error| Error::internal(format!("the data folder {} cannot be made", path.display())).caused_by(error);
            if !path.is_dir() {
                if let Some(parent) = path.parent() {
                    fs::create_dir_all(parent).map_err(failed)?;
                }
                // Events and keys' hashes are nobody else's business.
                DirBuilder::new().mode(0o700).create(path).map_err(failed)?;
            }
            sync_names(path).map_err(failed)
        }
    }
}

/// Makes the name of a new folder survive a power cut, and the names of the folders above it, which may be new too. Folders
/// that this process may not open are not its own making.
fn sync_names(folder: &Path) -> std::io::Result<()> {
    for above in std::path::absolute(folder)?.ancestors().skip(1) {
        match fs::File::open(above) {
            Ok(opened) => opened.sync_all()?,
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn held(path: &Path, owner: Option<&Owner>) -> Error {
    let who = match owner {
        Some(Owner { pid, url: Some(url), .. }) => format!("the server at {url} (process {pid})"),
        Some(Owner { pid, .. }) => format!("process {pid}"),
        None => String::from("another process"),
    };
    Error::new(
        Code::Conflict,
        format!(
            "{who} owns the data folder {}; one process at a time may, so stop it first or name another --data",
            path.display()
        ),
    )
}

fn shown(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
