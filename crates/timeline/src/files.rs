//! Files that are complete or absent: written under a temporary name, hashed on the way, synced, renamed, folder synced.
//! Read back through [`CheckedFile`], which hands out nothing that is not as it was written.

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};
use siphasher::sip128::{Hasher128, SipHasher13};
use std::fs::{self, File};
use std::hash::Hasher;
use std::io::{self, BufWriter, Read, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};

use tributary_core::error::{Code, Error, Result};

/// Suffix of a file that is still being written; left-overs are removed at open.
pub(crate) const TEMPORARY: &str = "tmp";

/// Bytes of a block: what is read and checked at once. Files name their block checksums by number, so it never changes.
pub(crate) const BLOCK_BYTES: u64 = 1 << 16;

/// What became of a file: enough to recognise it again, whole or block by block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub bytes: u64,
    /// SipHash-1-3 with 128 bits and a zero key, as hex: against damage, not against forgers.
    pub hash: String,
    /// CRC-32 of each block of [`BLOCK_BYTES`], the last one shorter; empty for files of earlier versions, which are
    /// checked whole.
    pub blocks: Vec<u32>,
}

impl Written {
    /// A file that is not there yet.
    pub fn nothing() -> Self {
        Self { bytes: 0, hash: String::new(), blocks: Vec::new() }
    }
}

/// A file being written.
pub(crate) struct DurableFile {
    path: PathBuf,
    file: BufWriter<File>,
    hasher: SipHasher13,
    bytes: u64,
    blocks: Blocks,
}

/// Checksums of the blocks of what passes by.
#[derive(Default)]
struct Blocks {
    done: Vec<u32>,
    current: crc32fast::Hasher,
    filled: u64,
}

impl Blocks {
    fn take(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min((BLOCK_BYTES - self.filled) as usize));
            self.current.update(now);
            self.filled += now.len() as u64;
            if self.filled == BLOCK_BYTES {
                self.close();
            }
            bytes = later;
        }
    }

    fn close(&mut self) {
        self.done.push(std::mem::take(&mut self.current).finalize());
        self.filled = 0;
    }

    fn finish(mut self) -> Vec<u32> {
        if self.filled > 0 {
            self.close();
        }
        self.done
    }
}

impl DurableFile {
    /// Begins a file that will appear at `path` when finished. The folder is created if missing.
    pub fn create(path: &Path) -> Result<Self> {
        let failed = |error| io_error("creating", path, error);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let file = File::create(temporary(path)).map_err(failed)?;
        Ok(Self {
            path: path.to_owned(),
            file: BufWriter::with_capacity(1 << 18, file),
            hasher: SipHasher13::new(),
            bytes: 0,
            blocks: Blocks::default(),
        })
    }

    /// Makes the content durable and gives it its name. The folders are synced by the caller, once for all files.
    pub fn finish(self) -> Result<Written> {
        let Self { path, file, hasher, bytes, blocks } = self;
        let failed = |error| io_error("writing", &path, error);
        let file = file.into_inner().map_err(|error| failed(error.into_error()))?;
        file.sync_all().map_err(failed)?;
        fs::rename(temporary(&path), &path).map_err(failed)?;
        Ok(Written { bytes, hash: hex(hasher), blocks: blocks.finish() })
    }
}

impl Write for DurableFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write_all(bytes)?;
        self.hasher.write(bytes);
        self.blocks.take(bytes);
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Checks that a file is as it was written, all of it, read from disk now. The error names the file by `name`.
pub(crate) fn check(path: &Path, name: &str, expected: &Written) -> Result<()> {
    let mut file = open_of_length(path, name, expected.bytes)?;
    let mut hasher = SipHasher13::new();
    let mut blocks = Blocks::default();
    let mut buffer = vec![0; 1 << 18];
    loop {
        let read = file.read(&mut buffer).map_err(|error| damaged(name, "it cannot be read").caused_by(error))?;
        if read == 0 {
            break;
        }
        hasher.write(&buffer[..read]);
        blocks.take(&buffer[..read]);
    }
    if hex(hasher) != expected.hash || (!expected.blocks.is_empty() && blocks.finish() != expected.blocks) {
        return Err(damaged(name, "its content is not what was written"));
    }
    Ok(())
}

fn damaged(name: &str, what: impl std::fmt::Display) -> Error {
    Error::new(Code::UpstreamFailed, format!("the file `{name}` is damaged: {what}"))
}

fn open_of_length(path: &Path, name: &str, bytes: u64) -> Result<File> {
    let file = File::open(path).map_err(|error| damaged(name, "it cannot be opened").caused_by(error))?;
    let length = file.metadata().map_err(|error| damaged(name, "it cannot be examined").caused_by(error))?.len();
    if length != bytes {
        return Err(damaged(name, format!("it has {length} bytes instead of {bytes}")));
    }
    Ok(file)
}

/// Tells the kernel to fetch what is read and no more: a question reads whole chunks of few columns, and what the kernel would read
/// ahead belongs to the others. Where it cannot be told, answers only take longer.
fn read_as_asked(file: &File) {
    #[cfg(any(target_os = "linux", target_os = "freebsd"))]
    if let Err(error) = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::Random) {
        tracing::debug!(%error, "the kernel takes no advice on reading");
    }
    #[cfg(not(any(target_os = "linux", target_os = "freebsd")))]
    let _ = file;
}

/// Tells the kernel to fetch a range, so that what is read later is fetched together rather than one after the other. Where it
/// cannot be told, answers only take longer.
fn will_read(file: &File, range: Range<u64>) {
    #[cfg(any(target_os = "linux", target_os = "freebsd"))]
    if let Some(length) = std::num::NonZeroU64::new(range.end.saturating_sub(range.start))
        && let Err(error) = rustix::fs::fadvise(file, range.start, Some(length), rustix::fs::Advice::WillNeed)
    {
        tracing::debug!(%error, "the kernel takes no advice on reading");
    }
    #[cfg(not(any(target_os = "linux", target_os = "freebsd")))]
    let _ = (file, range);
}

/// Has the last bytes of a file fetched before it is opened for good. A file that cannot be read is told when it is.
pub(crate) fn prefetch_end(path: &Path, bytes: u64) {
    if let Ok(file) = File::open(path)
        && let Ok(facts) = file.metadata()
    {
        will_read(&file, facts.len().saturating_sub(bytes)..facts.len());
    }
}

/// A finished file being read. Every block is compared with what was written before the first byte of it is handed out.
/// Cheap to clone; clones share what has been checked. The file is open only while somebody reads or
/// [holds](CheckedFile::hold) it: a folder may have more segments than a process may have open files.
#[derive(Clone)]
pub(crate) struct CheckedFile(Arc<Inner>);

struct Inner {
    /// The open file, while somebody holds it.
    open: Mutex<Weak<File>>,
    path: PathBuf,
    name: String,
    expected: Written,
    /// One bit per block that was found sound.
    sound: Vec<AtomicU64>,
    /// For a file without block checksums: that the whole was found sound.
    whole: OnceLock<()>,
    /// What was found damaged first: whoever reads through layers that lose errors asks here.
    damage: OnceLock<String>,
}

impl CheckedFile {
    /// Opens a file and checks its length. Errors and reports name it by `name`.
    pub fn open(path: &Path, name: String, expected: Written) -> Result<Self> {
        open_of_length(path, &name, expected.bytes)?;
        let blocks = expected.bytes.div_ceil(BLOCK_BYTES) as usize;
        if !expected.blocks.is_empty() && expected.blocks.len() != blocks {
            return Err(damaged(&name, format!("{} checksums are known for its {blocks} blocks", expected.blocks.len())));
        }
        let sound = (0..blocks.div_ceil(64)).map(|_| AtomicU64::new(0)).collect();
        let (path, open) = (path.to_owned(), Mutex::default());
        Ok(Self(Arc::new(Inner { open, path, name, expected, sound, whole: OnceLock::new(), damage: OnceLock::new() })))
    }

    /// Its length.
    pub fn bytes(&self) -> u64 {
        self.0.expected.bytes
    }

    /// The name errors give it.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Opens the file for reads to come, which is cheaper for many than one by one.
    pub fn hold(&self) -> Result<Arc<File>> {
        self.0.hold()
    }

    /// Has a range of bytes fetched that will be read soon, without what was read before.
    pub fn prefetch(&self, range: Range<u64>) -> Result<()> {
        let inner = &*self.0;
        let blocks = range.start / BLOCK_BYTES..range.end.min(inner.expected.bytes).div_ceil(BLOCK_BYTES);
        let mut unread = blocks.filter(|block| !inner.is_sound(*block));
        if let Some(first) = unread.next() {
            let last = unread.last().unwrap_or(first);
            will_read(&*inner.hold()?, first * BLOCK_BYTES..(last + 1) * BLOCK_BYTES);
        }
        Ok(())
    }

    /// Reads a range of bytes.
    pub fn read(&self, range: Range<u64>) -> Result<Bytes> {
        let inner = &*self.0;
        if range.start > range.end || range.end > inner.expected.bytes {
            return Err(
                inner.damaged(format!("bytes {} to {} of {} are asked for", range.start, range.end, inner.expected.bytes))
            );
        }
        if inner.expected.blocks.is_empty() {
            inner.check_whole()?;
            return inner.read_exactly(range);
        }
        let blocks = range.start / BLOCK_BYTES..range.end.div_ceil(BLOCK_BYTES);
        if range.is_empty() || blocks.clone().all(|block| inner.is_sound(block)) {
            return inner.read_exactly(range);
        }
        let start = blocks.start * BLOCK_BYTES;
        let read = inner.read_exactly(start..(blocks.end * BLOCK_BYTES).min(inner.expected.bytes))?;
        for (block, content) in blocks.zip(read.chunks(BLOCK_BYTES as usize)) {
            if !inner.is_sound(block) {
                if crc32fast::hash(content) != inner.expected.blocks[block as usize] {
                    let at = block * BLOCK_BYTES;
                    return Err(inner.damaged(format!("bytes {at} to {} are not what was written", at + content.len() as u64)));
                }
                inner.sound[block as usize / 64].fetch_or(1 << (block % 64), Ordering::Relaxed);
            }
        }
        Ok(read.slice((range.start - start) as usize..(range.end - start) as usize))
    }

    /// The damage met so far, as the error of whoever met it.
    pub fn damage(&self) -> Option<Error> {
        self.0.damage.get().map(|what| damaged(&self.0.name, what))
    }
}

impl Inner {
    fn is_sound(&self, block: u64) -> bool {
        self.sound[block as usize / 64].load(Ordering::Relaxed) & (1 << (block % 64)) != 0
    }

    fn check_whole(&self) -> Result<()> {
        if self.whole.get().is_none() {
            check(&self.path, &self.name, &self.expected).inspect_err(|_| {
                let _ = self.damage.set(String::from("its content is not what was written"));
            })?;
            let _ = self.whole.set(());
        }
        Ok(())
    }

    fn hold(&self) -> Result<Arc<File>> {
        let mut open = self.open.lock().expect("no holder of this lock panics");
        if let Some(file) = open.upgrade() {
            return Ok(file);
        }
        let file = File::open(&self.path);
        let file = Arc::new(file.map_err(|error| damaged(&self.name, "it cannot be opened").caused_by(error))?);
        read_as_asked(&file);
        *open = Arc::downgrade(&file);
        Ok(file)
    }

    fn read_exactly(&self, range: Range<u64>) -> Result<Bytes> {
        let mut bytes = vec![0; (range.end - range.start) as usize];
        let read = self.hold()?.read_exact_at(&mut bytes, range.start);
        read.map_err(|error| self.damaged(String::from("it cannot be read")).caused_by(error))?;
        Ok(bytes.into())
    }

    fn damaged(&self, what: String) -> Error {
        let _ = self.damage.set(what.clone());
        damaged(&self.name, what)
    }
}

impl Length for CheckedFile {
    fn len(&self) -> u64 {
        self.bytes()
    }
}

impl ChunkReader for CheckedFile {
    type T = CheckedReader;

    fn get_read(&self, start: u64) -> Result<CheckedReader, ParquetError> {
        Ok(CheckedReader { file: self.clone(), position: start, buffer: Bytes::new() })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        self.read(start..start.saturating_add(length as u64)).map_err(|error| ParquetError::External(Box::new(error)))
    }
}

/// Reads a checked file onward from a position, block by block.
pub(crate) struct CheckedReader {
    file: CheckedFile,
    position: u64,
    buffer: Bytes,
}

impl Read for CheckedReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.buffer.is_empty() {
            let end = (self.position / BLOCK_BYTES + 1).saturating_mul(BLOCK_BYTES).min(self.file.bytes());
            if self.position >= end {
                return Ok(0);
            }
            self.buffer = self.file.read(self.position..end).map_err(io::Error::other)?;
            self.position = end;
        }
        let taken = self.buffer.split_to(self.buffer.len().min(into.len()));
        into[..taken.len()].copy_from_slice(&taken);
        Ok(taken.len())
    }
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

    fn written(path: &Path, pieces: &[usize]) -> Written {
        let mut file = DurableFile::create(path).unwrap();
        for (at, piece) in pieces.iter().enumerate() {
            file.write_all(&vec![at as u8 + 1; *piece]).unwrap();
        }
        assert!(!path.exists(), "invisible until finished");
        file.finish().unwrap()
    }

    #[test]
    fn a_file_is_recognised_and_damage_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/a.bin");
        let whole = written(&path, &[1, 7, 8, 9, 100_000, 3]);
        let good = fs::read(&path).unwrap();
        let flipped = |at: usize| {
            let mut bad = good.clone();
            bad[at] ^= 1;
            bad
        };
        let without_blocks = Written { blocks: Vec::new(), ..whole.clone() };
        for expected in [&whole, &without_blocks] {
            fs::write(&path, &good).unwrap();
            check(&path, "a.bin", expected).unwrap();
            for (name, bytes) in
                [("shorter", good[..50].to_vec()), ("flipped", flipped(77)), ("flipped at the end", flipped(100_027))]
            {
                fs::write(&path, bytes).unwrap();
                let error = check(&path, "a.bin", expected).unwrap_err();
                assert!(error.message().contains("the file `a.bin` is damaged: "), "{name}: {error}");
                let read = CheckedFile::open(&path, String::from("a.bin"), expected.clone())
                    .and_then(|file| file.read(0..expected.bytes));
                assert!(read.unwrap_err().message().contains("the file `a.bin` is damaged: "), "{name}");
            }
        }
    }

    #[test]
    fn what_is_read_is_what_was_written_and_only_sound_blocks_are() {
        let block = BLOCK_BYTES as usize;
        for pieces in [vec![], vec![1], vec![block], vec![block - 1, 2], vec![block, block, 5], vec![3, 3 * block]] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a.bin");
            let expected = written(&path, &pieces);
            let good = fs::read(&path).unwrap();
            assert_eq!(expected.blocks.len(), good.len().div_ceil(block));
            let file = CheckedFile::open(&path, String::from("a.bin"), expected.clone()).unwrap();
            let edges: Vec<usize> = [0, 1, block - 1, block, block + 1, 2 * block, good.len() / 2, good.len()]
                .into_iter()
                .filter(|edge| *edge <= good.len())
                .collect();
            for start in &edges {
                for end in edges.iter().filter(|end| *end >= start) {
                    assert_eq!(file.read(*start as u64..*end as u64).unwrap(), good[*start..*end], "{start}..{end}");
                }
                let mut rest = Vec::new();
                file.get_read(*start as u64).unwrap().read_to_end(&mut rest).unwrap();
                assert!(rest == good[*start..], "from {start}");
            }
            assert!(file.read(0..good.len() as u64 + 1).is_err(), "past the end");
            if good.len() <= block + 1 {
                continue;
            }
            let mut bad = good.clone();
            bad[block + 1] ^= 0x80;
            fs::write(&path, &bad).unwrap();
            let file = CheckedFile::open(&path, String::from("a.bin"), expected).unwrap();
            assert_eq!(file.read(5..block as u64).unwrap(), good[5..block], "the first block is sound");
            assert!(file.damage().is_none());
            for range in [block as u64 - 1..block as u64 + 1, block as u64 + 1..block as u64 + 2] {
                let error = file.read(range).unwrap_err();
                assert!(error.message().contains("the file `a.bin` is damaged: bytes 65536 to "), "{error}");
            }
            assert!(file.damage().is_some());
        }
    }
}
