//! Webhook endpoints: unguessable addresses other systems send to, each with the secret its signatures are verified with.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sqlx::Row;
use tributary_boxed::boxed;
use tributary_core::error::{Code, Error, Result};
use tributary_core::ids::{EndpointId, WorkspaceId};
use tributary_core::scope::WorkspaceScope;

use crate::contacts::line;
use crate::control::Control;
use crate::problems::Problems;
use crate::store::{DatabaseRow, DatabaseTransaction, commit, damaged, failed};

/// Most endpoints of a workspace.
const MAX_ENDPOINTS: i64 = 100;
/// Longest name, characters.
const MAX_NAME_CHARS: usize = 128;
/// Random bytes behind an address, and behind a drawn secret.
const TOKEN_BYTES: usize = 24;
const SECRET_BYTES: usize = 32;
/// Bounds of a secret a provider gave, characters.
const MIN_SECRET_CHARS: usize = 8;
const MAX_SECRET_CHARS: usize = 255;
/// Rules named in a refusal; more are only counted.
const MAX_NAMED_RULES: usize = 5;

macro_rules! providers {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),* $(,)?) => {
        /// Who sends to an endpoint: decides how signatures are read. What is not listed is `generic`.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub enum WebhookProvider {
            $($(#[$doc])* $variant),*
        }

        impl WebhookProvider {
            /// Every provider.
            pub const ALL: &[WebhookProvider] = &[$(WebhookProvider::$variant),*];

            /// The stored name.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(WebhookProvider::$variant => $name),*
                }
            }
        }
    };
}

providers! {
    /// Anything else, and our own signature.
    #[default]
    Generic = "generic",
    /// Shopify.
    Shopify = "shopify",
    /// Stripe.
    Stripe = "stripe",
    /// HubSpot.
    HubSpot = "hubspot",
    /// Salesforce.
    Salesforce = "salesforce",
    /// WooCommerce.
    WooCommerce = "woocommerce",
    /// ClickFunnels.
    ClickFunnels = "clickfunnels",
    /// HighLevel.
    HighLevel = "highlevel",
    /// Calendly.
    Calendly = "calendly",
    /// Kajabi.
    Kajabi = "kajabi",
    /// Webflow.
    Webflow = "webflow",
    /// Intercom.
    Intercom = "intercom",
    /// Pipedrive.
    Pipedrive = "pipedrive",
    /// Zapier.
    Zapier = "zapier",
}

impl WebhookProvider {
    /// The one with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|provider| provider.as_str() == name)
    }
}

/// An endpoint as it may be shown: everything but its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookEndpoint {
    /// Its id.
    pub id: EndpointId,
    /// What people call it, 1 to 128 characters.
    pub name: String,
    /// Who sends to it.
    pub provider: WebhookProvider,
    /// Whether it takes anything in.
    pub is_active: bool,
    /// The unguessable part of its address, 32 characters.
    pub token: String,
    /// Creation, microseconds since the epoch, UTC.
    pub created_us: i64,
    /// Last change, microseconds since the epoch, UTC.
    pub updated_us: i64,
}

/// Where a signing secret comes from. Has no `Debug`, on purpose.
#[derive(Clone, PartialEq, Eq)]
pub enum SigningSecret {
    /// Drawn here, for senders that can be told one.
    Drawn,
    /// Given by the provider, 8 to 255 characters.
    Given(String),
}

/// A change to an endpoint: what is `None` stays. At least one is needed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointChange {
    /// What people call it.
    pub name: Option<String>,
    /// Who sends to it.
    pub provider: Option<WebhookProvider>,
    /// Whether it takes anything in.
    pub is_active: Option<bool>,
}

impl Control {
    /// Opens an endpoint and returns it with its signing secret, which is shown this once.
    ///
    /// Errors: `invalid_params` naming every field at fault, `conflict` beyond 100 endpoints.
    #[boxed]
    pub async fn create_webhook_endpoint(
        &self,
        scope: &WorkspaceScope,
        name: &str,
        provider: WebhookProvider,
        secret: SigningSecret,
    ) -> Result<(WebhookEndpoint, String)> {
        let mut problems = Problems::default();
        let name = problems.take("name", line(name.trim(), MAX_NAME_CHARS)).unwrap_or_default();
        check_secret(&secret, &mut problems);
        problems.check()?;
        let workspace = scope.workspace();
        self.run_to_end(move |control| async move {
            let mut transaction = control.inner.store.begin().await?;
            refuse_too_many(&mut transaction, workspace).await?;
            let token = control.draw_text::<TOKEN_BYTES>();
            let (secret, sealed) = control.sealed(secret, &token);
            let row = sqlx::query(
                "INSERT INTO webhook_endpoints (workspace_id, name, provider, is_active, token, sealed_secret, created_us, updated_us)
                 VALUES ($1, $2, $3, 1, $4, $5, $6, $6)
                 RETURNING id, name, provider, is_active, token, created_us, updated_us",
            )
            .bind(workspace.0)
            .bind(name)
            .bind(provider.as_str())
            .bind(token)
            .bind(sealed)
            .bind(control.now_us())
            .fetch_one(&mut *transaction)
            .await
            .map_err(failed("the webhook endpoint could not be created"))?;
            let created = endpoint_from(&row)?;
            commit(transaction).await?;
            Ok((created, secret))
        })
        .await
    }

    /// The endpoints of a workspace, oldest first.
    #[boxed]
    pub async fn list_webhook_endpoints(&self, scope: &WorkspaceScope) -> Result<Vec<WebhookEndpoint>> {
        let rows = sqlx::query(
            "SELECT id, name, provider, is_active, token, created_us, updated_us FROM webhook_endpoints
             WHERE workspace_id = $1 ORDER BY id",
        )
        .bind(scope.workspace().0)
        .fetch_all(self.inner.store.reader())
        .await
        .map_err(failed("the webhook endpoints could not be listed"))?;
        rows.iter().map(endpoint_from).collect()
    }

    /// One endpoint, or `not_found`.
    #[boxed]
    pub async fn get_webhook_endpoint(&self, scope: &WorkspaceScope, id: EndpointId) -> Result<WebhookEndpoint> {
        let mut transaction = self.inner.store.begin_read().await?;
        read_endpoint(&mut transaction, scope.workspace(), id).await
    }

    /// Changes what is given of an endpoint; its address and secret stay.
    ///
    /// Errors: `not_found`, `invalid_params` naming every field at fault.
    #[boxed]
    pub async fn update_webhook_endpoint(
        &self,
        scope: &WorkspaceScope,
        id: EndpointId,
        change: EndpointChange,
    ) -> Result<WebhookEndpoint> {
        let mut problems = Problems::default();
        if change == EndpointChange::default() {
            problems.add("name", "one of name, provider and is_active is required");
        }
        let name = change.name.as_deref().and_then(|name| problems.take("name", line(name.trim(), MAX_NAME_CHARS)));
        problems.check()?;
        let workspace = scope.workspace();
        self.run_to_end(move |control| async move {
            let mut transaction = control.inner.store.begin().await?;
            let old = read_endpoint(&mut transaction, workspace, id).await?;
            sqlx::query(
                "UPDATE webhook_endpoints SET name = $3, provider = $4, is_active = $5, updated_us = $6
                 WHERE workspace_id = $1 AND id = $2",
            )
            .bind(workspace.0)
            .bind(id.0)
            .bind(name.unwrap_or(old.name))
            .bind(change.provider.unwrap_or(old.provider).as_str())
            .bind(change.is_active.unwrap_or(old.is_active))
            .bind(control.now_us())
            .execute(&mut *transaction)
            .await
            .map_err(failed("the webhook endpoint could not be changed"))?;
            let changed = read_endpoint(&mut transaction, workspace, id).await?;
            commit(transaction).await?;
            Ok(changed)
        })
        .await
    }

    /// Replaces an endpoint's secret and returns the new one, which is shown this once; the old one verifies nothing any more.
    ///
    /// Errors: `not_found`, `invalid_params` for a given secret out of bounds.
    #[boxed]
    pub async fn rotate_webhook_secret(
        &self,
        scope: &WorkspaceScope,
        id: EndpointId,
        secret: SigningSecret,
    ) -> Result<(WebhookEndpoint, String)> {
        let mut problems = Problems::default();
        check_secret(&secret, &mut problems);
        problems.check()?;
        let workspace = scope.workspace();
        self.run_to_end(move |control| async move {
            let mut transaction = control.inner.store.begin().await?;
            let endpoint = read_endpoint(&mut transaction, workspace, id).await?;
            let (secret, sealed) = control.sealed(secret, &endpoint.token);
            sqlx::query("UPDATE webhook_endpoints SET sealed_secret = $3, updated_us = $4 WHERE workspace_id = $1 AND id = $2")
                .bind(workspace.0)
                .bind(id.0)
                .bind(sealed)
                .bind(control.now_us())
                .execute(&mut *transaction)
                .await
                .map_err(failed("the secret of the webhook endpoint could not be replaced"))?;
            let rotated = read_endpoint(&mut transaction, workspace, id).await?;
            commit(transaction).await?;
            Ok((rotated, secret))
        })
        .await
    }

    /// The secret an endpoint's signatures are verified with. Never to be shown or logged.
    #[boxed]
    pub async fn webhook_secret(&self, scope: &WorkspaceScope, id: EndpointId) -> Result<String> {
        let step = "the secret of the webhook endpoint could not be read";
        let row = sqlx::query("SELECT token, sealed_secret FROM webhook_endpoints WHERE workspace_id = $1 AND id = $2")
            .bind(scope.workspace().0)
            .bind(id.0)
            .fetch_optional(self.inner.store.reader())
            .await
            .map_err(failed(step))?
            .ok_or_else(|| unknown(id))?;
        let (token, sealed): (&str, &str) =
            (row.try_get("token").map_err(failed(step))?, row.try_get("sealed_secret").map_err(failed(step))?);
        self.inner.secret.unseal(SEAL_PURPOSE, token, sealed)
    }

    /// Closes an endpoint: its address is unknown from now on.
    ///
    /// Errors: `not_found`, `conflict` naming the mapping rules that read it.
    #[boxed]
    pub async fn delete_webhook_endpoint(&self, scope: &WorkspaceScope, id: EndpointId) -> Result<()> {
        let workspace = scope.workspace();
        self.run_to_end(move |control| async move {
            let mut transaction = control.inner.store.begin().await?;
            read_endpoint(&mut transaction, workspace, id).await?;
            refuse_while_mapped(&mut transaction, workspace, id).await?;
            sqlx::query("DELETE FROM webhook_endpoints WHERE workspace_id = $1 AND id = $2")
                .bind(workspace.0)
                .bind(id.0)
                .execute(&mut *transaction)
                .await
                .map_err(failed("the webhook endpoint could not be deleted"))?;
            commit(transaction).await
        })
        .await
    }

    /// The secret and how it is stored: bound to the endpoint's address, so that one cannot be put in another's place.
    fn sealed(&self, secret: SigningSecret, token: &str) -> (String, String) {
        let secret = match secret {
            SigningSecret::Given(secret) => secret,
            SigningSecret::Drawn => format!("whsec_{}", self.draw_text::<SECRET_BYTES>()),
        };
        let sealed = self.inner.secret.seal(SEAL_PURPOSE, token, &secret, &self.inner.entropy);
        (secret, sealed)
    }

    fn draw_text<const BYTES: usize>(&self) -> String {
        let mut bytes = [0; BYTES];
        self.inner.entropy.fill(&mut bytes);
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

const SEAL_PURPOSE: &str = "tributary webhook signing secret";

fn check_secret(secret: &SigningSecret, problems: &mut Problems) {
    let SigningSecret::Given(given) = secret else { return };
    let is_plain = given.bytes().all(|byte| byte.is_ascii_graphic());
    if !(MIN_SECRET_CHARS..=MAX_SECRET_CHARS).contains(&given.len()) || !is_plain {
        problems.add(
            "signing_secret",
            format!(
                "must have {MIN_SECRET_CHARS} to {MAX_SECRET_CHARS} visible ASCII characters; leave it out to have one drawn"
            ),
        );
    }
}

async fn refuse_too_many(transaction: &mut DatabaseTransaction, workspace: WorkspaceId) -> Result<()> {
    let held: i64 = sqlx::query("SELECT COUNT(*) AS held FROM webhook_endpoints WHERE workspace_id = $1")
        .bind(workspace.0)
        .fetch_one(&mut **transaction)
        .await
        .and_then(|row| row.try_get("held"))
        .map_err(failed("the webhook endpoints could not be counted"))?;
    if held < MAX_ENDPOINTS {
        return Ok(());
    }
    Err(Error::new(Code::Conflict, format!("the workspace has {held} webhook endpoints and may have {MAX_ENDPOINTS}")))
}

async fn refuse_while_mapped(transaction: &mut DatabaseTransaction, workspace: WorkspaceId, id: EndpointId) -> Result<()> {
    let step = "the mapping rules of the webhook endpoint could not be read";
    let rows = sqlx::query("SELECT id, name FROM event_mappings WHERE workspace_id = $1 AND endpoint_id = $2 ORDER BY id")
        .bind(workspace.0)
        .bind(id.0)
        .fetch_all(&mut **transaction)
        .await
        .map_err(failed(step))?;
    if rows.is_empty() {
        return Ok(());
    }
    let mut named = Vec::new();
    for row in rows.iter().take(MAX_NAMED_RULES) {
        let (id, name): (i64, &str) = (row.try_get("id").map_err(failed(step))?, row.try_get("name").map_err(failed(step))?);
        named.push(format!("{id} ({name})"));
    }
    let more = rows.len() - named.len();
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    let message = format!("event mappings read this endpoint: {}{more}; delete or change them first", named.join(", "));
    Err(Error::new(Code::Conflict, message))
}

/// One endpoint inside a transaction, or `not_found`.
pub(crate) async fn read_endpoint(
    transaction: &mut DatabaseTransaction,
    workspace: WorkspaceId,
    id: EndpointId,
) -> Result<WebhookEndpoint> {
    let row = sqlx::query(
        "SELECT id, name, provider, is_active, token, created_us, updated_us FROM webhook_endpoints
         WHERE workspace_id = $1 AND id = $2",
    )
    .bind(workspace.0)
    .bind(id.0)
    .fetch_optional(&mut **transaction)
    .await
    .map_err(failed("the webhook endpoint could not be read"))?;
    row.as_ref().map(endpoint_from).transpose()?.ok_or_else(|| unknown(id))
}

fn unknown(id: EndpointId) -> Error {
    Error::new(Code::NotFound, format!("no webhook endpoint has the id {id}"))
}

fn endpoint_from(row: &DatabaseRow) -> Result<WebhookEndpoint> {
    let read = failed("a webhook endpoint's row could not be read");
    let provider: &str = row.try_get("provider").map_err(&read)?;
    Ok(WebhookEndpoint {
        id: EndpointId(row.try_get("id").map_err(&read)?),
        name: row.try_get("name").map_err(&read)?,
        provider: WebhookProvider::parse(provider).ok_or_else(|| damaged("a webhook endpoint's stored provider is damaged"))?,
        is_active: row.try_get("is_active").map_err(&read)?,
        token: row.try_get("token").map_err(&read)?,
        created_us: row.try_get("created_us").map_err(&read)?,
        updated_us: row.try_get("updated_us").map_err(&read)?,
    })
}
