//! What users save: metrics, segments, reports, dashboards. What a definition means is decided by whoever reads it.

use sqlx::Row;
use tributary_boxed::boxed;
use tributary_core::error::{Code, Error, Result};
use tributary_core::ids::{SavedId, WorkspaceId};
use tributary_core::scope::WorkspaceScope;

use crate::contacts::line;
use crate::control::Control;
use crate::problems::Problems;
use crate::store::{DatabaseRow, DatabaseTransaction, commit, damaged, failed};

/// Most items of a kind in a workspace.
const MAX_SAVED: i64 = 1_000;
/// Longest name, and longest slug, characters.
const MAX_NAME_CHARS: usize = 255;
const MAX_SLUG_CHARS: usize = 128;
/// Longest definition, bytes.
const MAX_DEFINITION_BYTES: usize = 64 * 1024;

/// What is saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SavedKind {
    /// A formula over metrics.
    Metric,
    /// A filter with a membership.
    Segment,
    /// A question with its settings.
    Report,
    /// Reports side by side.
    Dashboard,
}

impl SavedKind {
    /// Every kind.
    pub const ALL: [SavedKind; 4] = [SavedKind::Metric, SavedKind::Segment, SavedKind::Report, SavedKind::Dashboard];

    /// The stored name, also the one in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            SavedKind::Metric => "metric",
            SavedKind::Segment => "segment",
            SavedKind::Report => "report",
            SavedKind::Dashboard => "dashboard",
        }
    }

    /// The one with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// A saved item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Its id.
    pub id: SavedId,
    /// What it is.
    pub kind: SavedKind,
    /// 1 to 255 characters, unlike every other of its kind whatever the case.
    pub name: String,
    /// 1 to 128 characters, unlike every other of its kind.
    pub slug: Option<String>,
    /// JSON text of at most 64 KiB.
    pub definition: String,
    /// Creation, microseconds since the epoch, UTC.
    pub created_us: i64,
    /// Last change, microseconds since the epoch, UTC.
    pub updated_us: i64,
}

/// An item to save.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSaved {
    /// What it is.
    pub kind: SavedKind,
    /// Its name.
    pub name: String,
    /// Its slug, if it has one.
    pub slug: Option<String>,
    /// JSON text.
    pub definition: String,
}

/// A change to an item: what is `None` stays. At least one is needed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SavedChange {
    /// Its name.
    pub name: Option<String>,
    /// Its slug.
    pub slug: Option<String>,
    /// JSON text.
    pub definition: Option<String>,
}

impl Control {
    /// Saves an item.
    ///
    /// Errors: `invalid_params` naming every field at fault, `conflict` for a name or slug another one of its kind has and
    /// beyond 1,000 of a kind.
    #[boxed]
    pub async fn create_saved(&self, scope: &WorkspaceScope, new: NewSaved) -> Result<Saved> {
        let mut problems = Problems::default();
        let name = checked_name(&new.name, &mut problems);
        let slug = new.slug.as_deref().map(|slug| checked_slug(slug, &mut problems));
        check_definition(&new.definition, &mut problems);
        problems.check()?;
        let workspace = scope.workspace();
        self.run_to_end(move |control| async move {
            let mut transaction = control.inner.store.begin().await?;
            refuse_too_many(&mut transaction, workspace, new.kind).await?;
            refuse_taken(&mut transaction, workspace, new.kind, (&name, slug.as_deref()), SavedId(0)).await?;
            let row = sqlx::query(
                "INSERT INTO saved_items (workspace_id, kind, name, folded, slug, definition, created_us, updated_us)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $7) RETURNING id, kind, name, slug, definition, created_us, updated_us",
            )
            .bind(workspace.0)
            .bind(new.kind.as_str())
            .bind(&name)
            .bind(name.to_lowercase())
            .bind(slug)
            .bind(new.definition)
            .bind(control.now_us())
            .fetch_one(&mut *transaction)
            .await
            .map_err(failed("the item could not be saved"))?;
            let saved = saved_from(&row)?;
            commit(transaction).await?;
            Ok(saved)
        })
        .await
    }

    /// The items of a kind, oldest first.
    #[boxed]
    pub async fn list_saved(&self, scope: &WorkspaceScope, kind: SavedKind) -> Result<Vec<Saved>> {
        let rows = sqlx::query(
            "SELECT id, kind, name, slug, definition, created_us, updated_us FROM saved_items
             WHERE workspace_id = $1 AND kind = $2 ORDER BY id",
        )
        .bind(scope.workspace().0)
        .bind(kind.as_str())
        .fetch_all(self.inner.store.reader())
        .await
        .map_err(failed("the saved items could not be listed"))?;
        rows.iter().map(saved_from).collect()
    }

    /// One item, or `not_found`.
    #[boxed]
    pub async fn get_saved(&self, scope: &WorkspaceScope, kind: SavedKind, id: SavedId) -> Result<Saved> {
        let mut transaction = self.inner.store.begin_read().await?;
        read_saved(&mut transaction, scope.workspace(), kind, id).await
    }

    /// Changes what is given of an item. Errors as in [`Control::create_saved`], and `not_found`.
    #[boxed]
    pub async fn update_saved(&self, scope: &WorkspaceScope, kind: SavedKind, id: SavedId, change: SavedChange) -> Result<Saved> {
        let mut problems = Problems::default();
        if change == SavedChange::default() {
            problems.add("name", "one of name, slug and definition is required");
        }
        let name = change.name.as_deref().map(|name| checked_name(name, &mut problems));
        let slug = change.slug.as_deref().map(|slug| checked_slug(slug, &mut problems));
        change.definition.iter().for_each(|definition| check_definition(definition, &mut problems));
        problems.check()?;
        let workspace = scope.workspace();
        self.run_to_end(move |control| async move {
            let mut transaction = control.inner.store.begin().await?;
            let old = read_saved(&mut transaction, workspace, kind, id).await?;
            let (name, slug) = (name.unwrap_or(old.name), slug.or(old.slug));
            refuse_taken(&mut transaction, workspace, kind, (&name, slug.as_deref()), id).await?;
            sqlx::query(
                "UPDATE saved_items SET name = $4, folded = $5, slug = $6, definition = $7, updated_us = $8
                 WHERE workspace_id = $1 AND kind = $2 AND id = $3",
            )
            .bind(workspace.0)
            .bind(kind.as_str())
            .bind(id.0)
            .bind(&name)
            .bind(name.to_lowercase())
            .bind(slug)
            .bind(change.definition.unwrap_or(old.definition))
            .bind(control.now_us())
            .execute(&mut *transaction)
            .await
            .map_err(failed("the saved item could not be changed"))?;
            let changed = read_saved(&mut transaction, workspace, kind, id).await?;
            commit(transaction).await?;
            Ok(changed)
        })
        .await
    }

    /// Deletes an item, or says `not_found`.
    #[boxed]
    pub async fn delete_saved(&self, scope: &WorkspaceScope, kind: SavedKind, id: SavedId) -> Result<()> {
        let workspace = scope.workspace();
        self.run_to_end(move |control| async move {
            let mut transaction = control.inner.store.begin().await?;
            let gone = sqlx::query("DELETE FROM saved_items WHERE workspace_id = $1 AND kind = $2 AND id = $3")
                .bind(workspace.0)
                .bind(kind.as_str())
                .bind(id.0)
                .execute(&mut *transaction)
                .await
                .map_err(failed("the saved item could not be deleted"))?;
            if gone.rows_affected() == 0 {
                return Err(unknown(kind, id));
            }
            commit(transaction).await
        })
        .await
    }
}

fn checked_name(name: &str, problems: &mut Problems) -> String {
    problems.take("name", line(name.trim(), MAX_NAME_CHARS)).unwrap_or_default()
}

fn checked_slug(slug: &str, problems: &mut Problems) -> String {
    let is_plain = slug.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-');
    if slug.is_empty() || slug.len() > MAX_SLUG_CHARS || !is_plain {
        problems.add("slug", format!("must have 1 to {MAX_SLUG_CHARS} characters out of a-z, 0-9, _ and -"));
    }
    slug.to_owned()
}

fn check_definition(definition: &str, problems: &mut Problems) {
    if definition.len() > MAX_DEFINITION_BYTES {
        problems.add("definition", format!("must have at most {MAX_DEFINITION_BYTES} bytes, has {}", definition.len()));
    } else if serde_json::from_str::<serde::de::IgnoredAny>(definition).is_err() {
        problems.add("definition", "must be JSON");
    }
}

async fn refuse_too_many(transaction: &mut DatabaseTransaction, workspace: WorkspaceId, kind: SavedKind) -> Result<()> {
    let held: i64 = sqlx::query("SELECT COUNT(*) AS held FROM saved_items WHERE workspace_id = $1 AND kind = $2")
        .bind(workspace.0)
        .bind(kind.as_str())
        .fetch_one(&mut **transaction)
        .await
        .and_then(|row| row.try_get("held"))
        .map_err(failed("the saved items could not be counted"))?;
    if held < MAX_SAVED {
        return Ok(());
    }
    let kind = kind.as_str();
    Err(Error::new(Code::Conflict, format!("the workspace has {held} {kind}s and may have {MAX_SAVED}; delete some first")))
}

/// Refuses a name or slug that another item of the kind than `own` has.
async fn refuse_taken(
    transaction: &mut DatabaseTransaction,
    workspace: WorkspaceId,
    kind: SavedKind,
    (name, slug): (&str, Option<&str>),
    own: SavedId,
) -> Result<()> {
    let step = "the names of saved items could not be read";
    let row = sqlx::query(
        "SELECT id, folded FROM saved_items
         WHERE workspace_id = $1 AND kind = $2 AND id <> $3 AND (folded = $4 OR slug = $5) ORDER BY id LIMIT 1",
    )
    .bind(workspace.0)
    .bind(kind.as_str())
    .bind(own.0)
    .bind(name.to_lowercase())
    .bind(slug)
    .fetch_optional(&mut **transaction)
    .await
    .map_err(failed(step))?;
    let Some(row) = row else { return Ok(()) };
    let (id, folded): (i64, &str) = (row.try_get("id").map_err(failed(step))?, row.try_get("folded").map_err(failed(step))?);
    let kind = kind.as_str();
    let taken = match folded == name.to_lowercase() {
        true => format!("name `{name}`"),
        false => format!("slug `{}`", slug.unwrap_or_default()),
    };
    Err(Error::new(Code::Conflict, format!("{kind} {id} has the {taken} already")))
}

async fn read_saved(
    transaction: &mut DatabaseTransaction,
    workspace: WorkspaceId,
    kind: SavedKind,
    id: SavedId,
) -> Result<Saved> {
    let row = sqlx::query(
        "SELECT id, kind, name, slug, definition, created_us, updated_us FROM saved_items
         WHERE workspace_id = $1 AND kind = $2 AND id = $3",
    )
    .bind(workspace.0)
    .bind(kind.as_str())
    .bind(id.0)
    .fetch_optional(&mut **transaction)
    .await
    .map_err(failed("the saved item could not be read"))?;
    row.as_ref().map(saved_from).transpose()?.ok_or_else(|| unknown(kind, id))
}

fn unknown(kind: SavedKind, id: SavedId) -> Error {
    Error::new(Code::NotFound, format!("no {} has the id {id}", kind.as_str()))
}

fn saved_from(row: &DatabaseRow) -> Result<Saved> {
    let read = failed("a saved item's row could not be read");
    let kind: &str = row.try_get("kind").map_err(&read)?;
    Ok(Saved {
        id: SavedId(row.try_get("id").map_err(&read)?),
        kind: SavedKind::parse(kind).ok_or_else(|| damaged("a saved item's stored kind is damaged"))?,
        name: row.try_get("name").map_err(&read)?,
        slug: row.try_get("slug").map_err(&read)?,
        definition: row.try_get("definition").map_err(&read)?,
        created_us: row.try_get("created_us").map_err(&read)?,
        updated_us: row.try_get("updated_us").map_err(&read)?,
    })
}
