//! Files that are complete or absent: written under a temporary name, hashed on the way, synced, renamed, folder synced.

use siphasher::sip128::{Hasher128, SipHasher13};
use std::fs::{self, File};
use std::hash::Hasher;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use tributary_core::error::{Code, Error, Result};

/// Suffix of a file that is still being written; left-overs are removed at open.
pub(crate) const TEMPORARY: &str = "tmp";

/// What became of a file: enough to recognise it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub bytes: u64,
    /// SipHash-1-3 with 128 bits and a zero key, as hex: against damage, not against forgers.
    pub hash: String,
}

/// A file being written.
pub(crate) struct DurableFile {
    path: PathBuf,
    file: BufWriter<File>,
    hasher: SipHasher13,
    bytes: u64,
}

impl DurableFile {
    /// Begins a file that will appear at `path` when finished. The folder is created if missing.
    pub fn create(path: &Path) -> Result<Self> {
        let failed = |error| io_error("creating", path, error);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let file = File::create(temporary(path)).map_err(failed)?;
        Ok(Self { path: path.to_owned(), file: BufWriter::with_capacity(1 << 18, file), hasher: SipHasher13::new(), bytes: 0 })
    }

    /// Makes the content durable and gives it its name. The folders are synced by the caller, once for all files.
    pub fn finish(self) -> Result<Written> {
        let Self { path, file, hasher, bytes } = self;
        let failed = |error| io_error("writing", &path, error);
        let file = file.into_inner().map_err(|error| failed(error.into_error()))?;
        file.sync_all().map_err(failed)?;
        fs::rename(temporary(&path), &path).map_err(failed)?;
        Ok(Written { bytes, hash: hex(hasher) })
    }
}

impl Write for DurableFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write_all(bytes)?;
        self.hasher.write(bytes);
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Checks that a file is as it was written. The error names the file by `name`.
pub(crate) fn check(path: &Path, name: &str, expected: &Written) -> Result<()> {
    let damaged = |what: String| Error::new(Code::UpstreamFailed, format!("the file `{name}` is damaged: {what}"));
    let mut file = File::open(path).map_err(|error| damaged(String::from("it cannot be opened")).caused_by(error))?;
    let length = file.metadata().map_err(|error| damaged(String::from("it cannot be examined")).caused_by(error))?.len();
    if length != expected.bytes {
        return Err(damaged(format!("it has {length} bytes instead of {}", expected.bytes)));
    }
    let mut hasher = SipHasher13::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        let read = file.read(&mut buffer).map_err(|error| damaged(String::from("it cannot be read")).caused_by(error))?;
        if read == 0 {
            break;
        }
        hasher.write(&buffer[..read]);
    }
    if hex(hasher) != expected.hash {
        return Err(damaged(String::from("its content is not what was written")));
    }
    Ok(())
}

/// Makes renames and new files in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> Result<()> {
    File::open(folder).and_then(|file| file.sync_all()).map_err(|error| io_error("syncing", folder, error))
}

/// An I/O error with the step and the path.
pub(crate) fn io_error(step: &str, path: &Path, error: io::Error) -> Error {
    Error::internal(format!("{step} `{}` failed", path.display())).caused_by(error)
}

fn temporary(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(TEMPORARY);
    PathBuf::from(name)
}

fn hex(hasher: SipHasher13) -> String {
    format!("{:032x}", hasher.finish128().as_u128())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_recognised_and_damage_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/a.bin");
        let mut file = DurableFile::create(&path).unwrap();
        for piece in [1usize, 7, 8, 9, 100_000, 3] {
            file.write_all(&vec![piece as u8; piece]).unwrap();
        }
        assert!(!path.exists(), "invisible until finished");
        let written = file.finish().unwrap();
        check(&path, "a.bin", &written).unwrap();
        let good = fs::read(&path).unwrap();
        for (name, bytes) in [
            ("shorter", good[..50].to_vec()),
            ("flipped", {
                let mut bad = good.clone();
                bad[77] ^= 1;
                bad
            }),
        ] {
            fs::write(&path, bytes).unwrap();
            let error = check(&path, "a.bin", &written).unwrap_err();
            assert!(error.message().contains("`a.bin` is damaged"), "{name}: {error}");
        }
    }
}
