//! Asking the engine in every workspace a question reaches.

use futures::{StreamExt, TryStreamExt, stream};
use tributary_core::error::{Error, Result};
use tributary_core::scope::WorkspaceScope;
use tributary_events::answer::{AggregateAnswer, Answer, Answered, FunnelAnswer, RowsAnswer, ValuesAnswer};
use tributary_events::question::{Aggregate, Funnel, Question, Rows, Values};

use crate::reach::Reach;
use crate::service::Service;

/// How many workspaces are asked at the same time.
const ASKED_AT_ONCE: usize = 4;

/// The answers of all workspaces, in the reach's order.
#[derive(Clone, Debug)]
pub(crate) struct Answers<A> {
    pub watermarks: Vec<u64>,
    pub answers: Vec<A>,
}

impl Service {
    pub(crate) async fn aggregate(&self, reach: Reach<'_>, question: &Aggregate) -> Result<Answers<AggregateAnswer>> {
        self.ask(reach, Question::Aggregate(question.clone()), |answer| match answer {
            Answer::Aggregate(answer) => Some(answer),
            Answer::Rows(_)
            | Answer::Funnel(_)
            | Answer::Retention(_)
            | Answer::Sessions(_)
            | Answer::Values(_)
            | Answer::Attribution(_) => None,
        })
        .await
    }

    pub(crate) async fn rows(&self, reach: Reach<'_>, question: &Rows) -> Result<Answers<RowsAnswer>> {
        self.ask(reach, Question::Rows(question.clone()), |answer| match answer {
            Answer::Rows(answer) => Some(answer),
            Answer::Aggregate(_)
            | Answer::Funnel(_)
            | Answer::Retention(_)
            | Answer::Sessions(_)
            | Answer::Values(_)
            | Answer::Attribution(_) => None,
        })
        .await
    }

    pub(crate) async fn funnels(&self, reach: Reach<'_>, question: &Funnel) -> Result<Answers<FunnelAnswer>> {
        self.ask(reach, Question::Funnel(question.clone()), |answer| match answer {
            Answer::Funnel(answer) => Some(answer),
            Answer::Aggregate(_)
            | Answer::Rows(_)
            | Answer::Retention(_)
            | Answer::Sessions(_)
            | Answer::Values(_)
            | Answer::Attribution(_) => None,
        })
        .await
    }

    pub(crate) async fn values(&self, reach: Reach<'_>, question: &Values) -> Result<Answers<ValuesAnswer>> {
        self.ask(reach, Question::Values(question.clone()), |answer| match answer {
            Answer::Values(answer) => Some(answer),
            Answer::Aggregate(_)
            | Answer::Rows(_)
            | Answer::Funnel(_)
            | Answer::Retention(_)
            | Answer::Sessions(_)
            | Answer::Attribution(_) => None,
        })
        .await
    }

    async fn ask<A>(&self, reach: Reach<'_>, question: Question, pick: fn(Answer) -> Option<A>) -> Result<Answers<A>> {
        // Owned futures: borrowed ones in a stream are not general enough for callers that box them.
        let questions: Vec<_> = reach
            .workspaces()
            .iter()
            .map(|access| {
                let (events, scope, question) = (self.events.clone(), access.scope.clone(), question.clone());
                let budget = self.budget;
                async move { events.ask(&scope, question, budget).await }
            })
            .collect();
        let asked: Vec<Answered> = stream::iter(questions).buffered(ASKED_AT_ONCE).try_collect().await?;
        let watermarks = asked.iter().map(|answered| answered.watermark).collect();
        let answers: Option<Vec<A>> = asked.into_iter().map(|answered| pick(answered.answer)).collect();
        let answers = answers.ok_or_else(other_question)?;
        Ok(Answers { watermarks, answers })
    }
}

impl Service {
    /// Distinct values of a field in one workspace, and the watermark of the events they were found in.
    pub(crate) async fn values_in(&self, scope: &WorkspaceScope, question: Values) -> Result<(Vec<String>, u64)> {
        let answered = self.events.ask(scope, Question::Values(question), self.budget).await?;
        match answered.answer {
            Answer::Values(answer) => Ok((answer.values.into_iter().map(|value| value.value).collect(), answered.watermark)),
            _ => Err(other_question()),
        }
    }
}

/// The fault of an engine whose answer is of another shape than the question.
pub(crate) fn other_question() -> Error {
    Error::internal("the event store answered another question than it was asked")
}
