//! The journal of merges: read, added to and undone by an operator; and the visitors that two people share.

use sqlx::Row;
use tributary_boxed::boxed;
use tributary_core::error::{Code, Error, Result};
use tributary_core::ids::{ContactId, MergeId, WorkspaceId};
use tributary_core::scope::WorkspaceScope;

use super::contact::unknown_contact;
use super::kind::line;
use super::merge::{Joined, MANUAL, find_survivor, join, part};
use super::values::note_change;
use crate::control::Control;
use crate::problems::Problems;
use crate::store::{DatabaseRow, DatabaseTransaction, commit, failed};

/// Most rows read at once.
const MAX_ROWS: u32 = 1_000;
/// Longest note of an operator, characters.
const MAX_NOTE_CHARS: usize = 64;

/// A row of the journal: two contacts, and why they are one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merge {
    /// Its number, which [`Control::split_contacts`] takes.
    pub id: MergeId,
    /// The older of the two.
    pub into: ContactId,
    /// The younger, whose id leads to the older (or to a still older one) while the merge is in force.
    pub merged: ContactId,
    /// The identifiers that met in one identification, such as `email+visitor`, or `manual`.
    pub evidence: String,
    /// The way it came: `identify`, `import`, an operator's note.
    pub via: String,
    /// When, microseconds since the epoch, UTC.
    pub merged_us: i64,
    /// When it was undone.
    pub undone_us: Option<i64>,
}

/// What undoing a merge led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Separated {
    /// The contacts there are now of the one there was, oldest first. A single one means that other merges in force still
    /// hold the two together.
    pub contacts: Vec<ContactId>,
}

/// A visitor seen with two signed-in people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The browser token.
    pub visitor: String,
    /// The contact it stays with.
    pub contact: ContactId,
    /// The other one it was seen with.
    pub other: ContactId,
    /// When this was first noted, microseconds since the epoch, UTC.
    pub noted_us: i64,
}

impl Control {
    /// Makes two contacts one, because an operator says so. Returns the row of the journal; `note` says why, in at most 64
    /// characters and without personal data.
    ///
    /// Errors: `not_found` for a contact of another workspace, `invalid_params` for twice the same, `conflict` when an
    /// operator has merged these two already.
    #[boxed]
    pub async fn merge_contacts(&self, scope: &WorkspaceScope, one: ContactId, other: ContactId, note: &str) -> Result<MergeId> {
        let mut problems = Problems::default();
        let note = problems.take("note", line(note, MAX_NOTE_CHARS)).unwrap_or_default();
        if one == other {
            problems.add("contacts", "must be two different contacts");
        }
        problems.check()?;
        let workspace = scope.workspace();
        self.run_to_end(move |control| async move {
            let mut transaction = control.inner.store.begin().await?;
            for contact in [one, other] {
                find_survivor(&mut transaction, workspace, contact).await?.ok_or_else(|| unknown_contact(contact))?;
            }
            let joined = join(&mut transaction, workspace, (one, other), (MANUAL, &note), control.now_us()).await?;
            let Joined::Now(merge) = joined else {
                return Err(Error::new(Code::Conflict, format!("contacts {one} and {other} were merged by hand already")));
            };
            note_change(&mut transaction, workspace).await?;
            commit(transaction).await?;
            Ok(merge)
        })
        .await
    }

    /// Undoes one merge: each side has again what was written to it, before the merge and since. The same evidence joins
    /// the two no more; an operator may.
    ///
    /// Errors: `not_found` for a merge of another workspace, `conflict` for one that is undone already.
    #[boxed]
    pub async fn split_contacts(&self, scope: &WorkspaceScope, merge: MergeId) -> Result<Separated> {
        let workspace = scope.workspace();
        self.run_to_end(move |control| async move {
            let step = failed("the merge could not be undone");
            let mut transaction = control.inner.store.begin().await?;
            let row = sqlx::query("SELECT low_id, undone_us FROM contact_merges WHERE workspace_id = $1 AND id = $2")
                .bind(workspace.0)
                .bind(merge.0)
                .fetch_optional(&mut *transaction)
                .await
                .map_err(&step)?;
            let row = row.ok_or_else(|| Error::new(Code::NotFound, format!("no merge has the id {merge}")))?;
            let undone_us: Option<i64> = row.try_get("undone_us").map_err(&step)?;
            if undone_us.is_some() {
                return Err(Error::new(Code::Conflict, format!("merge {merge} was undone already")));
            }
            sqlx::query("UPDATE contact_merges SET undone_us = $2 WHERE id = $1")
                .bind(merge.0)
                .bind(control.now_us())
                .execute(&mut *transaction)
                .await
                .map_err(&step)?;
            let low = ContactId(row.try_get("low_id").map_err(&step)?);
            let contacts = part(&mut transaction, workspace, low).await?;
            note_change(&mut transaction, workspace).await?;
            commit(transaction).await?;
            Ok(Separated { contacts })
        })
        .await
    }

    /// The newest rows of the journal, newest first, at most `limit` (and never more than 1,000), before `before` if given.
    #[boxed]
    pub async fn list_merges(&self, scope: &WorkspaceScope, limit: u32, before: Option<MergeId>) -> Result<Vec<Merge>> {
        let rows = sqlx::query(
            "SELECT id, low_id, high_id, evidence, via, merged_us, undone_us FROM contact_merges
             WHERE workspace_id = $1 AND ($2 IS NULL OR id < $2) ORDER BY id DESC LIMIT $3",
        )
        .bind(scope.workspace().0)
        .bind(before.map(|before| before.0))
        .bind(i64::from(limit.min(MAX_ROWS)))
        .fetch_all(self.inner.store.reader())
        .await
        .map_err(failed("the journal of merges could not be read"))?;
        rows.iter().map(merge_from).collect()
    }

    /// The visitors last seen with two people, newest first, at most `limit` (and never more than 1,000).
    #[boxed]
    pub async fn list_conflicts(&self, scope: &WorkspaceScope, limit: u32) -> Result<Vec<Conflict>> {
        let mut transaction = self.inner.store.begin_read().await?;
        conflicts(&mut transaction, scope.workspace(), limit).await
    }
}

async fn conflicts(transaction: &mut DatabaseTransaction, workspace: WorkspaceId, limit: u32) -> Result<Vec<Conflict>> {
    let read = failed("the visitors of two people could not be read");
    let rows = sqlx::query(
        "SELECT contact_identifiers.value, contact_conflicts.contact_id, contact_conflicts.other_id, contact_conflicts.noted_us
         FROM contact_conflicts JOIN contact_identifiers ON contact_identifiers.id = contact_conflicts.identifier_id
         WHERE contact_identifiers.workspace_id = $1
         ORDER BY contact_conflicts.noted_us DESC, contact_conflicts.identifier_id DESC, contact_conflicts.other_id DESC LIMIT $2",
    )
    .bind(workspace.0)
    .bind(i64::from(limit.min(MAX_ROWS)))
    .fetch_all(&mut **transaction)
    .await
    .map_err(&read)?;
    let conflict = |row: &DatabaseRow| {
        Ok(Conflict {
            visitor: row.try_get("value")?,
            contact: ContactId(row.try_get("contact_id")?),
            other: ContactId(row.try_get("other_id")?),
            noted_us: row.try_get("noted_us")?,
        })
    };
    rows.iter().map(conflict).collect::<Result<_, sqlx::Error>>().map_err(&read)
}

fn merge_from(row: &DatabaseRow) -> Result<Merge> {
    let read = failed("a row of the journal of merges could not be read");
    Ok(Merge {
        id: MergeId(row.try_get("id").map_err(&read)?),
        into: ContactId(row.try_get("low_id").map_err(&read)?),
        merged: ContactId(row.try_get("high_id").map_err(&read)?),
        evidence: row.try_get("evidence").map_err(&read)?,
        via: row.try_get("via").map_err(&read)?,
        merged_us: row.try_get("merged_us").map_err(&read)?,
        undone_us: row.try_get("undone_us").map_err(&read)?,
    })
}
