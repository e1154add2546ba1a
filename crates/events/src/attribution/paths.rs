//! Journeys grouped by path: the sequence of channels, with how many took it, converted, and what they brought.

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

use serde_json::json;

use tributary_core::error::{Code, Error, Result};

/// The most different paths one answer may hold.
pub const MAX_PATHS: usize = 2_000_000;
/// The most channels all paths together may have.
pub const MAX_CHANNELS: usize = 500;
/// The most touches one path may have.
pub const MAX_PATH_TOUCHES: usize = 1 << 20;
/// The most touches all different paths together may have, each path counted once.
pub const MAX_TOUCHES: usize = 20_000_000;
/// The most journeys: with [`MAX_PATH_TOUCHES`], every count of transitions is an integer that `f64` holds exactly.
pub const MAX_JOURNEYS: u64 = 1 << 32;
/// The most micros of one currency, debits and refunds together, so that no sum overflows.
const MAX_MICROS: u128 = 1 << 120;

/// What journeys of one path came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Tally<'a> {
    /// Journeys that ended in a conversion.
    pub converting: u64,
    /// Journeys that did not.
    pub other: u64,
    /// What the conversions brought, micros, one sum per currency; missing ones are zero.
    pub amounts_micros: &'a [i128],
}

/// The first four channels of a path as one number, in the order of paths: places from 1 on, 0 past the end.
fn beginning(path: &[u32], place_of: impl Fn(&u32) -> u32) -> u64 {
    const _: () = assert!(MAX_CHANNELS < u16::MAX as usize, "a place fits 16 bits");
    (0..4).fold(0, |number, at| number << 16 | path.get(at).map_or(0, |channel| u64::from(place_of(channel)) + 1))
}

/// A quick hash for codes we made ourselves: nobody outside can choose them to collide.
#[derive(Clone, Default)]
pub(super) struct CodesHasher(u64);

impl Hasher for CodesHasher {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 = (self.0.rotate_left(26) ^ u64::from_le_bytes(word)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        }
    }
}

/// Groups journeys by path.
#[derive(Clone, Debug)]
pub struct PathsBuilder {
    currencies: usize,
    places: HashMap<Box<[u32]>, usize, BuildHasherDefault<CodesHasher>>,
    tallies: Vec<(u64, u64)>,
    /// One run of `currencies` sums per path.
    amounts: Vec<i128>,
    channels: BTreeSet<u32>,
    touches: usize,
    journeys: u64,
    /// Sum of absolute amounts, per currency.
    magnitudes: Vec<u128>,
}

impl PathsBuilder {
    /// No journeys yet; money is counted in that many currencies.
    pub fn new(currencies: usize) -> PathsBuilder {
        PathsBuilder {
            currencies,
            places: HashMap::default(),
            tallies: Vec::new(),
            amounts: Vec::new(),
            channels: BTreeSet::new(),
            touches: 0,
            journeys: 0,
            magnitudes: vec![0; currencies],
        }
    }

    /// Adds journeys of one path, channels by code, oldest touch first. An empty path is a journey without a touch: its
    /// conversions end up unattributed. [`Code::QuestionTooLarge`] beyond the bounds of this module; the builder is then no
    /// longer of use.
    pub fn add(&mut self, path: &[u32], tally: Tally<'_>) -> Result<()> {
        if tally.amounts_micros.len() > self.currencies {
            return Err(Error::internal("a path brings money in more currencies than are counted"));
        }
        let place = match self.places.get(path) {
            Some(place) => *place,
            None => self.open(path)?,
        };
        let journeys = tally.converting.checked_add(tally.other).and_then(|journeys| journeys.checked_add(self.journeys));
        let Some(journeys) = journeys.filter(|journeys| *journeys <= MAX_JOURNEYS) else {
            return Err(too_large("journeys", MAX_JOURNEYS, "filter, or ask for a shorter range"));
        };
        self.journeys = journeys;
        self.tallies[place].0 += tally.converting;
        self.tallies[place].1 += tally.other;
        for (currency, amount) in tally.amounts_micros.iter().enumerate() {
            let magnitude = self.magnitudes[currency].checked_add(amount.unsigned_abs());
            let Some(magnitude) = magnitude.filter(|magnitude| *magnitude <= MAX_MICROS) else {
                return Err(Error::new(Code::QuestionTooLarge, "the amounts of all journeys together are too large to add up"));
            };
            self.magnitudes[currency] = magnitude;
            self.amounts[place * self.currencies + currency] += amount;
        }
        Ok(())
    }

    /// Adds everything another builder of the same currencies holds: for folds that run side by side.
    pub fn merge(&mut self, other: &PathsBuilder) -> Result<()> {
        for (path, place) in &other.places {
            let (converting, not) = other.tallies[*place];
            let amounts_micros = &other.amounts[place * other.currencies..][..other.currencies];
            self.add(path, Tally { converting, other: not, amounts_micros })?;
        }
        Ok(())
    }

    /// Adds everything another builder of the same currencies holds, its channels under other codes; a channel without another
    /// code is left out of its paths.
    pub fn merge_recoded(&mut self, other: &PathsBuilder, codes: &HashMap<u32, u32>) -> Result<()> {
        let mut recoded = Vec::new();
        for (path, place) in &other.places {
            recoded.clear();
            recoded.extend(path.iter().filter_map(|channel| codes.get(channel)));
            let (converting, not) = other.tallies[*place];
            let amounts_micros = &other.amounts[place * other.currencies..][..other.currencies];
            self.add(&recoded, Tally { converting, other: not, amounts_micros })?;
        }
        Ok(())
    }

    /// The codes of the channels so far, ascending.
    pub fn channels(&self) -> impl Iterator<Item = u32> {
        self.channels.iter().copied()
    }

    /// About how much memory it takes, for the budget of a question.
    pub fn bytes(&self) -> usize {
        // A boxed slice, its place, the control byte and the allocator's share.
        const ENTRY_BYTES: usize = 48;
        self.touches * size_of::<u32>()
            + self.tallies.len() * (ENTRY_BYTES + size_of::<(u64, u64)>() + self.currencies * size_of::<i128>())
    }

    /// The paths in order.
    pub fn build(self) -> Paths {
        let channels: Vec<u32> = self.channels.into_iter().collect();
        let place_of = |channel: &u32| channels.binary_search(channel).unwrap_or_default() as u32;
        // Ordered by the places of channels, which is the order of their codes; beginnings decide most comparisons.
        let mut sorted: Vec<(u64, Box<[u32]>, usize)> =
            self.places.into_iter().map(|(path, place)| (beginning(&path, place_of), path, place)).collect();
        sorted.sort_unstable();
        let mut paths = Paths {
            channels: Vec::new(),
            currencies: self.currencies,
            starts: vec![0],
            steps: Vec::with_capacity(self.touches),
            converting: Vec::with_capacity(sorted.len()),
            other: Vec::with_capacity(sorted.len()),
            amounts: Vec::with_capacity(sorted.len() * self.currencies),
            untouched: (0, 0, vec![0; self.currencies]),
        };
        for (_, path, place) in sorted {
            let (converting, other) = self.tallies[place];
            let amounts = &self.amounts[place * self.currencies..][..self.currencies];
            if path.is_empty() {
                paths.untouched = (converting, other, amounts.to_vec());
                continue;
            }
            paths.steps.extend(path.iter().map(place_of));
            paths.starts.push(paths.steps.len());
            paths.converting.push(converting);
            paths.other.push(other);
            paths.amounts.extend_from_slice(amounts);
        }
        paths.channels = channels;
        paths
    }

    fn open(&mut self, path: &[u32]) -> Result<usize> {
        let place = self.tallies.len();
        if place >= MAX_PATHS {
            let hint = "group by fewer or coarser fields, shorten the window, or ask for a shorter range";
            return Err(too_large("paths", MAX_PATHS as u64, hint));
        }
        if path.len() > MAX_PATH_TOUCHES {
            return Err(too_large("path_touches", MAX_PATH_TOUCHES as u64, "shorten the window, or filter"));
        }
        self.touches += path.len();
        if self.touches > MAX_TOUCHES {
            return Err(too_large("touches", MAX_TOUCHES as u64, "shorten the window, or filter"));
        }
        self.channels.extend(path);
        if self.channels.len() > MAX_CHANNELS {
            return Err(too_large("channels", MAX_CHANNELS as u64, "group by fewer or coarser fields, or filter"));
        }
        self.places.insert(path.into(), place);
        self.tallies.push((0, 0));
        self.amounts.resize(self.amounts.len() + self.currencies, 0);
        Ok(place)
    }
}

/// The refusal of journeys beyond a bound.
pub(super) fn too_large(bound: &'static str, limit: u64, hint: &'static str) -> Error {
    let message = format!("the journeys have more than {limit} {}; {hint}", bound.replace('_', " "));
    Error::new(Code::QuestionTooLarge, message).with_details(json!({ "bound": bound, "limit": limit }))
}

/// Journeys grouped by path, in order of the paths' channel codes: the same for every order in which they were added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    channels: Vec<u32>,
    currencies: usize,
    /// Where each path begins in `steps`, and where the last ends.
    starts: Vec<usize>,
    /// Places in `channels`.
    steps: Vec<u32>,
    converting: Vec<u64>,
    other: Vec<u64>,
    amounts: Vec<i128>,
    untouched: (u64, u64, Vec<i128>),
}

impl Paths {
    /// Codes of all channels, ascending.
    pub fn channels(&self) -> &[u32] {
        &self.channels
    }

    /// How many currencies money is counted in.
    pub fn currencies(&self) -> usize {
        self.currencies
    }

    /// How many different paths there are, the empty one aside.
    pub fn len(&self) -> usize {
        self.converting.len()
    }

    /// Whether no journey has a touch.
    pub fn is_empty(&self) -> bool {
        self.converting.is_empty()
    }

    /// A path, as places in [`Paths::channels`], and its journeys.
    pub fn get(&self, index: usize) -> (&[u32], Tally<'_>) {
        let steps = &self.steps[self.starts[index]..self.starts[index + 1]];
        let amounts_micros = &self.amounts[index * self.currencies..][..self.currencies];
        (steps, Tally { converting: self.converting[index], other: self.other[index], amounts_micros })
    }

    /// Every path and its journeys.
    pub fn iter(&self) -> impl Iterator<Item = (&[u32], Tally<'_>)> {
        (0..self.len()).map(|index| self.get(index))
    }

    /// Journeys without a touch.
    pub fn untouched(&self) -> Tally<'_> {
        let (converting, other, amounts_micros) = &self.untouched;
        Tally { converting: *converting, other: *other, amounts_micros }
    }

    /// Converting journeys, by path.
    pub(super) fn converting(&self) -> &[u64] {
        &self.converting
    }

    /// Journeys that did not convert, by path.
    pub(super) fn other(&self) -> &[u64] {
        &self.other
    }
}
