//! Looking at everything the folder holds: for `doctor` and for people who want to know what they have.

use tributary_core::error::Result;

use crate::Shared;
use crate::catalogue::{self, DATABASE};
use crate::log::decode;

/// What a check of the whole folder found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// Files read and compared with the catalogue.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Events in segments, erased ones that compaction has not reached included.
    pub segment_events: u64,
    /// Events in the log.
    pub log_events: u64,
    /// What is wrong; empty when all is well.
    pub problems: Vec<Problem>,
}

/// Something that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, relative to the data folder.
    pub file: String,
    /// What is wrong with it.
    pub what: String,
}

/// What a folder holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FolderStats {
    /// Listed segments.
    pub segments: u64,
    /// Their rows.
    pub segment_events: u64,
    /// Bytes of their files.
    pub segment_bytes: u64,
    /// Events in the tail: durable in the log, not yet in segments.
    pub tail_events: u64,
    /// Bytes of the log's payloads.
    pub log_bytes: u64,
    /// Decoded columns in memory, bytes.
    pub cache_bytes: u64,
}

impl Shared {
    pub fn verify(&self) -> Result<Verification> {
        // Nothing may be swapped while it is looked at.
        let _compacting = self.compacting.lock().expect("no holder of this lock panics");
        let mut found = Verification::default();
        for workspace in self.all_workspaces() {
            for segment in workspace.state().segments {
                found.files += 2;
                found.bytes += segment.record.data.bytes + segment.record.keys.bytes;
                found.segment_events += segment.record.rows;
                if let Err(error) = segment.check() {
                    found.problems.push(Problem { file: segment.record.name(), what: error.message().to_owned() });
                }
            }
        }
        let (log_events, problems) = self.log.run(|connection, _| {
            let mut problems = Vec::new();
            let mut problem = |what: String| problems.push(Problem { file: DATABASE.to_owned(), what });
            if let Some(what) = catalogue::integrity(connection)? {
                problem(what);
            }
            let mut events = 0;
            catalogue::replay(connection, |entry| {
                match entry.and_then(|entry| decode(&entry)) {
                    Ok(entries) => events += entries.len() as u64,
                    Err(error) => problem(error.message().to_owned()),
                }
                Ok(())
            })?;
            Ok((events, problems))
        })?;
        found.log_events = log_events;
        found.problems.extend(problems);
        Ok(found)
    }

    pub fn stats(&self) -> Result<FolderStats> {
        let mut stats = FolderStats { cache_bytes: self.cache.bytes() as u64, ..FolderStats::default() };
        for workspace in self.all_workspaces() {
            let state = workspace.state();
            stats.tail_events += state.tail_events() as u64;
            for segment in &state.segments {
                stats.segments += 1;
                stats.segment_events += segment.record.rows;
                stats.segment_bytes += segment.record.data.bytes + segment.record.keys.bytes;
            }
        }
        stats.log_bytes = self.log.run(|connection, _| catalogue::log_bytes(connection))?;
        Ok(stats)
    }
}
