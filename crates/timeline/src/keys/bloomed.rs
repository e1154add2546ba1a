//! The first format of the index, which is read and no longer written: sorted keys of 96 bits behind a Bloom filter.
//!
//! Layout, little-endian: magic (8 bytes), number of entries (u64), number of filter words (u64), the filter words (u64
//! each), the keys (12 bytes each), ascending.

use tributary_core::error::Result;

use crate::files::CheckedFile;

pub(super) const MAGIC: &[u8; 8] = b"TRBKEYS1";
const HEADER_BYTES: u64 = 24;
const ENTRY_BYTES: usize = 12;
/// Six probes at ten bits a key: about one false alarm in a hundred.
const FILTER_PROBES: u64 = 6;
/// Entries read at once when the search has come close.
const WINDOW: u64 = 200;

/// An opened index: the filter in memory, the entries in the file.
pub(crate) struct Bloomed {
    file: CheckedFile,
    filter: Vec<u64>,
    entries: u64,
    entries_at: u64,
}

impl Bloomed {
    /// Opens an index whose magic has been read.
    pub fn open(file: CheckedFile) -> Result<Self> {
        let header = file.read(0..HEADER_BYTES)?;
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
