//! `import spend`: what ads cost, out of files.

use clap::Args;
use std::fs;
use std::path::{Path, PathBuf};

use tributary_core::error::{Code, Error, Result};
use tributary_http::admin::SpendFileBody;
use tributary_service::spend::{Recorded, SpendFile};

use crate::exit::Exit;
use crate::folder::Missing;
use crate::globals::Globals;
use crate::operator::segment;
use crate::output;

/// The largest file taken, bytes.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// Arguments of `import spend`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  tributary import spend --workspace acme-shop google_ads_campaign_stats.csv facebook_ads_*.csv
  tributary import spend --workspace acme-shop spend.csv

Tables of ad platforms are told by the end of their file's name, as Fivetran's connectors deliver them; any other file needs
the columns source, account_id, date and spend. A row replaces what is stored of its entity and day: the same file twice
changes nothing, restated days replace and are journalled. See docs/ads.md.")]
pub struct ImportSpend {
    /// Workspace by slug, UUID or id
    #[arg(long)]
    workspace: String,
    /// Files to import
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Imports files one after the other; exit code 5 when a row had a problem.
pub async fn import(flags: ImportSpend, globals: &Globals) -> Result<Exit> {
    let path = format!("/spend/{}", segment(&flags.workspace));
    let files = globals
        .operate(Missing::Refuse, async |operator| {
            let mut files: Vec<(PathBuf, SpendFile)> = Vec::new();
            for file in &flags.files {
                let body = SpendFileBody { file: name_of(file), content: read(file)? };
                files.push((file.clone(), operator.post(&path, &body).await?));
            }
            Ok(files)
        })
        .await?;
    let problem_count: u64 = files.iter().map(|(_, file)| file.problem_count).sum();
    if globals.json {
        output::json(&files.iter().map(|(_, file)| file).collect::<Vec<_>>())?;
    } else {
        show(&files)?;
    }
    Ok(if problem_count > 0 { Exit::Problems } else { Exit::Done })
}

fn name_of(file: &Path) -> String {
    file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn read(file: &Path) -> Result<String> {
    let cannot =
        |error: std::io::Error| Error::new(Code::InvalidParams, format!("{} cannot be read", file.display())).caused_by(error);
    let bytes = fs::metadata(file).map_err(cannot)?.len();
    if bytes > MAX_FILE_BYTES {
        let most = MAX_FILE_BYTES >> 20;
        return Err(Error::new(Code::InvalidParams, format!("{} is larger than {most} MiB; split it", file.display())));
    }
    let content = fs::read(file).map_err(cannot)?;
    String::from_utf8(content)
        .map_err(|error| Error::new(Code::InvalidParams, format!("{} is not UTF-8", file.display())).caused_by(error))
}

fn show(files: &[(PathBuf, SpendFile)]) -> Result<()> {
    let told =
        |recorded: &Recorded| format!("{} new, {} restated, {} known", recorded.inserted, recorded.restated, recorded.unchanged);
    let rows: Vec<Vec<String>> = files
        .iter()
        .map(|(path, file)| {
            let spend = match &file.nothing {
                Some(reason) => reason.clone(),
                None => told(&file.spend),
            };
            vec![path.display().to_string(), file.table.clone(), file.rows.to_string(), spend, told(&file.entities)]
        })
        .collect();
    output::table(&["file", "table", "rows", "days of spend", "accounts, campaigns, ads"], &rows)?;
    for (_, file) in files {
        for problem in &file.problems {
            output::remark(problem);
        }
        if file.problem_count > file.problems.len() as u64 {
            output::remark(&format!("… and {} more", file.problem_count - file.problems.len() as u64));
        }
    }
    Ok(())
}
