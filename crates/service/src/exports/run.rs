//! Exports in the background: one after the other, and what is old removed.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tributary_boxed::boxed;
use tributary_control::{CompaniesQuery, CompanyPage, Export, WorkspaceAccess};
use tributary_core::error::{Code, Error, Result};
use tributary_core::time::format_utc;

use super::definition::{CompaniesExport, ContactsExport, Definition, EventsExport};
use super::write::{Lines, aside};
use super::{KEPT_US, stored_definition};
use crate::contacts::{ContactsInput, created_range};
use crate::problem::Problems;
use crate::service::Service;

/// How often old exports are looked for, while none is asked for.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// Why an export that was under way at a restart has no file.
const INTERRUPTED: &str = "the server stopped before the file was complete; ask for the export again";

/// A company in a file.
#[derive(Serialize)]
struct CompanyLine {
    id: i64,
    domain: String,
    created_at: String,
}

impl Service {
    /// Writes queued exports and removes old ones for as long as it is polled. What was under way when the process that owned
    /// the folder before ended has failed.
    #[boxed]
    pub async fn run_exports(self: Arc<Self>) {
        if let Err(error) = self.control.fail_interrupted_exports(INTERRUPTED).await {
            tracing::error!(error = %error.chain(), "exports under way at the last stop could not be ended");
        }
        loop {
            match self.write_next_export().await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => tracing::error!(error = %error.chain(), "an export could not be taken or ended"),
            }
            if let Err(error) = self.sweep_exports().await {
                tracing::error!(error = %error.chain(), "old exports could not be removed; tried again in a minute");
            }
            // Running out of time and being woken are the same: there may be something to do.
            let _woken = tokio::time::timeout(SWEEP_EVERY, self.export_queued.notified()).await;
        }
    }

    /// Writes the oldest queued export. Says whether there was one.
    #[boxed]
    pub async fn write_next_export(&self) -> Result<bool> {
        let Some(export) = self.control.take_export().await? else { return Ok(false) };
        let written = self.write(&export).await;
        let outcome = written.as_ref().map(|rows| *rows).map_err(|error| {
            tracing::warn!(export = export.id.0, error = %error.chain(), "an export failed");
            match error.code() {
                // The inside of a fault stays in the log.
                Code::Internal => String::from("the export failed on our side; ask for it again"),
                _ => error.message().to_owned(),
            }
        });
        let is_wanted = self.control.finish_export(export.id, outcome).await?;
        if !is_wanted || written.is_err() {
            let path = self.path_of(export.workspace, export.id)?;
            aside(move || remove_both(&path)).await?;
        }
        Ok(true)
    }

    /// Removes exports of yesterday, and every file that belongs to no export.
    #[boxed]
    pub async fn sweep_exports(&self) -> Result<()> {
        let Some(folder) = self.exports_folder.clone() else { return Ok(()) };
        let left = self.control.expire_exports(self.clock.now_us().saturating_sub(KEPT_US)).await?;
        let kept: HashSet<PathBuf> =
            left.into_iter().map(|(workspace, id)| self.path_of(workspace, id)).collect::<Result<_>>()?;
        aside(move || {
            for workspace in entries(&folder)? {
                for file in entries(&workspace)?.into_iter().filter(|file| !kept.contains(file)) {
                    fs::remove_file(file)?;
                }
                // Fails where files are left, which is as it should be.
                let _ = fs::remove_dir(&workspace);
            }
            Ok(())
        })
        .await
    }

    async fn write(&self, export: &Export) -> Result<u64> {
        let access = self.control.operator_access(export.workspace).await?;
        let lines = Lines::begin(self.path_of(export.workspace, export.id)?).await?;
        let lines = match stored_definition(export)? {
            Definition::Events(definition) => self.write_events(&access, &definition, lines).await?,
            Definition::Contacts(definition) => self.write_contacts(&access, &definition, lines).await?,
            Definition::Companies(definition) => self.write_companies(&access, &definition, lines).await?,
        };
        lines.finish().await
    }

    async fn write_events(&self, access: &WorkspaceAccess, definition: &EventsExport, mut lines: Lines) -> Result<Lines> {
        let plan = self.plan_events(access, definition.input()?).await?;
        let mut after = None;
        loop {
            let stretch = self.read_events(access, &plan, after, plan.per_page as usize).await?;
            lines = lines.add(&stretch.rows).await?;
            after = stretch.next;
            if after.is_none() {
                return Ok(lines);
            }
        }
    }

    async fn write_contacts(&self, access: &WorkspaceAccess, definition: &ContactsExport, mut lines: Lines) -> Result<Lines> {
        let mut input = definition.input()?;
        loop {
            let page = self.list_contacts(access, input.clone()).await?;
            lines = lines.add(&page.rows).await?;
            if page.next_cursor.is_none() {
                return Ok(lines);
            }
            input = ContactsInput { cursor: page.next_cursor, ..input };
        }
    }

    async fn write_companies(&self, access: &WorkspaceAccess, definition: &CompaniesExport, mut lines: Lines) -> Result<Lines> {
        let input = definition.input();
        let mut problems = Problems::new();
        let given = (input.start_date.as_deref(), input.end_date.as_deref());
        let created = created_range(given, &access.workspace.zone, &mut problems);
        problems.check(Code::InvalidParams)?;
        let per_page = input.per_page.ok_or_else(|| Error::internal("an export asks for whole pages"))?;
        let mut query = CompaniesQuery { created, per_page, after: None };
        loop {
            let CompanyPage { companies, next, .. } = self.control.list_companies(&access.scope, &query).await?;
            let rows: Vec<CompanyLine> = companies
                .into_iter()
                .map(|company| CompanyLine {
                    id: company.id.0,
                    domain: company.domain,
                    created_at: format_utc(company.created_us),
                })
                .collect();
            lines = lines.add(&rows).await?;
            if next.is_none() {
                return Ok(lines);
            }
            query.after = next;
        }
    }
}

/// Removes a file, whole or not.
fn remove_both(path: &Path) -> std::io::Result<()> {
    for file in [path.to_owned(), path.with_extension("part")] {
        match fs::remove_file(file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// What is in a folder; nothing where there is none.
fn entries(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}
