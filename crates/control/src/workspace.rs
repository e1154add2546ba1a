//! Workspaces: the tenants. Every event, key and question belongs to exactly one.

use std::str::FromStr;

use jiff::tz::TimeZone;
use sqlx::Row;
use tributary_boxed::boxed;
use tributary_core::error::{Code, Error, Result};
use tributary_core::ids::{AccountId, WorkspaceId};
use tributary_core::money::Currency;
use tributary_core::time;
use uuid::Uuid;

use crate::account::{checked_name, read_account};
use crate::control::Control;
use crate::origin::normalise_origin;
use crate::store::{DatabaseRow, DatabaseTransaction, commit, damaged, failed};

/// Most origins a workspace may list.
const MAX_ALLOWED_ORIGINS: usize = 100;
/// Longest slug, characters.
const MAX_SLUG_CHARS: usize = 63;

/// A workspace.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// Numeric id, never reused.
    pub id: WorkspaceId,
    /// Public id (`project_id` on the account door).
    pub uuid: Uuid,
    /// The account that owns it.
    pub account: AccountId,
    /// Unique among live workspaces: 1 to 63 of `a-z`, `0-9`, `-`.
    pub slug: String,
    /// 1 to 128 characters.
    pub name: String,
    /// The zone its days begin in.
    pub zone: TimeZone,
    /// The zone's IANA name.
    pub zone_name: String,
    /// The currency its reports are in.
    pub currency: Currency,
    /// Origins from which `pk_` keys are accepted, each in the form of [`normalise_origin`].
    pub allowed_origins: Vec<String>,
    /// Creation, microseconds since the epoch, UTC.
    pub created_us: i64,
}

impl Workspace {
    /// Whether an `Origin` header names a listed origin: scheme, host and port exactly.
    pub fn allows_origin(&self, header: &str) -> bool {
        normalise_origin(header).is_ok_and(|origin| self.allowed_origins.contains(&origin))
    }
}

/// What a new workspace is made of.
#[derive(Clone, Debug)]
pub struct NewWorkspace {
    /// The account that will own it.
    pub account: AccountId,
    /// 1 to 128 characters.
    pub name: String,
    /// 1 to 63 of `a-z`, `0-9`, `-`, not all digits and not a UUID (those name workspaces by id).
    pub slug: String,
    /// An IANA zone name.
    pub zone: String,
    /// ISO 4217.
    pub currency: Currency,
    /// Origins for `pk_` keys, at most 100.
    pub allowed_origins: Vec<String>,
}

/// A change to a workspace: `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct WorkspaceChange {
    /// See [`NewWorkspace::name`].
    pub name: Option<String>,
    /// See [`NewWorkspace::slug`].
    pub slug: Option<String>,
    /// See [`NewWorkspace::zone`].
    pub zone: Option<String>,
    /// See [`NewWorkspace::currency`].
    pub currency: Option<Currency>,
    /// Replaces the whole list.
    pub allowed_origins: Option<Vec<String>>,
}

impl Control {
    /// Creates a workspace, without keys (see [`Control::create_default_keys`]).
    ///
    /// Errors: `not_found` for an unknown account, `invalid_params` for a field that fails its rule, `conflict` for a taken
    /// slug, `plan_limit` (details `limit`, `used`) when the account may own no more.
    #[boxed]
    pub async fn create_workspace(&self, new: NewWorkspace) -> Result<Workspace> {
        let fields = Fields::check(&new.name, &new.slug, &new.zone, new.currency, &new.allowed_origins)?;
        self.change(move |control| async move {
            let mut transaction = control.inner.store.begin().await?;
            let account = read_account(&mut transaction, new.account).await?;
            refuse_beyond_limit(&mut transaction, account.id, account.limits.workspaces).await?;
            let row = sqlx::query(
                "INSERT INTO workspaces (uuid, account_id, slug, name, zone, currency, allowed_origins, created_us)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                 RETURNING id, uuid, account_id, slug, name, zone, currency, allowed_origins, created_us",
            )
            .bind(control.new_uuid().to_string())
            .bind(account.id.0)
            .bind(&fields.slug)
            .bind(&fields.name)
            .bind(&fields.zone)
            .bind(fields.currency.as_str())
            .bind(fields.origins_text()?)
            .bind(control.now_us())
            .fetch_one(&mut *transaction)
            .await
            .map_err(|error| slug_taken_or(error, &fields.slug, "the workspace could not be created"))?;
            let workspace = workspace_from(&row)?;
            commit(transaction).await?;
            Ok(workspace)
        })
        .await
    }

    /// Live workspaces of one account, or of all, oldest first.
    #[boxed]
    pub async fn list_workspaces(&self, account: Option<AccountId>) -> Result<Vec<Workspace>> {
        let rows = sqlx::query(
            "SELECT id, uuid, account_id, slug, name, zone, currency, allowed_origins, created_us
             FROM workspaces WHERE deleted_us IS NULL AND ($1 IS NULL OR account_id = $1) ORDER BY id",
        )
        .bind(account.map(|account| account.0))
        .fetch_all(self.inner.store.reader())
        .await
        .map_err(failed("the workspaces could not be listed"))?;
        rows.iter().map(workspace_from).collect()
    }

    /// The live workspace a person means: by slug, UUID or numeric id. For operators only; callers with keys see what their
    /// `Caller` lists.
    #[boxed]
    pub async fn find_workspace(&self, selector: &str) -> Result<Option<Workspace>> {
        let uuid = Uuid::parse_str(selector).ok().map(|uuid| uuid.to_string());
        let row = sqlx::query(
            "SELECT id, uuid, account_id, slug, name, zone, currency, allowed_origins, created_us
             FROM workspaces WHERE deleted_us IS NULL AND (slug = $1 OR uuid = $2 OR id = $3)",
        )
        .bind(selector)
        .bind(uuid)
        .bind(selector.parse::<i64>().ok())
        .fetch_optional(self.inner.store.reader())
        .await
        .map_err(failed("the workspace could not be looked up"))?;
        row.as_ref().map(workspace_from).transpose()
    }

    /// Changes the fields that are given. Errors as in [`Control::create_workspace`]; an unknown or deleted one is `not_found`.
    #[boxed]
    pub async fn update_workspace(&self, id: WorkspaceId, change: WorkspaceChange) -> Result<Workspace> {
        self.change(move |control| async move {
            let mut transaction = control.inner.store.begin().await?;
            let before = read_workspace(&mut transaction, id).await?;
            let fields = Fields::check(
                change.name.as_deref().unwrap_or(&before.name),
                change.slug.as_deref().unwrap_or(&before.slug),
                change.zone.as_deref().unwrap_or(&before.zone_name),
                change.currency.unwrap_or(before.currency),
                change.allowed_origins.as_deref().unwrap_or(&before.allowed_origins),
            )?;
            let row = sqlx::query(
                "UPDATE workspaces SET slug = $2, name = $3, zone = $4, currency = $5, allowed_origins = $6 WHERE id = $1
                 RETURNING id, uuid, account_id, slug, name, zone, currency, allowed_origins, created_us",
            )
            .bind(id.0)
            .bind(&fields.slug)
            .bind(&fields.name)
            .bind(&fields.zone)
            .bind(fields.currency.as_str())
            .bind(fields.origins_text()?)
            .fetch_one(&mut *transaction)
            .await
            .map_err(|error| slug_taken_or(error, &fields.slug, "the workspace could not be changed"))?;
            let after = workspace_from(&row)?;
            commit(transaction).await?;
            Ok(after)
        })
        .await
    }

    /// Deletes a workspace: it and its keys stop to exist for every caller at once, its slug is free again, its id never is.
    /// What is recorded of its advertising and conversions is erased; its events are the event store's to erase. Returns what was deleted.
    #[boxed]
    pub async fn delete_workspace(&self, id: WorkspaceId) -> Result<Workspace> {
        self.change(move |control| async move {
            let step = "the workspace could not be deleted";
            let mut transaction = control.inner.store.begin().await?;
            let workspace = read_workspace(&mut transaction, id).await?;
            sqlx::query("UPDATE workspaces SET deleted_us = $2 WHERE id = $1")
                .bind(id.0)
                .bind(control.now_us())
                .execute(&mut *transaction)
                .await
                .map_err(failed(step))?;
            let revoked = sqlx::query(
                "UPDATE api_keys SET revoked_us = $2 WHERE workspace_id = $1 AND revoked_us IS NULL RETURNING prefix",
            )
            .bind(id.0)
            .bind(control.now_us())
            .fetch_all(&mut *transaction)
            .await
            .map_err(failed(step))?;
            let prefixes =
                revoked.iter().map(|row| row.try_get("prefix")).collect::<Result<Vec<String>, _>>().map_err(failed(step))?;
            crate::ads::erase(&mut transaction, id).await?;
            crate::conversions::erase(&mut transaction, id).await?;
            crate::exports::erase(&mut transaction, id).await?;
            commit(transaction).await?;
            prefixes.iter().for_each(|prefix| control.inner.callers.remove(prefix));
            Ok(workspace)
        })
        .await
    }
}

/// Reads one live workspace inside a transaction, or `not_found`.
pub(crate) async fn read_workspace(transaction: &mut DatabaseTransaction, id: WorkspaceId) -> Result<Workspace> {
    let row = sqlx::query(
        "SELECT id, uuid, account_id, slug, name, zone, currency, allowed_origins, created_us
         FROM workspaces WHERE id = $1 AND deleted_us IS NULL",
    )
    .bind(id.0)
    .fetch_optional(&mut **transaction)
    .await
    .map_err(failed("the workspace could not be read"))?;
    let unknown = || Error::new(Code::NotFound, format!("no workspace has the id {id}"));
    row.as_ref().map(workspace_from).transpose()?.ok_or_else(unknown)
}

/// Reads an account's live workspaces inside a transaction, by id.
pub(crate) async fn read_workspaces_of(transaction: &mut DatabaseTransaction, account: AccountId) -> Result<Vec<Workspace>> {
    let rows = sqlx::query(
        "SELECT id, uuid, account_id, slug, name, zone, currency, allowed_origins, created_us
         FROM workspaces WHERE account_id = $1 AND deleted_us IS NULL ORDER BY id",
    )
    .bind(account.0)
    .fetch_all(&mut **transaction)
    .await
    .map_err(failed("the account's workspaces could not be read"))?;
    rows.iter().map(workspace_from).collect()
}

/// The fields an operator sets, each in its stored form.
struct Fields {
    name: String,
    slug: String,
    zone: String,
    currency: Currency,
    allowed_origins: Vec<String>,
}

impl Fields {
    fn check(name: &str, slug: &str, zone: &str, currency: Currency, origins: &[String]) -> Result<Self> {
        Ok(Self {
            name: checked_name("workspace name", name)?,
            slug: checked_slug(slug)?,
            zone: checked_zone(zone)?,
            currency,
            allowed_origins: checked_origins(origins)?,
        })
    }

    fn origins_text(&self) -> Result<String> {
        serde_json::to_string(&self.allowed_origins)
            .map_err(|error| Error::internal("origins could not be written as JSON").caused_by(error))
    }
}

fn checked_slug(slug: &str) -> Result<String> {
    let spelt = slug.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if slug.is_empty() || slug.len() > MAX_SLUG_CHARS || !spelt {
        return Err(Error::new(
            Code::InvalidParams,
            format!("slug must have 1 to {MAX_SLUG_CHARS} characters, each of them a-z, 0-9 or -"),
        ));
    }
    // A selector is a slug, a UUID or a number: no slug may look like another workspace's id.
    if slug.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') || Uuid::from_str(slug).is_ok() {
        return Err(Error::new(Code::InvalidParams, "slug must contain a letter and must not be a UUID: those read as ids"));
    }
    Ok(slug.to_owned())
}

/// The name as the zone database spells it, so that `europe/berlin` is stored as `Europe/Berlin`.
fn checked_zone(name: &str) -> Result<String> {
    let zone = time::zone(name)?;
    Ok(zone.iana_name().unwrap_or(name).to_owned())
}

fn checked_origins(origins: &[String]) -> Result<Vec<String>> {
    if origins.len() > MAX_ALLOWED_ORIGINS {
        return Err(Error::new(
            Code::InvalidParams,
            format!("allowed_origins has {} entries; accepted: up to {MAX_ALLOWED_ORIGINS}", origins.len()),
        ));
    }
    let mut normalised: Vec<String> = Vec::with_capacity(origins.len());
    for origin in origins {
        let origin = normalise_origin(origin.trim())?;
        if !normalised.contains(&origin) {
            normalised.push(origin);
        }
    }
    Ok(normalised)
}

async fn refuse_beyond_limit(transaction: &mut DatabaseTransaction, account: AccountId, limit: Option<u32>) -> Result<()> {
    let Some(limit) = limit else { return Ok(()) };
    let used: i64 = sqlx::query("SELECT COUNT(*) AS used FROM workspaces WHERE account_id = $1 AND deleted_us IS NULL")
        .bind(account.0)
        .fetch_one(&mut **transaction)
        .await
        .and_then(|row| row.try_get("used"))
        .map_err(failed("the account's workspaces could not be counted"))?;
    if used < i64::from(limit) {
        return Ok(());
    }
    Err(Error::new(Code::PlanLimit, format!("account {account} owns {used} workspaces and its limit is {limit}"))
        .with_details(serde_json::json!({ "limit": limit, "used": used })))
}

fn slug_taken_or(error: sqlx::Error, slug: &str, step: &'static str) -> Error {
    let is_taken = error.as_database_error().is_some_and(|error| error.is_unique_violation());
    if is_taken {
        return Error::new(Code::Conflict, format!("another workspace has the slug `{slug}`; a slug must be unique"));
    }
    failed(step)(error)
}

fn workspace_from(row: &DatabaseRow) -> Result<Workspace> {
    let read = failed("a workspace's row could not be read");
    let uuid: &str = row.try_get("uuid").map_err(&read)?;
    let zone_name: String = row.try_get("zone").map_err(&read)?;
    let currency: &str = row.try_get("currency").map_err(&read)?;
    let origins: &str = row.try_get("allowed_origins").map_err(&read)?;
    Ok(Workspace {
        id: WorkspaceId(row.try_get("id").map_err(&read)?),
        uuid: uuid.parse().map_err(|error: uuid::Error| damaged("a workspace's stored uuid is damaged").caused_by(error))?,
        account: AccountId(row.try_get("account_id").map_err(&read)?),
        slug: row.try_get("slug").map_err(&read)?,
        name: row.try_get("name").map_err(&read)?,
        zone: time::zone(&zone_name)?,
        zone_name,
        currency: currency.parse()?,
        allowed_origins: serde_json::from_str(origins)
            .map_err(|error| damaged("a workspace's stored origins are damaged").caused_by(error))?,
        created_us: row.try_get("created_us").map_err(&read)?,
    })
}
