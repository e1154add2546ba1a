//! How refusals look over HTTP: one `match` for the REST dialect, which the MCP doors use for what they refuse before a call.

use axum::Json;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use tributary_core::error::{Code, Error};

/// An [`Error`] as an answer.
#[derive(Debug)]
pub(crate) struct Refusal(pub Error);

/// What a route answers.
pub(crate) type Answered<T> = Result<T, Refusal>;

/// How long a caller is asked to wait when a store does not answer, seconds.
const UPSTREAM_RETRY_S: u64 = 5;

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(error) = self;
        let status = status_of(error.code());
        if status.is_server_error() {
            tracing::error!(code = error.code().as_str(), error = %error.chain(), "a request failed");
        }
        let mut response = (status, Json(body_of(&error))).into_response();
        if let Some(seconds) = retry_after_s(&error) {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// No such route.
pub(crate) async fn unknown_route() -> Response {
    let message = "there is no such route; /docs and /openapi.json list those there are";
    (StatusCode::NOT_FOUND, Json(json!({ "error": "not_found", "message": message }))).into_response()
}

/// The route exists, the method does not; `Allow` says which do.
pub(crate) async fn method_not_allowed() -> Response {
    let message = "this route does not take this method; the header `allow` lists those it takes";
    (StatusCode::METHOD_NOT_ALLOWED, Json(json!({ "error": "method_not_allowed", "message": message }))).into_response()
}

pub(crate) fn status_of(code: Code) -> StatusCode {
    match code {
        Code::InvalidPayload | Code::InvalidParams | Code::InvalidGroupBy | Code::QuestionTooLarge => StatusCode::BAD_REQUEST,
        Code::MissingBearerToken | Code::MalformedApiKey | Code::InvalidApiKey | Code::KeyKindMismatch => {
            StatusCode::UNAUTHORIZED
        }
        Code::PlanLimit => StatusCode::PAYMENT_REQUIRED,
        Code::KeyKindNotAllowed
        | Code::AccountKeyRequired
        | Code::ForgetRequiresSecretKey
        | Code::OriginNotAllowed
        | Code::InsufficientScope => StatusCode::FORBIDDEN,
        Code::NotFound | Code::UnknownProjectId | Code::UnknownProjectSlug | Code::NoProjectsVisible => StatusCode::NOT_FOUND,
        Code::Conflict => StatusCode::CONFLICT,
        Code::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Code::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Code::ForgetFailed | Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        Code::UpstreamFailed => StatusCode::BAD_GATEWAY,
        Code::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
        // Nobody is there to read it.
        Code::Cancelled => StatusCode::REQUEST_TIMEOUT,
    }
}

/// `{"error", "message", "details"?}`; the two documented exceptions carry their member at the top.
fn body_of(error: &Error) -> Value {
    let mut body = Map::new();
    body.insert(String::from("error"), json!(error.code().as_str()));
    match error.code() {
        Code::RateLimited => {
            body.insert(String::from("retry_after_s"), json!(retry_after_s(error)));
        }
        // The inside of a fault stays in the log.
        Code::Internal | Code::UpstreamFailed | Code::ForgetFailed => {
            body.insert(String::from("message"), json!("the request failed on our side and may be sent again"));
        }
        code => {
            body.insert(String::from("message"), json!(error.message()));
            if let (Code::InvalidGroupBy, Some(allowed)) = (code, error.details().and_then(|details| details.get("allowed"))) {
                body.insert(String::from("allowed"), allowed.clone());
            }
            if let Some(details) = error.details() {
                body.insert(String::from("details"), details.clone());
            }
        }
    }
    Value::Object(body)
}

pub(crate) fn retry_after_s(error: &Error) -> Option<u64> {
    let told = error.details().and_then(|details| details.get("retry_after_s")).and_then(Value::as_u64);
    match error.code() {
        Code::RateLimited | Code::Overloaded => Some(told.unwrap_or(1)),
        Code::UpstreamFailed => Some(told.unwrap_or(UPSTREAM_RETRY_S)),
        _ => None,
    }
}
