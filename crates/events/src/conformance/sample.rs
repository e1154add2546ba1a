//! Events for cases: plain ones, made particular by the test that needs them.

use tributary_core::event::{Confidence, Event, Origin};
use tributary_core::money::Money;
use tributary_core::time::SECOND_US;

/// 2026-05-06T12:00:00Z, a Wednesday.
pub const NOON_US: i64 = 1_778_068_800 * SECOND_US;

/// The instant some seconds after (or before) [`NOON_US`].
pub fn at(seconds: i64) -> i64 {
    NOON_US + seconds * SECOND_US
}

/// A direct visit without anything optional, arrived the second it happened.
pub fn event(name: &str, visitor: &str, time_us: i64) -> Event {
    Event {
        name: name.to_owned(),
        time_us,
        received_us: time_us + SECOND_US,
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
        source_rule_id: String::from("direct"),
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

/// The same as a bot's.
#[must_use]
pub fn by_bot(event: Event) -> Event {
    Event { bot: Some(String::from("isbot:googlebot@5.2.3")), ..event }
}

/// The same with an id.
#[must_use]
pub fn with_id(event: Event, event_id: &str) -> Event {
    Event { event_id: Some(event_id.to_owned()), ..event }
}

/// The same with a typed amount.
#[must_use]
pub fn worth(event: Event, micros: i64, currency: &str) -> Event {
    let currency = currency.parse().expect("cases use valid currencies");
    Event { amount: Some(Money { micros, currency }), ..event }
}

/// An event with every column filled, and text beyond ASCII.
pub fn full(visitor: &str, time_us: i64) -> Event {
    let text = |text: &str| Some(text.to_owned());
    Event {
        received_us: time_us + 86_399_999_999,
        user_id: text("ann@example.org"),
        session: text("сессия 1"),
        event_id: text("0190-full"),
        origin: Origin::Browser,
        url: text("https://shop.example/käse?x=1&comet_campaign=11&comet_ad_group=22&comet_ad_id=33#top"),
        path: text("/käse"),
        referrer: text("https://search.example/"),
        source: String::from("google"),
        medium: String::from("paid"),
        campaign: text("Frühling \"26\"\n☀"),
        source_confidence: Confidence::Low,
        source_rule_id: String::from("utm"),
        country: text("DE"),
        device_type: text("mobile"),
        browser: text("firefox"),
        os: text("android"),
        ip_hash: text("00ff"),
        properties: text(r#"{"plan":"pro","n":9007199254740993,"deep":{"er":[1,2]},"z":null}"#),
        ..worth(event("purchase ✓", visitor, time_us), -1, "JPY")
    }
}
