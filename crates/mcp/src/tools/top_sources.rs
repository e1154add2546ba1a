//! `top_sources`: traffic by source, paid and organic apart.

use schemars::JsonSchema;
use serde::Deserialize;
use tributary_core::error::Result;
use tributary_service::input::{BotRule, Window};
use tributary_service::reach::Reach;
use tributary_service::sources::{Breakdown, DEFAULT_LIMIT, SourcesInput, SourcesOutput};

use super::shared;
use crate::tool::{Cx, Effect, Scope, Span, Tool};

/// The tool.
pub struct TopSources;

/// Its arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    #[schemars(description = shared::FROM, length(min = 1, max = 64), example = &"2026-05-01T00:00:00Z")]
    from: String,
    #[schemars(description = shared::TO, length(min = 1, max = 64), example = &"2026-06-01T00:00:00Z")]
    to: String,
    /// `source_medium` gives one row per source and medium, so that facebook/paid and facebook/social stand apart; `source`
    /// gives one row per source.
    #[serde(default)]
    #[schemars(with = "String", extend("enum" = Breakdown::NAMES, "default" = "source_medium"))]
    breakdown: Breakdown,
    #[serde(default)]
    #[schemars(description = shared::BOTS, with = "String", extend("enum" = BotRule::NAMES, "default" = "exclude"))]
    bots: BotRule,
    /// Rows at most, 1 to 200, those with the most events first. `total_rows` says how many there are.
    #[serde(default = "default_limit")]
    #[schemars(range(min = 1, max = 200))]
    limit: usize,
}

fn default_limit() -> usize {
    DEFAULT_LIMIT
}

impl Tool for TopSources {
    const NAME: &'static str = "top_sources";
    const TITLE: &'static str = "Top sources";
    const DESCRIPTION: &'static str = "Rank traffic sources of a time range: events, exact distinct visitors and the share of \
        paid traffic per source and medium. Use it to see where visitors come from and to tell paid from organic traffic, such as \
        the split between Facebook ads and Facebook posts.";
    const SCOPE: Scope = Scope::Read;
    const EFFECT: Effect = Effect::Reads;
    const SPAN: Span = Span::Selected;
    const EXAMPLES: &'static [&'static str] = &[
        r#"{"from":"2026-05-01T00:00:00Z","to":"2026-06-01T00:00:00Z","breakdown":"source_medium","limit":20}"#,
        r#"{"from":"2026-05-01","to":"2026-06-01","breakdown":"source"}"#,
    ];
    type Input = Input;
    type Output = SourcesOutput;

    async fn call(cx: &Cx<'_>, input: Input) -> Result<SourcesOutput> {
        let Input { from, to, breakdown, bots, limit } = input;
        let input = SourcesInput { window: Window { from, to, bots }, breakdown, limit };
        cx.service.sources(Reach::over(cx.workspaces)?, &input).await
    }

    fn text(output: &SourcesOutput) -> serde_json::Result<String> {
        serde_json::to_string(&output.rows)
    }
}
