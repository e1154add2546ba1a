//! `seal.json`: what the databases of a closed folder look like, written at a clean stop, taken away at the next start.
//!
//! SQLite keeps no checksums, so a bit flipped in a database at rest would be read as data. After a stop that was not clean
//! there is no seal, and the databases' own checks have to do.

use serde::{Deserialize, Serialize};
use siphasher::sip128::{Hasher128, SipHasher13};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::hash::Hasher;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use tributary_core::error::{Code, Error, Result};

/// The file's name.
pub const FILE_NAME: &str = "seal.json";
/// What is sealed.
const DATABASES: [&str; 2] = ["control.db", "events.db"];
/// What SQLite leaves beside a database that was not closed.
const WRITE_AHEAD: &str = "-wal";
const BUFFER_BYTES: usize = 1 << 18;

#[derive(Serialize, Deserialize)]
struct Seal {
    files: BTreeMap<String, Fingerprint>,
    /// Hash of the names and fingerprints above.
    hash: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Fingerprint {
    bytes: u64,
    /// SipHash-1-3 with 128 bits and a zero key, as hex: against damage, not against forgers.
    hash: String,
}

/// Seals the databases of a folder that was just closed. Blocking.
pub fn seal(folder: &Path) -> Result<()> {
    write(folder).map_err(|error| Error::internal(format!("{FILE_NAME} cannot be written")).caused_by(error))
}

fn write(folder: &Path) -> io::Result<()> {
    let mut files = BTreeMap::new();
    for name in DATABASES {
        if fs::metadata(folder.join(format!("{name}{WRITE_AHEAD}"))).is_ok_and(|found| found.len() > 0) {
            return Ok(()); // somebody else has it open
        }
        files.insert(name.to_owned(), fingerprint(&folder.join(name))?);
    }
    let hash = hash_of(&files);
    let draft = folder.join(format!("{FILE_NAME}.new"));
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(&serde_json::to_vec_pretty(&Seal { files, hash })?)?;
    file.sync_all()?;
    fs::rename(&draft, folder.join(FILE_NAME))?;
    File::open(folder)?.sync_all()
}

/// What became of a seal.
#[derive(Debug)]
pub enum Opened {
    /// The databases are as they were; the seal is gone.
    Intact,
    /// There was none, or none that says anything.
    Missing,
    /// The error names the database that is not as it was when the folder was closed. The seal stays.
    Broken(Error),
}

/// Compares the databases with their seal and takes it away, before anything is changed. Blocking.
pub fn unseal(folder: &Path) -> Result<Opened> {
    let path = folder.join(FILE_NAME);
    let failed = |error: io::Error| Error::internal(format!("{} cannot be used", path.display())).caused_by(error);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Opened::Missing),
        Err(error) => return Err(failed(error)),
    };
    let seal = serde_json::from_slice::<Seal>(&bytes).ok().filter(|seal| hash_of(&seal.files) == seal.hash);
    if seal.is_none() {
        tracing::warn!(file = %path.display(), "the seal is damaged; the databases are checked without it");
    }
    for (name, sealed) in seal.iter().flat_map(|seal| &seal.files) {
        match fingerprint(&folder.join(name)) {
            Ok(found) if found == *sealed => {}
            Ok(_) => return Ok(Opened::Broken(damaged(name, "its content is not what it was when the folder was closed"))),
            Err(error) => return Ok(Opened::Broken(damaged(name, "it cannot be read").caused_by(error))),
        }
    }
    fs::remove_file(&path).and_then(|()| File::open(folder)?.sync_all()).map_err(failed)?;
    Ok(if seal.is_some() { Opened::Intact } else { Opened::Missing })
}

fn damaged(name: &str, what: &str) -> Error {
    Error::new(
        Code::UpstreamFailed,
        format!(
            "the file `{name}` is damaged: {what}; restore the last backup, or remove {FILE_NAME} if the file was changed on purpose"
        ),
    )
}

fn fingerprint(path: &Path) -> io::Result<Fingerprint> {
    let (mut file, mut hasher, mut bytes) = (File::open(path)?, SipHasher13::new(), 0);
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(Fingerprint { bytes, hash: hex(&hasher) });
        }
        hasher.write(&buffer[..read]);
        bytes += read as u64;
    }
}

fn hash_of(files: &BTreeMap<String, Fingerprint>) -> String {
    let mut hasher = SipHasher13::new();
    for (name, sealed) in files {
        hasher.write(format!("{name} {} {}\n", sealed.bytes, sealed.hash).as_bytes());
    }
    hex(&hasher)
}

fn hex(hasher: &SipHasher13) -> String {
    format!("{:032x}", hasher.finish128().as_u128())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with_databases() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in DATABASES {
            fs::write(folder.path().join(name), vec![7; 300_000]).unwrap();
        }
        folder
    }

    #[test]
    fn an_untouched_folder_opens_and_its_seal_goes() {
        let folder = folder_with_databases();
        assert!(matches!(unseal(folder.path()).unwrap(), Opened::Missing));
        seal(folder.path()).unwrap();
        assert!(matches!(unseal(folder.path()).unwrap(), Opened::Intact));
        assert!(matches!(unseal(folder.path()).unwrap(), Opened::Missing));
    }

    #[test]
    fn a_database_changed_at_rest_is_named_every_time() {
        for name in DATABASES {
            let folder = folder_with_databases();
            seal(folder.path()).unwrap();
            let mut bad = vec![7; 300_000];
            bad[299_999] ^= 8;
            for content in [bad, Vec::new()] {
                fs::write(folder.path().join(name), content).unwrap();
                for _ in 0..2 {
                    let Opened::Broken(error) = unseal(folder.path()).unwrap() else { panic!("{name} passed") };
                    assert!(error.message().contains(&format!("`{name}` is damaged")), "{error}");
                }
            }
        }
    }

    #[test]
    fn a_damaged_seal_stands_in_nobodys_way() {
        let folder = folder_with_databases();
        seal(folder.path()).unwrap();
        let path = folder.path().join(FILE_NAME);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("300000", "300001")).unwrap();
        assert!(matches!(unseal(folder.path()).unwrap(), Opened::Missing));
    }

    #[test]
    fn a_database_that_is_still_open_is_not_sealed() {
        let folder = folder_with_databases();
        fs::write(folder.path().join("events.db-wal"), "frames").unwrap();
        seal(folder.path()).unwrap();
        assert!(!folder.path().join(FILE_NAME).exists());
    }
}
