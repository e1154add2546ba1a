//! Which visitors are one contact, or belong to one company: what a question needs to count these instead of visitors.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sqlx::Row;
use tributary_boxed::boxed;
use tributary_core::error::Result;
use tributary_core::ids::{ContactId, WorkspaceId};
use tributary_core::scope::WorkspaceScope;

use crate::control::Control;
use crate::store::{DatabaseTransaction, failed};

/// Groups of visitors, each of one contact or company. A visitor stands in one group at most.
pub(crate) type Groups = Arc<Vec<Vec<String>>>;

/// Most workspaces whose groups are kept; beyond it the cache starts over.
const MAX_KEPT: usize = 1_000;

/// What is counted instead of visitors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PeopleOf {
    /// Contacts: all visitors of a contact count once.
    Contacts,
    /// Companies: all visitors of all contacts whose primary e-mail is of the company's domain count once.
    Companies,
}

/// Groups read before, each with the count of changes it was read at.
#[derive(Default)]
pub(crate) struct PeopleCache(Mutex<HashMap<(WorkspaceId, PeopleOf), (i64, Groups)>>);

impl PeopleCache {
    fn kept(&self) -> MutexGuard<'_, HashMap<(WorkspaceId, PeopleOf), (i64, Groups)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, key: (WorkspaceId, PeopleOf), changes: i64) -> Option<Groups> {
        self.kept().get(&key).filter(|(read_at, _)| *read_at == changes).map(|(_, groups)| groups.clone())
    }

    fn keep(&self, key: (WorkspaceId, PeopleOf), changes: i64, groups: Groups) {
        let mut kept = self.kept();
        if kept.len() >= MAX_KEPT && !kept.contains_key(&key) {
            kept.clear();
        }
        kept.insert(key, (changes, groups));
    }
}

impl Control {
    /// The groups of visitors that are one contact, or of one company, as of now. Groups of one visitor are left out, and so is
    /// every visitor nobody is known behind: each of these counts for itself. Within a group and among them ascending.
    ///
    /// Read anew only after something changed that matters here: the same answer is the same `Arc`.
    #[boxed]
    pub async fn people(&self, scope: &WorkspaceScope, of: PeopleOf) -> Result<Arc<Vec<Vec<String>>>> {
        let key = (scope.workspace(), of);
        let mut transaction = self.inner.store.begin_read().await?;
        let changes = changes(&mut transaction, key.0).await?;
        if let Some(groups) = self.inner.people.find(key, changes) {
            return Ok(groups);
        }
        let groups = match of {
            PeopleOf::Contacts => contacts(&mut transaction, key.0).await?,
            PeopleOf::Companies => companies(&mut transaction, key.0).await?,
        };
        let groups = Arc::new(groups);
        self.inner.people.keep(key, changes, groups.clone());
        Ok(groups)
    }
}

async fn changes(transaction: &mut DatabaseTransaction, workspace: WorkspaceId) -> Result<i64> {
    let read = failed("the count of changes of contacts could not be read");
    let row = sqlx::query("SELECT changes FROM contact_counters WHERE workspace_id = $1")
        .bind(workspace.0)
        .fetch_optional(&mut **transaction)
        .await
        .map_err(&read)?;
    row.map_or(Ok(0), |row| row.try_get("changes")).map_err(&read)
}

async fn contacts(transaction: &mut DatabaseTransaction, workspace: WorkspaceId) -> Result<Vec<Vec<String>>> {
    let mut groups: BTreeMap<ContactId, Vec<String>> = BTreeMap::new();
    for (contact, visitor) in visitors(transaction, workspace).await? {
        groups.entry(contact).or_default().push(visitor);
    }
    Ok(ordered(groups.into_values()))
}

async fn companies(transaction: &mut DatabaseTransaction, workspace: WorkspaceId) -> Result<Vec<Vec<String>>> {
    let read = failed("the companies of contacts could not be read");
    let rows = sqlx::query("SELECT domain FROM companies WHERE workspace_id = $1")
        .bind(workspace.0)
        .fetch_all(&mut **transaction)
        .await
        .map_err(&read)?;
    let known: HashSet<String> = rows.iter().map(|row| row.try_get("domain")).collect::<Result<_, _>>().map_err(&read)?;
    // The primary e-mail is the newest; older ones come later and are passed over.
    let rows = sqlx::query(
        "SELECT contacts.survivor_id, contact_identifiers.domain FROM contact_identifiers
         JOIN contacts ON contacts.id = contact_identifiers.contact_id
         WHERE contact_identifiers.workspace_id = $1 AND contact_identifiers.kind = 'email'
         ORDER BY contact_identifiers.place DESC",
    )
    .bind(workspace.0)
    .fetch_all(&mut **transaction)
    .await
    .map_err(&read)?;
    let mut company_of: HashMap<ContactId, Option<String>> = HashMap::with_capacity(rows.len());
    for row in &rows {
        let contact = ContactId(row.try_get("survivor_id").map_err(&read)?);
        let domain: Option<String> = row.try_get("domain").map_err(&read)?;
        company_of.entry(contact).or_insert_with(|| domain.filter(|domain| known.contains(domain)));
    }
    let mut groups: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    // What is of no company is still one contact.
    let mut alone: BTreeMap<ContactId, Vec<String>> = BTreeMap::new();
    for (contact, visitor) in visitors(transaction, workspace).await? {
        match company_of.get(&contact).and_then(Option::as_deref) {
            Some(domain) => groups.entry(domain).or_default().push(visitor),
            None => alone.entry(contact).or_default().push(visitor),
        }
    }
    Ok(ordered(groups.into_values().chain(alone.into_values())))
}

/// Every visitor with the contact it stands for.
async fn visitors(transaction: &mut DatabaseTransaction, workspace: WorkspaceId) -> Result<Vec<(ContactId, String)>> {
    let read = failed("the visitors of contacts could not be read");
    let rows = sqlx::query(
        "SELECT contacts.survivor_id, contact_identifiers.value FROM contact_identifiers
         JOIN contacts ON contacts.id = contact_identifiers.contact_id
         WHERE contact_identifiers.workspace_id = $1 AND contact_identifiers.kind = 'visitor'",
    )
    .bind(workspace.0)
    .fetch_all(&mut **transaction)
    .await
    .map_err(&read)?;
    let visitor = |row: &crate::store::DatabaseRow| Ok((ContactId(row.try_get("survivor_id")?), row.try_get("value")?));
    rows.iter().map(visitor).collect::<Result<_, sqlx::Error>>().map_err(&read)
}

fn ordered(groups: impl Iterator<Item = Vec<String>>) -> Vec<Vec<String>> {
    let mut groups: Vec<Vec<String>> = groups.filter(|group| group.len() > 1).collect();
    groups.iter_mut().for_each(|group| group.sort_unstable());
    groups.sort_unstable();
    groups
}
