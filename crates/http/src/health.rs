//! For whoever runs the process: is it alive, does it want traffic.

use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::router::AppState;

/// The process answers.
pub(crate) async fn alive() -> Response {
    Json(json!({ "status": "ok" })).into_response()
}

/// The process answers, its control plane too, and it is not shutting down.
pub(crate) async fn ready(State(state): State<AppState>) -> Response {
    let unready = |reason: &str| {
        (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "5")], Json(json!({ "status": "unready", "reason": reason })))
            .into_response()
    };
    if state.draining.load(Ordering::Relaxed) {
        return unready("shutting down");
    }
    match state.service.control.list_accounts().await {
        Ok(_) => Json(json!({ "status": "ready" })).into_response(),
        Err(error) => {
            tracing::error!(error = %error.chain(), "the control plane does not answer");
            unready("the control plane does not answer")
        }
    }
}
