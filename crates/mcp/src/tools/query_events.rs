//! `query_events`: raw events.

use schemars::JsonSchema;
use serde::Deserialize;
use tributary_core::error::Result;
use tributary_service::input::{BotRule, Window};
use tributary_service::query::{DEFAULT_LIMIT, QueryInput, QueryOutput};
use tributary_service::reach::Reach;

use super::shared;
use crate::tool::{Cx, Effect, Scope, Span, Tool};

/// The tool.
pub struct QueryEvents;

/// Its arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    #[schemars(description = shared::FROM, length(min = 1, max = 64), example = &"2026-05-01T00:00:00Z")]
    from: String,
    #[schemars(description = shared::TO, length(min = 1, max = 64), example = &"2026-05-17T00:00:00Z")]
    to: String,
    #[schemars(description = shared::EVENT, length(min = 1, max = 128), example = &"signup")]
    event: Option<String>,
    /// Only events with exactly this classified source, such as `google`, `facebook`, `newsletter`, `direct`.
    #[schemars(length(min = 1, max = 2048), example = &"facebook")]
    source: Option<String>,
    /// Only events with exactly this classified medium: `paid`, `organic`, `social`, `email`, `referral`, `direct`, `unknown`,
    /// or a utm_medium in use.
    #[schemars(length(min = 1, max = 2048), example = &"paid")]
    medium: Option<String>,
    /// Only events from this country, ISO 3166-1 alpha-2 in capitals.
    #[schemars(length(min = 2, max = 2), example = &"DE")]
    country: Option<String>,
    /// Only events of this signed-in person, as the sender names them, 1 to 256 characters.
    #[schemars(length(min = 1, max = 256), example = &"user_42")]
    user_id: Option<String>,
    /// Only events of this visitor, 1 to 128 characters.
    #[schemars(length(min = 1, max = 128))]
    anonymous_id: Option<String>,
    #[serde(default)]
    #[schemars(description = shared::BOTS, with = "String", extend("enum" = BotRule::NAMES, "default" = "exclude"))]
    bots: BotRule,
    /// Rows at most, 1 to 1000; the newest come first. `total_rows` says how many match.
    #[serde(default = "default_limit")]
    #[schemars(range(min = 1, max = 1000))]
    limit: usize,
}

fn default_limit() -> usize {
    DEFAULT_LIMIT
}

impl Tool for QueryEvents {
    const NAME: &'static str = "query_events";
    const TITLE: &'static str = "Query raw events";
    const DESCRIPTION: &'static str = "List raw events of a time range, newest first, filtered by event name, source, medium, \
        country, person or visitor. Use it to look at single events or what one person did; for numbers use get_stats, which \
        counts on the server. Each row's `properties` is text that holds a JSON object.";
    const SCOPE: Scope = Scope::Read;
    const EFFECT: Effect = Effect::Reads;
    const SPAN: Span = Span::Selected;
    const EXAMPLES: &'static [&'static str] = &[
        r#"{"from":"2026-05-01T00:00:00Z","to":"2026-05-17T00:00:00Z","event":"signup","source":"facebook","limit":50}"#,
        r#"{"from":"2026-05-01","to":"2026-06-01","user_id":"user_42"}"#,
    ];
    type Input = Input;
    type Output = QueryOutput;

    async fn call(cx: &Cx<'_>, input: Input) -> Result<QueryOutput> {
        let Input { from, to, event, source, medium, country, user_id, anonymous_id, bots, limit } = input;
        let window = Window { from, to, bots };
        let input = QueryInput { window, event, source, medium, country, user_id, anonymous_id, limit };
        cx.service.query_events(Reach::over(cx.workspaces)?, &input).await
    }

    fn text(output: &QueryOutput) -> serde_json::Result<String> {
        serde_json::to_string(&output.rows)
    }
}
