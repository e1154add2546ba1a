//! Workspaces: create with their first keys, list with usage, change, delete with their events.

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};

use tributary_control::{NewWorkspace, Workspace, WorkspaceAccess, WorkspaceChange};
use tributary_core::error::{Code, Error, Result};
use tributary_core::ids::AccountId;
use tributary_core::money::Currency;
use tributary_core::time::format_utc;

use super::Operator;
use super::body::{Body, Refused};
use super::store::{Holdings, Person};

/// A new workspace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewWorkspaceBody {
    /// The account that owns it.
    pub account: i64,
    /// 1 to 128 characters.
    pub name: String,
    /// Short name in URLs and commands.
    pub slug: String,
    /// IANA time zone.
    pub timezone: String,
    /// ISO 4217 code.
    pub currency: String,
    /// Origins a publishable key may be used from.
    #[serde(default)]
    pub allowed_origins: Vec<String>,
}

/// What changes; absent fields stay.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WorkspaceChangeBody {
    /// New name.
    pub name: Option<String>,
    /// New slug.
    pub slug: Option<String>,
    /// New time zone.
    pub timezone: Option<String>,
    /// New currency.
    pub currency: Option<String>,
    /// All allowed origins.
    pub allowed_origins: Option<Vec<String>>,
}

/// A workspace as the operator sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkspaceAnswer {
    /// Numeric id.
    pub id: i64,
    /// Public id: the doors' `project_id`.
    pub uuid: String,
    /// Slug.
    pub slug: String,
    /// Name.
    pub name: String,
    /// The account that owns it.
    pub account_id: i64,
    /// IANA time zone.
    pub timezone: String,
    /// ISO 4217 code.
    pub currency: String,
    /// Origins a publishable key may be used from.
    pub allowed_origins: Vec<String>,
    /// Creation, RFC 3339 in UTC.
    pub created_at: String,
}

/// A new workspace with the only sight of its keys' tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CreatedWorkspace {
    /// The workspace.
    #[serde(flatten)]
    pub workspace: WorkspaceAnswer,
    /// Its first keys, shown once.
    pub keys: InitialKeys,
    /// Where to use them.
    pub doors: Doors,
}

/// The tokens of a new workspace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InitialKeys {
    /// Publishable: for web pages.
    pub pk: String,
    /// Secret: for servers.
    pub sk: String,
    /// Read: for agents and dashboards.
    pub rk: String,
}

/// URLs of every door.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Doors {
    /// REST: `/v1/track`, `/v1/batch`, `/v1/query`, `/v1/stats`, `/v1/sources` start here.
    pub rest: String,
    /// The browser script.
    pub script: String,
    /// MCP with an `rk_` or `sk_` key.
    pub mcp: String,
    /// MCP with the account's `ak_` key.
    pub mcp_account: String,
}

/// A workspace with what happens in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListedWorkspace {
    /// The workspace.
    #[serde(flatten)]
    pub workspace: WorkspaceAnswer,
    /// URLs of every door.
    pub doors: Doors,
    /// What is stored.
    pub holdings: Holdings,
    /// The calendar month (UTC) `month_events` counts, such as `2026-05`.
    pub month: String,
    /// Events accepted in it.
    pub month_events: u64,
    /// Whole days (UTC) events are kept, as the account's limits say; absent for ever.
    pub retention_days: Option<u32>,
    /// Rejected events by reason.
    pub rejected: Vec<RejectedCount>,
}

/// Events that were refused for one reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RejectedCount {
    /// Why.
    pub reason: String,
    /// How many.
    pub count: u64,
    /// When last, RFC 3339 in UTC.
    pub last_at: String,
}

/// What a deletion covered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Deleted {
    /// The workspace that was.
    pub workspace: WorkspaceAnswer,
    /// Events erased with it.
    pub events: u64,
}

impl From<&Workspace> for WorkspaceAnswer {
    fn from(workspace: &Workspace) -> Self {
        Self {
            id: workspace.id.0,
            uuid: workspace.uuid.to_string(),
            slug: workspace.slug.clone(),
            name: workspace.name.clone(),
            account_id: workspace.account.0,
            timezone: workspace.zone_name.clone(),
            currency: workspace.currency.to_string(),
            allowed_origins: workspace.allowed_origins.clone(),
            created_at: format_utc(workspace.created_us),
        }
    }
}

impl Doors {
    /// The doors under an address without a slash at the end.
    pub fn under(base_url: &str) -> Self {
        Self {
            rest: format!("{base_url}/v1"),
            script: format!("{base_url}/v1/a.js"),
            mcp: format!("{base_url}/mcp"),
            mcp_account: format!("{base_url}/mcp/account"),
        }
    }
}

impl Operator {
    /// The workspace an operator names by slug, UUID or numeric id.
    pub(super) async fn workspace(&self, selector: &str) -> Result<WorkspaceAccess> {
        let found = self.control.find_workspace(selector).await?;
        let Some(workspace) = found else {
            let known = self.control.list_workspaces(None).await?;
            let known: Vec<&str> = known.iter().map(|workspace| workspace.slug.as_str()).take(20).collect();
            let known = if known.is_empty() {
                String::from("there is none yet, `tributary workspace create` makes one")
            } else {
                format!("known: {}", known.join(", "))
            };
            return Err(Error::new(Code::NotFound, format!("no workspace `{selector}`; {known}")));
        };
        self.control.operator_access(workspace.id).await
    }
}

pub(super) async fn create(
    State(operator): State<Operator>,
    Body(new): Body<NewWorkspaceBody>,
) -> Result<Json<CreatedWorkspace>, Refused> {
    let workspace = operator
        .control
        .create_workspace(NewWorkspace {
            account: AccountId(new.account),
            name: new.name,
            slug: new.slug,
            zone: new.timezone,
            currency: new.currency.parse::<Currency>()?,
            allowed_origins: new.allowed_origins,
        })
        .await?;
    let keys = operator.control.create_default_keys(workspace.id).await?;
    Ok(Json(CreatedWorkspace {
        workspace: WorkspaceAnswer::from(&workspace),
        keys: InitialKeys { pk: keys.pk, sk: keys.sk, rk: keys.rk },
        doors: Doors::under(&operator.base_url),
    }))
}

pub(super) async fn list(State(operator): State<Operator>) -> Result<Json<Vec<ListedWorkspace>>, Refused> {
    let accounts = operator.control.list_accounts().await?;
    let mut listed = Vec::new();
    for workspace in operator.control.list_workspaces(None).await? {
        let access = operator.control.operator_access(workspace.id).await?;
        let usage = operator.control.usage(workspace.id).await?;
        listed.push(ListedWorkspace {
            workspace: WorkspaceAnswer::from(&workspace),
            doors: Doors::under(&operator.base_url),
            holdings: operator.store.holdings(&access).await?,
            month: usage.month,
            month_events: usage.month_events,
            retention_days: accounts
                .iter()
                .find(|account| account.id == workspace.account)
                .and_then(|account| account.limits.retention_days),
            rejected: usage
                .rejected
                .into_iter()
                .map(|one| RejectedCount { reason: one.reason, count: one.count, last_at: format_utc(one.last_us) })
                .collect(),
        });
    }
    Ok(Json(listed))
}

pub(super) async fn change(
    State(operator): State<Operator>,
    Path(selector): Path<String>,
    Body(change): Body<WorkspaceChangeBody>,
) -> Result<Json<WorkspaceAnswer>, Refused> {
    let id = operator.workspace(&selector).await?.workspace.id;
    let change = WorkspaceChange {
        name: change.name,
        slug: change.slug,
        zone: change.timezone,
        currency: change.currency.map(|code| code.parse::<Currency>()).transpose()?,
        allowed_origins: change.allowed_origins,
    };
    Ok(Json(WorkspaceAnswer::from(&operator.control.update_workspace(id, change).await?)))
}

pub(super) async fn remove(State(operator): State<Operator>, Path(selector): Path<String>) -> Result<Json<Deleted>, Refused> {
    let access = operator.workspace(&selector).await?;
    // Events go first, so that a failure leaves a workspace that can be deleted again; once more afterwards, for those that
    // came in while its keys still worked.
    let before = operator.store.erase(&access, Person::Everyone, true).await?;
    let workspace = operator.control.delete_workspace(access.workspace.id).await?;
    let after = operator.store.erase(&access, Person::Everyone, true).await?;
    Ok(Json(Deleted { workspace: WorkspaceAnswer::from(&workspace), events: before + after }))
}
