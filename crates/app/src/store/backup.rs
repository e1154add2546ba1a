//! A consistent copy of a data folder, taken while everything runs.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use tributary_control::Control;
use tributary_core::error::Result;
use tributary_http::admin::BackupDone;
use tributary_timeline::Timeline;

use super::{blocking, place};
use crate::config::load;

/// Copies control plane, events and configuration of `root` into `into`, a new or empty folder. An interrupted backup never
/// looks like a whole one.
pub(super) async fn backup(root: &Path, control: &Control, timeline: Arc<Timeline>, into: &Path) -> Result<BackupDone> {
    place::refuse_non_empty(into)?;
    let partial = place::partial_of(into)?;
    let written = write(root, control, timeline, &partial).await;
    let counted = written.and_then(|()| {
        let counted = count(&partial)?;
        place::publish(&partial, into)?;
        Ok(counted)
    });
    if counted.is_err() {
        place::discard(&partial);
    }
    let (files, bytes) = counted?;
    Ok(BackupDone { to: into.to_owned(), files, bytes })
}

async fn write(root: &Path, control: &Control, timeline: Arc<Timeline>, into: &Path) -> Result<()> {
    // Events first: a workspace made meanwhile is then in the copy without events, rather than events without a workspace.
    let target = into.to_owned();
    blocking("the backup of the events", move || timeline.backup(&target)).await?;
    control.backup(into).await?;
    let configuration = root.join(load::FILE_NAME);
    if configuration.is_file() {
        let copy = into.join(load::FILE_NAME);
        fs::copy(&configuration, &copy).and_then(|_| fs::File::open(&copy)?.sync_all()).map_err(place::failed(&copy))?;
        fs::File::open(into).and_then(|folder| folder.sync_all()).map_err(place::failed(into))?;
    }
    Ok(())
}

fn count(folder: &Path) -> Result<(u64, u64)> {
    let (mut files, mut bytes) = (0, 0);
    for entry in fs::read_dir(folder).map_err(place::failed(folder))? {
        let entry = entry.map_err(place::failed(folder))?;
        let kind = entry.metadata().map_err(place::failed(folder))?;
        let (inner_files, inner_bytes) = if kind.is_dir() { count(&entry.path())? } else { (1, kind.len()) };
        files += inner_files;
        bytes += inner_bytes;
    }
    Ok((files, bytes))
}
