//! `/public-api/v1/metrics`: the catalogue, and metric questions: asked, compared with another period, under several models,
//! split by one dimension.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use tributary_service::metrics::body;
use tributary_service::metrics::list::attribution_models;
use tributary_service::rate::Route;

use super::PublicRefusal;
use super::definitions::{Listed, look, taken};
use crate::auth::Entry;
use crate::router::AppState;

pub(crate) async fn list(State(state): State<AppState>, request: Request) -> Result<Response, PublicRefusal> {
    let entered = look(&state, request).await?;
    let data = state.service.list_metrics(entered.access()?).await?;
    Ok(entered.answer(StatusCode::OK, Listed { data }))
}

pub(crate) async fn dimensions(State(state): State<AppState>, request: Request) -> Result<Response, PublicRefusal> {
    let entered = look(&state, request).await?;
    let data = state.service.list_dimensions(entered.access()?).await?;
    Ok(entered.answer(StatusCode::OK, Listed { data }))
}

pub(crate) async fn models(State(state): State<AppState>, request: Request) -> Result<Response, PublicRefusal> {
    let entered = look(&state, request).await?;
    Ok(entered.answer(StatusCode::OK, Listed { data: attribution_models() }))
}

pub(crate) async fn query(State(state): State<AppState>, request: Request) -> Result<Response, PublicRefusal> {
    let (entered, body) = taken(&state, request, Entry::Lookup, Route::QueryMetrics).await?;
    let question = body::question(&body)?;
    let answer = state.service.query_metrics(entered.access()?, &question).await?;
    Ok(entered.answer(StatusCode::OK, answer))
}

pub(crate) async fn compare(State(state): State<AppState>, request: Request) -> Result<Response, PublicRefusal> {
    let (entered, body) = taken(&state, request, Entry::Lookup, Route::QueryMetrics).await?;
    let (question, compare_to) = body::compared(&body)?;
    let answer = state.service.compare_metrics(entered.access()?, &question, &compare_to).await?;
    Ok(entered.answer(StatusCode::OK, answer))
}

pub(crate) async fn compare_models(State(state): State<AppState>, request: Request) -> Result<Response, PublicRefusal> {
    let (entered, body) = taken(&state, request, Entry::Lookup, Route::QueryMetrics).await?;
    let (question, models) = body::under_models(&body)?;
    let answer = state.service.compare_models(entered.access()?, &question, &models).await?;
    Ok(entered.answer(StatusCode::OK, answer))
}

pub(crate) async fn breakdown(State(state): State<AppState>, request: Request) -> Result<Response, PublicRefusal> {
    let (entered, body) = taken(&state, request, Entry::Lookup, Route::QueryMetrics).await?;
    let question = body::question(&body)?;
    let answer = state.service.break_down(entered.access()?, &question).await?;
    Ok(entered.answer(StatusCode::OK, answer))
}
