//! Some files, one mapping, one destination.

use std::path::{Path, PathBuf};

use tributary_core::error::{Code, Error, Result};

use crate::import::destination::Destination;
use crate::import::mapping::Mapping;
use crate::import::plan::Surroundings;
use crate::import::progress::Progress;
use crate::import::read::Reading;
use crate::import::read::access_log::LogOptions;
use crate::import::read::open::{Format, cannot_read, detect};
use crate::import::rejected::Rejected;
use crate::import::run::{Counts, import_file};

/// What is to be imported, and how it is read.
#[derive(Clone, Debug)]
pub struct Job {
    /// The files, imported one after another.
    pub files: Vec<PathBuf>,
    /// Their format; `None` tells it for each file by name and beginning.
    pub format: Option<Format>,
    /// The meaning of their columns.
    pub mapping: Mapping,
    /// What the mapping leaves open.
    pub around: Surroundings,
    /// How access logs are read.
    pub log: LogOptions,
    /// Where rejected rows are written; `None` for beside each file.
    pub rejected_dir: Option<PathBuf>,
}

/// What became of one file.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct FileReport {
    /// The file.
    pub file: PathBuf,
    /// Its rows.
    #[serde(flatten)]
    pub counts: Counts,
}

/// Imports every file in turn. The first file that cannot be read ends the import; what came before it stays, and running
/// the same import again goes on without doubling.
pub async fn run(job: &Job, destination: &Destination) -> Result<Vec<FileReport>> {
    let mut reports = Vec::with_capacity(job.files.len());
    for file in &job.files {
        let counts = one(job, file, destination).await.map_err(|error| in_file(error, file))?;
        reports.push(FileReport { file: file.clone(), counts });
    }
    Ok(reports)
}

async fn one(job: &Job, file: &Path, destination: &Destination) -> Result<Counts> {
    let bytes = std::fs::metadata(file).map_err(|error| cannot_read(file).caused_by(error))?.len();
    let reading = Reading {
        path: file.to_owned(),
        format: match job.format {
            Some(format) => format,
            None => detect(file)?,
        },
        mapping: job.mapping.clone(),
        around: job.around.clone(),
        log: job.log.clone(),
        consumed: Default::default(),
    };
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let rejected = Rejected::beside(file, job.rejected_dir.as_deref())?;
    import_file(reading, destination, rejected, &Progress::over(&name, bytes)).await
}

/// Names the file in errors that do not.
fn in_file(error: Error, file: &Path) -> Error {
    let name = file.display().to_string();
    if error.message().contains(&name) || error.code() != Code::InvalidParams {
        return error;
    }
    Error::new(error.code(), format!("{name}: {}", error.message())).caused_by(error)
}
