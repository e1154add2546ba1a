//! `/public-api/v1/{custom-metrics,segments,reports,dashboards}`: what users save, created, changed, deleted and run.

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{MethodRouter, get};
use tributary_control::{ContactsQuery, SavedKind};
use tributary_core::error::Result;
use tributary_service::dates::resolve::DateRange;
use tributary_service::rate::Route;

use super::definitions::{Deleted, Listed, look, remove, taken};
use super::{PublicRefusal, enter, id_in, page_of};
use crate::auth::Entry;
use crate::params::Params;
use crate::router::AppState;

/// What a kind is called in messages.
fn noun(kind: SavedKind) -> &'static str {
    match kind {
        SavedKind::Metric => "custom metric",
        SavedKind::Segment => "segment",
        SavedKind::Report => "report",
        SavedKind::Dashboard => "dashboard",
    }
}

/// `GET` and `POST` of a kind's list.
pub(crate) fn list(kind: SavedKind) -> MethodRouter<AppState> {
    get(move |state, request| all(kind, state, request)).post(move |state, request| create(kind, state, request))
}

/// `GET`, `PUT` and `DELETE` of one item of a kind.
pub(crate) fn one(kind: SavedKind) -> MethodRouter<AppState> {
    get(move |state, path, request| read(kind, state, path, request))
        .put(move |state, path, request| change(kind, state, path, request))
        .delete(move |state, path, request| delete(kind, state, path, request))
}

async fn all(kind: SavedKind, State(state): State<AppState>, request: Request) -> Result<Response, PublicRefusal> {
    let entered = look(&state, request).await?;
    let data = state.service.list_saved(entered.access()?, kind).await?;
    Ok(entered.answer(StatusCode::OK, Listed { data }))
}

async fn create(kind: SavedKind, State(state): State<AppState>, request: Request) -> Result<Response, PublicRefusal> {
    let (entered, body) = taken(&state, request, Entry::Change, Route::WriteDefinitions).await?;
    let saved = state.service.create_saved(entered.access()?, kind, &body).await?;
    Ok(entered.answer(StatusCode::CREATED, saved))
}

async fn read(
    kind: SavedKind,
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, PublicRefusal> {
    let entered = look(&state, request).await?;
    let saved = state.service.get_saved(entered.access()?, kind, id_in(&id, noun(kind))?).await?;
    Ok(entered.answer(StatusCode::OK, saved))
}

async fn change(
    kind: SavedKind,
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, PublicRefusal> {
    let (entered, body) = taken(&state, request, Entry::Change, Route::WriteDefinitions).await?;
    let saved = state.service.update_saved(entered.access()?, kind, id_in(&id, noun(kind))?, &body).await?;
    Ok(entered.answer(StatusCode::OK, saved))
}

async fn delete(
    kind: SavedKind,
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, PublicRefusal> {
    let entered = remove(&state, request).await?;
    let id = id_in(&id, noun(kind))?;
    state.service.delete_saved(entered.access()?, kind, id).await?;
    Ok(entered.answer(StatusCode::OK, Deleted::of(id)))
}

pub(crate) async fn members(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, PublicRefusal> {
    let (mut parts, _) = request.into_parts();
    let entered = enter(&state, &parts, Entry::Lookup, Route::ListContacts).await?;
    let mut params = Params::read(&parts.uri, &["per_page", "cursor"])?;
    let (per_page, cursor) = (params.number("per_page", ContactsQuery::MAX_PER_PAGE), params.text("cursor", 64));
    params.finish()?;
    let id = id_in(&id, noun(SavedKind::Segment))?;
    let members = state.service.segment_members(entered.access()?, id, per_page, cursor.as_deref()).await?;
    let page = page_of(&state, &mut parts, members.page).await;
    Ok(entered.answer(StatusCode::OK, page))
}

pub(crate) async fn run_report(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, PublicRefusal> {
    let (parts, _) = request.into_parts();
    let entered = enter(&state, &parts, Entry::Lookup, Route::QueryMetrics).await?;
    let days = other_days(Params::read(&parts.uri, &DAY_PARAMETERS)?)?;
    let answer = state.service.run_report(entered.access()?, id_in(&id, noun(SavedKind::Report))?, days).await?;
    Ok(entered.answer(StatusCode::OK, answer))
}

pub(crate) async fn run_dashboard(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, PublicRefusal> {
    let (parts, _) = request.into_parts();
    let entered = enter(&state, &parts, Entry::Lookup, Route::QueryMetrics).await?;
    let days = other_days(Params::read(&parts.uri, &DAY_PARAMETERS)?)?;
    let answer = state.service.run_dashboard(entered.access()?, id_in(&id, noun(SavedKind::Dashboard))?, days).await?;
    Ok(entered.answer(StatusCode::OK, answer))
}

const DAY_PARAMETERS: [&str; 3] = ["date_range", "date_start", "date_end"];

/// Days other than a saved question's own, if the request names some.
fn other_days(mut params: Params) -> Result<Option<DateRange>> {
    let mut text = |name: &str| params.text(name, 64);
    let (date_range, date_start, date_end) = (text("date_range"), text("date_start"), text("date_end"));
    params.finish()?;
    // Dates without a word before them can only mean themselves.
    let date_range = date_range.or_else(|| (date_start.is_some() || date_end.is_some()).then(|| String::from("custom")));
    Ok(date_range.map(|date_range| DateRange { date_range, date_start, date_end }))
}
