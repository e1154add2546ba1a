//! A question's work on several threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tributary_core::error::Result;

use super::Scan;

/// How long a thread works alone before it calls for help.
const ALONE: Duration = Duration::from_micros(700);

/// When a question's other threads are called for help: to wake them takes longer than small work.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Help {
    /// The work is known to be long.
    AtOnce,
    /// Once it has taken [`ALONE`].
    IfLong,
}

impl Help {
    /// At once, unless everything the work looks at is at hand.
    pub fn unless(is_at_hand: bool) -> Self {
        if is_at_hand { Help::IfLong } else { Help::AtOnce }
    }
}

impl Scan<'_> {
    /// Works through `tasks` tasks on this question's threads, each under a turn of its workspace; one state per thread.
    pub fn in_parallel<S: Send>(
        &self,
        tasks: usize,
        help: Help,
        begin: impl Fn() -> Result<S>,
        work: impl Fn(&mut S, usize) -> Result<()> + Sync,
    ) -> Result<Vec<S>> {
        let next = AtomicUsize::new(0);
        let run = |mut state: S, between: &mut dyn FnMut()| -> Result<S> {
            loop {
                between();
                let task = next.fetch_add(1, Ordering::Relaxed);
                if task >= tasks {
                    return Ok(state);
                }
                let _turn = self.engine.turns.take(self.engine.workspace);
                if let Err(error) = self.limits.check_time().and_then(|()| work(&mut state, task)) {
                    // The others need not go on.
                    next.store(tasks, Ordering::Relaxed);
                    return Err(error);
                }
            }
        };
        let threads = self.engine.threads.min(tasks).max(1);
        let own = begin()?;
        let mut others = (1..threads).map(|_| begin()).collect::<Result<Vec<S>>>()?;
        let began = Instant::now();
        std::thread::scope(|scope| {
            let run = &run;
            let mut running = Vec::new();
            let mut call_for_help = || {
                let is_due = help == Help::AtOnce || began.elapsed() >= ALONE;
                if !others.is_empty() && is_due && next.load(Ordering::Relaxed) + 1 < tasks {
                    running.extend(others.drain(..).map(|state| scope.spawn(move || run(state, &mut || {}))));
                }
            };
            let mut done = vec![run(own, &mut call_for_help)];
            done.extend(running.into_iter().map(|thread| match thread.join() {
                Ok(done) => done,
                Err(panic) => std::panic::resume_unwind(panic),
            }));
            done.extend(others.into_iter().map(Ok));
            done.into_iter().collect()
        })
    }
}
