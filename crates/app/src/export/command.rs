//! The command: flags to a selection, events to a file or to standard output.

use clap::{Args, ValueEnum};
use serde_json::json;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::tz::TimeZone;
use tributary_core::error::{Code, Error, Result};
use tributary_core::time::{TimeRange, parse_instant, zone};
use tributary_http::admin::{BotsBody, ImportTerms};

use crate::exit::Exit;
use crate::export::stream::{Selection, Source, stream};
use crate::export::write::{ExportFormat, Writer};
use crate::folder::{Folder, Missing};
use crate::globals::Globals;
use crate::operator::{Operator, segment};
use crate::output;

/// Arguments of `export`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  tributary export --workspace acme-shop --out events.parquet
  tributary export --workspace acme-shop --from 2026-05-01 --to 2026-06-01 --event order_completed --out - | jq .amount
  tributary export --workspace acme-shop --format csv --bots exclude --out people.csv

The columns are those `tributary import events` reads: an export is imported again without a mapping.")]
pub struct Export {
    /// Workspace by slug, UUID or id
    #[arg(long)]
    workspace: String,
    /// First instant, ISO 8601; a date means midnight in the workspace's zone [default: the first event]
    #[arg(long)]
    from: Option<String>,
    /// First instant past the end [default: after the last event]
    #[arg(long)]
    to: Option<String>,
    /// Only events of this name; may be given several times
    #[arg(long = "event", value_name = "NAME")]
    events: Vec<String>,
    /// What happens to bots
    #[arg(long, value_enum, default_value_t = BotsChoice::Include)]
    bots: BotsChoice,
    /// Format; told by the file's name when left out, else ndjson
    #[arg(long, value_enum)]
    format: Option<ExportFormat>,
    /// File to write, - for standard output
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// What happens to bots in an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum BotsChoice {
    /// They are written like people; the column `bot` tells them.
    Include,
    /// They are left out.
    Exclude,
    /// Nothing else is written.
    Only,
}

/// Exports.
pub async fn run(export: Export, globals: &Globals) -> Result<Exit> {
    let count = match Folder::open(globals, Missing::Refuse).await? {
        Folder::Served(owner) => {
            let operator = Operator::over(&owner)?;
            let terms: ImportTerms = operator.get(&format!("/import/{}", segment(&export.workspace))).await?;
            let source = Source::Owner(operator, export.workspace.clone());
            write(&export, &source, &zone(&terms.timezone)?).await?
        }
        Folder::Owned(owned) => {
            let outcome = from_folder(&export, &owned).await;
            let closed = owned.close().await;
            outcome.and_then(|count| closed.map(|()| count))?
        }
    };
    // On standard output only when the events are not there already.
    if globals.json && export.out != Path::new("-") {
        output::json(&json!({ "events": count, "out": export.out }))?;
    } else {
        output::remark(&format!("{count} events written"));
    }
    Ok(Exit::Done)
}

async fn from_folder(export: &Export, owned: &crate::folder::owned::Owned) -> Result<u64> {
    let unknown =
        || Error::new(Code::NotFound, format!("no workspace `{}`; `tributary workspace list` shows them", export.workspace));
    let found = owned.control.find_workspace(&export.workspace).await?.ok_or_else(unknown)?;
    let access = owned.control.operator_access(found.id).await?;
    write(export, &Source::Store(owned.timeline.clone(), access.scope), &found.zone).await
}

async fn write(export: &Export, source: &Source, zone: &TimeZone) -> Result<u64> {
    let selection = export.selection(zone)?;
    if export.out.as_os_str() == "-" {
        return to_standard_output(export, source, &selection).await;
    }
    // Written beside its place and renamed at the end: a broken-off export is no export.
    let partial = partial(&export.out)?;
    let cannot = |error: std::io::Error| {
        Error::new(Code::InvalidParams, format!("cannot write {}", export.out.display())).caused_by(error)
    };
    let file = File::create(&partial).map_err(cannot)?;
    let mut writer = Writer::begin(export.format(), Box::new(BufWriter::new(file)))?;
    let written = match stream(source, &selection, &mut |events| writer.write(events)).await {
        Ok(count) => writer.finish().map(|()| count),
        Err(error) => Err(error),
    };
    match written {
        Ok(count) => {
            std::fs::rename(&partial, &export.out).map_err(cannot)?;
            Ok(count)
        }
        Err(error) => {
            if let Err(left) = std::fs::remove_file(&partial) {
                output::remark(&format!("{} could not be removed: {left}", partial.display()));
            }
            Err(error)
        }
    }
}

async fn to_standard_output(export: &Export, source: &Source, selection: &Selection) -> Result<u64> {
    let is_closed = Arc::new(AtomicBool::new(false));
    let pipe = Pipe { out: std::io::stdout(), is_closed: is_closed.clone() };
    let mut writer = Writer::begin(export.format(), Box::new(BufWriter::new(pipe)))?;
    let mut count = 0;
    let written = stream(source, selection, &mut |events| {
        writer.write(events)?;
        count += events.len() as u64;
        Ok(())
    })
    .await
    .and_then(|_| writer.finish());
    match written {
        // A reader that has seen enough, such as `head`, is no failure.
        Err(_) if is_closed.load(Ordering::Relaxed) => Ok(count),
        written => written.map(|()| count),
    }
}

/// Standard output, remembering whether its reader has gone.
struct Pipe {
    out: std::io::Stdout,
    is_closed: Arc<AtomicBool>,
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.out.write(bytes).inspect_err(|error| self.note(error))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush().inspect_err(|error| self.note(error))
    }
}

impl Pipe {
    fn note(&self, error: &std::io::Error) {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            self.is_closed.store(true, Ordering::Relaxed);
        }
    }
}

fn partial(out: &Path) -> Result<PathBuf> {
    let name =
        out.file_name().ok_or_else(|| Error::new(Code::InvalidParams, format!("--out {} names no file", out.display())))?;
    Ok(out.with_file_name(format!(".{}.partial-{}", name.to_string_lossy(), std::process::id())))
}

impl Export {
    fn selection(&self, zone: &TimeZone) -> Result<Selection> {
        let instant = |text: &Option<String>, otherwise: i64| match text {
            Some(text) => parse_instant(text, zone),
            None => Ok(otherwise),
        };
        let range = TimeRange::new(instant(&self.from, i64::MIN)?, instant(&self.to, i64::MAX)?)?;
        let bots = match self.bots {
            BotsChoice::Include => BotsBody::Include,
            BotsChoice::Exclude => BotsBody::Exclude,
            BotsChoice::Only => BotsBody::Only,
        };
        Ok(Selection { start_us: range.start_us, end_us: range.end_us, events: self.events.clone(), bots })
    }

    fn format(&self) -> ExportFormat {
        let extension = self.out.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
        self.format.unwrap_or(match extension.as_deref() {
            Some("csv") => ExportFormat::Csv,
            Some("parquet") => ExportFormat::Parquet,
            _ => ExportFormat::Ndjson,
        })
    }
}
