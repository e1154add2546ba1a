//! `GET /v1/stats`: counts and distinct visitors.

use axum::Json;
use axum::extract::{Request, State};
use tributary_service::admission::only_workspace;
use tributary_service::reach::Reach;
use tributary_service::stats::{ColumnSet, DEFAULT_LIMIT, MAX_LIMIT, StatsInput, StatsInterval, StatsMetric, StatsOutput};

use crate::auth::{Entry, admit};
use crate::params::Params;
use crate::refusal::Answered;
use crate::router::AppState;

const PARAMETERS: [&str; 8] = ["metric", "from", "to", "event", "group_by", "interval", "bots", "limit"];

pub(crate) async fn get(State(state): State<AppState>, request: Request) -> Answered<Json<StatsOutput>> {
    let (parts, _) = request.into_parts();
    let caller = admit(&state, &parts, Entry::Read).await?;
    let mut params = Params::read(&parts.uri, &PARAMETERS)?;
    let group_by = params.text("group_by", 256);
    let mut input = StatsInput {
        window: params.window(),
        metric: params.choice("metric", &StatsMetric::NAMES, StatsMetric::parse).unwrap_or_default(),
        event: params.text("event", 128),
        group_by: Vec::new(),
        interval: params.choice("interval", &StatsInterval::NAMES, StatsInterval::parse),
        limit: params.limit(MAX_LIMIT, DEFAULT_LIMIT),
    };
    params.finish()?;
    // A code of its own, so it is told apart from the other parameters.
    input.group_by = group_by.map(|text| ColumnSet::OneProject.parse(&text)).transpose()?.unwrap_or_default();
    let access = std::slice::from_ref(only_workspace(&caller)?);
    Ok(Json(state.service.stats(Reach::over(access)?, &input).await?))
}
