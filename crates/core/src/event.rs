//! An event as it is stored: checked, enriched, classified.

use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use crate::money::Money;
use crate::time::SECOND_US;

/// Length of the clock bucket behind a derived session id, seconds (Millimetric's documented rule).
pub const SESSION_BUCKET_S: i64 = 1_800;

/// Where an event came in. An `event_id` is unique per workspace **and** origin, so that a public key cannot squat the
/// ids of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// Sent with a publishable key.
    Browser,
    /// Sent with a secret key, over MCP, or imported by an operator.
    Server,
}

impl Origin {
    /// The stored name.
    pub fn as_str(self) -> &'static str {
        match self {
            Origin::Browser => "browser",
            Origin::Server => "server",
        }
    }
}

/// How sure the classifier is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// An unknown referrer.
    Low,
    /// A good guess.
    Medium,
    /// Explicit evidence.
    High,
}

impl Confidence {
    /// The stored name.
    pub fn as_str(self) -> &'static str {
        match self {
            Confidence::Low => "low",
            Confidence::Medium => "medium",
            Confidence::High => "high",
        }
    }
}

/// A stored event. Optional text is `None`, never empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// What happened (1 to 128 characters).
    pub name: String,
    /// When it happened, microseconds since the epoch, UTC.
    pub time_us: i64,
    /// When it arrived here, microseconds since the epoch, UTC. Not part of the event's identity.
    pub received_us: i64,
    /// The visitor (1 to 128 characters).
    pub anonymous_id: String,
    /// The signed-in person, as the caller names them (1 to 256 characters).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The session the caller named; `None` means the derived one, see [`Event::session_id`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The caller's id of this event: counts once per workspace and origin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// Where it came in.
    pub origin: Origin,
    /// The page's address, without parameters that look like personal data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The page's path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The page that linked here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referrer: Option<String>,
    /// Classified source, such as `google` or `direct`.
    pub source: String,
    /// Classified medium, such as `paid`, `organic`, `referral`.
    pub medium: String,
    /// `utm_campaign`, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign: Option<String>,
    /// How sure the classifier is.
    pub source_confidence: Confidence,
    /// The classifier rule that fired.
    pub source_rule_id: String,
    /// ISO 3166-1 alpha-2 country.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// `mobile`, `tablet` or `desktop`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_type: Option<String>,
    /// `chrome`, `firefox`, `safari`, `edge`, `opera`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser: Option<String>,
    /// `windows`, `macos`, `android`, `ios`, `linux`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os: Option<String>,
    /// Keyed hash of the address, with a key that changes every UTC day. Never leaves the store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_hash: Option<String>,
    /// Why this is taken for a bot, with the rule set's version: `isbot:googlebot@5.2.3`. `None` for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bot: Option<String>,
    /// A typed amount, exact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// The caller's properties as JSON object text; `None` means `{}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub properties: Option<String>,
}

impl Event {
    /// The session this event belongs to: the caller's, or `{anonymous_id}-{floor(unix_seconds / 1800)}`.
    pub fn session_id(&self) -> String {
        match &self.session {
            Some(session) => session.clone(),
            None => derived_session_id(&self.anonymous_id, self.time_us),
        }
    }

    /// A hash of everything but the time of arrival. Stable across processes and machines.
    pub fn content_hash(&self) -> u64 {
        let mut hasher = SipHasher13::new();
        (&self.name, self.time_us, &self.anonymous_id, &self.user_id, &self.session, &self.event_id).hash(&mut hasher);
        (self.origin, &self.url, &self.path, &self.referrer, &self.source, &self.medium, &self.campaign).hash(&mut hasher);
        (self.source_confidence, &self.source_rule_id, &self.country, &self.device_type, &self.browser).hash(&mut hasher);
        (&self.os, &self.ip_hash, &self.bot, &self.amount, &self.properties).hash(&mut hasher);
        hasher.finish()
    }

    /// The total order of events: time, then `event_id`, then content. Never arrival, so that every engine and every
    /// order of ingestion agrees on what came first.
    pub fn order(&self, other: &Event) -> Ordering {
        self.time_us
            .cmp(&other.time_us)
            .then_with(|| self.event_id.cmp(&other.event_id))
            .then_with(|| self.content_hash().cmp(&other.content_hash()))
    }
}

/// The documented session rule: a fixed half-hour clock bucket of the event's own time.
pub fn derived_session_id(anonymous_id: &str, time_us: i64) -> String {
    format!("{anonymous_id}-{}", time_us.div_euclid(SESSION_BUCKET_S * SECOND_US))
}
