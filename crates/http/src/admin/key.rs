//! Keys: list, create, revoke, rotate. A token is shown once, when it is made.

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};

use tributary_control::{Key, KeyOwner, NewKey};
use tributary_core::credential::KeyKind;
use tributary_core::error::{Code, Error, Result};
use tributary_core::ids::AccountId;
use tributary_core::time::format_utc;

use super::Operator;
use super::body::{Body, Refused};

/// Whose keys: exactly one of the two.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeyOwnerBody {
    /// A workspace by slug, UUID or numeric id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
    /// An account by numeric id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<i64>,
}

/// A new key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewKeyBody {
    /// Whose key.
    pub owner: KeyOwnerBody,
    /// `pk`, `sk`, `rk` for a workspace, `ak` for an account.
    pub kind: KeyKind,
    /// What it is for.
    pub label: String,
}

/// A key as the operator sees it: never its secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeyAnswer {
    /// Display form, `rk_live_0a1b2c3d`.
    pub key: String,
    /// Kind.
    pub kind: KeyKind,
    /// What it is for.
    pub label: String,
    /// The workspace it opens.
    pub workspace_id: Option<i64>,
    /// The account it opens.
    pub account_id: Option<i64>,
    /// Creation, RFC 3339 in UTC.
    pub created_at: String,
    /// Last use.
    pub last_used_at: Option<String>,
    /// Revocation; `None` for a live key.
    pub revoked_at: Option<String>,
}

/// A key with the only sight of its token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IssuedKey {
    /// The key.
    #[serde(flatten)]
    pub key: KeyAnswer,
    /// The whole token, shown once.
    pub token: String,
}

impl From<&Key> for KeyAnswer {
    fn from(key: &Key) -> Self {
        let (workspace_id, account_id) = match key.owner {
            KeyOwner::Workspace(id) => (Some(id.0), None),
            KeyOwner::Account(id) => (None, Some(id.0)),
        };
        Self {
            key: key.display(),
            kind: key.kind,
            label: key.label.clone(),
            workspace_id,
            account_id,
            created_at: format_utc(key.created_us),
            last_used_at: key.last_used_us.map(format_utc),
            revoked_at: key.revoked_us.map(format_utc),
        }
    }
}

impl Operator {
    async fn key_owner(&self, owner: &KeyOwnerBody) -> Result<KeyOwner> {
        match (&owner.workspace, owner.account) {
            (Some(selector), None) => Ok(KeyOwner::Workspace(self.workspace(selector).await?.workspace.id)),
            (None, Some(id)) => Ok(KeyOwner::Account(self.control.get_account(AccountId(id)).await?.id)),
            (Some(_), Some(_)) | (None, None) => Err(Error::new(
                Code::InvalidParams,
                "a key belongs to a workspace (pk, sk, rk) or to an account (ak); name one of them",
            )),
        }
    }
}

pub(super) async fn list(
    State(operator): State<Operator>,
    Query(owner): Query<KeyOwnerBody>,
) -> Result<Json<Vec<KeyAnswer>>, Refused> {
    let owner = operator.key_owner(&owner).await?;
    Ok(Json(operator.control.list_keys(owner).await?.iter().map(KeyAnswer::from).collect()))
}

pub(super) async fn create(State(operator): State<Operator>, Body(new): Body<NewKeyBody>) -> Result<Json<IssuedKey>, Refused> {
    let owner = operator.key_owner(&new.owner).await?;
    let (key, token) = operator.control.create_key(NewKey { owner, kind: new.kind, label: new.label }).await?;
    Ok(Json(IssuedKey { key: KeyAnswer::from(&key), token }))
}

pub(super) async fn revoke(State(operator): State<Operator>, Path(prefix): Path<String>) -> Result<Json<KeyAnswer>, Refused> {
    Ok(Json(KeyAnswer::from(&operator.control.revoke_key(&prefix).await?)))
}

pub(super) async fn rotate(State(operator): State<Operator>, Path(prefix): Path<String>) -> Result<Json<IssuedKey>, Refused> {
    let (key, token) = operator.control.rotate_key(&prefix).await?;
    Ok(Json(IssuedKey { key: KeyAnswer::from(&key), token }))
}
