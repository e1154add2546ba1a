//! Usage: accepted events per month, rejected events by reason, per workspace. Counted in memory, written in batches.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use sqlx::Row;
use tributary_boxed::boxed;
use tributary_core::error::Result;
use tributary_core::ids::{AccountId, KeyId, WorkspaceId};

use crate::control::Control;
use crate::store::{commit, failed};

/// Most reasons counted apart per workspace between two flushes; further ones count as [`OTHER_REASON`].
const MAX_REASONS: usize = 64;
/// Longest reason stored, characters.
const MAX_REASON_CHARS: usize = 64;
/// Where reasons beyond the bound are counted.
const OTHER_REASON: &str = "other";

/// What a workspace has sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// The calendar month (UTC) of `month_events`, such as `2026-05`.
    pub month: String,
    /// Events accepted in that month, by arrival.
    pub month_events: u64,
    /// Arrival of the last accepted event, microseconds since the epoch, UTC.
    pub last_event_us: Option<i64>,
    /// Rejected events since the workspace was created, most frequent reason first.
    pub rejected: Vec<Rejected>,
}

/// Events rejected for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// The error's code, such as `invalid_payload`.
    pub reason: String,
    /// How many.
    pub count: u64,
    /// The last one, microseconds since the epoch, UTC.
    pub last_us: i64,
}

impl Control {
    /// Counts `events` accepted at `received_us`. In memory only; [`Control::flush`] writes it.
    pub fn note_accepted(&self, workspace: WorkspaceId, events: u64, received_us: i64) {
        if events > 0 {
            self.inner.meter.counts().accept(workspace, month_of(received_us), Count { events, last_us: received_us });
        }
    }

    /// Counts `events` rejected now for `reason` (an error's code). In memory only; [`Control::flush`] writes it.
    pub fn note_rejected(&self, workspace: WorkspaceId, reason: &str, events: u64) {
        if events > 0 {
            self.inner.meter.counts().reject(workspace, reason, Count { events, last_us: self.now_us() });
        }
    }

    /// What a workspace has sent so far, counters not yet written included.
    #[boxed]
    pub async fn usage(&self, workspace: WorkspaceId) -> Result<Usage> {
        // A flush in between would make its counters appear in neither place, or in both.
        let _no_flush = self.inner.meter.flushing.read().await;
        let month = month_of(self.now_us());
        let mut stored = self.stored_usage(workspace, &month).await?;
        self.inner.meter.counts().add_to(&mut stored, workspace);
        stored.rejected.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.reason.cmp(&b.reason)));
        Ok(stored)
    }

    /// Events accepted this calendar month (UTC) over all workspaces of an account, deleted ones too: what a monthly quota
    /// is held against.
    #[boxed]
    pub async fn account_month_events(&self, account: AccountId) -> Result<u64> {
        let read = failed("the account's usage could not be read");
        let _no_flush = self.inner.meter.flushing.read().await;
        let month = month_of(self.now_us());
        let rows = sqlx::query(
            "SELECT workspaces.id, COALESCE(usage_meter.events, 0) AS events FROM workspaces
             LEFT JOIN usage_meter ON usage_meter.workspace_id = workspaces.id AND usage_meter.month = $2
             WHERE workspaces.account_id = $1",
        )
        .bind(account.0)
        .bind(&month)
        .fetch_all(self.inner.store.reader())
        .await
        .map_err(&read)?;
        let counts = self.inner.meter.counts();
        let mut total = 0;
        for row in &rows {
            let workspace = WorkspaceId(row.try_get("id").map_err(&read)?);
            let stored: i64 = row.try_get("events").map_err(&read)?;
            let unwritten = counts.accepted.get(&(workspace, month.clone())).map_or(0, |count| count.events);
            total += unsigned(stored) + unwritten;
        }
        Ok(total)
    }

    async fn stored_usage(&self, workspace: WorkspaceId, month: &str) -> Result<Usage> {
        let read = failed("the workspace's usage could not be read");
        let mut transaction = self.inner.store.begin_read().await?;
        let meter = sqlx::query(
            "SELECT CAST(COALESCE(SUM(CASE WHEN month = $2 THEN events ELSE 0 END), 0) AS BIGINT) AS events, MAX(last_us) AS last_us
             FROM usage_meter WHERE workspace_id = $1",
        )
        .bind(workspace.0)
        .bind(month)
        .fetch_one(&mut *transaction)
        .await
        .map_err(&read)?;
        let rejected = sqlx::query("SELECT reason, events, last_us FROM usage_rejected WHERE workspace_id = $1")
            .bind(workspace.0)
            .fetch_all(&mut *transaction)
            .await
            .map_err(&read)?;
        let rejected = rejected.iter().map(|row| {
            let count: i64 = row.try_get("events")?;
            Ok(Rejected { reason: row.try_get("reason")?, count: unsigned(count), last_us: row.try_get("last_us")? })
        });
        Ok(Usage {
            month: month.to_owned(),
            month_events: unsigned(meter.try_get("events").map_err(&read)?),
            last_event_us: meter.try_get("last_us").map_err(&read)?,
            rejected: rejected.collect::<Result<_, sqlx::Error>>().map_err(&read)?,
        })
    }

    /// Writes counters and keys' last use in one transaction; on failure they return to memory.
    pub(crate) async fn write_counters(&self) -> Result<()> {
        let _flushing = self.inner.meter.flushing.write().await;
        let counts = std::mem::take(&mut *self.inner.meter.counts());
        let used = self.inner.callers.take_used();
        if counts.is_empty() && used.is_empty() {
            return Ok(());
        }
        let written = self.write(&counts, &used).await;
        if written.is_err() {
            self.inner.meter.counts().absorb(counts);
            self.inner.callers.put_back_used(used);
        }
        written
    }

    async fn write(&self, counts: &Counts, used: &HashMap<KeyId, i64>) -> Result<()> {
        let step = "usage counters could not be written";
        let mut transaction = self.inner.store.begin().await?;
        for ((workspace, month), count) in &counts.accepted {
            sqlx::query(
                "INSERT INTO usage_meter (workspace_id, month, events, last_us) SELECT id, $2, $3, $4 FROM workspaces WHERE id = $1
                 ON CONFLICT (workspace_id, month) DO UPDATE SET events = usage_meter.events + excluded.events,
                 last_us = CASE WHEN excluded.last_us > usage_meter.last_us THEN excluded.last_us ELSE usage_meter.last_us END",
            )
            .bind(workspace.0)
            .bind(month)
            .bind(signed(count.events))
            .bind(count.last_us)
            .execute(&mut *transaction)
            .await
            .map_err(failed(step))?;
        }
        for (workspace, reasons) in &counts.rejected {
            for (reason, count) in reasons {
                sqlx::query(
                    "INSERT INTO usage_rejected (workspace_id, reason, events, last_us) SELECT id, $2, $3, $4 FROM workspaces WHERE id = $1
                     ON CONFLICT (workspace_id, reason) DO UPDATE SET events = usage_rejected.events + excluded.events,
                     last_us = CASE WHEN excluded.last_us > usage_rejected.last_us THEN excluded.last_us ELSE usage_rejected.last_us END",
                )
                .bind(workspace.0)
                .bind(reason)
                .bind(signed(count.events))
                .bind(count.last_us)
                .execute(&mut *transaction)
                .await
                .map_err(failed(step))?;
            }
        }
        for (key, used_us) in used {
            sqlx::query("UPDATE api_keys SET last_used_us = $2 WHERE id = $1 AND (last_used_us IS NULL OR last_used_us < $2)")
                .bind(key.0)
                .bind(used_us)
                .execute(&mut *transaction)
                .await
                .map_err(failed(step))?;
        }
        commit(transaction).await
    }
}

/// The counters in memory.
#[derive(Default)]
pub(crate) struct Meter {
    counts: Mutex<Counts>,
    /// Held for writing while counters move from memory to the database.
    flushing: tokio::sync::RwLock<()>,
}

impl Meter {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Default)]
struct Counts {
    accepted: HashMap<(WorkspaceId, String), Count>,
    rejected: HashMap<WorkspaceId, HashMap<String, Count>>,
}

#[derive(Clone, Copy)]
struct Count {
    events: u64,
    last_us: i64,
}

impl Count {
    fn add(&mut self, more: Count) {
        self.events = self.events.saturating_add(more.events);
        self.last_us = self.last_us.max(more.last_us);
    }
}

impl Counts {
    fn is_empty(&self) -> bool {
        self.accepted.is_empty() && self.rejected.is_empty()
    }

    fn accept(&mut self, workspace: WorkspaceId, month: String, more: Count) {
        self.accepted.entry((workspace, month)).and_modify(|count| count.add(more)).or_insert(more);
    }

    fn reject(&mut self, workspace: WorkspaceId, reason: &str, more: Count) {
        let reasons = self.rejected.entry(workspace).or_default();
        let reason: String = reason.chars().take(MAX_REASON_CHARS).collect();
        let is_room = reasons.contains_key(&reason) || reasons.len() < MAX_REASONS;
        let reason = if is_room { reason } else { OTHER_REASON.to_owned() };
        reasons.entry(reason).and_modify(|count| count.add(more)).or_insert(more);
    }

    fn absorb(&mut self, other: Counts) {
        for ((workspace, month), count) in other.accepted {
            self.accept(workspace, month, count);
        }
        for (workspace, reasons) in other.rejected {
            for (reason, count) in reasons {
                self.reject(workspace, &reason, count);
            }
        }
    }

    fn add_to(&self, usage: &mut Usage, workspace: WorkspaceId) {
        for ((counted, month), count) in &self.accepted {
            if *counted != workspace {
                continue;
            }
            usage.last_event_us = usage.last_event_us.max(Some(count.last_us));
            if *month == usage.month {
                usage.month_events += count.events;
            }
        }
        for (reason, count) in self.rejected.get(&workspace).into_iter().flatten() {
            match usage.rejected.iter_mut().find(|rejected| rejected.reason == *reason) {
                Some(rejected) => {
                    rejected.count += count.events;
                    rejected.last_us = rejected.last_us.max(count.last_us);
                }
                None => {
                    usage.rejected.push(Rejected { reason: reason.clone(), count: count.events, last_us: count.last_us });
                }
            }
        }
    }
}

/// The calendar month of an instant, UTC: `2026-05`.
fn month_of(time_us: i64) -> String {
    let instant = Timestamp::from_microsecond(time_us).unwrap_or(Timestamp::UNIX_EPOCH);
    instant.strftime("%Y-%m").to_string()
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}
