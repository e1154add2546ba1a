//! Checksums of rows in `events.db`: SQLite keeps none, so a bit flipped on the disk would be read as data.

use tributary_core::error::{Code, Error, Result};

use crate::catalogue::{DATABASE, LogEntry, SegmentRecord};
use crate::files::Written;

/// A CRC-32 over the values of a row, growing value by value. Texts and bytes carry their length, so that no two rows look alike.
pub(crate) struct Seal(crc32fast::Hasher);

impl Seal {
    pub fn begin() -> Self {
        Self(crc32fast::Hasher::new())
    }

    pub fn number(mut self, value: u64) -> Self {
        self.0.update(&value.to_le_bytes());
        self
    }

    pub fn signed(self, value: i64) -> Self {
        self.number(value as u64)
    }

    pub fn bytes(self, value: &[u8]) -> Self {
        let mut sealed = self.number(value.len() as u64);
        sealed.0.update(value);
        sealed
    }

    pub fn crc(self) -> u32 {
        self.0.finalize()
    }
}

impl SegmentRecord {
    /// Of its row.
    pub fn seal(&self) -> Seal {
        Seal::begin()
            .number(self.id)
            .signed(self.workspace)
            .signed(i64::from(self.month))
            .number(self.rows)
            .number(self.data.bytes)
            .bytes(self.data.hash.as_bytes())
            .number(self.keys.bytes)
            .bytes(self.keys.hash.as_bytes())
            .signed(self.first_us)
            .signed(self.last_us)
            .number(self.first_sequence)
            .number(self.last_sequence)
            .signed(self.last_received_us)
            .signed(self.applied_tombstone)
            .bytes(&blocks_of(&self.data))
            .bytes(&blocks_of(&self.keys))
    }
}

impl LogEntry {
    /// Of its row.
    pub fn seal(&self) -> Seal {
        Seal::begin()
            .signed(self.workspace)
            .number(self.first_sequence)
            .number(self.last_sequence)
            .signed(self.format)
            .bytes(&self.payload)
    }
}

fn blocks_of(written: &Written) -> Vec<u8> {
    written.blocks.iter().flat_map(|checksum| checksum.to_le_bytes()).collect()
}

pub(crate) fn seal_of_workspace(id: i64, watermark: u64) -> Seal {
    Seal::begin().signed(id).number(watermark)
}

pub(crate) fn seal_of_horizon(workspace: i64, before_us: i64) -> Seal {
    Seal::begin().signed(workspace).signed(before_us)
}

pub(crate) fn seal_of_tombstone(id: i64, workspace: i64, kind: &str, value: &str, up_to_sequence: u64) -> Seal {
    Seal::begin().signed(id).signed(workspace).bytes(kind.as_bytes()).bytes(value.as_bytes()).number(up_to_sequence)
}

/// Refuses a row that is not as it was written. One without a checksum is older than checksums and passes.
pub(crate) fn check(seal: Seal, written: Option<u32>, what: impl Fn() -> String) -> Result<()> {
    match written {
        Some(crc) if crc != seal.crc() => Err(damaged(&format!("{} is not what was written", what()))),
        _ => Ok(()),
    }
}

/// Damage to the database that a check of ours has found.
pub(crate) fn damaged(what: &str) -> Error {
    Error::new(Code::UpstreamFailed, format!("`{DATABASE}` is damaged: {what}"))
}
