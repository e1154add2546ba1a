//! `POST /v1/import`: rows of `tributary import --url`, each taken or refused by itself. Our own addition to the documented
//! routes.

use axum::Json;
use axum::extract::{Request, State};
use tributary_ingest::body::MAX_BATCH_BODY;
use tributary_service::import::{ImportOutput, RowFate};
use tributary_service::rate::Route;

use super::receive;
use crate::auth::Entry;
use crate::refusal::Answered;
use crate::router::AppState;

pub(crate) async fn post(State(state): State<AppState>, request: Request) -> Answered<Json<ImportOutput>> {
    let sent = receive(&state, request, Entry::Import, Some(Route::Batch), MAX_BATCH_BODY).await?;
    let output = state.service.import(sent.access()?, &sent.body).await;
    let output = output.inspect_err(|error| state.metrics.note_refused(error.code()))?;
    let count = |wanted: &RowFate| output.outcomes.iter().filter(|fate| *fate == wanted).count() as u64;
    state.metrics.note_events(count(&RowFate::Accepted), count(&RowFate::Duplicate));
    Ok(Json(output))
}
