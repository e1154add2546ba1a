//! Cross-origin rules: ingest routes answer every page and check the key's list afterwards; the MCP doors admit known origins.

use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
    ACCESS_CONTROL_MAX_AGE, ORIGIN, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tributary_control::normalise_origin;
use tributary_core::error::{Code, Error};

use crate::refusal::Refusal;
use crate::router::AppState;
use crate::settings::Settings;

/// How long a browser may remember a preflight, seconds: a day.
const PREFLIGHT_MAX_AGE_S: &str = "86400";
const INGEST_HEADERS: &str = "authorization, content-type, content-encoding";
const DOOR_HEADERS: &str = "authorization, content-type, accept, mcp-protocol-version, mcp-session-id, mcp-method, mcp-name, \
    last-event-id";
const DOOR_EXPOSED: &str = "www-authenticate, retry-after, mcp-session-id, mcp-protocol-version";

/// Any page may ask and may read the answer, refusals included: a preflight carries no key, so the list of the key's project
/// is held against the real request.
pub(crate) async fn ingest(request: Request, next: Next) -> Response {
    let origin = request.headers().get(ORIGIN).cloned();
    let is_preflight = request.method() == Method::OPTIONS;
    let mut response = if is_preflight { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    let headers = response.headers_mut();
    if is_preflight {
        allow(headers, INGEST_HEADERS);
    }
    share(headers, origin, "retry-after");
    response
}

/// Pages of unknown origins are refused before anything else (a browser sends `Origin`, other clients do not): neither a
/// rebound name nor a foreign page reaches a local server.
pub(crate) async fn doors(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(ORIGIN).cloned();
    if let Some(origin) = &origin
        && !origin.to_str().is_ok_and(|origin| is_known(origin, &state.settings))
    {
        let message = "pages of this origin may not call here; accepted: loopback origins and those the operator has listed";
        return Refusal(Error::new(Code::OriginNotAllowed, message)).into_response();
    }
    let is_preflight = request.method() == Method::OPTIONS;
    let mut response = if is_preflight { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    let headers = response.headers_mut();
    if is_preflight {
        allow(headers, DOOR_HEADERS);
    }
    share(headers, origin, DOOR_EXPOSED);
    response
}

fn allow(headers: &mut HeaderMap, names: &'static str) {
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST, OPTIONS"));
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(names));
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(PREFLIGHT_MAX_AGE_S));
}

fn share(headers: &mut HeaderMap, origin: Option<HeaderValue>, exposed: &'static str) {
    headers.append(VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = origin {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(exposed));
    }
}

fn is_known(origin: &str, settings: &Settings) -> bool {
    let Ok(origin) = normalise_origin(origin) else { return false };
    let own = settings.public_url.as_deref().and_then(|url| normalise_origin(origin_of(url)).ok());
    is_loopback(&origin) || own.as_ref() == Some(&origin) || settings.mcp_origins.contains(&origin)
}

/// The origin at the start of an address.
fn origin_of(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    url[host..].find('/').map_or(url, |end| &url[..host + end])
}

fn is_loopback(origin: &str) -> bool {
    let authority = origin.split_once("://").map_or(origin, |(_, rest)| rest);
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let is_address = host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    is_address || host == "localhost" || host.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_origins() {
        let settings = Settings {
            public_url: Some(String::from("https://stats.example.org/base")),
            mcp_origins: vec![String::from("https://inspector.example.com")],
            ..Settings::default()
        };
        for (origin, known) in [
            ("http://localhost:6274", true),
            ("http://127.0.0.1:3000", true),
            ("http://[::1]:3000", true),
            ("https://app.localhost", true),
            ("https://stats.example.org", true),
            ("https://inspector.example.com", true),
            ("http://stats.example.org", false),
            ("https://evil.example", false),
            ("http://localhost.evil.example", false),
            ("http://127.0.0.1.evil.example", false),
            ("null", false),
            ("", false),
        ] {
            assert_eq!(is_known(origin, &settings), known, "{origin}");
        }
    }
}
