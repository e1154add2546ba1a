//! `/public-api/v1/contacts/aggregate` and `/public-api/v1/companies/aggregate`: how many were created when.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use tributary_core::error::{Code, Error, Result};
use tributary_service::contact_counts::CountInput;
use tributary_service::rate::Route;

use super::PublicRefusal;
use super::definitions::taken;
use crate::auth::Entry;
use crate::router::AppState;

pub(crate) async fn contacts(State(state): State<AppState>, request: Request) -> Result<Response, PublicRefusal> {
    let (entered, body) = taken(&state, request, Entry::Lookup, Route::ListContacts).await?;
    let counts = state.service.count_contacts(entered.access()?, &input(&body)?).await?;
    Ok(entered.answer(StatusCode::OK, counts))
}

pub(crate) async fn companies(State(state): State<AppState>, request: Request) -> Result<Response, PublicRefusal> {
    let (entered, body) = taken(&state, request, Entry::Lookup, Route::ListCompanies).await?;
    let counts = state.service.count_companies(entered.access()?, &input(&body)?).await?;
    Ok(entered.answer(StatusCode::OK, counts))
}

fn input(body: &[u8]) -> Result<CountInput> {
    serde_json::from_slice(body).map_err(|error| {
        let accepted = "an object with start_date, end_date, group_by and custom_field_filters";
        Error::new(Code::InvalidPayload, format!("the body is not accepted: {error}; accepted: {accepted}"))
    })
}
