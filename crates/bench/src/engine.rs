//! Our engine, opened in this process the way the program opens it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use tributary_app::config::load::{Flags, load};
use tributary_app::folder::owned::Owned;
use tributary_app::folder::{Folder, Missing};
use tributary_app::globals::Globals;
use tributary_app::serve::serve;
use tributary_app::system;
use tributary_core::error::{Code, Error};
use tributary_core::scope::WorkspaceScope;
use tributary_events::answer::Answer;
use tributary_events::question::{Budget, Question};
use tributary_events::store::EventStore;
use tributary_timeline::{FolderStats, Timeline};

use crate::failure::{Failure, Result};
use crate::load::{BENCH, GIANT};
use crate::measure::ms_since;
use crate::tributary::ask_to_stop;

/// A workspace of the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The benchmark's events.
    Bench,
    /// The visitor with a million events.
    Giant,
}

/// The engine of a folder.
pub struct Engine {
    owned: Owned,
    globals: Globals,
    asking: Asking,
}

/// Who may ask it: the rights to its workspaces.
pub struct Asking {
    timeline: Arc<Timeline>,
    bench: WorkspaceScope,
    giant: Option<WorkspaceScope>,
}

/// The folder served by this process.
pub struct Serving {
    /// Where it listens.
    pub address: SocketAddr,
    served: JoinHandle<tributary_core::error::Result<()>>,
}

impl Engine {
    /// Opens a loaded folder under a memory budget.
    pub async fn open(data: &Path, memory_mb: u64) -> Result<Engine> {
        let mut config = load(data, &Flags::default())?;
        config.engine.memory_budget_mb = Some(memory_mb);
        config.limits.enforce = false;
        config.server.listen = String::from("127.0.0.1:0");
        let globals = Globals {
            data: data.to_owned(),
            config: Arc::new(config),
            json: false,
            clock: system::clock(),
            entropy: system::entropy(),
            inspects: false,
        };
        let owned = Folder::own(&globals, Missing::Refuse).await?;
        let bench = scope(&owned, BENCH).await?;
        let bench = bench.ok_or_else(|| Failure::new(format!("{} holds no workspace `{BENCH}`", data.display())))?;
        let giant = scope(&owned, GIANT).await?;
        let asking = Asking { timeline: owned.timeline.clone(), bench, giant };
        Ok(Engine { owned, globals, asking })
    }

    /// Asks once; the time it took in milliseconds.
    pub async fn ask(&self, place: Place, question: Question) -> Result<(f64, Answer)> {
        self.asking.ask(place, question).await
    }

    /// Whether the giant's workspace is there.
    pub fn has_giant(&self) -> bool {
        self.asking.giant.is_some()
    }

    /// Serves the folder, which can be asked directly all the while.
    pub async fn serve(self) -> Result<(Asking, Serving)> {
        let Engine { owned, globals, asking } = self;
        let (ready, listening) = oneshot::channel();
        let served = tokio::spawn(async move {
            serve(owned, &globals, |at| {
                let _ = ready.send(at.address);
                Ok(())
            })
            .await
        });
        let address = listening.await.map_err(|_| Failure::new("the folder could not be served"))?;
        Ok((asking, Serving { address, served }))
    }

    /// What the folder holds.
    pub fn stats(&self) -> Result<FolderStats> {
        Ok(self.owned.timeline.stats()?)
    }

    /// Merges segments as far as the bounds allow; how long it took in seconds.
    pub async fn compact(&self) -> Result<f64> {
        let timeline = self.owned.timeline.clone();
        let begin = Instant::now();
        tokio::task::spawn_blocking(move || timeline.compact()).await??;
        Ok(begin.elapsed().as_secs_f64())
    }

    /// Closes the folder.
    pub async fn close(self) -> Result<()> {
        Ok(self.owned.close().await?)
    }
}

impl Asking {
    /// Asks once; the time it took in milliseconds.
    pub async fn ask(&self, place: Place, question: Question) -> Result<(f64, Answer)> {
        let scope = match place {
            Place::Bench => &self.bench,
            Place::Giant => self.giant.as_ref().ok_or_else(|| Error::new(Code::NotFound, "the giant was not loaded"))?,
        };
        let begin = Instant::now();
        let answered = self.timeline.ask(scope, question, Budget::BACKGROUND).await?;
        Ok((ms_since(begin), answered.answer))
    }
}

impl Serving {
    /// Stops and closes the folder. From then on this process is deaf to SIGTERM, so it should have nothing else to do.
    pub async fn stop(self) -> Result<()> {
        ask_to_stop(std::process::id())?;
        Ok(self.served.await??)
    }
}

async fn scope(owned: &Owned, slug: &str) -> Result<Option<WorkspaceScope>> {
    let Some(workspace) = owned.control.find_workspace(slug).await? else { return Ok(None) };
    Ok(Some(owned.control.operator_access(workspace.id).await?.scope))
}
