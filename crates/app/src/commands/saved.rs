//! `tributary saved`: metrics of one's own, segments, reports, dashboards.

use std::io::Read;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

use tributary_core::error::{Code, Error, Result};
use tributary_service::saved::{MAX_SAVED_BODY, SavedOutput};

use super::metrics::{show_answer, show_rows};
use crate::exit::Exit;
use crate::folder::Missing;
use crate::globals::Globals;
use crate::operator::segment;
use crate::output;

/// Save, list, change, delete and run metrics of one's own, segments, reports and dashboards.
#[derive(Debug, Subcommand)]
pub enum Saved {
    /// List what is saved of a kind
    List(Of),
    /// Show one
    Show(One),
    /// Save one: its definition comes from a file, or from standard input
    #[command(after_help = "Examples:
  echo '{\"type\": \"percent\", \"expression\": \"(gross_revenue - amount_spent) / gross_revenue\"}' \\
    | tributary saved create metric --workspace acme-shop --name 'Profit Margin'
  tributary saved create report --workspace acme-shop --name 'ROAS by source' report.json

Definitions are described in docs/metrics.md.")]
    Create(Create),
    /// Change the name or the definition of one
    #[command(
        after_help = "Example:\n  tributary saved change segment 3 --workspace acme-shop --name 'Big spenders' segment.json"
    )]
    Change(Change),
    /// Delete one that nothing uses
    Delete(One),
    /// Run a report or a dashboard, or list a segment's members
    #[command(after_help = "Example:\n  tributary saved run report 3 --workspace acme-shop --range this_month")]
    Run(Run),
}

/// What is saved.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Kind {
    /// A formula over metrics
    Metric,
    /// Contacts by what is known of them and what they did
    Segment,
    /// A metric question with a chart
    Report,
    /// Reports side by side
    Dashboard,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Metric => "metric",
            Kind::Segment => "segment",
            Kind::Report => "report",
            Kind::Dashboard => "dashboard",
        }
    }
}

/// Which kind, and whose.
#[derive(Args, Debug)]
pub struct Of {
    /// What is saved
    kind: Kind,
    /// Workspace by slug, UUID or id
    #[arg(long)]
    workspace: String,
}

impl Of {
    fn path(&self) -> String {
        format!("/saved/{}/{}", segment(&self.workspace), self.kind.name())
    }
}

/// One of them.
#[derive(Args, Debug)]
pub struct One {
    #[command(flatten)]
    of: Of,
    /// Its id
    id: i64,
}

/// Arguments of `saved create`.
#[derive(Args, Debug)]
pub struct Create {
    #[command(flatten)]
    of: Of,
    /// What people call it, 1 to 255 characters
    #[arg(long)]
    name: String,
    /// What questions call it; metrics only, made of the name unless given
    #[arg(long)]
    slug: Option<String>,
    /// A file with the definition, JSON; standard input unless given
    definition: Option<PathBuf>,
}

/// Arguments of `saved change`.
#[derive(Args, Debug)]
pub struct Change {
    #[command(flatten)]
    one: One,
    /// Another name
    #[arg(long)]
    name: Option<String>,
    /// Another slug; metrics only
    #[arg(long)]
    slug: Option<String>,
    /// A file with another definition, JSON
    definition: Option<PathBuf>,
}

/// Arguments of `saved run`.
#[derive(Args, Debug)]
pub struct Run {
    #[command(flatten)]
    one: One,
    /// Other days than its own: a preset, or two dates such as 2026-05-01..2026-05-31
    #[arg(long)]
    range: Option<String>,
}

/// Runs one of them.
pub async fn run(command: Saved, globals: &Globals) -> Result<Exit> {
    match command {
        Saved::List(of) => {
            let path = of.path();
            let rows: Value = globals.operate(Missing::Refuse, async |operator| operator.get(&path).await).await?;
            match globals.json {
                true => output::json(&rows)?,
                false => show_rows(&rows, Some(&["id", "name", "slug", "definition", "updated_at"]))?,
            }
        }
        Saved::Show(One { of, id }) => {
            let path = format!("{}/{id}", of.path());
            let saved: SavedOutput = globals.operate(Missing::Refuse, async |operator| operator.get(&path).await).await?;
            output::json(&saved)?;
        }
        Saved::Create(Create { of, name, slug, definition }) => {
            let body = body(Some(name), slug, Some(read(definition)?));
            let path = of.path();
            let saved = globals.operate(Missing::Refuse, async |operator| operator.post(&path, &body).await).await?;
            told(&saved, "saved", globals)?;
        }
        Saved::Change(Change { one: One { of, id }, name, slug, definition }) => {
            let definition = match definition {
                Some(file) => Some(read(Some(file))?),
                None => None,
            };
            let body = body(name, slug, definition);
            let path = format!("{}/{id}", of.path());
            let saved = globals.operate(Missing::Refuse, async |operator| operator.patch(&path, &body).await).await?;
            told(&saved, "changed", globals)?;
        }
        Saved::Delete(One { of, id }) => {
            let path = format!("{}/{id}", of.path());
            let gone: Value = globals.operate(Missing::Refuse, async |operator| operator.delete(&path).await).await?;
            match globals.json {
                true => output::json(&gone)?,
                false => output::line(&format!("{} {id} is deleted", of.kind.name()))?,
            }
        }
        Saved::Run(Run { one: One { of, id }, range }) => {
            let days = range.map_or_else(String::new, |range| match range.split_once("..") {
                Some((first, last)) => {
                    format!("?date_range=custom&date_start={}&date_end={}", segment(first), segment(last))
                }
                None => format!("?date_range={}", segment(&range)),
            });
            let path = format!("{}/{id}/run{days}", of.path());
            let answer: Value = globals.operate(Missing::Refuse, async |operator| operator.get(&path).await).await?;
            show_run(of.kind, &answer, globals)?;
        }
    }
    Ok(Exit::Done)
}

fn show_run(kind: Kind, answer: &Value, globals: &Globals) -> Result<()> {
    if globals.json {
        return output::json(answer);
    }
    match kind {
        Kind::Dashboard => {
            for report in answer["reports"].as_array().into_iter().flatten() {
                output::line(&format!("\n{}", report["name"].as_str().unwrap_or_default()))?;
                show_answer(report, &["rows", "unattributed"])?;
            }
            Ok(())
        }
        Kind::Segment => {
            show_rows(&answer["rows"], Some(&["id", "email", "name", "created_at"]))?;
            output::line(&format!("\n{} members", answer["total"]))
        }
        Kind::Report | Kind::Metric => show_answer(answer, &["rows", "unattributed"]),
    }
}

fn body(name: Option<String>, slug: Option<String>, definition: Option<Value>) -> Value {
    let mut body = Map::new();
    for (field, value) in [("name", name.map(Value::from)), ("slug", slug.map(Value::from)), ("definition", definition)] {
        if let Some(value) = value {
            body.insert(String::from(field), value);
        }
    }
    json!(body)
}

/// A definition out of a file, or out of standard input.
fn read(file: Option<PathBuf>) -> Result<Value> {
    let refuse = |problem: &str| {
        let from = file.as_ref().map_or_else(|| String::from("standard input"), |file| file.display().to_string());
        Error::new(Code::InvalidParams, format!("the definition in {from} {problem}"))
    };
    let reader: Box<dyn Read> = match &file {
        Some(file) => Box::new(std::fs::File::open(file).map_err(|error| refuse("cannot be read").caused_by(error))?),
        None => Box::new(std::io::stdin()),
    };
    let mut text = Vec::new();
    let limit = MAX_SAVED_BODY as u64;
    reader.take(limit + 1).read_to_end(&mut text).map_err(|error| refuse("cannot be read").caused_by(error))?;
    if text.len() as u64 > limit {
        return Err(refuse("is larger than 128 KiB"));
    }
    serde_json::from_slice(&text).map_err(|error| refuse(&format!("is not valid JSON: {error}")))
}

fn told(saved: &SavedOutput, what: &str, globals: &Globals) -> Result<()> {
    match globals.json {
        true => output::json(saved),
        false => output::line(&format!("{what} as {}: {}", saved.id, saved.name)),
    }
}
