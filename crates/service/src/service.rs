//! What every use case stands on.

use std::sync::Arc;

use tributary_control::Control;
use tributary_core::clock::SharedClock;
use tributary_events::store::EventStore;
use tributary_ingest::pipeline::Pipeline;

use crate::rate::{Limiter, RateSettings};

/// Everything the use cases need. One per process.
pub struct Service {
    /// Accounts, workspaces, keys, audit, usage.
    pub control: Control,
    /// The event engine.
    pub events: Arc<dyn EventStore>,
    /// Bytes to checked, enriched, classified events.
    pub pipeline: Arc<Pipeline>,
    /// The time.
    pub clock: SharedClock,
    pub(crate) limiter: Limiter,
}

/// What an operator may set.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Settings {
    /// Rate limits of the ingest routes.
    pub rates: RateSettings,
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
        Self { control, events, pipeline, limiter: Limiter::new(settings.rates, clock.clone()), clock }
    }
}
