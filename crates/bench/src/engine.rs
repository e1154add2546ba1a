//! Our engine, opened in this process the way the program opens it.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use tributary_app::config::load::{Flags, load};
use tributary_app::folder::owned::Owned;
use tributary_app::folder::{Folder, Missing};
use tributary_app::globals::Globals;
use tributary_app::system;
use tributary_core::error::{Code, Error};
use tributary_core::scope::WorkspaceScope;
use tributary_events::answer::Answer;
use tributary_events::question::{Budget, Question};
use tributary_events::store::EventStore;
use tributary_timeline::FolderStats;

use crate::failure::{Failure, Result};
use crate::load::{BENCH, GIANT};
use crate::measure::ms_since;

/// A workspace of the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The benchmark's events.
    Bench,
    /// The visitor with a million events.
    Giant,
}

/// The engine of a folder, and the rights to its workspaces.
pub struct Engine {
    owned: Owned,
    bench: WorkspaceScope,
    giant: Option<WorkspaceScope>,
}

impl Engine {
    /// Opens a loaded folder under a memory budget.
    pub async fn open(data: &Path, memory_mb: u64) -> Result<Engine> {
        let mut config = load(data, &Flags::default())?;
        config.engine.memory_budget_mb = Some(memory_mb);
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
        Ok(Engine { owned, bench, giant })
    }

    /// Asks once; the time it took in milliseconds.
    pub async fn ask(&self, place: Place, question: Question) -> Result<(f64, Answer)> {
        let scope = match place {
            Place::Bench => &self.bench,
            Place::Giant => self.giant.as_ref().ok_or_else(|| Error::new(Code::NotFound, "the giant was not loaded"))?,
        };
        let begin = Instant::now();
        let answered = self.owned.timeline.ask(scope, question, Budget::BACKGROUND).await?;
        Ok((ms_since(begin), answered.answer))
    }

    /// Whether the giant's workspace is there.
    pub fn has_giant(&self) -> bool {
        self.giant.is_some()
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

async fn scope(owned: &Owned, slug: &str) -> Result<Option<WorkspaceScope>> {
    let Some(workspace) = owned.control.find_workspace(slug).await? else { return Ok(None) };
    Ok(Some(owned.control.operator_access(workspace.id).await?.scope))
}
