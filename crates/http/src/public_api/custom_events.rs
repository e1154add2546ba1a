//! `/public-api/v1/custom-events`: what a workspace sets for the types of conversions.

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use tributary_service::conversions;

use super::PublicRefusal;
use super::definitions::{Listed, change, look, remove};
use crate::router::AppState;

pub(crate) async fn list(State(state): State<AppState>, request: Request) -> Result<Response, PublicRefusal> {
    let entered = look(&state, request).await?;
    let data = conversions::list(&state.service.control, &entered.access()?.scope).await?;
    Ok(entered.answer(StatusCode::OK, Listed { data }))
}

pub(crate) async fn put(
    State(state): State<AppState>,
    Path(slug): Path<String>,
    request: Request,
) -> Result<Response, PublicRefusal> {
    let (entered, given) = change(&state, request).await?;
    let row = conversions::set(&state.service.control, &entered.access()?.scope, &slug, &given).await?;
    Ok(entered.answer(StatusCode::OK, row))
}

pub(crate) async fn delete(
    State(state): State<AppState>,
    Path(slug): Path<String>,
    request: Request,
) -> Result<Response, PublicRefusal> {
    let entered = remove(&state, request).await?;
    let row = conversions::clear(&state.service.control, &entered.access()?.scope, &slug).await?;
    Ok(entered.answer(StatusCode::OK, row))
}
