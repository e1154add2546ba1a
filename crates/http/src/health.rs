//! For whoever runs the process: is it alive, does it want traffic.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tributary_core::error::{Error, Result};

use crate::router::AppState;

/// The process answers.
pub(crate) async fn alive() -> Response {
    Json(json!({ "status": "ok" })).into_response()
}

/// Longest time a store may take before it counts as not answering.
const PATIENCE: Duration = Duration::from_secs(5);

/// The process answers, both its stores too, and it is not shutting down.
pub(crate) async fn ready(State(state): State<AppState>) -> Response {
    let unready = |reason: &str| {
        (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "5")], Json(json!({ "status": "unready", "reason": reason })))
            .into_response()
    };
    if state.draining.load(Ordering::Relaxed) {
        return unready("shutting down");
    }
    for (store, answered) in [
        ("the control plane", answers(state.service.check_control()).await),
        ("the event store", answers(state.service.check_events()).await),
    ] {
        if let Err(error) = answered {
            tracing::error!(error = %error.chain(), "{store} does not answer");
            return unready(&format!("{store} does not answer"));
        }
    }
    Json(json!({ "status": "ready" })).into_response()
}

async fn answers(check: impl Future<Output = Result<()>>) -> Result<()> {
    tokio::time::timeout(PATIENCE, check).await.unwrap_or_else(|_| Err(Error::internal("it took too long")))
}
