//! `events_synthetic`: 25,831 events with users exactly on limits, against tables from ClickHouse and DuckDB.

mod counts;
mod funnels;
mod retention;
mod sessions;

use jiff::tz::TimeZone;

use tributary_core::event::{Confidence, Event, Origin};
use tributary_core::money::{Money, parse_micros};
use tributary_core::time::{TimeRange, parse_instant};
use tributary_events::conformance::Ground;
use tributary_events::conformance::sample::event;
use tributary_events::question::Slice;

use super::asking::Filled;
use super::table::{Row, read};

/// All tables.
pub async fn check(ground: &dyn Ground) {
    let filled = Filled::with(ground, events()).await;
    counts::check(&filled).await;
    funnels::check(&filled).await;
    retention::check(&filled).await;
    sessions::check(&filled).await;
}

/// The events, in the file's shuffled order. The file's user is the visitor.
pub fn events() -> Vec<Event> {
    read("events_synthetic/events.csv.gz").iter().map(read_event).collect()
}

fn read_event(row: &Row) -> Event {
    let amount = row.optional("revenue").map(|revenue| Money {
        micros: parse_micros(&revenue).expect("revenues are decimals"),
        currency: row.text("currency").parse().expect("currencies are codes"),
    });
    Event {
        event_id: row.optional("event_id"),
        origin: Origin::Server,
        path: row.optional("page"),
        source: row.text("utm_source").to_owned(),
        medium: row.text("utm_medium").to_owned(),
        campaign: row.optional("utm_campaign"),
        source_confidence: Confidence::High,
        country: row.optional("country"),
        amount,
        properties: row
            .optional("click_id_param")
            .map(|parameter| serde_json::json!({ "click_id_param": parameter }).to_string()),
        ..event(row.text("event"), row.text("user_id"), instant(row.text("ts_utc")))
    }
}

fn instant(text: &str) -> i64 {
    parse_instant(text, &TimeZone::UTC).expect("the tables hold ISO 8601 instants")
}

/// A range that holds all events, with room for any zone.
fn range() -> TimeRange {
    TimeRange { start_us: instant("2026-01-10"), end_us: instant("2026-04-23") }
}

fn all() -> Slice {
    Slice::of(range())
}
