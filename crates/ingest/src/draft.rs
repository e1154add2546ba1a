//! An event as its sender describes it, before anything is checked.

use serde::{Deserialize, Serialize};

use crate::properties::Properties;

/// What a sender says about one event. Every door fills one; [`crate::steps::STEPS`] checks and enriches it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Draft {
    /// What happened, 1 to 128 characters. Required.
    pub event: Option<String>,
    /// The sender's id, 1 to 128 characters: counts once.
    pub event_id: Option<String>,
    /// ISO 8601; without offset it is read in the workspace's zone. Absent: time of arrival.
    pub timestamp: Option<String>,
    /// An instant known already, microseconds; wins over `timestamp`. Not readable from JSON.
    #[serde(skip)]
    pub time_us: Option<i64>,
    /// The visitor, 1 to 128 characters. Absent: a fresh one is made up.
    pub anonymous_id: Option<String>,
    /// The signed-in person, 1 to 256 characters.
    pub user_id: Option<String>,
    /// The session, 1 to 128 characters. Absent: derived from visitor and time.
    pub session_id: Option<String>,
    /// The page's address, an absolute URL of at most 2048 characters.
    pub url: Option<String>,
    /// The page's path, at most 2048 characters. Absent: the URL's.
    pub path: Option<String>,
    /// The linking page, at most 2048 characters. What is no URL with a host counts as absent.
    pub referrer: Option<String>,
    /// Free-form facts, at most 8192 bytes as compact JSON and 32 levels deep.
    pub properties: Option<Properties>,
    /// The visitor's own circumstances, when the request is not the visitor's.
    pub context: Option<Context>,

    /// Known source. Read from imports only, like everything below.
    pub source: Option<String>,
    /// Known medium.
    pub medium: Option<String>,
    /// Known campaign.
    pub campaign: Option<String>,
    /// Known country, two letters.
    pub country: Option<String>,
    /// Known device type.
    pub device_type: Option<String>,
    /// Known browser.
    pub browser: Option<String>,
    /// Known operating system.
    pub os: Option<String>,
    /// Known amount, a decimal number; needs `currency`.
    pub amount: Option<String>,
    /// Currency of the amount, ISO 4217.
    pub currency: Option<String>,
}

/// The visitor's own circumstances, as a server passes them on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Context {
    /// The visitor's address, IPv4 or IPv6.
    pub ip: Option<String>,
    /// The visitor's User-Agent, at most 2048 characters.
    pub user_agent: Option<String>,
}
