//! Taking events in: one, many, or the link between a visitor and a person.

use schemars::JsonSchema;
use serde::Serialize;
use tributary_boxed::boxed;
use tributary_control::WorkspaceAccess;
use tributary_core::error::{Error, Result};
use tributary_core::event::Event;
use tributary_events::store::{Appended, Outcome};
use tributary_ingest::arrival::Arrival;
use tributary_ingest::draft::Draft;

use crate::identity::note_people;
use crate::service::Service;

/// Batches from this size on are read on a thread of their own, bytes: the threads that serve connections would stand still
/// for milliseconds.
const ASIDE_FROM: usize = 32 * 1024;

/// What became of one event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TrackOutput {
    /// Always true.
    pub ok: bool,
    /// The sender's id of the event, `null` when none was sent.
    pub event_id: Option<String>,
    /// `accepted`, or `duplicate` when an event with this id was there already (the earlier one stays).
    pub status: SendStatus,
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum SendStatus {
    /// Stored.
    Accepted,
    /// Its id was there already.
    Duplicate,
}

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BatchOutput {
    /// Always true.
    pub ok: bool,
    /// Events in the batch.
    pub count: u64,
    /// Events stored.
    pub accepted: u64,
    /// Events whose id was there already.
    pub duplicates: u64,
}

/// What became of an identify call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct IdentifyOutput {
    /// Always true.
    pub ok: bool,
}

impl Service {
    /// Takes in the body of `POST /v1/track`.
    #[boxed]
    pub async fn track(&self, access: &WorkspaceAccess, body: &[u8], arrival: &Arrival) -> Result<TrackOutput> {
        let event = self.pipeline.track(body, arrival);
        self.take_one(access, event, arrival).await
    }

    /// Takes in one event described by an agent or an import: the same steps as `track`.
    #[boxed]
    pub async fn track_draft(&self, access: &WorkspaceAccess, draft: Draft, arrival: &Arrival) -> Result<TrackOutput> {
        let event = self.pipeline.event(draft, arrival);
        self.take_one(access, event, arrival).await
    }

    /// Takes in the body of `POST /v1/batch`: all of it or nothing.
    #[boxed]
    pub async fn track_batch(&self, access: &WorkspaceAccess, body: Vec<u8>, arrival: Arrival) -> Result<BatchOutput> {
        let received_us = arrival.received_us;
        let events = if body.len() < ASIDE_FROM {
            self.pipeline.batch(&body, &arrival)
        } else {
            let pipeline = self.pipeline.clone();
            let reading = tokio::task::spawn_blocking(move || pipeline.batch(&body, &arrival));
            reading.await.map_err(|error| Error::internal("reading the batch did not finish").caused_by(error))?
        };
        let appended = self.append(access, events, received_us).await?;
        Ok(BatchOutput {
            ok: true,
            count: appended.outcomes.len() as u64,
            accepted: appended.accepted() as u64,
            duplicates: appended.duplicates() as u64,
        })
    }

    /// Takes in the body of `POST /v1/identify`: one `$identify` event, and the visitor tied to the person's contact.
    #[boxed]
    pub async fn identify(&self, access: &WorkspaceAccess, body: &[u8], arrival: &Arrival) -> Result<IdentifyOutput> {
        let event = self.pipeline.identify(body, arrival);
        self.take_one(access, event, arrival).await?;
        Ok(IdentifyOutput { ok: true })
    }

    async fn take_one(&self, access: &WorkspaceAccess, event: Result<Event>, arrival: &Arrival) -> Result<TrackOutput> {
        let event_id = event.as_ref().ok().and_then(|event| event.event_id.clone());
        let appended = self.append(access, event.map(|event| vec![event]), arrival.received_us).await?;
        let status = match appended.outcomes.as_slice() {
            [Outcome::Accepted] => SendStatus::Accepted,
            [Outcome::Duplicate] => SendStatus::Duplicate,
            _ => return Err(Error::internal("the event store did not say what became of the event")),
        };
        Ok(TrackOutput { ok: true, event_id, status })
    }

    pub(crate) async fn append(
        &self,
        access: &WorkspaceAccess,
        events: Result<Vec<Event>>,
        received_us: i64,
    ) -> Result<Appended> {
        let workspace = access.workspace.id;
        let events = events.inspect_err(|error| self.note_refused(workspace, error))?;
        // Before the append: a sender who hears of a failure sends again, and an event without an id would count twice.
        note_people(&self.control, &access.scope, &events).await?;
        let appended = self.events.append(&access.scope, events).await?;
        if appended.accepted() > 0 {
            self.control.note_accepted(workspace, appended.accepted() as u64, received_us);
        }
        Ok(appended)
    }
}
