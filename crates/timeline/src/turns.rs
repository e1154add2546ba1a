//! Who computes next: as many turns at once as there are cores, and workspaces take them one after the other, so that one
//! heavy question, or many of one workspace, never starve the rest. A turn is short: one partition, one chunk.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

/// The turnstile of one timeline.
pub(crate) struct Turns {
    state: Mutex<State>,
}

struct State {
    free: usize,
    /// Waiting threads, first come first served inside a workspace.
    waiting: BTreeMap<i64, VecDeque<Arc<Ticket>>>,
    /// The workspace served last; the next one in turn has the next greater id.
    last: i64,
}

#[derive(Default)]
struct Ticket {
    is_called: Mutex<bool>,
    called: Condvar,
}

/// A turn; given back when dropped.
pub(crate) struct Turn<'t> {
    turns: &'t Turns,
}

impl Turns {
    pub fn new(at_once: usize) -> Self {
        Self { state: Mutex::new(State { free: at_once.max(1), waiting: BTreeMap::new(), last: i64::MIN }) }
    }

    /// Waits for a turn.
    pub fn take(&self, workspace: i64) -> Turn<'_> {
        let ticket = {
            let mut state = self.lock();
            if state.free > 0 {
                state.free -= 1;
                state.last = workspace;
                return Turn { turns: self };
            }
            let ticket = Arc::new(Ticket::default());
            state.waiting.entry(workspace).or_default().push_back(ticket.clone());
            ticket
        };
        let is_called = ticket.is_called.lock().expect("no holder of this lock panics");
        drop(ticket.called.wait_while(is_called, |is_called| !*is_called).expect("no holder of this lock panics"));
        Turn { turns: self }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock panics")
    }
}

impl State {
    /// Takes out who comes next.
    fn next(&mut self) -> Option<Arc<Ticket>> {
        let after = self.last.checked_add(1).and_then(|first| self.waiting.range(first..).next());
        let workspace = *after.or_else(|| self.waiting.iter().next())?.0;
        let queue = self.waiting.get_mut(&workspace)?;
        let ticket = queue.pop_front();
        if queue.is_empty() {
            self.waiting.remove(&workspace);
        }
        self.last = workspace;
        ticket
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let next = {
            let mut state = self.turns.lock();
            let next = state.next();
            state.free += usize::from(next.is_none());
            next
        };
        if let Some(ticket) = next {
            *ticket.is_called.lock().expect("no holder of this lock panics") = true;
            ticket.called.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workspaces_take_turns() {
        let turns = Turns::new(1);
        let order = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            let held = turns.take(1);
            for (workspace, waiting) in [(1, 1), (1, 2), (1, 3), (2, 4), (3, 5)] {
                scope.spawn({
                    let (turns, order) = (&turns, &order);
                    move || {
                        let _turn = turns.take(workspace);
                        order.lock().unwrap().push(workspace);
                    }
                });
                while turns.lock().waiting.values().map(VecDeque::len).sum::<usize>() < waiting {
                    std::thread::yield_now();
                }
            }
            drop(held);
        });
        assert_eq!(order.into_inner().unwrap(), [2, 3, 1, 1, 1]);
        assert_eq!(turns.lock().free, 1);
    }
}
