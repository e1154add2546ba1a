//! Forgetting a person.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::Operator;
use super::body::{Body, Refused};
use super::store::Person;

/// Whom to forget.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EraseBody {
    /// Workspace by slug, UUID or numeric id.
    pub workspace: String,
    /// The person.
    pub person: Person,
    /// Whether files are rewritten before the answer comes, not at the next compaction.
    #[serde(default)]
    pub from_disk: bool,
}

/// What an erasure covered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Erased {
    /// Workspace slug.
    pub workspace: String,
    /// Events that vanished.
    pub events: u64,
    /// Whether they are gone from disk already.
    pub from_disk: bool,
}

pub(super) async fn erase(State(operator): State<Operator>, Body(erase): Body<EraseBody>) -> Result<Json<Erased>, Refused> {
    let access = operator.workspace(&erase.workspace).await?;
    let events = operator.store.erase(&access, erase.person, erase.from_disk).await?;
    Ok(Json(Erased { workspace: access.workspace.slug.clone(), events, from_disk: erase.from_disk }))
}
