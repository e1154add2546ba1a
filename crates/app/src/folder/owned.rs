//! A data folder this process owns: the lock and the open stores.

use std::path::PathBuf;
use std::sync::Arc;

use tributary_control::Control;
use tributary_core::error::{Error, Result};
use tributary_events::store::EventStore;
use tributary_ingest::pipeline::{Pipeline, Settings};
use tributary_service::bounded::BoundedStore;
use tributary_timeline::Timeline;
use tributary_timeline::options::Options;

use super::lock::Lock;
use super::owner::Owner;
use super::seal::{self, Opened};
use crate::config::bounds::whole;
use crate::globals::Globals;
use crate::store::blocking;

/// The control plane's database inside the folder.
pub const CONTROL_FILE: &str = "control.db";

/// Files of exports inside the folder, in a folder for each workspace.
pub const EXPORTS_FOLDER: &str = "exports";

/// A data folder this process owns.
pub struct Owned {
    /// The folder.
    pub root: PathBuf,
    /// Accounts, workspaces, keys, audit, usage.
    pub control: Control,
    /// The event engine.
    pub timeline: Arc<Timeline>,
    /// The same with bounds on the questions under way: what every door and command asks.
    pub events: Arc<dyn EventStore>,
    /// Bytes to events.
    pub pipeline: Arc<Pipeline>,
    /// Which database is not as it was when the folder was closed; only commands that inspect see such a folder open.
    pub broken_seal: Option<String>,
    lock: Lock,
}

impl Owned {
    /// Opens the stores of a folder whose lock this process holds.
    pub(super) async fn open(globals: &Globals, lock: Lock) -> Result<Owned> {
        Owner::this_process().write(&globals.data)?;
        let opened = Owned::open_stores(globals, lock).await;
        if opened.is_err() {
            Owner::clear(&globals.data);
        }
        opened
    }

    async fn open_stores(globals: &Globals, lock: Lock) -> Result<Owned> {
        let root = globals.data.clone();
        let opened = blocking("comparing the databases with their seal", {
            let root = root.clone();
            move || seal::unseal(&root)
        })
        .await?;
        let is_intact = matches!(opened, Opened::Intact);
        let broken_seal = match opened {
            Opened::Broken(error) if globals.inspects => Some(error.message().to_owned()),
            Opened::Broken(error) => return Err(error),
            Opened::Intact | Opened::Missing => None,
        };
        let control = Control::open(&root, globals.clock.clone(), globals.entropy.clone()).await?;
        // A database that was not closed has nothing but its own check, which commands that inspect make themselves.
        if !is_intact && !globals.inspects {
            control.check_pages().await?;
            control.check_schema().await?;
        }
        let options = engine_options(globals, &control);
        let folder = root.clone();
        let timeline = tokio::task::spawn_blocking(move || Timeline::open(&folder, options))
            .await
            .map_err(|error| Error::internal("opening the event engine did not finish").caused_by(error))??;
        let settings = Settings {
            ip_salt: control.derived_secret("address hash"),
            geo_database: globals.config.ingest.geo_database.clone(),
        };
        let pipeline = Arc::new(Pipeline::open(settings, globals.entropy.clone())?);
        let events = BoundedStore::new(timeline.clone(), globals.config.engine.question_bounds());
        Ok(Owned { root, control, timeline, events, pipeline, broken_seal, lock })
    }

    /// Writes out what is batched, closes the stores and releases the folder.
    pub async fn close(self) -> Result<()> {
        let Owned { root, control, timeline, events, pipeline, broken_seal, lock } = self;
        drop((events, pipeline));
        let closed = blocking("closing the event engine", move || {
            timeline.close();
            // The last to hold it closes the database.
            drop(timeline);
            Ok(())
        })
        .await;
        let written = control.close().await;
        if broken_seal.is_none() && closed.is_ok() && written.is_ok() {
            let folder = root.clone();
            if let Err(error) = blocking("sealing the databases", move || seal::seal(&folder)).await {
                tracing::warn!(error = %error.chain(), "the databases could not be sealed");
            }
        }
        Owner::clear(&root);
        drop(lock);
        closed?;
        written
    }
}

fn engine_options(globals: &Globals, control: &Control) -> Options {
    let engine = &globals.config.engine;
    // The key decides the order inside segments: it belongs to the installation and never changes.
    let key = control.derived_secret("visitor hash");
    let visitor_key = *key.first_chunk::<16>().expect("a derived secret has 32 bytes");
    let defaults = Options::new(visitor_key, globals.clock.clone());
    Options {
        memory_budget_bytes: engine.memory_budget_bytes(),
        flush_events: whole(engine.flush_events),
        flush_after_ms: engine.flush_after_seconds.saturating_mul(1_000),
        tail_events: whole(engine.tail_events),
        queue_events: whole(engine.queue_events),
        segment_rows: whole(engine.segment_rows),
        threads: engine.threads.map_or(defaults.threads, usize::from),
        ..defaults
    }
}
