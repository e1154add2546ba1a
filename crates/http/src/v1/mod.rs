//! The REST routes, one file each.

pub mod batch;
pub mod forget;
pub mod identify;
pub mod import;
pub mod spend;
pub mod track;

pub mod query;
pub mod sources;
pub mod stats;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::request::Parts;
use tributary_control::{Caller, WorkspaceAccess};
use tributary_core::credential::KeyKind;
use tributary_core::error::Result;
use tributary_ingest::arrival::Arrival;
use tributary_service::admission::only_workspace;
use tributary_service::rate::Route;

use crate::auth::{Entry, admit};
use crate::body::{self, Media};
use crate::client::Client;
use crate::router::AppState;

/// An admitted request to an ingest route, its body read.
struct Sent {
    caller: Arc<Caller>,
    arrival: Arrival,
    body: Vec<u8>,
}

impl Sent {
    fn access(&self) -> Result<&WorkspaceAccess> {
        only_workspace(&self.caller)
    }
}

/// Admits a request to an ingest route (token, kind, origin, scope, quota, rate), then reads its body.
async fn receive(state: &AppState, request: Request, entry: Entry, route: Option<Route>, cap: usize) -> Result<Sent> {
    let (parts, body) = request.into_parts();
    let received = receive_parts(state, &parts, body, entry, route, cap).await;
    received.inspect_err(|error| state.metrics.note_refused(error.code()))
}

async fn receive_parts(
    state: &AppState,
    parts: &Parts,
    body: Body,
    entry: Entry,
    route: Option<Route>,
    cap: usize,
) -> Result<Sent> {
    let caller = admit(state, parts, entry).await?;
    if matches!(entry, Entry::Ingest | Entry::Import) {
        state.service.admit_events(&caller, route).await?;
    }
    let media = match (entry, caller.kind) {
        (Entry::Ingest, KeyKind::Publishable) => Media::JsonOrText,
        _ => Media::Json,
    };
    let workspace = only_workspace(&caller)?.workspace.id;
    let body = body::read(parts, body, media, cap).await;
    let body = body.inspect_err(|error| state.service.note_refused(workspace, error))?;
    let arrival = Client::of(parts, &state.settings).arrival(state, parts, &caller)?;
    Ok(Sent { caller, arrival, body })
}
