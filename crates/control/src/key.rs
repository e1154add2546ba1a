//! Keys: created, listed, revoked, rotated. Only hashes of their secrets are stored.

use sqlx::Row;
use tributary_boxed::boxed;
use tributary_core::credential::KeyKind;
use tributary_core::error::{Code, Error, Result};
use tributary_core::ids::{AccountId, KeyId, WorkspaceId};

use crate::account::{checked_name, read_account};
use crate::control::Control;
use crate::store::{DatabaseRow, DatabaseTransaction, commit, damaged, failed};
use crate::token::ENV;
use crate::workspace::read_workspace;

/// Most unrevoked keys one workspace or account may hold.
const MAX_LIVE_KEYS: i64 = 1_000;
/// Draws of a prefix before giving up. Two keys share one of 2^32 prefixes once in a long while.
const MAX_PREFIX_DRAWS: usize = 8;

/// A key as it may be shown: everything but its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Numeric id.
    pub id: KeyId,
    /// What it may be used for.
    pub kind: KeyKind,
    /// Always `live`.
    pub env: String,
    /// Eight lowercase hexadecimal digits, unique, safe to show.
    pub prefix: String,
    /// The operator's note, 1 to 128 characters.
    pub label: String,
    /// What it opens.
    pub owner: KeyOwner,
    /// Creation, microseconds since the epoch, UTC.
    pub created_us: i64,
    /// Last successful authentication, microseconds since the epoch, UTC.
    pub last_used_us: Option<i64>,
    /// Revocation, microseconds since the epoch, UTC; such a key opens nothing.
    pub revoked_us: Option<i64>,
}

impl Key {
    /// The form people see: `rk_live_0a1b2c3d`.
    pub fn display(&self) -> String {
        format!("{}_{}_{}", self.kind.as_str(), self.env, self.prefix)
    }
}

/// What a key opens: one workspace (`pk`, `sk`, `rk`), or every workspace of an account (`ak`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyOwner {
    /// One workspace.
    Workspace(WorkspaceId),
    /// Every live workspace of an account.
    Account(AccountId),
}

/// What a new key is made of.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// A workspace for `pk`, `sk`, `rk`; an account for `ak`.
    pub owner: KeyOwner,
    /// What it may be used for.
    pub kind: KeyKind,
    /// The operator's note, 1 to 128 characters.
    pub label: String,
}

/// The three tokens a new workspace starts with, shown once.
#[derive(Clone)]
pub struct DefaultKeys {
    /// For browsers.
    pub pk: String,
    /// For servers.
    pub sk: String,
    /// For agents and dashboards.
    pub rk: String,
}

impl Control {
    /// Creates a key and returns it with its token, which exists nowhere else.
    ///
    /// An `ak` key may be created on any plan: the account door answers 402 until the account's limits open it.
    /// Errors: `not_found` for an unknown owner, `invalid_params` for a kind that does not fit the owner or a bad label,
    /// `conflict` when the owner holds too many live keys.
    #[boxed]
    pub async fn create_key(&self, new: NewKey) -> Result<(Key, String)> {
        let label = checked_name("key label", &new.label)?;
        refuse_foreign_owner(new.kind, new.owner)?;
        self.change(move |control| async move {
            let mut transaction = control.inner.store.begin().await?;
            refuse_unknown_owner(&mut transaction, new.owner).await?;
            refuse_too_many(&mut transaction, new.owner, 1).await?;
            let (key, token) = control.insert_key(&mut transaction, new.owner, new.kind, &label).await?;
            commit(transaction).await?;
            control.inner.callers.insert(&key.prefix);
            Ok((key, token))
        })
        .await
    }

    /// Creates one `pk`, one `sk` and one `rk` key, all or none, and returns their tokens.
    #[boxed]
    pub async fn create_default_keys(&self, workspace: WorkspaceId) -> Result<DefaultKeys> {
        self.change(move |control| async move {
            let owner = KeyOwner::Workspace(workspace);
            let mut transaction = control.inner.store.begin().await?;
            refuse_unknown_owner(&mut transaction, owner).await?;
            refuse_too_many(&mut transaction, owner, 3).await?;
            let (browser, pk) = control.insert_key(&mut transaction, owner, KeyKind::Publishable, "browser").await?;
            let (server, sk) = control.insert_key(&mut transaction, owner, KeyKind::Secret, "server").await?;
            let (reader, rk) = control.insert_key(&mut transaction, owner, KeyKind::Read, "read").await?;
            commit(transaction).await?;
            [browser, server, reader].iter().for_each(|key| control.inner.callers.insert(&key.prefix));
            Ok(DefaultKeys { pk, sk, rk })
        })
        .await
    }

    /// Every key of an owner, revoked ones too, oldest first. An unknown owner is `not_found`.
    #[boxed]
    pub async fn list_keys(&self, owner: KeyOwner) -> Result<Vec<Key>> {
        let mut transaction = self.inner.store.begin_read().await?;
        refuse_unknown_owner(&mut transaction, owner).await?;
        let (account, workspace) = owner_columns(owner);
        let rows = sqlx::query(
            "SELECT id, kind, env, prefix, label, account_id, workspace_id, created_us, last_used_us, revoked_us
             FROM api_keys WHERE account_id = $1 OR workspace_id = $2 ORDER BY id",
        )
        .bind(account)
        .bind(workspace)
        .fetch_all(&mut *transaction)
        .await
        .map_err(failed("the keys could not be listed"))?;
        let mut keys = rows.iter().map(key_from).collect::<Result<Vec<Key>>>()?;
        for key in &mut keys {
            key.last_used_us = key.last_used_us.max(self.inner.callers.last_used(key.id));
        }
        Ok(keys)
    }

    /// Revokes a key, named by its prefix (`0a1b2c3d`) or display form (`rk_live_0a1b2c3d`): the next use of it fails.
    /// Revoking a revoked key changes nothing and returns it. An unknown one is `not_found`.
    #[boxed]
    pub async fn revoke_key(&self, prefix: &str) -> Result<Key> {
        let prefix = named_prefix(prefix);
        self.change(move |control| async move {
            let mut transaction = control.inner.store.begin().await?;
            let key = control.revoke(&mut transaction, &prefix).await?;
            commit(transaction).await?;
            control.inner.callers.remove(&prefix);
            Ok(key)
        })
        .await
    }

    /// Replaces a key: revokes it and creates another of the same kind, label and owner, both or neither.
    /// A key that is revoked already is a `conflict`, an unknown one `not_found`.
    #[boxed]
    pub async fn rotate_key(&self, prefix: &str) -> Result<(Key, String)> {
        let prefix = named_prefix(prefix);
        self.change(move |control| async move {
            let mut transaction = control.inner.store.begin().await?;
            let old = read_key(&mut transaction, &prefix).await?;
            if old.revoked_us.is_some() {
                return Err(Error::new(
                    Code::Conflict,
                    format!("key {} is revoked; only a live key can be rotated", old.display()),
                ));
            }
            control.revoke(&mut transaction, &prefix).await?;
            let (key, token) = control.insert_key(&mut transaction, old.owner, old.kind, &old.label).await?;
            commit(transaction).await?;
            control.inner.callers.remove(&prefix);
            control.inner.callers.insert(&key.prefix);
            Ok((key, token))
        })
        .await
    }

    async fn insert_key(
        &self,
        transaction: &mut DatabaseTransaction,
        owner: KeyOwner,
        kind: KeyKind,
        label: &str,
    ) -> Result<(Key, String)> {
        let (account, workspace) = owner_columns(owner);
        for _ in 0..MAX_PREFIX_DRAWS {
            let fresh = self.inner.pepper.draw(kind, &self.inner.entropy);
            let row = sqlx::query(
                "INSERT INTO api_keys (kind, env, prefix, secret_hash, label, account_id, workspace_id, created_us)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                 ON CONFLICT (prefix) DO NOTHING
                 RETURNING id, kind, env, prefix, label, account_id, workspace_id, created_us, last_used_us, revoked_us",
            )
            .bind(kind.as_str())
            .bind(ENV)
            .bind(fresh.prefix)
            .bind(hex::encode(fresh.secret_hash))
            .bind(label)
            .bind(account)
            .bind(workspace)
            .bind(self.now_us())
            .fetch_optional(&mut **transaction)
            .await
            .map_err(failed("the key could not be created"))?;
            if let Some(row) = row {
                return Ok((key_from(&row)?, fresh.token));
            }
        }
        Err(Error::internal(format!("no free key prefix was found in {MAX_PREFIX_DRAWS} draws")))
    }

    async fn revoke(&self, transaction: &mut DatabaseTransaction, prefix: &str) -> Result<Key> {
        sqlx::query("UPDATE api_keys SET revoked_us = $2 WHERE prefix = $1 AND revoked_us IS NULL")
            .bind(prefix)
            .bind(self.now_us())
            .execute(&mut **transaction)
            .await
            .map_err(failed("the key could not be revoked"))?;
        read_key(transaction, prefix).await
    }
}

async fn read_key(transaction: &mut DatabaseTransaction, prefix: &str) -> Result<Key> {
    let row = sqlx::query(
        "SELECT id, kind, env, prefix, label, account_id, workspace_id, created_us, last_used_us, revoked_us
         FROM api_keys WHERE prefix = $1",
    )
    .bind(prefix)
    .fetch_optional(&mut **transaction)
    .await
    .map_err(failed("the key could not be read"))?;
    let unknown = || Error::new(Code::NotFound, "no key has this prefix; accepted: the 8 characters after `live_`");
    row.as_ref().map(key_from).transpose()?.ok_or_else(unknown)
}

/// The prefix in a prefix or display form. Of a whole token the secret is dropped here.
fn named_prefix(text: &str) -> String {
    text.split('_').nth(2).unwrap_or(text).to_owned()
}

fn owner_columns(owner: KeyOwner) -> (Option<i64>, Option<i64>) {
    match owner {
        KeyOwner::Account(account) => (Some(account.0), None),
        KeyOwner::Workspace(workspace) => (None, Some(workspace.0)),
    }
}

fn refuse_foreign_owner(kind: KeyKind, owner: KeyOwner) -> Result<()> {
    match (kind, owner) {
        (KeyKind::Account, KeyOwner::Account(_)) => Ok(()),
        (KeyKind::Publishable | KeyKind::Secret | KeyKind::Read, KeyOwner::Workspace(_)) => Ok(()),
        (KeyKind::Account, KeyOwner::Workspace(_)) => {
            Err(Error::new(Code::InvalidParams, "an ak key belongs to an account; accepted for a workspace: pk, sk, rk"))
        }
        (KeyKind::Publishable | KeyKind::Secret | KeyKind::Read, KeyOwner::Account(_)) => {
            Err(Error::new(Code::InvalidParams, "pk, sk and rk keys belong to a workspace; accepted for an account: ak"))
        }
    }
}

async fn refuse_unknown_owner(transaction: &mut DatabaseTransaction, owner: KeyOwner) -> Result<()> {
    match owner {
        KeyOwner::Account(account) => read_account(transaction, account).await.map(|_| ()),
        KeyOwner::Workspace(workspace) => read_workspace(transaction, workspace).await.map(|_| ()),
    }
}

async fn refuse_too_many(transaction: &mut DatabaseTransaction, owner: KeyOwner, more: i64) -> Result<()> {
    let (account, workspace) = owner_columns(owner);
    let held: i64 =
        sqlx::query("SELECT COUNT(*) AS held FROM api_keys WHERE (account_id = $1 OR workspace_id = $2) AND revoked_us IS NULL")
            .bind(account)
            .bind(workspace)
            .fetch_one(&mut **transaction)
            .await
            .and_then(|row| row.try_get("held"))
            .map_err(failed("the keys could not be counted"))?;
    if held + more <= MAX_LIVE_KEYS {
        return Ok(());
    }
    Err(Error::new(Code::Conflict, format!("the owner holds {held} live keys and may hold {MAX_LIVE_KEYS}; revoke some first")))
}

fn key_from(row: &DatabaseRow) -> Result<Key> {
    let read = failed("a key's row could not be read");
    let kind: &str = row.try_get("kind").map_err(&read)?;
    let account: Option<i64> = row.try_get("account_id").map_err(&read)?;
    let workspace: Option<i64> = row.try_get("workspace_id").map_err(&read)?;
    let owner = match (account, workspace) {
        (Some(account), None) => KeyOwner::Account(AccountId(account)),
        (None, Some(workspace)) => KeyOwner::Workspace(WorkspaceId(workspace)),
        (Some(_), Some(_)) | (None, None) => return Err(damaged("a key's stored owner is damaged")),
    };
    Ok(Key {
        id: KeyId(row.try_get("id").map_err(&read)?),
        kind: KeyKind::from_prefix(kind).ok_or_else(|| damaged("a key's stored kind is damaged"))?,
        env: row.try_get("env").map_err(&read)?,
        prefix: row.try_get("prefix").map_err(&read)?,
        label: row.try_get("label").map_err(&read)?,
        owner,
        created_us: row.try_get("created_us").map_err(&read)?,
        last_used_us: row.try_get("last_used_us").map_err(&read)?,
        revoked_us: row.try_get("revoked_us").map_err(&read)?,
    })
}
