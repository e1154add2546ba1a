//! Accounts: who owns workspaces, on which plan, within which limits.

use sqlx::Row;
use tributary_boxed::boxed;
use tributary_core::error::{Code, Error, Result};
use tributary_core::ids::AccountId;
use tributary_core::plan::{Limits, Plan};
use uuid::Uuid;

use crate::control::Control;
use crate::store::{DatabaseRow, DatabaseTransaction, commit, damaged, failed};

/// Longest name of an account, workspace or key, characters.
pub(crate) const MAX_NAME_CHARS: usize = 128;

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Numeric id, never reused.
    pub id: AccountId,
    /// Public id.
    pub uuid: Uuid,
    /// 1 to 128 characters.
    pub name: String,
    /// The plan it is on.
    pub plan: Plan,
    /// What it may do; starts as the plan's, an operator may change any of it.
    pub limits: Limits,
    /// Creation, microseconds since the epoch, UTC.
    pub created_us: i64,
}

impl Control {
    /// Creates an account with the limits of a self-hosted install on `plan`.
    #[boxed]
    pub async fn create_account(&self, name: &str, plan: Plan) -> Result<Account> {
        let name = checked_name("account name", name)?;
        self.change(move |control| async move {
            let step = "the account could not be created";
            let limits = Limits::self_hosted(plan);
            let mut transaction = control.inner.store.begin().await?;
            let row = sqlx::query(
                "INSERT INTO accounts (uuid, name, plan, limits, created_us) VALUES ($1, $2, $3, $4, $5)
                 RETURNING id, uuid, name, plan, limits, created_us",
            )
            .bind(control.new_uuid().to_string())
            .bind(name)
            .bind(plan.as_str())
            .bind(limits_text(&limits)?)
            .bind(control.now_us())
            .fetch_one(&mut *transaction)
            .await
            .map_err(failed(step))?;
            let account = account_from(&row)?;
            commit(transaction).await?;
            Ok(account)
        })
        .await
    }

    /// Every account, oldest first.
    #[boxed]
    pub async fn list_accounts(&self) -> Result<Vec<Account>> {
        let rows = sqlx::query("SELECT id, uuid, name, plan, limits, created_us FROM accounts ORDER BY id")
            .fetch_all(self.inner.store.reader())
            .await
            .map_err(failed("the accounts could not be listed"))?;
        rows.iter().map(account_from).collect()
    }

    /// One account, or `not_found`.
    #[boxed]
    pub async fn get_account(&self, id: AccountId) -> Result<Account> {
        let mut transaction = self.inner.store.begin_read().await?;
        read_account(&mut transaction, id).await
    }

    /// Puts the account on another plan: the plan's features open and close at once, the numbers an operator has set
    /// (quota, retention, workspaces) stay.
    #[boxed]
    pub async fn set_plan(&self, id: AccountId, plan: Plan) -> Result<Account> {
        self.change(move |control| async move {
            let mut transaction = control.inner.store.begin().await?;
            let before = read_account(&mut transaction, id).await?;
            let Limits { mcp, account_mcp, .. } = Limits::self_hosted(plan);
            let after = Account { plan, limits: Limits { mcp, account_mcp, ..before.limits }, ..before };
            write_plan(&mut transaction, &after).await?;
            commit(transaction).await?;
            Ok(after)
        })
        .await
    }

    /// Replaces the account's limits. Errors: `invalid_params` for a retention of no day at all.
    #[boxed]
    pub async fn set_limits(&self, id: AccountId, limits: Limits) -> Result<Account> {
        if limits.retention_days == Some(0) {
            return Err(Error::new(
                Code::InvalidParams,
                "retention_days must be at least 1; leave it out to keep events for ever",
            ));
        }
        self.change(move |control| async move {
            let mut transaction = control.inner.store.begin().await?;
            let after = Account { limits, ..read_account(&mut transaction, id).await? };
            write_plan(&mut transaction, &after).await?;
            commit(transaction).await?;
            Ok(after)
        })
        .await
    }
}

/// Reads one account inside a transaction, or `not_found`.
pub(crate) async fn read_account(transaction: &mut DatabaseTransaction, id: AccountId) -> Result<Account> {
    let row = sqlx::query("SELECT id, uuid, name, plan, limits, created_us FROM accounts WHERE id = $1")
        .bind(id.0)
        .fetch_optional(&mut **transaction)
        .await
        .map_err(failed("the account could not be read"))?;
    row.as_ref().map(account_from).transpose()?.ok_or_else(|| Error::new(Code::NotFound, format!("no account has the id {id}")))
}

/// Trims and checks a name people will read.
pub(crate) fn checked_name(what: &'static str, name: &str) -> Result<String> {
    let name = name.trim();
    let length = name.chars().count();
    if (1..=MAX_NAME_CHARS).contains(&length) && !name.chars().any(char::is_control) {
        return Ok(name.to_owned());
    }
    Err(Error::new(
        Code::InvalidParams,
        format!("{what} must have 1 to {MAX_NAME_CHARS} characters, none of them a control character"),
    ))
}

async fn write_plan(transaction: &mut DatabaseTransaction, account: &Account) -> Result<()> {
    sqlx::query("UPDATE accounts SET plan = $2, limits = $3 WHERE id = $1")
        .bind(account.id.0)
        .bind(account.plan.as_str())
        .bind(limits_text(&account.limits)?)
        .execute(&mut **transaction)
        .await
        .map_err(failed("the account's plan could not be changed"))?;
    Ok(())
}

fn limits_text(limits: &Limits) -> Result<String> {
    serde_json::to_string(limits).map_err(|error| Error::internal("limits could not be written as JSON").caused_by(error))
}

fn account_from(row: &DatabaseRow) -> Result<Account> {
    let read = failed("an account's row could not be read");
    let uuid: &str = row.try_get("uuid").map_err(&read)?;
    let plan: &str = row.try_get("plan").map_err(&read)?;
    let limits: &str = row.try_get("limits").map_err(&read)?;
    Ok(Account {
        id: AccountId(row.try_get("id").map_err(&read)?),
        uuid: uuid.parse().map_err(|error: uuid::Error| damaged("an account's stored uuid is damaged").caused_by(error))?,
        name: row.try_get("name").map_err(&read)?,
        plan: plan.parse()?,
        limits: serde_json::from_str(limits)
            .map_err(|error| damaged("an account's stored limits are damaged").caused_by(error))?,
        created_us: row.try_get("created_us").map_err(&read)?,
    })
}
