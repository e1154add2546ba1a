//! The bounds of one question: time, groups, memory, and whether anyone still waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use tributary_core::error::{Code, Error, Result};
use tributary_events::question::Budget;

/// The budget of one question, and whether anyone still waits for it.
pub(crate) struct Limits {
    budget: Budget,
    started: Instant,
    is_abandoned: Arc<AtomicBool>,
    /// Bytes the question's folds hold, added up over its threads.
    held: AtomicUsize,
}

impl Limits {
    pub fn new(budget: Budget, is_abandoned: Arc<AtomicBool>) -> Self {
        Self { budget, started: Instant::now(), is_abandoned, held: AtomicUsize::new(0) }
    }

    /// To be called every few ten thousand rows.
    pub fn check_time(&self) -> Result<()> {
        if self.is_abandoned.load(Ordering::Relaxed) {
            return Err(Error::new(Code::Internal, "nobody waits for this answer any more"));
        }
        if self.started.elapsed() > self.budget.max_time {
            return Err(self.budget.time_exceeded());
        }
        Ok(())
    }

    /// To be called when groups were added.
    pub fn check_groups(&self, groups: usize) -> Result<()> {
        if groups > self.budget.max_groups {
            return Err(self.budget.groups_exceeded());
        }
        Ok(())
    }

    /// To be called when a fold's own state grew or shrank: bytes before and now.
    pub fn check_memory(&self, before: usize, now: usize) -> Result<()> {
        let grown = now.wrapping_sub(before);
        let held = self.held.fetch_add(grown, Ordering::Relaxed).wrapping_add(grown);
        if held > self.budget.max_bytes {
            return Err(self.budget.bytes_exceeded());
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

    #[test]
    fn memory_is_added_up_and_given_back() {
        let limits = Limits::new(Budget { max_bytes: 100, ..Budget::INTERACTIVE }, Arc::default());
        assert!(limits.check_memory(0, 60).is_ok());
        assert!(limits.check_memory(0, 60).is_err(), "another thread's bytes count too");
        assert!(limits.check_memory(60, 10).is_ok());
    }
}
