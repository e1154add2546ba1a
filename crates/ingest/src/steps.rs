//! What happens to an event between its sender's words and the store: one ordered list.

mod amount;
mod bot;
mod classify;
mod device;
mod geo;
mod limits;
mod origin;
mod personal;
mod privacy;
mod session;

use std::net::IpAddr;
use std::sync::Arc;

use crate::address::{Page, Referrer};
use crate::agents::Agent;
use crate::arrival::{Arrival, Channel};
use crate::draft::Draft;
use crate::fields::FieldErrors;
use crate::parse::Parsed;
use crate::pipeline::Tools;
use tributary_core::event::{Confidence, Event};

pub(crate) use limits::check_user_id;
pub use limits::{
    EARLIEST_US, MAX_AHEAD_US, MAX_ID_CHARS, MAX_KNOWN_CHARS, MAX_PROPERTIES_BYTES, MAX_PROPERTIES_DEPTH, MAX_URL_CHARS,
    MAX_USER_AGENT_CHARS, MAX_USER_ID_CHARS,
};
pub(crate) use privacy::{Fragment, clean};

/// One step on an event's way.
pub struct Step {
    /// Its name, as docs and logs call it.
    pub name: &'static str,
    /// What it does.
    pub purpose: &'static str,
    pub(crate) run: fn(&Tools, &mut Flight<'_>),
}

/// Every step, in order. Only `limits` refuses; every later step can rely on what it checked.
///
/// The order matters in three places: `origin` decides whose agent and address `bot`, `geo`, `device` and `privacy` may
/// look at; `privacy` cleans the addresses before `classify` reads them, so that classifying a stored event again gives
/// the same result; and `privacy` comes after everything that needs the raw address and agent, which end there.
pub const STEPS: &[Step] = &[
    Step { name: "limits", purpose: "checks every field against its bound and reads the time", run: limits::run },
    Step { name: "origin", purpose: "tells browser from server, and whose agent and address these are", run: origin::run },
    Step { name: "bot", purpose: "labels the visitor's agent when a bot rule matches it", run: bot::run },
    Step { name: "geo", purpose: "finds the country of the visitor's address", run: geo::run },
    Step { name: "device", purpose: "reads browser, system and device type from the visitor's agent", run: device::run },
    Step {
        name: "session",
        purpose: "makes up a visitor where none is named, the same for the same user, keeps a named session",
        run: session::run,
    },
    Step { name: "amount", purpose: "reads a typed amount of money", run: amount::run },
    Step { name: "privacy", purpose: "hashes the address, strips personal data from URLs, drops the rest", run: privacy::run },
    Step { name: "classify", purpose: "decides source, medium and campaign", run: classify::run },
];

/// An event on its way through the steps.
pub(crate) struct Flight<'a> {
    pub(crate) arrival: &'a Arrival,
    /// What the sender said; steps take from it.
    pub(crate) draft: Draft,
    pub(crate) errors: FieldErrors,
    /// The page, read by `limits`, stored without personal data by `privacy`.
    pub(crate) page: Option<Arc<Page>>,
    /// The linking page, if it is a URL with a host.
    pub(crate) referrer: Option<Arc<Referrer>>,
    /// The visitor's own address, set by `origin`, taken by `privacy`.
    pub(crate) address: Option<IpAddr>,
    /// The visitor's own agent, set by `origin`, taken by `privacy`.
    pub(crate) user_agent: Option<String>,
    /// What the agent says, read by `bot`.
    pub(crate) agent: Option<Arc<Agent>>,
    /// What has been decided so far.
    pub(crate) event: Event,
}

/// The text in lower case; most texts stay where they are.
fn lower_case(mut text: String) -> String {
    if !text.is_ascii() {
        return text.to_lowercase();
    }
    text.make_ascii_lowercase();
    text
}

impl<'a> Flight<'a> {
    pub(crate) fn new(parsed: Parsed, arrival: &'a Arrival) -> Self {
        let event = Event {
            name: String::new(),
            time_us: arrival.received_us,
            received_us: arrival.received_us,
            anonymous_id: String::new(),
            user_id: None,
            session: None,
            event_id: None,
            origin: arrival.channel.origin(),
            url: None,
            path: None,
            referrer: None,
            source: String::new(),
            medium: String::new(),
            campaign: None,
            source_confidence: Confidence::Low,
            source_rule_id: String::new(),
            country: None,
            device_type: None,
            browser: None,
            os: None,
            ip_hash: None,
            bot: None,
            amount: None,
            properties: None,
        };
        Self {
            arrival,
            draft: parsed.draft,
            errors: parsed.errors,
            page: None,
            referrer: None,
            address: None,
            user_agent: None,
            agent: None,
            event,
        }
    }

    /// Host of the visitor's own site: the page's, or where that has none the request's.
    fn own_host(&self) -> Option<&str> {
        let arrival = self.arrival;
        let page = self.page.as_ref().and_then(|page| page.host.as_deref());
        page.or(arrival.origin_host.as_deref()).or(arrival.request_host.as_deref())
    }

    /// Whether fields that are otherwise derived may be given.
    fn is_import(&self) -> bool {
        self.arrival.channel == Channel::Import
    }
}
