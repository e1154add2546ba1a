//! `/public-api/v1/ads`: ad accounts, campaigns, ad sets and ads.

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use tributary_service::ads::{AdsInput, MAX_PER_PAGE};
use tributary_service::rate::Route;

use super::definitions::look;
use super::{PublicRefusal, enter, page_of};
use crate::auth::Entry;
use crate::params::Params;
use crate::router::AppState;

const PARAMETERS: [&str; 7] = ["source", "account_id", "campaign_id", "adset_id", "status", "per_page", "cursor"];
/// Longest id or name of a state, characters.
const MAX_ID_CHARS: usize = 255;

pub(crate) async fn list(
    State(state): State<AppState>,
    Path(level): Path<String>,
    request: Request,
) -> Result<Response, PublicRefusal> {
    let (mut parts, _) = request.into_parts();
    let entered = enter(&state, &parts, Entry::Lookup, Route::ReadDefinitions).await?;
    let mut params = Params::read(&parts.uri, &PARAMETERS)?;
    let input = AdsInput {
        level,
        source: params.text("source", MAX_ID_CHARS),
        account_id: params.text("account_id", MAX_ID_CHARS),
        campaign_id: params.text("campaign_id", MAX_ID_CHARS),
        adset_id: params.text("adset_id", MAX_ID_CHARS),
        status: params.text("status", MAX_ID_CHARS),
        per_page: params.number("per_page", MAX_PER_PAGE),
        cursor: params.text("cursor", 2 * MAX_ID_CHARS),
    };
    params.finish()?;
    let paged = state.service.list_ads(entered.access()?, &input).await?;
    let page = page_of(&state, &mut parts, paged).await;
    Ok(entered.answer(StatusCode::OK, page))
}

pub(crate) async fn get(
    State(state): State<AppState>,
    Path((level, source, id)): Path<(String, String, String)>,
    request: Request,
) -> Result<Response, PublicRefusal> {
    let entered = look(&state, request).await?;
    let entity = state.service.get_ad(entered.access()?, &source, &level, &id).await?;
    Ok(entered.answer(StatusCode::OK, entity))
}
