//! Metric questions, saved items, date phrases and search as the operator asks for them: the use cases of `/public-api/v1`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use tributary_control::SavedKind;
use tributary_core::error::{Code, Error, Result};
use tributary_service::ads::AdsInput;
use tributary_service::dates::resolve::{DateRange, ResolveInput};
use tributary_service::metrics::body;
use tributary_service::metrics::list::attribution_models;
use tributary_service::search::SearchInput;

use super::Operator;
use super::body::Refused;

/// A preset or a phrase.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PhraseQuery {
    preset: Option<String>,
    relative: Option<String>,
}

/// What to search for; types joined by commas.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SearchQuery {
    query: String,
    types: String,
    limit: Option<usize>,
}

/// Days other than a saved question's own, and a page of members.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RunQuery {
    date_range: Option<String>,
    date_start: Option<String>,
    date_end: Option<String>,
    per_page: Option<u32>,
    cursor: Option<String>,
}

pub(super) async fn list(
    State(operator): State<Operator>,
    Path((selector, what)): Path<(String, String)>,
) -> Result<Json<Value>, Refused> {
    let access = operator.workspace(&selector).await?;
    match what.as_str() {
        "metrics" => answer(operator.service.list_metrics(&access).await?),
        "dimensions" => answer(operator.service.list_dimensions(&access).await?),
        "models" => answer(attribution_models()),
        _ => Err(unknown("list", &what, "metrics, dimensions, models")),
    }
}

pub(super) async fn ask(
    State(operator): State<Operator>,
    Path((selector, what)): Path<(String, String)>,
    question: Bytes,
) -> Result<Json<Value>, Refused> {
    let access = operator.workspace(&selector).await?;
    match what.as_str() {
        "query" => answer(operator.service.query_metrics(&access, &body::question(&question)?).await?),
        "compare" => {
            let (question, compare_to) = body::compared(&question)?;
            answer(operator.service.compare_metrics(&access, &question, &compare_to).await?)
        }
        "models" => {
            let (question, models) = body::under_models(&question)?;
            answer(operator.service.compare_models(&access, &question, &models).await?)
        }
        "breakdown" => answer(operator.service.break_down(&access, &body::question(&question)?).await?),
        _ => Err(unknown("question", &what, "query, compare, models, breakdown")),
    }
}

pub(super) async fn all_saved(
    State(operator): State<Operator>,
    Path((selector, kind)): Path<(String, String)>,
) -> Result<Json<Value>, Refused> {
    let access = operator.workspace(&selector).await?;
    answer(operator.service.list_saved(&access, saved_kind(&kind)?).await?)
}

pub(super) async fn save(
    State(operator): State<Operator>,
    Path((selector, kind)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<Value>, Refused> {
    let access = operator.workspace(&selector).await?;
    answer(operator.service.create_saved(&access, saved_kind(&kind)?, &body).await?)
}

pub(super) async fn saved(
    State(operator): State<Operator>,
    Path((selector, kind, id)): Path<(String, String, i64)>,
) -> Result<Json<Value>, Refused> {
    let access = operator.workspace(&selector).await?;
    answer(operator.service.get_saved(&access, saved_kind(&kind)?, id).await?)
}

pub(super) async fn change_saved(
    State(operator): State<Operator>,
    Path((selector, kind, id)): Path<(String, String, i64)>,
    body: Bytes,
) -> Result<Json<Value>, Refused> {
    let access = operator.workspace(&selector).await?;
    answer(operator.service.update_saved(&access, saved_kind(&kind)?, id, &body).await?)
}

pub(super) async fn remove_saved(
    State(operator): State<Operator>,
    Path((selector, kind, id)): Path<(String, String, i64)>,
) -> Result<Json<Value>, Refused> {
    let access = operator.workspace(&selector).await?;
    operator.service.delete_saved(&access, saved_kind(&kind)?, id).await?;
    answer(json!({ "id": id }))
}

/// Runs a report or a dashboard, lists a segment's members.
pub(super) async fn run_saved(
    State(operator): State<Operator>,
    Path((selector, kind, id)): Path<(String, String, i64)>,
    Query(query): Query<RunQuery>,
) -> Result<Json<Value>, Refused> {
    let access = operator.workspace(&selector).await?;
    let RunQuery { date_range, date_start, date_end, per_page, cursor } = query;
    let days = date_range.map(|date_range| DateRange { date_range, date_start, date_end });
    match saved_kind(&kind)? {
        SavedKind::Report => answer(operator.service.run_report(&access, id, days).await?),
        SavedKind::Dashboard => answer(operator.service.run_dashboard(&access, id, days).await?),
        SavedKind::Segment => {
            let members = operator.service.segment_members(&access, id, per_page, cursor.as_deref()).await?;
            answer(json!({
                "name": members.name, "total": members.total, "rows": members.page.rows, "next_cursor": members.page.next_cursor,
            }))
        }
        SavedKind::Metric => Err(unknown("runnable kind", &kind, "segment, report, dashboard")),
    }
}

pub(super) async fn date_range(
    State(operator): State<Operator>,
    Path(selector): Path<String>,
    Query(query): Query<PhraseQuery>,
) -> Result<Json<Value>, Refused> {
    let access = operator.workspace(&selector).await?;
    let input = ResolveInput { preset: query.preset, relative: query.relative };
    answer(operator.service.resolve_date_range(&access, &input).await?)
}

pub(super) async fn search(
    State(operator): State<Operator>,
    Path(selector): Path<String>,
    Query(query): Query<SearchQuery>,
) -> Result<Json<Value>, Refused> {
    let access = operator.workspace(&selector).await?;
    let types = query.types.split(',').map(str::trim).filter(|kind| !kind.is_empty()).map(str::to_owned).collect();
    let input = SearchInput { query: query.query, types, limit: query.limit };
    answer(operator.service.search_workspace(&access, &input).await?)
}

/// Which ads, see [`AdsInput`].
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct AdsQuery {
    source: Option<String>,
    account_id: Option<String>,
    campaign_id: Option<String>,
    adset_id: Option<String>,
    status: Option<String>,
    per_page: Option<u32>,
}

pub(super) async fn ads(
    State(operator): State<Operator>,
    Path((selector, level)): Path<(String, String)>,
    Query(query): Query<AdsQuery>,
) -> Result<Json<Value>, Refused> {
    let access = operator.workspace(&selector).await?;
    let AdsQuery { source, account_id, campaign_id, adset_id, status, per_page } = query;
    let input = AdsInput { level, source, account_id, campaign_id, adset_id, status, per_page, cursor: None };
    answer(operator.service.list_ads(&access, &input).await?.rows)
}

fn answer(answer: impl Serialize) -> Result<Json<Value>, Refused> {
    let value = serde_json::to_value(answer);
    Ok(Json(value.map_err(|error| Error::internal("the answer does not serialize").caused_by(error))?))
}

fn saved_kind(name: &str) -> Result<SavedKind> {
    SavedKind::parse(name).ok_or_else(|| {
        let accepted: Vec<&str> = SavedKind::ALL.iter().map(|kind| kind.as_str()).collect();
        let shown: String = name.chars().take(40).collect();
        Error::new(Code::InvalidParams, format!("`{shown}` is nothing that is saved; accepted: {}", accepted.join(", ")))
    })
}

fn unknown(what: &str, given: &str, accepted: &str) -> Refused {
    let shown: String = given.chars().take(40).collect();
    Error::new(Code::InvalidParams, format!("unknown {what} `{shown}`; accepted: {accepted}")).into()
}
