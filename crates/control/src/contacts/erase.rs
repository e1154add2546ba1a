//! Erasing contacts: everything known of a person, of all contacts that are one with it.

use sqlx::Row;
use tributary_boxed::boxed;
use tributary_core::error::Result;
use tributary_core::ids::{ContactId, WorkspaceId};
use tributary_core::scope::WorkspaceScope;

use super::kind::IdentifierKind;
use super::merge::{find_survivor, members};
use super::values::{find_owner, note_change};
use crate::control::Control;
use crate::store::{DatabaseTransaction, commit, failed};

/// Whose contact is erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Forgotten {
    /// The contact of this `user_id`.
    User(String),
    /// The contact of this `anonymous_id`.
    Visitor(String),
    /// Every contact and company of the workspace; labels stay.
    Everyone,
}

/// Deletes by contact, in an order in which no row is left that points at a deleted one. Each takes workspace and survivor.
const ERASE_CONTACT: [&str; 7] = [
    "DELETE FROM contact_fields WHERE contact_id IN (SELECT id FROM contacts WHERE workspace_id = $1 AND survivor_id = $2)",
    "DELETE FROM contact_attributes WHERE contact_id IN (SELECT id FROM contacts WHERE workspace_id = $1 AND survivor_id = $2)",
    "DELETE FROM contact_conflicts WHERE contact_id IN (SELECT id FROM contacts WHERE workspace_id = $1 AND survivor_id = $2)
       OR other_id IN (SELECT id FROM contacts WHERE workspace_id = $1 AND survivor_id = $2)",
    "DELETE FROM contact_merges WHERE low_id IN (SELECT id FROM contacts WHERE workspace_id = $1 AND survivor_id = $2)
       OR high_id IN (SELECT id FROM contacts WHERE workspace_id = $1 AND survivor_id = $2)",
    // A company nobody named goes with the last address that spoke of it: its domain may be a person's own.
    "DELETE FROM companies WHERE workspace_id = $1 AND name IS NULL
       AND domain IN (SELECT contact_identifiers.domain FROM contact_identifiers JOIN contacts
         ON contacts.id = contact_identifiers.contact_id WHERE contacts.workspace_id = $1 AND contacts.survivor_id = $2)
       AND NOT EXISTS (SELECT 1 FROM contact_identifiers JOIN contacts ON contacts.id = contact_identifiers.contact_id
         WHERE contacts.workspace_id = $1 AND contacts.survivor_id <> $2 AND contact_identifiers.domain = companies.domain)",
    "DELETE FROM contact_identifiers WHERE contact_id IN (SELECT id FROM contacts WHERE workspace_id = $1 AND survivor_id = $2)",
    "DELETE FROM contacts WHERE workspace_id = $1 AND survivor_id = $2",
];

/// The same for a whole workspace.
const ERASE_WORKSPACE: [&str; 7] = [
    "DELETE FROM contact_fields WHERE contact_id IN (SELECT id FROM contacts WHERE workspace_id = $1)",
    "DELETE FROM contact_attributes WHERE contact_id IN (SELECT id FROM contacts WHERE workspace_id = $1)",
    "DELETE FROM contact_conflicts WHERE contact_id IN (SELECT id FROM contacts WHERE workspace_id = $1)",
    "DELETE FROM contact_merges WHERE workspace_id = $1",
    "DELETE FROM contact_identifiers WHERE workspace_id = $1",
    "DELETE FROM contacts WHERE workspace_id = $1",
    "DELETE FROM companies WHERE workspace_id = $1",
];

impl Control {
    /// Erases everything known of a person: identifiers, lists, fields, merges. Returns how many contacts went, those that
    /// were one counted each. Somebody who comes back is a new contact.
    #[boxed]
    pub async fn erase_contacts(&self, scope: &WorkspaceScope, who: Forgotten) -> Result<u64> {
        let workspace = scope.workspace();
        self.run_to_end(move |control| async move {
            let mut transaction = control.inner.store.begin().await?;
            let erased = match &who {
                Forgotten::User(id) => erase_holder(&mut transaction, workspace, (IdentifierKind::UserId, id)).await?,
                Forgotten::Visitor(id) => erase_holder(&mut transaction, workspace, (IdentifierKind::Visitor, id)).await?,
                Forgotten::Everyone => erase_everyone(&mut transaction, workspace).await?,
            };
            if erased > 0 {
                note_change(&mut transaction, workspace).await?;
            }
            commit(transaction).await?;
            control.inner.seen_ties.forget();
            Ok(erased)
        })
        .await
    }
}

async fn erase_holder(
    transaction: &mut DatabaseTransaction,
    workspace: WorkspaceId,
    (kind, value): (IdentifierKind, &str),
) -> Result<u64> {
    let Some(owned) = find_owner(transaction, workspace, kind, value).await? else { return Ok(0) };
    let Some(survivor) = find_survivor(transaction, workspace, owned.contact).await? else { return Ok(0) };
    let erased: Vec<ContactId> = members(transaction, workspace, survivor).await?;
    for statement in ERASE_CONTACT {
        sqlx::query(statement)
            .bind(workspace.0)
            .bind(survivor.0)
            .execute(&mut **transaction)
            .await
            .map_err(failed("a contact could not be erased"))?;
    }
    Ok(erased.len() as u64)
}

async fn erase_everyone(transaction: &mut DatabaseTransaction, workspace: WorkspaceId) -> Result<u64> {
    let step = failed("the contacts could not be erased");
    let count: i64 = sqlx::query("SELECT COUNT(*) AS contacts FROM contacts WHERE workspace_id = $1")
        .bind(workspace.0)
        .fetch_one(&mut **transaction)
        .await
        .and_then(|row| row.try_get("contacts"))
        .map_err(&step)?;
    for statement in ERASE_WORKSPACE {
        sqlx::query(statement).bind(workspace.0).execute(&mut **transaction).await.map_err(&step)?;
    }
    Ok(u64::try_from(count).unwrap_or_default())
}
