//! The real clock and the real randomness: the only place that asks the operating system for either.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use tributary_core::clock::{Clock, SharedClock};
use tributary_core::entropy::{Entropy, SharedEntropy};

/// The system's clock.
pub fn clock() -> SharedClock {
    Arc::new(SystemClock)
}

/// The operating system's generator.
pub fn entropy() -> SharedEntropy {
    Arc::new(SystemEntropy)
}

#[derive(Debug)]
struct SystemClock;

impl Clock for SystemClock {
    fn now_us(&self) -> i64 {
        #[expect(clippy::disallowed_methods, reason = "this is the clock that everybody else is handed")]
        let now = SystemTime::now();
        match now.duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |micros| -micros),
        }
    }
}

#[derive(Debug)]
struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        #[expect(clippy::disallowed_methods, reason = "this is the source that everybody else is handed")]
        getrandom::fill(bytes).expect("the operating system has randomness; without it no key can be made safely");
    }
}
