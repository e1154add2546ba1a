//! What every engine must pass: named cases with tricky data and answers written down by hand.
//!
//! A case starts from fresh workspaces and asserts; a failing one panics. The same cases run on the reference evaluator,
//! and on an engine with its tail in the log as well as settled on disk: see [`Ground`].

pub mod sample;

mod aggregates;
mod attribution;
mod cursors;
mod exclusions;
mod expiry;
mod filters;
mod funnels;
mod ids;
mod journeys;
mod paths;
mod people;
mod retention;
mod rows;
mod sessions;
mod store;
mod traits;

use async_trait::async_trait;
use std::sync::Arc;

use tributary_core::error::{Code, Error};
use tributary_core::event::Event;
use tributary_core::scope::WorkspaceScope;

use crate::answer::{Answer, Answered};
use crate::question::{Budget, Question};
use crate::store::{Appended, EventStore};

/// Where cases play: a store, fresh workspaces in it, and its housekeeping.
#[async_trait]
pub trait Ground: Send + Sync {
    /// The store; asked for again after [`Ground::settle`], which may have reopened it.
    fn store(&self) -> Arc<dyn EventStore>;

    /// A workspace nothing was stored in yet.
    fn workspace(&self) -> WorkspaceScope;

    /// Called between storing and asking: an engine flushes, compacts or reopens here. Nothing may change in answers.
    async fn settle(&self) {}
}

/// Plays all cases. Panics at the first one that fails.
pub async fn run(ground: &dyn Ground) {
    store::run(ground).await;
    ids::run(ground).await;
    rows::run(ground).await;
    cursors::run(ground).await;
    filters::run(ground).await;
    aggregates::run(ground).await;
    funnels::run(ground).await;
    exclusions::run(ground).await;
    paths::run(ground).await;
    retention::run(ground).await;
    sessions::run(ground).await;
    attribution::run(ground).await;
    journeys::run(ground).await;
    people::run(ground).await;
    traits::run(ground).await;
    expiry::run(ground).await;
}

/// One workspace during a case.
struct Play<'a> {
    ground: &'a dyn Ground,
    scope: WorkspaceScope,
}

impl<'a> Play<'a> {
    /// An empty workspace.
    fn fresh(ground: &'a dyn Ground) -> Self {
        Self { ground, scope: ground.workspace() }
    }

    /// A workspace that holds these events.
    async fn with(ground: &'a dyn Ground, events: Vec<Event>) -> Self {
        let play = Self::fresh(ground);
        let expected = events.len();
        assert_eq!(play.append(events).await.accepted(), expected, "all events of the case are new");
        play
    }

    async fn append(&self, events: Vec<Event>) -> Appended {
        let appended = self.ground.store().append(&self.scope, events).await.expect("the append succeeds");
        self.ground.settle().await;
        appended
    }

    async fn asked(&self, question: Question) -> Answered {
        self.ground.store().ask(&self.scope, question, Budget::INTERACTIVE).await.expect("the question is answered")
    }

    async fn ask(&self, question: Question) -> Answer {
        self.asked(question).await.answer
    }

    async fn refusal(&self, question: Question, budget: Budget) -> Code {
        let refused: Result<Answered, Error> = self.ground.store().ask(&self.scope, question, budget).await;
        refused.expect_err("the question is refused").code()
    }
}
