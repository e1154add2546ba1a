//! Companies: one for every registrable domain of an e-mail that is no free-mail one.

use sqlx::Row;
use tributary_boxed::boxed;
use tributary_core::error::{Code, Error, Result};
use tributary_core::ids::CompanyId;
use tributary_core::scope::WorkspaceScope;
use tributary_core::time::TimeRange;
use url::Host;

use super::free_mail::{is_free_mail, registrable};
use super::kind::line;
use super::list::{MAX_PER_PAGE, PageStart};
use super::values::note_change;
use crate::control::Control;
use crate::problems::Problems;
use crate::store::{DatabaseRow, DatabaseStatement, commit, failed};

/// Longest name and longest domain, characters.
const MAX_CHARS: usize = 255;

/// A company.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Company {
    /// Its id.
    pub id: CompanyId,
    /// Its registrable domain, unique in the workspace: contacts whose primary e-mail is below it belong to it.
    pub domain: String,
    /// Its name, once somebody gave it one.
    pub name: Option<String>,
    /// When it was first seen, microseconds since the epoch, UTC.
    pub created_us: i64,
}

/// Which companies to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompaniesQuery {
    /// When they were created.
    pub created: TimeRange,
    /// Companies of one page, 1 to 5,000.
    pub per_page: u32,
    /// Only companies that come after this one: the last of the page before.
    pub after: Option<CompanyId>,
}

/// Some companies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompanyPage {
    /// The latest created first.
    pub companies: Vec<Company>,
    /// Where the next page begins, if there is one.
    pub next: Option<CompanyId>,
    /// Where the page before begins, if there is one.
    pub previous: Option<PageStart<CompanyId>>,
}

/// A change to a company: `None` leaves a field as it is. At least one is needed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompanyChange {
    /// A registrable domain of at most 255 characters.
    pub domain: Option<String>,
    /// 1 to 255 characters.
    pub name: Option<String>,
}

impl Control {
    /// Companies created in a range, the latest first.
    #[boxed]
    pub async fn list_companies(&self, scope: &WorkspaceScope, query: &CompaniesQuery) -> Result<CompanyPage> {
        let read = failed("the companies could not be listed");
        if !(1..=MAX_PER_PAGE).contains(&query.per_page) {
            let mut problems = Problems::default();
            problems.add("per_page", format!("must be between 1 and {MAX_PER_PAGE}"));
            problems.check()?;
        }
        let mut transaction = self.inner.store.begin_read().await?;
        let page = |newer: bool| {
            let mut statement =
                DatabaseStatement::new("SELECT id, domain, name, created_us FROM companies WHERE workspace_id = ");
            statement.push_bind(scope.workspace().0);
            statement.push(" AND created_us >= ").push_bind(query.created.start_us);
            statement.push(" AND created_us < ").push_bind(query.created.end_us);
            if let Some(after) = query.after {
                statement.push(" AND (created_us, id) ").push(if newer { ">=" } else { "<" });
                statement.push(" (SELECT created_us, id FROM companies WHERE workspace_id = ").push_bind(scope.workspace().0);
                statement.push(" AND id = ").push_bind(after.0).push(")");
            }
            statement.push(if newer { " ORDER BY created_us, id LIMIT " } else { " ORDER BY created_us DESC, id DESC LIMIT " });
            statement.push_bind(i64::from(query.per_page) + 1);
            statement
        };
        let rows = page(false).build().fetch_all(&mut *transaction).await.map_err(&read)?;
        let mut companies: Vec<Company> = rows.iter().map(company_from).collect::<Result<_>>()?;
        let has_more = companies.len() > query.per_page as usize;
        companies.truncate(query.per_page as usize);
        let previous = match query.after {
            None => None,
            Some(_) => {
                let rows = page(true).build().fetch_all(&mut *transaction).await.map_err(&read)?;
                let newer: Vec<CompanyId> =
                    rows.iter().map(|row| company_from(row).map(|company| company.id)).collect::<Result<_>>()?;
                PageStart::before(&newer, query.per_page)
            }
        };
        let next = companies.last().map(|company| company.id).filter(|_| has_more);
        Ok(CompanyPage { companies, next, previous })
    }

    /// One company, or `not_found`.
    #[boxed]
    pub async fn get_company(&self, scope: &WorkspaceScope, id: CompanyId) -> Result<Company> {
        let row = sqlx::query("SELECT id, domain, name, created_us FROM companies WHERE workspace_id = $1 AND id = $2")
            .bind(scope.workspace().0)
            .bind(id.0)
            .fetch_optional(self.inner.store.reader())
            .await
            .map_err(failed("the company could not be read"))?;
        row.as_ref().map(company_from).transpose()?.ok_or_else(|| unknown_company(id))
    }

    /// Changes the fields that are given.
    ///
    /// Errors: `not_found`, and `invalid_params` for nothing to change, a domain that is none, is a free-mail one or is
    /// another company's.
    #[boxed]
    pub async fn update_company(&self, scope: &WorkspaceScope, id: CompanyId, change: CompanyChange) -> Result<Company> {
        let mut problems = Problems::default();
        if change == CompanyChange::default() {
            problems.add("domain", "one of domain and name is required");
        }
        let domain = change.domain.and_then(|domain| problems.take("domain", checked_domain(&domain)));
        let name = change.name.and_then(|name| problems.take("name", line(name.trim(), MAX_CHARS)));
        problems.check()?;
        let workspace = scope.workspace();
        self.run_to_end(move |control| async move {
            let mut transaction = control.inner.store.begin().await?;
            let row = sqlx::query(
                "UPDATE companies SET domain = COALESCE($3, domain), name = COALESCE($4, name) WHERE workspace_id = $1 AND id = $2
                 RETURNING id, domain, name, created_us",
            )
            .bind(workspace.0)
            .bind(id.0)
            .bind(&domain)
            .bind(&name)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(domain_taken_or)?;
            let company = row.as_ref().map(company_from).transpose()?.ok_or_else(|| unknown_company(id))?;
            note_change(&mut transaction, workspace).await?;
            commit(transaction).await?;
            Ok(company)
        })
        .await
    }
}

fn checked_domain(text: &str) -> Result<String, String> {
    let refuse = || format!("must be a registrable domain such as example.com, of at most {MAX_CHARS} characters");
    let Ok(Host::Domain(domain)) = Host::parse(text.trim()) else { return Err(refuse()) };
    if domain.len() > MAX_CHARS || registrable(&domain) != Some(domain.as_str()) {
        return Err(refuse());
    }
    if is_free_mail(&domain) {
        return Err(format!("`{domain}` is a free-mail domain and so no company's"));
    }
    Ok(domain)
}

fn domain_taken_or(error: sqlx::Error) -> Error {
    if !error.as_database_error().is_some_and(|cause| cause.is_unique_violation()) {
        return failed("the company could not be changed")(error);
    }
    let mut problems = Problems::default();
    problems.add("domain", "is another company's; a domain must be unique");
    problems.check().err().unwrap_or_else(|| Error::internal("a problem that was noted is gone"))
}

fn unknown_company(id: CompanyId) -> Error {
    Error::new(Code::NotFound, format!("no company has the id {id}"))
}

fn company_from(row: &DatabaseRow) -> Result<Company> {
    let read = failed("a company's row could not be read");
    Ok(Company {
        id: CompanyId(row.try_get("id").map_err(&read)?),
        domain: row.try_get("domain").map_err(&read)?,
        name: row.try_get("name").map_err(&read)?,
        created_us: row.try_get("created_us").map_err(&read)?,
    })
}
