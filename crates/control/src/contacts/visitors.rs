//! Visitors by what is known of the contact they stand for: what questions over events filter and group people by.

use sqlx::Row;
use tributary_boxed::boxed;
use tributary_core::error::Result;
use tributary_core::ids::ContactId;
use tributary_core::scope::WorkspaceScope;

use super::contact::{Contact, Include, read_contacts};
use super::filter::{Condition, check_conditions};
use super::label::read_labels;
use super::slot::{FieldKind, Slot};
use crate::control::Control;
use crate::problems::Problems;
use crate::store::{DatabaseRow, DatabaseStatement, failed};

impl Control {
    /// Every visitor of the contacts for which all conditions hold, with its contact, ascending. Visitors that are no contact's
    /// are never among them; without conditions all that are.
    ///
    /// Errors: `invalid_params` naming every condition at fault and what would be allowed.
    #[boxed]
    pub async fn visitors_where(&self, scope: &WorkspaceScope, conditions: &[Condition]) -> Result<Vec<(ContactId, String)>> {
        let mut transaction = self.inner.store.begin_read().await?;
        let labels = read_labels(&mut transaction, scope.workspace()).await?;
        let mut problems = Problems::default();
        let filters = check_conditions(conditions, &labels, self.now_us(), &mut problems);
        problems.check()?;
        let mut statement = DatabaseStatement::new(
            "SELECT contacts.survivor_id, contact_identifiers.value FROM contact_identifiers
             JOIN contacts ON contacts.id = contact_identifiers.contact_id
             JOIN contacts AS head ON head.id = contacts.survivor_id
             WHERE contact_identifiers.kind = 'visitor' AND contact_identifiers.workspace_id = ",
        );
        statement.push_bind(scope.workspace().0);
        filters.iter().for_each(|filter| filter.push(&mut statement));
        statement.push(" ORDER BY contacts.survivor_id, contact_identifiers.value");
        let read = failed("the visitors of contacts could not be filtered");
        let rows = statement.build().fetch_all(&mut *transaction).await.map_err(&read)?;
        let visitor = |row: &DatabaseRow| Ok((ContactId(row.try_get("survivor_id")?), row.try_get("value")?));
        rows.iter().map(visitor).collect::<Result<_, sqlx::Error>>().map_err(&read)
    }

    /// The contacts of some ids that are there, in the order asked; of merged ones the survivor.
    #[boxed]
    pub async fn contacts_by_id(&self, scope: &WorkspaceScope, ids: &[ContactId], include: Include) -> Result<Vec<Contact>> {
        let mut transaction = self.inner.store.begin_read().await?;
        read_contacts(&mut transaction, scope.workspace(), ids, include).await
    }

    /// Every visitor of a contact that has a value in a slot, with the newest value: text as it is, numbers as short as they
    /// can be written, days as `YYYY-MM-DD`.
    #[boxed]
    pub async fn visitors_by_field(&self, scope: &WorkspaceScope, slot: Slot) -> Result<Vec<(String, String)>> {
        let read = failed("the custom fields of contacts could not be read");
        let rows = sqlx::query(
            "SELECT contact_identifiers.value AS visitor, newest.text_value, newest.number_value, newest.date_value
             FROM contact_identifiers
             JOIN contacts ON contacts.id = contact_identifiers.contact_id
             JOIN (
               SELECT contacts.survivor_id, contact_fields.text_value, contact_fields.number_value, contact_fields.date_value,
                 ROW_NUMBER() OVER (PARTITION BY contacts.survivor_id ORDER BY contact_fields.place DESC) AS number
               FROM contact_fields JOIN contacts ON contacts.id = contact_fields.contact_id
               WHERE contacts.workspace_id = $1 AND contact_fields.slot = $2
             ) AS newest ON newest.survivor_id = contacts.survivor_id AND newest.number = 1
             WHERE contact_identifiers.workspace_id = $1 AND contact_identifiers.kind = 'visitor'",
        )
        .bind(scope.workspace().0)
        .bind(i64::from(slot.number()))
        .fetch_all(self.inner.store.reader())
        .await
        .map_err(&read)?;
        let value = |row: &DatabaseRow| -> Result<String, sqlx::Error> {
            Ok(match slot.kind() {
                FieldKind::Text => row.try_get("text_value")?,
                FieldKind::Number => row.try_get::<f64, _>("number_value")?.to_string(),
                FieldKind::Date => row.try_get("date_value")?,
            })
        };
        rows.iter().map(|row| Ok((row.try_get("visitor")?, value(row)?))).collect::<Result<_, sqlx::Error>>().map_err(&read)
    }
}
