//! `/public-api/v1/contact-fields`: what a workspace calls the custom fields of contacts.

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use tributary_service::contact_fields;

use super::PublicRefusal;
use super::definitions::{Listed, change, look, remove};
use crate::router::AppState;

pub(crate) async fn list(State(state): State<AppState>, request: Request) -> Result<Response, PublicRefusal> {
    let entered = look(&state, request).await?;
    let data = contact_fields::list(&state.service.control, &entered.access()?.scope).await?;
    Ok(entered.answer(StatusCode::OK, Listed { data }))
}

pub(crate) async fn put(
    State(state): State<AppState>,
    Path(slot): Path<String>,
    request: Request,
) -> Result<Response, PublicRefusal> {
    let (entered, given) = change(&state, request).await?;
    let row = contact_fields::set(&state.service.control, &entered.access()?.scope, &slot, &given).await?;
    Ok(entered.answer(StatusCode::OK, row))
}

pub(crate) async fn delete(
    State(state): State<AppState>,
    Path(slot): Path<String>,
    request: Request,
) -> Result<Response, PublicRefusal> {
    let entered = remove(&state, request).await?;
    let row = contact_fields::clear(&state.service.control, &entered.access()?.scope, &slot).await?;
    Ok(entered.answer(StatusCode::OK, row))
}
