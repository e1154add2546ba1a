//! The folder everything happens in, and what lies where.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};

/// `--work`: made if missing. Event files and the peers' databases stay for the next run; our own folder is loaded afresh.
#[derive(Clone, Debug)]
pub struct Work {
    root: PathBuf,
    rows: u64,
}

impl Work {
    /// The folder of runs with this many events.
    pub fn open(root: &Path, rows: u64) -> Result<Work> {
        fs::create_dir_all(root).map_err(|error| Failure::at("making", root, error))?;
        let root = root.canonicalize().map_err(|error| Failure::at("finding", root, error))?;
        Ok(Work { root, rows })
    }

    /// A file of this run size.
    pub fn file(&self, name: &str, extension: &str) -> PathBuf {
        self.root.join(format!("{name}-{}.{extension}", self.rows))
    }

    /// Our data folder.
    pub fn data(&self) -> PathBuf {
        self.root.join(format!("tributary-{}", self.rows))
    }

    /// The peers' databases.
    pub fn peers(&self) -> PathBuf {
        self.root.join(format!("peers-{}", self.rows))
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }
}

/// Every file below a folder with its size. A folder that is not there holds none.
pub fn files_below(folder: &Path) -> Result<Vec<(PathBuf, u64)>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        if !folder.is_dir() {
            continue;
        }
        for entry in fs::read_dir(&folder).map_err(|error| Failure::at("listing", &folder, error))? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                found.push((entry.path(), entry.metadata()?.len()));
            }
        }
    }
    Ok(found)
}
