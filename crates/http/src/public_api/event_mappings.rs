//! `/public-api/v1/event-mappings`: rules that turn events and webhooks into conversions.

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value;
use tributary_core::error::{Code, Error};
use tributary_service::mappings;
use tributary_service::rate::Route;

use super::definitions::{Deleted, Listed, change, look, remove, taken};
use super::{PublicRefusal, id_in};
use crate::auth::Entry;
use crate::router::AppState;

/// What an id names, in refusals.
const WHAT: &str = "event mapping";

pub(crate) async fn list(State(state): State<AppState>, request: Request) -> Result<Response, PublicRefusal> {
    let entered = look(&state, request).await?;
    let data = mappings::list(&state.service.control, &entered.access()?.scope).await?;
    Ok(entered.answer(StatusCode::OK, Listed { data }))
}

pub(crate) async fn post(State(state): State<AppState>, request: Request) -> Result<Response, PublicRefusal> {
    let (entered, given) = change(&state, request).await?;
    let created = mappings::create(&state.service.control, &entered.access()?.scope, &given).await?;
    Ok(entered.answer(StatusCode::CREATED, created))
}

pub(crate) async fn get(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, PublicRefusal> {
    let entered = look(&state, request).await?;
    let row = mappings::get(&state.service.control, &entered.access()?.scope, id_in(&id, WHAT)?).await?;
    Ok(entered.answer(StatusCode::OK, row))
}

pub(crate) async fn put(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, PublicRefusal> {
    let (entered, given) = change(&state, request).await?;
    let row = mappings::update(&state.service.control, &entered.access()?.scope, id_in(&id, WHAT)?, &given).await?;
    Ok(entered.answer(StatusCode::OK, row))
}

pub(crate) async fn delete(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, PublicRefusal> {
    let entered = remove(&state, request).await?;
    let id = id_in(&id, WHAT)?;
    mappings::delete(&state.service.control, &entered.access()?.scope, id).await?;
    Ok(entered.answer(StatusCode::OK, Deleted::of(id)))
}

/// Stores nothing, so keys that read may ask.
pub(crate) async fn preview(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, PublicRefusal> {
    let (entered, body) = taken(&state, request, Entry::Lookup, Route::ReadDefinitions).await?;
    let payload: Value = serde_json::from_slice(&body)
        .map_err(|error| Error::new(Code::InvalidPayload, format!("the payload is not valid JSON: {error}")))?;
    let id = id_in(&id, WHAT)?;
    let event = mappings::preview(&state.service.control, &entered.access()?.scope, id, &payload).await?;
    Ok(entered.answer(StatusCode::OK, event))
}
