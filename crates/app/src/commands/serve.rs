//! `tributary serve`: the server.

use clap::Args;
use serde_json::json;

use tributary_core::error::Result;

use crate::exit::Exit;
use crate::folder::{Folder, Missing};
use crate::globals::Globals;
use crate::output;
use crate::serve::{self, Ready};

/// Arguments of `serve`.
#[derive(Args, Debug)]
#[command(after_help = "Stops on SIGINT or SIGTERM: no new connections, requests under way finish, everything is written out.

Examples:
  tributary serve --data /var/lib/tributary --listen 127.0.0.1:8787
  TRIBUTARY__SERVER__PUBLIC_URL=https://analytics.example.com tributary serve --log-format json")]
pub struct Serve {
    #[command(flatten)]
    pub listen: Listen,
}

/// Where to listen: flags of every command that serves.
#[derive(Args, Clone, Debug, Default)]
pub struct Listen {
    /// Address and port to listen on; port 0 takes a free one [default: 127.0.0.1:8787]
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<String>,
    /// The address clients use, when it differs (behind a proxy)
    #[arg(long, value_name = "URL")]
    pub public_url: Option<String>,
}

/// Serves until it is told to stop.
pub async fn run(serve: Serve, globals: &Globals) -> Result<Exit> {
    let globals = globals.listening(&serve.listen)?;
    let owned = Folder::own(&globals, Missing::Create).await?;
    let is_new = owned.control.list_accounts().await?.is_empty();
    serve::serve(owned, &globals, |ready| announce(ready, is_new, globals.json)).await?;
    Ok(Exit::Done)
}

fn announce(ready: &Ready, is_new: bool, as_json: bool) -> Result<()> {
    if as_json {
        return output::json(&json!({ "url": ready.url, "address": ready.address.to_string(), "pid": std::process::id() }));
    }
    output::line(&format!("tributary listens on {}  (stop with Ctrl-C)", ready.url))?;
    if is_new {
        output::remark("the folder is new; in another terminal: tributary account create --name 'My Company'");
    }
    Ok(())
}
