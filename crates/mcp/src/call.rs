//! One tool call: look up, check, run, word the answer; one audit row, one log line.

use serde_json::{Map, Value, json};
use tributary_control::Caller;
use tributary_core::error::{Code, Error, Result};
use tributary_ingest::arrival::{Arrival, Channel};
use tributary_service::problem::invalid;
use tributary_service::reach::{Reach, zone_of};
use tributary_service::service::Service;

use crate::dialect::{INVALID_PARAMS, RpcError};
use crate::record::Record;
use crate::server::{Answer, Called, OpenDoor, OpenTool, Reply, Request, json_answer};
use crate::tool::{Cx, Effect, Scope, Span, Written};
use crate::{arguments, frame, projects};

/// Answers `tools/call`.
pub(crate) async fn call(
    service: &Service,
    open: &OpenDoor,
    caller: &Caller,
    request: &Request<'_>,
    id: &Value,
    mut params: Map<String, Value>,
) -> Reply {
    let arguments = params.remove("arguments").unwrap_or(Value::Null);
    let named = params.get("name").and_then(Value::as_str);
    let name = named.unwrap_or_default();
    let tool = open.tools.iter().find(|open| open.listed.tool.name == name);
    let record = Record::begin(service, open, caller, request, name, &arguments);
    let outcome = match tool {
        Some(tool) => run(service, open, tool, caller, request, arguments).await.map_err(Failure::Error),
        None if named.is_none() => Err(Failure::Error(invalid("name", "is required: the tool's name, as text"))),
        None => Err(Failure::UnknownTool),
    };
    let reference = record.reference;
    let answer = match &outcome {
        Ok(written) => Answer::Json(200, frame::tool_result(id, written)),
        Err(Failure::UnknownTool) => json_answer(200, &frame::error(id, &unknown_tool(open, caller, name))),
        Err(Failure::Error(error)) if error.code() == Code::RateLimited => Answer::Refused(
            Error::new(Code::RateLimited, error.message().to_owned()).with_details(error.details().cloned().unwrap_or_default()),
        ),
        Err(Failure::Error(error)) => {
            let mut worded = (open.door.dialect)(error);
            if let (true, Some(data)) = (worded.message == "tool_failed", &mut worded.data) {
                data["reference"] = json!(reference.to_string());
            }
            json_answer(200, &frame::error(id, &worded))
        }
    };
    let code = outcome.as_ref().map(|_| ()).map_err(Failure::code);
    let latency_us = record.latency_us();
    let called = Called { door: open.door.name, tool: tool.map(|tool| tool.listed.tool.name), outcome: code, latency_us };
    let size = match &answer {
        Answer::Json(_, text) => text.len() as u64,
        Answer::Accepted | Answer::Refused(_) => 0,
    };
    log(caller, &called, &outcome, &reference.to_string(), size);
    record.end(code, latency_us, size).await;
    Reply { answer, called: Some(called) }
}

enum Failure {
    UnknownTool,
    Error(Error),
}

impl Failure {
    fn code(&self) -> Code {
        match self {
            Failure::UnknownTool => Code::NotFound,
            Failure::Error(error) => error.code(),
        }
    }
}

/// The checks in their order (scope, projects, quota and rate, arguments), then the tool itself.
async fn run(
    service: &Service,
    open: &OpenDoor,
    tool: &OpenTool,
    caller: &Caller,
    request: &Request<'_>,
    arguments: Value,
) -> Result<Written> {
    let definition = tool.listed.tool;
    check_scope(caller, definition.scope)?;
    if definition.span == Span::Selected {
        Reach::over(&caller.workspaces)?;
    }
    if definition.effect == Effect::Adds {
        service.admit_events(caller, definition.route).await?;
    }
    let mut arguments = match arguments {
        Value::Object(arguments) => arguments,
        Value::Null => Map::new(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            return Err(invalid("arguments", "must be an object"));
        }
    };
    arguments::normalise(&tool.input_schema, &mut arguments);
    let example = definition.examples.first().copied().unwrap_or("{}");
    let checked = Value::Object(arguments);
    arguments::check(&tool.input_schema, &tool.validator, example, &checked)?;
    let Value::Object(mut arguments) = checked else { unreachable!("it was built as an object") };
    let workspaces = match (open.door.selects_projects, definition.span) {
        (true, Span::Selected) => projects::select(caller, &mut arguments)?,
        (true, Span::Everything) | (false, Span::Selected | Span::Everything) => caller.workspaces.clone(),
    };
    let zone = zone_of(&workspaces);
    let arrival = Arrival {
        address: request.address,
        user_agent: request.user_agent.map(str::to_owned),
        ..Arrival::new(Channel::Mcp, service.clock.now_us(), zone)
    };
    let cx = Cx { service, caller, workspaces: &workspaces, columns: open.door.columns, arrival: &arrival };
    (definition.run)(&cx, Value::Object(arguments)).await
}

fn check_scope(caller: &Caller, required: Scope) -> Result<()> {
    let granted = Scope::granted_to(caller.kind);
    if granted.contains(&required) {
        return Ok(());
    }
    let got: Vec<&str> = granted.iter().map(|scope| scope.as_str()).collect();
    Err(Error::new(Code::InsufficientScope, "the key does not cover this tool; accepted: a secret key (sk_)")
        .with_details(json!({ "required": required.as_str(), "got": got.join(" ") })))
}

fn unknown_tool(open: &OpenDoor, caller: &Caller, name: &str) -> RpcError {
    let granted = Scope::granted_to(caller.kind);
    let known: Vec<&str> = open
        .tools
        .iter()
        .map(|open| open.listed.tool)
        .filter(|tool| granted.contains(&tool.scope))
        .map(|tool| tool.name)
        .collect();
    let shown: String = name.chars().take(128).collect();
    RpcError::new(INVALID_PARAMS, "unknown_tool", json!({ "tool": shown, "tools": known }))
}

fn log(caller: &Caller, called: &Called, outcome: &Result<Written, Failure>, reference: &str, size: u64) {
    let Called { door, tool, latency_us, .. } = called;
    let (tool, key, account) = (tool.unwrap_or("unknown"), caller.prefix.as_str(), caller.account.id.0);
    match outcome {
        // Sentences about a caller's own mistakes quote the caller; only faults of ours are logged in full.
        Err(Failure::Error(error)) if is_ours(error.code()) => {
            let (code, cause) = (error.code().as_str(), error.chain());
            tracing::error!(door, tool, key, account, latency_us, size, reference, code, cause, "tool call failed");
        }
        Err(Failure::Error(error)) => {
            let code = error.code().as_str();
            tracing::info!(door, tool, key, account, latency_us, size, reference, code, "tool call refused");
        }
        Err(Failure::UnknownTool) => {
            tracing::info!(door, tool, key, account, latency_us, size, reference, code = "unknown_tool", "tool call refused");
        }
        Ok(_) => tracing::info!(door, tool, key, account, latency_us, size, reference, "tool call answered"),
    }
}

fn is_ours(code: Code) -> bool {
    matches!(code, Code::Internal | Code::UpstreamFailed | Code::ForgetFailed)
}
