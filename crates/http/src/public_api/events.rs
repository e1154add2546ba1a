//! `/public-api/v1/events`: conversions taken in, listed, read one by one, counted.

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tributary_core::error::Result;
use tributary_service::admission::only_workspace;
use tributary_service::contact_body::conditions;
use tributary_service::events::aggregate::{EventsQuestion, MAX_EVENTS_QUESTION_BODY};
use tributary_service::events::list::{EventsInput, MAX_PER_PAGE};
use tributary_service::events::track::{ConversionTracked, MAX_TRACK_CONVERSION_BODY};
use tributary_service::rate::Route;

use super::{PublicRefusal, enter, page_of};
use crate::auth::{Entry, admit};
use crate::body::{self, Media};
use crate::client::Client;
use crate::params::Params;
use crate::router::AppState;

const LIST_PARAMETERS: [&str; 8] = [
    "start_date",
    "end_date",
    "query_mode",
    "attribution_model",
    "attribution_window",
    "per_page",
    "cursor",
    "custom_field_filters",
];
const LISTS: [&str; 3] = ["event_names", "sources", "fields"];

pub(crate) async fn list(State(state): State<AppState>, request: Request) -> Result<Response, PublicRefusal> {
    let (mut parts, _) = request.into_parts();
    let entered = enter(&state, &parts, Entry::Lookup, Route::ListEvents).await?;
    let mut params = Params::read_lists(&parts.uri, &LIST_PARAMETERS, &LISTS)?;
    let input = EventsInput {
        start_date: params.text("start_date", 64).unwrap_or_default(),
        end_date: params.text("end_date", 64).unwrap_or_default(),
        query_mode: params.text("query_mode", 64),
        event_names: params.list("event_names"),
        sources: params.list("sources"),
        attribution_model: params.text("attribution_model", 64),
        attribution_window: params.whole("attribution_window"),
        fields: params.list("fields"),
        per_page: params.number("per_page", MAX_PER_PAGE),
        cursor: params.text("cursor", 64),
        custom_field_filters: params.json("custom_field_filters", conditions).unwrap_or_default(),
    };
    params.finish()?;
    let paged = state.service.list_events(entered.access()?, input).await?;
    let page = page_of(&state, &mut parts, paged).await;
    Ok(entered.answer(StatusCode::OK, page))
}

pub(crate) async fn get(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, PublicRefusal> {
    let (parts, _) = request.into_parts();
    let entered = enter(&state, &parts, Entry::Lookup, Route::GetEvent).await?;
    Params::read(&parts.uri, &[])?.finish()?;
    let event = state.service.get_event(entered.access()?, &id).await?;
    Ok(entered.answer(StatusCode::OK, event))
}

pub(crate) async fn aggregate(State(state): State<AppState>, request: Request) -> Result<Response, PublicRefusal> {
    let (parts, body) = request.into_parts();
    let entered = enter(&state, &parts, Entry::Lookup, Route::AggregateEvents).await?;
    let body = body::read(&parts, body, Media::Json, MAX_EVENTS_QUESTION_BODY).await?;
    let counted = state.service.count_events(entered.access()?, EventsQuestion::read(&body)?).await?;
    Ok(entered.answer(StatusCode::OK, counted))
}

pub(crate) async fn types(State(state): State<AppState>, request: Request) -> Result<Response, PublicRefusal> {
    let (parts, _) = request.into_parts();
    let entered = enter(&state, &parts, Entry::Lookup, Route::ListEventTypes).await?;
    Params::read(&parts.uri, &[])?.finish()?;
    let types = state.service.list_event_types(entered.access()?).await?;
    Ok(entered.answer(StatusCode::OK, types))
}

pub(crate) async fn track(State(state): State<AppState>, request: Request) -> Result<Response, PublicRefusal> {
    let tracked = take(&state, request).await.inspect_err(|error| state.metrics.note_refused(error.code()))?;
    match tracked.is_duplicate {
        false => state.metrics.note_events(1, 0),
        true => state.metrics.note_events(0, 1),
    }
    Ok((StatusCode::ACCEPTED, Json(tracked)).into_response())
}

/// Admits an event (token, kind, quota, rate) and takes it in.
async fn take(state: &AppState, request: Request) -> Result<ConversionTracked> {
    let (parts, body) = request.into_parts();
    let caller = admit(state, &parts, Entry::Change).await?;
    state.service.admit_events(&caller, Some(Route::Track)).await?;
    let access = only_workspace(&caller)?;
    let body = body::read(&parts, body, Media::Json, MAX_TRACK_CONVERSION_BODY).await;
    let body = body.inspect_err(|error| state.service.note_refused(access.workspace.id, error))?;
    let arrival = Client::of(&parts, &state.settings).arrival(state, &parts, &caller)?;
    state.service.track_conversion(access, &body, &arrival).await
}
