//! The event-id index of a segment: sorted 96-bit keyed hashes behind a Bloom filter, in a file of its own so that no
//! question ever reads it.
//!
//! Layout, little-endian: magic (8 bytes), number of entries (u64), number of filter words (u64), the filter words (u64
//! each), the keys (12 bytes each), ascending.

use std::io::Write;
use std::path::Path;

use tributary_core::error::{Error, Result};

use crate::files::{CheckedFile, DurableFile, Written, io_error};

const MAGIC: &[u8; 8] = b"TRBKEYS1";
const HEADER_BYTES: u64 = 24;
const ENTRY_BYTES: usize = 12;
/// Ten bits and six probes per key: about one false alarm in a hundred.
const FILTER_BITS_PER_KEY: usize = 10;
const FILTER_PROBES: u64 = 6;
/// Entries read at once when the search has come close.
const WINDOW: u64 = 200;

/// Writes the index of a segment; the keys come in any order.
pub(crate) fn write_keys(path: &Path, mut keys: Vec<u128>) -> Result<Written> {
    keys.sort_unstable();
    let mut filter = vec![0u64; (keys.len() * FILTER_BITS_PER_KEY).div_ceil(64)];
    for key in &keys {
        for bit in probes(*key, filter.len()) {
            filter[(bit / 64) as usize] |= 1 << (bit % 64);
        }
    }
    let mut file = DurableFile::create(path)?;
    let mut put = |bytes: &[u8]| file.write_all(bytes).map_err(|error| io_error("writing", path, error));
    put(MAGIC)?;
    put(&(keys.len() as u64).to_le_bytes())?;
    put(&(filter.len() as u64).to_le_bytes())?;
    for word in &filter {
        put(&word.to_le_bytes())?;
    }
    for key in &keys {
        put(&key.to_le_bytes()[..ENTRY_BYTES])?;
    }
    file.finish()
}

/// An opened index: the filter in memory, the entries in the file.
pub(crate) struct KeyIndex {
    file: CheckedFile,
    filter: Vec<u64>,
    entries: u64,
    entries_at: u64,
}

impl KeyIndex {
    /// Opens an index; what is read of it is checked on the way. Errors name it by `name`.
    pub fn open(path: &Path, name: String, expected: Written) -> Result<Self> {
        let file = CheckedFile::open(path, name, expected)?;
        let header = file.read(0..HEADER_BYTES)?;
        if &header[..8] != MAGIC {
            return Err(Error::internal(format!("`{}` is not an event-id index of this version", file.name())));
        }
        let number = |at: usize| u64::from_le_bytes(header[at..at + 8].try_into().expect("eight bytes"));
        let (entries, words) = (number(8), number(16));
        let bytes = file.read(HEADER_BYTES..HEADER_BYTES + words * 8)?;
        let filter = bytes.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().expect("eight bytes"))).collect();
        Ok(Self { file, filter, entries, entries_at: HEADER_BYTES + words * 8 })
    }

    /// Whether the key is here.
    pub fn holds(&self, key: u128) -> Result<bool> {
        if self.entries == 0 {
            return Ok(false);
        }
        if !probes(key, self.filter.len()).all(|bit| self.filter[(bit / 64) as usize] & (1 << (bit % 64)) != 0) {
            return Ok(false);
        }
        let entries = |from: u64, to: u64| {
            let at = |entry: u64| self.entries_at + entry * ENTRY_BYTES as u64;
            self.file.read(at(from)..at(to))
        };
        let (mut low, mut high) = (0, self.entries);
        while high - low > WINDOW {
            let middle = low + (high - low) / 2;
            if parse(&entries(middle, middle + 1)?) < key { low = middle + 1 } else { high = middle + 1 }
        }
        Ok(entries(low, high)?.chunks_exact(ENTRY_BYTES).map(parse).any(|entry| entry == key))
    }
}

fn parse(entry: &[u8]) -> u128 {
    let mut bytes = [0; 16];
    bytes[..ENTRY_BYTES].copy_from_slice(entry);
    u128::from_le_bytes(bytes)
}

/// The filter bits of a key. The key is a keyed hash already, so its parts serve as the two hash functions.
fn probes(key: u128, words: usize) -> impl Iterator<Item = u64> {
    let (first, second) = (key as u64, ((key >> 64) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let bits = words as u64 * 64;
    (0..FILTER_PROBES).map(move |probe| {
        let hash = first.wrapping_add(probe.wrapping_mul(second));
        ((u128::from(hash) * u128::from(bits)) >> 64) as u64
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_found_and_no_other() {
        for count in [0u32, 1, 2, 199, 200, 201, 5_000] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a.keys");
            let key = |n: u32| u128::from(n).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835) >> 32;
            let written = write_keys(&path, (0..count).map(key).collect()).unwrap();
            let index = KeyIndex::open(&path, String::from("a.keys"), written).unwrap();
            for n in 0..count {
                assert!(index.holds(key(n)).unwrap(), "{n} of {count}");
            }
            for n in count..count + 2_000 {
                assert!(!index.holds(key(n)).unwrap(), "{n} of {count}");
            }
        }
    }
}
