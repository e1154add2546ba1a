//! Events made by hand.

use tributary_core::event::{Confidence, Event, Origin};
use tributary_core::time::{DAY_US, TimeRange};
use tributary_events::answer::Answer;
use tributary_events::question::{Bots, Budget, Question, RowOrder, Rows, Slice};
use tributary_events::store::EventStore;

use tributary_core::error::Result;
use tributary_core::scope::WorkspaceScope;

/// 2026-05-01T00:00:00Z.
pub const MAY: i64 = 1_777_593_600_000_000;
/// The days of May.
pub const MONTH_US: i64 = 31 * DAY_US;

/// A page view.
pub fn event(visitor: &str, event_id: &str, time_us: i64) -> Event {
    Event {
        name: String::from("page_view"),
        time_us,
        received_us: MAY + MONTH_US,
        anonymous_id: visitor.to_owned(),
        user_id: None,
        session: None,
        event_id: (!event_id.is_empty()).then(|| event_id.to_owned()),
        origin: Origin::Server,
        url: Some(format!("https://shop.example/{event_id}")),
        path: Some(String::from("/")),
        referrer: None,
        source: String::from("direct"),
        medium: String::from("direct"),
        campaign: None,
        source_confidence: Confidence::High,
        source_rule_id: String::from("r01"),
        country: Some(String::from("DE")),
        device_type: None,
        browser: None,
        os: None,
        ip_hash: None,
        bot: None,
        amount: None,
        properties: Some(String::from(r#"{"plan":"pro"}"#)),
    }
}

/// The same, by a signed-in person.
pub fn signed_in(visitor: &str, user_id: &str, event_id: &str, time_us: i64) -> Event {
    Event { user_id: Some(user_id.to_owned()), ..event(visitor, event_id, time_us) }
}

/// `count` events an hour apart, by a few visitors, with ids `prefix-0` on.
pub fn series(prefix: &str, count: i64, start_us: i64) -> Vec<Event> {
    (0..count).map(|n| event(&format!("v{}", n % 5), &format!("{prefix}-{n}"), start_us + n * DAY_US / 24)).collect()
}

/// Everything a workspace holds, oldest first, in a range.
pub async fn events_in(store: &dyn EventStore, scope: &WorkspaceScope, range: TimeRange) -> Result<Vec<Event>> {
    let slice = Slice { bots: Bots::Include, ..Slice::of(range) };
    let question = Question::Rows(Rows {
        slice,
        order: RowOrder::OldestFirst,
        limit: 100_000,
        count_up_to: u64::MAX,
        after: None,
        only: None,
    });
    match store.ask(scope, question, Budget::INTERACTIVE).await?.answer {
        Answer::Rows(rows) => Ok(rows.rows),
        other => panic!("rows were asked for, not {other:?}"),
    }
}

/// The ids of everything a workspace holds, oldest first.
pub async fn ids(store: &dyn EventStore, scope: &WorkspaceScope) -> Vec<String> {
    let events = events_in(store, scope, TimeRange::ALL).await.unwrap();
    events.into_iter().map(|event| event.event_id.unwrap_or_default()).collect()
}
