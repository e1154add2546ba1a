//! Questions as folds over each visitor's timeline.
//!
//! [`scan`] cuts the visitors of all runs into partitions by hash, marks the rows of the slice, brings each visitor's rows
//! together in event order and hands them to a [`scan::Fold`]; each question is one such fold, merged over threads.

mod aggregate;
mod field;
mod funnel;
mod group;
mod mask;
mod retention;
mod rows;
mod scan;
mod session;
mod sessions;
mod values;

use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use tributary_core::error::{Code, Error, Result};
use tributary_events::answer::{Answer, Answered};
use tributary_events::question::{Budget, Question};

use crate::stored::Hashes;
use crate::workspace::View;

/// Answers a checked question over a view.
pub(crate) fn answer(view: &View, question: &Question, limits: &Limits, hashes: &Hashes, threads: usize) -> Result<Answered> {
    let watermark = question.slice().as_of.map_or(view.watermark, |as_of| as_of.min(view.watermark));
    let scan = scan::Scan::over(view, question.slice(), watermark, limits, threads)?;
    let answer = match question {
        Question::Aggregate(question) => Answer::Aggregate(aggregate::answer(&scan, question)?),
        Question::Rows(question) => Answer::Rows(rows::answer(&scan, question)?),
        Question::Funnel(question) => Answer::Funnel(funnel::answer(&scan, question)?),
        Question::Retention(question) => Answer::Retention(retention::answer(&scan, question)?),
        Question::Sessions(question) => Answer::Sessions(sessions::answer(&scan, question)?),
        Question::Values(question) => Answer::Values(values::answer(&scan, question)?),
        Question::Journey(question) => Answer::Rows(rows::journey(&scan, question, hashes)?),
    };
    Ok(Answered { watermark, answer })
}

/// The budget of one question, and whether anyone still waits for it.
pub(crate) struct Limits {
    budget: Budget,
    started: Instant,
    is_abandoned: Arc<AtomicBool>,
}

impl Limits {
    pub fn new(budget: Budget, is_abandoned: Arc<AtomicBool>) -> Self {
        Self { budget, started: Instant::now(), is_abandoned }
    }

    /// To be called every few ten thousand rows.
    pub fn check_time(&self) -> Result<()> {
        if self.is_abandoned.load(Ordering::Relaxed) {
            return Err(Error::new(Code::Internal, "nobody waits for this answer any more"));
        }
        if self.started.elapsed() > self.budget.max_time {
            let seconds = self.budget.max_time.as_secs_f64();
            return Err(Error::new(
                Code::QuestionTooLarge,
                format!("the question took longer than max_time ({seconds} s); ask for a shorter range"),
            )
            .with_details(json!({"bound": "time", "limit_s": seconds})));
        }
        Ok(())
    }

    /// To be called when groups were added.
    pub fn check_groups(&self, groups: usize) -> Result<()> {
        if groups > self.budget.max_groups {
            let limit = self.budget.max_groups;
            return Err(Error::new(
                Code::QuestionTooLarge,
                format!("the answer has more than max_groups ({limit}) groups; group by fewer or coarser fields, or filter"),
            )
            .with_details(json!({"bound": "groups", "limit": limit})));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_nobody_waits_for_stops() {
        let is_abandoned = Arc::new(AtomicBool::new(false));
        let limits = Limits::new(Budget::BACKGROUND, is_abandoned.clone());
        assert!(limits.check_time().is_ok());
        is_abandoned.store(true, Ordering::Relaxed);
        assert!(limits.check_time().is_err());
    }
}
