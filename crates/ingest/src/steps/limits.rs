//! `limits`: every field against its bound. The only step that refuses; it collects all faults.

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::Value;
use tributary_core::money::{Currency, parse_micros};
use tributary_core::time::{DAY_US, SECOND_US, format_utc, parse_instant};

use super::Flight;
use crate::address::{Addresses, Page};
use crate::fields::{FieldErrors, WHOLE};
use crate::pipeline::Tools;
use crate::properties::Properties;

/// Longest `event`, `event_id`, `anonymous_id`, `session_id`, Unicode characters.
pub const MAX_ID_CHARS: usize = 128;
/// Longest `user_id`, Unicode characters.
pub const MAX_USER_ID_CHARS: usize = 256;
/// Longest `url`, `path`, `referrer`, Unicode characters.
pub const MAX_URL_CHARS: usize = 2_048;
/// Longest `context.user_agent`, Unicode characters. A longer header is cut there.
pub const MAX_USER_AGENT_CHARS: usize = 2_048;
/// Longest value an import may set for a derived field, and longest source, medium and campaign, Unicode characters.
pub const MAX_KNOWN_CHARS: usize = 256;
/// Largest `properties` or `traits`, bytes of compact JSON in UTF-8.
pub const MAX_PROPERTIES_BYTES: usize = 8 * 1024;
/// Deepest nesting of `properties` or `traits`; the object itself is level one.
pub const MAX_PROPERTIES_DEPTH: usize = 32;
/// How far ahead of arrival an event's time may lie, microseconds.
pub const MAX_AHEAD_US: i64 = DAY_US;
/// Earliest time of an event: 2000-01-01T00:00:00Z.
pub const EARLIEST_US: i64 = 946_684_800 * SECOND_US;

pub fn run(tools: &Tools, flight: &mut Flight<'_>) {
    let errors = &mut flight.errors;
    if errors.names(WHOLE) {
        return;
    }
    let draft = &mut flight.draft;
    let event = &mut flight.event;
    match draft.event.take() {
        Some(name) => event.name = id("event", Some(name), MAX_ID_CHARS, errors).unwrap_or_default(),
        None if errors.names("event") => {}
        None => errors.add("event", "Required"),
    }
    event.event_id = id("event_id", draft.event_id.take(), MAX_ID_CHARS, errors);
    event.user_id = id("user_id", draft.user_id.take(), MAX_USER_ID_CHARS, errors);
    event.session = id("session_id", draft.session_id.take(), MAX_ID_CHARS, errors);
    event.anonymous_id = id("anonymous_id", draft.anonymous_id.take(), MAX_ID_CHARS, errors).unwrap_or_default();
    event.path = line("path", draft.path.take(), MAX_URL_CHARS, errors);
    if let Some((text, page)) = page(draft.url.take(), &tools.addresses, errors) {
        (event.url, flight.page) = (Some(text), Some(page));
    }
    // What is no URL names no host and may hold anything: it counts as absent.
    event.referrer = referrer(draft.referrer.take(), errors);
    flight.referrer = event.referrer.as_deref().and_then(|text| tools.addresses.referrer(text));
    if flight.referrer.is_none() {
        event.referrer = None;
    }
    if let Some(properties) = draft.properties.as_ref().filter(|map| !map.is_empty()) {
        event.properties = properties_text(properties, errors);
    }
    context(draft.context.as_ref(), errors);
    match (draft.time_us, draft.timestamp.take()) {
        (Some(time_us), _) => event.time_us = time_us,
        (None, Some(text)) => match parse_instant(&text, &flight.arrival.zone) {
            Ok(time_us) => event.time_us = time_us,
            Err(error) => errors.add("timestamp", error.message()),
        },
        (None, None) => {}
    }
    if event.time_us < EARLIEST_US {
        errors.add("timestamp", "must not be before 2000-01-01T00:00:00Z");
    } else if event.time_us > event.received_us.saturating_add(MAX_AHEAD_US) {
        let now = format_utc(event.received_us);
        errors.add("timestamp", format!("must not be more than 24 hours ahead of the server's time, {now}"));
    }
    if flight.is_import() {
        known(flight);
    }
}

/// Checks a `user_id` that is required.
pub(crate) fn check_user_id(user_id: String, errors: &mut FieldErrors) -> Option<String> {
    id("user_id", Some(user_id), MAX_USER_ID_CHARS, errors)
}

/// A name or an id: 1 to `max` characters, none of them a control character. An empty id is refused rather than taken for
/// absent: it is the mark of a sender whose variable was not set, and would merge strangers into one visitor.
fn id(field: &str, text: Option<String>, max: usize, errors: &mut FieldErrors) -> Option<String> {
    let text = text?;
    if text.is_empty() {
        errors.add(field, "must have at least 1 character; leave the field out instead of sending it empty");
        return None;
    }
    checked(field, text, max, errors)
}

/// A line of text of at most `max` characters; empty means absent.
fn line(field: &str, text: Option<String>, max: usize, errors: &mut FieldErrors) -> Option<String> {
    checked(field, text.filter(|text| !text.is_empty())?, max, errors)
}

fn checked(field: &str, text: String, max: usize, errors: &mut FieldErrors) -> Option<String> {
    // Nearly every text is plain ASCII, which needs no decoding to be looked through.
    let is_plain = text.bytes().fold(true, |is_plain, byte| is_plain & matches!(byte, b' '..=b'~'));
    if !is_plain && let Some(control) = text.chars().find(|letter| letter.is_control()) {
        errors.add(field, format!("must not hold control characters, found U+{:04X}", u32::from(control)));
        return None;
    }
    fits(field, &text, max, errors).then_some(text)
}

fn fits(field: &str, text: &str, max: usize, errors: &mut FieldErrors) -> bool {
    // Bytes bound characters from above: most texts need no counting.
    let chars = if text.len() <= max { 0 } else { text.chars().count() };
    if chars > max {
        errors.add(field, format!("must have at most {max} characters, got {chars}"));
    }
    chars <= max
}

/// An absolute URL. Empty text is not one: it must not read as absent.
fn page(text: Option<String>, addresses: &Addresses, errors: &mut FieldErrors) -> Option<(String, Arc<Page>)> {
    let text = text?;
    if let Some(known) = addresses.find_page(&text) {
        return Some((text, known));
    }
    let text = checked("url", text, MAX_URL_CHARS, errors)?;
    match addresses.page(&text) {
        Ok(page) => Some((text, page)),
        Err(error) => {
            errors.add("url", format!("must be an absolute URL such as https://shop.example/pricing ({error})"));
            None
        }
    }
}

/// A referrer may be any text; only its length is refused. One with control characters is no URL.
fn referrer(text: Option<String>, errors: &mut FieldErrors) -> Option<String> {
    let text = text?;
    let is_clean = fits("referrer", &text, MAX_URL_CHARS, errors) && !text.contains(char::is_control);
    is_clean.then_some(text)
}

fn properties_text(properties: &Properties, errors: &mut FieldErrors) -> Option<String> {
    if is_deeper(properties.values(), MAX_PROPERTIES_DEPTH) {
        errors.add("properties", format!("must be nested at most {MAX_PROPERTIES_DEPTH} levels deep"));
        return None;
    }
    let text = properties.text();
    if text.len() > MAX_PROPERTIES_BYTES {
        errors.add("properties", format!("must be at most {MAX_PROPERTIES_BYTES} bytes as compact JSON"));
        return None;
    }
    Some(text.to_owned())
}

/// Whether an object or array with these values has more than `levels` levels. Stops at the bound.
fn is_deeper<'v>(mut values: impl Iterator<Item = &'v Value>, levels: usize) -> bool {
    levels == 0
        || values.any(|value| match value {
            Value::Array(items) => is_deeper(items.iter(), levels - 1),
            Value::Object(map) => is_deeper(map.values(), levels - 1),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        })
}

fn context(context: Option<&crate::draft::Context>, errors: &mut FieldErrors) {
    let Some(context) = context else { return };
    if context.ip.as_deref().is_some_and(|text| text.parse::<IpAddr>().is_err()) {
        errors.add("context.ip", "must be an IPv4 or IPv6 address such as 203.0.113.7");
    }
    if let Some(agent) = &context.user_agent {
        checked("context.user_agent", agent.clone(), MAX_USER_AGENT_CHARS, errors);
    }
}

fn trimmed(text: String) -> String {
    let is_bare = [text.as_bytes().first(), text.as_bytes().last()].into_iter().flatten().all(u8::is_ascii_graphic);
    if is_bare || text.trim().len() == text.len() { text } else { text.trim().to_owned() }
}

/// The fields only an import may set.
fn known(flight: &mut Flight<'_>) {
    let errors = &mut flight.errors;
    let draft = &mut flight.draft;
    for (field, value) in [
        ("source", &mut draft.source),
        ("medium", &mut draft.medium),
        ("campaign", &mut draft.campaign),
        ("device_type", &mut draft.device_type),
        ("browser", &mut draft.browser),
        ("os", &mut draft.os),
    ] {
        *value = line(field, value.take().map(trimmed), MAX_KNOWN_CHARS, errors);
    }
    draft.country = line("country", draft.country.take(), MAX_KNOWN_CHARS, errors).and_then(|text| {
        let code = crate::geo::country_code(&text);
        if code.is_none() {
            errors.add("country", "must be an ISO 3166-1 code of two letters, such as DE");
        }
        code
    });
    if let Some(amount) = &draft.amount {
        if let Err(error) = parse_micros(amount) {
            errors.add("amount", error.message());
        }
        match draft.currency.as_deref().map(str::parse::<Currency>) {
            Some(Ok(_)) => {}
            Some(Err(error)) => errors.add("currency", error.message()),
            None => errors.add("currency", "Required"),
        }
    }
}
