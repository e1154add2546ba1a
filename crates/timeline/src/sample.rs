//! A plain event for unit tests, which change what they are about.

use tributary_core::event::Event;
use tributary_events::conformance::sample;

/// 2026-05-01T00:00:00Z.
pub(crate) const MAY: i64 = 1_777_593_600_000_000;

/// A page view at the beginning of May.
pub(crate) fn event(visitor: &str) -> Event {
    Event { received_us: MAY, ..sample::event("page_view", visitor, MAY) }
}
