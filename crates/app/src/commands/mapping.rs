//! `tributary mapping`: rules that turn events and webhooks into conversions.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use tributary_core::error::{Code, Error, Result};
use tributary_http::admin::Removed;
use tributary_service::mappings::apply::MappedEvent;
use tributary_service::mappings::{MAX_MAPPING_BODY, MappingRow, SourceRow};

use crate::exit::Exit;
use crate::folder::Missing;
use crate::globals::Globals;
use crate::operator::segment;
use crate::output;

/// Make, list, try and remove the rules that turn events and webhooks into conversions.
#[derive(Debug, Subcommand)]
pub enum Mapping {
    /// List the rules
    List(Of),
    /// Make a rule, of named events or of what comes in at a webhook endpoint
    #[command(after_help = "Examples:
  tributary mapping add --workspace acme-shop --name 'Checkout' --to purchase --event checkout_done
  tributary mapping add --workspace acme-shop --name 'Shopify orders' --to purchase --endpoint 3 --rule shopify.json

shopify.json holds conditions and fields; see docs/conversions.md:
  {\"conditions\": [{\"path\": \"test\", \"operator\": \"not_equal_to\", \"value\": true}],
   \"fields\": {\"email\": {\"path\": \"email\"}, \"amount\": {\"path\": \"total_price\", \"required\": true}}}")]
    Add(Add),
    /// Remove a rule
    Remove {
        #[command(flatten)]
        of: Of,
        /// The rule by id
        rule: i64,
    },
    /// Show the event a webhook rule would make of a payload
    #[command(after_help = "Example:\n  tributary mapping preview --workspace acme-shop 7 order.json")]
    Preview {
        #[command(flatten)]
        of: Of,
        /// The rule by id
        rule: i64,
        /// A file with the payload, JSON of at most 1 MiB
        payload: PathBuf,
    },
}

/// Whose rules.
#[derive(Args, Debug)]
pub struct Of {
    /// Workspace by slug, UUID or id
    #[arg(long)]
    workspace: String,
}

/// Arguments of `mapping add`.
#[derive(Args, Debug)]
pub struct Add {
    #[command(flatten)]
    of: Of,
    /// What people call the rule
    #[arg(long)]
    name: String,
    /// What it makes: a slug, or a label of a custom slot
    #[arg(long, value_name = "CONVERSION")]
    to: String,
    /// Events of this name
    #[arg(long, required_unless_present = "endpoint", conflicts_with = "endpoint")]
    event: Option<String>,
    /// What comes in at this webhook endpoint, by id
    #[arg(long, requires = "rule")]
    endpoint: Option<i64>,
    /// A file with conditions and fields, JSON
    #[arg(long, requires = "endpoint", value_name = "FILE")]
    rule: Option<PathBuf>,
}

/// Runs one of them.
pub async fn run(command: Mapping, globals: &Globals) -> Result<Exit> {
    match command {
        Mapping::List(of) => {
            let path = format!("/mappings/{}", segment(&of.workspace));
            let rows = globals.operate(Missing::Refuse, async |operator| operator.get(&path).await).await?;
            show(rows, globals)?;
        }
        Mapping::Add(add) => {
            let path = format!("/mappings/{}", segment(&add.of.workspace));
            let body = body_of(&add)?;
            let row = globals.operate(Missing::Refuse, async |operator| operator.post(&path, &body).await).await?;
            show(vec![row], globals)?;
        }
        Mapping::Remove { of, rule } => {
            let path = format!("/mappings/{}/{rule}", segment(&of.workspace));
            let removed: Removed = globals.operate(Missing::Refuse, async |operator| operator.delete(&path).await).await?;
            match globals.json {
                true => output::json(&removed)?,
                false => output::line(&format!("rule {} is removed", removed.id))?,
            }
        }
        Mapping::Preview { of, rule, payload } => {
            let path = format!("/mappings/{}/{rule}/preview", segment(&of.workspace));
            let payload = read_json(&payload)?;
            let event: MappedEvent =
                globals.operate(Missing::Refuse, async |operator| operator.post(&path, &payload).await).await?;
            output::json(&event)?;
        }
    }
    Ok(Exit::Done)
}

fn body_of(add: &Add) -> Result<Value> {
    let source = match (&add.event, add.endpoint, &add.rule) {
        (Some(event), _, _) => json!({ "event": event }),
        (None, Some(endpoint), Some(file)) => {
            let Value::Object(mut webhook) = read_json(file)? else {
                return Err(unreadable(file, "must hold an object with conditions and fields"));
            };
            webhook.insert(String::from("endpoint"), Value::from(endpoint));
            json!({ "webhook": webhook })
        }
        (None, _, _) => Value::Object(Map::new()),
    };
    Ok(json!({ "name": add.name, "to": add.to, "source": source }))
}

fn read_json(file: &Path) -> Result<Value> {
    let size = std::fs::metadata(file).map_err(|error| unreadable(file, "cannot be read").caused_by(error))?.len();
    if size > MAX_MAPPING_BODY as u64 {
        return Err(unreadable(file, "is larger than 1 MiB"));
    }
    let text = std::fs::read(file).map_err(|error| unreadable(file, "cannot be read").caused_by(error))?;
    serde_json::from_slice(&text).map_err(|error| unreadable(file, &format!("is not valid JSON: {error}")))
}

fn unreadable(file: &Path, problem: &str) -> Error {
    Error::new(Code::InvalidParams, format!("{} {problem}", file.display()))
}

fn show(rows: Vec<MappingRow>, globals: &Globals) -> Result<()> {
    if globals.json {
        return output::json(&rows);
    }
    let row = |row: MappingRow| {
        let source = match row.source {
            SourceRow::Event(event) => format!("event {event}"),
            SourceRow::Webhook(webhook) => {
                format!(
                    "endpoint {}: {} fields, {} conditions",
                    webhook.endpoint,
                    webhook.rule.fields.len(),
                    webhook.rule.conditions.len()
                )
            }
        };
        vec![row.id.to_string(), row.name, source, row.to]
    };
    let rows: Vec<Vec<String>> = rows.into_iter().map(row).collect();
    output::table(&["rule", "name", "of", "makes"], &rows)
}
