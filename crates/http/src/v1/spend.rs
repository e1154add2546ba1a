//! `/v1/spend`: what ads cost, by entity and day. Our own addition to the documented routes.

use axum::Json;
use axum::extract::{Request, State};
use tributary_ingest::body::MAX_BATCH_BODY;
use tributary_service::admission::only_workspace;
use tributary_service::spend::SpendOutput;
use tributary_service::spend::sums::{DEFAULT_LIMIT, MAX_LIMIT, SpendAnswer, SpendQuestion};

use super::receive;
use crate::auth::{Entry, admit};
use crate::params::Params;
use crate::refusal::Answered;
use crate::router::AppState;

const PARAMETERS: [&str; 6] = ["from", "to", "by", "source", "currency", "limit"];
/// Longest text of a parameter, characters.
const MAX_CHARS: usize = 256;

/// `POST /v1/spend`.
pub(crate) async fn post(State(state): State<AppState>, request: Request) -> Answered<Json<SpendOutput>> {
    let sent = receive(&state, request, Entry::Spend, None, MAX_BATCH_BODY).await?;
    let author = format!("key {}", sent.caller.prefix);
    let output = state.service.spend(sent.access()?, &author, &sent.body).await;
    Ok(Json(output.inspect_err(|error| state.metrics.note_refused(error.code()))?))
}

/// `GET /v1/spend`.
pub(crate) async fn get(State(state): State<AppState>, request: Request) -> Answered<Json<SpendAnswer>> {
    let (parts, _) = request.into_parts();
    let caller = admit(&state, &parts, Entry::Read).await?;
    let mut params = Params::read(&parts.uri, &PARAMETERS)?;
    let by = params.text("by", MAX_CHARS).unwrap_or_default();
    let question = SpendQuestion {
        from: params.required("from", "a day such as 2026-05-01"),
        to: params.required("to", "the day after the last, such as 2026-06-01"),
        by: by.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        source: params.text("source", MAX_CHARS),
        currency: params.text("currency", MAX_CHARS),
        limit: params.limit(MAX_LIMIT, DEFAULT_LIMIT),
    };
    params.finish()?;
    Ok(Json(state.service.spend_sums(only_workspace(&caller)?, &question).await?))
}
