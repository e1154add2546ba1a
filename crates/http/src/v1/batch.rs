//! `POST /v1/batch`: many events, all or none.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use tributary_ingest::body::MAX_BATCH_BODY;
use tributary_service::admission::only_workspace;
use tributary_service::rate::Route;
use tributary_service::send::BatchOutput;

use super::receive;
use crate::auth::Entry;
use crate::refusal::Answered;
use crate::router::AppState;

pub(crate) async fn post(State(state): State<AppState>, request: Request) -> Answered<(StatusCode, Json<BatchOutput>)> {
    let sent = receive(&state, request, Entry::Ingest, Some(Route::Batch), MAX_BATCH_BODY).await?;
    let access = only_workspace(&sent.caller)?;
    let output = state.service.track_batch(access, sent.body, sent.arrival).await;
    let output = output.inspect_err(|error| state.metrics.note_refused(error.code()))?;
    state.metrics.note_events(output.accepted, output.duplicates);
    Ok((StatusCode::ACCEPTED, Json(output)))
}
