//! The operator's hands on the stores of an owned folder.

mod backup;
pub mod place;
pub(crate) mod rows;

use async_trait::async_trait;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tributary_control::{Control, Forgotten, PeopleOf, WorkspaceAccess};
use tributary_core::clock::SharedClock;
use tributary_core::error::{Error, Result};
use tributary_core::time::format_utc;
use tributary_events::people::People;
use tributary_events::question::Budget;
use tributary_events::store::{Erasure, EventStore};
use tributary_http::admin::{
    BackupDone, Extent, Holdings, PeopleBody, Person, QueryAnswer, QueryBody, RowsBody, RowsPage, Store, StoreFault, StoreReport,
};
use tributary_ingest::pipeline::Pipeline;
use tributary_service::import::{ImportInput, RowFate};
use tributary_timeline::Timeline;

use crate::folder::owned::{EXPORTS_FOLDER, Owned};
use crate::globals::Globals;
use crate::query;

/// The stores of an owned folder, as the operator API needs them.
pub struct FolderStore {
    root: PathBuf,
    control: Control,
    timeline: Arc<Timeline>,
    events: Arc<dyn EventStore>,
    budget: Budget,
    pipeline: Arc<Pipeline>,
    clock: SharedClock,
}

impl FolderStore {
    /// The stores of `owned`.
    pub fn of(owned: &Owned, globals: &Globals) -> Arc<dyn Store> {
        Arc::new(Self {
            root: owned.root.clone(),
            control: owned.control.clone(),
            timeline: owned.timeline.clone(),
            events: owned.events.clone(),
            budget: globals.config.engine.budget(),
            pipeline: owned.pipeline.clone(),
            clock: globals.clock.clone(),
        })
    }
}

#[async_trait]
impl Store for FolderStore {
    async fn holdings(&self, access: &WorkspaceAccess) -> Result<Holdings> {
        let held = self.timeline.describe(&access.scope).await?;
        Ok(Holdings {
            events: held.events,
            first_event_at: held.first_us.map(format_utc),
            last_event_at: held.last_us.map(format_utc),
            last_received_at: held.last_received_us.map(format_utc),
            disk_bytes: held.disk_bytes,
        })
    }

    async fn query(&self, access: &WorkspaceAccess, question: QueryBody) -> Result<QueryAnswer> {
        let people = match question.people {
            PeopleBody::Visitors => None,
            PeopleBody::Contacts => Some(PeopleOf::Contacts),
            PeopleBody::Companies => Some(PeopleOf::Companies),
        };
        let people = match people {
            None => None,
            Some(of) => {
                let groups = self.control.people(&access.scope, of).await?;
                Some(People::new(groups.iter().cloned())?)
            }
        };
        query::answer(&*self.events, self.budget, access, question, people, self.clock.now_us()).await
    }

    async fn import(&self, access: &WorkspaceAccess, rows: ImportInput) -> Result<Vec<RowFate>> {
        rows::import(self, access, rows).await
    }

    async fn extent(&self, access: &WorkspaceAccess) -> Result<Extent> {
        let held = self.timeline.describe(&access.scope).await?;
        Ok(Extent { events: held.events, first_us: held.first_us, last_us: held.last_us, watermark: held.watermark })
    }

    async fn rows(&self, access: &WorkspaceAccess, which: RowsBody) -> Result<RowsPage> {
        rows::page(&*self.events, &access.scope, which).await
    }

    async fn erase(&self, access: &WorkspaceAccess, person: Person, from_disk: bool) -> Result<u64> {
        let (what, who) = match person {
            Person::User(id) => (Erasure::User(id.clone()), Forgotten::User(id)),
            Person::Visitor(id) => (Erasure::Visitor(id.clone()), Forgotten::Visitor(id)),
            Person::Everyone => (Erasure::Workspace, Forgotten::Everyone),
        };
        let erased = self.timeline.erase(&access.scope, what).await?;
        self.control.erase_contacts(&access.scope, who).await?;
        // Their files may hold the person, too.
        self.control.forget_exports(&access.scope).await?;
        let exports = self.root.join(EXPORTS_FOLDER).join(access.workspace.id.to_string());
        blocking("removing the workspace's exports", move || remove_folder(&exports)).await?;
        if from_disk {
            let timeline = self.timeline.clone();
            blocking("rewriting the segments", move || timeline.compact()).await?;
        }
        Ok(erased.events)
    }

    async fn backup(&self, into: &Path) -> Result<BackupDone> {
        backup::backup(&self.root, &self.control, self.timeline.clone(), into).await
    }

    async fn verify(&self) -> Result<StoreReport> {
        let timeline = self.timeline.clone();
        let found = blocking("verifying the segments", move || timeline.verify()).await?;
        Ok(StoreReport {
            files: found.files,
            bytes: found.bytes,
            events: found.segment_events + found.log_events,
            faults: found.problems.into_iter().map(|problem| StoreFault { place: problem.file, reason: problem.what }).collect(),
        })
    }
}

/// Removes a folder with everything in it; one that is not there is gone.
fn remove_folder(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::internal(format!("{} could not be removed", folder.display())).caused_by(error))
        }
        _ => Ok(()),
    }
}

/// Runs blocking work off the async threads.
pub(crate) async fn blocking<T: Send + 'static>(
    step: &'static str,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::internal(format!("{step} did not finish")).caused_by(error))?
}
