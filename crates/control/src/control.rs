//! The handle everything goes through, and how it opens and closes.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;

use tributary_boxed::boxed;
use tributary_core::clock::SharedClock;
use tributary_core::entropy::SharedEntropy;
use tributary_core::error::{Error, Result};
use tributary_core::scope::Mint;
use uuid::Uuid;

use crate::access::Callers;
use crate::audit::{AuditLog, found_log};
use crate::contacts::{PeopleCache, SeenTies};
use crate::conversions::ConversionsCache;
use crate::secret::InstallationSecret;
use crate::store::{Store, commit};
use crate::token::Pepper;
use crate::usage::Meter;

/// The control plane of one data folder. Cloning shares it.
#[derive(Clone)]
pub struct Control {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub store: Store,
    pub clock: SharedClock,
    pub entropy: SharedEntropy,
    pub secret: InstallationSecret,
    pub pepper: Pepper,
    pub mint: Mint,
    pub callers: Callers,
    pub meter: Meter,
    pub audit: AuditLog,
    pub people: PeopleCache,
    pub seen_ties: SeenTies,
    pub conversions: ConversionsCache,
}

impl Control {
    /// Opens (and on first use creates) `folder/control.db` and `folder/secret.key`. The folder must exist.
    ///
    /// Must be called inside a tokio runtime: the audit log's writer runs as a task until the last clone is dropped.
    ///
    /// Errors: `conflict` when the database is of a newer schema than this binary, or when `secret.key` is missing or is not
    /// the one the database was made with; `internal_error` when a file cannot be read or written.
    #[boxed]
    pub async fn open(folder: &Path, clock: SharedClock, entropy: SharedEntropy) -> Result<Control> {
        let database = folder.join(crate::store::DATABASE_FILE);
        let is_new = !database.exists();
        let secret =
            if is_new { InstallationSecret::open_or_create(folder, &entropy)? } else { InstallationSecret::open(folder)? };
        let store = Store::open(&database).await?;
        prepare(&store, &secret, clock.now_us()).await?;
        let audit = AuditLog::start(store.clone(), &secret).await?;
        let inner = Inner {
            callers: Callers::open(&store).await?,
            pepper: Pepper::new(&secret),
            mint: press(),
            meter: Meter::default(),
            people: PeopleCache::default(),
            seen_ties: SeenTies::default(),
            conversions: ConversionsCache::default(),
            audit,
            store,
            clock,
            entropy,
            secret,
        };
        Ok(Control { inner: Arc::new(inner) })
    }

    /// A key for one purpose, derived from the installation's secret: HMAC-SHA256 of `purpose`. The same purpose gives the
    /// same key for as long as `secret.key` lives.
    pub fn derived_secret(&self, purpose: &str) -> [u8; 32] {
        self.inner.secret.derive(purpose)
    }

    /// Writes what is batched in memory (usage counters, keys' last use) and waits until every audit entry queued so far is
    /// on disk. Called by a timer and at shutdown. What could not be written stays in memory for the next call.
    #[boxed]
    pub async fn flush(&self) -> Result<()> {
        self.inner.audit.drain().await?;
        self.run_to_end(|control| async move { control.write_counters().await }).await
    }

    /// Flushes and closes the database. Later calls on any clone fail.
    #[boxed]
    pub async fn close(&self) -> Result<()> {
        let flushed = self.flush().await;
        self.inner.store.close().await;
        flushed
    }

    /// Checks every page of `control.db`. Blocks nothing, reads everything.
    ///
    /// Errors: `upstream_failed` naming `control.db` and the first thing that is wrong.
    #[boxed]
    pub async fn check_pages(&self) -> Result<()> {
        self.inner.store.check_pages().await
    }

    /// Checks that every table, index and trigger is still defined as this version made it.
    ///
    /// Errors: `upstream_failed` naming `control.db` and the first one that is not.
    #[boxed]
    pub async fn check_schema(&self) -> Result<()> {
        crate::schema::check(self.inner.store.reader()).await
    }

    pub(crate) fn now_us(&self) -> i64 {
        self.inner.clock.now_us()
    }

    pub(crate) fn new_uuid(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.inner.entropy.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    /// Runs a change in a task of its own, so that a caller who goes away (a closed connection) cannot stop it between the
    /// commit and the cache's invalidation.
    pub(crate) async fn run_to_end<T, W>(&self, work: impl FnOnce(Control) -> W) -> Result<T>
    where
        T: Send + 'static,
        W: Future<Output = Result<T>> + Send + 'static,
    {
        tokio::spawn(work(self.clone()))
            .await
            .map_err(|error| Error::internal("a change to the control plane did not finish").caused_by(error))?
    }

    /// Like [`Control::run_to_end`], and forgets every cached caller at the end, whatever the outcome.
    pub(crate) async fn change<T, W>(&self, work: impl FnOnce(Control) -> W + Send + 'static) -> Result<T>
    where
        T: Send + 'static,
        W: Future<Output = Result<T>> + Send + 'static,
    {
        self.run_to_end(|control| async move {
            let _invalidation = control.inner.callers.invalidate_when_done();
            work(control.clone()).await
        })
        .await
    }
}

/// Brings the schema up to date and ties database and secret together, all or nothing: a database that ever had a schema
/// has a secret's mark and a sealed audit log, and gets neither a second time.
async fn prepare(store: &Store, secret: &InstallationSecret, now_us: i64) -> Result<()> {
    let mut transaction = store.begin().await?;
    let was_new = crate::schema::migrate(&mut transaction, now_us).await?;
    if was_new {
        secret.mark(&mut transaction).await?;
        found_log(&mut transaction, secret).await?;
    } else {
        secret.check(&mut transaction).await?;
    }
    commit(transaction).await
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is `control`: scopes are issued after a credential or an operator was verified"
)]
fn press() -> Mint {
    Mint::new()
}
