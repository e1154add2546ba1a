//! The catalogue of segments.

use rusqlite::{Connection, Row, params};
use std::path::{Path, PathBuf};

use tributary_core::error::Result;

use super::{SEGMENTS, failed, rows, unsigned};
use crate::files::Written;
use crate::seal::check;
use crate::stored::{Stored, month_name};

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

pub(crate) fn segments(connection: &Connection) -> Result<Vec<SegmentRecord>> {
    let found: Vec<(SegmentRecord, Option<u32>)> = rows(
        connection,
        "select id, workspace, month, rows, bytes, hash, keys_bytes, keys_hash, first_us, last_us, first_sequence, last_sequence,
                last_received_us, applied_tombstone, blocks, keys_blocks, crc from segment order by id",
        |row| {
            let record = SegmentRecord {
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
            };
            Ok((record, row.get(16)?))
        },
    )?;
    found
        .into_iter()
        .map(|(record, crc)| {
            check(record.seal(), crc, || format!("the entry of segment {}", record.id))?;
            Ok(record)
        })
        .collect()
}

pub(crate) fn list_segment(connection: &Connection, record: &SegmentRecord) -> Result<()> {
    connection
        .execute(
            "insert into segment (id, workspace, month, rows, bytes, hash, keys_bytes, keys_hash, first_us, last_us,
                                  first_sequence, last_sequence, last_received_us, applied_tombstone, blocks, keys_blocks, crc)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
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
                record.seal().crc(),
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
