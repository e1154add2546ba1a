//! Accounts: create, list, change plan or limits.

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};

use tributary_control::Account;
use tributary_core::ids::AccountId;
use tributary_core::plan::{Limits, Plan};
use tributary_core::time::format_utc;

use super::Operator;
use super::body::{Body, Refused};

/// A new account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewAccountBody {
    /// 1 to 128 characters.
    pub name: String,
    /// Its plan.
    pub plan: Plan,
}

/// What changes; absent fields stay.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccountChange {
    /// The new plan: its features open and close at once.
    pub plan: Option<Plan>,
    /// The new limits, all of them.
    pub limits: Option<Limits>,
}

/// An account as the operator sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccountAnswer {
    /// Numeric id.
    pub id: i64,
    /// Public id.
    pub uuid: String,
    /// Name.
    pub name: String,
    /// Plan.
    pub plan: Plan,
    /// What the account may do.
    pub limits: Limits,
    /// Creation, RFC 3339 in UTC.
    pub created_at: String,
}

impl From<Account> for AccountAnswer {
    fn from(account: Account) -> Self {
        Self {
            id: account.id.0,
            uuid: account.uuid.to_string(),
            name: account.name,
            plan: account.plan,
            limits: account.limits,
            created_at: format_utc(account.created_us),
        }
    }
}

pub(super) async fn create(
    State(operator): State<Operator>,
    Body(new): Body<NewAccountBody>,
) -> Result<Json<AccountAnswer>, Refused> {
    Ok(Json(operator.control.create_account(&new.name, new.plan).await?.into()))
}

pub(super) async fn list(State(operator): State<Operator>) -> Result<Json<Vec<AccountAnswer>>, Refused> {
    Ok(Json(operator.control.list_accounts().await?.into_iter().map(AccountAnswer::from).collect()))
}

pub(super) async fn change(
    State(operator): State<Operator>,
    Path(id): Path<i64>,
    Body(change): Body<AccountChange>,
) -> Result<Json<AccountAnswer>, Refused> {
    let id = AccountId(id);
    if let Some(plan) = change.plan {
        operator.control.set_plan(id, plan).await?;
    }
    if let Some(limits) = change.limits {
        operator.control.set_limits(id, limits).await?;
    }
    Ok(Json(operator.control.get_account(id).await?.into()))
}
