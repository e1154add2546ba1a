//! Conversions as the operator looks after them: settings of types, mapping rules, webhook endpoints.

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use tributary_service::conversions::{self, ConversionRow};
use tributary_service::mappings::apply::MappedEvent;
use tributary_service::mappings::{self, MappingRow};
use tributary_service::webhook_endpoints::{self, EndpointRow, IssuedEndpoint};

use super::Operator;
use super::body::{Body, Refused};

/// What was removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// Its id.
    pub id: i64,
}

pub(super) async fn list(
    State(operator): State<Operator>,
    Path(selector): Path<String>,
) -> Result<Json<Vec<ConversionRow>>, Refused> {
    let access = operator.workspace(&selector).await?;
    Ok(Json(conversions::list(&operator.control, &access.scope).await?))
}

pub(super) async fn set(
    State(operator): State<Operator>,
    Path((selector, slug)): Path<(String, String)>,
    Body(given): Body<Map<String, Value>>,
) -> Result<Json<ConversionRow>, Refused> {
    let access = operator.workspace(&selector).await?;
    Ok(Json(conversions::set(&operator.control, &access.scope, &slug, &given).await?))
}

pub(super) async fn clear(
    State(operator): State<Operator>,
    Path((selector, slug)): Path<(String, String)>,
) -> Result<Json<ConversionRow>, Refused> {
    let access = operator.workspace(&selector).await?;
    Ok(Json(conversions::clear(&operator.control, &access.scope, &slug).await?))
}

pub(super) async fn mappings(
    State(operator): State<Operator>,
    Path(selector): Path<String>,
) -> Result<Json<Vec<MappingRow>>, Refused> {
    let access = operator.workspace(&selector).await?;
    Ok(Json(mappings::list(&operator.control, &access.scope).await?))
}

pub(super) async fn add_mapping(
    State(operator): State<Operator>,
    Path(selector): Path<String>,
    Body(given): Body<Map<String, Value>>,
) -> Result<Json<MappingRow>, Refused> {
    let access = operator.workspace(&selector).await?;
    Ok(Json(mappings::create(&operator.control, &access.scope, &given).await?))
}

pub(super) async fn remove_mapping(
    State(operator): State<Operator>,
    Path((selector, id)): Path<(String, i64)>,
) -> Result<Json<Removed>, Refused> {
    let access = operator.workspace(&selector).await?;
    mappings::delete(&operator.control, &access.scope, id).await?;
    Ok(Json(Removed { id }))
}

pub(super) async fn preview(
    State(operator): State<Operator>,
    Path((selector, id)): Path<(String, i64)>,
    Body(payload): Body<Value>,
) -> Result<Json<MappedEvent>, Refused> {
    let access = operator.workspace(&selector).await?;
    Ok(Json(mappings::preview(&operator.control, &access.scope, id, &payload).await?))
}

pub(super) async fn endpoints(
    State(operator): State<Operator>,
    Path(selector): Path<String>,
) -> Result<Json<Vec<EndpointRow>>, Refused> {
    let access = operator.workspace(&selector).await?;
    Ok(Json(webhook_endpoints::list(&operator.control, &access.scope).await?))
}

pub(super) async fn add_endpoint(
    State(operator): State<Operator>,
    Path(selector): Path<String>,
    Body(given): Body<Map<String, Value>>,
) -> Result<Json<IssuedEndpoint>, Refused> {
    let access = operator.workspace(&selector).await?;
    Ok(Json(webhook_endpoints::create(&operator.control, &access.scope, &given).await?))
}

pub(super) async fn change_endpoint(
    State(operator): State<Operator>,
    Path((selector, id)): Path<(String, i64)>,
    Body(given): Body<Map<String, Value>>,
) -> Result<Json<EndpointRow>, Refused> {
    let access = operator.workspace(&selector).await?;
    Ok(Json(webhook_endpoints::update(&operator.control, &access.scope, id, &given).await?))
}

pub(super) async fn rotate_endpoint(
    State(operator): State<Operator>,
    Path((selector, id)): Path<(String, i64)>,
    Body(given): Body<Map<String, Value>>,
) -> Result<Json<IssuedEndpoint>, Refused> {
    let access = operator.workspace(&selector).await?;
    Ok(Json(webhook_endpoints::rotate(&operator.control, &access.scope, id, &given).await?))
}

pub(super) async fn remove_endpoint(
    State(operator): State<Operator>,
    Path((selector, id)): Path<(String, i64)>,
) -> Result<Json<Removed>, Refused> {
    let access = operator.workspace(&selector).await?;
    webhook_endpoints::delete(&operator.control, &access.scope, id).await?;
    Ok(Json(Removed { id }))
}
