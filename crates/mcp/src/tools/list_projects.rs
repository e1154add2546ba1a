//! `list_projects`: what the key can read.

use schemars::JsonSchema;
use serde::Deserialize;
use tributary_core::error::Result;
use tributary_service::projects::ProjectsOutput;

use crate::tool::{Cx, Effect, Scope, Span, Tool};

/// The tool.
pub struct ListProjects;

/// It takes no arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {}

impl Tool for ListProjects {
    const NAME: &'static str = "list_projects";
    const TITLE: &'static str = "List projects";
    const DESCRIPTION: &'static str = "List every project this key can read: id, slug, name, time zone, currency, and the times \
        of its first and last event. Start here; the ids and slugs narrow the other tools to single projects.";
    const SCOPE: Scope = Scope::Read;
    const EFFECT: Effect = Effect::Reads;
    const SPAN: Span = Span::Everything;
    const EXAMPLES: &'static [&'static str] = &["{}"];
    type Input = Input;
    type Output = ProjectsOutput;

    async fn call(cx: &Cx<'_>, _input: Input) -> Result<ProjectsOutput> {
        cx.service.list_projects(cx.workspaces).await
    }

    fn text(output: &ProjectsOutput) -> serde_json::Result<String> {
        serde_json::to_string(&output.rows)
    }
}
