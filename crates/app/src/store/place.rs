//! Whole folders that appear in one step: written beside their place, renamed into it at the end.

use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use tributary_core::error::{Code, Error, Result};

/// Refuses a path that exists and is anything but an empty folder.
pub fn refuse_non_empty(path: &Path) -> Result<()> {
    let is_free = match fs::read_dir(path) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    };
    if is_free {
        return Ok(());
    }
    Err(Error::new(Code::Conflict, format!("{} is not an empty folder; name a new or empty one", path.display())))
}

/// Makes a private folder beside `into`.
pub fn partial_of(into: &Path) -> Result<PathBuf> {
    let name = into.file_name().ok_or_else(|| Error::new(Code::InvalidParams, format!("{} names no folder", into.display())))?;
    let partial = into.with_file_name(format!(".{}.partial-{}", name.to_string_lossy(), std::process::id()));
    if let Some(parent) = into.parent() {
        fs::create_dir_all(parent).map_err(failed(into))?;
    }
    DirBuilder::new().mode(0o700).create(&partial).map_err(failed(&partial))?;
    Ok(partial)
}

/// Puts a finished folder into its place, which holds nothing or an empty folder.
pub fn publish(partial: &Path, into: &Path) -> Result<()> {
    fs::rename(partial, into).map_err(failed(into))?;
    match into.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => File::open(parent).and_then(|folder| folder.sync_all()).map_err(failed(into)),
        None => Ok(()),
    }
}

/// Removes an unfinished folder.
pub fn discard(partial: &Path) {
    if let Err(error) = fs::remove_dir_all(partial) {
        tracing::warn!(%error, "an unfinished copy at {} could not be removed", partial.display());
    }
}

/// Words a failure to write `path`.
pub fn failed(path: &Path) -> impl Fn(std::io::Error) -> Error {
    move |error| Error::internal(format!("{} cannot be written", path.display())).caused_by(error)
}
