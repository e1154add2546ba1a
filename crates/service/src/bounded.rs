//! An event store with a bound on the questions under way, in the process and for each workspace.
//!
//! A question first waits for a place among its workspace's own, then for one among all. So one workspace's questions never
//! take more than its share of the places, and the line for those is fair between workspaces whatever each of them asks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tributary_core::error::{Code, Error, Result};
use tributary_core::event::Event;
use tributary_core::ids::WorkspaceId;
use tributary_core::scope::WorkspaceScope;
use tributary_events::answer::Answered;
use tributary_events::question::{Budget, Question};
use tributary_events::store::{Appended, Erased, Erasure, EventStore, Holdings};

/// When a refused caller may come back, seconds.
const RETRY_AFTER_S: u64 = 1;

/// How many questions there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuestionBounds {
    /// Under way at once in the process.
    pub at_once: usize,
    /// Of those, of one workspace.
    pub per_workspace: usize,
    /// Waiting in the process; half of them (at least one) may be of one workspace. One more is `Overloaded`.
    pub waiting: usize,
    /// Longest wait; past it a question is `Overloaded`.
    pub patience: Duration,
}

impl Default for QuestionBounds {
    fn default() -> Self {
        Self { at_once: 16, per_workspace: 8, waiting: 256, patience: Budget::INTERACTIVE.max_time }
    }
}

impl QuestionBounds {
    /// Questions of one workspace, under way and waiting.
    fn present_per_workspace(&self) -> usize {
        self.per_workspace + (self.waiting / 2).max(1).min(self.waiting)
    }
}

/// The store. Everything but questions passes through.
pub struct BoundedStore {
    store: Arc<dyn EventStore>,
    bounds: QuestionBounds,
    places: Arc<Semaphore>,
    present: Mutex<Present>,
}

/// Questions under way and waiting.
#[derive(Default)]
struct Present {
    questions: usize,
    // Bounded: a workspace without questions has no entry.
    workspaces: HashMap<WorkspaceId, Line>,
}

struct Line {
    places: Arc<Semaphore>,
    questions: usize,
}

impl BoundedStore {
    /// Puts bounds on a store's questions.
    pub fn new(store: Arc<dyn EventStore>, bounds: QuestionBounds) -> Arc<Self> {
        Arc::new(Self { store, bounds, places: Arc::new(Semaphore::new(bounds.at_once)), present: Mutex::default() })
    }

    /// Takes a place, waiting for it if need be.
    async fn enter(&self, workspace: WorkspaceId) -> Result<Place<'_>> {
        let (seat, own_places) = self.join_line(workspace)?;
        let both = async {
            let own = own_places.acquire_owned().await;
            (own, self.places.clone().acquire_owned().await)
        };
        match tokio::time::timeout(self.bounds.patience, both).await {
            Ok((Ok(own), Ok(shared))) => Ok(Place { _permits: [own, shared], _seat: seat }),
            Ok(_) => Err(Error::internal("the line of questions is closed, although nobody closes it")),
            Err(_) => {
                let seconds = self.bounds.patience.as_secs();
                Err(overloaded(format!("the question waited {seconds} s for its turn; ask again later")))
            }
        }
    }

    fn join_line(&self, workspace: WorkspaceId) -> Result<(Seat<'_>, Arc<Semaphore>)> {
        let mut present = self.present();
        let Present { questions, workspaces } = &mut *present;
        if *questions >= self.bounds.at_once + self.bounds.waiting {
            return Err(overloaded(format!("{} questions wait already; ask again later", self.bounds.waiting)));
        }
        let of_workspace = workspaces.get(&workspace).map_or(0, |line| line.questions);
        if of_workspace >= self.bounds.present_per_workspace() {
            return Err(overloaded(format!("{of_workspace} questions of this workspace are under way or wait; ask again later")));
        }
        let line = workspaces
            .entry(workspace)
            .or_insert_with(|| Line { places: Arc::new(Semaphore::new(self.bounds.per_workspace)), questions: 0 });
        line.questions += 1;
        *questions += 1;
        Ok((Seat { store: self, workspace }, line.places.clone()))
    }

    fn present(&self) -> MutexGuard<'_, Present> {
        // Two counters that move together; nothing between them can panic.
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A question that may be asked now. Dropping it lets the next one in.
struct Place<'s> {
    _permits: [OwnedSemaphorePermit; 2],
    _seat: Seat<'s>,
}

/// A question that is present, waiting or under way.
struct Seat<'s> {
    store: &'s BoundedStore,
    workspace: WorkspaceId,
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut present = self.store.present();
        present.questions -= 1;
        if let Some(line) = present.workspaces.get_mut(&self.workspace) {
            line.questions -= 1;
            if line.questions == 0 {
                present.workspaces.remove(&self.workspace);
            }
        }
    }
}

fn overloaded(message: String) -> Error {
    Error::new(Code::Overloaded, message).with_details(json!({ "retry_after_s": RETRY_AFTER_S }))
}

#[async_trait]
impl EventStore for BoundedStore {
    async fn append(&self, scope: &WorkspaceScope, events: Vec<Event>) -> Result<Appended> {
        self.store.append(scope, events).await
    }

    async fn ask(&self, scope: &WorkspaceScope, question: Question, budget: Budget) -> Result<Answered> {
        // A question outside its bounds is refused at once, not after a wait.
        question.check()?;
        let _place = self.enter(scope.workspace()).await?;
        self.store.ask(scope, question, budget).await
    }

    async fn erase(&self, scope: &WorkspaceScope, what: Erasure) -> Result<Erased> {
        self.store.erase(scope, what).await
    }

    async fn expire(&self, scope: &WorkspaceScope, before_us: i64) -> Result<()> {
        self.store.expire(scope, before_us).await
    }

    async fn describe(&self, scope: &WorkspaceScope) -> Result<Holdings> {
        self.store.describe(scope).await
    }
}
