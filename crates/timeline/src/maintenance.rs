//! Two background threads: one flushes tails that have grown or aged, the other compacts, so that a long merge never keeps
//! the tail from being flushed.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tributary_core::error::Result;

use crate::Shared;
use crate::compact::Months;
use crate::flush::Due;

/// Pause after a failure, so that a full disk is not hammered.
const RETRY_AFTER: Duration = Duration::from_secs(5);
/// Shortest wait for growth.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);

/// Wakes a thread.
#[derive(Default)]
pub(crate) struct Wake {
    signal: Mutex<Signal>,
    changed: Condvar,
}

#[derive(Default)]
struct Signal {
    has_grown: bool,
    is_stopping: bool,
}

/// The threads' handle.
pub(crate) struct Maintenance {
    wakes: [Arc<Wake>; 2],
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Wake {
    /// There is more than before.
    pub fn notify(&self) {
        self.signal.lock().expect("no holder of this lock panics").has_grown = true;
        self.changed.notify_one();
    }

    fn stop(&self) {
        self.signal.lock().expect("no holder of this lock panics").is_stopping = true;
        self.changed.notify_one();
    }

    /// Waits for growth, at most this long.
    fn wait(&self, timeout: Duration) -> Next {
        let signal = self.signal.lock().expect("no holder of this lock panics");
        let (mut signal, waited) = self
            .changed
            .wait_timeout_while(signal, timeout, |signal| !signal.has_grown && !signal.is_stopping)
            .expect("no holder of this lock panics");
        signal.has_grown = false;
        if signal.is_stopping {
            Next::Stop
        } else if waited.timed_out() {
            Next::Aged
        } else {
            Next::Grown
        }
    }

    /// Waits this long, unless asked to stop.
    fn rest(&self, pause: Duration) {
        let signal = self.signal.lock().expect("no holder of this lock panics");
        drop(self.changed.wait_timeout_while(signal, pause, |signal| !signal.is_stopping));
    }
}

enum Next {
    Grown,
    Aged,
    Stop,
}

impl Maintenance {
    /// Starts both threads; `grown` tells of commits.
    pub fn start(shared: &Arc<Shared>, grown: Arc<Wake>) -> Self {
        let flushed = Arc::new(Wake::default());
        let wakes = [grown.clone(), flushed.clone()];
        let (flusher, compacter) = (shared.clone(), shared.clone());
        let compactions = flushed.clone();
        let threads = vec![
            spawn("tributary-flush", move || flush(&flusher, &grown, &flushed)),
            spawn("tributary-compact", move || compact(&compacter, &compactions)),
        ];
        Self { wakes, threads: Mutex::new(threads) }
    }

    /// Finishes the work at hand and ends the threads.
    pub fn stop(&self) {
        self.wakes.iter().for_each(|wake| wake.stop());
        for thread in self.threads.lock().expect("no holder of this lock panics").drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread that looks after segments ended badly");
            }
        }
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work).expect("the system can start one more thread")
}

fn flush(shared: &Shared, grown: &Wake, flushed: &Wake) {
    let patience = Duration::from_millis(shared.options.flush_after_ms);
    let mut last = Instant::now();
    loop {
        let due = match grown.wait(patience.saturating_sub(last.elapsed()).max(SHORTEST_WAIT)) {
            Next::Stop => return,
            Next::Grown if shared.log.tail_events.load(Ordering::SeqCst) >= shared.options.flush_events => Some(Due::Full),
            Next::Aged => Some(Due::Aged),
            Next::Grown => (last.elapsed() >= patience).then_some(Due::Aged),
        };
        if let Some(due) = due {
            last = Instant::now();
            attempt(grown, "flushing", || shared.flush_all(due));
            flushed.notify();
        }
    }
}

fn compact(shared: &Shared, flushed: &Wake) {
    let patience = Duration::from_millis(shared.options.flush_after_ms);
    let mut last_rewrite = Instant::now();
    loop {
        let months = match flushed.wait(patience) {
            Next::Stop => return,
            Next::Grown => Months::Quiet,
            Next::Aged => Months::All,
        };
        attempt(flushed, "compacting", || shared.compact_by_size(months));
        if last_rewrite.elapsed() >= patience {
            last_rewrite = Instant::now();
            attempt(flushed, "rewriting segments without what was erased", || shared.rewrite_erased());
        }
    }
}

fn attempt(wake: &Wake, what: &str, work: impl FnOnce() -> Result<()>) {
    if let Err(error) = work() {
        tracing::error!(error = %error.chain(), "{what} failed; nothing is lost, trying again");
        wake.rest(RETRY_AFTER);
    }
}
