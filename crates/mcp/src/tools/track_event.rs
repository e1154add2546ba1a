//! `track_event`: emit one event.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use tributary_core::error::Result;
use tributary_ingest::draft::Draft;
use tributary_service::admission::only_workspace;
use tributary_service::rate::Route;
use tributary_service::send::TrackOutput;

use crate::tool::{Cx, Effect, Scope, Span, Tool};

/// The tool.
pub struct TrackEvent;

/// Its arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// What happened, 1 to 128 characters; snake_case and past tense read best, such as `agent_task_completed`.
    #[schemars(length(min = 1, max = 128), example = &"agent_task_completed")]
    event: String,
    /// Your own id of this event, 1 to 128 characters. Sent again with the same id, the event counts once: use it to retry
    /// safely.
    #[schemars(length(min = 1, max = 128))]
    event_id: Option<String>,
    /// When it happened, ISO 8601 such as `2026-05-10T12:00:00Z`, from the year 2000 to at most 24 hours ahead. Default: now.
    #[schemars(length(min = 1, max = 64))]
    timestamp: Option<String>,
    /// The visitor or device it belongs to, 1 to 128 characters. Default: a fresh random id, which links it to nothing else.
    #[schemars(length(min = 1, max = 128), example = &"agent_001")]
    anonymous_id: Option<String>,
    /// The signed-in person, as your own system names them, 1 to 256 characters.
    #[schemars(length(min = 1, max = 256), example = &"user_42")]
    user_id: Option<String>,
    /// The session, 1 to 128 characters. Default: the visitor's id and the half hour of `timestamp`.
    #[schemars(length(min = 1, max = 128))]
    session_id: Option<String>,
    /// Address of the page, an absolute URL of at most 2048 characters; its utm_* parameters and click ids decide source and
    /// medium.
    #[schemars(length(min = 1, max = 2048))]
    url: Option<String>,
    /// Path of the page, at most 2048 characters. Default: the path of `url`.
    #[schemars(length(min = 1, max = 2048))]
    path: Option<String>,
    /// Address of the page that linked here, at most 2048 characters.
    #[schemars(length(max = 2048))]
    referrer: Option<String>,
    /// Free-form facts about the event: an object of at most 8192 bytes as JSON. Put units into names (`duration_ms`,
    /// `amount_cents` with `currency`); no personal data.
    #[schemars(example = serde_json::json!({ "task": "refactor_billing", "duration_ms": 12400 }))]
    properties: Option<Map<String, Value>>,
}

impl Tool for TrackEvent {
    const NAME: &'static str = "track_event";
    const TITLE: &'static str = "Track an event";
    const DESCRIPTION: &'static str = "Emit one event into this project, for example to record work an agent has done. The event \
        is stored before the answer and visible to the next question. Needs a secret key (sk_).";
    const SCOPE: Scope = Scope::Ingest;
    const EFFECT: Effect = Effect::Adds;
    const SPAN: Span = Span::Selected;
    const ROUTE: Option<Route> = Some(Route::Track);
    const EXAMPLES: &'static [&'static str] = &[
        r#"{"event":"agent_task_completed","anonymous_id":"agent_001","user_id":"user_42","properties":{"task":"refactor_billing","duration_ms":12400}}"#,
    ];
    type Input = Input;
    type Output = TrackOutput;

    async fn call(cx: &Cx<'_>, input: Input) -> Result<TrackOutput> {
        let draft = Draft {
            event: Some(input.event),
            event_id: input.event_id,
            timestamp: input.timestamp,
            anonymous_id: input.anonymous_id,
            user_id: input.user_id,
            session_id: input.session_id,
            url: input.url,
            path: input.path,
            referrer: input.referrer,
            properties: input.properties.map(Into::into),
            ..Draft::default()
        };
        cx.service.track_draft(only_workspace(cx.caller)?, draft, cx.arrival).await
    }

    fn text(output: &TrackOutput) -> serde_json::Result<String> {
        serde_json::to_string(output)
    }
}
