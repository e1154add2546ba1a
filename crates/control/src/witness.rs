//! `control.seen`: how many changes `control.db` has taken in, written after each commit and never synced.
//!
//! SQLite drops what follows a damaged place in its write-ahead file, or a cut, in silence: that is how it forgets a
//! transaction that was under way. The database cannot tell whether that one was committed; this file can. It costs no sync,
//! because it may fall behind the database (a power cut takes what was not synced) but is never ahead of it.

use sha2::{Digest, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{Seek, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use tributary_core::error::{Code, Error, Result};

/// The file's name beside the database.
const FILE_NAME: &str = "control.seen";
/// The count and the first bytes of its hash.
const BYTES: usize = 16;

/// The open file. Cloning shares it.
#[derive(Clone)]
pub(crate) struct Witness(Arc<Mutex<File>>);

impl Witness {
    /// Opens (or creates) the file beside a database that has taken in `changes`, and refuses one that has forgotten some.
    pub fn open(database: &Path, changes: i32) -> Result<Self> {
        let path = database.with_file_name(FILE_NAME);
        let cannot = |error: std::io::Error| Error::internal(format!("{} could not be used", path.display())).caused_by(error);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(cannot)?;
        let bytes = fs::read(&path).map_err(cannot)?;
        match parse(&bytes) {
            // The count goes round after two thousand million changes.
            Some(seen) if seen.wrapping_sub(changes) > 0 => {
                return Err(Error::new(
                    Code::UpstreamFailed,
                    format!(
                        "control.db is damaged: it has forgotten {} changes that were committed to it, says {FILE_NAME}; \
                         restore the last backup, or remove {FILE_NAME} if an older copy was put there on purpose",
                        seen.wrapping_sub(changes)
                    ),
                ));
            }
            None if !bytes.is_empty() => {
                tracing::warn!(file = FILE_NAME, "does not say how many changes control.db had; it is written anew");
            }
            _ => {}
        }
        let witness = Self(Arc::new(Mutex::new(file)));
        witness.note(changes);
        Ok(witness)
    }

    /// The database has this many changes, durably. Failing to say so loses no data, so it fails nothing.
    pub fn note(&self, changes: i32) {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = file.rewind().and_then(|()| file.write_all(&written(changes))) {
            tracing::warn!(%error, file = FILE_NAME, "could not be written");
        }
    }
}

fn written(changes: i32) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    bytes[..4].copy_from_slice(&changes.to_le_bytes());
    let hash = Sha256::digest(&bytes[..4]);
    bytes[4..].copy_from_slice(&hash[..BYTES - 4]);
    bytes
}

fn parse(bytes: &[u8]) -> Option<i32> {
    let changes = i32::from_le_bytes(*bytes.first_chunk()?);
    (bytes == written(changes)).then_some(changes)
}
