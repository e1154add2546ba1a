//! JSON in, JSON out, and how a refusal looks.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use tributary_core::error::{Code, Error};

/// A refusal on the wire.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refusal {
    /// The closed code.
    pub error: String,
    /// The sentence for the operator.
    pub message: String,
    /// Machine-readable details.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Value>,
    /// The chain of causes. Unlike on the public doors it is shown: the reader owns the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

impl Refusal {
    /// The error a client of this API raises.
    pub fn into_error(self) -> Error {
        let error = Error::new(Code::parse(&self.error).unwrap_or(Code::Internal), self.message);
        let error = match self.details {
            Some(details) => error.with_details(details),
            None => error,
        };
        match self.cause {
            Some(cause) => error.caused_by(cause),
            None => error,
        }
    }
}

/// An [`Error`] as an answer of this API.
pub(super) struct Refused(Error);

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Self(error) = self;
        let status = match error.code() {
            Code::InvalidPayload | Code::InvalidParams | Code::InvalidGroupBy | Code::QuestionTooLarge => StatusCode::BAD_REQUEST,
            Code::NotFound => StatusCode::NOT_FOUND,
            Code::Conflict => StatusCode::CONFLICT,
            Code::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let mut causes = Vec::new();
        let mut cause = std::error::Error::source(&error);
        while let Some(step) = cause {
            causes.push(step.to_string());
            cause = step.source();
        }
        let refusal = Refusal {
            error: error.code().as_str().to_owned(),
            message: error.message().to_owned(),
            details: error.details().cloned(),
            cause: (!causes.is_empty()).then(|| causes.join(": ")),
        };
        (status, Json(refusal)).into_response()
    }
}

/// A JSON body, read strictly.
pub(super) struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|error| Error::new(Code::PayloadTooLarge, "the request body cannot be read").caused_by(error))?;
        let value = serde_json::from_slice(&bytes)
            .map_err(|error| Error::new(Code::InvalidPayload, format!("the request body is not accepted: {error}")))?;
        Ok(Self(value))
    }
}

pub(super) async fn unknown_route() -> Refused {
    // Reached only when client and server are of different versions.
    Error::new(Code::NotFound, "the running server does not know this command; use the same version of tributary for both").into()
}
