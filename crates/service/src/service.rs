//! What every use case stands on.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Notify;
use tributary_control::Control;
use tributary_core::clock::SharedClock;
use tributary_events::question::Budget;
use tributary_events::store::EventStore;
use tributary_ingest::pipeline::Pipeline;

use crate::identity::KnownPeople;
use crate::rate::{Limiter, RateSettings};

/// Everything the use cases need. One per process.
pub struct Service {
    /// Accounts, workspaces, keys, audit, usage.
    pub control: Control,
    /// The event engine, its questions bounded ([`crate::bounded::BoundedStore`]).
    pub events: Arc<dyn EventStore>,
    /// Bytes to checked, enriched, classified events.
    pub pipeline: Arc<Pipeline>,
    /// The time.
    pub clock: SharedClock,
    pub(crate) limiter: Limiter,
    pub(crate) known_people: KnownPeople,
    pub(crate) budget: Budget,
    pub(crate) exports_folder: Option<PathBuf>,
    /// Told of every export that is queued.
    pub(crate) export_queued: Notify,
}

/// What an operator may set.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Rate limits of the ingest routes.
    pub rates: RateSettings,
    /// How much work one question may cause.
    pub budget: Budget,
    /// Where files of exports are kept; without it there are none.
    pub exports_folder: Option<PathBuf>,
}

impl Default for Settings {
    /// The documented rates, and the budget for people and agents who wait.
    fn default() -> Self {
        Self { rates: RateSettings::default(), budget: Budget::INTERACTIVE, exports_folder: None }
    }
}

impl Service {
    /// Puts the parts together.
    pub fn new(
        control: Control,
        events: Arc<dyn EventStore>,
        pipeline: Arc<Pipeline>,
        clock: SharedClock,
        settings: Settings,
    ) -> Self {
        let limiter = Limiter::new(settings.rates, clock.clone());
        Self {
            control,
            events,
            pipeline,
            limiter,
            known_people: KnownPeople::default(),
            budget: settings.budget,
            exports_folder: settings.exports_folder,
            export_queued: Notify::new(),
            clock,
        }
    }
}
