//! `GET /v1/sources`: traffic by source and medium.

use axum::Json;
use axum::extract::{Request, State};
use tributary_service::admission::only_workspace;
use tributary_service::reach::Reach;
use tributary_service::sources::{Breakdown, DEFAULT_LIMIT, MAX_LIMIT, SourcesInput, SourcesOutput};

use crate::auth::{Entry, admit};
use crate::params::Params;
use crate::refusal::Answered;
use crate::router::AppState;

const PARAMETERS: [&str; 5] = ["from", "to", "breakdown", "bots", "limit"];

pub(crate) async fn get(State(state): State<AppState>, request: Request) -> Answered<Json<SourcesOutput>> {
    let (parts, _) = request.into_parts();
    let caller = admit(&state, &parts, Entry::Read).await?;
    let mut params = Params::read(&parts.uri, &PARAMETERS)?;
    let input = SourcesInput {
        window: params.window(),
        breakdown: params.choice("breakdown", &Breakdown::NAMES, Breakdown::parse).unwrap_or_default(),
        limit: params.limit(MAX_LIMIT, DEFAULT_LIMIT),
    };
    params.finish()?;
    let access = std::slice::from_ref(only_workspace(&caller)?);
    Ok(Json(state.service.sources(Reach::over(access)?, &input).await?))
}
