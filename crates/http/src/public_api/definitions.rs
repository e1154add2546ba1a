//! What the routes about definitions (types of conversions, rules, endpoints, fields) share: short lists without pages, one rate
//! for reading and one for changing all of them.

use axum::extract::Request;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use tributary_core::error::Result;
use tributary_service::body::object;
use tributary_service::mappings::MAX_MAPPING_BODY;
use tributary_service::rate::Route;

use super::{Entered, enter};
use crate::auth::Entry;
use crate::body::{self, Media};
use crate::params::Params;
use crate::router::AppState;

/// A whole list.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Listed<T> {
    /// The rows.
    pub data: Vec<T>,
}

/// What was deleted.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Deleted {
    /// Its id.
    pub id: i64,
    /// Always true.
    pub deleted: bool,
}

impl Deleted {
    pub(super) fn of(id: i64) -> Self {
        Self { id, deleted: true }
    }
}

/// Admits a request that reads.
pub(super) async fn look(state: &AppState, request: Request) -> Result<Entered> {
    let (parts, _) = request.into_parts();
    let entered = enter(state, &parts, Entry::Lookup, Route::ReadDefinitions).await?;
    Params::read(&parts.uri, &[])?.finish()?;
    Ok(entered)
}

/// Admits a request that changes something without a body.
pub(super) async fn remove(state: &AppState, request: Request) -> Result<Entered> {
    let (parts, _) = request.into_parts();
    let entered = enter(state, &parts, Entry::Change, Route::WriteDefinitions).await?;
    Params::read(&parts.uri, &[])?.finish()?;
    Ok(entered)
}

/// Admits a request that changes something, and reads its body.
pub(super) async fn change(state: &AppState, request: Request) -> Result<(Entered, Map<String, Value>)> {
    let (entered, body) = taken(state, request, Entry::Change, Route::WriteDefinitions).await?;
    Ok((entered, object(&body)?))
}

/// Admits a request and takes its body.
pub(super) async fn taken(state: &AppState, request: Request, entry: Entry, route: Route) -> Result<(Entered, Vec<u8>)> {
    let (parts, body) = request.into_parts();
    let entered = enter(state, &parts, entry, route).await?;
    Params::read(&parts.uri, &[])?.finish()?;
    let body = body::read(&parts, body, Media::Json, MAX_MAPPING_BODY).await?;
    Ok((entered, body))
}
