//! Addresses other systems send webhooks to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tributary_boxed::boxed;
use tributary_control::{Control, EndpointChange, SigningSecret, WebhookEndpoint, WebhookProvider};
use tributary_core::error::{Code, Result};
use tributary_core::ids::EndpointId;
use tributary_core::scope::WorkspaceScope;
use tributary_core::time::format_utc;

use crate::body::{flag, refuse_unknown, required_text, text};
use crate::problem::Problems;

/// An endpoint, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EndpointRow {
    /// Its id.
    pub id: i64,
    /// What people call it.
    pub name: String,
    /// Who sends to it.
    pub provider: String,
    /// Whether it takes anything in.
    pub is_active: bool,
    /// The unguessable part of its address.
    pub token: String,
    /// When it was created, RFC 3339 in UTC.
    pub created_at: String,
    /// When it was last changed.
    pub updated_at: String,
}

/// An endpoint with its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IssuedEndpoint {
    /// The endpoint.
    #[serde(flatten)]
    pub endpoint: EndpointRow,
    /// What its sender signs with. Shown this once.
    pub signing_secret: String,
}

impl From<WebhookEndpoint> for EndpointRow {
    fn from(endpoint: WebhookEndpoint) -> Self {
        Self {
            id: endpoint.id.0,
            name: endpoint.name,
            provider: endpoint.provider.as_str().to_owned(),
            is_active: endpoint.is_active,
            token: endpoint.token,
            created_at: format_utc(endpoint.created_us),
            updated_at: format_utc(endpoint.updated_us),
        }
    }
}

/// Opens an endpoint as the body says: `name`, and optionally `provider` and `signing_secret`.
#[boxed]
pub async fn create(control: &Control, scope: &WorkspaceScope, given: &Map<String, Value>) -> Result<IssuedEndpoint> {
    let mut problems = Problems::new();
    refuse_unknown(given, &["name", "provider", "signing_secret"], &mut problems);
    let name = required_text(given, "name", &mut problems);
    let provider = provider(given, &mut problems).unwrap_or_default();
    let secret = secret(given, &mut problems);
    problems.check(Code::InvalidPayload)?;
    let (endpoint, signing_secret) = control.create_webhook_endpoint(scope, &name, provider, secret).await?;
    Ok(IssuedEndpoint { endpoint: endpoint.into(), signing_secret })
}

/// Every endpoint, oldest first.
#[boxed]
pub async fn list(control: &Control, scope: &WorkspaceScope) -> Result<Vec<EndpointRow>> {
    Ok(control.list_webhook_endpoints(scope).await?.into_iter().map(EndpointRow::from).collect())
}

/// One endpoint, or `not_found`.
#[boxed]
pub async fn get(control: &Control, scope: &WorkspaceScope, id: i64) -> Result<EndpointRow> {
    Ok(control.get_webhook_endpoint(scope, EndpointId(id)).await?.into())
}

/// Changes what the body names: `name`, `provider`, `is_active`.
#[boxed]
pub async fn update(control: &Control, scope: &WorkspaceScope, id: i64, given: &Map<String, Value>) -> Result<EndpointRow> {
    let mut problems = Problems::new();
    refuse_unknown(given, &["name", "provider", "is_active"], &mut problems);
    let change = EndpointChange {
        name: text(given, "name", &mut problems),
        provider: provider(given, &mut problems),
        is_active: flag(given, "is_active", &mut problems),
    };
    problems.check(Code::InvalidPayload)?;
    Ok(control.update_webhook_endpoint(scope, EndpointId(id), change).await?.into())
}

/// Replaces the secret by the body's `signing_secret`, or by one that is drawn.
#[boxed]
pub async fn rotate(control: &Control, scope: &WorkspaceScope, id: i64, given: &Map<String, Value>) -> Result<IssuedEndpoint> {
    let mut problems = Problems::new();
    refuse_unknown(given, &["signing_secret"], &mut problems);
    let secret = secret(given, &mut problems);
    problems.check(Code::InvalidPayload)?;
    let (endpoint, signing_secret) = control.rotate_webhook_secret(scope, EndpointId(id), secret).await?;
    Ok(IssuedEndpoint { endpoint: endpoint.into(), signing_secret })
}

/// Closes an endpoint no mapping rule reads.
#[boxed]
pub async fn delete(control: &Control, scope: &WorkspaceScope, id: i64) -> Result<()> {
    control.delete_webhook_endpoint(scope, EndpointId(id)).await
}

fn provider(given: &Map<String, Value>, problems: &mut Problems) -> Option<WebhookProvider> {
    let name = text(given, "provider", problems)?;
    let provider = WebhookProvider::parse(&name);
    if provider.is_none() {
        let known: Vec<&str> = WebhookProvider::ALL.iter().map(|provider| provider.as_str()).collect();
        problems.add("provider", format!("must be one of {}", known.join(", ")));
    }
    provider
}

fn secret(given: &Map<String, Value>, problems: &mut Problems) -> SigningSecret {
    match text(given, "signing_secret", problems) {
        Some(secret) => SigningSecret::Given(secret),
        None => SigningSecret::Drawn,
    }
}
