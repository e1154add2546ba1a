//! Event mapping rules: which named events, and which webhooks, are conversions.

use sqlx::Row;
use tributary_boxed::boxed;
use tributary_core::conversion::ConversionType;
use tributary_core::error::{Code, Error, Result};
use tributary_core::ids::{EndpointId, MappingId, WorkspaceId};
use tributary_core::scope::WorkspaceScope;

use crate::contacts::line;
use crate::control::Control;
use crate::conversions::{conversion_from, note_change};
use crate::problems::Problems;
use crate::store::{DatabaseRow, DatabaseTransaction, commit, damaged, failed};

/// Most rules of a workspace.
const MAX_MAPPINGS: i64 = 200;
/// Longest name of a rule, and of an event, characters.
const MAX_NAME_CHARS: usize = 128;
/// Longest definition of what is read of a webhook, bytes.
const MAX_DEFINITION_BYTES: usize = 64 * 1024;

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventMapping {
    /// Its id.
    pub id: MappingId,
    /// What people call it, 1 to 128 characters.
    pub name: String,
    /// What it makes.
    pub to: ConversionType,
    /// What it makes it of.
    pub source: MappingSource,
    /// Creation, microseconds since the epoch, UTC.
    pub created_us: i64,
    /// Last change, microseconds since the epoch, UTC.
    pub updated_us: i64,
}

/// What a rule reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MappingSource {
    /// Events of this name, 1 to 128 characters. Applied when questions are asked, so it works backwards. A name belongs to
    /// one rule at most, and no slug of a type to any.
    Event(String),
    /// What comes in at an endpoint.
    Webhook {
        /// The endpoint.
        endpoint: EndpointId,
        /// Conditions and fields as JSON text of at most 64 KiB, which whoever applies the rule checks.
        definition: String,
    },
}

/// A rule to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMapping {
    /// What people call it.
    pub name: String,
    /// What it makes.
    pub to: ConversionType,
    /// What it makes it of.
    pub source: MappingSource,
}

/// A change to a rule: what is `None` stays. At least one is needed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MappingChange {
    /// What people call it.
    pub name: Option<String>,
    /// What it makes.
    pub to: Option<ConversionType>,
    /// What it makes it of.
    pub source: Option<MappingSource>,
}

impl Control {
    /// Makes a rule.
    ///
    /// Errors: `invalid_params` naming every field at fault, `not_found` for the endpoint, `conflict` for an event another rule
    /// has and beyond 200 rules.
    #[boxed]
    pub async fn create_mapping(&self, scope: &WorkspaceScope, new: NewMapping) -> Result<EventMapping> {
        let mut problems = Problems::default();
        let name = checked_name(&new.name, &mut problems);
        check_source(&new.source, &mut problems);
        problems.check()?;
        let workspace = scope.workspace();
        self.run_to_end(move |control| async move {
            let mut transaction = control.inner.store.begin().await?;
            refuse_too_many(&mut transaction, workspace).await?;
            refuse_unknown_endpoint(&mut transaction, workspace, &new.source).await?;
            let now_us = control.now_us();
            let (event, endpoint, definition) = columns(&new.source);
            let row = sqlx::query(
                "INSERT INTO event_mappings (workspace_id, name, conversion, event, endpoint_id, definition, created_us, updated_us)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
                 RETURNING id, name, conversion, event, endpoint_id, definition, created_us, updated_us",
            )
            .bind(workspace.0)
            .bind(name)
            .bind(new.to.as_str())
            .bind(event)
            .bind(endpoint)
            .bind(definition)
            .bind(now_us)
            .fetch_one(&mut *transaction)
            .await
            .map_err(|error| refused(error, event))?;
            let created = mapping_from(&row)?;
            note_change(&mut transaction, workspace).await?;
            commit(transaction).await?;
            Ok(created)
        })
        .await
    }

    /// The rules of a workspace, oldest first.
    #[boxed]
    pub async fn list_mappings(&self, scope: &WorkspaceScope) -> Result<Vec<EventMapping>> {
        let rows = sqlx::query(
            "SELECT id, name, conversion, event, endpoint_id, definition, created_us, updated_us FROM event_mappings
             WHERE workspace_id = $1 ORDER BY id",
        )
        .bind(scope.workspace().0)
        .fetch_all(self.inner.store.reader())
        .await
        .map_err(failed("the mapping rules could not be listed"))?;
        rows.iter().map(mapping_from).collect()
    }

    /// One rule, or `not_found`.
    #[boxed]
    pub async fn get_mapping(&self, scope: &WorkspaceScope, id: MappingId) -> Result<EventMapping> {
        let mut transaction = self.inner.store.begin_read().await?;
        read_mapping(&mut transaction, scope.workspace(), id).await
    }

    /// Changes what is given of a rule. Errors as in [`Control::create_mapping`], and `not_found`.
    #[boxed]
    pub async fn update_mapping(&self, scope: &WorkspaceScope, id: MappingId, change: MappingChange) -> Result<EventMapping> {
        let mut problems = Problems::default();
        if change == MappingChange::default() {
            problems.add("name", "one of name, to and source is required");
        }
        let name = change.name.as_deref().map(|name| checked_name(name, &mut problems));
        change.source.iter().for_each(|source| check_source(source, &mut problems));
        problems.check()?;
        let workspace = scope.workspace();
        self.run_to_end(move |control| async move {
            let mut transaction = control.inner.store.begin().await?;
            let old = read_mapping(&mut transaction, workspace, id).await?;
            let (to, source) = (change.to.unwrap_or(old.to), change.source.unwrap_or(old.source));
            refuse_unknown_endpoint(&mut transaction, workspace, &source).await?;
            let (event, endpoint, definition) = columns(&source);
            let row = sqlx::query(
                "UPDATE event_mappings SET name = $3, conversion = $4, event = $5, endpoint_id = $6, definition = $7, updated_us = $8
                 WHERE workspace_id = $1 AND id = $2
                 RETURNING id, name, conversion, event, endpoint_id, definition, created_us, updated_us",
            )
            .bind(workspace.0)
            .bind(id.0)
            .bind(name.unwrap_or(old.name))
            .bind(to.as_str())
            .bind(event)
            .bind(endpoint)
            .bind(definition)
            .bind(control.now_us())
            .fetch_one(&mut *transaction)
            .await
            .map_err(|error| refused(error, event))?;
            let changed = mapping_from(&row)?;
            note_change(&mut transaction, workspace).await?;
            commit(transaction).await?;
            Ok(changed)
        })
        .await
    }

    /// Takes a rule away, or says `not_found`. What it made of webhooks stays; named events it made conversions are none any
    /// more, backwards too.
    #[boxed]
    pub async fn delete_mapping(&self, scope: &WorkspaceScope, id: MappingId) -> Result<()> {
        let workspace = scope.workspace();
        self.run_to_end(move |control| async move {
            let mut transaction = control.inner.store.begin().await?;
            let gone = sqlx::query("DELETE FROM event_mappings WHERE workspace_id = $1 AND id = $2")
                .bind(workspace.0)
                .bind(id.0)
                .execute(&mut *transaction)
                .await
                .map_err(failed("the mapping rule could not be deleted"))?;
            if gone.rows_affected() == 0 {
                return Err(unknown(id));
            }
            note_change(&mut transaction, workspace).await?;
            commit(transaction).await
        })
        .await
    }
}

fn checked_name(name: &str, problems: &mut Problems) -> String {
    problems.take("name", line(name.trim(), MAX_NAME_CHARS)).unwrap_or_default()
}

fn check_source(source: &MappingSource, problems: &mut Problems) {
    match source {
        MappingSource::Event(event) => {
            problems.take("source.event", line(event, MAX_NAME_CHARS));
            if let Some(conversion) = ConversionType::parse(event) {
                problems.add("source.event", format!("is the slug of a type: such events are {conversion} without a rule"));
            }
        }
        MappingSource::Webhook { definition, .. } if definition.len() > MAX_DEFINITION_BYTES => {
            problems.add("source", format!("must have at most {MAX_DEFINITION_BYTES} bytes, has {}", definition.len()));
        }
        MappingSource::Webhook { .. } => {}
    }
}

fn columns(source: &MappingSource) -> (Option<&str>, Option<i64>, Option<&str>) {
    match source {
        MappingSource::Event(event) => (Some(event), None, None),
        MappingSource::Webhook { endpoint, definition } => (None, Some(endpoint.0), Some(definition)),
    }
}

fn refused(error: sqlx::Error, event: Option<&str>) -> Error {
    match error.as_database_error() {
        Some(cause) if cause.is_unique_violation() => {
            let event = event.unwrap_or_default();
            Error::new(Code::Conflict, format!("another rule maps the event `{event}`; an event has one rule at most"))
        }
        _ => failed("the mapping rule could not be written")(error),
    }
}

async fn refuse_too_many(transaction: &mut DatabaseTransaction, workspace: WorkspaceId) -> Result<()> {
    let held: i64 = sqlx::query("SELECT COUNT(*) AS held FROM event_mappings WHERE workspace_id = $1")
        .bind(workspace.0)
        .fetch_one(&mut **transaction)
        .await
        .and_then(|row| row.try_get("held"))
        .map_err(failed("the mapping rules could not be counted"))?;
    if held < MAX_MAPPINGS {
        return Ok(());
    }
    Err(Error::new(Code::Conflict, format!("the workspace has {held} mapping rules and may have {MAX_MAPPINGS}")))
}

async fn refuse_unknown_endpoint(
    transaction: &mut DatabaseTransaction,
    workspace: WorkspaceId,
    source: &MappingSource,
) -> Result<()> {
    match source {
        MappingSource::Event(_) => Ok(()),
        MappingSource::Webhook { endpoint, .. } => {
            crate::webhook_endpoints::read_endpoint(transaction, workspace, *endpoint).await.map(|_| ())
        }
    }
}

async fn read_mapping(transaction: &mut DatabaseTransaction, workspace: WorkspaceId, id: MappingId) -> Result<EventMapping> {
    let row = sqlx::query(
        "SELECT id, name, conversion, event, endpoint_id, definition, created_us, updated_us FROM event_mappings
         WHERE workspace_id = $1 AND id = $2",
    )
    .bind(workspace.0)
    .bind(id.0)
    .fetch_optional(&mut **transaction)
    .await
    .map_err(failed("the mapping rule could not be read"))?;
    row.as_ref().map(mapping_from).transpose()?.ok_or_else(|| unknown(id))
}

fn unknown(id: MappingId) -> Error {
    Error::new(Code::NotFound, format!("no event mapping has the id {id}"))
}

fn mapping_from(row: &DatabaseRow) -> Result<EventMapping> {
    let read = failed("a mapping rule's row could not be read");
    let event: Option<String> = row.try_get("event").map_err(&read)?;
    let endpoint: Option<i64> = row.try_get("endpoint_id").map_err(&read)?;
    let definition: Option<String> = row.try_get("definition").map_err(&read)?;
    let source = match (event, endpoint, definition) {
        (Some(event), None, None) => MappingSource::Event(event),
        (None, Some(endpoint), Some(definition)) => MappingSource::Webhook { endpoint: EndpointId(endpoint), definition },
        _ => return Err(damaged("a mapping rule's stored source is damaged")),
    };
    Ok(EventMapping {
        id: MappingId(row.try_get("id").map_err(&read)?),
        name: row.try_get("name").map_err(&read)?,
        to: conversion_from(row)?,
        source,
        created_us: row.try_get("created_us").map_err(&read)?,
        updated_us: row.try_get("updated_us").map_err(&read)?,
    })
}
