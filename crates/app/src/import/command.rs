//! The command: flags to a job and a destination, counts to a table.

use clap::{Args, Subcommand};
use sha2::{Digest, Sha256};
use std::path::PathBuf;
use std::sync::Arc;

use jiff::tz::TimeZone;
use tributary_core::error::{Code, Error, Result};
use tributary_core::money::Currency;
use tributary_core::time::zone;
use tributary_http::admin::{ImportTerms, visitor_key};
use tributary_service::import::Importer;
use tributary_timeline::Timeline;

use crate::exit::Exit;
use crate::folder::{Folder, Missing};
use crate::globals::Globals;
use crate::import::destination::Destination;
use crate::import::job::{FileReport, Job, run as run_job};
use crate::import::mapping::Mapping;
use crate::import::plan::{EventIds, Surroundings};
use crate::import::progress::Progress;
use crate::import::read::access_log::{LogEvents, LogOptions};
use crate::import::read::open::Format;
use crate::import::remote::Remote;
use crate::import::served::Served;
use crate::import::spend::{self, ImportSpend};
use crate::operator::{Operator, segment};
use crate::store::blocking;
use crate::{client, output};

/// `import`.
#[derive(Debug, Subcommand)]
pub enum Import {
    /// Import events from NDJSON, CSV, Parquet or web access logs, plain or compressed (.gz, .zst)
    Events(Box<ImportEvents>),
    /// Import ad spend: exports of ad platforms, or a table of your own
    Spend(ImportSpend),
}

/// Arguments of `import events`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  tributary import events --workspace acme-shop events.ndjson.gz
  tributary import events --workspace acme-shop --mapping mapping.toml export.csv
  tributary import events --workspace acme-shop --map anonymous_id=visitor --map timestamp=ts --time-unit ms data.parquet
  tributary import events --workspace blog --site https://www.example.com /var/log/nginx/access.log*
  tributary import events --url https://analytics.example.com --key sk_live_… events.csv

Rows already imported are told by their event_id (or by row number and content) and count as duplicates: an interrupted
import is simply run again. Rejected rows go to FILE.rejected.ndjson with the reason. See docs/importing.md.")]
pub struct ImportEvents {
    /// Workspace by slug, UUID or id
    #[arg(long, required_unless_present = "url", conflicts_with = "url")]
    workspace: Option<String>,
    /// Format of the files; told by name and content when left out
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Mapping file (TOML): which column is which field
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// Read FIELD from COLUMN
    #[arg(long = "map", value_name = "FIELD=COLUMN")]
    maps: Vec<String>,
    /// Give FIELD the same VALUE in every row
    #[arg(long = "set", value_name = "FIELD=VALUE")]
    sets: Vec<String>,
    /// What numbers in the timestamp column count: s, ms, us or ns
    #[arg(long, value_name = "UNIT")]
    time_unit: Option<String>,
    /// IANA zone of timestamps without offset [default: the workspace's]
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    /// Give rows without an event_id none: importing them again doubles them
    #[arg(long)]
    no_event_ids: bool,
    /// Address of the site an access log is from, such as https://www.example.com
    #[arg(long, value_name = "URL")]
    site: Option<String>,
    /// What the requests of an access log become
    #[arg(long, value_enum, default_value_t = LogEvents::Requests, value_name = "NAMES")]
    log_events: LogEvents,
    /// Folder for the files of rejected rows [default: beside each file]
    #[arg(long, value_name = "DIR")]
    rejected_dir: Option<PathBuf>,
    /// Import into a running server elsewhere
    #[arg(long, requires = "key")]
    url: Option<String>,
    /// Secret key (sk_…) of the workspace there
    #[arg(long, env = "TRIBUTARY_IMPORT_KEY", hide_env_values = true, requires = "url")]
    key: Option<String>,
    /// Files to import
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Imports.
pub async fn run(import: Import, globals: &Globals) -> Result<Exit> {
    let flags = match import {
        Import::Events(flags) => flags,
        Import::Spend(flags) => return spend::import(flags, globals).await,
    };
    let reports = match (&flags.url, &flags.key, &flags.workspace) {
        (Some(url), Some(key), _) => elsewhere(&flags, url, key).await?,
        (_, _, Some(workspace)) => match Folder::open(globals, Missing::Refuse).await? {
            Folder::Served(owner) => served(&flags, Operator::over(&owner)?, workspace).await?,
            Folder::Owned(owned) => {
                let outcome = owned_folder(&flags, &owned, workspace, globals).await;
                let closed = owned.close().await;
                outcome.and_then(|reports| closed.map(|()| reports))?
            }
        },
        (_, _, None) => {
            return Err(Error::new(Code::InvalidParams, "name a workspace with --workspace, or a server with --url and --key"));
        }
    };
    show(&reports, globals)?;
    Ok(Exit::Done)
}

async fn owned_folder(
    flags: &ImportEvents,
    owned: &crate::folder::owned::Owned,
    workspace: &str,
    globals: &Globals,
) -> Result<Vec<FileReport>> {
    let unknown = || Error::new(Code::NotFound, format!("no workspace `{workspace}`; `tributary workspace list` shows them"));
    let found = owned.control.find_workspace(workspace).await?.ok_or_else(unknown)?;
    let access = owned.control.operator_access(found.id).await?;
    let job = flags.job(found.zone.clone(), Some(found.currency), visitor_key(&owned.control))?;
    let destination = Destination::Store(Importer {
        events: owned.timeline.clone(),
        contacts: Some(owned.control.clone()),
        scope: access.scope,
        pipeline: owned.pipeline.clone(),
        zone: found.zone.clone(),
        clock: globals.clock.clone(),
        site_host: site_host(&job),
    });
    let reports = run_job(&job, &destination).await?;
    settle(owned.timeline.clone()).await;
    Ok(reports)
}

/// Leaves few segments behind, as the server would some time after an import. Whatever stops it, the rows are stored.
async fn settle(timeline: Arc<Timeline>) {
    let _progress = Progress::waiting("bringing segments together");
    if let Err(error) = blocking("bringing segments together", move || timeline.settle()).await {
        tracing::warn!(error = %error.chain(), "the segments of this import are left apart; a server brings them together later");
    }
}

async fn served(flags: &ImportEvents, operator: Operator, workspace: &str) -> Result<Vec<FileReport>> {
    let terms: ImportTerms = operator.get(&format!("/import/{}", segment(workspace))).await?;
    let job = flags.job(zone(&terms.timezone)?, Some(terms.currency.parse()?), terms.visitor_key)?;
    let destination =
        Destination::Owner(Served { operator: Arc::new(operator), workspace: workspace.to_owned(), site_host: site_host(&job) });
    run_job(&job, &destination).await
}

async fn elsewhere(flags: &ImportEvents, url: &str, key: &str) -> Result<Vec<FileReport>> {
    // The key is the only secret both runs of the same import share.
    let digest = Sha256::new().chain_update(b"tributary access log visitor\0").chain_update(key).finalize();
    let visitor_key = *digest.first_chunk::<16>().expect("a SHA-256 digest has 32 bytes");
    let job = flags.job(TimeZone::UTC, None, visitor_key)?;
    run_job(&job, &Destination::Server(Remote::new(client::server()?, url, key, site_host(&job))?)).await
}

impl ImportEvents {
    fn job(&self, workspace_zone: TimeZone, currency: Option<Currency>, visitor_key: [u8; 16]) -> Result<Job> {
        let mut mapping = match &self.mapping {
            Some(path) => Mapping::read(path)?,
            None => Mapping::default(),
        };
        for assignment in &self.maps {
            mapping.map(assignment)?;
        }
        for assignment in &self.sets {
            mapping.fix(assignment)?;
        }
        if let Some(unit) = &self.time_unit {
            mapping.set_unit(unit)?;
        }
        if let Some(name) = &self.timezone {
            zone(name)?;
            mapping.zone = Some(name.clone());
        }
        let site =
            match &self.site {
                Some(text) => Some(text.parse::<reqwest::Url>().ok().filter(|url| url.has_host()).ok_or_else(|| {
                    Error::new(Code::InvalidParams, "--site must be an address such as https://www.example.com")
                })?),
                None => None,
            };
        Ok(Job {
            files: self.files.clone(),
            format: self.format,
            mapping,
            around: Surroundings {
                zone: workspace_zone,
                currency,
                event_ids: if self.no_event_ids { EventIds::None } else { EventIds::FromRow },
            },
            log: LogOptions { site, events: self.log_events, visitor_key },
            rejected_dir: self.rejected_dir.clone(),
        })
    }
}

fn site_host(job: &Job) -> Option<String> {
    job.log.site.as_ref().and_then(|site| site.host_str().map(str::to_owned))
}

fn show(reports: &[FileReport], globals: &Globals) -> Result<()> {
    if globals.json {
        return output::json(&reports);
    }
    let rows: Vec<Vec<String>> = reports
        .iter()
        .map(|report| {
            let counts = &report.counts;
            let name = report.file.display().to_string();
            vec![name, counts.accepted.to_string(), counts.duplicates.to_string(), counts.rejected.to_string()]
        })
        .collect();
    output::table(&["file", "accepted", "duplicate", "rejected"], &rows)?;
    for file in reports.iter().filter_map(|report| report.counts.rejected_file.as_ref()) {
        output::remark(&format!("rejected rows and the reasons are in {}", file.display()));
    }
    Ok(())
}
