//! `funnel`: how many visitors come how far.

use schemars::JsonSchema;
use serde::Deserialize;
use tributary_core::error::Result;
use tributary_service::funnel::{FunnelBreakdown, FunnelInput, FunnelOutput, Order};
use tributary_service::input::{BotRule, Window};
use tributary_service::reach::Reach;

use super::shared;
use crate::tool::{Cx, Effect, Scope, Span, Tool};

/// The tool.
pub struct Funnel;

/// Its arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    #[schemars(description = shared::FROM, length(min = 1, max = 64), example = &"2026-05-01T00:00:00Z")]
    from: String,
    #[schemars(description = shared::TO, length(min = 1, max = 64), example = &"2026-06-01T00:00:00Z")]
    to: String,
    /// The event names in order, 2 to 10 of 1 to 128 characters each. Every step must fall into the range. Names in use:
    /// resource schema://events.
    #[schemars(length(min = 2, max = 10), inner(length(min = 1, max = 128)), example = ["$pageview", "signup", "purchase"])]
    steps: Vec<String>,
    /// Longest time from the first step to the last, in seconds, 1 to 315360000; 604800 is a week. Omit for the whole range.
    #[schemars(range(min = 1, max = 315_360_000), example = 604_800)]
    window_seconds: Option<u64>,
    /// What "in order" means. `ordered`: the best chain of events a visitor has, each step at or after the one before, anything
    /// in between. `first_times`: only the first time of each step's event counts, which must not lie before the first time of
    /// the step before; a visitor who repeats an early step later is judged by the first time alone.
    #[serde(default)]
    #[schemars(with = "String", extend("enum" = ["ordered", "first_times"], "default" = "ordered"))]
    mode: Order,
    /// `source` gives the steps per source of the visitor's first event in the range (first touch), at most 50 sources;
    /// `overall` then holds the steps over all of them. Omit for one funnel.
    #[serde(default)]
    #[schemars(with = "String", extend("enum" = ["source"]))]
    breakdown: Option<FunnelBreakdown>,
    #[serde(default)]
    #[schemars(description = shared::BOTS, with = "String", extend("enum" = BotRule::NAMES, "default" = "exclude"))]
    bots: BotRule,
}

impl Tool for Funnel {
    const NAME: &'static str = "funnel";
    const TITLE: &'static str = "Funnel";
    const DESCRIPTION: &'static str = "Count how many visitors go through 2 to 10 events in order within a time range, with the \
        conversion from the previous and from the first step in per cent. Use it for sign-up and checkout flows and to find the \
        step where visitors drop off.";
    const SCOPE: Scope = Scope::Read;
    const EFFECT: Effect = Effect::Reads;
    const SPAN: Span = Span::Selected;
    const EXAMPLES: &'static [&'static str] = &[
        r#"{"from":"2026-05-01T00:00:00Z","to":"2026-06-01T00:00:00Z","steps":["$pageview","signup","purchase"]}"#,
        r#"{"from":"2026-05-01","to":"2026-06-01","steps":["$pageview","signup"],"window_seconds":604800,"breakdown":"source"}"#,
    ];
    type Input = Input;
    type Output = FunnelOutput;

    async fn call(cx: &Cx<'_>, input: Input) -> Result<FunnelOutput> {
        let Input { from, to, steps, window_seconds, mode, breakdown, bots } = input;
        let input = FunnelInput { window: Window { from, to, bots }, steps, window_seconds, mode, breakdown };
        cx.service.funnel(Reach::over(cx.workspaces)?, &input).await
    }

    fn text(output: &FunnelOutput) -> serde_json::Result<String> {
        serde_json::to_string(&output.rows)
    }
}
