//! Contacts in pages, newest id first.

use sqlx::Row;
use tributary_boxed::boxed;
use tributary_core::error::Result;
use tributary_core::ids::ContactId;
use tributary_core::scope::WorkspaceScope;
use tributary_core::time::TimeRange;

use super::contact::{Contact, Include, read_contacts};
use super::filter::{Condition, check_conditions};
use super::label::read_labels;
use crate::control::Control;
use crate::problems::Problems;
use crate::store::{DatabaseStatement, failed};

/// Most contacts of one page.
pub(super) const MAX_PER_PAGE: u32 = 5_000;

/// Which contacts to list.
#[derive(Clone, Debug, PartialEq)]
pub struct ContactsQuery {
    /// When they were created.
    pub created: TimeRange,
    /// Conditions on custom fields; all must hold. At most 10.
    pub conditions: Vec<Condition>,
    /// What is read of each.
    pub include: Include,
    /// Contacts of one page, 1 to 5,000.
    pub per_page: u32,
    /// Only contacts older than this one: the last id of the page before.
    pub after: Option<ContactId>,
}

impl ContactsQuery {
    /// Contacts of one page unless asked otherwise.
    pub const DEFAULT_PER_PAGE: u32 = 200;
    /// Most contacts of one page.
    pub const MAX_PER_PAGE: u32 = MAX_PER_PAGE;
}

/// Some contacts.
#[derive(Clone, Debug, PartialEq)]
pub struct ContactPage {
    /// Newest id first.
    pub contacts: Vec<Contact>,
    /// Where the next page begins, if there is one.
    pub next: Option<ContactId>,
    /// Where the page before begins, if there is one.
    pub previous: Option<PageStart<ContactId>>,
}

/// Where a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageStart<Id> {
    /// At the newest.
    First,
    /// After this one.
    After(Id),
}

impl<Id: Copy> PageStart<Id> {
    /// Where the page before begins, told from what is newer than the cursor, oldest first, the cursor itself included; one
    /// more than a page holds was looked for.
    pub(super) fn before(newer: &[Id], per_page: u32) -> Option<Self> {
        let start = newer.get(per_page as usize).map_or(PageStart::First, |id| PageStart::After(*id));
        (!newer.is_empty()).then_some(start)
    }
}

impl Control {
    /// Contacts created in a range, newest id first.
    ///
    /// Errors: `invalid_params` naming every condition at fault and what would be allowed.
    #[boxed]
    pub async fn list_contacts(&self, scope: &WorkspaceScope, query: &ContactsQuery) -> Result<ContactPage> {
        let workspace = scope.workspace();
        let mut transaction = self.inner.store.begin_read().await?;
        let mut problems = Problems::default();
        if !(1..=MAX_PER_PAGE).contains(&query.per_page) {
            problems.add("per_page", format!("must be between 1 and {MAX_PER_PAGE}"));
        }
        let labels = match query.conditions.is_empty() {
            true => Default::default(),
            false => read_labels(&mut transaction, workspace).await?,
        };
        let filters = check_conditions(&query.conditions, &labels, self.now_us(), &mut problems);
        problems.check()?;
        // One more than the page holds tells whether there is a next one.
        let page = |newer: bool| {
            let mut statement = DatabaseStatement::new(
                "SELECT head.id FROM contacts AS head WHERE head.id = head.survivor_id AND head.workspace_id = ",
            );
            statement.push_bind(workspace.0);
            statement.push(" AND head.created_us >= ").push_bind(query.created.start_us);
            statement.push(" AND head.created_us < ").push_bind(query.created.end_us);
            match (query.after, newer) {
                (Some(after), false) => {
                    statement.push(" AND head.survivor_id < ").push_bind(after.0);
                }
                (Some(after), true) => {
                    statement.push(" AND head.survivor_id >= ").push_bind(after.0);
                }
                (None, _) => {}
            }
            filters.iter().for_each(|filter| filter.push(&mut statement));
            statement.push(if newer {
                " ORDER BY head.survivor_id ASC LIMIT "
            } else {
                " ORDER BY head.survivor_id DESC LIMIT "
            });
            statement.push_bind(i64::from(query.per_page) + 1);
            statement
        };
        let read = failed("the contacts could not be listed");
        let id = |row: &crate::store::DatabaseRow| row.try_get("id").map(ContactId);
        let rows = page(false).build().fetch_all(&mut *transaction).await.map_err(&read)?;
        let mut ids: Vec<ContactId> = rows.iter().map(id).collect::<Result<_, _>>().map_err(&read)?;
        let has_more = ids.len() > query.per_page as usize;
        ids.truncate(query.per_page as usize);
        let previous = match query.after {
            None => None,
            Some(_) => {
                let rows = page(true).build().fetch_all(&mut *transaction).await.map_err(&read)?;
                let newer: Vec<ContactId> = rows.iter().map(id).collect::<Result<_, _>>().map_err(&read)?;
                PageStart::before(&newer, query.per_page)
            }
        };
        let contacts = read_contacts(&mut transaction, workspace, &ids, query.include).await?;
        let next = ids.last().copied().filter(|_| has_more);
        Ok(ContactPage { contacts, next, previous })
    }
}
