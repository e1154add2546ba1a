//! `POST /v1/identify`: links a visitor to a person.

use axum::Json;
use axum::extract::{Request, State};
use tributary_ingest::body::MAX_IDENTIFY_BODY;
use tributary_service::send::IdentifyOutput;

use super::receive;
use crate::auth::Entry;
use crate::refusal::Answered;
use crate::router::AppState;

pub(crate) async fn post(State(state): State<AppState>, request: Request) -> Answered<Json<IdentifyOutput>> {
    let sent = receive(&state, request, Entry::Ingest, None, MAX_IDENTIFY_BODY).await?;
    let output = state.service.identify(sent.access()?, &sent.body, &sent.arrival).await;
    let output = output.inspect_err(|error| state.metrics.note_refused(error.code()))?;
    state.metrics.note_events(1, 0);
    Ok(Json(output))
}
