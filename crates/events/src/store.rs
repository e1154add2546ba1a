//! The store every engine implements.

use async_trait::async_trait;
use std::time::Duration;

use tributary_core::error::Result;
use tributary_core::event::Event;
use tributary_core::scope::WorkspaceScope;

use crate::answer::Answered;
use crate::question::{Budget, Question};

/// Keeps events durably and answers questions over them.
#[async_trait]
pub trait EventStore: Send + Sync {
    /// Stores events. Returns after they are durable, all of them or none; what is returned is visible to the next
    /// question. An `event_id` already kept for this workspace and origin, or earlier in the same call, is a duplicate: the
    /// first one wins. The `event_id` of an erased event is free again. Answers `Overloaded` when the queue is full.
    async fn append(&self, scope: &WorkspaceScope, events: Vec<Event>) -> Result<Appended>;

    /// Like [`EventStore::append`], for callers with time, such as imports: while the queue is full, waits up to `patience`
    /// before it answers `Overloaded`. An engine without a queue has nothing to wait for.
    async fn append_patiently(&self, scope: &WorkspaceScope, events: Vec<Event>, _patience: Duration) -> Result<Appended> {
        self.append(scope, events).await
    }

    /// Answers a question within a budget.
    async fn ask(&self, scope: &WorkspaceScope, question: Question, budget: Budget) -> Result<Answered>;

    /// Forgets. From the return on no answer contains what was forgotten; disk follows at the next compaction. Events that
    /// arrive afterwards count again.
    async fn erase(&self, scope: &WorkspaceScope, what: Erasure) -> Result<Erased>;

    /// Lets events older than an instant expire: from the return on, nothing before `before_us` is in any answer or
    /// description, whenever it arrived and whatever the question's `as_of`; disk follows in the background. The instant only
    /// ever moves forward, erasures of the workspace included. Older events that arrive afterwards are accepted all the same.
    /// Ids of expired events may stay taken.
    async fn expire(&self, scope: &WorkspaceScope, before_us: i64) -> Result<()>;

    /// What is kept for a workspace.
    async fn describe(&self, scope: &WorkspaceScope) -> Result<Holdings>;
}

/// What an append did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// One per event, in order.
    pub outcomes: Vec<Outcome>,
    /// Sequence number of the last event stored for this workspace so far.
    pub watermark: u64,
}

impl Appended {
    /// How many were stored.
    pub fn accepted(&self) -> usize {
        self.outcomes.iter().filter(|outcome| **outcome == Outcome::Accepted).count()
    }

    /// How many were there already.
    pub fn duplicates(&self) -> usize {
        self.outcomes.len() - self.accepted()
    }
}

/// What became of one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Stored.
    Accepted,
    /// Its `event_id` was there already; the earlier event stays.
    Duplicate,
}

/// What to forget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Erasure {
    /// Every event with this `user_id`.
    User(String),
    /// Every event of this visitor.
    Visitor(String),
    /// Everything in the workspace.
    Workspace,
}

/// What an erasure covered: events kept so far, bots included, expired ones not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Erased {
    /// Events that vanished from answers.
    pub events: u64,
}

/// What is kept for a workspace.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Holdings {
    /// Events, bots included, erased and expired ones not.
    pub events: u64,
    /// Time of the earliest event, microseconds.
    pub first_us: Option<i64>,
    /// Time of the latest event, microseconds.
    pub last_us: Option<i64>,
    /// Latest arrival among these events, microseconds.
    pub last_received_us: Option<i64>,
    /// Sequence number of the last event stored; erasures and expiry leave it alone.
    pub watermark: u64,
    /// Bytes on disk, log and segments.
    pub disk_bytes: u64,
}
