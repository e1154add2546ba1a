//! `/public-api/v1/contacts`: list, read, create, change.

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use tributary_control::ContactsQuery;
use tributary_service::contact_body::{MAX_CONTACT_BODY, conditions};
use tributary_service::contacts::{ContactInput, ContactsInput};
use tributary_service::events::journey::JourneyInput;
use tributary_service::rate::Route;

use super::{PublicRefusal, enter, id_in, page_of};
use crate::auth::Entry;
use crate::body::{self, Media};
use crate::params::Params;
use crate::router::AppState;

const LIST_PARAMETERS: [&str; 9] = [
    "start_date",
    "end_date",
    "per_page",
    "cursor",
    "include_all_emails",
    "include_comet_tokens",
    "include_custom_fields",
    "use_custom_field_labels",
    "custom_field_filters",
];
const GET_PARAMETERS: [&str; 5] = [
    "include_comet_tokens",
    "use_custom_field_labels",
    "include_events",
    "hide_direct_touchpoints",
    "include_browsing_session_data",
];

pub(crate) async fn list(State(state): State<AppState>, request: Request) -> Result<Response, PublicRefusal> {
    let (mut parts, _) = request.into_parts();
    let entered = enter(&state, &parts, Entry::Lookup, Route::ListContacts).await?;
    let mut params = Params::read(&parts.uri, &LIST_PARAMETERS)?;
    let input = ContactsInput {
        start_date: params.text("start_date", 64).unwrap_or_default(),
        end_date: params.text("end_date", 64).unwrap_or_default(),
        per_page: params.number("per_page", ContactsQuery::MAX_PER_PAGE),
        cursor: params.text("cursor", 64),
        include_all_emails: params.flag("include_all_emails"),
        include_comet_tokens: params.flag("include_comet_tokens"),
        include_custom_fields: params.flag("include_custom_fields"),
        use_custom_field_labels: params.flag("use_custom_field_labels"),
        custom_field_filters: params.json("custom_field_filters", conditions).unwrap_or_default(),
    };
    params.finish()?;
    let paged = state.service.list_contacts(entered.access()?, input).await?;
    let page = page_of(&state, &mut parts, paged).await;
    Ok(entered.answer(StatusCode::OK, page))
}

pub(crate) async fn get(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, PublicRefusal> {
    let (parts, _) = request.into_parts();
    let entered = enter(&state, &parts, Entry::Lookup, Route::GetContact).await?;
    let mut params = Params::read(&parts.uri, &GET_PARAMETERS)?;
    let input = ContactInput {
        include_comet_tokens: params.flag("include_comet_tokens"),
        use_custom_field_labels: params.flag("use_custom_field_labels"),
        journey: JourneyInput {
            events: params.flag("include_events"),
            direct_touchpoints: !params.flag_or("hide_direct_touchpoints", true),
            hits: params.flag("include_browsing_session_data"),
        },
    };
    params.finish()?;
    let contact = state.service.get_contact(entered.access()?, id_in(&id, "contact")?, input).await?;
    Ok(entered.answer(StatusCode::OK, contact))
}

pub(crate) async fn post(State(state): State<AppState>, request: Request) -> Result<Response, PublicRefusal> {
    let (parts, body) = request.into_parts();
    let entered = enter(&state, &parts, Entry::Change, Route::CreateContact).await?;
    let body = body::read(&parts, body, Media::Json, MAX_CONTACT_BODY).await?;
    let contact = state.service.create_contact(entered.access()?, &body).await?;
    Ok(entered.answer(StatusCode::CREATED, contact))
}

pub(crate) async fn put(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, PublicRefusal> {
    let (parts, body) = request.into_parts();
    let entered = enter(&state, &parts, Entry::Change, Route::UpdateContact).await?;
    let body = body::read(&parts, body, Media::Json, MAX_CONTACT_BODY).await?;
    let contact = state.service.update_contact(entered.access()?, id_in(&id, "contact")?, &body).await?;
    Ok(entered.answer(StatusCode::OK, contact))
}
