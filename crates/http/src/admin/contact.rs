//! Contacts as the operator looks after them: labels of custom fields, the journal of merges.

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};

use tributary_control::{Merge, Slot};
use tributary_core::error::{Code, Error, Result};
use tributary_core::ids::{ContactId, MergeId};
use tributary_core::time::format_utc;

use super::Operator;
use super::body::{Body, Refused};

/// Most rows of the journal in one answer.
const MAX_MERGES: u32 = 1_000;

/// A labelled slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelAnswer {
    /// `profile_field_1` to `profile_field_30`.
    pub field: String,
    /// What it holds: `text`, `number` or `date`.
    pub kind: String,
    /// What the workspace calls it.
    pub label: String,
}

/// A label to set, or to take away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelBody {
    /// `profile_field_1` to `profile_field_30`.
    pub field: String,
    /// 1 to 128 characters; `None` takes the label away.
    pub label: Option<String>,
}

/// A row of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergeAnswer {
    /// Its number.
    pub merge: i64,
    /// The older of the two contacts.
    pub into: i64,
    /// The younger.
    pub merged: i64,
    /// The identifiers that met, or `manual`.
    pub evidence: String,
    /// The way it came.
    pub via: String,
    /// When, RFC 3339 in UTC.
    pub merged_at: String,
    /// When it was undone.
    pub undone_at: Option<String>,
}

/// Two contacts an operator knows to be one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MergeBody {
    /// Two contacts by id.
    pub contacts: (i64, i64),
    /// Why, in at most 64 characters and without personal data.
    pub note: String,
}

/// The number of a merge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merged {
    /// Its number, by which it can be undone.
    pub merge: i64,
}

/// What undoing a merge led to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// The contacts there are now; a single one is held together by other merges.
    pub contacts: Vec<i64>,
}

/// Which rows of the journal.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct MergesQuery {
    limit: Option<u32>,
    before: Option<i64>,
}

pub(super) async fn labels(
    State(operator): State<Operator>,
    Path(selector): Path<String>,
) -> Result<Json<Vec<LabelAnswer>>, Refused> {
    let access = operator.workspace(&selector).await?;
    let labels = operator.control.list_labels(&access.scope).await?;
    let answer = labels.into_iter().map(|label| LabelAnswer {
        field: label.slot.to_string(),
        kind: label.slot.kind().as_str().to_owned(),
        label: label.label,
    });
    Ok(Json(answer.collect()))
}

pub(super) async fn label(
    State(operator): State<Operator>,
    Path(selector): Path<String>,
    Body(body): Body<LabelBody>,
) -> Result<Json<Vec<LabelAnswer>>, Refused> {
    let access = operator.workspace(&selector).await?;
    let unknown = || {
        let shown: String = body.field.chars().take(64).collect();
        Error::new(
            Code::InvalidParams,
            format!("`{shown}` is no slot; accepted: profile_field_1 to profile_field_{}", Slot::COUNT),
        )
    };
    let slot = Slot::parse(&body.field).ok_or_else(unknown)?;
    match &body.label {
        Some(label) => operator.control.set_label(&access.scope, slot, label).await?,
        None => operator.control.clear_label(&access.scope, slot).await?,
    }
    labels(State(operator), Path(selector)).await
}

pub(super) async fn merges(
    State(operator): State<Operator>,
    Path(selector): Path<String>,
    Query(query): Query<MergesQuery>,
) -> Result<Json<Vec<MergeAnswer>>, Refused> {
    let access = operator.workspace(&selector).await?;
    let limit = query.limit.unwrap_or(MAX_MERGES).min(MAX_MERGES);
    let merges = operator.control.list_merges(&access.scope, limit, query.before.map(MergeId)).await?;
    Ok(Json(merges.into_iter().map(MergeAnswer::from).collect()))
}

pub(super) async fn merge(
    State(operator): State<Operator>,
    Path(selector): Path<String>,
    Body(body): Body<MergeBody>,
) -> Result<Json<Merged>, Refused> {
    let access = operator.workspace(&selector).await?;
    let (one, other) = body.contacts;
    let merge = operator.control.merge_contacts(&access.scope, ContactId(one), ContactId(other), &body.note).await?;
    Ok(Json(Merged { merge: merge.0 }))
}

pub(super) async fn split(
    State(operator): State<Operator>,
    Path((selector, merge)): Path<(String, i64)>,
) -> Result<Json<Split>, Refused> {
    let access = operator.workspace(&selector).await?;
    let separated = operator.control.split_contacts(&access.scope, MergeId(merge)).await?;
    Ok(Json(Split { contacts: separated.contacts.into_iter().map(|contact| contact.0).collect() }))
}

impl From<Merge> for MergeAnswer {
    fn from(merge: Merge) -> Self {
        Self {
            merge: merge.id.0,
            into: merge.into.0,
            merged: merge.merged.0,
            evidence: merge.evidence,
            via: merge.via,
            merged_at: format_utc(merge.merged_us),
            undone_at: merge.undone_us.map(format_utc),
        }
    }
}
