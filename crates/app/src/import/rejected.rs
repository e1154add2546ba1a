//! The file of rejected rows: one JSON object per line, with the row's number, the reason, and the row itself.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tributary_core::error::{Code, Error, Result};

/// The file of rejected rows of one import file. It comes into being with the first rejected row.
pub struct Rejected {
    path: PathBuf,
    file: Option<BufWriter<File>>,
}

impl Rejected {
    /// Beside the file, or in `folder`; named `FILE.rejected.ndjson`. One left from an earlier run is removed.
    pub fn beside(file: &Path, folder: Option<&Path>) -> Result<Rejected> {
        let mut name = file.file_name().unwrap_or_default().to_os_string();
        name.push(".rejected.ndjson");
        let path = match folder {
            Some(folder) => folder.join(name),
            None => file.with_file_name(name),
        };
        match std::fs::remove_file(&path) {
            Err(error) if !matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
                Err(cannot_write(&path).caused_by(error))
            }
            _ => Ok(Rejected { path, file: None }),
        }
    }

    /// Writes a row.
    pub fn write(&mut self, number: u64, reason: &str, row: &Value) -> Result<()> {
        let cannot = |error: std::io::Error| cannot_write(&self.path).caused_by(error);
        if self.file.is_none() {
            self.file = Some(BufWriter::new(File::create(&self.path).map_err(cannot)?));
        }
        if let Some(file) = &mut self.file {
            writeln!(file, "{}", json!({ "line": number, "reason": reason, "row": row })).map_err(cannot)?;
        }
        Ok(())
    }

    /// Ends the file. Answers its path if there is one.
    pub fn finish(mut self) -> Result<Option<PathBuf>> {
        let Some(mut file) = self.file.take() else { return Ok(None) };
        file.flush().map_err(|error| cannot_write(&self.path).caused_by(error))?;
        Ok(Some(self.path))
    }
}

fn cannot_write(path: &Path) -> Error {
    Error::new(
        Code::InvalidParams,
        format!("cannot write rejected rows to {}; name a writable folder with --rejected-dir", path.display()),
    )
}
