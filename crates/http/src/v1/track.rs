//! `POST /v1/track`: one event.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use tributary_ingest::body::MAX_TRACK_BODY;
use tributary_service::rate::Route;
use tributary_service::send::{SendStatus, TrackOutput};

use super::receive;
use crate::auth::Entry;
use crate::refusal::Answered;
use crate::router::AppState;

pub(crate) async fn post(State(state): State<AppState>, request: Request) -> Answered<(StatusCode, Json<TrackOutput>)> {
    let sent = receive(&state, request, Entry::Ingest, Some(Route::Track), MAX_TRACK_BODY).await?;
    let output = state.service.track(sent.access()?, &sent.body, &sent.arrival).await;
    let output = output.inspect_err(|error| state.metrics.note_refused(error.code()))?;
    match output.status {
        SendStatus::Accepted => state.metrics.note_events(1, 0),
        SendStatus::Duplicate => state.metrics.note_events(0, 1),
    }
    Ok((StatusCode::ACCEPTED, Json(output)))
}
