//! `GET /openapi.json`: the REST routes as an OpenAPI 3.1 document. The server address is relative, so it is true on any host.

use axum::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

/// The document. `tests/documented` holds real answers of a running server against its schemas.
pub const DOCUMENT: &str = include_str!("../../assets/openapi.json");

/// Serves the document.
pub async fn document() -> Response {
    let headers =
        [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "public, max-age=300"), (ACCESS_CONTROL_ALLOW_ORIGIN, "*")];
    (headers, DOCUMENT).into_response()
}
