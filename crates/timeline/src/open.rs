//! Opening a data folder: the catalogue, the orphans, the log read back.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, RwLock};

use tributary_core::error::{Error, Result};

use crate::Shared;
use crate::cache::ColumnCache;
use crate::catalogue::{self, DATABASE, SEGMENTS};
use crate::files::io_error;
use crate::log::{Log, TailKeys, decode};
use crate::maintenance::Wake;
use crate::options::Options;
use crate::seal::damaged;
use crate::segment::Segment;
use crate::stored::{Hashes, Stored};
use crate::turns::Turns;
use crate::witness::Witness;
use crate::workspace::{State, Workspace, Workspaces, covers};

pub(crate) fn open(folder: &Path, options: Options) -> Result<(Arc<Shared>, Arc<Wake>)> {
    fs::create_dir_all(folder).map_err(|error| io_error("creating", folder, error))?;
    let connection = catalogue::open(folder)?;
    // Before anything in it is believed: a page that lost a row would lose it silently.
    if let Some(what) = catalogue::integrity(&connection)? {
        return Err(damaged(&what));
    }
    let hashes = Hashes::new(&options.visitor_key);
    let fingerprint = format!("{:016x}", hashes.fingerprint());
    if catalogue::remember(&connection, "key_fingerprint", &fingerprint)? != fingerprint {
        return Err(Error::internal(format!(
            "`{DATABASE}` was made with another visitor key; use the secret this folder was created with"
        )));
    }
    // Before any file goes: to a database that has forgotten a flush, its segments are orphans.
    let witness = Witness::open(folder, &connection)?;
    let cache = Arc::new(ColumnCache::new(options.memory_budget_bytes));
    let records = catalogue::segments(&connection)?;
    let listed: HashSet<PathBuf> = records.iter().flat_map(|record| [record.path(folder), record.keys_path(folder)]).collect();
    remove_orphans(&folder.join(SEGMENTS), &listed)?;

    let mut states: HashMap<i64, State> = HashMap::new();
    for (workspace, watermark) in catalogue::workspaces(&connection)? {
        let state = states.entry(workspace).or_default();
        state.watermark = watermark;
        state.flushed_sequence = watermark;
    }
    for (workspace, before_us) in catalogue::horizons(&connection)? {
        states.entry(workspace).or_default().horizon_us = before_us;
    }
    for tombstone in catalogue::tombstones(&connection)? {
        let state = states.entry(tombstone.workspace).or_default();
        let mut tombstones = Vec::clone(&state.tombstones);
        tombstones.push(tombstone);
        state.tombstones = Arc::new(tombstones);
    }
    // Ids are never used twice, so that a name once seen always means the same content.
    let next_segment = records.iter().map(|record| record.id + 1).max().unwrap_or(1).max(next_id(&connection)?);
    for record in records {
        let state = states.entry(record.workspace).or_default();
        state.segments.push(Segment::new(record, folder.to_owned(), cache.clone(), hashes.clone()));
    }
    let (keys, tail) = read_log_back(&connection, &hashes, &mut states)?;

    let workspaces: Workspaces = states.into_iter().map(|(id, state)| (id, Workspace::new(id, state))).collect();
    let wake = Arc::new(Wake::default());
    let grown = wake.clone();
    let log = Log::start(connection, witness, keys, tail, &options, Box::new(move || grown.notify()));
    let turns = Turns::new(options.threads);
    let shared = Shared {
        root: folder.to_owned(),
        options,
        hashes,
        cache,
        workspaces: RwLock::new(workspaces),
        next_segment: AtomicU64::new(next_segment),
        log,
        turns,
        flushing: Mutex::new(()),
        compacting: Mutex::new(()),
    };
    Ok((Arc::new(shared), wake))
}

fn next_id(connection: &rusqlite::Connection) -> Result<u64> {
    let text = catalogue::remember(connection, catalogue::NEXT_SEGMENT, "1")?;
    text.parse().map_err(|error| Error::internal(format!("`{DATABASE}` holds no number of the next segment")).caused_by(error))
}

/// The log's events, without those erased since, as the tails of their workspaces.
fn read_log_back(
    connection: &rusqlite::Connection,
    hashes: &Hashes,
    states: &mut HashMap<i64, State>,
) -> Result<(TailKeys, usize)> {
    let mut keys = TailKeys::default();
    let mut tail = 0;
    let mut last_of: HashMap<i64, u64> = HashMap::new();
    catalogue::replay(connection, |entry| {
        let entry = entry?;
        let state = states.entry(entry.workspace).or_default();
        if last_of.insert(entry.workspace, entry.last_sequence).is_some_and(|last| entry.first_sequence != last + 1) {
            return Err(damaged(&format!("the log has a gap before sequence {}", entry.first_sequence)));
        }
        state.flushed_sequence = state.flushed_sequence.min(entry.first_sequence - 1);
        let mut events = Vec::new();
        for (at, event) in decode(&entry)?.into_iter().enumerate() {
            let stored = Stored { sequence: entry.first_sequence + at as u64, ..hashes.prepare(event) };
            if !state.tombstones.iter().any(|tombstone| covers(tombstone, &stored)) {
                events.push(Arc::new(stored));
            }
        }
        keys.add(entry.workspace, &events);
        tail += events.len();
        let watermark = state.watermark.max(entry.last_sequence);
        state.grow(events, entry.last_sequence);
        state.watermark = watermark;
        Ok(())
    })?;
    for (workspace, last) in last_of {
        if states.get(&workspace).is_some_and(|state| state.watermark != last) {
            return Err(damaged(&format!("the log of workspace {workspace} ends at sequence {last}, before its watermark")));
        }
    }
    Ok((keys, tail))
}

/// Removes what no catalogue entry names: files of an unfinished flush or compaction, and of replaced segments.
fn remove_orphans(folder: &Path, listed: &HashSet<PathBuf>) -> Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io_error("reading", folder, error)),
    };
    for entry in entries {
        let path = entry.map_err(|error| io_error("reading", folder, error))?.path();
        if path.is_dir() {
            remove_orphans(&path, listed)?;
        } else if !listed.contains(&path) {
            tracing::info!(file = %path.display(), "removing a file that no segment owns");
            fs::remove_file(&path).map_err(|error| io_error("removing", &path, error))?;
        }
    }
    Ok(())
}
