//! The pipeline: tables loaded once, one method per way in.

use std::path::PathBuf;

use tributary_core::entropy::SharedEntropy;
use tributary_core::error::Result;
use tributary_core::event::Event;

use crate::address::Addresses;
use crate::agents::Agents;
use crate::arrival::Arrival;
use crate::draft::Draft;
use crate::fields::FieldErrors;
use crate::geo::Countries;
use crate::parse::{self, Parsed};
use crate::steps::{self, Flight, STEPS};

/// What the pipeline needs from configuration.
#[derive(Clone)]
pub struct Settings {
    /// Key of the daily address hash. Without it hashes cannot be tried out against the 2^32 addresses there are.
    pub ip_salt: [u8; 32],
    /// A MaxMind-format file with countries. Without one, countries come from proxies only.
    pub geo_database: Option<PathBuf>,
}

/// Turns bytes and drafts into events. Cheap to share behind an `Arc`; holds no state of its own but caches.
pub struct Pipeline {
    tools: Tools,
}

/// What the steps consult.
pub(crate) struct Tools {
    pub(crate) agents: Agents,
    pub(crate) addresses: Addresses,
    pub(crate) countries: Option<Countries>,
    pub(crate) ip_salt: [u8; 32],
    pub(crate) entropy: SharedEntropy,
}

impl Pipeline {
    /// Opens the data files. Fails with `Internal` when the configured geo database cannot be read. The User-Agent tables
    /// are compiled at their first use, or by [`Pipeline::warm`].
    pub fn open(settings: Settings, entropy: SharedEntropy) -> Result<Self> {
        let countries = settings.geo_database.as_deref().map(Countries::open).transpose()?;
        Ok(Self {
            tools: Tools { agents: Agents::new(), addresses: Addresses::new(), countries, ip_salt: settings.ip_salt, entropy },
        })
    }

    /// Compiles the User-Agent tables now, so that the first visitor does not wait for them.
    pub fn warm(&self) {
        self.tools.agents.warm();
    }

    /// Reads the body of `POST /v1/track`. `InvalidPayload` names every field at fault.
    pub fn track(&self, body: &[u8], cx: &Arrival) -> Result<Event> {
        self.run(parse::track(body)?, cx).map_err(FieldErrors::into_error)
    }

    /// Reads the body of `POST /v1/batch`: every event, in order, or none.
    pub fn batch(&self, body: &[u8], cx: &Arrival) -> Result<Vec<Event>> {
        let parsed = parse::batch(body)?;
        let mut events = Vec::with_capacity(parsed.len());
        let mut errors = FieldErrors::default();
        for (index, parsed) in parsed.into_iter().enumerate() {
            match self.run(parsed, cx) {
                Ok(event) => events.push(event),
                Err(own) => errors.absorb(&format!("events.{index}"), own),
            }
        }
        if errors.is_empty() { Ok(events) } else { Err(errors.into_error()) }
    }

    /// Reads the body of `POST /v1/identify`: the `$identify` event, its properties the traits.
    pub fn identify(&self, body: &[u8], cx: &Arrival) -> Result<Event> {
        self.run(parse::identify(body)?, cx).map_err(|errors| errors.renamed("properties", "traits").into_error())
    }

    /// Reads the body of `POST /v1/forget`: the `user_id` to forget.
    pub fn forget(&self, body: &[u8]) -> Result<String> {
        let user_id = parse::forget(body)?;
        let mut errors = FieldErrors::default();
        let checked = steps::check_user_id(user_id, &mut errors);
        checked.ok_or_else(|| errors.into_error())
    }

    /// Takes a draft made elsewhere (`track_event` over MCP, an imported row) through the same steps.
    pub fn event(&self, draft: Draft, cx: &Arrival) -> Result<Event> {
        self.run(Parsed { draft, errors: FieldErrors::default() }, cx).map_err(FieldErrors::into_error)
    }

    fn run(&self, parsed: Parsed, cx: &Arrival) -> Result<Event, FieldErrors> {
        let mut flight = Flight::new(parsed, cx);
        for step in STEPS {
            (step.run)(&self.tools, &mut flight);
            if !flight.errors.is_empty() {
                return Err(flight.errors);
            }
        }
        Ok(flight.event)
    }
}
