//! `tributary key`: credentials of workspaces and accounts.

use clap::{Args, Subcommand, ValueEnum};

use tributary_core::credential::KeyKind;
use tributary_core::error::Result;
use tributary_http::admin::{IssuedKey, KeyAnswer, KeyOwnerBody, NewKeyBody};

use crate::exit::Exit;
use crate::folder::Missing;
use crate::globals::Globals;
use crate::operator::segment;
use crate::output;

/// Create, list, revoke and rotate keys.
#[derive(Debug, Subcommand)]
pub enum Key {
    /// Create a key; its token is shown once
    #[command(after_help = "Examples:
  tributary key create --workspace acme-shop --kind rk --label dashboard
  tributary key create --account 1 --kind ak --label 'agency agent'")]
    Create(Create),
    /// List the keys of a workspace or an account, never their secrets
    List(Owner),
    /// Revoke a key: its next use fails, on a running server too
    #[command(after_help = "Example:\n  tributary key revoke rk_live_0a1b2c3d")]
    Revoke(Named),
    /// Replace a key by a fresh one of the same kind, label and owner; the old one stops working at once
    Rotate(Named),
}

/// Arguments of `key create`.
#[derive(Args, Debug)]
pub struct Create {
    #[command(flatten)]
    owner: Owner,
    /// What the key may do
    #[arg(long)]
    kind: Kind,
    /// What it is for
    #[arg(long, default_value = "made on the command line")]
    label: String,
}

/// Whose keys.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub struct Owner {
    /// Workspace by slug, UUID or id
    #[arg(long)]
    workspace: Option<String>,
    /// Account by id
    #[arg(long, value_name = "ID")]
    account: Option<i64>,
}

/// Which key.
#[derive(Args, Debug)]
pub struct Named {
    /// Its display form, such as rk_live_0a1b2c3d, or the eight characters alone
    key: String,
}

/// What a key may do.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// Publishable: sends events from web pages of the allowed origins
    Pk,
    /// Secret: sends events, reads over MCP, forgets people
    Sk,
    /// Read: questions only
    Rk,
    /// Account: questions over every workspace of an account
    Ak,
}

/// Runs one of them.
pub async fn run(command: Key, globals: &Globals) -> Result<Exit> {
    match command {
        Key::Create(Create { owner, kind, label }) => {
            let kind = match kind {
                Kind::Pk => KeyKind::Publishable,
                Kind::Sk => KeyKind::Secret,
                Kind::Rk => KeyKind::Read,
                Kind::Ak => KeyKind::Account,
            };
            let body = NewKeyBody { owner: KeyOwnerBody { workspace: owner.workspace, account: owner.account }, kind, label };
            let issued: IssuedKey =
                globals.operate(Missing::Refuse, async |operator| operator.post("/keys", &body).await).await?;
            show_issued(&issued, globals)?;
        }
        Key::List(owner) => {
            let path = match (owner.workspace, owner.account) {
                (Some(workspace), _) => format!("/keys?workspace={}", segment(&workspace)),
                (None, account) => format!("/keys?account={}", account.unwrap_or_default()),
            };
            let keys: Vec<KeyAnswer> = globals.operate(Missing::Refuse, async |operator| operator.get(&path).await).await?;
            if globals.json {
                output::json(&keys)?;
            } else {
                let never = || String::from("-");
                let rows: Vec<Vec<String>> = keys
                    .into_iter()
                    .map(|key| {
                        let (used, revoked) = (key.last_used_at.unwrap_or_else(never), key.revoked_at.unwrap_or_else(never));
                        vec![key.key, key.label, key.created_at, used, revoked]
                    })
                    .collect();
                output::table(&["key", "label", "created", "last used", "revoked"], &rows)?;
            }
        }
        Key::Revoke(Named { key }) => {
            let path = format!("/keys/{}", segment(&key));
            let revoked: KeyAnswer = globals.operate(Missing::Refuse, async |operator| operator.delete(&path).await).await?;
            if globals.json {
                output::json(&revoked)?;
            } else {
                output::line(&format!("revoked {}", revoked.key))?;
            }
        }
        Key::Rotate(Named { key }) => {
            let path = format!("/keys/{}/rotate", segment(&key));
            let issued: IssuedKey =
                globals.operate(Missing::Refuse, async |operator| operator.post(&path, &serde_json::json!({})).await).await?;
            show_issued(&issued, globals)?;
        }
    }
    Ok(Exit::Done)
}

fn show_issued(issued: &IssuedKey, globals: &Globals) -> Result<()> {
    if globals.json {
        return output::json(issued);
    }
    output::line(&format!("created {} ({})", issued.key.key, issued.key.label))?;
    output::line(&issued.token)?;
    output::remark("the token is shown only now; the folder keeps a hash of it");
    Ok(())
}
