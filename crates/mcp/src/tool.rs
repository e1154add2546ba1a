//! What a tool is: declared once, in its own file, listed once, served by every door that has it in its catalogue.

use std::pin::Pin;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tributary_control::{Caller, WorkspaceAccess};
use tributary_core::credential::KeyKind;
use tributary_core::error::{Code, Error, Result};
use tributary_ingest::arrival::Arrival;
use tributary_service::rate::Route;
use tributary_service::service::Service;
use tributary_service::stats::ColumnSet;

use crate::schema;

/// One thing an agent can do. The file that implements it is the only place that describes it.
pub trait Tool: 'static {
    /// The name agents call.
    const NAME: &'static str;
    /// The name people see.
    const TITLE: &'static str;
    /// What it does and when to use it: written for a model that has to choose.
    const DESCRIPTION: &'static str;
    /// What the caller's key must cover.
    const SCOPE: Scope;
    /// What it does to the world.
    const EFFECT: Effect;
    /// Which projects a call looks at.
    const SPAN: Span;
    /// The REST route whose rate limit it inherits.
    const ROUTE: Option<Route> = None;
    /// Arguments that work, as JSON objects: shown in errors and docs, run by tests.
    const EXAMPLES: &'static [&'static str];
    /// The arguments.
    type Input: DeserializeOwned + JsonSchema + Send;
    /// What stands in `structuredContent`: an object.
    type Output: Serialize + JsonSchema + Send;
    /// Calls one use case.
    fn call(cx: &Cx<'_>, input: Self::Input) -> impl Future<Output = Result<Self::Output>> + Send;
    /// What stands in the text block, as JSON: the bare array of rows where there are rows, the whole output otherwise.
    fn text(output: &Self::Output) -> serde_json::Result<String>;
}

/// What a key must cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Asking questions.
    Read,
    /// Sending events.
    Ingest,
}

impl Scope {
    /// The documented name.
    pub fn as_str(self) -> &'static str {
        match self {
            Scope::Read => "read",
            Scope::Ingest => "ingest",
        }
    }

    /// What keys of a kind cover on the MCP doors.
    pub fn granted_to(kind: KeyKind) -> &'static [Scope] {
        match kind {
            KeyKind::Publishable => &[Scope::Ingest],
            KeyKind::Secret => &[Scope::Read, Scope::Ingest],
            KeyKind::Read | KeyKind::Account => &[Scope::Read],
        }
    }
}

/// What a tool does to the world: decides its annotations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Changes nothing.
    Reads,
    /// Adds data, destroys none.
    Adds,
}

/// Which projects a call looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// All the caller may read, or those it names where the door lets it.
    Selected,
    /// All the caller may read, possibly none.
    Everything,
}

/// What a call answered, as JSON text: written once, straight from the output, since an answer of many rows costs more to
/// write than to find.
#[derive(Debug)]
pub(crate) struct Written {
    /// See [`Tool::text`].
    pub text: String,
    /// The output as an object.
    pub structured: String,
}

/// What a call is made with.
pub struct Cx<'a> {
    /// The use cases.
    pub service: &'a Service,
    /// Who calls.
    pub caller: &'a Caller,
    /// The projects the call looks at.
    pub workspaces: &'a [WorkspaceAccess],
    /// The group columns the door offers.
    pub columns: ColumnSet,
    /// How the call came in.
    pub arrival: &'a Arrival,
}

type Running<'a> = Pin<Box<dyn Future<Output = Result<Written>> + Send + 'a>>;

/// A tool, type-erased.
pub struct ToolDef {
    /// See [`Tool::NAME`].
    pub name: &'static str,
    /// See [`Tool::TITLE`].
    pub title: &'static str,
    /// See [`Tool::DESCRIPTION`].
    pub description: &'static str,
    /// See [`Tool::SCOPE`].
    pub scope: Scope,
    /// See [`Tool::EFFECT`].
    pub effect: Effect,
    /// See [`Tool::SPAN`].
    pub span: Span,
    /// See [`Tool::ROUTE`].
    pub route: Option<Route>,
    /// See [`Tool::EXAMPLES`].
    pub examples: &'static [&'static str],
    /// JSON schema (2020-12) of the arguments.
    pub input_schema: fn() -> Value,
    /// JSON schema (2020-12) of `structuredContent`.
    pub output_schema: fn() -> Value,
    pub(crate) run: for<'a> fn(&'a Cx<'a>, Value) -> Running<'a>,
}

impl ToolDef {
    /// The type-erased form of a tool.
    pub const fn of<T: Tool>() -> Self {
        Self {
            name: T::NAME,
            title: T::TITLE,
            description: T::DESCRIPTION,
            scope: T::SCOPE,
            effect: T::EFFECT,
            span: T::SPAN,
            route: T::ROUTE,
            examples: T::EXAMPLES,
            input_schema: schema::input::<T::Input>,
            output_schema: schema::output::<T::Output>,
            run: run::<T>,
        }
    }
}

fn run<'a, T: Tool>(cx: &'a Cx<'a>, arguments: Value) -> Running<'a> {
    Box::pin(async move {
        let input: T::Input = serde_json::from_value(arguments)
            .map_err(|error| Error::new(Code::InvalidParams, format!("the arguments do not fit: {error}")))?;
        let output = T::call(cx, input).await?;
        let unwritable = |error| Error::internal("a tool's result could not be written as JSON").caused_by(error);
        Ok(Written {
            text: T::text(&output).map_err(unwritable)?,
            structured: serde_json::to_string(&output).map_err(unwritable)?,
        })
    })
}
