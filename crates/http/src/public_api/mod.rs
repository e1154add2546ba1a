//! `/public-api/v1`: contacts, companies and what conversions are made of, for integrations, one file per noun. Errors carry `message`, lists an envelope
//! with cursors, every answer what is left of the route's rate.

pub mod ads;
pub mod companies;
pub mod contact_fields;
pub mod contacts;
pub mod counts;
pub mod custom_events;
pub mod event_mappings;
pub mod events;
pub mod exports;
pub mod lookup;
pub mod metrics;
pub mod saved;
pub mod webhook_endpoints;

mod definitions;
mod refusal;

use std::sync::Arc;

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use form_urlencoded::byte_serialize;
use schemars::JsonSchema;
use serde::Serialize;
use tributary_control::{Caller, WorkspaceAccess};
use tributary_core::error::Result;
use tributary_service::admission::only_workspace;
use tributary_service::contacts::Paged;
use tributary_service::rate::{Allowance, Route};

use crate::auth::{Entry, admit};
use crate::pages::RequestOrigin;
use crate::router::AppState;

pub use definitions::{Deleted, Listed};
pub(crate) use refusal::PublicRefusal;

/// Tokens a full bucket of the route holds.
pub(crate) const RATE_LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
/// Tokens it holds now.
pub(crate) const RATE_REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");

/// An admitted request.
struct Entered {
    caller: Arc<Caller>,
    allowance: Option<Allowance>,
}

/// Admits a request: token, kind, scope, then rate.
async fn enter(state: &AppState, parts: &Parts, entry: Entry, route: Route) -> Result<Entered> {
    let caller = admit(state, parts, entry).await?;
    let allowance = state.service.admit_request(only_workspace(&caller)?.workspace.id, route)?;
    Ok(Entered { caller, allowance })
}

impl Entered {
    fn access(&self) -> Result<&WorkspaceAccess> {
        only_workspace(&self.caller)
    }

    fn answer(&self, status: StatusCode, answer: impl Serialize) -> Response {
        let mut headers = HeaderMap::new();
        if let Some(allowance) = self.allowance {
            headers.insert(RATE_LIMIT, HeaderValue::from(allowance.limit));
            headers.insert(RATE_REMAINING, HeaderValue::from(allowance.remaining));
        }
        (status, headers, Json(answer)).into_response()
    }
}

/// One page of a list.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Page<T> {
    /// The rows.
    pub data: Vec<T>,
    /// The list's address without parameters.
    pub path: String,
    /// Rows a page holds at most.
    pub per_page: u32,
    /// Parameter `cursor` of the next page; `null` on the last.
    pub next_cursor: Option<String>,
    /// Address of the next page.
    pub next_page_url: Option<String>,
    /// Parameter `cursor` of the page before; `null` on the first.
    pub prev_cursor: Option<String>,
    /// Address of the page before.
    pub prev_page_url: Option<String>,
}

/// Puts a page into its envelope. The addresses beside it repeat every parameter of the request but the cursor.
async fn page_of<T>(state: &AppState, parts: &mut Parts, paged: Paged<T>) -> Page<T> {
    let origin = base_url(state, parts).await;
    let path = format!("{origin}{}", parts.uri.path());
    let kept: Vec<&str> = parts
        .uri
        .query()
        .into_iter()
        .flat_map(|query| query.split('&'))
        .filter(|pair| !pair.is_empty() && !pair.starts_with("cursor="))
        .collect();
    // Ids of platforms stand in cursors, whatever they hold.
    let url = |cursor: &String| {
        let mut pairs = kept.clone();
        let cursor = format!("cursor={}", byte_serialize(cursor.as_bytes()).collect::<String>());
        pairs.push(&cursor);
        format!("{path}?{}", pairs.join("&"))
    };
    Page {
        next_page_url: paged.next_cursor.as_ref().map(url),
        prev_page_url: paged.prev_cursor.as_ref().map(url),
        data: paged.rows,
        per_page: paged.per_page,
        next_cursor: paged.next_cursor,
        prev_cursor: paged.prev_cursor,
        path,
    }
}

/// Where clients reach this server, without a slash at the end.
async fn base_url(state: &AppState, parts: &mut Parts) -> String {
    match &state.settings.public_url {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => match RequestOrigin::from_request_parts(parts, &()).await {
            Ok(origin) => origin.to_string(),
            Err(never) => match never {},
        },
    }
}

/// The id in a path; what is no number names nothing.
fn id_in(path: &str, what: &'static str) -> Result<i64> {
    use tributary_core::error::{Code, Error};
    path.parse().map_err(|_| {
        let shown: String = path.chars().take(32).collect();
        Error::new(Code::NotFound, format!("no {what} has the id {shown}"))
    })
}
