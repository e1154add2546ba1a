//! `compare_projects`: projects ranked by one number.

use schemars::JsonSchema;
use serde::Deserialize;
use tributary_core::error::Result;
use tributary_service::compare::{CompareInput, CompareOutput};
use tributary_service::input::{BotRule, Window};
use tributary_service::reach::Reach;
use tributary_service::stats::StatsMetric;

use super::shared;
use crate::tool::{Cx, Effect, Scope, Span, Tool};

/// The tool.
pub struct CompareProjects;

/// Its arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    #[schemars(description = shared::FROM, length(min = 1, max = 64), example = &"2026-05-10T00:00:00Z")]
    from: String,
    #[schemars(description = shared::TO, length(min = 1, max = 64), example = &"2026-05-17T00:00:00Z")]
    to: String,
    /// What projects are ranked by: `count` for events, `uniques` for distinct visitors (`anonymous_id`), exact.
    #[serde(default)]
    #[schemars(with = "String", extend("enum" = StatsMetric::NAMES, "default" = "count"))]
    metric: StatsMetric,
    #[schemars(description = shared::EVENT, length(min = 1, max = 128), example = &"signup")]
    event: Option<String>,
    #[serde(default)]
    #[schemars(description = shared::BOTS, with = "String", extend("enum" = BotRule::NAMES, "default" = "exclude"))]
    bots: BotRule,
}

impl Tool for CompareProjects {
    const NAME: &'static str = "compare_projects";
    const TITLE: &'static str = "Compare projects";
    const DESCRIPTION: &'static str = "Rank every project this key can read by events or exact distinct visitors in a time \
        range, largest first, projects without events included. Use it for questions such as which app had the most traffic this \
        week.";
    const SCOPE: Scope = Scope::Read;
    const EFFECT: Effect = Effect::Reads;
    const SPAN: Span = Span::Selected;
    const EXAMPLES: &'static [&'static str] =
        &[r#"{"from":"2026-05-10T00:00:00Z","to":"2026-05-17T00:00:00Z","metric":"uniques"}"#];
    type Input = Input;
    type Output = CompareOutput;

    async fn call(cx: &Cx<'_>, input: Input) -> Result<CompareOutput> {
        let Input { from, to, metric, event, bots } = input;
        let input = CompareInput { window: Window { from, to, bots }, metric, event };
        cx.service.compare_projects(Reach::over(cx.workspaces)?, &input).await
    }

    fn text(output: &CompareOutput) -> serde_json::Result<String> {
        serde_json::to_string(&output.rows)
    }
}
