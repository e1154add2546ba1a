//! Importing: rows with facts of their own, each accepted, known already, or refused by itself.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tributary_boxed::boxed;
use tributary_control::{Control, WorkspaceAccess};
use tributary_core::clock::SharedClock;
use tributary_core::error::{Code, Error, Result};
use tributary_core::event::Event;
use tributary_core::scope::WorkspaceScope;
use tributary_events::store::{EventStore, Outcome};
use tributary_ingest::arrival::{Arrival, Channel};
use tributary_ingest::fields::body_error;
use tributary_ingest::imported::ImportedRow;
use tributary_ingest::pipeline::Pipeline;

use crate::identity::note_people;
use crate::service::Service;

/// Most rows of one request.
pub const MAX_IMPORT_ROWS: usize = 1_000;

/// Rows to import.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ImportInput {
    /// Host of the site the rows are from, where known: tells its own pages from others' among the referrers.
    #[serde(default)]
    pub site_host: Option<String>,
    /// The rows.
    pub rows: Vec<ImportedRow>,
}

/// What became of the rows of one request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImportOutput {
    /// Always true.
    pub ok: bool,
    /// One per row, in order.
    pub outcomes: Vec<RowFate>,
}

/// What became of an imported row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum RowFate {
    /// Stored.
    Accepted,
    /// Its `event_id` was there already.
    Duplicate,
    /// Not stored, and why.
    Rejected(String),
}

impl Service {
    /// Takes in the body of `POST /v1/import`: every row by itself. Only secret keys get here: what a row says of source,
    /// country, bot or amount is believed.
    #[boxed]
    pub async fn import(&self, access: &WorkspaceAccess, body: &[u8]) -> Result<ImportOutput> {
        let input: ImportInput =
            serde_json::from_slice(body).map_err(|error| body_error(format!("the body is not accepted: {error}")))?;
        if !(1..=MAX_IMPORT_ROWS).contains(&input.rows.len()) {
            return Err(body_error(format!("rows must hold 1 to {MAX_IMPORT_ROWS} rows, got {}", input.rows.len())));
        }
        let importer = Importer {
            events: self.events.clone(),
            contacts: Some(self.control.clone()),
            scope: access.scope.clone(),
            pipeline: self.pipeline.clone(),
            zone: access.workspace.zone.clone(),
            clock: self.clock.clone(),
            site_host: input.site_host,
        };
        let (preparing, rows) = (importer.clone(), input.rows);
        let prepared = tokio::task::spawn_blocking(move || preparing.prepare(rows)).await;
        let prepared = prepared.map_err(|error| Error::internal("reading the rows did not finish").caused_by(error))?;
        let outcomes = importer.store(prepared, Duration::ZERO).await?;
        let count = |wanted: fn(&RowFate) -> bool| outcomes.iter().filter(|fate| wanted(fate)).count() as u64;
        let (accepted, rejected) = (count(|fate| *fate == RowFate::Accepted), count(|fate| matches!(fate, RowFate::Rejected(_))));
        if accepted > 0 {
            self.control.note_accepted(access.workspace.id, accepted, self.clock.now_us());
        }
        if rejected > 0 {
            self.control.note_rejected(access.workspace.id, Code::InvalidPayload.as_str(), rejected);
        }
        Ok(ImportOutput { ok: true, outcomes })
    }
}

/// Takes rows into one workspace.
#[derive(Clone)]
pub struct Importer {
    /// The store.
    pub events: Arc<dyn EventStore>,
    /// Where the people are noted that rows name; `None` keeps events alone.
    pub contacts: Option<Control>,
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

/// How long an operator's import waits for a full queue before it gives up. A request from outside does not wait: its sender
/// is told when to come back.
pub const PATIENCE: Duration = Duration::from_secs(60);

impl Importer {
    /// Takes rows through the pipeline: the heavy part, off the async threads.
    pub fn prepare(&self, rows: Vec<ImportedRow>) -> Prepared {
        let mut arrival = Arrival::new(Channel::Import, self.clock.now_us(), self.zone.clone());
        arrival.origin_host.clone_from(&self.site_host);
        let mut prepared = Prepared { events: Vec::with_capacity(rows.len()), fates: Vec::with_capacity(rows.len()) };
        for row in rows {
            match self.pipeline.imported(row, &arrival) {
                Ok(event) => {
                    prepared.events.push(event);
                    prepared.fates.push(RowFate::Accepted);
                }
                Err(error) => prepared.fates.push(RowFate::Rejected(error.message().to_owned())),
            }
        }
        prepared
    }

    /// Stores what was prepared: all of it, or nothing with `Overloaded` when the store's queue stays full for `patience`.
    #[boxed]
    pub async fn store(&self, prepared: Prepared, patience: Duration) -> Result<Vec<RowFate>> {
        let Prepared { events, mut fates } = prepared;
        if events.is_empty() {
            return Ok(fates);
        }
        if let Some(contacts) = &self.contacts {
            note_people(contacts, &self.scope, &events).await?;
        }
        let appended = self.events.append_patiently(&self.scope, events, patience).await?;
        let mut outcomes = appended.outcomes.into_iter();
        for fate in fates.iter_mut().filter(|fate| **fate == RowFate::Accepted) {
            let outcome = outcomes.next().ok_or_else(|| Error::internal("the store told the outcome of too few events"))?;
            if outcome == Outcome::Duplicate {
                *fate = RowFate::Duplicate;
            }
        }
        Ok(fates)
    }
}

/// Rows that have passed the pipeline.
pub struct Prepared {
    events: Vec<Event>,
    /// One per row; those accepted so far have an event, in order.
    fates: Vec<RowFate>,
}
