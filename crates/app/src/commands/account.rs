//! `tributary account`: who owns workspaces, on which plan.

use clap::{Args, Subcommand};
use std::str::FromStr;

use tributary_core::error::{Code, Error, Result};
use tributary_core::plan::Plan;
use tributary_http::admin::{AccountAnswer, AccountChange, NewAccountBody};

use crate::exit::Exit;
use crate::folder::Missing;
use crate::globals::Globals;
use crate::output;

/// Create, list and change accounts.
#[derive(Debug, Subcommand)]
pub enum Account {
    /// Create an account (and the data folder, if there is none yet)
    #[command(after_help = "Example:\n  tributary account create --name 'Acme Agency' --plan business")]
    Create(Create),
    /// List accounts
    List,
    /// Put an account on another plan; its features open and close at once
    #[command(after_help = "Example:\n  tributary account set-plan --account 1 --plan pro")]
    SetPlan(SetPlan),
    /// Set an account's own numbers; a self-hosted account starts without any
    #[command(after_help = "Example:\n  tributary account set-limits --account 1 --monthly-events 1000000 --retention-days 365")]
    SetLimits(SetLimits),
}

/// Arguments of `account create`.
#[derive(Args, Debug)]
pub struct Create {
    /// Name people read
    #[arg(long)]
    name: String,
    /// free: REST only; pro: adds /mcp; business: adds /mcp/account. No quota on any of them
    #[arg(long, default_value = "business", value_parser = plan, value_name = "free|pro|business")]
    plan: Plan,
}

/// Arguments of `account set-plan`.
#[derive(Args, Debug)]
pub struct SetPlan {
    /// The account's numeric id
    #[arg(long, value_name = "ID")]
    account: i64,
    /// The new plan
    #[arg(long, value_parser = plan, value_name = "free|pro|business")]
    plan: Plan,
}

/// Arguments of `account set-limits`.
#[derive(Args, Debug)]
pub struct SetLimits {
    /// The account's numeric id
    #[arg(long, value_name = "ID")]
    account: i64,
    /// Events accepted per calendar month (UTC), all its workspaces together
    #[arg(long, value_name = "N|none", required_unless_present_any = ["workspaces", "retention_days"])]
    monthly_events: Option<Cap>,
    /// Workspaces it may own
    #[arg(long, value_name = "N|none")]
    workspaces: Option<Cap>,
    /// Whole days (UTC) events are kept, counted by their own time; what expires is gone for good
    #[arg(long, value_name = "N|none")]
    retention_days: Option<Cap>,
}

/// A number, or none at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cap(Option<u32>);

impl FromStr for Cap {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Cap(None));
        }
        text.parse().map(|number| Cap(Some(number))).map_err(|_| format!("accepted: none, or a number up to {}", u32::MAX))
    }
}

/// Runs one of them.
pub async fn run(command: Account, globals: &Globals) -> Result<Exit> {
    match command {
        Account::Create(Create { name, plan }) => {
            let body = NewAccountBody { name, plan };
            let account: AccountAnswer =
                globals.operate(Missing::Create, async |operator| operator.post("/accounts", &body).await).await?;
            if globals.json {
                output::json(&account)?;
            } else {
                output::line(&format!("created account {} `{}` on plan {}", account.id, account.name, account.plan.as_str()))?;
                output::remark(&format!(
                    "next: tributary workspace create --account {} --name 'My Site' --slug my-site --timezone Europe/Berlin --currency EUR",
                    account.id
                ));
            }
        }
        Account::List => {
            let accounts: Vec<AccountAnswer> =
                globals.operate(Missing::Refuse, async |operator| operator.get("/accounts").await).await?;
            if globals.json {
                output::json(&accounts)?;
            } else {
                let rows: Vec<Vec<String>> = accounts
                    .into_iter()
                    .map(|one| {
                        let kept = kept(one.limits.retention_days);
                        vec![one.id.to_string(), one.name, one.plan.as_str().to_owned(), kept, one.uuid, one.created_at]
                    })
                    .collect();
                output::table(&["id", "name", "plan", "events kept", "uuid", "created"], &rows)?;
            }
        }
        Account::SetLimits(wanted) => set_limits(wanted, globals).await?,
        Account::SetPlan(SetPlan { account, plan }) => {
            let body = AccountChange { plan: Some(plan), limits: None };
            let path = format!("/accounts/{account}");
            let account: AccountAnswer =
                globals.operate(Missing::Refuse, async |operator| operator.patch(&path, &body).await).await?;
            if globals.json {
                output::json(&account)?;
            } else {
                output::line(&format!("account {} is on plan {}", account.id, account.plan.as_str()))?;
            }
        }
    }
    Ok(Exit::Done)
}

async fn set_limits(wanted: SetLimits, globals: &Globals) -> Result<()> {
    let changed: AccountAnswer = globals
        .operate(Missing::Refuse, async |operator| {
            let accounts: Vec<AccountAnswer> = operator.get("/accounts").await?;
            let unknown = || {
                Error::new(
                    Code::NotFound,
                    format!("no account has the id {}; `tributary account list` shows them", wanted.account),
                )
            };
            let mut limits = accounts.into_iter().find(|account| account.id == wanted.account).ok_or_else(unknown)?.limits;
            if let Some(Cap(number)) = wanted.monthly_events {
                limits.monthly_events = number.map(u64::from);
            }
            if let Some(Cap(number)) = wanted.workspaces {
                limits.workspaces = number;
            }
            if let Some(Cap(number)) = wanted.retention_days {
                limits.retention_days = number;
            }
            operator.patch(&format!("/accounts/{}", wanted.account), &AccountChange { plan: None, limits: Some(limits) }).await
        })
        .await?;
    if globals.json {
        return output::json(&changed);
    }
    let shown = |number: Option<u64>| number.map_or_else(|| String::from("no limit"), |number| number.to_string());
    output::line(&format!(
        "account {}: events a month {}, workspaces {}, events kept {}",
        changed.id,
        shown(changed.limits.monthly_events),
        shown(changed.limits.workspaces.map(u64::from)),
        kept(changed.limits.retention_days)
    ))
}

/// How long events are kept, for people.
pub(super) fn kept(retention_days: Option<u32>) -> String {
    match retention_days {
        None => String::from("for ever"),
        Some(1) => String::from("for 1 day"),
        Some(days) => format!("for {days} days"),
    }
}

fn plan(text: &str) -> Result<Plan, String> {
    text.parse().map_err(|error: tributary_core::error::Error| error.message().to_owned())
}
