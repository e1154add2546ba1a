//! Event mapping rules: made, changed, tried out.

pub mod apply;
pub mod rule;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tributary_boxed::boxed;
use tributary_control::{Control, EventMapping, MappingChange, MappingSource, NewMapping};
use tributary_core::error::{Code, Error, Result};
use tributary_core::ids::{EndpointId, MappingId};
use tributary_core::scope::WorkspaceScope;
use tributary_core::time::format_utc;

use crate::body::{refuse_unknown, required_text, text};
use crate::conversions::resolve;
use crate::problem::{Problems, invalid};
use apply::{MappedEvent, apply, unmet};
use rule::WebhookRule;

/// Largest body of a request about a rule, and largest payload tried out, decompressed, bytes.
pub const MAX_MAPPING_BODY: usize = 1024 * 1024;

/// A rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MappingRow {
    /// Its id.
    pub id: i64,
    /// What people call it.
    pub name: String,
    /// The slug of what it makes.
    pub to: String,
    /// What it makes it of.
    pub source: SourceRow,
    /// When it was created, RFC 3339 in UTC.
    pub created_at: String,
    /// When it was last changed.
    pub updated_at: String,
}

/// What a rule reads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SourceRow {
    /// Events of this name.
    Event(String),
    /// What comes in at an endpoint.
    Webhook(WebhookSource),
}

/// What is read of what comes in at an endpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookSource {
    /// The endpoint's id.
    pub endpoint: i64,
    /// Conditions and fields.
    #[serde(flatten)]
    pub rule: WebhookRule,
}

impl MappingRow {
    fn of(mapping: EventMapping) -> Result<Self> {
        let source = match mapping.source {
            MappingSource::Event(event) => SourceRow::Event(event),
            MappingSource::Webhook { endpoint, definition } => {
                SourceRow::Webhook(WebhookSource { endpoint: endpoint.0, rule: stored(&definition)? })
            }
        };
        Ok(Self {
            id: mapping.id.0,
            name: mapping.name,
            to: mapping.to.to_string(),
            source,
            created_at: format_utc(mapping.created_us),
            updated_at: format_utc(mapping.updated_us),
        })
    }
}

/// The rule in a stored definition.
pub fn stored(definition: &str) -> Result<WebhookRule> {
    serde_json::from_str(definition)
        .map_err(|error| Error::internal("a mapping rule's stored definition is damaged").caused_by(error))
}

/// Makes a rule as the body says: `name`, `to` (slug or label), `source`.
#[boxed]
pub async fn create(control: &Control, scope: &WorkspaceScope, given: &Map<String, Value>) -> Result<MappingRow> {
    let conversions = control.conversions(scope).await?;
    let mut problems = Problems::new();
    refuse_unknown(given, &["name", "to", "source"], &mut problems);
    let name = required_text(given, "name", &mut problems);
    let to = required_text(given, "to", &mut problems);
    let to = if to.is_empty() { None } else { resolve(&conversions, &to, &mut problems) };
    let source = match given.get("source") {
        Some(source) => source_of(source, &mut problems),
        None => {
            problems.add("source", SOURCE_SHAPE);
            None
        }
    };
    problems.check(Code::InvalidPayload)?;
    let (Some(to), Some(source)) = (to, source) else { return Err(invalid("to", "is required: a text")) };
    MappingRow::of(control.create_mapping(scope, NewMapping { name, to, source }).await?)
}

/// Every rule, oldest first.
#[boxed]
pub async fn list(control: &Control, scope: &WorkspaceScope) -> Result<Vec<MappingRow>> {
    control.list_mappings(scope).await?.into_iter().map(MappingRow::of).collect()
}

/// One rule, or `not_found`.
#[boxed]
pub async fn get(control: &Control, scope: &WorkspaceScope, id: i64) -> Result<MappingRow> {
    MappingRow::of(control.get_mapping(scope, MappingId(id)).await?)
}

/// Changes what the body names. A source is replaced whole.
#[boxed]
pub async fn update(control: &Control, scope: &WorkspaceScope, id: i64, given: &Map<String, Value>) -> Result<MappingRow> {
    let conversions = control.conversions(scope).await?;
    let mut problems = Problems::new();
    refuse_unknown(given, &["name", "to", "source"], &mut problems);
    let change = MappingChange {
        name: text(given, "name", &mut problems),
        to: text(given, "to", &mut problems).and_then(|to| resolve(&conversions, &to, &mut problems)),
        source: given.get("source").and_then(|source| source_of(source, &mut problems)),
    };
    problems.check(Code::InvalidPayload)?;
    MappingRow::of(control.update_mapping(scope, MappingId(id), change).await?)
}

/// Takes a rule away.
#[boxed]
pub async fn delete(control: &Control, scope: &WorkspaceScope, id: i64) -> Result<()> {
    control.delete_mapping(scope, MappingId(id)).await
}

/// What a webhook rule would make of a payload. Nothing is stored.
///
/// Errors: `invalid_payload` naming the conditions that do not hold, or the fields that cannot be read; `invalid_params` for a
/// rule that maps named events.
#[boxed]
pub async fn preview(control: &Control, scope: &WorkspaceScope, id: i64, payload: &Value) -> Result<MappedEvent> {
    let mapping = control.get_mapping(scope, MappingId(id)).await?;
    let MappingSource::Webhook { definition, .. } = &mapping.source else {
        return Err(Error::new(Code::InvalidParams, "the rule maps named events, not webhooks: there is no payload to try"));
    };
    let rule = stored(definition)?;
    if let Some(event) = apply(mapping.to, &rule, payload)? {
        return Ok(event);
    }
    let mut problems = Problems::new();
    for (index, condition) in unmet(&rule, payload) {
        let wanted = condition.value.as_ref().map(|value| format!(" {value}")).unwrap_or_default();
        let claim = format!("`{}` {}{wanted}", condition.path, condition.operator.as_str());
        problems.add(format!("conditions.{index}"), format!("does not hold: {claim}"));
    }
    Err(problems.into_error(Code::InvalidPayload))
}

const SOURCE_SHAPE: &str =
    "must be an object such as {\"event\": \"checkout_done\"} or {\"webhook\": {\"endpoint\": 1, \"fields\": {}}}";

fn source_of(given: &Value, problems: &mut Problems) -> Option<MappingSource> {
    let entries: Option<Vec<(&String, &Value)>> = given.as_object().map(|given| given.iter().collect());
    match entries.as_deref() {
        Some([(name, Value::String(event))]) if *name == "event" => Some(MappingSource::Event(event.clone())),
        Some([(name, Value::Object(webhook))]) if *name == "webhook" => webhook_of(webhook, problems),
        _ => {
            problems.add("source", SOURCE_SHAPE);
            None
        }
    }
}

fn webhook_of(given: &Map<String, Value>, problems: &mut Problems) -> Option<MappingSource> {
    let endpoint = given.get("endpoint").and_then(Value::as_i64);
    if endpoint.is_none() {
        problems.add("source.webhook.endpoint", "is required: the id of a webhook endpoint");
    }
    let rule = WebhookRule::read(given, "source.webhook", problems)?;
    let definition = serde_json::to_string(&rule).expect("texts, numbers and maps by text are JSON");
    Some(MappingSource::Webhook { endpoint: EndpointId(endpoint?), definition })
}
