//! `events.seen`: how far `events.db` had come, written after each commit and never synced.
//!
//! SQLite drops what follows a damaged place in its write-ahead file, or a cut, in silence: that is how it forgets a
//! transaction that was under way. The database cannot tell whether that one was committed; this file can. It costs no sync,
//! because it may fall behind the database (a power cut takes what was not synced) but is never ahead of it.

use rusqlite::Connection;
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use tributary_core::error::Result;

use crate::catalogue::{self, Progress};
use crate::files::io_error;
use crate::seal::{Seal, damaged};

/// Name of the file in the data folder.
const FILE_NAME: &str = "events.seen";
const BYTES: usize = 28;

/// The open file.
pub(crate) struct Witness {
    file: File,
    /// What it says.
    seen: Progress,
}

impl Witness {
    /// Opens (or creates) the file of a folder and compares what it says with the database.
    pub fn open(folder: &Path, connection: &Connection) -> Result<Self> {
        let path = folder.join(FILE_NAME);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(|error| io_error("opening", &path, error))?;
        let mut bytes = Vec::new();
        file.by_ref().take(BYTES as u64).read_to_end(&mut bytes).map_err(|error| io_error("reading", &path, error))?;
        let now = catalogue::progress(connection)?;
        let seen = match parse(&bytes) {
            Some(seen) => seen,
            None => {
                if !bytes.is_empty() {
                    tracing::warn!(file = FILE_NAME, "does not say how far `events.db` had come; it is written anew");
                }
                Progress::default()
            }
        };
        for (what, seen, now) in [
            ("events", seen.events, now.events),
            ("segments", seen.segments, now.segments),
            ("erasures", seen.erasures, now.erasures),
        ] {
            if seen > now {
                return Err(damaged(&format!(
                    "it has forgotten {} {what} that were committed to it ({now} of {seen} are there, says `{FILE_NAME}`); \
                     restore the last backup, or remove `{FILE_NAME}` if an older copy was put there on purpose",
                    seen - now
                )));
            }
        }
        let mut witness = Self { file, seen };
        witness.note(now);
        Ok(witness)
    }

    /// The database has come this far, durably. Failing to say so loses no data, so it fails nothing.
    pub fn note(&mut self, now: Progress) {
        if now == self.seen {
            return;
        }
        match self.file.write_all_at(&write(now), 0) {
            Ok(()) => self.seen = now,
            Err(error) => tracing::warn!(%error, file = FILE_NAME, "could not be written"),
        }
    }

    /// So many more events.
    pub fn note_events(&mut self, more: u64) {
        self.note(Progress { events: self.seen.events + more, ..self.seen });
    }
}

fn write(progress: Progress) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    bytes[..8].copy_from_slice(&progress.events.to_le_bytes());
    bytes[8..16].copy_from_slice(&progress.segments.to_le_bytes());
    bytes[16..24].copy_from_slice(&progress.erasures.to_le_bytes());
    bytes[24..].copy_from_slice(&seal(progress).to_le_bytes());
    bytes
}

fn parse(bytes: &[u8]) -> Option<Progress> {
    let number = |at: usize| Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
    let progress = Progress { events: number(0)?, segments: number(8)?, erasures: number(16)? };
    let crc = u32::from_le_bytes(*bytes.get(24..)?.first_chunk()?);
    (crc == seal(progress)).then_some(progress)
}

fn seal(progress: Progress) -> u32 {
    Seal::begin().number(progress.events).number(progress.segments).number(progress.erasures).crc()
}
