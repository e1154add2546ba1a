//! Visitors to the contacts they stand for.

use std::collections::HashMap;

use sqlx::Row;
use tributary_boxed::boxed;
use tributary_core::error::{Code, Error, Result};
use tributary_core::ids::ContactId;
use tributary_core::scope::WorkspaceScope;

use crate::control::Control;
use crate::store::{DatabaseRow, DatabaseStatement, failed};

/// Most visitors looked up at once.
pub const MAX_VISITORS_LOOKED_UP: usize = 10_000;

impl Control {
    /// The contact each of some visitors stands for; of merged ones the survivor. Visitors that are no contact's are left out.
    /// At most 10,000 at once.
    #[boxed]
    pub async fn contacts_of_visitors(&self, scope: &WorkspaceScope, visitors: &[&str]) -> Result<HashMap<String, ContactId>> {
        if visitors.is_empty() {
            return Ok(HashMap::new());
        }
        if visitors.len() > MAX_VISITORS_LOOKED_UP {
            let message = format!("at most {MAX_VISITORS_LOOKED_UP} visitors can be looked up at once");
            return Err(Error::new(Code::InvalidParams, message));
        }
        let read = failed("the contacts of visitors could not be looked up");
        let mut statement = DatabaseStatement::new(
            "SELECT contacts.survivor_id, contact_identifiers.value FROM contact_identifiers
             JOIN contacts ON contacts.id = contact_identifiers.contact_id
             WHERE contact_identifiers.kind = 'visitor' AND contact_identifiers.workspace_id = ",
        );
        statement.push_bind(scope.workspace().0);
        statement.push(" AND contact_identifiers.value IN ").push_texts(visitors.iter().copied());
        let rows = statement.build().fetch_all(self.inner.store.reader()).await.map_err(&read)?;
        let owner = |row: &DatabaseRow| Ok((row.try_get("value")?, ContactId(row.try_get("survivor_id")?)));
        rows.iter().map(owner).collect::<Result<_, sqlx::Error>>().map_err(&read)
    }
}
