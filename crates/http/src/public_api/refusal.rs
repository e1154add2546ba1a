//! How refusals look here: `{"message", "error", "errors"?}`, and 422 for what fails its checks.

use axum::Json;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use tributary_core::error::{Code, Error};

use super::{RATE_LIMIT, RATE_REMAINING};
use crate::refusal::{retry_after_s, status_of};

/// An [`Error`] as an answer of `/public-api`.
#[derive(Debug)]
pub(crate) struct PublicRefusal(pub Error);

impl From<Error> for PublicRefusal {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for PublicRefusal {
    fn into_response(self) -> Response {
        let Self(error) = self;
        let status = match error.code() {
            Code::InvalidParams | Code::InvalidPayload => StatusCode::UNPROCESSABLE_ENTITY,
            code => status_of(code),
        };
        let mut body = Map::new();
        if status.is_server_error() {
            tracing::error!(code = error.code().as_str(), error = %error.chain(), "a request failed");
        }
        let message = match error.code() {
            // The inside of a fault stays in the log.
            Code::Internal | Code::UpstreamFailed | Code::ForgetFailed => "the request failed on our side and may be sent again",
            _ => error.message(),
        };
        body.insert(String::from("message"), json!(message));
        body.insert(String::from("error"), json!(error.code().as_str()));
        if let Some(errors) = error.details().and_then(|details| details.get("fieldErrors")) {
            body.insert(String::from("errors"), errors.clone());
        }
        let mut response = (status, Json(Value::Object(body))).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = retry_after_s(&error) {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        let limit = error.details().and_then(|details| details.get("limit")).and_then(Value::as_u64);
        if let (Code::RateLimited, Some(limit)) = (error.code(), limit) {
            headers.insert(RATE_LIMIT, HeaderValue::from(limit));
            headers.insert(RATE_REMAINING, HeaderValue::from(0));
        }
        response
    }
}
