//! What every command is handed: the folder's path, the effective configuration, how to print, clock and randomness.

use std::path::PathBuf;
use std::sync::Arc;

use tributary_core::clock::SharedClock;
use tributary_core::entropy::SharedEntropy;
use tributary_core::error::Result;

use crate::commands::serve::Listen;
use crate::config::Config;
use crate::config::check::check;
use crate::folder::{Folder, Missing};
use crate::operator::Operator;

/// What every command is handed.
#[derive(Clone)]
pub struct Globals {
    /// `--data`: the data folder; it may not exist yet.
    pub data: PathBuf,
    /// The effective configuration.
    pub config: Arc<Config>,
    /// `--json`: machine-readable output.
    pub json: bool,
    /// The clock.
    pub clock: SharedClock,
    /// The source of randomness.
    pub entropy: SharedEntropy,
    /// Whether the command looks for damage, and so opens a folder that nothing else may.
    pub inspects: bool,
}

impl Globals {
    /// Runs `work` with the operator API, in this process or over the socket of the server that owns the folder, and
    /// closes what was opened.
    pub async fn operate<T>(&self, missing: Missing, work: impl AsyncFnOnce(&Operator) -> Result<T>) -> Result<T> {
        match Folder::open(self, missing).await? {
            Folder::Served(owner) => work(&Operator::over(&owner)?).await,
            Folder::Owned(owned) => {
                let outcome = work(&Operator::inside(&owned, self)).await;
                let closed = owned.close().await;
                outcome.and_then(|answer| closed.map(|()| answer))
            }
        }
    }

    /// The same with the flags of a serving command, which win over file and environment.
    pub fn listening(&self, flags: &Listen) -> Result<Globals> {
        let mut config = Config::clone(&self.config);
        if let Some(listen) = &flags.listen {
            config.server.listen.clone_from(listen);
        }
        if let Some(url) = &flags.public_url {
            config.server.public_url = Some(url.trim_end_matches('/').to_owned());
        }
        check(&config)?;
        Ok(Globals { config: Arc::new(config), ..self.clone() })
    }

    /// The same for a command that looks for damage.
    pub fn inspecting(&self) -> Globals {
        Globals { inspects: true, ..self.clone() }
    }

    /// The address clients use, as far as the configuration tells: a running server knows its own.
    pub fn base_url(&self) -> String {
        let server = &self.config.server;
        server.public_url.clone().unwrap_or_else(|| format!("http://{}", server.listen))
    }
}
