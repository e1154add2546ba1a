//! The columns of an export, in order.

use serde_json::{Map, Value};
use std::borrow::Cow;

use tributary_core::event::Event;
use tributary_core::money::format_micros;
use tributary_core::time::format_utc;

/// What a column holds.
#[derive(Clone, Copy)]
pub enum Kind {
    /// Text, or absent.
    Text(fn(&Event) -> Option<Cow<'_, str>>),
    /// An instant, microseconds since the epoch, UTC.
    Instant(fn(&Event) -> i64),
    /// An amount of money in micros, or absent; written as a decimal.
    Micros(fn(&Event) -> Option<i64>),
    /// A JSON object as text, or absent.
    Json(fn(&Event) -> Option<&str>),
}

/// A column.
pub struct ExportColumn {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
}

fn text(value: &Option<String>) -> Option<Cow<'_, str>> {
    value.as_deref().map(Cow::Borrowed)
}

macro_rules! columns {
    ($($name:literal $kind:ident $read:expr;)*) => {
        /// Every column. `session_id` is always written, also where it is the derived one.
        pub const COLUMNS: &[ExportColumn] = &[$(ExportColumn { name: $name, kind: Kind::$kind($read) }),*];
    };
}

columns! {
    "timestamp" Instant |event| event.time_us;
    "event" Text |event| Some(Cow::Borrowed(&event.name));
    "event_id" Text |event| text(&event.event_id);
    "anonymous_id" Text |event| Some(Cow::Borrowed(&event.anonymous_id));
    "user_id" Text |event| text(&event.user_id);
    "session_id" Text |event| Some(Cow::Owned(event.session_id()));
    "url" Text |event| text(&event.url);
    "path" Text |event| text(&event.path);
    "referrer" Text |event| text(&event.referrer);
    "source" Text |event| Some(Cow::Borrowed(&event.source));
    "medium" Text |event| Some(Cow::Borrowed(&event.medium));
    "campaign" Text |event| text(&event.campaign);
    "source_confidence" Text |event| Some(Cow::Borrowed(event.source_confidence.as_str()));
    "source_rule_id" Text |event| Some(Cow::Borrowed(&event.source_rule_id));
    "country" Text |event| text(&event.country);
    "device_type" Text |event| text(&event.device_type);
    "browser" Text |event| text(&event.browser);
    "os" Text |event| text(&event.os);
    "bot" Text |event| text(&event.bot);
    "origin" Text |event| Some(Cow::Borrowed(event.origin.as_str()));
    "amount" Micros |event| event.amount.map(|amount| amount.micros);
    "currency" Text |event| event.amount.map(|amount| Cow::Owned(amount.currency.to_string()));
    "received_at" Instant |event| event.received_us;
    "properties" Json |event| event.properties.as_deref();
}

/// A column's value as text, as CSV writes it; absent is empty.
pub fn as_text<'a>(column: &ExportColumn, event: &'a Event) -> Cow<'a, str> {
    match column.kind {
        Kind::Text(read) => read(event).unwrap_or_default(),
        Kind::Instant(read) => Cow::Owned(format_utc(read(event))),
        Kind::Micros(read) => read(event).map_or(Cow::Borrowed(""), |micros| Cow::Owned(format_micros(i128::from(micros)))),
        Kind::Json(read) => read(event).map_or(Cow::Borrowed(""), Cow::Borrowed),
    }
}

/// An event as a JSON object; absent values are left out.
pub fn as_json(event: &Event) -> Value {
    let mut object = Map::new();
    for column in COLUMNS {
        let value = match column.kind {
            Kind::Text(read) => read(event).map(|text| Value::from(text.into_owned())),
            Kind::Instant(read) => Some(Value::from(format_utc(read(event)))),
            // As text: JSON numbers are floating point to most readers.
            Kind::Micros(read) => read(event).map(|micros| Value::from(format_micros(i128::from(micros)))),
            Kind::Json(read) => read(event).and_then(|json| serde_json::from_str(json).ok()),
        };
        if let Some(value) = value {
            object.insert(column.name.to_owned(), value);
        }
    }
    Value::Object(object)
}
