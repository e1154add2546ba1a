//! `get_stats`: counts and distinct visitors.

use schemars::JsonSchema;
use serde::Deserialize;
use tributary_core::error::Result;
use tributary_service::input::{BotRule, Window};
use tributary_service::reach::Reach;
use tributary_service::stats::{DEFAULT_LIMIT, StatsInput, StatsInterval, StatsMetric, StatsOutput};

use super::shared;
use crate::tool::{Cx, Effect, Scope, Span, Tool};

/// The tool.
pub struct GetStats;

/// Its arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// What is counted: `count` for events, `uniques` for distinct visitors (`anonymous_id`), exact.
    #[serde(default)]
    #[schemars(with = "String", extend("enum" = StatsMetric::NAMES, "default" = "count"))]
    metric: StatsMetric,
    #[schemars(description = shared::FROM, length(min = 1, max = 64), example = &"2026-05-01T00:00:00Z")]
    from: String,
    #[schemars(description = shared::TO, length(min = 1, max = 64), example = &"2026-05-17T00:00:00Z")]
    to: String,
    #[schemars(description = shared::EVENT, length(min = 1, max = 128), example = &"signup")]
    event: Option<String>,
    /// Group columns as one comma-separated string, such as `source,medium`. Columns: event_name, source, medium, campaign,
    /// country, device_type, browser, os, path; at most 8. Omit for one number.
    #[schemars(length(min = 1, max = 256), example = &"source,medium")]
    group_by: Option<String>,
    /// Time buckets in the answer's time zone: each row gains `bucket`, the bucket's start. Weeks start on Monday. Omit for one
    /// bucket; buckets without events are left out.
    #[serde(default)]
    #[schemars(with = "String", extend("enum" = StatsInterval::NAMES), example = &"day")]
    interval: Option<StatsInterval>,
    #[serde(default)]
    #[schemars(description = shared::BOTS, with = "String", extend("enum" = BotRule::NAMES, "default" = "exclude"))]
    bots: BotRule,
    /// Rows at most, 1 to 1000, after ordering by bucket ascending, value descending. `total_rows` says how many there are.
    #[serde(default = "default_limit")]
    #[schemars(range(min = 1, max = 1000))]
    limit: usize,
}

fn default_limit() -> usize {
    DEFAULT_LIMIT
}

impl Tool for GetStats {
    const NAME: &'static str = "get_stats";
    const TITLE: &'static str = "Get statistics";
    const DESCRIPTION: &'static str = "Count events or exact distinct visitors in a time range, optionally of one event name, \
        grouped by columns and split into hours, days, weeks or months. Use it for totals, trends and breakdowns, such as daily \
        signups by country. Each row holds the group columns, `bucket` with an interval, and `value`.";
    const SCOPE: Scope = Scope::Read;
    const EFFECT: Effect = Effect::Reads;
    const SPAN: Span = Span::Selected;
    const EXAMPLES: &'static [&'static str] = &[
        r#"{"metric":"uniques","from":"2026-05-01T00:00:00Z","to":"2026-05-17T00:00:00Z","group_by":"source,medium","interval":"day"}"#,
        r#"{"from":"2026-05-01","to":"2026-06-01","event":"signup","group_by":"country"}"#,
    ];
    type Input = Input;
    type Output = StatsOutput;

    async fn call(cx: &Cx<'_>, input: Input) -> Result<StatsOutput> {
        let Input { metric, from, to, event, group_by, interval, bots, limit } = input;
        let group_by = group_by.map(|text| cx.columns.parse(&text)).transpose()?.unwrap_or_default();
        let input = StatsInput { window: Window { from, to, bots }, metric, event, group_by, interval, limit };
        cx.service.stats(Reach::over(cx.workspaces)?, &input).await
    }

    fn text(output: &StatsOutput) -> serde_json::Result<String> {
        serde_json::to_string(&output.rows)
    }
}
