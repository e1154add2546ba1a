//! JSON bodies into [`Draft`]s, in one pass, with every wrong type reported at its field.

mod given;
mod properties;
mod wire;

use serde::Deserialize;
use serde::de::{self, MapAccess, SeqAccess};
use tributary_core::error::{Error, Result};

use crate::body::{MAX_BATCH_BODY, MAX_FORGET_BODY, MAX_IDENTIFY_BODY, MAX_TRACK_BODY, check_size};
use crate::draft::Draft;
use crate::fields::{FieldErrors, WHOLE, body_error};
use given::{Accept, Given};
use wire::{WireEvent, WireForget, WireIdentify};

/// Most events one batch may carry.
pub const MAX_BATCH_EVENTS: usize = 1_000;
/// Name of the event that `POST /v1/identify` writes.
pub const IDENTIFY_EVENT: &str = "$identify";

/// A draft with the faults found while reading it. The steps add theirs, so that a caller sees all at once.
#[derive(Debug)]
pub struct Parsed {
    /// What could be read.
    pub draft: Draft,
    /// Fields of a wrong type.
    pub errors: FieldErrors,
}

/// Reads the body of `POST /v1/track`.
pub fn track(body: &[u8]) -> Result<Parsed> {
    check_size(body, MAX_TRACK_BODY)?;
    let mut errors = FieldErrors::default();
    let draft = object::<WireEvent>(body)?.into_draft(&mut errors);
    Ok(Parsed { draft, errors })
}

/// Reads the body of `POST /v1/batch`: one [`Parsed`] per element of `events`, in order, and at least one.
pub fn batch(body: &[u8]) -> Result<Vec<Parsed>> {
    check_size(body, MAX_BATCH_BODY)?;
    let wire: WireBatch = object(body)?;
    let mut errors = FieldErrors::default();
    let Some(events) = wire.events.required("events", &mut errors) else {
        return Err(errors.into_error());
    };
    if events.count == 0 || events.count > MAX_BATCH_EVENTS {
        errors.add("events", format!("must hold 1 to {MAX_BATCH_EVENTS} events, got {}", events.count));
        return Err(errors.into_error());
    }
    Ok(events.items.into_iter().map(element).collect())
}

/// One element of a batch. What is no object is a fault of the element as a whole.
fn element(given: Given<WireEvent>) -> Parsed {
    let mut errors = FieldErrors::default();
    let kind = match given {
        Given::Value(wire) => return Parsed { draft: wire.into_draft(&mut errors), errors },
        Given::Absent => "null",
        Given::Wrong(kind) => kind,
    };
    errors.add(WHOLE, format!("must be an object, got {kind}"));
    Parsed { draft: Draft::default(), errors }
}

/// Reads the body of `POST /v1/identify` as the draft of an [`IDENTIFY_EVENT`], traits as its properties.
pub fn identify(body: &[u8]) -> Result<Parsed> {
    check_size(body, MAX_IDENTIFY_BODY)?;
    let mut errors = FieldErrors::default();
    let draft = object::<WireIdentify>(body)?.into_draft(&mut errors);
    Ok(Parsed { draft, errors })
}

/// Reads the body of `POST /v1/forget`: the `user_id`, unchecked.
pub fn forget(body: &[u8]) -> Result<String> {
    check_size(body, MAX_FORGET_BODY)?;
    let mut errors = FieldErrors::default();
    let wire: WireForget = object(body)?;
    let user_id = wire.user_id.required("user_id", &mut errors);
    user_id.ok_or_else(|| errors.into_error())
}

fn object<'de, T: Accept<'de>>(body: &'de [u8]) -> Result<T> {
    match serde_json::from_slice::<Given<T>>(body) {
        Ok(Given::Value(value)) => Ok(value),
        Ok(Given::Absent) => Err(body_error("the body must be a JSON object, got null")),
        Ok(Given::Wrong(kind)) => Err(body_error(format!("the body must be a JSON object, got {kind}"))),
        Err(error) => Err(syntax(error)),
    }
}

/// What serde_json says is about the text, not from it: it names a position and what was expected there.
fn syntax(error: serde_json::Error) -> Error {
    if error.is_eof() && error.line() <= 1 && error.column() == 0 {
        return body_error("the body must be a JSON object, got nothing");
    }
    body_error(format!("the body is not valid JSON: {error}"))
}

#[derive(Deserialize)]
struct WireBatch {
    #[serde(default)]
    events: Given<Events>,
}

impl<'de> Accept<'de> for WireBatch {
    const NAME: &'static str = "an object";
    fn object<A: MapAccess<'de>>(map: A) -> Result<Option<Self>, A::Error> {
        Self::deserialize(de::value::MapAccessDeserializer::new(map)).map(Some)
    }
}

/// The elements of a batch, of which no more are kept than a batch may hold.
struct Events {
    items: Vec<Given<WireEvent>>,
    count: usize,
}

impl<'de> Accept<'de> for Events {
    const NAME: &'static str = "an array";
    fn array<A: SeqAccess<'de>>(mut seq: A) -> Result<Option<Self>, A::Error> {
        let mut events = Events { items: Vec::new(), count: 0 };
        while events.count < MAX_BATCH_EVENTS {
            let Some(item) = seq.next_element()? else {
                return Ok(Some(events));
            };
            events.items.push(item);
            events.count += 1;
        }
        while seq.next_element::<de::IgnoredAny>()?.is_some() {
            events.count += 1;
        }
        Ok(Some(events))
    }
}
