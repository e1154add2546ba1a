//! Sums of credit by group and bucket.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use tributary_events::attribution::credit::Credit;

use crate::fold::group::CodeHasher;

/// The slot of what lies in no bucket, or of everything without buckets.
pub(super) const NO_BUCKET: u32 = 0;

/// The slot of a bucket.
pub(super) fn slot_of(bucket: Option<u32>) -> u32 {
    bucket.map_or(NO_BUCKET, |bucket| bucket + 1)
}

/// The bucket of a slot.
pub(super) fn bucket_of(slot: u32) -> Option<u32> {
    slot.checked_sub(1)
}

/// Numbers of bucket and kind of conversion together. Where kinds are not told apart, a bucket's slot is its own number.
#[derive(Default)]
pub(super) struct Slots {
    pairs: Vec<(u32, u32)>,
    numbers: HashMap<(u32, u32), u32>,
    is_split: bool,
}

impl Slots {
    pub fn new(is_split: bool) -> Self {
        Self { is_split, ..Self::default() }
    }

    /// The number of a bucket's slot and a kind.
    pub fn number(&mut self, slot: u32, kind: u32) -> u32 {
        if !self.is_split {
            return slot;
        }
        let Self { pairs, numbers, .. } = self;
        *numbers.entry((slot, kind)).or_insert_with(|| {
            pairs.push((slot, kind));
            pairs.len() as u32 - 1
        })
    }

    /// The bucket's slot and the kind of a number.
    pub fn pair(&self, number: u32) -> (u32, u32) {
        if self.is_split { self.pairs[number as usize] } else { (number, 0) }
    }

    /// Memory held, bytes, roughly.
    pub fn bytes(&self) -> usize {
        (self.pairs.capacity() + self.numbers.capacity() * 2) * size_of::<(u32, u32)>()
    }
}

/// Credit of every group and bucket that has some.
pub(super) struct Sums {
    currencies: usize,
    places: HashMap<u64, u32, BuildHasherDefault<CodeHasher>>,
    /// Units, then one amount per currency, for each place.
    sums: Vec<i128>,
}

impl Sums {
    pub fn new(currencies: usize) -> Self {
        Self { currencies, places: HashMap::default(), sums: Vec::new() }
    }

    /// Adds to one field: 0 for units, then the currencies.
    pub fn add(&mut self, group: u32, slot: u32, field: usize, part: i64) {
        let start = self.start(group, slot);
        self.sums[start + field] += i128::from(part);
    }

    pub fn add_all(&mut self, group: u32, slot: u32, credit: &Credit) {
        let start = self.start(group, slot);
        let parts = std::iter::once(credit.units).chain(credit.amounts_micros.iter().copied());
        self.sums[start..].iter_mut().zip(parts).for_each(|(sum, part)| *sum += part);
    }

    fn start(&mut self, group: u32, slot: u32) -> usize {
        let width = self.currencies + 1;
        let Self { places, sums, .. } = self;
        let place = *places.entry(u64::from(group) << 32 | u64::from(slot)).or_insert_with(|| {
            let place = sums.len() / width;
            sums.resize(sums.len() + width, 0);
            place as u32
        });
        place as usize * width
    }

    pub fn iter(&self) -> impl Iterator<Item = (u32, u32, Credit)> {
        let width = self.currencies + 1;
        self.places.iter().map(move |(key, place)| {
            let sums = &self.sums[*place as usize * width..][..width];
            let credit = Credit { units: sums[0], amounts_micros: sums[1..].to_vec() };
            ((*key >> 32) as u32, *key as u32, credit)
        })
    }

    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Memory held, bytes, roughly.
    pub fn bytes(&self) -> usize {
        self.places.capacity() * 17 + self.sums.capacity() * size_of::<i128>()
    }
}
