//! A workspace filled with outside data, and typed ways to ask it.

use tributary_core::event::Event;
use tributary_core::scope::WorkspaceScope;
use tributary_events::answer::{AggregateAnswer, Answer, Cohort, FunnelAnswer, SessionsAnswer, ValuesAnswer};
use tributary_events::conformance::Ground;
use tributary_events::question::{Aggregate, Budget, Funnel, Question, Retention, Sessions, Values};

/// Events per append: as many as a batch over HTTP holds at most.
const CALL_EVENTS: usize = 1_000;

/// A filled workspace.
pub(super) struct Filled<'a> {
    ground: &'a dyn Ground,
    scope: WorkspaceScope,
}

impl<'a> Filled<'a> {
    pub(super) async fn with(ground: &'a dyn Ground, events: Vec<Event>) -> Self {
        let filled = Self { ground, scope: ground.workspace() };
        for call in events.chunks(CALL_EVENTS) {
            let appended = ground.store().append(&filled.scope, call.to_vec()).await.expect("the append succeeds");
            assert_eq!(appended.duplicates(), 0, "outside data holds every event once");
        }
        ground.settle().await;
        filled
    }

    async fn ask(&self, question: Question) -> Answer {
        let answered = self.ground.store().ask(&self.scope, question, Budget::BACKGROUND).await;
        answered.expect("the question is answered").answer
    }

    pub(super) async fn aggregate(&self, question: Aggregate) -> AggregateAnswer {
        match self.ask(Question::Aggregate(question)).await {
            Answer::Aggregate(answer) => answer,
            other => panic!("aggregates answer aggregates, not {other:?}"),
        }
    }

    pub(super) async fn funnel(&self, question: Funnel) -> FunnelAnswer {
        match self.ask(Question::Funnel(question)).await {
            Answer::Funnel(answer) => answer,
            other => panic!("funnels answer funnels, not {other:?}"),
        }
    }

    pub(super) async fn retention(&self, question: Retention) -> Vec<Cohort> {
        match self.ask(Question::Retention(question)).await {
            Answer::Retention(answer) => answer.cohorts,
            other => panic!("retention answers retention, not {other:?}"),
        }
    }

    pub(super) async fn sessions(&self, question: Sessions) -> SessionsAnswer {
        match self.ask(Question::Sessions(question)).await {
            Answer::Sessions(answer) => answer,
            other => panic!("sessions answer sessions, not {other:?}"),
        }
    }

    pub(super) async fn values(&self, question: Values) -> ValuesAnswer {
        match self.ask(Question::Values(question)).await {
            Answer::Values(answer) => answer,
            other => panic!("values answer values, not {other:?}"),
        }
    }
}
