//! `/public-api/v1/date-range` and `/public-api/v1/search`.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use tributary_service::dates::phrase::MAX_PHRASE_CHARS;
use tributary_service::dates::resolve::ResolveInput;
use tributary_service::rate::Route;
use tributary_service::search::{self, SearchInput};

use super::{PublicRefusal, enter};
use crate::auth::Entry;
use crate::params::Params;
use crate::router::AppState;

pub(crate) async fn date_range(State(state): State<AppState>, request: Request) -> Result<Response, PublicRefusal> {
    let (parts, _) = request.into_parts();
    let entered = enter(&state, &parts, Entry::Lookup, Route::ReadDefinitions).await?;
    let mut params = Params::read(&parts.uri, &["preset", "relative"])?;
    let input = ResolveInput { preset: params.text("preset", 64), relative: params.text("relative", MAX_PHRASE_CHARS) };
    params.finish()?;
    let range = state.service.resolve_date_range(entered.access()?, &input).await?;
    Ok(entered.answer(StatusCode::OK, range))
}

pub(crate) async fn search(State(state): State<AppState>, request: Request) -> Result<Response, PublicRefusal> {
    let (parts, _) = request.into_parts();
    let entered = enter(&state, &parts, Entry::Lookup, Route::ReadDefinitions).await?;
    let mut params = Params::read(&parts.uri, &["query", "types", "limit"])?;
    let types = params.text("types", 256).unwrap_or_default();
    let input = SearchInput {
        query: params.required("query", "some text, such as a campaign's name"),
        types: types.split(',').map(str::trim).filter(|kind| !kind.is_empty()).map(str::to_owned).collect(),
        limit: Some(params.limit(search::MAX_LIMIT, search::DEFAULT_LIMIT)),
    };
    params.finish()?;
    let found = state.service.search_workspace(entered.access()?, &input).await?;
    Ok(entered.answer(StatusCode::OK, found))
}
