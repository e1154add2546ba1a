//! The doors, opened: schemas compiled once, requests answered.

use std::net::IpAddr;
use std::sync::Arc;

use jsonschema::Validator;
use serde_json::{Map, Value, json};
use tributary_control::Caller;
use tributary_core::error::{Code, Error, Result};
use tributary_service::service::Service;

use crate::dialect::{INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND, PLAN_LIMIT, RpcError};
use crate::door::{DOORS, Door, Listed, PlanRefusal};
use crate::frame::{self, Frame};
use crate::initialize::{REVISIONS, initialize};
use crate::resource::MEDIA_TYPE;
use crate::tool::{Effect, Scope};
use crate::{call, projects};

/// Every door, ready to answer.
pub struct McpServer {
    pub(crate) service: Arc<Service>,
    doors: Vec<OpenDoor>,
}

pub(crate) struct OpenDoor {
    pub door: &'static Door,
    pub tools: Vec<OpenTool>,
}

pub(crate) struct OpenTool {
    pub listed: &'static Listed,
    pub input_schema: Value,
    pub validator: Validator,
    listing: Value,
}

/// A request whose sender has been admitted.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The body, at most as long as the caller of this crate lets it be.
    pub body: &'a [u8],
    /// The header `MCP-Protocol-Version`.
    pub protocol_version: Option<&'a str>,
    /// The client's User-Agent.
    pub user_agent: Option<&'a str>,
    /// The client's address.
    pub address: Option<IpAddr>,
}

/// What goes back.
#[derive(Debug)]
pub struct Reply {
    /// The answer.
    pub answer: Answer,
    /// The tool call it answers, if it is one: for metrics.
    pub called: Option<Called>,
}

/// An answer.
#[derive(Debug)]
pub enum Answer {
    /// JSON text with an HTTP status.
    Json(u16, String),
    /// Nothing to say: HTTP 202 without a body.
    Accepted,
    /// A refusal in the words of REST.
    Refused(Error),
}

/// What became of a tool call.
#[derive(Clone, Debug)]
pub struct Called {
    /// The door's name.
    pub door: &'static str,
    /// The tool, `None` for one that does not exist here.
    pub tool: Option<&'static str>,
    /// `Ok`, or the class of the error.
    pub outcome: Result<(), Code>,
    /// Time spent, microseconds.
    pub latency_us: i64,
}

impl McpServer {
    /// Compiles every door's schemas.
    pub fn open(service: Arc<Service>) -> Result<Self> {
        let doors = DOORS.iter().map(|door| open(door)).collect::<Result<_>>()?;
        Ok(Self { service, doors })
    }

    /// Answers one request at a door. The caller's kind has been admitted ([`Door::admit`]).
    pub async fn handle(&self, door: &'static Door, caller: &Caller, request: &Request<'_>) -> Reply {
        if !(door.is_open)(&caller.account.limits) {
            return refuse_plan(door, request.body).into();
        }
        let Some(open) = self.doors.iter().find(|open| open.door.path == door.path) else {
            return Answer::Refused(Error::internal("the door is not open")).into();
        };
        let (id, method, params) = match frame::read(request.body) {
            Ok(Frame::Request { id, method, params }) => (id, method, params),
            Ok(Frame::Silent) => return Answer::Accepted.into(),
            Err(unframed) => return json_answer(200, &frame::error(&unframed.id, &unframed.error)).into(),
        };
        if let Some(refusal) = refuse_revision(request.protocol_version, &method) {
            return json_answer(400, &frame::error(&id, &refusal)).into();
        }
        if method == "tools/call" {
            return call::call(&self.service, open, caller, request, &id, params).await;
        }
        let answer = match self.answer(open, caller, &method, &params).await {
            Ok(result) => frame::result(&id, result),
            Err(error) => frame::error(&id, &error),
        };
        json_answer(200, &answer).into()
    }

    async fn answer(
        &self,
        open: &OpenDoor,
        caller: &Caller,
        method: &str,
        params: &Map<String, Value>,
    ) -> Result<Value, RpcError> {
        match method {
            "initialize" => Ok(initialize(open.door, params)),
            "ping" => Ok(json!({})),
            "tools/list" => one_page(params).map(|()| json!({ "tools": open.tools_for(caller) })),
            "resources/list" => one_page(params).map(|()| json!({ "resources": open.resources() })),
            "resources/templates/list" => one_page(params).map(|()| json!({ "resourceTemplates": [] })),
            "resources/read" => self.read(open, caller, params).await,
            _ => Err(RpcError::new(METHOD_NOT_FOUND, "method_not_found", json!({ "methods": METHODS }))),
        }
    }

    async fn read(&self, open: &OpenDoor, caller: &Caller, params: &Map<String, Value>) -> Result<Value, RpcError> {
        let Some(uri) = params.get("uri").and_then(Value::as_str) else {
            return Err(RpcError::new(
                INVALID_PARAMS,
                "invalid_params",
                json!({ "fieldErrors": { "uri": ["is required, as text"] } }),
            ));
        };
        let Some(resource) = open.door.resources.iter().find(|resource| resource.uri == uri) else {
            let known: Vec<&str> = open.door.resources.iter().map(|resource| resource.uri).collect();
            let shown: String = uri.chars().take(200).collect();
            return Err(RpcError::new(INVALID_PARAMS, "unknown_resource", json!({ "uri": shown, "resources": known })));
        };
        let rows = (resource.read)(&self.service, caller).await.map_err(|error| {
            tracing::warn!(door = open.door.name, resource = uri, error = %error.chain(), "a resource could not be read");
            (open.door.dialect)(&error)
        })?;
        Ok(json!({ "contents": [{ "uri": uri, "mimeType": MEDIA_TYPE, "text": rows.to_string() }] }))
    }
}

/// The methods answered here.
const METHODS: [&str; 7] =
    ["initialize", "ping", "tools/list", "tools/call", "resources/list", "resources/templates/list", "resources/read"];

impl OpenDoor {
    /// The tools a caller's key covers, in the catalogue's order.
    fn tools_for(&self, caller: &Caller) -> Vec<&Value> {
        let granted = Scope::granted_to(caller.kind);
        self.tools.iter().filter(|open| granted.contains(&open.listed.tool.scope)).map(|open| &open.listing).collect()
    }

    fn resources(&self) -> Vec<Value> {
        let resources = self.door.resources.iter();
        resources
            .map(|resource| {
                json!({
                    "uri": resource.uri,
                    "name": resource.name,
                    "title": resource.title,
                    "description": resource.description,
                    "mimeType": MEDIA_TYPE,
                })
            })
            .collect()
    }
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        Self { answer, called: None }
    }
}

pub(crate) fn json_answer(status: u16, body: &Value) -> Answer {
    Answer::Json(status, body.to_string())
}

fn open(door: &'static Door) -> Result<OpenDoor> {
    let tools = door.catalogue.iter().map(|listed| open_tool(door, listed)).collect::<Result<_>>()?;
    Ok(OpenDoor { door, tools })
}

fn open_tool(door: &Door, listed: &'static Listed) -> Result<OpenTool> {
    let tool = listed.tool;
    let mut input_schema = (tool.input_schema)();
    if door.selects_projects && tool.span == crate::tool::Span::Selected {
        projects::add_selectors(&mut input_schema);
    }
    for (argument, note) in listed.notes {
        let description = input_schema.pointer_mut(&format!("/properties/{argument}/description"));
        if let Some(Value::String(text)) = description {
            text.push(' ');
            text.push_str(note);
        }
    }
    let validator = jsonschema::draft202012::new(&input_schema)
        .map_err(|error| Error::internal(format!("the schema of tool {} does not compile: {error}", tool.name)))?;
    let listing = json!({
        "name": tool.name,
        "title": tool.title,
        "description": tool.description,
        "inputSchema": input_schema,
        "outputSchema": (tool.output_schema)(),
        "annotations": annotations(tool.title, tool.effect),
    });
    Ok(OpenTool { listed, input_schema, validator, listing })
}

fn annotations(title: &str, effect: Effect) -> Value {
    match effect {
        Effect::Reads => {
            json!({ "title": title, "readOnlyHint": true, "destructiveHint": false, "idempotentHint": true, "openWorldHint": false })
        }
        Effect::Adds => {
            json!({ "title": title, "readOnlyHint": false, "destructiveHint": false, "idempotentHint": false, "openWorldHint": false })
        }
    }
}

/// Lists have one page: a cursor was never handed out.
fn one_page(params: &Map<String, Value>) -> Result<(), RpcError> {
    match params.get("cursor") {
        None | Some(Value::Null) => Ok(()),
        Some(_) => {
            let data = json!({ "fieldErrors": { "cursor": ["no such cursor: the list has one page, ask without a cursor"] } });
            Err(RpcError::new(INVALID_PARAMS, "invalid_params", data))
        }
    }
}

/// A header naming a revision that is not served is refused, except where revisions are negotiated or probed for.
fn refuse_revision(header: Option<&str>, method: &str) -> Option<RpcError> {
    let asked = header.filter(|asked| !REVISIONS.contains(asked))?;
    if matches!(method, "initialize" | "server/discover") {
        return None;
    }
    let shown: String = asked.chars().take(40).collect();
    let message = format!("MCP-Protocol-Version `{shown}` is not served here");
    Some(RpcError::new(INVALID_REQUEST, "invalid_request", json!({ "message": message, "supported": REVISIONS })))
}

fn refuse_plan(door: &Door, body: &[u8]) -> Answer {
    match door.plan_refusal {
        // The documented body, to the letter.
        PlanRefusal::Plain => json_answer(402, &json!({ "error": Code::PlanLimit.as_str(), "code": PLAN_LIMIT })),
        PlanRefusal::JsonRpc => {
            let message = format!("the account's plan does not include {}", door.path);
            let error = RpcError::new(PLAN_LIMIT, "plan_limit", json!({ "message": message }));
            json_answer(402, &frame::error(&frame::id_of(body), &error))
        }
    }
}
