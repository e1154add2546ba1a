//! `tributary restore`: a data folder from a backup.

use clap::Args;
use serde::Serialize;
use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use tributary_core::error::{Code, Error, Result};

use crate::exit::Exit;
use crate::folder::{is_data_folder, lock, owner};
use crate::globals::Globals;
use crate::output;
use crate::store::place;

/// Arguments of `restore`.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  tributary restore --from /backups/tributary-2026-05-01 --data tributary-data")]
pub struct Restore {
    /// The folder `tributary backup` wrote
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
}

#[derive(Serialize)]
struct Restored {
    data: PathBuf,
    files: u64,
    bytes: u64,
}

/// Copies a backup into `--data`, which must be new or empty, and opens the copy once to see that it is whole.
pub async fn run(restore: Restore, globals: &Globals) -> Result<Exit> {
    if !is_data_folder(&restore.from) {
        return Err(Error::new(
            Code::NotFound,
            format!("no backup at {}; name a folder written by `tributary backup`", restore.from.display()),
        ));
    }
    place::refuse_non_empty(&globals.data)?;
    let (from, data) = (restore.from.clone(), globals.data.clone());
    let (files, bytes) = crate::store::blocking("the restore", move || {
        let partial = place::partial_of(&data)?;
        let copied = copy(&from, &partial).and_then(|counted| {
            place::publish(&partial, &data)?;
            Ok(counted)
        });
        if copied.is_err() {
            place::discard(&partial);
        }
        copied
    })
    .await?;
    // Opening checks key, schema and log; a copy that does not open is better known now.
    crate::folder::Folder::own(globals, crate::folder::Missing::Refuse).await?.close().await?;
    let restored = Restored { data: globals.data.clone(), files, bytes };
    if globals.json {
        output::json(&restored)?;
    } else {
        output::line(&format!("restored {files} files, {bytes} bytes, into {}", restored.data.display()))?;
    }
    Ok(Exit::Done)
}

fn copy(from: &Path, to: &Path) -> Result<(u64, u64)> {
    let unreadable = |error: std::io::Error| Error::internal(format!("{} cannot be read", from.display())).caused_by(error);
    let (mut files, mut bytes) = (0, 0);
    for entry in fs::read_dir(from).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let kind = entry.file_type().map_err(unreadable)?;
        let target = to.join(entry.file_name());
        if kind.is_dir() {
            DirBuilder::new().mode(0o700).create(&target).map_err(place::failed(&target))?;
            let (inner_files, inner_bytes) = copy(&entry.path(), &target)?;
            files += inner_files;
            bytes += inner_bytes;
        } else if kind.is_file() && !is_of_the_moment(&entry.file_name().to_string_lossy()) {
            bytes += fs::copy(entry.path(), &target).map_err(place::failed(&target))?;
            File::open(&target).and_then(|file| file.sync_all()).map_err(place::failed(&target))?;
            files += 1;
        }
    }
    File::open(to).and_then(|folder| folder.sync_all()).map_err(place::failed(to))?;
    Ok((files, bytes))
}

// What tells about the process that owns a folder means nothing in a copy of it.
fn is_of_the_moment(name: &str) -> bool {
    name == lock::FILE_NAME || name == owner::FILE_NAME || name.ends_with(".sock")
}
