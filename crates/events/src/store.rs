//! The store every engine implements.

use async_trait::async_trait;

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

    /// Answers a question within a budget.
    async fn ask(&self, scope: &WorkspaceScope, question: Question, budget: Budget) -> Result<Answered>;

    /// Forgets. From the return on no answer contains what was forgotten; disk follows at the next compaction. Events that
    /// arrive afterwards count again.
    async fn erase(&self, scope: &WorkspaceScope, what: Erasure) -> Result<Erased>;

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

/// What an erasure covered: events kept so far, bots included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Erased {
    /// Events that vanished from answers.
    pub events: u64,
}

/// What is kept for a workspace.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Holdings {
    /// Events, bots included, erased ones not.
    pub events: u64,
    /// Time of the earliest event, microseconds.
    pub first_us: Option<i64>,
    /// Time of the latest event, microseconds.
    pub last_us: Option<i64>,
    /// Latest arrival among these events, microseconds.
    pub last_received_us: Option<i64>,
    /// Sequence number of the last event stored; erasures leave it alone.
    pub watermark: u64,
    /// Bytes on disk, log and segments.
    pub disk_bytes: u64,
}
