//! `/public-api/v1/metrics`: the catalogue, and metric questions: asked, compared with another period, under several models,
//! split by one dimension.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use tributary_events::attribution::model::Model;
use tributary_service::metrics::body::{self as question_body, MAX_QUESTION_BODY};
use tributary_service::metrics::catalogue::{Category, Computed};
use tributary_service::metrics::dimension::{DIMENSIONS, Family};
use tributary_service::metrics::unit::Unit;
use tributary_service::rate::Route;

use super::{PublicRefusal, enter};
use crate::auth::Entry;
use crate::body::{self, Media};
use crate::params::Params;
use crate::router::AppState;

/// A metric of the catalogue.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MetricRow {
    /// The name questions use.
    pub slug: String,
    /// The name people read; accepted wherever the slug is.
    pub label: String,
    /// Where it stands in lists.
    pub category: Category,
    /// What its number is a number of.
    #[serde(rename = "type")]
    pub unit: Unit,
    /// What it means.
    pub definition: String,
    /// The metrics it is made of; null for what is counted.
    pub expression: Option<String>,
}

/// A dimension.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DimensionRow {
    /// The name questions use.
    pub slug: String,
    /// The name people read; accepted wherever the slug is.
    pub label: String,
    /// Where it stands in lists.
    pub family: Family,
    /// What it holds.
    pub definition: String,
}

/// An attribution model.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ModelRow {
    /// The name questions use.
    pub slug: String,
    /// The name people read.
    pub label: String,
    /// What it does.
    pub definition: String,
    /// Where the definition comes from.
    pub source: String,
    /// Whether rows may add up to more than the totals.
    pub may_exceed_total: bool,
}

/// A list of what there is.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Listed<T> {
    /// The rows.
    pub data: Vec<T>,
}

pub(crate) async fn list(State(state): State<AppState>, request: Request) -> Result<Response, PublicRefusal> {
    let (parts, _) = request.into_parts();
    let entered = enter(&state, &parts, Entry::Lookup, Route::ReadDefinitions).await?;
    Params::read(&parts.uri, &[])?.finish()?;
    let catalogue = state.service.metric_catalogue(entered.access()?).await?;
    let row = |metric: &tributary_service::metrics::catalogue::Metric| MetricRow {
        slug: metric.slug.to_string(),
        label: metric.label.to_string(),
        category: metric.category,
        unit: metric.unit,
        definition: metric.definition.to_string(),
        expression: match &metric.computed {
            Computed::Formula(formula) => Some(formula.to_string()),
            Computed::Measure(_) => None,
        },
    };
    Ok(entered.answer(StatusCode::OK, Listed { data: catalogue.metrics().iter().map(row).collect::<Vec<MetricRow>>() }))
}

pub(crate) async fn dimensions(State(state): State<AppState>, request: Request) -> Result<Response, PublicRefusal> {
    let (parts, _) = request.into_parts();
    let entered = enter(&state, &parts, Entry::Lookup, Route::ReadDefinitions).await?;
    Params::read(&parts.uri, &[])?.finish()?;
    let fixed = DIMENSIONS.iter().map(|dimension| DimensionRow {
        slug: dimension.slug.to_owned(),
        label: dimension.label.to_owned(),
        family: dimension.family,
        definition: dimension.definition.to_owned(),
    });
    let labels = state.service.control.list_labels(&entered.access()?.scope).await?;
    let custom = labels.into_iter().map(|label| DimensionRow {
        slug: label.slot.to_string(),
        definition: format!("custom field of the contact, {}", label.slot.kind().as_str()),
        label: label.label,
        family: Family::CustomField,
    });
    Ok(entered.answer(StatusCode::OK, Listed { data: fixed.chain(custom).collect::<Vec<DimensionRow>>() }))
}

pub(crate) async fn models(State(state): State<AppState>, request: Request) -> Result<Response, PublicRefusal> {
    let (parts, _) = request.into_parts();
    let entered = enter(&state, &parts, Entry::Lookup, Route::ReadDefinitions).await?;
    Params::read(&parts.uri, &[])?.finish()?;
    let row = |model: Model| ModelRow {
        slug: model.slug().to_owned(),
        label: model.label().to_owned(),
        definition: model.definition().to_owned(),
        source: model.source().to_owned(),
        may_exceed_total: model.may_exceed_total(),
    };
    Ok(entered.answer(StatusCode::OK, Listed { data: Model::ALL.into_iter().map(row).collect::<Vec<ModelRow>>() }))
}

pub(crate) async fn query(State(state): State<AppState>, request: Request) -> Result<Response, PublicRefusal> {
    let (parts, body) = request.into_parts();
    let entered = enter(&state, &parts, Entry::Lookup, Route::QueryMetrics).await?;
    let body = body::read(&parts, body, Media::Json, MAX_QUESTION_BODY).await?;
    let question = question_body::question(&body)?;
    let answer = state.service.query_metrics(entered.access()?, &question).await?;
    Ok(entered.answer(StatusCode::OK, answer))
}

pub(crate) async fn compare(State(state): State<AppState>, request: Request) -> Result<Response, PublicRefusal> {
    let (parts, body) = request.into_parts();
    let entered = enter(&state, &parts, Entry::Lookup, Route::QueryMetrics).await?;
    let body = body::read(&parts, body, Media::Json, MAX_QUESTION_BODY).await?;
    let (question, compare_to) = question_body::compared(&body)?;
    let answer = state.service.compare_metrics(entered.access()?, &question, &compare_to).await?;
    Ok(entered.answer(StatusCode::OK, answer))
}

pub(crate) async fn compare_models(State(state): State<AppState>, request: Request) -> Result<Response, PublicRefusal> {
    let (parts, body) = request.into_parts();
    let entered = enter(&state, &parts, Entry::Lookup, Route::QueryMetrics).await?;
    let body = body::read(&parts, body, Media::Json, MAX_QUESTION_BODY).await?;
    let (question, models) = question_body::under_models(&body)?;
    let answer = state.service.compare_models(entered.access()?, &question, &models).await?;
    Ok(entered.answer(StatusCode::OK, answer))
}

pub(crate) async fn breakdown(State(state): State<AppState>, request: Request) -> Result<Response, PublicRefusal> {
    let (parts, body) = request.into_parts();
    let entered = enter(&state, &parts, Entry::Lookup, Route::QueryMetrics).await?;
    let body = body::read(&parts, body, Media::Json, MAX_QUESTION_BODY).await?;
    let question = question_body::question(&body)?;
    let answer = state.service.break_down(entered.access()?, &question).await?;
    Ok(entered.answer(StatusCode::OK, answer))
}
