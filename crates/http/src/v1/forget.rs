//! `POST /v1/forget`: every event of a person vanishes.

use axum::Json;
use axum::extract::{Request, State};
use tributary_ingest::body::MAX_FORGET_BODY;
use tributary_service::forget::ForgetOutput;

use super::receive;
use crate::auth::Entry;
use crate::refusal::Answered;
use crate::router::AppState;

pub(crate) async fn post(State(state): State<AppState>, request: Request) -> Answered<Json<ForgetOutput>> {
    let sent = receive(&state, request, Entry::Forget, None, MAX_FORGET_BODY).await?;
    Ok(Json(state.service.forget(sent.access()?, &sent.body).await?))
}
