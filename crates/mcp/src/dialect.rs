//! How errors inside a call are worded: one `match` per dialect.

use serde_json::{Map, Value, json};
use tributary_core::error::{Code, Error};

/// The `error` member of a JSON-RPC response.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RpcError {
    pub code: i64,
    pub message: &'static str,
    pub data: Option<Value>,
}

/// Not a JSON-RPC request.
pub(crate) const INVALID_REQUEST: i64 = -32600;
/// No such method.
pub(crate) const METHOD_NOT_FOUND: i64 = -32601;
/// Bad tool or resource name, bad arguments.
pub(crate) const INVALID_PARAMS: i64 = -32602;
/// The plan does not include the feature.
pub(crate) const PLAN_LIMIT: i64 = -32002;

impl RpcError {
    pub(crate) fn new(code: i64, message: &'static str, data: Value) -> Self {
        Self { code, message, data: Some(data) }
    }

    /// The `error` member.
    pub(crate) fn to_value(&self) -> Value {
        let mut object = Map::new();
        object.insert(String::from("code"), json!(self.code));
        object.insert(String::from("message"), json!(self.message));
        if let Some(data) = &self.data {
            object.insert(String::from("data"), data.clone());
        }
        Value::Object(object)
    }
}

/// Millimetric's documented codes: `message` is the stable name, `data` says the rest.
pub(crate) fn millimetric(error: &Error) -> RpcError {
    match error.code() {
        // The documented data holds these two members and nothing else.
        Code::InsufficientScope => RpcError { code: -32000, message: "insufficient_scope", data: error.details().cloned() },
        Code::PlanLimit => RpcError::new(PLAN_LIMIT, "plan_limit", explained(error)),
        Code::UnknownProjectId => RpcError::new(-32004, "unknown_project_id", explained(error)),
        Code::UnknownProjectSlug => RpcError::new(-32004, "unknown_project_slug", explained(error)),
        Code::NoProjectsVisible => RpcError::new(-32005, "no_projects_visible", explained(error)),
        Code::InvalidParams | Code::InvalidPayload | Code::InvalidGroupBy | Code::QuestionTooLarge | Code::PayloadTooLarge => {
            let mut data = explained(error);
            if error.code() != Code::InvalidParams {
                data["reason"] = json!(error.code().as_str());
            }
            RpcError::new(INVALID_PARAMS, "invalid_params", data)
        }
        Code::NotFound => RpcError::new(INVALID_PARAMS, "unhandled_tool", explained(error)),
        // Faults of ours say their class and nothing of the inside.
        Code::Overloaded | Code::Cancelled | Code::UpstreamFailed | Code::ForgetFailed | Code::Conflict | Code::Internal => {
            let mut data = match error.details() {
                Some(Value::Object(details)) if error.code() == Code::Overloaded => Value::Object(details.clone()),
                _ => json!({}),
            };
            data["reason"] = json!(error.code().as_str());
            RpcError::new(-32000, "tool_failed", data)
        }
        // Answered before a call is framed; worded here all the same, so that none can slip through unnamed.
        Code::MissingBearerToken
        | Code::MalformedApiKey
        | Code::InvalidApiKey
        | Code::KeyKindMismatch
        | Code::KeyKindNotAllowed
        | Code::AccountKeyRequired
        | Code::ForgetRequiresSecretKey
        | Code::OriginNotAllowed
        | Code::RateLimited
        | Code::UnsupportedMediaType => {
            let mut data = explained(error);
            data["reason"] = json!(error.code().as_str());
            RpcError::new(INVALID_REQUEST, "invalid_request", data)
        }
    }
}

/// The error's details and sentence as one object.
fn explained(error: &Error) -> Value {
    let mut data = match error.details() {
        Some(Value::Object(details)) => details.clone(),
        Some(other) => Map::from_iter([(String::from("details"), other.clone())]),
        None => Map::new(),
    };
    data.insert(String::from("message"), json!(error.message()));
    Value::Object(data)
}
