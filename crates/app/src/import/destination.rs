//! Where imported rows go: a store of this process, or a server elsewhere.

use std::sync::Arc;

use jiff::tz::TimeZone;
use tributary_core::clock::SharedClock;
use tributary_core::error::{Code, Error, Result};
use tributary_core::scope::WorkspaceScope;
use tributary_events::store::{EventStore, Outcome};
use tributary_http::admin::RowFate as Fate;
use tributary_ingest::arrival::{Arrival, Channel};
use tributary_ingest::imported::ImportedRow;
use tributary_ingest::pipeline::Pipeline;

use crate::import::remote::Remote;
use crate::import::served::Served;

/// Where imported rows go.
#[derive(Clone)]
pub enum Destination {
    /// A workspace of a store this process holds.
    Store(Local),
    /// A workspace of the server that owns the data folder.
    Owner(Served),
    /// A workspace of a running server elsewhere.
    Server(Remote),
}

/// A workspace of a store this process holds.
#[derive(Clone)]
pub struct Local {
    /// The store.
    pub events: Arc<dyn EventStore>,
    /// The right to the workspace's data.
    pub scope: WorkspaceScope,
    /// The steps every event takes.
    pub pipeline: Arc<Pipeline>,
    /// The workspace's zone.
    pub zone: TimeZone,
    /// The time of arrival.
    pub clock: SharedClock,
    /// Host of the site the rows are from, where known.
    pub site_host: Option<String>,
}

/// How often a full queue is waited for before an import gives up.
const MAX_WAITS: u32 = 600;
/// How long each wait is, milliseconds.
const WAIT_MS: u64 = 100;

impl Local {
    /// Takes rows through the pipeline: the heavy part, off the async threads.
    pub fn prepare(&self, rows: Vec<ImportedRow>) -> Prepared {
        let mut arrival = Arrival::new(Channel::Import, self.clock.now_us(), self.zone.clone());
        arrival.origin_host.clone_from(&self.site_host);
        let mut prepared = Prepared { events: Vec::with_capacity(rows.len()), fates: Vec::with_capacity(rows.len()) };
        for row in rows {
            match self.pipeline.imported(row, &arrival) {
                Ok(event) => {
                    prepared.events.push(event);
                    prepared.fates.push(Fate::Accepted);
                }
                Err(error) => prepared.fates.push(Fate::Rejected(error.message().to_owned())),
            }
        }
        prepared
    }

    /// Stores what was prepared. Waits while the store's queue is full.
    pub async fn store(&self, prepared: Prepared) -> Result<Vec<Fate>> {
        let Prepared { events, mut fates } = prepared;
        if events.is_empty() {
            return Ok(fates);
        }
        let mut waits = 0;
        let appended = loop {
            match self.events.append(&self.scope, events.clone()).await {
                Err(error) if error.code() == Code::Overloaded && waits < MAX_WAITS => {
                    waits += 1;
                    tokio::time::sleep(std::time::Duration::from_millis(WAIT_MS)).await;
                }
                other => break other?,
            }
        };
        let mut outcomes = appended.outcomes.into_iter();
        for fate in fates.iter_mut().filter(|fate| **fate == Fate::Accepted) {
            let outcome = outcomes.next().ok_or_else(|| Error::internal("the store told the outcome of too few events"))?;
            if outcome == Outcome::Duplicate {
                *fate = Fate::Duplicate;
            }
        }
        Ok(fates)
    }
}

/// Rows that have passed the pipeline.
pub struct Prepared {
    events: Vec<tributary_core::event::Event>,
    /// One per row; those accepted so far have an event, in order.
    fates: Vec<Fate>,
}
