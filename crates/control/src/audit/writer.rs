//! The one writer of the log: a task that puts queued rows in order, many to a commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::Row;
use subtle::ConstantTimeEq;
use tokio::sync::{mpsc, oneshot};
use tributary_boxed::boxed;
use tributary_core::error::{Error, Result};

use super::chain::{GENESIS, row_hash, seal};
use super::entry::{AuditRow, PendingRow};
use crate::secret::InstallationSecret;
use crate::store::{DatabaseTransaction, Store, commit, failed};

/// Most rows that wait to be written.
const QUEUE_ROWS: usize = 4_096;
/// Most rows in one commit.
const GROUP_ROWS: usize = 512;

/// The last row of the log: its number and hash name the whole log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditHead {
    /// Number of the last row; 0 for an empty log.
    pub seq: i64,
    /// Its hash; 64 zeros for an empty log.
    pub hash: String,
}

/// The way to the writer.
pub(crate) struct AuditLog {
    queue: mpsc::Sender<Message>,
    lost: Arc<AtomicU64>,
    digest_key: [u8; 32],
    seal_key: [u8; 32],
}

/// Where the writer says what became of a row; `None` for a row nobody waits for.
type Reply = Option<oneshot::Sender<Result<()>>>;

enum Message {
    Append(Box<PendingRow>, Reply),
    /// Answered when everything queued before it is settled.
    Barrier(oneshot::Sender<()>),
}

/// Seals the empty log of a new installation.
pub(crate) async fn found_log(transaction: &mut DatabaseTransaction, secret: &InstallationSecret) -> Result<()> {
    sqlx::query("INSERT INTO mcp_audit_head (id, seq, hash, seal) VALUES (1, 0, $1, $2)")
        .bind(GENESIS)
        .bind(seal(&seal_key(secret), 0, GENESIS))
        .execute(&mut **transaction)
        .await
        .map_err(failed("the audit log could not be founded"))?;
    Ok(())
}

impl AuditLog {
    /// Starts the writer. It ends when the log is dropped and the queue is empty.
    #[boxed]
    pub async fn start(store: Store, secret: &InstallationSecret) -> Result<Self> {
        let seal_key = seal_key(secret);
        let head = resume(&store, &seal_key).await?;
        let (queue, inbox) = mpsc::channel(QUEUE_ROWS);
        let lost = Arc::new(AtomicU64::new(0));
        let writer = Writer { store, head, seal_key, lost: lost.clone() };
        tokio::spawn(writer.run(inbox));
        Ok(Self { queue, lost, digest_key: secret.derive("tributary audit arguments"), seal_key })
    }

    /// Appends a row and waits until it is on disk.
    #[boxed]
    pub async fn append(&self, row: PendingRow) -> Result<()> {
        let (reply, answer) = oneshot::channel();
        self.queue.send(Message::Append(Box::new(row), Some(reply))).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }

    /// Queues a row, or refuses when there is no room.
    pub fn queue(&self, row: PendingRow) -> Result<(), ()> {
        self.queue.try_send(Message::Append(Box::new(row), None)).map_err(drop)
    }

    /// Waits until everything queued so far is settled.
    #[boxed]
    pub async fn drain(&self) -> Result<()> {
        let (reply, answer) = oneshot::channel();
        self.queue.send(Message::Barrier(reply)).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())
    }

    /// Queued rows that could not be written.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    pub fn digest_key(&self) -> &[u8; 32] {
        &self.digest_key
    }

    pub fn seal_key(&self) -> &[u8; 32] {
        &self.seal_key
    }
}

struct Writer {
    store: Store,
    head: AuditHead,
    seal_key: [u8; 32],
    lost: Arc<AtomicU64>,
}

impl Writer {
    async fn run(mut self, mut inbox: mpsc::Receiver<Message>) {
        let mut messages = Vec::with_capacity(GROUP_ROWS);
        while inbox.recv_many(&mut messages, GROUP_ROWS).await > 0 {
            let mut barriers = Vec::new();
            let mut group = Vec::with_capacity(messages.len());
            for message in messages.drain(..) {
                match message {
                    Message::Append(row, reply) => group.push((row, reply)),
                    Message::Barrier(reply) => barriers.push(reply),
                }
            }
            self.settle(group).await;
            for reply in barriers {
                answer(reply, ());
            }
        }
    }

    async fn settle(&mut self, group: Vec<(Box<PendingRow>, Reply)>) {
        if group.is_empty() {
            return;
        }
        let rows: Vec<&PendingRow> = group.iter().map(|(row, _)| row.as_ref()).collect();
        if self.write(&rows).await.is_ok() {
            for reply in group.into_iter().filter_map(|(_, reply)| reply) {
                answer(reply, Ok(()));
            }
            return;
        }
        self.catch_up().await;
        // One row nobody can write must not take the others with it.
        for (row, reply) in group {
            let written = self.write(&[&row]).await;
            if let Err(error) = &written {
                tracing::error!(correlation_id = %row.correlation_id, cause = error.chain(), "an audit row could not be written");
            }
            match reply {
                Some(reply) => answer(reply, written),
                None => {
                    self.lost.fetch_add(u64::from(written.is_err()), Ordering::Relaxed);
                }
            }
        }
    }

    /// After a failure: a commit may have succeeded although the answer to it was lost. Never goes back: what is in memory is
    /// better evidence than a database someone may have wound back.
    async fn catch_up(&mut self) {
        match resume(&self.store, &self.seal_key).await {
            Ok(head) if head.seq > self.head.seq => self.head = head,
            Ok(_) => {}
            Err(error) => tracing::error!(cause = error.chain(), "the audit log's head could not be read again"),
        }
    }

    /// Appends rows and moves the head in one transaction. The head in memory moves only after the commit.
    async fn write(&mut self, rows: &[&PendingRow]) -> Result<()> {
        let step = "the audit log could not be written";
        let mut head = self.head.clone();
        let mut transaction = self.store.begin().await?;
        for pending in rows {
            let mut row = pending.place(head.seq + 1, &head.hash);
            row.hash = row_hash(&row);
            append(&mut transaction, &row, &self.seal_key).await.map_err(failed(step))?;
            head = AuditHead { seq: row.seq, hash: row.hash };
        }
        commit(transaction).await?;
        self.head = head;
        Ok(())
    }
}

/// Whoever has stopped waiting needs no answer.
fn answer<T>(reply: oneshot::Sender<T>, settled: T) {
    reply.send(settled).ok();
}

/// Adds a row and moves the head to it: two statements in one, since a caller waits for each way to the database.
async fn append(transaction: &mut DatabaseTransaction, row: &AuditRow, seal_key: &[u8; 32]) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO mcp_audit_log (seq, correlation_id, at_us, door, tool_name, args_digest, latency_ms, output_size_bytes,
         space_id, user_id, token_id, client_user_agent, client_ip, was_internal, outcome, prev_hash, hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17);
         UPDATE mcp_audit_head SET seq = $1, hash = $17, seal = $18 WHERE id = 1",
    )
    .bind(row.seq)
    .bind(&row.correlation_id)
    .bind(row.at_us)
    .bind(&row.door)
    .bind(&row.tool_name)
    .bind(&row.args_digest)
    .bind(row.latency_ms)
    .bind(row.output_size_bytes)
    .bind(row.space_id)
    .bind(row.user_id)
    .bind(row.token_id)
    .bind(&row.client_user_agent)
    .bind(&row.client_ip)
    .bind(row.was_internal)
    .bind(&row.outcome)
    .bind(&row.prev_hash)
    .bind(&row.hash)
    .bind(seal(seal_key, row.seq, &row.hash))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Where to go on. After tampering the log goes on too, but never so that the break heals: the number follows the highest
/// one ever seen, and the hash is the sealed head's or, without a good seal, none that any row has.
async fn resume(store: &Store, seal_key: &[u8; 32]) -> Result<AuditHead> {
    let mut transaction = store.begin_read().await?;
    let sealed = sealed_head(&mut transaction, seal_key).await?;
    let last = last_row(&mut transaction).await?;
    match sealed {
        Some(head) if head == last => Ok(head),
        Some(head) => {
            tracing::error!(head.seq, last.seq, "the audit log does not end at its sealed head; run `audit verify`");
            Ok(AuditHead { seq: head.seq.max(last.seq), hash: head.hash })
        }
        None => {
            tracing::error!(last.seq, "the audit log's sealed head is missing or does not verify; run `audit verify`");
            Ok(AuditHead { seq: last.seq, hash: GENESIS.to_owned() })
        }
    }
}

/// The head, if there is one and its seal verifies.
pub(super) async fn sealed_head(transaction: &mut DatabaseTransaction, key: &[u8; 32]) -> Result<Option<AuditHead>> {
    let read = failed("the audit log's head could not be read");
    let row = sqlx::query("SELECT seq, hash, seal FROM mcp_audit_head WHERE id = 1")
        .fetch_optional(&mut **transaction)
        .await
        .map_err(&read)?;
    let Some(row) = row else { return Ok(None) };
    let head = AuditHead { seq: row.try_get("seq").map_err(&read)?, hash: row.try_get("hash").map_err(&read)? };
    let stored: &str = row.try_get("seal").map_err(&read)?;
    let is_ours: bool = seal(key, head.seq, &head.hash).as_bytes().ct_eq(stored.as_bytes()).into();
    Ok(is_ours.then_some(head))
}

async fn last_row(transaction: &mut DatabaseTransaction) -> Result<AuditHead> {
    let read = failed("the audit log's last row could not be read");
    let row = sqlx::query("SELECT seq, hash FROM mcp_audit_log ORDER BY seq DESC LIMIT 1")
        .fetch_optional(&mut **transaction)
        .await
        .map_err(&read)?;
    let Some(row) = row else { return Ok(AuditHead { seq: 0, hash: GENESIS.to_owned() }) };
    Ok(AuditHead { seq: row.try_get("seq").map_err(&read)?, hash: row.try_get("hash").map_err(&read)? })
}

fn seal_key(secret: &InstallationSecret) -> [u8; 32] {
    secret.derive("tributary audit head")
}

fn stopped() -> Error {
    Error::internal("the audit log's writer has stopped")
}
