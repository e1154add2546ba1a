//! A contact as it is read: over all the contacts that are one.

use std::collections::HashMap;

use sqlx::Row;
use tributary_boxed::boxed;
use tributary_core::error::{Code, Error, Result};
use tributary_core::ids::{CompanyId, ContactId, WorkspaceId};
use tributary_core::scope::WorkspaceScope;

use super::kind::AttributeKind;
use super::merge::find_survivor;
use super::slot::{FieldValue, Slot};
use super::values::field_from;
use crate::control::Control;
use crate::store::{DatabaseRow, DatabaseStatement, DatabaseTransaction, damaged, failed};

/// Most values of one list read.
const MAX_READ_VALUES: i64 = 25;
/// Most visitors read.
const MAX_READ_VISITORS: i64 = 5;

/// A contact. Lists are newest first; the first item is the primary one.
#[derive(Clone, Debug, PartialEq)]
pub struct Contact {
    /// Its id: the oldest of those that are one.
    pub id: ContactId,
    /// When it was first identified, microseconds since the epoch, UTC.
    pub created_us: i64,
    /// The earliest and the latest moment something was learned about it.
    pub first_seen_us: i64,
    /// See `first_seen_us`; to the hour.
    pub last_seen_us: i64,
    /// At most 25.
    pub emails: Vec<String>,
    /// At most 25.
    pub phones: Vec<String>,
    /// At most 25.
    pub names: Vec<String>,
    /// At most 25.
    pub locations: Vec<String>,
    /// The last 5 browser tokens, if asked for.
    pub visitors: Vec<String>,
    /// Custom fields with a value, by slot, if asked for.
    pub fields: Vec<(Slot, FieldValue)>,
    /// The company of its primary e-mail's domain.
    pub company: Option<CompanyId>,
}

/// What is read of a contact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Include {
    /// Every value of a list, not only the primary one.
    pub all_values: bool,
    /// The visitors.
    pub visitors: bool,
    /// The custom fields.
    pub fields: bool,
}

impl Include {
    /// Everything.
    pub const ALL: Include = Include { all_values: true, visitors: true, fields: true };
}

impl Control {
    /// One contact with everything; the id of a merged one leads to the contact it is part of. Or `not_found`.
    #[boxed]
    pub async fn get_contact(&self, scope: &WorkspaceScope, id: ContactId) -> Result<Contact> {
        let mut transaction = self.inner.store.begin_read().await?;
        read_contact(&mut transaction, scope.workspace(), id).await
    }
}

/// One contact inside a transaction.
pub(super) async fn read_contact(
    transaction: &mut DatabaseTransaction,
    workspace: WorkspaceId,
    id: ContactId,
) -> Result<Contact> {
    let survivor = find_survivor(transaction, workspace, id).await?.ok_or_else(|| unknown_contact(id))?;
    let read = read_contacts(transaction, workspace, &[survivor], Include::ALL).await?;
    read.into_iter().next().ok_or_else(|| unknown_contact(id))
}

pub(super) fn unknown_contact(id: ContactId) -> Error {
    Error::new(Code::NotFound, format!("no contact has the id {id}"))
}

/// The contacts that stand for themselves with these ids, in this order.
pub(super) async fn read_contacts(
    transaction: &mut DatabaseTransaction,
    workspace: WorkspaceId,
    ids: &[ContactId],
    include: Include,
) -> Result<Vec<Contact>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut contacts = read_heads(transaction, workspace, ids).await?;
    read_identifiers(transaction, workspace, ids, include, &mut contacts).await?;
    read_attributes(transaction, workspace, ids, include, &mut contacts).await?;
    if include.fields {
        read_fields(transaction, workspace, ids, &mut contacts).await?;
    }
    Ok(ids.iter().filter_map(|id| contacts.remove(id)).collect())
}

type ById = HashMap<ContactId, Contact>;

async fn read_heads(transaction: &mut DatabaseTransaction, workspace: WorkspaceId, ids: &[ContactId]) -> Result<ById> {
    let read = failed("contacts could not be read");
    let mut statement = DatabaseStatement::new(
        "SELECT survivor_id, MIN(CASE WHEN id = survivor_id THEN created_us END) AS created_us,
         MIN(first_seen_us) AS first_seen_us, MAX(last_seen_us) AS last_seen_us FROM contacts WHERE workspace_id = ",
    );
    statement.push_bind(workspace.0);
    push_survivors(&mut statement, ids);
    statement.push(" GROUP BY survivor_id");
    let rows = statement.build().fetch_all(&mut **transaction).await.map_err(&read)?;
    let mut contacts = HashMap::with_capacity(rows.len());
    for row in &rows {
        let id = survivor_of(row)?;
        let contact = Contact {
            id,
            created_us: row.try_get("created_us").map_err(&read)?,
            first_seen_us: row.try_get("first_seen_us").map_err(&read)?,
            last_seen_us: row.try_get("last_seen_us").map_err(&read)?,
            emails: Vec::new(),
            phones: Vec::new(),
            names: Vec::new(),
            locations: Vec::new(),
            visitors: Vec::new(),
            fields: Vec::new(),
            company: None,
        };
        contacts.insert(id, contact);
    }
    Ok(contacts)
}

async fn read_identifiers(
    transaction: &mut DatabaseTransaction,
    workspace: WorkspaceId,
    ids: &[ContactId],
    include: Include,
    contacts: &mut ById,
) -> Result<()> {
    let read = failed("the identifiers of contacts could not be read");
    let mut statement = DatabaseStatement::new(
        "SELECT survivor_id, kind, value, company_id FROM (
           SELECT contacts.survivor_id, contact_identifiers.kind, contact_identifiers.value, companies.id AS company_id,
             ROW_NUMBER() OVER (PARTITION BY contacts.survivor_id, contact_identifiers.kind
               ORDER BY contact_identifiers.place DESC) AS number
           FROM contacts JOIN contact_identifiers ON contact_identifiers.contact_id = contacts.id
           LEFT JOIN companies ON companies.workspace_id = contacts.workspace_id AND companies.domain = contact_identifiers.domain
           WHERE contact_identifiers.kind IN ('email', 'visitor') AND contacts.workspace_id = ",
    );
    statement.push_bind(workspace.0);
    push_survivors(&mut statement, ids);
    statement.push(") AS numbered WHERE (kind = 'email' AND number <= ");
    statement.push_bind(if include.all_values { MAX_READ_VALUES } else { 1 });
    statement.push(") OR (kind = 'visitor' AND number <= ");
    statement.push_bind(if include.visitors { MAX_READ_VISITORS } else { 0 });
    statement.push(") ORDER BY survivor_id, kind, number");
    for row in &statement.build().fetch_all(&mut **transaction).await.map_err(&read)? {
        let Some(contact) = contacts.get_mut(&survivor_of(row)?) else { continue };
        let kind: &str = row.try_get("kind").map_err(&read)?;
        let value: String = row.try_get("value").map_err(&read)?;
        if kind == "visitor" {
            contact.visitors.push(value);
            continue;
        }
        if contact.emails.is_empty() {
            contact.company = row.try_get::<Option<i64>, _>("company_id").map_err(&read)?.map(CompanyId);
        }
        contact.emails.push(value);
    }
    Ok(())
}

async fn read_attributes(
    transaction: &mut DatabaseTransaction,
    workspace: WorkspaceId,
    ids: &[ContactId],
    include: Include,
    contacts: &mut ById,
) -> Result<()> {
    let read = failed("the attributes of contacts could not be read");
    // Contacts that are one may hold the same value: it counts once, at its newest place.
    let mut statement = DatabaseStatement::new(
        "SELECT survivor_id, kind, value FROM (
           SELECT survivor_id, kind, value,
             ROW_NUMBER() OVER (PARTITION BY survivor_id, kind ORDER BY place DESC) AS number
           FROM (
             SELECT contacts.survivor_id, contact_attributes.kind, contact_attributes.value, MAX(contact_attributes.place) AS place
             FROM contacts JOIN contact_attributes ON contact_attributes.contact_id = contacts.id WHERE contacts.workspace_id = ",
    );
    statement.push_bind(workspace.0);
    push_survivors(&mut statement, ids);
    statement.push(
        " GROUP BY contacts.survivor_id, contact_attributes.kind, contact_attributes.value) AS distinct_values) AS numbered
         WHERE number <= ",
    );
    statement.push_bind(if include.all_values { MAX_READ_VALUES } else { 1 });
    statement.push(" ORDER BY survivor_id, kind, number");
    for row in &statement.build().fetch_all(&mut **transaction).await.map_err(&read)? {
        let Some(contact) = contacts.get_mut(&survivor_of(row)?) else { continue };
        let kind: &str = row.try_get("kind").map_err(&read)?;
        let list = match AttributeKind::parse(kind).ok_or_else(|| damaged("an attribute's stored kind is damaged"))? {
            AttributeKind::Phone => &mut contact.phones,
            AttributeKind::Name => &mut contact.names,
            AttributeKind::Location => &mut contact.locations,
        };
        list.push(row.try_get("value").map_err(&read)?);
    }
    Ok(())
}

async fn read_fields(
    transaction: &mut DatabaseTransaction,
    workspace: WorkspaceId,
    ids: &[ContactId],
    contacts: &mut ById,
) -> Result<()> {
    let read = failed("the custom fields of contacts could not be read");
    let mut statement = DatabaseStatement::new(
        "SELECT survivor_id, slot, text_value, number_value, date_value FROM (
           SELECT contacts.survivor_id, contact_fields.slot, contact_fields.text_value, contact_fields.number_value,
             contact_fields.date_value,
             ROW_NUMBER() OVER (PARTITION BY contacts.survivor_id, contact_fields.slot ORDER BY contact_fields.place DESC) AS number
           FROM contacts JOIN contact_fields ON contact_fields.contact_id = contacts.id WHERE contacts.workspace_id = ",
    );
    statement.push_bind(workspace.0);
    push_survivors(&mut statement, ids);
    statement.push(") AS numbered WHERE number = 1 ORDER BY survivor_id, slot");
    for row in &statement.build().fetch_all(&mut **transaction).await.map_err(&read)? {
        let Some(contact) = contacts.get_mut(&survivor_of(row)?) else { continue };
        let slot: i64 = row.try_get("slot").map_err(&read)?;
        let slot = u8::try_from(slot).ok().and_then(Slot::new).ok_or_else(|| damaged("a stored slot is damaged"))?;
        contact.fields.push((slot, field_from(row)?));
    }
    Ok(())
}

/// ` AND contacts.survivor_id IN (…)`.
fn push_survivors(statement: &mut DatabaseStatement, ids: &[ContactId]) {
    statement.push(" AND contacts.survivor_id IN ").push_list(ids.iter().map(|id| id.0));
}

fn survivor_of(row: &DatabaseRow) -> Result<ContactId> {
    row.try_get("survivor_id").map(ContactId).map_err(failed("a contact's row could not be read"))
}
