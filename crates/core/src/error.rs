//! One error shape: a closed [`Code`], a message, details, and a cause that only the log sees.

use serde_json::Value;
use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

/// Everything that can go wrong, as callers may need to tell it apart. Doors translate codes to their own dialect in one
/// `match` each. Add variants thoughtfully: every one is a promise to every caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// A request body that fails its schema. Details: `fieldErrors`.
    InvalidPayload,
    /// Query parameters or tool arguments that fail their schema.
    InvalidParams,
    /// A column that cannot be grouped by. Details: `allowed`.
    InvalidGroupBy,
    /// No `Authorization` header.
    MissingBearerToken,
    /// A token without the four-part shape.
    MalformedApiKey,
    /// An unknown or revoked key, or a secret that does not verify.
    InvalidApiKey,
    /// The stored kind differs from the token's.
    KeyKindMismatch,
    /// This kind of key may not enter here.
    KeyKindNotAllowed,
    /// Only account keys enter here.
    AccountKeyRequired,
    /// Only secret keys may forget a person.
    ForgetRequiresSecretKey,
    /// A publishable key used from an origin that is not listed.
    OriginNotAllowed,
    /// The credential's scope does not cover the operation. Details: `required`, `got`.
    InsufficientScope,
    /// The plan does not include the feature.
    PlanLimit,
    /// Too many requests. Details: `retry_after_s`.
    RateLimited,
    /// A thing that does not exist for this caller.
    NotFound,
    /// No workspace with that id is visible to the key.
    UnknownProjectId,
    /// No workspace with that slug is visible to the key.
    UnknownProjectSlug,
    /// The account key sees no workspace.
    NoProjectsVisible,
    /// Something with that name exists already, or the state forbids the change.
    Conflict,
    /// The body, or what it decompresses to, is larger than the bound.
    PayloadTooLarge,
    /// A media type or content encoding nobody here reads.
    UnsupportedMediaType,
    /// A question that exceeds a named bound (rows, groups, buckets, time). Details say which.
    QuestionTooLarge,
    /// A queue is full: come back later. Details: `retry_after_s`.
    Overloaded,
    /// The caller went away before the answer. Nobody reads it; it stands in records.
    Cancelled,
    /// Forgetting a person failed in the store.
    ForgetFailed,
    /// A store that should answer did not.
    UpstreamFailed,
    /// A fault of ours.
    Internal,
}

impl Code {
    /// Every code.
    pub const ALL: [Code; 27] = [
        Code::InvalidPayload,
        Code::InvalidParams,
        Code::InvalidGroupBy,
        Code::MissingBearerToken,
        Code::MalformedApiKey,
        Code::InvalidApiKey,
        Code::KeyKindMismatch,
        Code::KeyKindNotAllowed,
        Code::AccountKeyRequired,
        Code::ForgetRequiresSecretKey,
        Code::OriginNotAllowed,
        Code::InsufficientScope,
        Code::PlanLimit,
        Code::RateLimited,
        Code::NotFound,
        Code::UnknownProjectId,
        Code::UnknownProjectSlug,
        Code::NoProjectsVisible,
        Code::Conflict,
        Code::PayloadTooLarge,
        Code::UnsupportedMediaType,
        Code::QuestionTooLarge,
        Code::Overloaded,
        Code::Cancelled,
        Code::ForgetFailed,
        Code::UpstreamFailed,
        Code::Internal,
    ];

    /// The code with this stable name.
    pub fn parse(name: &str) -> Option<Code> {
        Code::ALL.into_iter().find(|code| code.as_str() == name)
    }

    /// The stable snake_case name, as REST callers see it.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::InvalidPayload => "invalid_payload",
            Code::InvalidParams => "invalid_params",
            Code::InvalidGroupBy => "invalid_group_by",
            Code::MissingBearerToken => "missing_bearer_token",
            Code::MalformedApiKey => "malformed_api_key",
            Code::InvalidApiKey => "invalid_api_key",
            Code::KeyKindMismatch => "key_kind_mismatch",
            Code::KeyKindNotAllowed => "key_kind_not_allowed",
            Code::AccountKeyRequired => "account_key_required",
            Code::ForgetRequiresSecretKey => "forget_requires_secret_key",
            Code::OriginNotAllowed => "origin_not_allowed",
            Code::InsufficientScope => "insufficient_scope",
            Code::PlanLimit => "plan_limit",
            Code::RateLimited => "rate_limited",
            Code::NotFound => "not_found",
            Code::UnknownProjectId => "unknown_project_id",
            Code::UnknownProjectSlug => "unknown_project_slug",
            Code::NoProjectsVisible => "no_projects_visible",
            Code::Conflict => "conflict",
            Code::PayloadTooLarge => "payload_too_large",
            Code::UnsupportedMediaType => "unsupported_media_type",
            Code::QuestionTooLarge => "question_too_large",
            Code::Overloaded => "overloaded",
            Code::Cancelled => "cancelled",
            Code::ForgetFailed => "forget_failed",
            Code::UpstreamFailed => "upstream_failed",
            Code::Internal => "internal_error",
        }
    }
}

/// The error every layer returns. `Display` describes this step only; the cause is for the log.
#[derive(Debug)]
pub struct Error {
    code: Code,
    message: Cow<'static, str>,
    details: Option<Value>,
    cause: Option<Box<dyn StdError + Send + Sync>>,
}

/// The result every layer returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error with a code and a sentence: lower case, names the thing, says what would be accepted, no full stop.
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), details: None, cause: None }
    }

    /// A fault of ours, with the step that failed.
    pub fn internal(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::Internal, message)
    }

    /// Adds machine-readable details.
    #[must_use]
    pub fn with_details(mut self, details: Value) -> Self {
        self.details = Some(details);
        self
    }

    /// Keeps the cause for the log.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// The closed code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The sentence for the caller.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Machine-readable details, if any.
    pub fn details(&self) -> Option<&Value> {
        self.details.as_ref()
    }

    /// The whole chain of causes on one line, for logs only.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause: Option<&dyn StdError> = self.cause.as_ref().map(|cause| cause.as_ref() as &dyn StdError);
        while let Some(step) = cause {
            text.push_str(": ");
            text.push_str(&step.to_string());
            cause = step.source();
        }
        text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause.as_ref().map(|cause| cause.as_ref() as &(dyn StdError + 'static))
    }
}
