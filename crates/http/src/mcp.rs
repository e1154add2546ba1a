//! The MCP doors over HTTP: who may enter is decided here, everything else in `mcp`.

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tributary_mcp::door::{Door, KEY_DOOR};
use tributary_mcp::server::{Answer, Reply, Request as McpRequest};

use crate::auth::{bearer, missing};
use crate::body::{self, Media};
use crate::client::Client;
use crate::refusal::{Answered, Refusal};
use crate::router::AppState;

/// Largest body of a request to a door, decompressed, bytes.
const MAX_MCP_BODY: usize = 1024 * 1024;
/// How personal access tokens begin: at `/mcp` they belong to the token door.
const TOKEN_DOOR_PREFIX: &str = "cfp_";
const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");

/// `POST` to a door.
pub(crate) async fn post(door: &'static Door, State(state): State<AppState>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    answer(door, &state, &parts, body).await.unwrap_or_else(Refusal::into_response)
}

async fn answer(door: &'static Door, state: &AppState, parts: &Parts, body: Body) -> Answered<Response> {
    let token = bearer(parts)?.ok_or_else(missing)?;
    if door.path == KEY_DOOR.path && token.starts_with(TOKEN_DOOR_PREFIX) {
        return Ok(refuse_personal_token());
    }
    let caller = state.service.control.authenticate(&token).await?;
    door.admit(caller.kind)?;
    let body = body::read(parts, body, Media::Json, MAX_MCP_BODY).await?;
    let client = Client::of(parts, &state.settings);
    let request = McpRequest {
        body: &body,
        protocol_version: parts.headers.get(PROTOCOL_VERSION).map(|value| value.to_str().unwrap_or_default()),
        user_agent: client.user_agent.as_deref(),
        address: client.address,
    };
    let Reply { answer, called } = state.mcp.handle(door, &caller, &request).await;
    if let Some(called) = called {
        state.metrics.note_call(&called);
    }
    Ok(match answer {
        Answer::Json(status, text) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, [(CONTENT_TYPE, "application/json")], text).into_response()
        }
        Answer::Accepted => StatusCode::ACCEPTED.into_response(),
        Answer::Refused(error) => Refusal(error).into_response(),
    })
}

/// No personal access token has been issued on this server, so each one is unknown: the token door's 401.
fn refuse_personal_token() -> Response {
    let message = "the personal access token is unknown, expired or revoked";
    let mut response = (StatusCode::UNAUTHORIZED, Json(json!({ "error": "unauthorized", "message": message }))).into_response();
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}
