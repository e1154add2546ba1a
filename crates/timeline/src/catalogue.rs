//! `events.db`: the log of appends, the catalogue of segments, sequences and tombstones. Every statement of the engine is
//! here; whoever calls decides the transaction.

use rusqlite::{Connection, OpenFlags, Row, params};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use tributary_core::error::{Error, Result};
use tributary_events::store::Erasure;

use crate::seal::{check, seal_of_horizon, seal_of_tombstone, seal_of_workspace};

mod segments;
mod tables;

pub(crate) use segments::{Bounds, SegmentRecord, list_segment, segments, unlist_segment};

/// Name of the database in the data folder.
pub(crate) const DATABASE: &str = "events.db";
/// Name of the folder of segments.
pub(crate) const SEGMENTS: &str = "segments";
/// Name of the setting that holds the id of the next segment.
pub(crate) const NEXT_SEGMENT: &str = "next_segment";
/// What was forgotten, and up to which event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tombstone {
    pub id: i64,
    pub workspace: i64,
    pub what: Erasure,
    pub up_to_sequence: u64,
}

/// How far the database has come: numbers that only grow, whatever is flushed, merged or forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Events ever appended, over all workspaces.
    pub events: u64,
    /// Id of the next segment.
    pub segments: u64,
    /// Id of the last tombstone.
    pub erasures: u64,
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
    tables::prepare(&connection)?;
    Ok(connection)
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

/// How far the database has come.
pub(crate) fn progress(connection: &Connection) -> Result<Progress> {
    connection
        .prepare_cached(
            "select (select coalesce(sum(watermark), 0) from workspace),
                    (select coalesce(max(cast(value as integer)), 0) from meta where name = ?1),
                    (select coalesce(max(seq), 0) from sqlite_sequence where name = 'tombstone')",
        )
        .and_then(|mut statement| {
            statement.query_row([NEXT_SEGMENT], |row| {
                Ok(Progress { events: unsigned(row, 0)?, segments: unsigned(row, 1)?, erasures: unsigned(row, 2)? })
            })
        })
        .map_err(|error| failed("reading", error))
}

/// Workspaces with their watermarks.
pub(crate) fn workspaces(connection: &Connection) -> Result<Vec<(i64, u64)>> {
    let found: Vec<(i64, u64, Option<u32>)> = rows(connection, "select id, watermark, crc from workspace order by id", |row| {
        Ok((row.get(0)?, unsigned(row, 1)?, row.get(2)?))
    })?;
    found
        .into_iter()
        .map(|(id, watermark, crc)| {
            check(seal_of_workspace(id, watermark), crc, || format!("the watermark of workspace {id}"))?;
            Ok((id, watermark))
        })
        .collect()
}

/// Workspaces whose older events have expired, with the instant.
pub(crate) fn horizons(connection: &Connection) -> Result<Vec<(i64, i64)>> {
    let found: Vec<(i64, i64, Option<u32>)> =
        rows(connection, "select workspace, before_us, crc from horizon", |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    found
        .into_iter()
        .map(|(workspace, before_us, crc)| {
            check(seal_of_horizon(workspace, before_us), crc, || format!("the horizon of workspace {workspace}"))?;
            Ok((workspace, before_us))
        })
        .collect()
}

/// Moves a workspace's horizon forward.
pub(crate) fn set_horizon(connection: &Connection, workspace: i64, before_us: i64) -> Result<()> {
    connection
        .execute(
            "insert into horizon (workspace, before_us, crc) values (?1, ?2, ?3)
             on conflict (workspace) do update set before_us = excluded.before_us, crc = excluded.crc
             where excluded.before_us > before_us",
            params![workspace, before_us, seal_of_horizon(workspace, before_us).crc()],
        )
        .map(drop)
        .map_err(|error| failed("writing", error))
}

pub(crate) fn set_watermark(connection: &Connection, workspace: i64, watermark: u64) -> Result<()> {
    connection
        .prepare_cached(
            "insert into workspace (id, watermark, crc) values (?1, ?2, ?3)
             on conflict (id) do update set watermark = excluded.watermark, crc = excluded.crc",
        )
        .and_then(|mut statement| {
            statement.execute(params![workspace, watermark as i64, seal_of_workspace(workspace, watermark).crc()])
        })
        .map(drop)
        .map_err(|error| failed("writing", error))
}

pub(crate) fn append(connection: &Connection, entry: &LogEntry) -> Result<()> {
    connection
        .prepare_cached(
            "insert into log (workspace, first_sequence, last_sequence, format, payload, crc) values (?1, ?2, ?3, ?4, ?5, ?6)",
        )
        .and_then(|mut statement| {
            statement.execute(params![
                entry.workspace,
                entry.first_sequence as i64,
                entry.last_sequence as i64,
                entry.format,
                entry.payload,
                entry.seal().crc()
            ])
        })
        .map(drop)
        .map_err(|error| failed("appending to", error))
}

/// Hands every log entry over, oldest first; one that is not as it was written is an error in its place.
pub(crate) fn replay(connection: &Connection, mut take: impl FnMut(Result<LogEntry>) -> Result<()>) -> Result<()> {
    let mut statement = connection
        .prepare("select workspace, first_sequence, last_sequence, format, payload, crc from log order by id")
        .map_err(|error| failed("reading", error))?;
    let mut found = statement.query([]).map_err(|error| failed("reading", error))?;
    while let Some(row) = found.next().map_err(|error| failed("reading", error))? {
        let entry = (|| {
            let entry = LogEntry {
                workspace: row.get(0)?,
                first_sequence: unsigned(row, 1)?,
                last_sequence: unsigned(row, 2)?,
                format: row.get(3)?,
                payload: row.get(4)?,
            };
            Ok((entry, row.get(5)?))
        })();
        let (entry, crc) = entry.map_err(|error| failed("reading", error))?;
        let checked = check(entry.seal(), crc, || format!("the log entry of sequence {}", entry.first_sequence));
        take(checked.map(|()| entry))?;
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

pub(crate) fn tombstones(connection: &Connection) -> Result<Vec<Tombstone>> {
    let found: Vec<(i64, i64, String, String, u64, Option<u32>)> =
        rows(connection, "select id, workspace, kind, value, up_to_sequence, crc from tombstone order by id", |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, unsigned(row, 4)?, row.get(5)?))
        })?;
    found
        .into_iter()
        .map(|(id, workspace, kind, value, up_to_sequence, crc)| {
            check(seal_of_tombstone(id, workspace, &kind, &value, up_to_sequence), crc, || format!("the entry of erasure {id}"))?;
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
    // Sealed with the row, so it must be known before. Only the log's thread writes.
    let id = progress(connection)?.erasures as i64 + 1;
    connection
        .execute(
            "insert into tombstone (id, workspace, kind, value, up_to_sequence, asked_us, crc) values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                id,
                workspace,
                kind,
                value,
                up_to_sequence as i64,
                asked_us,
                seal_of_tombstone(id, workspace, kind, value, up_to_sequence).crc()
            ],
        )
        .map_err(|error| failed("writing", error))?;
    Ok(id)
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

#[cfg(test)]
mod tests;
