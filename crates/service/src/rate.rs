//! Rate limits: a token bucket per workspace and route, in memory.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde_json::json;
use tributary_core::clock::SharedClock;
use tributary_core::error::{Code, Error, Result};
use tributary_core::ids::WorkspaceId;
use tributary_core::time::SECOND_US;

/// The routes that have a bucket of their own. Everything else is unlimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Route {
    /// `POST /v1/track` and the tool `track_event`.
    Track,
    /// `POST /v1/batch`: one token per request, whatever it holds.
    Batch,
}

/// Size and refill of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BucketSettings {
    /// Tokens that come back per second; 0 means none ever do.
    pub refill_per_s: u32,
    /// Tokens a full bucket holds.
    pub burst: u32,
}

/// Limits of all routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateSettings {
    /// Whether limits are enforced at all.
    pub enforce: bool,
    /// Single events.
    pub track: BucketSettings,
    /// Batches.
    pub batch: BucketSettings,
}

impl Default for RateSettings {
    /// The documented limits: 50/s with a burst of 200 for single events, 5/s with a burst of 20 for batches.
    fn default() -> Self {
        Self {
            enforce: true,
            track: BucketSettings { refill_per_s: 50, burst: 200 },
            batch: BucketSettings { refill_per_s: 5, burst: 20 },
        }
    }
}

/// Hands out tokens.
#[derive(Debug)]
pub(crate) struct Limiter {
    settings: RateSettings,
    clock: SharedClock,
    // Bounded: one entry per live workspace and route.
    buckets: Mutex<HashMap<(WorkspaceId, Route), Bucket>>,
}

/// The longest a refused caller is told to wait, seconds.
const MAX_WAIT_S: i64 = 3_600;

// Levels are counted in millionths of a token, so that microseconds refill exactly: `refill_per_s` per microsecond.
#[derive(Debug)]
struct Bucket {
    level: i64,
    at_us: i64,
}

impl Limiter {
    pub(crate) fn new(settings: RateSettings, clock: SharedClock) -> Self {
        Self { settings, clock, buckets: Mutex::new(HashMap::new()) }
    }

    /// Takes one token, or says after how many whole seconds one will be there.
    pub(crate) fn take(&self, workspace: WorkspaceId, route: Route) -> Result<()> {
        if !self.settings.enforce {
            return Ok(());
        }
        let settings = match route {
            Route::Track => self.settings.track,
            Route::Batch => self.settings.batch,
        };
        let (refill, full) = (i64::from(settings.refill_per_s), i64::from(settings.burst) * SECOND_US);
        let now_us = self.clock.now_us();
        // A panic elsewhere cannot leave a level half-written: it is two integers.
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry((workspace, route)).or_insert(Bucket { level: full, at_us: now_us });
        let elapsed_us = now_us.saturating_sub(bucket.at_us).max(0);
        bucket.level = bucket.level.saturating_add(elapsed_us.saturating_mul(refill)).min(full);
        bucket.at_us = now_us;
        if bucket.level >= SECOND_US {
            bucket.level -= SECOND_US;
            return Ok(());
        }
        let missing = SECOND_US - bucket.level;
        let wait_us = if refill == 0 { i64::MAX } else { missing / refill };
        let retry_after_s = (wait_us / SECOND_US).saturating_add(1).min(MAX_WAIT_S);
        Err(Error::new(Code::RateLimited, format!("too many requests for this workspace; retry after {retry_after_s} s"))
            .with_details(json!({ "retry_after_s": retry_after_s })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tributary_core::clock::FixedClock;

    fn accepted(limiter: &Limiter, workspace: i64, route: Route) -> usize {
        (0..1_000).take_while(|_| limiter.take(WorkspaceId(workspace), route).is_ok()).count()
    }

    #[test]
    fn the_documented_buckets() {
        let clock = FixedClock::at(0);
        let limiter = Limiter::new(RateSettings::default(), clock.clone());
        assert_eq!(accepted(&limiter, 1, Route::Track), 200);
        assert_eq!(accepted(&limiter, 1, Route::Batch), 20, "buckets are independent by route");
        assert_eq!(accepted(&limiter, 2, Route::Track), 200, "and by workspace");
        clock.advance_us(100_000);
        assert_eq!(accepted(&limiter, 1, Route::Track), 5);
        assert_eq!(accepted(&limiter, 1, Route::Batch), 0);
        clock.advance_us(SECOND_US * 86_400);
        assert_eq!(accepted(&limiter, 1, Route::Track), 200, "a bucket never holds more than its burst");
        let refusal = limiter.take(WorkspaceId(1), Route::Track).expect_err("empty");
        assert_eq!(refusal.code(), Code::RateLimited);
        assert_eq!(refusal.details(), Some(&json!({ "retry_after_s": 1 })));
    }

    #[test]
    fn a_clock_that_steps_back_neither_fills_nor_breaks() {
        let clock = FixedClock::at(SECOND_US * 1_000);
        let limiter = Limiter::new(RateSettings::default(), clock.clone());
        assert_eq!(accepted(&limiter, 1, Route::Batch), 20);
        clock.set_us(0);
        assert_eq!(accepted(&limiter, 1, Route::Batch), 0);
    }

    #[test]
    fn limits_can_be_switched_off() {
        let limiter = Limiter::new(RateSettings { enforce: false, ..RateSettings::default() }, FixedClock::at(0));
        assert_eq!(accepted(&limiter, 1, Route::Batch), 1_000);
    }
}
