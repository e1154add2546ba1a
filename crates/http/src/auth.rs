//! From headers to a caller, and what a caller may do on a route, in the documented order.

use std::sync::Arc;

use axum::extract::Query;
use axum::http::header::{AUTHORIZATION, ORIGIN};
use axum::http::request::Parts;
use serde_json::json;
use tributary_control::Caller;
use tributary_core::credential::KeyKind;
use tributary_core::error::{Code, Error, Result};
use tributary_service::admission::only_workspace;

use crate::router::AppState;

/// What a route asks of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// Sending events: publishable and secret keys; the former may come as `?key=`.
    Ingest,
    /// Importing rows that are believed: secret keys only.
    Import,
    /// Forgetting a person: secret keys only.
    Forget,
    /// Recording ad spend: secret keys only.
    Spend,
    /// Asking questions.
    Read,
    /// Looking contacts and companies up: read and secret keys.
    Lookup,
    /// Changing contacts and companies: secret keys only.
    Change,
}

/// Admits a request: token, kind, origin, scope, in this order. Quota and rate follow in the use case.
pub(crate) async fn admit(state: &AppState, parts: &Parts, entry: Entry) -> Result<Arc<Caller>> {
    let token = match (bearer(parts)?, entry) {
        (Some(token), _) => token,
        (None, Entry::Ingest) => key_in_query(parts)?.ok_or_else(missing)?,
        (None, Entry::Import | Entry::Forget | Entry::Spend | Entry::Read | Entry::Lookup | Entry::Change) => {
            return Err(missing());
        }
    };
    let caller = state.service.control.authenticate(&token).await?;
    if entry == Entry::Forget && caller.kind == KeyKind::Publishable {
        return Err(Error::new(Code::ForgetRequiresSecretKey, "only a secret key (sk_) may forget a person"));
    }
    if caller.kind == KeyKind::Publishable {
        check_origin(state, &caller, parts)?;
    }
    let (required, got) = match (entry, caller.kind) {
        (Entry::Ingest, KeyKind::Publishable | KeyKind::Secret) => return Ok(caller),
        (Entry::Import | Entry::Forget | Entry::Spend | Entry::Change, KeyKind::Secret) => return Ok(caller),
        (Entry::Lookup, KeyKind::Read | KeyKind::Secret) => return Ok(caller),
        (Entry::Read, KeyKind::Read) => return Ok(caller),
        (Entry::Read, KeyKind::Secret) if state.settings.secret_keys_read => return Ok(caller),
        (Entry::Read | Entry::Lookup, kind) => ("read", scope_name(kind)),
        (Entry::Ingest | Entry::Import | Entry::Forget | Entry::Spend | Entry::Change, kind) => ("ingest", scope_name(kind)),
    };
    let accepted = match entry {
        Entry::Ingest => "a publishable (pk_) or secret key (sk_)",
        Entry::Import | Entry::Forget | Entry::Spend | Entry::Change => "a secret key (sk_)",
        Entry::Read => "a read key (rk_)",
        Entry::Lookup => "a read key (rk_) or a secret key (sk_)",
    };
    Err(Error::new(Code::InsufficientScope, format!("the key does not cover this route; accepted: {accepted}"))
        .with_details(json!({ "required": required, "got": got })))
}

/// The bearer token, `None` without an `Authorization` header. Another scheme reads as a malformed key.
pub(crate) fn bearer(parts: &Parts) -> Result<Option<String>> {
    let Some(header) = parts.headers.get(AUTHORIZATION) else { return Ok(None) };
    let text = header.to_str().ok().map(str::trim).unwrap_or_default();
    let token = text.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
    match token {
        Some(token) if !token.is_empty() => Ok(Some(token.to_owned())),
        _ if text.is_empty() || text.eq_ignore_ascii_case("bearer") => Err(missing()),
        _ => Err(Error::new(Code::MalformedApiKey, "the header must read `Authorization: Bearer <key>`")),
    }
}

/// `navigator.sendBeacon` cannot set headers: on ingest routes a publishable key may come as `?key=`. Other kinds may not:
/// addresses end up in logs.
fn key_in_query(parts: &Parts) -> Result<Option<String>> {
    let Ok(Query(pairs)) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri) else { return Ok(None) };
    let Some((_, key)) = pairs.into_iter().find(|(name, _)| name == "key") else { return Ok(None) };
    if key.starts_with("pk_") {
        return Ok(Some(key));
    }
    Err(Error::new(
        Code::MissingBearerToken,
        "only a publishable key (pk_) may come as ?key=; send other keys as `Authorization: Bearer <key>`",
    ))
}

pub(crate) fn missing() -> Error {
    Error::new(Code::MissingBearerToken, "a key is needed: send `Authorization: Bearer <key>`")
}

fn check_origin(state: &AppState, caller: &Caller, parts: &Parts) -> Result<()> {
    let origin = parts.headers.get(ORIGIN).and_then(|value| value.to_str().ok());
    let workspace = &only_workspace(caller)?.workspace;
    if origin.is_some_and(|origin| workspace.allows_origin(origin)) {
        return Ok(());
    }
    let message = match origin {
        Some(_) => "the origin is not on the project's list; add it exactly, scheme, host and port",
        None => "a publishable key needs an Origin header, which browsers send; use a secret key (sk_) on servers",
    };
    let refusal = Error::new(Code::OriginNotAllowed, message);
    state.service.note_refused(workspace.id, &refusal);
    Err(refusal)
}

/// The documented scope names by kind.
fn scope_name(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Publishable | KeyKind::Secret => "ingest",
        KeyKind::Read => "read",
        KeyKind::Account => "account-read",
    }
}
