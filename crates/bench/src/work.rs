//! The folder everything happens in, and what lies where.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::failure::{Failure, Result};
use crate::say::say;

/// Longest time waited for background work on a folder.
const SETTLE_TIME: Duration = Duration::from_secs(60);
/// No file may come or go for this long.
const SETTLED_AFTER: Duration = Duration::from_secs(3);

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
                // One that is gone meanwhile was replaced.
                if let Ok(facts) = entry.metadata() {
                    found.push((entry.path(), facts.len()));
                }
            }
        }
    }
    Ok(found)
}

/// Waits until no segment of a data folder comes or goes any more: background work of the process that owns it is done.
pub async fn settle(data: &Path) -> Result<()> {
    let names = || -> Result<Vec<PathBuf>> {
        let mut names: Vec<PathBuf> = files_below(&data.join("segments"))?.into_iter().map(|(path, _)| path).collect();
        names.sort();
        Ok(names)
    };
    let begin = Instant::now();
    let (mut last, mut since) = (names()?, Instant::now());
    while since.elapsed() < SETTLED_AFTER {
        if begin.elapsed() > SETTLE_TIME {
            say(&format!("segments still change after {} s; measuring anyway", SETTLE_TIME.as_secs()));
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        let now = names()?;
        if now != last {
            (last, since) = (now, Instant::now());
        }
    }
    Ok(())
}
