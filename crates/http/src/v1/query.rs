//! `GET /v1/query`: raw events, newest first.

use axum::Json;
use axum::extract::{Request, State};
use tributary_service::admission::only_workspace;
use tributary_service::query::{DEFAULT_LIMIT, MAX_LIMIT, QueryInput, QueryOutput};
use tributary_service::reach::Reach;

use crate::auth::{Entry, admit};
use crate::params::Params;
use crate::refusal::Answered;
use crate::router::AppState;

const PARAMETERS: [&str; 10] = ["from", "to", "event", "source", "medium", "country", "user_id", "anonymous_id", "bots", "limit"];

pub(crate) async fn get(State(state): State<AppState>, request: Request) -> Answered<Json<QueryOutput>> {
    let (parts, _) = request.into_parts();
    let caller = admit(&state, &parts, Entry::Read).await?;
    let mut params = Params::read(&parts.uri, &PARAMETERS)?;
    let input = QueryInput {
        window: params.window(),
        event: params.text("event", 128),
        source: params.text("source", 2048),
        medium: params.text("medium", 2048),
        country: params.text("country", 2),
        user_id: params.text("user_id", 256),
        anonymous_id: params.text("anonymous_id", 128),
        limit: params.limit(MAX_LIMIT, DEFAULT_LIMIT),
    };
    params.finish()?;
    let access = std::slice::from_ref(only_workspace(&caller)?);
    Ok(Json(state.service.query_events(Reach::over(access)?, &input).await?))
}
