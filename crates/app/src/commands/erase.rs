//! `tributary erase`: forget a person.

use clap::Args;

use tributary_core::error::Result;
use tributary_http::admin::{EraseBody, Erased, Person};

use crate::exit::Exit;
use crate::folder::Missing;
use crate::globals::Globals;
use crate::output;

/// Arguments of `erase`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  tributary erase --workspace acme-shop --user u_184
  tributary erase --workspace acme-shop --visitor anon-7f3 --now")]
pub struct Erase {
    /// Workspace by slug, UUID or id
    #[arg(long)]
    workspace: String,
    #[command(flatten)]
    who: Who,
    /// Rewrite the files before returning, instead of at the next compaction
    #[arg(long)]
    now: bool,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct Who {
    /// Every event with this user_id
    #[arg(long, value_name = "ID")]
    user: Option<String>,
    /// Every event of this visitor (anonymous_id)
    #[arg(long, value_name = "ID")]
    visitor: Option<String>,
}

/// Forgets.
pub async fn run(erase: Erase, globals: &Globals) -> Result<Exit> {
    let person = match (erase.who.user, erase.who.visitor) {
        (Some(user), _) => Person::User(user),
        (None, visitor) => Person::Visitor(visitor.unwrap_or_default()),
    };
    let body = EraseBody { workspace: erase.workspace, person, from_disk: erase.now };
    let erased: Erased = globals.operate(Missing::Refuse, async |operator| operator.post("/erase", &body).await).await?;
    if globals.json {
        output::json(&erased)?;
    } else {
        let disk = if erased.from_disk { "gone from disk too" } else { "they leave the disk at the next compaction" };
        output::line(&format!("erased {} events in `{}`; {disk}", erased.events, erased.workspace))?;
    }
    Ok(Exit::Done)
}
