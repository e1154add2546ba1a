//! `tributary workspace`: the sites and products whose events are kept apart.

use clap::{ArgGroup, Args, Subcommand};

use tributary_core::error::{Code, Error, Result};
use tributary_http::admin::{CreatedWorkspace, Deleted, ListedWorkspace, NewWorkspaceBody, WorkspaceAnswer, WorkspaceChangeBody};

use super::account::kept;
use crate::exit::Exit;
use crate::folder::Missing;
use crate::globals::Globals;
use crate::operator::segment;
use crate::output;

/// Create, list, change and delete workspaces.
#[derive(Debug, Subcommand)]
pub enum Workspace {
    /// Create a workspace with its first pk, sk and rk key; the tokens are shown once
    #[command(after_help = "Example:
  tributary workspace create --account 1 --name 'Acme Shop' --slug acme-shop \\
    --timezone Europe/Berlin --currency EUR --origin https://shop.example --origin https://www.shop.example")]
    Create(Create),
    /// List workspaces: ids, URLs of every door, usage, last event, rejected events with reasons
    List,
    /// Change a workspace's name, and its slug too if wished
    Rename(Rename),
    /// Change time zone, currency or the origins publishable keys may be used from
    Update(Update),
    /// Delete a workspace, its keys and all its events, on disk too
    Delete(Delete),
}

/// Arguments of `workspace create`.
#[derive(Args, Debug)]
pub struct Create {
    /// The account that owns it
    #[arg(long, value_name = "ID")]
    account: i64,
    /// Name people read
    #[arg(long)]
    name: String,
    /// Short name used in commands and by agents: lower-case letters, digits and dashes
    #[arg(long)]
    slug: String,
    /// IANA time zone of its days, such as Europe/Berlin
    #[arg(long, default_value = "UTC", value_name = "TZ")]
    timezone: String,
    /// ISO 4217 currency of its money, such as EUR
    #[arg(long, default_value = "USD", value_name = "CODE")]
    currency: String,
    /// Origin its publishable key may be used from, such as https://shop.example; repeat for more
    #[arg(long = "origin", value_name = "ORIGIN")]
    origins: Vec<String>,
}

/// Arguments of `workspace rename`.
#[derive(Args, Debug)]
pub struct Rename {
    /// Workspace by slug, UUID or id
    #[arg(long)]
    workspace: String,
    /// New name
    #[arg(long, required_unless_present = "slug")]
    name: Option<String>,
    /// New slug
    #[arg(long)]
    slug: Option<String>,
}

/// Arguments of `workspace update`.
#[derive(Args, Debug)]
#[command(group(ArgGroup::new("change").required(true).multiple(true).args(["timezone", "currency", "origins", "no_origins"])))]
pub struct Update {
    /// Workspace by slug, UUID or id
    #[arg(long)]
    workspace: String,
    /// New time zone
    #[arg(long, value_name = "TZ")]
    timezone: Option<String>,
    /// New currency
    #[arg(long, value_name = "CODE")]
    currency: Option<String>,
    /// Allowed origins; the list given replaces the one before
    #[arg(long = "origin", value_name = "ORIGIN")]
    origins: Vec<String>,
    /// Allow no origin at all
    #[arg(long, conflicts_with = "origins")]
    no_origins: bool,
}

/// Arguments of `workspace delete`.
#[derive(Args, Debug)]
pub struct Delete {
    /// Workspace by slug, UUID or id
    #[arg(long)]
    workspace: String,
    /// Really delete it with all its events
    #[arg(long)]
    yes: bool,
}

/// Runs one of them.
pub async fn run(command: Workspace, globals: &Globals) -> Result<Exit> {
    match command {
        Workspace::Create(create) => {
            let body = NewWorkspaceBody {
                account: create.account,
                name: create.name,
                slug: create.slug,
                timezone: create.timezone,
                currency: create.currency,
                allowed_origins: create.origins,
            };
            let created: CreatedWorkspace =
                globals.operate(Missing::Refuse, async |operator| operator.post("/workspaces", &body).await).await?;
            show_created(&created, globals)?;
        }
        Workspace::List => {
            let listed: Vec<ListedWorkspace> =
                globals.operate(Missing::Refuse, async |operator| operator.get("/workspaces").await).await?;
            show_list(&listed, globals)?;
        }
        Workspace::Rename(Rename { workspace, name, slug }) => {
            let body = WorkspaceChangeBody { name, slug, ..WorkspaceChangeBody::default() };
            change(&workspace, &body, globals).await?;
        }
        Workspace::Update(Update { workspace, timezone, currency, origins, no_origins }) => {
            let allowed_origins = (no_origins || !origins.is_empty()).then_some(origins);
            let body = WorkspaceChangeBody { timezone, currency, allowed_origins, ..WorkspaceChangeBody::default() };
            change(&workspace, &body, globals).await?;
        }
        Workspace::Delete(Delete { workspace, yes: false }) => {
            return Err(Error::new(
                Code::InvalidParams,
                format!("deleting `{workspace}` erases all its events for good; repeat with --yes to do it"),
            ));
        }
        Workspace::Delete(Delete { workspace, yes: true }) => {
            let path = format!("/workspaces/{}", segment(&workspace));
            let deleted: Deleted = globals.operate(Missing::Refuse, async |operator| operator.delete(&path).await).await?;
            if globals.json {
                output::json(&deleted)?;
            } else {
                output::line(&format!("deleted workspace `{}` and {} events", deleted.workspace.slug, deleted.events))?;
            }
        }
    }
    Ok(Exit::Done)
}

async fn change(workspace: &str, body: &WorkspaceChangeBody, globals: &Globals) -> Result<()> {
    let path = format!("/workspaces/{}", segment(workspace));
    let changed: WorkspaceAnswer = globals.operate(Missing::Refuse, async |operator| operator.patch(&path, body).await).await?;
    if globals.json {
        return output::json(&changed);
    }
    output::line(&format!(
        "workspace {} `{}`: {}, {}, {}, origins {}",
        changed.id,
        changed.slug,
        changed.name,
        changed.timezone,
        changed.currency,
        origins(&changed)
    ))
}

fn show_created(created: &CreatedWorkspace, globals: &Globals) -> Result<()> {
    if globals.json {
        return output::json(created);
    }
    let workspace = &created.workspace;
    output::line(&format!("created workspace {} `{}` ({})", workspace.id, workspace.slug, workspace.uuid))?;
    output::table(
        &["key", "token, shown only now", "for"],
        &[
            vec![String::from("pk"), created.keys.pk.clone(), String::from("web pages: sends events from the allowed origins")],
            vec![String::from("sk"), created.keys.sk.clone(), String::from("servers: sends events; reads over MCP")],
            vec![String::from("rk"), created.keys.rk.clone(), String::from("agents and dashboards: reads")],
        ],
    )?;
    output::line(&format!("REST {}   MCP {}", created.doors.rest, created.doors.mcp))?;
    if workspace.allowed_origins.is_empty() {
        output::remark(&format!(
            "the pk key works from no page yet: tributary workspace update --workspace {} --origin https://your.site",
            workspace.slug
        ));
    }
    Ok(())
}

fn show_list(listed: &[ListedWorkspace], globals: &Globals) -> Result<()> {
    if globals.json {
        return output::json(&listed);
    }
    let rows: Vec<Vec<String>> = listed
        .iter()
        .map(|one| {
            let workspace = &one.workspace;
            vec![
                workspace.id.to_string(),
                workspace.slug.clone(),
                workspace.name.clone(),
                workspace.account_id.to_string(),
                workspace.timezone.clone(),
                workspace.currency.clone(),
                one.holdings.events.to_string(),
                one.month_events.to_string(),
                one.holdings.last_event_at.clone().unwrap_or_else(|| String::from("-")),
                one.rejected.iter().map(|rejected| rejected.count).sum::<u64>().to_string(),
            ]
        })
        .collect();
    output::table(
        &["id", "slug", "name", "account", "timezone", "currency", "events", "this month", "last event", "rejected"],
        &rows,
    )?;
    for one in listed {
        let workspace = &one.workspace;
        output::line(&format!("\n{} ({})", workspace.slug, workspace.uuid))?;
        output::line(&format!("  REST {}   script {}", one.doors.rest, one.doors.script))?;
        output::line(&format!("  MCP {}   account MCP {}", one.doors.mcp, one.doors.mcp_account))?;
        let (origins, bytes, kept) = (origins(workspace), one.holdings.disk_bytes, kept(one.retention_days));
        output::line(&format!("  origins {origins}   on disk {bytes} bytes   events kept {kept}"))?;
        for rejected in &one.rejected {
            output::line(&format!("  rejected {} x {}, last {}", rejected.count, rejected.reason, rejected.last_at))?;
        }
    }
    Ok(())
}

fn origins(workspace: &WorkspaceAnswer) -> String {
    if workspace.allowed_origins.is_empty() { String::from("none") } else { workspace.allowed_origins.join(", ") }
}
