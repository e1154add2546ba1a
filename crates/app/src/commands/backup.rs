//! `tributary backup`: a consistent copy, while everything runs.

use clap::Args;
use std::path::PathBuf;

use tributary_core::error::{Code, Error, Result};
use tributary_http::admin::{BackupBody, BackupDone};

use crate::exit::Exit;
use crate::folder::Missing;
use crate::globals::Globals;
use crate::output;

/// Arguments of `backup`.
#[derive(Args, Debug)]
#[command(after_help = "The copy holds secret.key: keep it as safe as the data folder.

Example:
  tributary backup --to /backups/tributary-2026-05-01")]
pub struct Backup {
    /// A new or empty folder
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
}

/// Copies.
pub async fn run(backup: Backup, globals: &Globals) -> Result<Exit> {
    let to = std::path::absolute(&backup.to)
        .map_err(|error| Error::new(Code::InvalidParams, format!("{} is not a path", backup.to.display())).caused_by(error))?;
    let body = BackupBody { to };
    let done: BackupDone = globals.operate(Missing::Refuse, async |operator| operator.post("/backup", &body).await).await?;
    if globals.json {
        output::json(&done)?;
    } else {
        output::line(&format!("backed up {} files, {} bytes, to {}", done.files, done.bytes, done.to.display()))?;
    }
    Ok(Exit::Done)
}
