//! Companies: listed, read, changed.

use schemars::JsonSchema;
use serde::Serialize;
use tributary_boxed::boxed;
use tributary_control::{CompaniesQuery, Company, CompanyPage, ContactsQuery, WorkspaceAccess};
use tributary_core::error::{Code, Result};
use tributary_core::ids::CompanyId;

use crate::contact_body::company_change;
use crate::contacts::{Paged, after, created_range, cursor_of};
use crate::problem::Problems;
use crate::service::Service;

/// Which companies to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompaniesInput {
    /// First second of creation, `YYYY-MM-DD HH:MM:SS` in the workspace's zone.
    pub start_date: Option<String>,
    /// Last second of creation, likewise; after `start_date`.
    pub end_date: Option<String>,
    /// Companies of one page; 200 unless given.
    pub per_page: Option<u32>,
    /// `next_cursor` or `prev_cursor` of a page of the same list.
    pub cursor: Option<String>,
}

/// A company in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CompanyRow {
    /// Its id.
    pub id: i64,
    /// Its registrable domain.
    pub domain: String,
}

/// A company by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CompanyOutput {
    /// Its id.
    pub id: i64,
    /// Its registrable domain.
    pub domain: String,
    /// Its name, `null` until somebody gave it one.
    pub name: Option<String>,
}

impl Service {
    /// Companies created in a range, the latest first.
    #[boxed]
    pub async fn list_companies(&self, access: &WorkspaceAccess, input: CompaniesInput) -> Result<Paged<CompanyRow>> {
        let mut problems = Problems::new();
        let given = (input.start_date.as_deref(), input.end_date.as_deref());
        let created = created_range(given, &access.workspace.zone, &mut problems);
        let after = after(input.cursor.as_deref(), &mut problems).map(CompanyId);
        problems.check(Code::InvalidParams)?;
        let per_page = input.per_page.unwrap_or(ContactsQuery::DEFAULT_PER_PAGE);
        let query = CompaniesQuery { created, per_page, after };
        let CompanyPage { companies, next, previous } = self.control.list_companies(&access.scope, &query).await?;
        Ok(Paged {
            rows: companies.into_iter().map(|company| CompanyRow { id: company.id.0, domain: company.domain }).collect(),
            per_page,
            next_cursor: next.map(|id| id.to_string()),
            prev_cursor: previous.map(|start| cursor_of(start, |id| id.0)),
        })
    }

    /// One company, or `not_found`.
    #[boxed]
    pub async fn get_company(&self, access: &WorkspaceAccess, id: i64) -> Result<CompanyOutput> {
        Ok(self.control.get_company(&access.scope, CompanyId(id)).await?.into())
    }

    /// Takes in the body of `PUT /public-api/v1/companies/{id}`.
    #[boxed]
    pub async fn update_company(&self, access: &WorkspaceAccess, id: i64, body: &[u8]) -> Result<CompanyOutput> {
        let change = company_change(body)?;
        Ok(self.control.update_company(&access.scope, CompanyId(id), change).await?.into())
    }
}

impl From<Company> for CompanyOutput {
    fn from(company: Company) -> Self {
        Self { id: company.id.0, domain: company.domain, name: company.name }
    }
}
