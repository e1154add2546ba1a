//! A plain event for unit tests, which change what they are about.

use tributary_core::event::{Confidence, Event, Origin};

/// 2026-05-01T00:00:00Z.
pub(crate) const MAY: i64 = 1_777_593_600_000_000;

/// A page view at the beginning of May.
pub(crate) fn event(visitor: &str) -> Event {
    Event {
        name: String::from("page_view"),
        time_us: MAY,
        received_us: MAY,
        anonymous_id: visitor.to_owned(),
        user_id: None,
        session: None,
        event_id: None,
        origin: Origin::Server,
        url: None,
        path: None,
        referrer: None,
        source: String::from("direct"),
        medium: String::from("direct"),
        campaign: None,
        source_confidence: Confidence::High,
        source_rule_id: String::from("r"),
        country: None,
        device_type: None,
        browser: None,
        os: None,
        ip_hash: None,
        bot: None,
        amount: None,
        properties: None,
    }
}
