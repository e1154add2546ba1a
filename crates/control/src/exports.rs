//! Exports: which there are and how far each has come. The files are written and kept elsewhere.

use hmac::{Hmac, Mac};
use sha2::Sha256;
use sqlx::Row;
use subtle::ConstantTimeEq;
use tributary_boxed::boxed;
use tributary_core::error::{Code, Error, Result};
use tributary_core::ids::{ExportId, WorkspaceId};
use tributary_core::scope::WorkspaceScope;

use crate::control::Control;
use crate::store::{DatabaseRow, DatabaseTransaction, commit, damaged, failed};

/// Most exports kept of a workspace; the oldest finished ones go.
const MAX_KEPT: i64 = 100;
/// Most exports of a workspace that are not finished.
const MAX_UNFINISHED: i64 = 10;
/// Longest reason kept, characters.
const MAX_FAILURE_CHARS: usize = 500;

macro_rules! names {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant),*
        }

        impl $name {
            /// The stored name.
            pub fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $text),*
                }
            }

            fn parse(name: &str) -> Option<Self> {
                [$($name::$variant),*].into_iter().find(|one| one.as_str() == name)
            }
        }
    };
}

names! {
    /// What an export is of.
    ExportKind {
        /// Conversions.
        Events = "events",
        /// Contacts.
        Contacts = "contacts",
        /// Companies.
        Companies = "companies",
    }
}

names! {
    /// How far an export has come.
    ExportStatus {
        /// It waits.
        Queued = "queued",
        /// Its file is being written.
        Processing = "processing",
        /// Its file is there.
        Completed = "completed",
        /// There will be no file.
        Failed = "failed",
    }
}

/// An export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// Its id.
    pub id: ExportId,
    /// Whose rows.
    pub workspace: WorkspaceId,
    /// Of what.
    pub kind: ExportKind,
    /// How far it has come.
    pub status: ExportStatus,
    /// Which rows, as whoever asked for it wrote down.
    pub definition: String,
    /// Why it failed.
    pub failure: Option<String>,
    /// Rows of the file.
    pub lines: Option<u64>,
    /// When it was asked for, microseconds since the epoch, UTC.
    pub created_us: i64,
    /// When it was completed or failed.
    pub finished_us: Option<i64>,
}

impl Control {
    /// Queues an export. Past 100 of a workspace the oldest finished ones are forgotten.
    ///
    /// Errors: `overloaded` while ten of the workspace are not finished.
    #[boxed]
    pub async fn create_export(&self, scope: &WorkspaceScope, kind: ExportKind, definition: String) -> Result<Export> {
        let workspace = scope.workspace();
        self.run_to_end(move |control| async move {
            let step = "the export could not be queued";
            let mut transaction = control.inner.store.begin().await?;
            let row = sqlx::query(
                "SELECT COUNT(*) AS unfinished FROM exports WHERE workspace_id = $1 AND status IN ('queued', 'processing')",
            )
            .bind(workspace.0)
            .fetch_one(&mut *transaction)
            .await
            .map_err(failed(step))?;
            if row.try_get::<i64, _>("unfinished").map_err(failed(step))? >= MAX_UNFINISHED {
                let message = format!("{MAX_UNFINISHED} exports of this workspace are not finished yet; ask again when they are");
                return Err(Error::new(Code::Overloaded, message).with_details(serde_json::json!({ "retry_after_s": 60 })));
            }
            let row = sqlx::query(
                "INSERT INTO exports (workspace_id, kind, status, definition, created_us) VALUES ($1, $2, 'queued', $3, $4)
                 RETURNING id, workspace_id, kind, status, definition, failure, lines, created_us, finished_us",
            )
            .bind(workspace.0)
            .bind(kind.as_str())
            .bind(definition)
            .bind(control.now_us())
            .fetch_one(&mut *transaction)
            .await
            .map_err(failed(step))?;
            let export = export_from(&row)?;
            sqlx::query(
                "DELETE FROM exports WHERE workspace_id = $1 AND status IN ('completed', 'failed') AND id NOT IN
                 (SELECT id FROM exports WHERE workspace_id = $1 ORDER BY id DESC LIMIT $2)",
            )
            .bind(workspace.0)
            .bind(MAX_KEPT)
            .execute(&mut *transaction)
            .await
            .map_err(failed(step))?;
            commit(transaction).await?;
            Ok(export)
        })
        .await
    }

    /// One export of a workspace, or `not_found`.
    #[boxed]
    pub async fn get_export(&self, scope: &WorkspaceScope, kind: ExportKind, id: ExportId) -> Result<Export> {
        let row = sqlx::query(
            "SELECT id, workspace_id, kind, status, definition, failure, lines, created_us, finished_us FROM exports
             WHERE workspace_id = $1 AND kind = $2 AND id = $3",
        )
        .bind(scope.workspace().0)
        .bind(kind.as_str())
        .bind(id.0)
        .fetch_optional(self.inner.store.reader())
        .await
        .map_err(failed("the export could not be read"))?;
        row.as_ref().map(export_from).transpose()?.ok_or_else(|| unknown_export(id))
    }

    /// The signature of a link to an export's file that is good until an instant: whoever has it needs no key.
    pub fn sign_export(&self, id: ExportId, expires_s: i64) -> String {
        let key = self.derived_secret("export links");
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes keys of any length");
        mac.update(format!("{id}:{expires_s}").as_bytes());
        hex::encode(mac.finalize().into_bytes())
    }

    /// The export a signed link leads to. `not_found` for every link that is not good or not good any more, and for exports
    /// without a file.
    #[boxed]
    pub async fn export_of_link(&self, id: ExportId, expires_s: i64, signature: &str) -> Result<Export> {
        let is_signed: bool = self.sign_export(id, expires_s).as_bytes().ct_eq(signature.as_bytes()).into();
        if !is_signed || self.now_us() > expires_s.saturating_mul(tributary_core::time::SECOND_US) {
            return Err(Error::new(Code::NotFound, "the link is not good any more; ask for the export again to get another"));
        }
        let row = sqlx::query(
            "SELECT id, workspace_id, kind, status, definition, failure, lines, created_us, finished_us FROM exports
             WHERE id = $1 AND status = 'completed'",
        )
        .bind(id.0)
        .fetch_optional(self.inner.store.reader())
        .await
        .map_err(failed("the export could not be read"))?;
        row.as_ref().map(export_from).transpose()?.ok_or_else(|| unknown_export(id))
    }

    /// Takes the oldest queued export of the whole folder into processing.
    #[boxed]
    pub async fn take_export(&self) -> Result<Option<Export>> {
        self.run_to_end(|control| async move {
            let mut transaction = control.inner.store.begin().await?;
            let row = sqlx::query(
                "UPDATE exports SET status = 'processing' WHERE id =
                 (SELECT id FROM exports WHERE status = 'queued' ORDER BY id LIMIT 1)
                 RETURNING id, workspace_id, kind, status, definition, failure, lines, created_us, finished_us",
            )
            .fetch_optional(&mut *transaction)
            .await
            .map_err(failed("the next export could not be taken"))?;
            commit(transaction).await?;
            row.as_ref().map(export_from).transpose()
        })
        .await
    }

    /// Notes what became of an export: the rows of its file, or why there is none. Says whether it is still wanted.
    #[boxed]
    pub async fn finish_export(&self, id: ExportId, outcome: Result<u64, String>) -> Result<bool> {
        let (status, lines, failure) = match outcome {
            Ok(lines) => (ExportStatus::Completed, Some(i64::try_from(lines).unwrap_or(i64::MAX)), None),
            Err(reason) => (ExportStatus::Failed, None, Some(reason.chars().take(MAX_FAILURE_CHARS).collect::<String>())),
        };
        self.run_to_end(move |control| async move {
            let mut transaction = control.inner.store.begin().await?;
            let noted = sqlx::query(
                "UPDATE exports SET status = $2, lines = $3, failure = $4, finished_us = $5 WHERE id = $1 AND status = 'processing'",
            )
            .bind(id.0)
            .bind(status.as_str())
            .bind(lines)
            .bind(failure)
            .bind(control.now_us())
            .execute(&mut *transaction)
            .await
            .map_err(failed("the end of an export could not be noted"))?;
            commit(transaction).await?;
            Ok(noted.rows_affected() == 1)
        })
        .await
    }

    /// Fails every export under way: nobody writes at them any more. Returns how many there were.
    #[boxed]
    pub async fn fail_interrupted_exports(&self, reason: &'static str) -> Result<u64> {
        self.run_to_end(move |control| async move {
            let mut transaction = control.inner.store.begin().await?;
            let failed_now = sqlx::query(
                "UPDATE exports SET status = 'failed', failure = $1, finished_us = $2 WHERE status IN ('queued', 'processing')",
            )
            .bind(reason)
            .bind(control.now_us())
            .execute(&mut *transaction)
            .await
            .map_err(failed("exports under way could not be ended"))?;
            commit(transaction).await?;
            Ok(failed_now.rows_affected())
        })
        .await
    }

    /// Forgets every export that was finished before an instant, and returns the completed ones that are left.
    #[boxed]
    pub async fn expire_exports(&self, before_us: i64) -> Result<Vec<(WorkspaceId, ExportId)>> {
        self.run_to_end(move |control| async move {
            let step = "old exports could not be forgotten";
            let mut transaction = control.inner.store.begin().await?;
            sqlx::query("DELETE FROM exports WHERE finished_us < $1")
                .bind(before_us)
                .execute(&mut *transaction)
                .await
                .map_err(failed(step))?;
            let rows = sqlx::query("SELECT workspace_id, id FROM exports WHERE status = 'completed'")
                .fetch_all(&mut *transaction)
                .await
                .map_err(failed(step))?;
            commit(transaction).await?;
            let left = |row: &DatabaseRow| Ok((WorkspaceId(row.try_get("workspace_id")?), ExportId(row.try_get("id")?)));
            rows.iter().map(left).collect::<Result<_, sqlx::Error>>().map_err(failed(step))
        })
        .await
    }

    /// Forgets every export of a workspace, those under way included: somebody in them is to be forgotten.
    #[boxed]
    pub async fn forget_exports(&self, scope: &WorkspaceScope) -> Result<()> {
        let workspace = scope.workspace();
        self.run_to_end(move |control| async move {
            let mut transaction = control.inner.store.begin().await?;
            erase(&mut transaction, workspace).await?;
            commit(transaction).await
        })
        .await
    }
}

/// Erases the exports of a workspace.
pub(crate) async fn erase(transaction: &mut DatabaseTransaction, workspace: WorkspaceId) -> Result<()> {
    sqlx::query("DELETE FROM exports WHERE workspace_id = $1")
        .bind(workspace.0)
        .execute(&mut **transaction)
        .await
        .map_err(failed("the exports of a workspace could not be erased"))?;
    Ok(())
}

fn unknown_export(id: ExportId) -> Error {
    Error::new(Code::NotFound, format!("no export has the id {id}; exports are kept for a day"))
}

fn export_from(row: &DatabaseRow) -> Result<Export> {
    let read = failed("an export's row could not be read");
    let kind: &str = row.try_get("kind").map_err(&read)?;
    let status: &str = row.try_get("status").map_err(&read)?;
    let lines: Option<i64> = row.try_get("lines").map_err(&read)?;
    Ok(Export {
        id: ExportId(row.try_get("id").map_err(&read)?),
        workspace: WorkspaceId(row.try_get("workspace_id").map_err(&read)?),
        kind: ExportKind::parse(kind).ok_or_else(|| damaged("an export's stored kind is damaged"))?,
        status: ExportStatus::parse(status).ok_or_else(|| damaged("an export's stored status is damaged"))?,
        definition: row.try_get("definition").map_err(&read)?,
        failure: row.try_get("failure").map_err(&read)?,
        lines: lines.and_then(|lines| u64::try_from(lines).ok()),
        created_us: row.try_get("created_us").map_err(&read)?,
        finished_us: row.try_get("finished_us").map_err(&read)?,
    })
}
