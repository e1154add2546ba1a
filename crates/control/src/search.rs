//! What a workspace has given a name, for search: contacts and companies by what they are called.

use sqlx::Row;
use tributary_boxed::boxed;
use tributary_core::error::Result;
use tributary_core::scope::WorkspaceScope;

use crate::control::Control;
use crate::store::failed;

/// Something with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its id.
    pub id: i64,
    /// One of its names.
    pub name: String,
}

impl Control {
    /// E-mail addresses and names of contacts, the newest written first, at most `limit`; a contact may have several.
    #[boxed]
    pub async fn contact_names(&self, scope: &WorkspaceScope, limit: u32) -> Result<Vec<Named>> {
        const STATEMENT: &str = "
            SELECT contacts.survivor_id AS id, named.value AS name FROM (
              SELECT contact_id, value, place FROM contact_identifiers WHERE workspace_id = $1 AND kind = 'email'
              UNION ALL
              SELECT contact_attributes.contact_id, contact_attributes.value, contact_attributes.place FROM contact_attributes
              JOIN contacts ON contacts.id = contact_attributes.contact_id
              WHERE contacts.workspace_id = $1 AND contact_attributes.kind = 'name'
            ) AS named JOIN contacts ON contacts.id = named.contact_id
            ORDER BY named.place DESC LIMIT $2";
        self.named(STATEMENT, scope, limit).await
    }

    /// Domains and names of companies, the newest first, at most `limit`.
    #[boxed]
    pub async fn company_names(&self, scope: &WorkspaceScope, limit: u32) -> Result<Vec<Named>> {
        const STATEMENT: &str = "
            SELECT id, name FROM (
              SELECT id, domain AS name FROM companies WHERE workspace_id = $1
              UNION ALL SELECT id, name FROM companies WHERE workspace_id = $1 AND name IS NOT NULL
            ) AS named ORDER BY id DESC LIMIT $2";
        self.named(STATEMENT, scope, limit).await
    }

    async fn named(&self, statement: &'static str, scope: &WorkspaceScope, limit: u32) -> Result<Vec<Named>> {
        let read = failed("the names to search could not be read");
        let rows = sqlx::query(statement)
            .bind(scope.workspace().0)
            .bind(i64::from(limit))
            .fetch_all(self.inner.store.reader())
            .await
            .map_err(&read)?;
        let named = |row: &crate::store::DatabaseRow| Ok(Named { id: row.try_get("id")?, name: row.try_get("name")? });
        rows.iter().map(named).collect::<Result<_, sqlx::Error>>().map_err(&read)
    }
}
