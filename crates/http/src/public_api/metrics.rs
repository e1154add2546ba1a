//! `/public-api/v1/metrics`: the catalogue, and metric questions: asked, compared with another period, under several models,
//! split by one dimension.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use tributary_service::metrics::body::{self as question_body, MAX_QUESTION_BODY};
use tributary_service::metrics::list::attribution_models;
use tributary_service::rate::Route;

use super::{PublicRefusal, enter};
use crate::auth::Entry;
use crate::body::{self, Media};
use crate::params::Params;
use crate::router::AppState;

/// A list of what there is.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Listed<T> {
    /// The rows.
    pub data: Vec<T>,
}

pub(crate) async fn list(State(state): State<AppState>, request: Request) -> Result<Response, PublicRefusal> {
    let (parts, _) = request.into_parts();
    let entered = enter(&state, &parts, Entry::Lookup, Route::ReadDefinitions).await?;
    Params::read(&parts.uri, &[])?.finish()?;
    let data = state.service.list_metrics(entered.access()?).await?;
    Ok(entered.answer(StatusCode::OK, Listed { data }))
}

pub(crate) async fn dimensions(State(state): State<AppState>, request: Request) -> Result<Response, PublicRefusal> {
    let (parts, _) = request.into_parts();
    let entered = enter(&state, &parts, Entry::Lookup, Route::ReadDefinitions).await?;
    Params::read(&parts.uri, &[])?.finish()?;
    let data = state.service.list_dimensions(entered.access()?).await?;
    Ok(entered.answer(StatusCode::OK, Listed { data }))
}

pub(crate) async fn models(State(state): State<AppState>, request: Request) -> Result<Response, PublicRefusal> {
    let (parts, _) = request.into_parts();
    let entered = enter(&state, &parts, Entry::Lookup, Route::ReadDefinitions).await?;
    Params::read(&parts.uri, &[])?.finish()?;
    Ok(entered.answer(StatusCode::OK, Listed { data: attribution_models() }))
}

pub(crate) async fn query(State(state): State<AppState>, request: Request) -> Result<Response, PublicRefusal> {
    let (parts, body) = request.into_parts();
    let entered = enter(&state, &parts, Entry::Lookup, Route::QueryMetrics).await?;
    let body = body::read(&parts, body, Media::Json, MAX_QUESTION_BODY).await?;
    let question = question_body::question(&body)?;
    let answer = state.service.query_metrics(entered.access()?, &question).await?;
    Ok(entered.answer(StatusCode::OK, answer))
}

pub(crate) async fn compare(State(state): State<AppState>, request: Request) -> Result<Response, PublicRefusal> {
    let (parts, body) = request.into_parts();
    let entered = enter(&state, &parts, Entry::Lookup, Route::QueryMetrics).await?;
    let body = body::read(&parts, body, Media::Json, MAX_QUESTION_BODY).await?;
    let (question, compare_to) = question_body::compared(&body)?;
    let answer = state.service.compare_metrics(entered.access()?, &question, &compare_to).await?;
    Ok(entered.answer(StatusCode::OK, answer))
}

pub(crate) async fn compare_models(State(state): State<AppState>, request: Request) -> Result<Response, PublicRefusal> {
    let (parts, body) = request.into_parts();
    let entered = enter(&state, &parts, Entry::Lookup, Route::QueryMetrics).await?;
    let body = body::read(&parts, body, Media::Json, MAX_QUESTION_BODY).await?;
    let (question, models) = question_body::under_models(&body)?;
    let answer = state.service.compare_models(entered.access()?, &question, &models).await?;
    Ok(entered.answer(StatusCode::OK, answer))
}

pub(crate) async fn breakdown(State(state): State<AppState>, request: Request) -> Result<Response, PublicRefusal> {
    let (parts, body) = request.into_parts();
    let entered = enter(&state, &parts, Entry::Lookup, Route::QueryMetrics).await?;
    let body = body::read(&parts, body, Media::Json, MAX_QUESTION_BODY).await?;
    let question = question_body::question(&body)?;
    let answer = state.service.break_down(entered.access()?, &question).await?;
    Ok(entered.answer(StatusCode::OK, answer))
}
