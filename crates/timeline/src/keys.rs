//! The event-id index of a segment: sorted keyed hashes in a file of its own, so that no question ever reads it.
//!
//! A key is the top 64 of the hash's 96 bits, under a secret key, so nobody can make two ids meet. By chance an id that is
//! new is taken for one of N kept ones with odds of N in 2^64, and is not counted then: with a billion kept ones that happens
//! once in 18 billion appends. Among a hundred million ids the odds that any two meet are one in 3,700; among a billion, one
//! in 37.
//!
//! Keys are split in three. The leading bits, about as many as number the keys, are a bucket and are not stored: a directory
//! of two bits a key, held in memory, tells which entries each bucket has. The next eight bits are held in memory too: an
//! id that is not here is told without a read in all but one case of two hundred. The rest is packed in the file, where an
//! id that may be here costs one read. In all that is 5.8 bytes a key on disk for a million keys (less for more) and 1.3 in
//! memory.
//!
//! Layout, little-endian: magic (8 bytes), number of keys (u64), number of leading bits (u64), the directory (u64 words; for
//! each bucket a one per key, then a zero), the fingerprints (one byte each), the rest of each key (64 less the leading
//! bits less eight, packed), all by ascending key. Format 2, which is read and no longer written, differs in its magic and
//! keeps 80 bits.

mod bloomed;

use std::io::Write;
use std::path::Path;

use tributary_core::error::{Code, Error, Result};

use crate::files::{CheckedFile, DurableFile, Written, io_error};
use bloomed::Bloomed;

const MAGIC: &[u8; 8] = b"TRBKEYS3";
const MAGIC_2: &[u8; 8] = b"TRBKEYS2";
const HEADER_BYTES: u64 = 24;
/// Bits of a hash from [`crate::stored::Hashes::event_key`].
const HASH_BITS: u32 = 96;
/// Bits of it that are kept, and that format 2 kept.
const KEY_BITS: u32 = 64;
const KEY_BITS_2: u32 = 80;
/// Bits held in memory for each key.
const FINGERPRINT_BITS: u32 = 8;
/// Buckets between two remembered places of the directory.
const SAMPLE_BUCKETS: usize = 64;
/// Most keys of a file: positions in the directory fit 32 bits.
const MOST_KEYS: usize = 1 << 30;

/// Writes the index of a segment; the keys come in any order.
pub(crate) fn write_keys(path: &Path, mut keys: Vec<u128>) -> Result<Written> {
    if keys.len() > MOST_KEYS {
        return Err(Error::internal(format!("an event-id index takes {MOST_KEYS} keys, not {}", keys.len())));
    }
    for key in &mut keys {
        *key >>= HASH_BITS - KEY_BITS;
    }
    keys.sort_unstable();
    let split = Split::for_keys(keys.len());
    let mut file = DurableFile::create(path)?;
    let mut put = |bytes: &[u8]| file.write_all(bytes).map_err(|error| io_error("writing", path, error));
    put(MAGIC)?;
    put(&(keys.len() as u64).to_le_bytes())?;
    put(&u64::from(split.leading_bits).to_le_bytes())?;
    let mut directory = vec![0u64; split.directory_words(keys.len())];
    for (at, key) in keys.iter().enumerate() {
        let bit = at + split.bucket(*key);
        directory[bit / 64] |= 1 << (bit % 64);
    }
    for word in directory {
        put(&word.to_le_bytes())?;
    }
    for key in &keys {
        put(&[split.fingerprint(*key)])?;
    }
    let (mut pending, mut bits) = (0u128, 0);
    for key in &keys {
        pending |= split.rest(*key) << bits;
        bits += split.rest_bits();
        let whole = bits / 8;
        put(&pending.to_le_bytes()[..whole as usize])?;
        pending = pending.checked_shr(whole * 8).unwrap_or_default();
        bits %= 8;
    }
    put(&pending.to_le_bytes()[..bits.div_ceil(8) as usize])?;
    file.finish()
}

/// How keys are split.
#[derive(Clone, Copy)]
struct Split {
    key_bits: u32,
    leading_bits: u32,
}

impl Split {
    /// One to two keys a bucket.
    fn for_keys(keys: usize) -> Self {
        Self { key_bits: KEY_BITS, leading_bits: keys.max(1).ilog2() }
    }

    fn buckets(self) -> usize {
        1 << self.leading_bits
    }

    fn directory_words(self, keys: usize) -> usize {
        (keys + self.buckets()).div_ceil(64)
    }

    fn rest_bits(self) -> u32 {
        self.key_bits - self.leading_bits - FINGERPRINT_BITS
    }

    fn bucket(self, key: u128) -> usize {
        (key >> (self.key_bits - self.leading_bits)) as usize
    }

    fn fingerprint(self, key: u128) -> u8 {
        (key >> self.rest_bits()) as u8
    }

    fn rest(self, key: u128) -> u128 {
        key & ((1 << self.rest_bits()) - 1)
    }
}

/// An opened index of any format.
pub(crate) enum KeyIndex {
    Packed(Packed),
    Bloomed(Bloomed),
}

impl KeyIndex {
    /// Opens an index; what is read of it is checked on the way. Errors name it by `name`.
    pub fn open(path: &Path, name: String, expected: Written) -> Result<Self> {
        let file = CheckedFile::open(path, name, expected)?;
        let magic = file.read(0..file.bytes().min(MAGIC.len() as u64))?;
        for (packed, key_bits) in [(MAGIC, KEY_BITS), (MAGIC_2, KEY_BITS_2)] {
            if magic == packed.as_slice() {
                return Packed::open(file, key_bits).map(KeyIndex::Packed);
            }
        }
        if magic == bloomed::MAGIC.as_slice() {
            return Bloomed::open(file).map(KeyIndex::Bloomed);
        }
        let message = format!("the file `{}` is no event-id index of a format this program reads (1, 2, 3)", file.name());
        Err(Error::new(Code::UpstreamFailed, message))
    }

    /// Whether the hash of an id is here.
    pub fn holds(&self, hash: u128) -> Result<bool> {
        match self {
            KeyIndex::Packed(keys) => keys.holds(hash),
            KeyIndex::Bloomed(keys) => keys.holds(hash),
        }
    }
}

/// An opened index: directory and fingerprints in memory, the rest in the file.
pub(crate) struct Packed {
    file: CheckedFile,
    split: Split,
    directory: Vec<u64>,
    /// Where every [`SAMPLE_BUCKETS`]th bucket begins in the directory.
    samples: Vec<u32>,
    fingerprints: bytes::Bytes,
    rests_at: u64,
}

impl Packed {
    fn open(file: CheckedFile, key_bits: u32) -> Result<Self> {
        let header = file.read(0..HEADER_BYTES)?;
        let number = |at: usize| u64::from_le_bytes(header[at..at + 8].try_into().expect("eight bytes"));
        let (keys, split) = (number(8) as usize, Split { key_bits, leading_bits: number(16) as u32 });
        let words_end = HEADER_BYTES + split.directory_words(keys) as u64 * 8;
        let rests_at = words_end + keys as u64;
        let words = file.read(HEADER_BYTES..words_end)?;
        let directory: Vec<u64> =
            words.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().expect("eight bytes"))).collect();
        // Bucket n begins right after the n-th zero.
        let mut samples = vec![0];
        let mut zeros = 0;
        for (at, word) in directory.iter().enumerate() {
            let here = word.count_zeros() as usize;
            while samples.len() * SAMPLE_BUCKETS <= zeros + here {
                let bit = nth_zero(*word, samples.len() * SAMPLE_BUCKETS - zeros - 1);
                samples.push((at * 64) as u32 + bit + 1);
            }
            zeros += here;
        }
        let fingerprints = file.read(words_end..rests_at)?;
        Ok(Self { file, split, directory, samples, fingerprints, rests_at })
    }

    fn holds(&self, hash: u128) -> Result<bool> {
        let key = hash >> (HASH_BITS - self.split.key_bits);
        let (start, end) = self.entries(self.split.bucket(key));
        let fingerprint = self.split.fingerprint(key);
        let same = |at: &usize| self.fingerprints[*at] == fingerprint;
        let (Some(first), Some(last)) = ((start..end).find(same), (start..end).rfind(same)) else { return Ok(false) };
        let bits = u64::from(self.split.rest_bits());
        let (from, to) = (first as u64 * bits / 8, ((last as u64 + 1) * bits).div_ceil(8));
        let bytes = self.file.read(self.rests_at + from..self.rests_at + to)?;
        let rest = self.split.rest(key);
        // Entries with one fingerprint are neighbours: keys ascend.
        Ok((first..=last).any(|at| {
            let bit = at as u64 * bits - from * 8;
            let mut window = [0; 16];
            let part = &bytes[(bit / 8) as usize..];
            let length = part.len().min(window.len());
            window[..length].copy_from_slice(&part[..length]);
            self.split.rest(u128::from_le_bytes(window) >> (bit % 8)) == rest
        }))
    }

    /// The entries of a bucket.
    fn entries(&self, bucket: usize) -> (usize, usize) {
        let mut bit = self.samples[bucket / SAMPLE_BUCKETS] as usize;
        let mut zeros = bucket % SAMPLE_BUCKETS;
        // Skips the buckets in between, then counts this one's keys up to its zero.
        let start = loop {
            if zeros == 0 {
                break bit - bucket;
            }
            let rest = 64 - bit % 64;
            let word = (self.directory[bit / 64] >> (bit % 64)) | (u64::MAX.checked_shl(rest as u32).unwrap_or_default());
            let here = word.count_zeros() as usize;
            if here >= zeros {
                bit += nth_zero(word, zeros - 1) as usize + 1;
                zeros = 0;
            } else {
                zeros -= here;
                bit += rest;
            }
        };
        let mut end = start;
        while self.directory[bit / 64] & (1 << (bit % 64)) != 0 {
            (bit, end) = (bit + 1, end + 1);
        }
        (start, end)
    }

    /// Memory held, bytes.
    #[cfg(test)]
    fn bytes(&self) -> usize {
        self.directory.len() * 8 + self.samples.len() * 4 + self.fingerprints.len()
    }
}

/// The position of a word's zero number `nth`, counted from 0; the word has that many.
fn nth_zero(word: u64, nth: usize) -> u32 {
    let mut ones = !word;
    for _ in 0..nth {
        ones &= ones - 1;
    }
    ones.trailing_zeros()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn written(keys: Vec<u128>) -> (tempfile::TempDir, Written, KeyIndex) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.keys");
        let written = write_keys(&path, keys).unwrap();
        let index = KeyIndex::open(&path, String::from("a.keys"), written.clone()).unwrap();
        (folder, written, index)
    }

    fn key(n: u32) -> u128 {
        u128::from(n).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835) >> 32
    }

    #[test]
    fn every_key_is_found_and_no_other_in_few_bytes() {
        for count in [0u32, 1, 2, 3, 63, 64, 65, 199, 200, 201, 5_000, 100_000] {
            let (_folder, written, index) = written((0..count).map(key).collect());
            for n in 0..count {
                assert!(index.holds(key(n)).unwrap(), "{n} of {count}");
            }
            for n in count..count + 2_000 {
                assert!(!index.holds(key(n)).unwrap(), "{n} of {count}");
            }
            if count >= 100_000 {
                let KeyIndex::Packed(packed) = &index else { panic!("written packed") };
                let (disk, held) = (written.bytes as f64 / f64::from(count), packed.bytes() as f64 / f64::from(count));
                assert!(disk < 6.3 && held < 1.5, "{disk} on disk, {held} held");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever the keys are: crowded into one bucket, equal in their upper or lower bits, or spread.
        #[test]
        fn what_is_held_is_what_was_written(
            parts in prop::collection::vec((0u32..6, 0u32..6, any::<u32>(), 0u32..3), 0..400),
            others in prop::collection::vec((0u32..6, 0u32..6, any::<u32>(), 0u32..3), 0..100),
        ) {
            let key = |(high, middle, spread, shape): (u32, u32, u32, u32)| match shape {
                0 => u128::from(high) << 93 | u128::from(middle) << 32,
                1 => u128::from(spread) << 64 | u128::from(middle) << 40,
                _ => u128::from(spread).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835) >> 32,
            };
            let keys: Vec<u128> = parts.into_iter().map(key).collect();
            let kept: HashSet<u128> = keys.iter().map(|key| key >> 32).collect();
            let (_folder, _, index) = written(keys.clone());
            for probe in keys.into_iter().chain(others.into_iter().map(key)) {
                prop_assert_eq!(index.holds(probe).unwrap(), kept.contains(&(probe >> 32)), "{:x}", probe);
            }
        }
    }

    #[test]
    fn damage_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.keys");
        let written = write_keys(&path, (0..3_000).map(key).collect()).unwrap();
        let good = std::fs::read(&path).unwrap();
        for at in (0..good.len()).step_by(good.len() / 40) {
            let mut bad = good.clone();
            bad[at] ^= 1 << (at % 8);
            std::fs::write(&path, bad).unwrap();
            let probed = KeyIndex::open(&path, String::from("a.keys"), written.clone())
                .and_then(|index| (0..3_000).try_for_each(|n| index.holds(key(n)).map(drop)));
            assert!(probed.unwrap_err().message().contains("the file `a.keys` is damaged"), "byte {at}");
        }
    }
}
