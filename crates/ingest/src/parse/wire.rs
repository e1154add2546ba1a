//! The documented request bodies, field by field. Unknown and server-owned fields are skipped.

use serde::Deserialize;
use serde::de::MapAccess;
use serde::de::value::MapAccessDeserializer;
use serde_json::{Map, Value};

use super::IDENTIFY_EVENT;
use super::given::{Accept, Given};
use super::properties::Properties;
use crate::draft::{Context, Draft};
use crate::fields::FieldErrors;
use crate::steps::{MAX_PROPERTIES_BYTES, MAX_PROPERTIES_DEPTH};

type Text = Given<String>;

/// `TrackEventInput`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct WireEvent {
    event: Text,
    event_id: Text,
    timestamp: Text,
    anonymous_id: Text,
    user_id: Text,
    session_id: Text,
    url: Text,
    path: Text,
    referrer: Text,
    properties: Given<Properties>,
    context: Given<WireContext>,
}

/// The body of `/v1/identify`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct WireIdentify {
    anonymous_id: Text,
    user_id: Text,
    traits: Given<Properties>,
    context: Given<WireContext>,
}

/// The body of `/v1/forget`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct WireForget {
    pub user_id: Text,
}

/// The visitor's own circumstances.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct WireContext {
    ip: Text,
    user_agent: Text,
}

impl WireEvent {
    /// What could be read; the rest is noted in `errors`.
    pub fn into_draft(self, errors: &mut FieldErrors) -> Draft {
        Draft {
            event: self.event.required("event", errors),
            event_id: text(self.event_id, "event_id", errors),
            timestamp: text(self.timestamp, "timestamp", errors),
            anonymous_id: text(self.anonymous_id, "anonymous_id", errors),
            user_id: text(self.user_id, "user_id", errors),
            session_id: text(self.session_id, "session_id", errors),
            url: text(self.url, "url", errors),
            path: text(self.path, "path", errors),
            referrer: text(self.referrer, "referrer", errors),
            properties: object(self.properties, "properties", errors).map(Into::into),
            context: context(self.context, errors),
            ..Draft::default()
        }
    }
}

impl WireIdentify {
    /// The draft of the event that records who a visitor is.
    pub fn into_draft(self, errors: &mut FieldErrors) -> Draft {
        Draft {
            event: Some(IDENTIFY_EVENT.to_owned()),
            anonymous_id: self.anonymous_id.required("anonymous_id", errors),
            user_id: self.user_id.required("user_id", errors),
            properties: object(self.traits, "traits", errors).map(Into::into),
            context: context(self.context, errors),
            ..Draft::default()
        }
    }
}

fn text(given: Text, field: &str, errors: &mut FieldErrors) -> Option<String> {
    given.optional(field, errors)
}

fn object(given: Given<Properties>, field: &str, errors: &mut FieldErrors) -> Option<Map<String, Value>> {
    match given.optional(field, errors)? {
        Properties::Read(map) => return Some(map),
        Properties::TooLarge => errors.add(field, format!("must be at most {MAX_PROPERTIES_BYTES} bytes as compact JSON")),
        Properties::TooDeep => errors.add(field, format!("must be nested at most {MAX_PROPERTIES_DEPTH} levels deep")),
    }
    None
}

fn context(given: Given<WireContext>, errors: &mut FieldErrors) -> Option<Context> {
    let wire = given.optional("context", errors)?;
    Some(Context { ip: text(wire.ip, "context.ip", errors), user_agent: text(wire.user_agent, "context.user_agent", errors) })
}

macro_rules! accept_object {
    ($($wire:ident)*) => {$(
        impl<'de: 'a, 'a> Accept<'de> for $wire{
            const NAME: &'static str = "an object";
            fn object<A: MapAccess<'de>>(map: A) -> Result<Option<Self>, A::Error> {
                Self::deserialize(MapAccessDeserializer::new(map)).map(Some)
            }
        }
    )*};
}

accept_object!(WireEvent WireIdentify WireForget WireContext);
