//! `/public-api/v1/webhook-endpoints`: addresses other systems send webhooks to.

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Map;
use tributary_service::body::object;
use tributary_service::rate::Route;
use tributary_service::webhook_endpoints;

use super::definitions::{Deleted, Listed, change, look, remove, taken};
use super::{PublicRefusal, id_in};
use crate::auth::Entry;
use crate::router::AppState;

/// What an id names, in refusals.
const WHAT: &str = "webhook endpoint";

pub(crate) async fn list(State(state): State<AppState>, request: Request) -> Result<Response, PublicRefusal> {
    let entered = look(&state, request).await?;
    let data = webhook_endpoints::list(&state.service.control, &entered.access()?.scope).await?;
    Ok(entered.answer(StatusCode::OK, Listed { data }))
}

pub(crate) async fn post(State(state): State<AppState>, request: Request) -> Result<Response, PublicRefusal> {
    let (entered, given) = change(&state, request).await?;
    let created = webhook_endpoints::create(&state.service.control, &entered.access()?.scope, &given).await?;
    Ok(entered.answer(StatusCode::CREATED, created))
}

pub(crate) async fn get(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, PublicRefusal> {
    let entered = look(&state, request).await?;
    let row = webhook_endpoints::get(&state.service.control, &entered.access()?.scope, id_in(&id, WHAT)?).await?;
    Ok(entered.answer(StatusCode::OK, row))
}

pub(crate) async fn put(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, PublicRefusal> {
    let (entered, given) = change(&state, request).await?;
    let row = webhook_endpoints::update(&state.service.control, &entered.access()?.scope, id_in(&id, WHAT)?, &given).await?;
    Ok(entered.answer(StatusCode::OK, row))
}

pub(crate) async fn delete(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, PublicRefusal> {
    let entered = remove(&state, request).await?;
    let id = id_in(&id, WHAT)?;
    webhook_endpoints::delete(&state.service.control, &entered.access()?.scope, id).await?;
    Ok(entered.answer(StatusCode::OK, Deleted::of(id)))
}

/// Without a body a secret is drawn.
pub(crate) async fn rotate(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, PublicRefusal> {
    let (entered, body) = taken(&state, request, Entry::Change, Route::WriteDefinitions).await?;
    let given = if body.is_empty() { Map::new() } else { object(&body)? };
    let id = id_in(&id, WHAT)?;
    let issued = webhook_endpoints::rotate(&state.service.control, &entered.access()?.scope, id, &given).await?;
    Ok(entered.answer(StatusCode::OK, issued))
}
