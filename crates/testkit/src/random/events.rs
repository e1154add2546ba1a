//! Random events: few visitors, ties, late arrivals, absent columns, unicode, ids that collide, several currencies.

use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;

use tributary_core::event::{Confidence, Event, Origin};
use tributary_core::money::{Currency, Money};
use tributary_core::time::DAY_US;

use super::pools::{CURRENCIES, EVENT_IDS, NAMES, TEXTS, USERS, VISITORS, instant, one_of, session};

/// One event.
pub fn event() -> impl Strategy<Value = Event> {
    let who = (one_of(NAMES), instant(), one_of(VISITORS), weighted(0.3, one_of(USERS)), weighted(0.3, session()));
    let identity = (weighted(0.4, one_of(EVENT_IDS)), select(&[Origin::Browser, Origin::Server][..]), 0..3 * DAY_US);
    let page = (text(0.4), text(0.4), text(0.3));
    let classified = (
        one_of(TEXTS),
        one_of(TEXTS),
        text(0.3),
        select(&[Confidence::Low, Confidence::Medium, Confidence::High][..]),
        one_of(TEXTS),
    );
    let device = (text(0.5), text(0.5), text(0.5), text(0.5), text(0.2), weighted(0.15, one_of(&["isbot:x@1", "hook:y@2"])));
    (who, identity, page, classified, device, weighted(0.4, money()), weighted(0.5, properties())).prop_map(
        |(who, identity, page, classified, device, amount, properties)| Event {
            name: who.0,
            time_us: who.1,
            received_us: who.1 + identity.2,
            anonymous_id: who.2,
            user_id: who.3,
            session: who.4,
            event_id: identity.0,
            origin: identity.1,
            url: page.0,
            path: page.1,
            referrer: page.2,
            source: classified.0,
            medium: classified.1,
            campaign: classified.2,
            source_confidence: classified.3,
            source_rule_id: classified.4,
            country: device.0,
            device_type: device.1,
            browser: device.2,
            os: device.3,
            ip_hash: device.4,
            bot: device.5,
            amount,
            properties,
        },
    )
}

/// Up to `most` events.
pub fn events(most: usize) -> impl Strategy<Value = Vec<Event>> {
    prop::collection::vec(event(), 0..=most)
}

fn text(probability: f64) -> impl Strategy<Value = Option<String>> {
    weighted(probability, one_of(TEXTS))
}

fn money() -> impl Strategy<Value = Money> {
    // Sums of extremes leave 64 bits.
    let micros = prop_oneof![8 => -5_000_000_i64..50_000_000, 1 => Just(i64::MAX), 1 => Just(i64::MIN)];
    (micros, select(CURRENCIES))
        .prop_map(|(micros, code)| Money { micros, currency: code.parse::<Currency>().expect("the pool holds valid codes") })
}

/// Properties as JSON object text.
pub fn properties() -> impl Strategy<Value = String> {
    select(
        &[
            r#"{"plan":"pro","amount":12}"#,
            r#"{"plan":"Pro","amount":12.5,"flag":true}"#,
            r#"{"plan":null,"amount":"-3"}"#,
            r#"{"cart":{"currency":"EUR","lines":[1,{"k":"ü"}]},"amount":1e3}"#,
            r#"{"cart.currency":"literal wins","cart":{"currency":"USD"}}"#,
            r#"{"cart":[1,{"k":"ü"}],"flag":false}"#,
            r#"{"deep":{"er":{"still":0}},"ключ":"значение"}"#,
            r#"{"deep":{"er":null},"amount":"12 apples"}"#,
            r#"{"amount":9007199254740993,"plan":""}"#,
            "{}",
        ][..],
    )
    .prop_map(str::to_owned)
}
