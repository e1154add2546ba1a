//! Contacts written by hand: created with lists, and changed list by list.

use tributary_boxed::boxed;
use tributary_core::error::Result;
use tributary_core::ids::{ContactId, WorkspaceId};
use tributary_core::scope::WorkspaceScope;

use super::contact::{Contact, read_contact, unknown_contact};
use super::identify::{checked_fields, checked_list, create_contact};
use super::kind::{AttributeKind, IdentifierKind};
use super::merge::{find_survivor, join};
use super::slot::{FieldInput, FieldValue, Slot};
use super::values::{find_owner, note_change, take_places, tie, write_attribute, write_field};
use crate::control::Control;
use crate::problems::Problems;
use crate::store::{DatabaseStatement, DatabaseTransaction, commit, failed};

/// The way such contacts come, for the journal.
const VIA: &str = "contacts API";

/// A contact to create. Lists take at most 25 values; the first is the primary one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewContact {
    /// At least one. A contact that has one of them already is taken; several such contacts become one.
    pub emails: Vec<String>,
    /// Phone numbers.
    pub phones: Vec<String>,
    /// Names.
    pub names: Vec<String>,
    /// Locations.
    pub locations: Vec<String>,
    /// Custom fields.
    pub fields: Vec<(Slot, FieldInput)>,
}

/// A change to a contact: what is `None` stays. A list replaces the stored one, an empty one empties it. At least one is
/// needed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContactChange {
    /// E-mail addresses. One that is taken out identifies the contact no more.
    pub emails: Option<Vec<String>>,
    /// Phone numbers.
    pub phones: Option<Vec<String>>,
    /// Names.
    pub names: Option<Vec<String>>,
    /// Locations.
    pub locations: Option<Vec<String>>,
    /// Custom fields; every slot not among them is cleared.
    pub fields: Option<Vec<(Slot, FieldInput)>>,
}

impl Control {
    /// Creates a contact, or adds to the one that has one of the e-mails.
    ///
    /// Errors: `invalid_params` naming every field at fault.
    #[boxed]
    pub async fn create_contact(&self, scope: &WorkspaceScope, new: NewContact) -> Result<Contact> {
        let mut problems = Problems::default();
        if new.emails.is_empty() {
            problems.add("emails", "must have at least 1 item");
        }
        let written = Written::check(
            ContactChange {
                emails: Some(new.emails),
                phones: Some(new.phones),
                names: Some(new.names),
                locations: Some(new.locations),
                fields: Some(new.fields),
            },
            &mut problems,
        );
        problems.check()?;
        let workspace = scope.workspace();
        self.run_to_end(move |control| async move {
            let now_us = control.now_us();
            let mut transaction = control.inner.store.begin().await?;
            let emails = written.emails.as_deref().unwrap_or_default();
            let mut known: Vec<ContactId> = Vec::new();
            for email in emails {
                known.extend(
                    find_owner(&mut transaction, workspace, IdentifierKind::Email, email).await?.map(|owned| owned.contact),
                );
            }
            let contact = match known.first() {
                Some(first) => *first,
                None => create_contact(&mut transaction, workspace, now_us).await?,
            };
            for other in known.into_iter().filter(|other| *other != contact) {
                join(&mut transaction, workspace, (contact, other), ("email+email", VIA), now_us).await?;
            }
            written.add(&mut transaction, workspace, contact, now_us).await?;
            note_change(&mut transaction, workspace).await?;
            let created = read_contact(&mut transaction, workspace, contact).await?;
            commit(transaction).await?;
            Ok(created)
        })
        .await
    }

    /// Changes what is given of a contact, as it is over all contacts that are one: what is taken out is gone, whichever of
    /// them had it. The id of a merged contact leads to the contact it is part of.
    ///
    /// Errors: `not_found`, and `invalid_params` naming every field at fault, an e-mail of another contact among them.
    #[boxed]
    pub async fn update_contact(&self, scope: &WorkspaceScope, id: ContactId, change: ContactChange) -> Result<Contact> {
        let mut problems = Problems::default();
        if change == ContactChange::default() {
            problems.add("emails", "one of emails, phones, names, locations and custom_fields is required");
        }
        let written = Written::check(change, &mut problems);
        problems.check()?;
        let workspace = scope.workspace();
        self.run_to_end(move |control| async move {
            let mut transaction = control.inner.store.begin().await?;
            let survivor = find_survivor(&mut transaction, workspace, id).await?.ok_or_else(|| unknown_contact(id))?;
            written.refuse_foreign_emails(&mut transaction, workspace, survivor).await?;
            written.take_out(&mut transaction, workspace, survivor).await?;
            written.add(&mut transaction, workspace, survivor, control.now_us()).await?;
            note_change(&mut transaction, workspace).await?;
            let changed = read_contact(&mut transaction, workspace, survivor).await?;
            commit(transaction).await?;
            Ok(changed)
        })
        .await
    }
}

/// What is to be written, every value in its one spelling.
struct Written {
    emails: Option<Vec<String>>,
    attributes: Vec<(AttributeKind, Vec<String>)>,
    fields: Option<Vec<(Slot, FieldValue)>>,
}

impl Written {
    fn check(change: ContactChange, problems: &mut Problems) -> Self {
        let email = |value: &str| IdentifierKind::Email.normalise(value);
        let emails = change.emails.map(|emails| checked_list(emails, "emails", problems, email));
        let lists = [
            (AttributeKind::Phone, "phones", change.phones),
            (AttributeKind::Name, "names", change.names),
            (AttributeKind::Location, "locations", change.locations),
        ];
        let attributes = lists
            .into_iter()
            .filter_map(|(kind, name, values)| Some((kind, checked_list(values?, name, problems, AttributeKind::normalise))))
            .collect();
        let fields = change.fields.map(|fields| checked_fields(&fields, "custom_fields", problems));
        Self { emails, attributes, fields }
    }

    async fn refuse_foreign_emails(
        &self,
        transaction: &mut DatabaseTransaction,
        workspace: WorkspaceId,
        survivor: ContactId,
    ) -> Result<()> {
        let mut problems = Problems::default();
        for (index, email) in self.emails.iter().flatten().enumerate() {
            let Some(owned) = find_owner(transaction, workspace, IdentifierKind::Email, email).await? else { continue };
            let holder = find_survivor(transaction, workspace, owned.contact).await?;
            if let Some(holder) = holder.filter(|holder| *holder != survivor) {
                problems.add(format!("emails.{index}"), format!("is an e-mail of contact {holder}"));
            }
        }
        problems.check()
    }

    /// Deletes what the given lists replace, from all contacts that are one. What stays in a list stays where it was written.
    async fn take_out(&self, transaction: &mut DatabaseTransaction, workspace: WorkspaceId, survivor: ContactId) -> Result<()> {
        let step = "a contact's lists could not be replaced";
        if let Some(emails) = &self.emails {
            let mut statement = DatabaseStatement::new("DELETE FROM contact_identifiers WHERE kind = 'email' AND contact_id IN ");
            push_members(&mut statement, workspace, survivor);
            for email in emails {
                statement.push(" AND value <> ").push_bind(email.clone());
            }
            statement.build().execute(&mut **transaction).await.map_err(failed(step))?;
        }
        for (kind, values) in &self.attributes {
            let mut statement = DatabaseStatement::new("DELETE FROM contact_attributes WHERE contact_id IN ");
            push_members(&mut statement, workspace, survivor);
            statement.push(" AND kind = ").push_bind(kind.as_str());
            for value in values {
                statement.push(" AND value <> ").push_bind(value.clone());
            }
            statement.build().execute(&mut **transaction).await.map_err(failed(step))?;
        }
        if self.fields.is_some() {
            let mut statement = DatabaseStatement::new("DELETE FROM contact_fields WHERE contact_id IN ");
            push_members(&mut statement, workspace, survivor);
            statement.build().execute(&mut **transaction).await.map_err(failed(step))?;
        }
        Ok(())
    }

    /// Writes what is given, so that the first of each list has the highest place.
    async fn add(
        &self,
        transaction: &mut DatabaseTransaction,
        workspace: WorkspaceId,
        contact: ContactId,
        now_us: i64,
    ) -> Result<()> {
        let emails = self.emails.as_deref().unwrap_or_default();
        let fields = self.fields.as_deref().unwrap_or_default();
        let count = emails.len() + fields.len() + self.attributes.iter().map(|(_, values)| values.len()).sum::<usize>();
        if count == 0 {
            return Ok(());
        }
        let last = take_places(transaction, workspace, count).await?;
        let mut place = last - i64::try_from(count).unwrap_or_default();
        let mut next = || {
            place += 1;
            place
        };
        for email in emails.iter().rev() {
            let place = next();
            match find_owner(transaction, workspace, IdentifierKind::Email, email).await? {
                Some(owned) => {
                    sqlx::query("UPDATE contact_identifiers SET place = $2 WHERE id = $1")
                        .bind(owned.id)
                        .bind(place)
                        .execute(&mut **transaction)
                        .await
                        .map_err(failed("a contact's e-mails could not be put in order"))?;
                }
                None => tie(transaction, workspace, contact, (IdentifierKind::Email, email), place, now_us).await?,
            }
        }
        for (kind, values) in &self.attributes {
            for value in values.iter().rev() {
                write_attribute(transaction, contact, *kind, value, next()).await?;
            }
        }
        for (slot, value) in fields {
            write_field(transaction, contact, *slot, value, next()).await?;
        }
        Ok(())
    }
}

/// `(SELECT …)`: the contacts that are one with `survivor`.
fn push_members(statement: &mut DatabaseStatement, workspace: WorkspaceId, survivor: ContactId) {
    statement.push("(SELECT id FROM contacts WHERE workspace_id = ").push_bind(workspace.0);
    statement.push(" AND survivor_id = ").push_bind(survivor.0).push(")");
}
