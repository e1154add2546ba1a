//! A file of rows: one JSON object a line, gzipped. Written beside its place and moved there when it is whole.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;
use tributary_boxed::boxed;
use tributary_core::error::{Code, Error, Result};

use super::MAX_EXPORT_ROWS;

/// What a file is called while it is written.
const UNFINISHED: &str = "part";

/// A file under way.
pub(super) struct Lines {
    path: PathBuf,
    encoder: GzEncoder<BufWriter<File>>,
    rows: u64,
}

impl Lines {
    /// Begins a file. Folders it needs are made.
    #[boxed]
    pub async fn begin(path: PathBuf) -> Result<Lines> {
        aside(move || {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
                for_owner_only(folder)?;
            }
            let file = File::create(path.with_extension(UNFINISHED))?;
            Ok(Lines { encoder: GzEncoder::new(BufWriter::new(file), Compression::fast()), path, rows: 0 })
        })
        .await
    }

    /// Adds rows. More than a file may have are refused.
    pub async fn add<T: Serialize>(mut self, rows: &[T]) -> Result<Lines> {
        self.rows += rows.len() as u64;
        if self.rows > MAX_EXPORT_ROWS {
            let message = format!("there are more than {MAX_EXPORT_ROWS} rows; filter, or narrow the range");
            return Err(Error::new(Code::QuestionTooLarge, message));
        }
        let mut text = Vec::new();
        for row in rows {
            serde_json::to_writer(&mut text, row)
                .map_err(|error| Error::internal("a row could not be written").caused_by(error))?;
            text.push(b'\n');
        }
        aside(move || {
            self.encoder.write_all(&text)?;
            Ok(self)
        })
        .await
    }

    /// Completes the file and says how many rows it has.
    #[boxed]
    pub async fn finish(self) -> Result<u64> {
        let Lines { path, encoder, rows } = self;
        aside(move || {
            let file = encoder.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.sync_all()?;
            fs::rename(path.with_extension(UNFINISHED), &path)?;
            Ok(rows)
        })
        .await
    }
}

/// Files hold what is known of people.
fn for_owner_only(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    }
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

/// Runs work on files where it holds nobody up.
pub(super) async fn aside<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::internal("writing an export did not finish").caused_by(error))?
        .map_err(|error| Error::internal("a file of an export could not be written").caused_by(error))
}
