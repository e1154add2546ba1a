//! The background thread: flushes tails that have grown or aged, then compacts by size.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::Shared;

/// Pause after a failure, so that a full disk is not hammered.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Wakes the thread.
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

/// The thread's handle.
pub(crate) struct Maintenance {
    wake: Arc<Wake>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Wake {
    /// Events were committed.
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
}

enum Next {
    Grown,
    Aged,
    Stop,
}

impl Maintenance {
    pub fn start(shared: Arc<Shared>, wake: Arc<Wake>) -> Self {
        let waker = wake.clone();
        let thread = std::thread::Builder::new()
            .name(String::from("tributary-segments"))
            .spawn(move || serve(&shared, &waker))
            .expect("the system can start one more thread");
        Self { wake, thread: Mutex::new(Some(thread)) }
    }

    /// Finishes the work at hand and ends the thread.
    pub fn stop(&self) {
        self.wake.stop();
        if let Some(thread) = self.thread.lock().expect("no holder of this lock panics").take()
            && thread.join().is_err()
        {
            tracing::error!("the segments' thread ended badly");
        }
    }
}

fn serve(shared: &Shared, wake: &Wake) {
    let patience = Duration::from_millis(shared.options.flush_after_ms);
    let mut age = std::time::Instant::now();
    loop {
        let next = wake.wait(patience.saturating_sub(age.elapsed()).max(Duration::from_millis(1)));
        let is_due = match next {
            Next::Stop => return,
            Next::Aged => true,
            Next::Grown => {
                shared.log.tail_events.load(Ordering::SeqCst) >= shared.options.flush_events || age.elapsed() >= patience
            }
        };
        if !is_due {
            continue;
        }
        age = std::time::Instant::now();
        let done = shared.flush_all().and_then(|()| shared.compact_by_size());
        if let Err(error) = done {
            tracing::error!(error = %error.chain(), "writing segments failed; events stay in the log, trying again");
            std::thread::sleep(RETRY_AFTER);
        }
    }
}
