//! A consistent copy while everything runs.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use tributary_core::error::{Code, Error, Result};

use crate::Shared;
use crate::catalogue::{self, DATABASE, SEGMENTS};
use crate::files::{io_error, sync_folder};

impl Shared {
    /// The database's copy decides which segments belong to it; while they are copied none can go.
    pub fn backup(&self, into: &Path) -> Result<()> {
        let _compacting = self.compacting.lock().expect("no holder of this lock panics");
        fs::create_dir_all(into).map_err(|error| io_error("creating", into, error))?;
        let database = into.join(DATABASE);
        if database.exists() {
            return Err(Error::new(
                Code::Conflict,
                format!("`{}` exists already; a backup needs an empty folder", database.display()),
            ));
        }
        let target = database.clone();
        self.log.run(move |connection, _| catalogue::copy_into(connection, &target))?;
        let records = catalogue::segments(&catalogue::open_copy(&database)?)?;
        for record in records {
            for (from, to) in
                [(record.path(&self.root), record.path(into)), (record.keys_path(&self.root), record.keys_path(into))]
            {
                copy(&from, &to)?;
            }
        }
        if into.join(SEGMENTS).exists() {
            sync_folder(&into.join(SEGMENTS))?;
        }
        File::open(&database).and_then(|file| file.sync_all()).map_err(|error| io_error("syncing", &database, error))?;
        sync_folder(into)
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let folder = to.parent().map(PathBuf::from).unwrap_or_default();
    fs::create_dir_all(&folder).map_err(|error| io_error("creating", &folder, error))?;
    fs::copy(from, to).map_err(|error| io_error("copying", from, error))?;
    File::open(to).and_then(|file| file.sync_all()).map_err(|error| io_error("syncing", to, error))?;
    sync_folder(&folder)
}
