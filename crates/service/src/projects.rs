//! Which projects a caller can read.

use schemars::JsonSchema;
use serde::Serialize;
use tributary_boxed::boxed;
use tributary_control::WorkspaceAccess;
use tributary_core::error::Result;
use tributary_core::time::format_in;

use crate::service::Service;

/// The answer.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ProjectsOutput {
    /// Oldest project first.
    pub rows: Vec<ProjectRow>,
    /// Rows in this answer: every project the key can read.
    pub rows_returned: u64,
}

/// One project.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct ProjectRow {
    /// The project's UUID, as `project_id` and `project_ids` take it.
    pub project_id: String,
    /// The same UUID.
    pub id: String,
    /// Short name, as `project_slug` takes it.
    pub slug: String,
    /// Name for people.
    pub name: String,
    /// IANA zone of its buckets and dates.
    pub timezone: String,
    /// ISO 4217 currency it reports in.
    pub currency: String,
    /// Time of its earliest event, RFC 3339 in its zone; `null` without events.
    pub first_event_at: Option<String>,
    /// Time of its latest event, RFC 3339 in its zone; `null` without events.
    pub last_event_at: Option<String>,
}

impl Service {
    /// Answers every project of the list; an empty list is a valid answer.
    #[boxed]
    pub async fn list_projects(&self, workspaces: &[WorkspaceAccess]) -> Result<ProjectsOutput> {
        let mut rows = Vec::with_capacity(workspaces.len());
        for access in workspaces {
            let holdings = self.events.describe(&access.scope).await?;
            let workspace = &access.workspace;
            let id = workspace.uuid.to_string();
            rows.push(ProjectRow {
                project_id: id.clone(),
                id,
                slug: workspace.slug.clone(),
                name: workspace.name.clone(),
                timezone: workspace.zone_name.clone(),
                currency: workspace.currency.to_string(),
                first_event_at: holdings.first_us.map(|time_us| format_in(time_us, &workspace.zone)),
                last_event_at: holdings.last_us.map(|time_us| format_in(time_us, &workspace.zone)),
            });
        }
        let rows_returned = rows.len() as u64;
        Ok(ProjectsOutput { rows, rows_returned })
    }
}
