//! `tributary webhook`: addresses other systems send webhooks to.

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use tributary_core::error::Result;
use tributary_http::admin::Removed;
use tributary_service::webhook_endpoints::{EndpointRow, IssuedEndpoint};

use crate::exit::Exit;
use crate::folder::Missing;
use crate::globals::Globals;
use crate::operator::segment;
use crate::output;

/// Open, list, change and close webhook endpoints.
#[derive(Debug, Subcommand)]
pub enum Webhook {
    /// List the endpoints, without their secrets
    List(Of),
    /// Open an endpoint and show its signing secret, this once
    #[command(after_help = "Examples:
  tributary webhook add --workspace acme-shop --name 'Our CRM'
  tributary webhook add --workspace acme-shop --name Shopify --provider shopify --signing-secret shpss_0123456789")]
    Add(Add),
    /// Rename an endpoint, change its provider, switch it on or off
    #[command(after_help = "Example:\n  tributary webhook change --workspace acme-shop 3 --active false")]
    Change(Change),
    /// Replace the signing secret of an endpoint and show the new one, this once
    #[command(after_help = "Example:\n  tributary webhook rotate --workspace acme-shop 3")]
    Rotate(Rotate),
    /// Close an endpoint no mapping rule reads
    Remove {
        #[command(flatten)]
        of: Of,
        /// The endpoint by id
        endpoint: i64,
    },
}

/// Whose endpoints.
#[derive(Args, Debug)]
pub struct Of {
    /// Workspace by slug, UUID or id
    #[arg(long)]
    workspace: String,
}

/// Arguments of `webhook add`.
#[derive(Args, Debug)]
pub struct Add {
    #[command(flatten)]
    of: Of,
    /// What people call it
    #[arg(long)]
    name: String,
    /// Who sends: shopify, stripe, hubspot, ...
    #[arg(long, default_value = "generic")]
    provider: String,
    /// The secret the provider signs with; without it one is drawn
    #[arg(long, value_name = "SECRET")]
    signing_secret: Option<String>,
}

/// Arguments of `webhook change`.
#[derive(Args, Debug)]
pub struct Change {
    #[command(flatten)]
    of: Of,
    /// The endpoint by id
    endpoint: i64,
    /// What people call it
    #[arg(long)]
    name: Option<String>,
    /// Who sends
    #[arg(long)]
    provider: Option<String>,
    /// Whether it takes anything in
    #[arg(long, value_name = "true|false")]
    active: Option<bool>,
}

/// Arguments of `webhook rotate`.
#[derive(Args, Debug)]
pub struct Rotate {
    #[command(flatten)]
    of: Of,
    /// The endpoint by id
    endpoint: i64,
    /// The secret the provider signs with from now on; without it one is drawn
    #[arg(long, value_name = "SECRET")]
    signing_secret: Option<String>,
}

/// Runs one of them.
pub async fn run(command: Webhook, globals: &Globals) -> Result<Exit> {
    match command {
        Webhook::List(of) => {
            let path = format!("/webhooks/{}", segment(&of.workspace));
            let rows = globals.operate(Missing::Refuse, async |operator| operator.get(&path).await).await?;
            show(rows, globals)?;
        }
        Webhook::Add(Add { of, name, provider, signing_secret }) => {
            let path = format!("/webhooks/{}", segment(&of.workspace));
            let mut given = secret_body(signing_secret);
            given.insert(String::from("name"), json!(name));
            given.insert(String::from("provider"), json!(provider));
            let issued = globals.operate(Missing::Refuse, async |operator| operator.post(&path, &given).await).await?;
            show_issued(&issued, globals)?;
        }
        Webhook::Change(Change { of, endpoint, name, provider, active }) => {
            let path = format!("/webhooks/{}/{endpoint}", segment(&of.workspace));
            let mut given: Map<String, Value> = Map::new();
            given.extend(name.map(|name| (String::from("name"), Value::from(name))));
            given.extend(provider.map(|provider| (String::from("provider"), Value::from(provider))));
            given.extend(active.map(|active| (String::from("is_active"), Value::from(active))));
            let row = globals.operate(Missing::Refuse, async |operator| operator.patch(&path, &given).await).await?;
            show(vec![row], globals)?;
        }
        Webhook::Rotate(Rotate { of, endpoint, signing_secret }) => {
            let path = format!("/webhooks/{}/{endpoint}/rotate", segment(&of.workspace));
            let given = secret_body(signing_secret);
            let issued = globals.operate(Missing::Refuse, async |operator| operator.post(&path, &given).await).await?;
            show_issued(&issued, globals)?;
        }
        Webhook::Remove { of, endpoint } => {
            let path = format!("/webhooks/{}/{endpoint}", segment(&of.workspace));
            let removed: Removed = globals.operate(Missing::Refuse, async |operator| operator.delete(&path).await).await?;
            match globals.json {
                true => output::json(&removed)?,
                false => output::line(&format!("endpoint {} is closed", removed.id))?,
            }
        }
    }
    Ok(Exit::Done)
}

fn secret_body(signing_secret: Option<String>) -> Map<String, Value> {
    signing_secret.map(|secret| (String::from("signing_secret"), Value::from(secret))).into_iter().collect()
}

fn show_issued(issued: &IssuedEndpoint, globals: &Globals) -> Result<()> {
    if globals.json {
        return output::json(issued);
    }
    let EndpointRow { id, token, .. } = &issued.endpoint;
    output::line(&format!("endpoint: {id}"))?;
    output::line(&format!("token: {token}"))?;
    output::line(&format!("signing secret: {}", issued.signing_secret))?;
    output::remark("the secret is shown this once; `tributary webhook rotate` makes another");
    Ok(())
}

fn show(rows: Vec<EndpointRow>, globals: &Globals) -> Result<()> {
    if globals.json {
        return output::json(&rows);
    }
    let row = |row: EndpointRow| {
        let active = if row.is_active { "yes" } else { "no" };
        vec![row.id.to_string(), row.name, row.provider, String::from(active), row.token]
    };
    let rows: Vec<Vec<String>> = rows.into_iter().map(row).collect();
    output::table(&["endpoint", "name", "provider", "active", "token"], &rows)
}
