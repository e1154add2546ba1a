//! The embedded event engine: a durable log in SQLite, immutable Parquet segments clustered by visitor and ordered by time,
//! and questions as folds over each visitor's timeline.
//!
//! The way of an event: [`Timeline::append`](EventStore::append) -> the log's thread commits it together with others
//! ([`log`]) -> the tail in memory ([`workspace`]) -> a flush sorts the tail into segments ([`flush`]) -> compaction merges
//! segments ([`compact`], [`merge`]). The way of a question: a consistent view of segments and tail ([`workspace`]) -> the columns
//! it reads, decoded chunk by chunk through the cache ([`segment`], [`decode`], [`cache`]) -> one scan over the rows and visitors
//! of all runs ([`fold`]), a turn at a time ([`turns`]) -> the answer.
//!
//! Invariants:
//! - An event is in the log's database or in a listed segment, never in both and never in neither: one transaction lists
//!   segments and trims the log.
//! - Only the log's thread changes `events.db` and the state of a workspace; a state is changed after its transaction.
//! - A segment's files never change. They are removed when nothing lists and nobody reads them.

mod assemble;
mod backup;
mod cache;
mod catalogue;
mod coded;
mod column;
mod compact;
mod decode;
mod encode;
mod erase;
mod event_id;
mod export;
mod files;
mod flush;
mod fold;
mod gather;
mod keys;
mod live;
mod log;
mod maintenance;
mod merge;
mod open;
pub mod options;
mod parquet_file;
mod properties;
mod run;
#[cfg(test)]
mod sample;
mod schema;
mod seal;
mod segment;
mod segment_writer;
mod sorted;
mod stored;
mod turns;
mod verify;
mod witness;
mod workspace;

use async_trait::async_trait;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use tributary_core::error::{Code, Error, Result};
use tributary_core::event::Event;
use tributary_core::scope::WorkspaceScope;
use tributary_events::answer::Answered;
use tributary_events::question::{Budget, Question, Slice};
use tributary_events::store::{Appended, Erased, Erasure, EventStore, Holdings};

use crate::cache::ColumnCache;
use crate::compact::Months;
use crate::flush::Due;
use crate::fold::Engine;
use crate::log::Log;
use crate::maintenance::Maintenance;
use crate::options::Options;
use crate::stored::{Hashes, month_of};
use crate::turns::Turns;
use crate::workspace::{State, Workspace, Workspaces};

pub use crate::verify::{FolderStats, Problem, Verification};

/// The event engine of one data folder. One process owns the folder; the caller sees to that.
pub struct Timeline {
    shared: Arc<Shared>,
    maintenance: Maintenance,
}

/// What every thread of the engine needs.
pub(crate) struct Shared {
    root: PathBuf,
    options: Options,
    hashes: Hashes,
    cache: Arc<ColumnCache>,
    workspaces: RwLock<Workspaces>,
    next_segment: AtomicU64,
    log: Log,
    /// Who computes next.
    turns: Turns,
    /// Held during a flush: one at a time.
    flushing: Mutex<()>,
    /// Held by whoever takes segments away (compaction) or needs them to stay (backup, verification).
    compacting: Mutex<()>,
}

impl Timeline {
    /// Opens the engine in a data folder, which is created if missing: `events.db` and `segments/`. Files a crash left behind
    /// are removed, the log is read back. Blocking.
    ///
    /// # Errors
    /// `Internal` when the folder cannot be used or was made with another `visitor_key` or by another version;
    /// `UpstreamFailed` naming what is damaged in the log. Segments are checked when they are first read.
    pub fn open(folder: &Path, options: Options) -> Result<Arc<Timeline>> {
        let (shared, grown) = open::open(folder, options)?;
        let maintenance = Maintenance::start(&shared, grown);
        Ok(Arc::new(Timeline { shared, maintenance }))
    }

    /// Writes every tail out as segments. Done in the background anyway; for tests and before a backup. Blocking.
    pub fn flush(&self) -> Result<()> {
        self.shared.flush_all(Due::Aged)
    }

    /// Merges each month of each workspace into as few segments as the bounds allow and takes erased events off the disk, log
    /// included. Done in the background by size; this forces it. Blocking.
    pub fn compact(&self) -> Result<()> {
        self.shared.flush_all(Due::Aged)?;
        self.shared.compact_everything()
    }

    /// Writes every tail out and brings together what a flood of events left in many segments, as happens in the background some
    /// time after it. Blocking.
    pub fn settle(&self) -> Result<()> {
        self.shared.flush_all(Due::Aged)?;
        self.shared.compact_by_size(Months::All)
    }

    /// Finishes what is queued and stops. Later calls answer `UpstreamFailed`. The tail stays in the log. Blocking.
    pub fn close(&self) {
        self.maintenance.stop();
        self.shared.log.close();
    }

    /// Writes a consistent copy of `events.db` and of the segments it lists into an existing, empty place, while everything
    /// keeps running. Blocking.
    pub fn backup(&self, into: &Path) -> Result<()> {
        self.shared.backup(into)
    }

    /// Hands over every event of a slice with its sequence number, the newest tail included, in bounded memory: by month and
    /// segment, inside a segment by visitor and time. Ends early when `take` fails. Blocking.
    pub fn export(&self, scope: &WorkspaceScope, slice: &Slice, take: &mut dyn FnMut(u64, Event) -> Result<()>) -> Result<()> {
        export::export(&self.shared.workspace(scope).view(&self.shared.hashes), slice, take)
    }

    /// Checks length and hash of every listed file, the log entry by entry, and the database itself. Blocking.
    pub fn verify(&self) -> Result<Verification> {
        self.shared.verify()
    }

    /// What the folder holds.
    pub fn stats(&self) -> Result<FolderStats> {
        self.shared.stats()
    }
}

impl Drop for Timeline {
    fn drop(&mut self) {
        self.close();
    }
}

#[async_trait]
impl EventStore for Timeline {
    async fn append(&self, scope: &WorkspaceScope, events: Vec<Event>) -> Result<Appended> {
        self.append_patiently(scope, events, Duration::ZERO).await
    }

    async fn append_patiently(&self, scope: &WorkspaceScope, events: Vec<Event>, patience: Duration) -> Result<Appended> {
        // Refused here, so that no event is ever acknowledged that no segment could take.
        for event in &events {
            month_of(event.time_us)?;
            month_of(event.received_us)?;
        }
        let events = events.into_iter().map(|event| Arc::new(self.shared.hashes.prepare(event))).collect();
        self.shared.log.append(self.shared.workspace(scope), events, patience).await
    }

    async fn ask(&self, scope: &WorkspaceScope, question: Question, budget: Budget) -> Result<Answered> {
        question.check()?;
        let (shared, workspace) = (self.shared.clone(), self.shared.workspace(scope));
        let is_abandoned = Arc::new(AtomicBool::new(false));
        let _abandon = Abandon(is_abandoned.clone());
        let limits = fold::Limits::new(budget, is_abandoned);
        blocking(move || {
            let engine = Engine { turns: &shared.turns, threads: shared.options.threads.max(1), workspace: workspace.id };
            fold::answer(&workspace.view(&shared.hashes), &question, &limits, &shared.hashes, engine)
        })
        .await
    }

    async fn erase(&self, scope: &WorkspaceScope, what: Erasure) -> Result<Erased> {
        let (shared, workspace) = (self.shared.clone(), self.shared.workspace(scope));
        blocking(move || shared.erase(&workspace, what)).await
    }

    async fn expire(&self, scope: &WorkspaceScope, before_us: i64) -> Result<()> {
        let (shared, workspace) = (self.shared.clone(), self.shared.workspace(scope));
        blocking(move || shared.expire(&workspace, before_us)).await
    }

    async fn describe(&self, scope: &WorkspaceScope) -> Result<Holdings> {
        let (shared, workspace) = (self.shared.clone(), self.shared.workspace(scope));
        blocking(move || shared.describe(&workspace)).await
    }
}

/// Tells a question's threads that nobody waits any more.
struct Abandon(Arc<AtomicBool>);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::new(Code::Internal, "the event engine failed at a question").caused_by(error))?
}

impl Shared {
    /// The workspace of a scope; it begins to exist with the first look.
    fn workspace(&self, scope: &WorkspaceScope) -> Arc<Workspace> {
        let id = scope.workspace().0;
        if let Some(workspace) = self.workspaces.read().expect("no holder of this lock panics").get(&id) {
            return workspace.clone();
        }
        let mut workspaces = self.workspaces.write().expect("no holder of this lock panics");
        workspaces.entry(id).or_insert_with(|| Workspace::new(id, State::default())).clone()
    }

    fn all_workspaces(&self) -> Vec<Arc<Workspace>> {
        let workspaces = self.workspaces.read().expect("no holder of this lock panics");
        let mut all: Vec<Arc<Workspace>> = workspaces.values().cloned().collect();
        all.sort_by_key(|workspace| workspace.id);
        all
    }
}
