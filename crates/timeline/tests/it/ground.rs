//! A timeline in a temporary folder, with bounds so small that everything rolls over.

use async_trait::async_trait;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

use tributary_core::clock::FixedClock;
use tributary_core::scope::WorkspaceScope;
use tributary_events::conformance::Ground;
use tributary_events::store::EventStore;
use tributary_testkit::ground::Workspaces;
use tributary_timeline::Timeline;
use tributary_timeline::options::Options;

/// Bounds a handful of events reaches; nothing happens in the background.
pub fn small() -> Options {
    Options {
        segment_rows: 7,
        row_group_rows: 3,
        flush_events: usize::MAX,
        compact_fan_in: 3,
        threads: 2,
        memory_budget_bytes: 4_096,
        ..Options::new([7; 16], FixedClock::at(0))
    }
}

pub fn open(folder: &Path, options: Options) -> Arc<Timeline> {
    Timeline::open(folder, options).unwrap()
}

/// What [`Ground::settle`] does.
#[derive(Clone, Copy, Debug)]
pub enum Housekeeping {
    /// Nothing: all stays in the tail.
    None,
    /// One after the other: flush, reopen, compact, reopen and flush.
    Rotating,
}

pub struct TimelineGround {
    folder: TempDir,
    options: Options,
    housekeeping: Housekeeping,
    timeline: Mutex<Arc<Timeline>>,
    turn: AtomicUsize,
    workspaces: Workspaces,
}

impl TimelineGround {
    pub fn new(options: Options, housekeeping: Housekeeping) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let timeline = Mutex::new(open(folder.path(), options.clone()));
        Self { folder, options, housekeeping, timeline, turn: AtomicUsize::new(0), workspaces: Workspaces::default() }
    }

    pub fn timeline(&self) -> Arc<Timeline> {
        self.timeline.lock().unwrap().clone()
    }

    fn reopen(&self) {
        let mut timeline = self.timeline.lock().unwrap();
        timeline.close();
        *timeline = open(self.folder.path(), self.options.clone());
    }
}

#[async_trait]
impl Ground for TimelineGround {
    fn store(&self) -> Arc<dyn EventStore> {
        self.timeline()
    }

    fn workspace(&self) -> WorkspaceScope {
        self.workspaces.fresh()
    }

    async fn settle(&self) {
        if matches!(self.housekeeping, Housekeeping::None) {
            return;
        }
        match self.turn.fetch_add(1, Ordering::SeqCst) % 5 {
            0 => self.timeline().flush().unwrap(),
            1 => self.reopen(),
            2 => self.timeline().compact().unwrap(),
            3 => {
                self.reopen();
                self.timeline().flush().unwrap();
            }
            _ => {
                self.timeline().flush().unwrap();
                self.reopen();
            }
        }
    }
}
