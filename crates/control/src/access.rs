//! From a token to what it opens: the only place where a credential becomes a scope.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use sqlx::Row;
use tributary_boxed::boxed;
use tributary_core::credential::KeyKind;
use tributary_core::error::{Code, Error, Result};
use tributary_core::ids::{AccountId, KeyId, WorkspaceId};
use tributary_core::scope::{Mint, WorkspaceScope};

use crate::account::{Account, read_account};
use crate::control::Control;
use crate::store::{DatabaseTransaction, Store, damaged, failed};
use crate::token::Token;
use crate::workspace::{Workspace, read_workspace, read_workspaces_of};

/// Most callers kept ready; beyond it the cache starts over.
const MAX_READY_CALLERS: usize = 10_000;

/// Whoever holds a verified key, and what it opens.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The key.
    pub key: KeyId,
    /// Its prefix, safe to log.
    pub prefix: String,
    /// Its kind.
    pub kind: KeyKind,
    /// The account that owns the key or the key's workspace.
    pub account: Account,
    /// The key's one workspace; for `ak`, every live workspace of the account, by id (possibly none).
    pub workspaces: Vec<WorkspaceAccess>,
}

/// A workspace together with the right to its data.
#[derive(Clone, Debug)]
pub struct WorkspaceAccess {
    /// The workspace.
    pub workspace: Arc<Workspace>,
    /// The right to its data.
    pub scope: WorkspaceScope,
}

impl Control {
    /// Verifies a token and says what it opens. Callers are cached until anything in the control plane changes; a cached one
    /// costs no statement, and neither does an unknown prefix.
    ///
    /// Errors, in this order: `malformed_api_key` (not of the four-part shape), `invalid_api_key` (unknown or revoked prefix,
    /// secret that does not verify), `key_kind_mismatch` (the secret verifies, the kind was exchanged).
    #[boxed]
    pub async fn authenticate(&self, token: &str) -> Result<Arc<Caller>> {
        let token = Token::parse(token)?;
        let invalid = || Error::new(Code::InvalidApiKey, "the key is unknown or revoked, or its secret is wrong");
        let Some(ready) = self.ready_caller(token.prefix).await? else { return Err(invalid()) };
        if token.env != ready.env || !self.inner.pepper.verifies(token.secret, &ready.secret_hash) {
            return Err(invalid());
        }
        let caller = &ready.caller;
        if token.kind != caller.kind {
            return Err(Error::new(
                Code::KeyKindMismatch,
                format!("the token says {}, the key is of another kind", token.kind.as_str()),
            ));
        }
        self.inner.callers.touch(caller.key, self.now_us());
        Ok(caller.clone())
    }

    /// The right to a workspace's data for a local operator, who owns the data folder. Never for a request from outside.
    #[boxed]
    pub async fn operator_access(&self, id: WorkspaceId) -> Result<WorkspaceAccess> {
        let mut transaction = self.inner.store.begin_read().await?;
        Ok(access_to(read_workspace(&mut transaction, id).await?, &self.inner.mint))
    }

    async fn ready_caller(&self, prefix: &str) -> Result<Option<Arc<ReadyCaller>>> {
        let callers = &self.inner.callers;
        if let Some(ready) = callers.find(prefix) {
            return Ok(Some(ready));
        }
        if !callers.is_live(prefix) {
            return Ok(None);
        }
        // One load at a time: after a change, a thousand waiting requests read a caller once, not a thousand times.
        let _loading = callers.loading.lock().await;
        if let Some(ready) = callers.find(prefix) {
            return Ok(Some(ready));
        }
        let generation = callers.generation();
        let mut transaction = self.inner.store.begin_read().await?;
        let loaded = load_caller(&mut transaction, prefix, &self.inner.mint).await?.map(Arc::new);
        if let Some(ready) = &loaded {
            callers.keep(generation, ready.clone());
        }
        Ok(loaded)
    }
}

/// Everything needed to verify a token without a statement.
pub(crate) struct ReadyCaller {
    env: String,
    secret_hash: [u8; 32],
    caller: Arc<Caller>,
}

/// The cache in front of the key table, and what it has learned about keys' use.
pub(crate) struct Callers {
    ready: RwLock<Ready>,
    /// Prefixes of every key that is not revoked: what is not in here costs no statement.
    live: RwLock<HashSet<String>>,
    /// Last use per key, not yet written.
    used: Mutex<HashMap<KeyId, i64>>,
    loading: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Ready {
    /// Counts invalidations: a caller read before one is not kept after it.
    generation: u64,
    by_prefix: HashMap<String, Arc<ReadyCaller>>,
}

impl Callers {
    /// Reads the prefixes of live keys.
    #[boxed]
    pub async fn open(store: &Store) -> Result<Self> {
        let step = "the live keys could not be read";
        let rows = sqlx::query("SELECT prefix FROM api_keys WHERE revoked_us IS NULL")
            .fetch_all(store.reader())
            .await
            .map_err(failed(step))?;
        let live = rows.iter().map(|row| row.try_get("prefix")).collect::<Result<HashSet<String>, _>>().map_err(failed(step))?;
        Ok(Self {
            ready: RwLock::default(),
            live: RwLock::new(live),
            used: Mutex::default(),
            loading: tokio::sync::Mutex::default(),
        })
    }

    /// Forgets every ready caller when the guard is dropped, even by a panic.
    pub fn invalidate_when_done(&self) -> Invalidation<'_> {
        Invalidation(self)
    }

    /// A key with this prefix was created.
    pub fn insert(&self, prefix: &str) {
        self.live.write().unwrap_or_else(PoisonError::into_inner).insert(prefix.to_owned());
    }

    /// The key with this prefix was revoked.
    pub fn remove(&self, prefix: &str) {
        self.live.write().unwrap_or_else(PoisonError::into_inner).remove(prefix);
    }

    /// When the key was last used, if that is not written yet.
    pub fn last_used(&self, key: KeyId) -> Option<i64> {
        self.used().get(&key).copied()
    }

    /// Takes what is to be written.
    pub fn take_used(&self) -> HashMap<KeyId, i64> {
        std::mem::take(&mut *self.used())
    }

    /// Puts back what could not be written.
    pub fn put_back_used(&self, unwritten: HashMap<KeyId, i64>) {
        for (key, used_us) in unwritten {
            self.touch(key, used_us);
        }
    }

    fn touch(&self, key: KeyId, now_us: i64) {
        let mut used = self.used();
        let last_us = used.entry(key).or_insert(now_us);
        *last_us = now_us.max(*last_us);
    }

    fn used(&self) -> MutexGuard<'_, HashMap<KeyId, i64>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_live(&self, prefix: &str) -> bool {
        self.live.read().unwrap_or_else(PoisonError::into_inner).contains(prefix)
    }

    fn find(&self, prefix: &str) -> Option<Arc<ReadyCaller>> {
        self.ready.read().unwrap_or_else(PoisonError::into_inner).by_prefix.get(prefix).cloned()
    }

    fn generation(&self) -> u64 {
        self.ready.read().unwrap_or_else(PoisonError::into_inner).generation
    }

    fn keep(&self, generation: u64, caller: Arc<ReadyCaller>) {
        let mut ready = self.ready.write().unwrap_or_else(PoisonError::into_inner);
        if ready.generation != generation {
            return;
        }
        if ready.by_prefix.len() >= MAX_READY_CALLERS {
            ready.by_prefix.clear();
        }
        ready.by_prefix.insert(caller.caller.prefix.clone(), caller);
    }

    fn invalidate(&self) {
        let mut ready = self.ready.write().unwrap_or_else(PoisonError::into_inner);
        ready.generation += 1;
        ready.by_prefix.clear();
    }
}

/// See [`Callers::invalidate_when_done`].
pub(crate) struct Invalidation<'c>(&'c Callers);

impl Drop for Invalidation<'_> {
    fn drop(&mut self) {
        self.0.invalidate();
    }
}

async fn load_caller(transaction: &mut DatabaseTransaction, prefix: &str, mint: &Mint) -> Result<Option<ReadyCaller>> {
    let read = failed("the key could not be looked up");
    let row = sqlx::query(
        "SELECT id, kind, env, secret_hash, account_id, workspace_id FROM api_keys WHERE prefix = $1 AND revoked_us IS NULL",
    )
    .bind(prefix)
    .fetch_optional(&mut **transaction)
    .await
    .map_err(&read)?;
    let Some(row) = row else { return Ok(None) };
    let kind: &str = row.try_get("kind").map_err(&read)?;
    let stored_hash: &str = row.try_get("secret_hash").map_err(&read)?;
    let mut secret_hash = [0; 32];
    hex::decode_to_slice(stored_hash, &mut secret_hash)
        .map_err(|error| damaged("a key's stored hash is damaged").caused_by(error))?;
    let account: Option<i64> = row.try_get("account_id").map_err(&read)?;
    let workspace: Option<i64> = row.try_get("workspace_id").map_err(&read)?;
    let (account, workspaces) = match (account, workspace) {
        (Some(account), None) => {
            let account = read_account(transaction, AccountId(account)).await?;
            let workspaces = read_workspaces_of(transaction, account.id).await?;
            (account, workspaces)
        }
        (None, Some(workspace)) => {
            let workspace = read_workspace(transaction, WorkspaceId(workspace)).await?;
            (read_account(transaction, workspace.account).await?, vec![workspace])
        }
        (Some(_), Some(_)) | (None, None) => return Err(damaged("a key's stored owner is damaged")),
    };
    let caller = Caller {
        key: KeyId(row.try_get("id").map_err(&read)?),
        prefix: prefix.to_owned(),
        kind: KeyKind::from_prefix(kind).ok_or_else(|| damaged("a key's stored kind is damaged"))?,
        account,
        workspaces: workspaces.into_iter().map(|workspace| access_to(workspace, mint)).collect(),
    };
    Ok(Some(ReadyCaller { env: row.try_get("env").map_err(&read)?, secret_hash, caller: Arc::new(caller) }))
}

fn access_to(workspace: Workspace, mint: &Mint) -> WorkspaceAccess {
    WorkspaceAccess { scope: mint.issue(workspace.id), workspace: Arc::new(workspace) }
}
