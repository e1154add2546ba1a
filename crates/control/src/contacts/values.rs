//! Rows that hold what contacts are made of: identifiers, attributes, fields. Every function works inside a transaction and
//! within one workspace.

use sqlx::Row;
use tributary_core::error::Result;
use tributary_core::ids::{ContactId, WorkspaceId};

use super::free_mail::company_domain;
use super::kind::{AttributeKind, IdentifierKind, mail_domain};
use super::slot::{FieldValue, Slot};
use crate::store::{DatabaseRow, DatabaseTransaction, damaged, failed};

/// Most phones, names or locations kept for one contact, each; the oldest go.
const MAX_ATTRIBUTES: i64 = 100;

/// An identifier that is there already.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owned {
    pub id: i64,
    /// The contact it was written to, which may be one with others.
    pub contact: ContactId,
}

/// Gives out `count` places that follow each other and returns the last, the newest.
pub(super) async fn take_places(transaction: &mut DatabaseTransaction, workspace: WorkspaceId, count: usize) -> Result<i64> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    sqlx::query(
        "INSERT INTO contact_counters (workspace_id, place, changes) VALUES ($1, $2, 0)
         ON CONFLICT (workspace_id) DO UPDATE SET place = contact_counters.place + excluded.place RETURNING place",
    )
    .bind(workspace.0)
    .bind(count)
    .fetch_one(&mut **transaction)
    .await
    .and_then(|row| row.try_get("place"))
    .map_err(failed("the order of a contact's values could not be kept"))
}

/// Notes that something changed which decides who is one person or one company.
pub(super) async fn note_change(transaction: &mut DatabaseTransaction, workspace: WorkspaceId) -> Result<()> {
    sqlx::query(
        "INSERT INTO contact_counters (workspace_id, place, changes) VALUES ($1, 0, 1)
         ON CONFLICT (workspace_id) DO UPDATE SET changes = contact_counters.changes + 1",
    )
    .bind(workspace.0)
    .execute(&mut **transaction)
    .await
    .map_err(failed("a change of contacts could not be counted"))?;
    Ok(())
}

/// Who holds an identifier.
pub(super) async fn find_owner(
    transaction: &mut DatabaseTransaction,
    workspace: WorkspaceId,
    kind: IdentifierKind,
    value: &str,
) -> Result<Option<Owned>> {
    let read = failed("an identifier could not be looked up");
    let row = sqlx::query("SELECT id, contact_id FROM contact_identifiers WHERE workspace_id = $1 AND kind = $2 AND value = $3")
        .bind(workspace.0)
        .bind(kind.as_str())
        .bind(value)
        .fetch_optional(&mut **transaction)
        .await
        .map_err(&read)?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Owned { id: row.try_get("id").map_err(&read)?, contact: ContactId(row.try_get("contact_id").map_err(&read)?) }))
}

/// Ties a new identifier to a contact. The domain of an e-mail becomes a company, unless it is a free-mail one.
pub(super) async fn tie(
    transaction: &mut DatabaseTransaction,
    workspace: WorkspaceId,
    contact: ContactId,
    (kind, value): (IdentifierKind, &str),
    place: i64,
    seen_us: i64,
) -> Result<()> {
    let step = "an identifier could not be tied to its contact";
    let domain = match kind {
        IdentifierKind::Email => company_domain(mail_domain(value)),
        IdentifierKind::UserId | IdentifierKind::TrackingId | IdentifierKind::Visitor => None,
    };
    sqlx::query(
        "INSERT INTO contact_identifiers (workspace_id, kind, value, contact_id, place, domain) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(workspace.0)
    .bind(kind.as_str())
    .bind(value)
    .bind(contact.0)
    .bind(place)
    .bind(domain)
    .execute(&mut **transaction)
    .await
    .map_err(failed(step))?;
    if let Some(domain) = domain {
        sqlx::query(
            "INSERT INTO companies (workspace_id, domain, created_us) VALUES ($1, $2, $3)
             ON CONFLICT (workspace_id, domain) DO NOTHING",
        )
        .bind(workspace.0)
        .bind(domain)
        .bind(seen_us)
        .execute(&mut **transaction)
        .await
        .map_err(failed(step))?;
    }
    Ok(())
}

/// Whether this very contact holds the value.
pub(super) async fn has_attribute(
    transaction: &mut DatabaseTransaction,
    contact: ContactId,
    kind: AttributeKind,
    value: &str,
) -> Result<bool> {
    let row = sqlx::query("SELECT 1 FROM contact_attributes WHERE contact_id = $1 AND kind = $2 AND value = $3")
        .bind(contact.0)
        .bind(kind.as_str())
        .bind(value)
        .fetch_optional(&mut **transaction)
        .await
        .map_err(failed("a contact's attributes could not be read"))?;
    Ok(row.is_some())
}

/// Writes a value to a contact, or gives the one it has a new place.
pub(super) async fn write_attribute(
    transaction: &mut DatabaseTransaction,
    contact: ContactId,
    kind: AttributeKind,
    value: &str,
    place: i64,
) -> Result<()> {
    let step = "a contact's attribute could not be written";
    sqlx::query(
        "INSERT INTO contact_attributes (contact_id, kind, value, place) VALUES ($1, $2, $3, $4)
         ON CONFLICT (contact_id, kind, value) DO UPDATE SET place = excluded.place",
    )
    .bind(contact.0)
    .bind(kind.as_str())
    .bind(value)
    .bind(place)
    .execute(&mut **transaction)
    .await
    .map_err(failed(step))?;
    sqlx::query(
        "DELETE FROM contact_attributes WHERE contact_id = $1 AND kind = $2 AND place <= (
           SELECT place FROM contact_attributes WHERE contact_id = $1 AND kind = $2 ORDER BY place DESC LIMIT 1 OFFSET $3)",
    )
    .bind(contact.0)
    .bind(kind.as_str())
    .bind(MAX_ATTRIBUTES)
    .execute(&mut **transaction)
    .await
    .map_err(failed(step))?;
    Ok(())
}

/// Writes a field of a contact, over what was there.
pub(super) async fn write_field(
    transaction: &mut DatabaseTransaction,
    contact: ContactId,
    slot: Slot,
    value: &FieldValue,
    place: i64,
) -> Result<()> {
    let (text, number, date) = match value {
        FieldValue::Text(text) => (Some(text), None, None),
        FieldValue::Number(number) => (None, Some(*number), None),
        FieldValue::Date(day) => (None, None, Some(day)),
    };
    sqlx::query(
        "INSERT INTO contact_fields (contact_id, slot, text_value, folded, words, number_value, date_value, place)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (contact_id, slot) DO UPDATE SET text_value = excluded.text_value, folded = excluded.folded,
         words = excluded.words, number_value = excluded.number_value, date_value = excluded.date_value, place = excluded.place",
    )
    .bind(contact.0)
    .bind(i64::from(slot.number()))
    .bind(text)
    .bind(text.map(|text| text.to_lowercase()))
    .bind(text.map(|text| words(text)))
    .bind(number)
    .bind(date)
    .bind(place)
    .execute(&mut **transaction)
    .await
    .map_err(failed("a contact's field could not be written"))?;
    Ok(())
}

/// What this very contact holds in a slot.
pub(super) async fn field_of(
    transaction: &mut DatabaseTransaction,
    contact: ContactId,
    slot: Slot,
) -> Result<Option<FieldValue>> {
    let row = sqlx::query("SELECT text_value, number_value, date_value FROM contact_fields WHERE contact_id = $1 AND slot = $2")
        .bind(contact.0)
        .bind(i64::from(slot.number()))
        .fetch_optional(&mut **transaction)
        .await
        .map_err(failed("a contact's field could not be read"))?;
    row.as_ref().map(field_from).transpose()
}

/// Reads a row with `text_value`, `number_value` and `date_value`.
pub(super) fn field_from(row: &DatabaseRow) -> Result<FieldValue> {
    let read = failed("a contact's field could not be read");
    let text: Option<String> = row.try_get("text_value").map_err(&read)?;
    let number: Option<f64> = row.try_get("number_value").map_err(&read)?;
    let date: Option<String> = row.try_get("date_value").map_err(&read)?;
    text.map(FieldValue::Text)
        .or(number.map(FieldValue::Number))
        .or(date.map(FieldValue::Date))
        .ok_or_else(|| damaged("a contact's stored field holds no value"))
}

/// The words of a text in lower case, a space before and after each.
pub(super) fn words(text: &str) -> String {
    let folded = text.to_lowercase();
    let mut words = String::with_capacity(folded.len() + 2);
    words.push(' ');
    for word in folded.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()) {
        words.push_str(word);
        words.push(' ');
    }
    words
}
