//! `/public-api/v1/companies`: list, read, change.

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use tributary_control::ContactsQuery;
use tributary_service::companies::CompaniesInput;
use tributary_service::contact_body::MAX_CONTACT_BODY;
use tributary_service::rate::Route;

use super::{PublicRefusal, enter, id_in, page_of};
use crate::auth::Entry;
use crate::body::{self, Media};
use crate::params::Params;
use crate::router::AppState;

const LIST_PARAMETERS: [&str; 4] = ["start_date", "end_date", "per_page", "cursor"];

pub(crate) async fn list(State(state): State<AppState>, request: Request) -> Result<Response, PublicRefusal> {
    let (mut parts, _) = request.into_parts();
    let entered = enter(&state, &parts, Entry::Lookup, Route::ListCompanies).await?;
    let mut params = Params::read(&parts.uri, &LIST_PARAMETERS)?;
    let input = CompaniesInput {
        start_date: params.text("start_date", 64),
        end_date: params.text("end_date", 64),
        per_page: params.number("per_page", ContactsQuery::MAX_PER_PAGE),
        cursor: params.text("cursor", 64),
    };
    params.finish()?;
    let paged = state.service.list_companies(entered.access()?, input).await?;
    let page = page_of(&state, &mut parts, paged).await;
    Ok(entered.answer(StatusCode::OK, page))
}

pub(crate) async fn get(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, PublicRefusal> {
    let (parts, _) = request.into_parts();
    let entered = enter(&state, &parts, Entry::Lookup, Route::GetCompany).await?;
    Params::read(&parts.uri, &[])?.finish()?;
    let company = state.service.get_company(entered.access()?, id_in(&id, "company")?).await?;
    Ok(entered.answer(StatusCode::OK, company))
}

pub(crate) async fn put(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, PublicRefusal> {
    let (parts, body) = request.into_parts();
    let entered = enter(&state, &parts, Entry::Change, Route::UpdateCompany).await?;
    let body = body::read(&parts, body, Media::Json, MAX_CONTACT_BODY).await?;
    let company = state.service.update_company(entered.access()?, id_in(&id, "company")?, &body).await?;
    Ok(entered.answer(StatusCode::OK, company))
}
