//! How a request reached us: the facts about an event that its sender does not write into the body.

use std::net::IpAddr;

use jiff::tz::TimeZone;
use tributary_core::event::Origin;

/// Which door an event came through. Decides its [`Origin`], and whose address and User-Agent the request carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    /// A publishable key: the request is the visitor's own.
    Publishable,
    /// A secret key: the request is a server's; the visitor's address and agent come in `context`, if at all.
    Secret,
    /// `track_event` over MCP: the request is an agent's.
    Mcp,
    /// An operator's import: the row is the visitor's own, and may carry fields that are otherwise derived.
    Import,
}

impl Channel {
    /// The origin stored with the event.
    pub fn origin(self) -> Origin {
        match self {
            Channel::Publishable => Origin::Browser,
            Channel::Secret | Channel::Mcp | Channel::Import => Origin::Server,
        }
    }
}

/// The circumstances of one request (or of one imported row).
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The door.
    pub channel: Channel,
    /// When it arrived, microseconds since the epoch, UTC.
    pub received_us: i64,
    /// The workspace's zone: what a timestamp without offset means.
    pub zone: TimeZone,
    /// Host of the `Origin` header, without scheme and port.
    pub origin_host: Option<String>,
    /// Host the request was sent to, without port.
    pub request_host: Option<String>,
    /// Address of the other end, after configured proxies.
    pub address: Option<IpAddr>,
    /// The request's User-Agent.
    pub user_agent: Option<String>,
    /// Country code set by a configured proxy.
    pub country_hint: Option<String>,
}

impl Arrival {
    /// An arrival of which nothing is known but door, time and zone.
    pub fn new(channel: Channel, received_us: i64, zone: TimeZone) -> Self {
        Self {
            channel,
            received_us,
            zone,
            origin_host: None,
            request_host: None,
            address: None,
            user_agent: None,
            country_hint: None,
        }
    }
}
