//! `events.db`: the log of appends, the catalogue of segments, sequences and tombstones. Every statement of the engine is
//! here; whoever calls decides the transaction.

use rusqlite::{Connection, OpenFlags, Row, params};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use tributary_core::error::{Error, Result};
use tributary_events::store::Erasure;

use crate::files::Written;
use crate::stored::{Stored, month_name};

/// Name of the database in the data folder.
pub(crate) const DATABASE: &str = "events.db";
/// Name of the folder of segments.
pub(crate) const SEGMENTS: &str = "segments";
/// Name of the setting that holds the id of the next segment.
pub(crate) const NEXT_SEGMENT: &str = "next_segment";
/// Version of the tables after all [`MIGRATIONS`].
const VERSION: usize = 1 + MIGRATIONS.len();

/// What leads from version n + 1 to n + 2, by n.
const MIGRATIONS: &[&str] = &[
    // 2: checksums by block, CRC-32 as little-endian bytes. Rows without are files that are checked whole.
    "alter table segment add column blocks blob; alter table segment add column keys_blocks blob;",
];

/// The tables of version 1, with which every database begins.
const TABLES: &str = "
create table if not exists meta (name text primary key, value text not null) strict, without rowid;
create table if not exists workspace (
  id integer primary key,
  watermark integer not null
) strict;
create table if not exists log (
  id integer primary key,
  workspace integer not null,
  first_sequence integer not null,
  last_sequence integer not null,
  format integer not null,
  payload blob not null
) strict;
create table if not exists segment (
  id integer primary key,
  workspace integer not null,
  month integer not null,
  rows integer not null,
  bytes integer not null,
  hash text not null,
  keys_bytes integer not null,
  keys_hash text not null,
  first_us integer not null,
  last_us integer not null,
  first_sequence integer not null,
  last_sequence integer not null,
  last_received_us integer not null,
  applied_tombstone integer not null
) strict;
create table if not exists horizon (workspace integer primary key, before_us integer not null) strict;
create table if not exists tombstone (
  id integer primary key autoincrement,
  workspace integer not null,
  kind text not null,
  value text not null,
  up_to_sequence integer not null,
  asked_us integer not null
) strict;
";

/// A segment as the catalogue knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SegmentRecord {
    pub id: u64,
    pub workspace: i64,
    /// `year * 12 + month0` of every event, UTC.
    pub month: i32,
    pub rows: u64,
    pub data: Written,
    pub keys: Written,
    pub first_us: i64,
    pub last_us: i64,
    pub first_sequence: u64,
    pub last_sequence: u64,
    pub last_received_us: i64,
    /// Tombstones up to this one were applied when the file was written.
    pub applied_tombstone: i64,
}

impl SegmentRecord {
    /// A segment without rows yet.
    pub fn empty(id: u64, workspace: i64, month: i32, applied_tombstone: i64) -> Self {
        Self {
            id,
            workspace,
            month,
            rows: 0,
            data: Written::nothing(),
            keys: Written::nothing(),
            first_us: i64::MAX,
            last_us: i64::MIN,
            first_sequence: u64::MAX,
            last_sequence: 0,
            last_received_us: i64::MIN,
            applied_tombstone,
        }
    }

    /// Widens the bounds by one row.
    pub fn cover(&mut self, row: &Stored) {
        self.rows += 1;
        self.first_us = self.first_us.min(row.event.time_us);
        self.last_us = self.last_us.max(row.event.time_us);
        self.first_sequence = self.first_sequence.min(row.sequence);
        self.last_sequence = self.last_sequence.max(row.sequence);
        self.last_received_us = self.last_received_us.max(row.event.received_us);
    }

    /// Widens the bounds by many rows.
    pub fn cover_all(&mut self, bounds: &Bounds) {
        self.rows += bounds.rows;
        self.first_us = self.first_us.min(bounds.first_us);
        self.last_us = self.last_us.max(bounds.last_us);
        self.first_sequence = self.first_sequence.min(bounds.first_sequence);
        self.last_sequence = self.last_sequence.max(bounds.last_sequence);
        self.last_received_us = self.last_received_us.max(bounds.last_received_us);
    }

    /// The data file's name relative to the data folder, as errors and reports show it.
    pub fn name(&self) -> String {
        format!("{SEGMENTS}/w{}/{}-{:08}.parquet", self.workspace, month_name(self.month), self.id)
    }

    /// The id index's name relative to the data folder.
    pub fn keys_name(&self) -> String {
        format!("{SEGMENTS}/w{}/{}-{:08}.keys", self.workspace, month_name(self.month), self.id)
    }

    pub fn path(&self, root: &Path) -> PathBuf {
        root.join(self.name())
    }

    pub fn keys_path(&self, root: &Path) -> PathBuf {
        root.join(self.keys_name())
    }
}

/// What some rows add to a [`SegmentRecord`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub rows: u64,
    pub first_us: i64,
    pub last_us: i64,
    pub first_sequence: u64,
    pub last_sequence: u64,
    pub last_received_us: i64,
}

/// What was forgotten, and up to which event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tombstone {
    pub id: i64,
    pub workspace: i64,
    pub what: Erasure,
    pub up_to_sequence: u64,
}

/// One append as the log holds it.
pub(crate) struct LogEntry {
    pub workspace: i64,
    pub first_sequence: u64,
    pub last_sequence: u64,
    pub format: i64,
    pub payload: Vec<u8>,
}

/// Opens (or creates) the database of a folder.
pub(crate) fn open(folder: &Path) -> Result<Connection> {
    let path = folder.join(DATABASE);
    // For its owner alone, before anything is in it; SQLite gives its journal files the same mode.
    std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&path)
        .map_err(|error| Error::internal(format!("opening `{DATABASE}` failed")).caused_by(error))?;
    let connection = Connection::open(path).map_err(|error| failed("opening", error))?;
    // secure_delete: erased persons must not linger in free pages. The cache is small: the log is written, rarely read.
    connection
        .execute_batch(
            "pragma journal_mode=wal; pragma synchronous=full; pragma secure_delete=on; pragma busy_timeout=10000;
             pragma temp_store=memory; pragma foreign_keys=on;",
        )
        .map_err(|error| failed("configuring", error))?;
    connection.execute_batch(TABLES).map_err(|error| failed("creating tables in", error))?;
    migrate(&connection)?;
    Ok(connection)
}

/// Brings the tables to this program's version, each step in a transaction of its own.
fn migrate(connection: &Connection) -> Result<()> {
    let version = remember(connection, "version", "1")?;
    let known = version.parse().ok().filter(|known| (1..=VERSION).contains(known));
    let Some(known) = known else {
        let read = format!("this program reads versions 1 to {VERSION}");
        return Err(Error::internal(format!("`{DATABASE}` has version {version}; {read}")));
    };
    for (step, to) in MIGRATIONS[known - 1..].iter().zip(known + 1..) {
        let sql = format!("begin immediate; {step} update meta set value = '{to}' where name = 'version'; commit;");
        connection.execute_batch(&sql).map_err(|error| failed("migrating", error))?;
    }
    Ok(())
}

/// Opens a finished copy for reading.
pub(crate) fn open_copy(path: &Path) -> Result<Connection> {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(|error| failed("opening the copy of", error))
}

/// The value stored under `name`, which becomes `value` if there is none yet.
pub(crate) fn remember(connection: &Connection, name: &str, value: &str) -> Result<String> {
    connection
        .execute("insert into meta (name, value) values (?1, ?2) on conflict do nothing", params![name, value])
        .map_err(|error| failed("writing", error))?;
    connection
        .query_row("select value from meta where name = ?1", [name], |row| row.get(0))
        .map_err(|error| failed("reading", error))
}

pub(crate) fn set_next_segment(connection: &Connection, id: u64) -> Result<()> {
    connection
        .execute(
            "insert into meta (name, value) values (?1, ?2) on conflict (name) do update set value = excluded.value",
            params![NEXT_SEGMENT, id.to_string()],
        )
        .map(drop)
        .map_err(|error| failed("writing", error))
}

/// Workspaces with their watermarks.
pub(crate) fn workspaces(connection: &Connection) -> Result<Vec<(i64, u64)>> {
    rows(connection, "select id, watermark from workspace order by id", |row| Ok((row.get(0)?, unsigned(row, 1)?)))
}

/// Workspaces whose older events have expired, with the instant.
pub(crate) fn horizons(connection: &Connection) -> Result<Vec<(i64, i64)>> {
    rows(connection, "select workspace, before_us from horizon", |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Moves a workspace's horizon forward.
pub(crate) fn set_horizon(connection: &Connection, workspace: i64, before_us: i64) -> Result<()> {
    connection
        .execute(
            "insert into horizon (workspace, before_us) values (?1, ?2)
             on conflict (workspace) do update set before_us = max(before_us, excluded.before_us)",
            params![workspace, before_us],
        )
        .map(drop)
        .map_err(|error| failed("writing", error))
}

pub(crate) fn set_watermark(connection: &Connection, workspace: i64, watermark: u64) -> Result<()> {
    connection
        .prepare_cached(
            "insert into workspace (id, watermark) values (?1, ?2) on conflict (id) do update set watermark = excluded.watermark",
        )
        .and_then(|mut statement| statement.execute(params![workspace, watermark as i64]))
        .map(drop)
        .map_err(|error| failed("writing", error))
}

pub(crate) fn append(connection: &Connection, entry: &LogEntry) -> Result<()> {
    connection
        .prepare_cached("insert into log (workspace, first_sequence, last_sequence, format, payload) values (?1, ?2, ?3, ?4, ?5)")
        .and_then(|mut statement| {
            statement.execute(params![
                entry.workspace,
                entry.first_sequence as i64,
                entry.last_sequence as i64,
                entry.format,
                entry.payload
            ])
        })
        .map(drop)
        .map_err(|error| failed("appending to", error))
}

/// Hands every log entry over, oldest first.
pub(crate) fn replay(connection: &Connection, mut take: impl FnMut(LogEntry) -> Result<()>) -> Result<()> {
    let mut statement = connection
        .prepare("select workspace, first_sequence, last_sequence, format, payload from log order by id")
        .map_err(|error| failed("reading", error))?;
    let mut found = statement.query([]).map_err(|error| failed("reading", error))?;
    while let Some(row) = found.next().map_err(|error| failed("reading", error))? {
        let entry = (|| {
            Ok(LogEntry {
                workspace: row.get(0)?,
                first_sequence: unsigned(row, 1)?,
                last_sequence: unsigned(row, 2)?,
                format: row.get(3)?,
                payload: row.get(4)?,
            })
        })();
        take(entry.map_err(|error| failed("reading", error))?)?;
    }
    Ok(())
}

/// Forgets the log of a workspace up to a sequence number that lies between two appends.
pub(crate) fn trim_log(connection: &Connection, workspace: i64, up_to_sequence: u64) -> Result<()> {
    connection
        .execute("delete from log where workspace = ?1 and last_sequence <= ?2", params![workspace, up_to_sequence as i64])
        .map(drop)
        .map_err(|error| failed("trimming", error))
}

/// Bytes of the log's payloads of one workspace.
pub(crate) fn log_bytes_of(connection: &Connection, workspace: i64) -> Result<u64> {
    connection
        .query_row("select coalesce(sum(length(payload)), 0) from log where workspace = ?1", [workspace], |row| unsigned(row, 0))
        .map_err(|error| failed("reading", error))
}

/// Bytes of all payloads of the log.
pub(crate) fn log_bytes(connection: &Connection) -> Result<u64> {
    connection
        .query_row("select coalesce(sum(length(payload)), 0) from log", [], |row| unsigned(row, 0))
        .map_err(|error| failed("reading", error))
}

pub(crate) fn segments(connection: &Connection) -> Result<Vec<SegmentRecord>> {
    rows(
        connection,
        "select id, workspace, month, rows, bytes, hash, keys_bytes, keys_hash, first_us, last_us, first_sequence, last_sequence,
                last_received_us, applied_tombstone, blocks, keys_blocks from segment order by id",
        |row| {
            Ok(SegmentRecord {
                id: unsigned(row, 0)?,
                workspace: row.get(1)?,
                month: row.get(2)?,
                rows: unsigned(row, 3)?,
                data: Written { bytes: unsigned(row, 4)?, hash: row.get(5)?, blocks: checksums(row, 14)? },
                keys: Written { bytes: unsigned(row, 6)?, hash: row.get(7)?, blocks: checksums(row, 15)? },
                first_us: row.get(8)?,
                last_us: row.get(9)?,
                first_sequence: unsigned(row, 10)?,
                last_sequence: unsigned(row, 11)?,
                last_received_us: row.get(12)?,
                applied_tombstone: row.get(13)?,
            })
        },
    )
}

pub(crate) fn list_segment(connection: &Connection, record: &SegmentRecord) -> Result<()> {
    connection
        .execute(
            "insert into segment (id, workspace, month, rows, bytes, hash, keys_bytes, keys_hash, first_us, last_us,
                                  first_sequence, last_sequence, last_received_us, applied_tombstone, blocks, keys_blocks)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
            params![
                record.id as i64,
                record.workspace,
                record.month,
                record.rows as i64,
                record.data.bytes as i64,
                record.data.hash,
                record.keys.bytes as i64,
                record.keys.hash,
                record.first_us,
                record.last_us,
                record.first_sequence as i64,
                record.last_sequence as i64,
                record.last_received_us,
                record.applied_tombstone,
                blob(&record.data.blocks),
                blob(&record.keys.blocks),
            ],
        )
        .map(drop)
        .map_err(|error| failed("listing a segment in", error))
}

pub(crate) fn unlist_segment(connection: &Connection, id: u64) -> Result<()> {
    connection
        .execute("delete from segment where id = ?1", [id as i64])
        .map(drop)
        .map_err(|error| failed("unlisting a segment in", error))
}

pub(crate) fn tombstones(connection: &Connection) -> Result<Vec<Tombstone>> {
    let found: Vec<(i64, i64, String, String, u64)> =
        rows(connection, "select id, workspace, kind, value, up_to_sequence from tombstone order by id", |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, unsigned(row, 4)?))
        })?;
    found
        .into_iter()
        .map(|(id, workspace, kind, value, up_to_sequence)| {
            let what = match kind.as_str() {
                "user" => Erasure::User(value),
                "visitor" => Erasure::Visitor(value),
                "workspace" => Erasure::Workspace,
                unknown => return Err(Error::internal(format!("`{DATABASE}` holds an unknown kind of erasure `{unknown}`"))),
            };
            Ok(Tombstone { id, workspace, what, up_to_sequence })
        })
        .collect()
}

pub(crate) fn bury(connection: &Connection, workspace: i64, what: &Erasure, up_to_sequence: u64, asked_us: i64) -> Result<i64> {
    let (kind, value) = match what {
        Erasure::User(id) => ("user", id.as_str()),
        Erasure::Visitor(id) => ("visitor", id.as_str()),
        Erasure::Workspace => ("workspace", ""),
    };
    connection
        .execute(
            "insert into tombstone (workspace, kind, value, up_to_sequence, asked_us) values (?1, ?2, ?3, ?4, ?5)",
            params![workspace, kind, value, up_to_sequence as i64, asked_us],
        )
        .map_err(|error| failed("writing", error))?;
    Ok(connection.last_insert_rowid())
}

pub(crate) fn unbury(connection: &Connection, id: i64) -> Result<()> {
    connection.execute("delete from tombstone where id = ?1", [id]).map(drop).map_err(|error| failed("writing", error))
}

/// Moves everything out of the write-ahead file, so that nothing forgotten stays behind in it.
pub(crate) fn checkpoint(connection: &Connection) -> Result<()> {
    connection.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(())).map_err(|error| failed("checkpointing", error))
}

/// Writes a consistent copy of the database to a file that must not exist.
pub(crate) fn copy_into(connection: &Connection, path: &Path) -> Result<()> {
    connection.execute("vacuum into ?1", [path.to_string_lossy()]).map(drop).map_err(|error| failed("copying", error))
}

/// SQLite's own check of the whole file; `None` when it is sound.
pub(crate) fn integrity(connection: &Connection) -> Result<Option<String>> {
    let verdict: String =
        connection.query_row("pragma quick_check(1)", [], |row| row.get(0)).map_err(|error| failed("checking", error))?;
    Ok((verdict != "ok").then_some(verdict))
}

/// An SQLite error with the step.
pub(crate) fn failed(step: &str, error: rusqlite::Error) -> Error {
    Error::internal(format!("{step} `{DATABASE}` failed")).caused_by(error)
}

fn rows<T>(connection: &Connection, sql: &'static str, read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>) -> Result<Vec<T>> {
    connection
        .prepare(sql)
        .and_then(|mut statement| statement.query_map([], read)?.collect())
        .map_err(|error| failed("reading", error))
}

/// SQLite has signed integers only; our counts stay far below the sign.
fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(|value| value as u64)
}

/// Checksums as the database holds them; null when there are none.
fn blob(checksums: &[u32]) -> Option<Vec<u8>> {
    (!checksums.is_empty()).then(|| checksums.iter().flat_map(|checksum| checksum.to_le_bytes()).collect())
}

fn checksums(row: &Row<'_>, column: usize) -> rusqlite::Result<Vec<u32>> {
    let bytes: Option<Vec<u8>> = row.get(column)?;
    let (words, rest) = bytes.as_deref().unwrap_or_default().as_chunks();
    if !rest.is_empty() {
        return Err(rusqlite::Error::InvalidColumnType(column, String::from("blocks"), rusqlite::types::Type::Blob));
    }
    Ok(words.iter().map(|word| u32::from_le_bytes(*word)).collect())
}

#[cfg(test)]
mod tests;
