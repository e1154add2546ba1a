//! Exactly multinomial counts from random bits, without looking at single journeys where many are alike.
//!
//! Journeys stand in a row of slots, those of a group side by side, padded to a power of two. To draw one is to pick a slot;
//! to draw n is to halve the row again and again, where the number that falls into the left half is that of heads among n fair
//! coins: the set bits of n random ones. A part of the row that belongs to one group needs no more halving, and what fell
//! into the padding is drawn again. No number is ever rounded.
//!
//! Most groups are small, and there picking slots one by one is faster than halving down to single ones. Groups of one size
//! stand side by side, so in a part where all have the same few journeys a slot's group is a division away.

use super::random::SplitMix64;

/// Groups up to this size have their slots picked, in parts of at most [`PICKED_SLOTS`].
const PICKED_SIZE: u32 = 8;
/// Counts of that many slots stay in the nearest cache.
const PICKED_SLOTS: u64 = 4_096;

/// Groups of journeys to draw from.
#[derive(Clone, Debug)]
pub(super) struct Multinomial {
    /// Groups that have journeys, the largest first: parts of the row that need no more halving are then large.
    groups: Vec<u32>,
    /// The slot past each of them, and past the padding.
    ends: Vec<u64>,
    journeys: u64,
}

/// A part of the row.
#[derive(Clone, Copy)]
struct Part {
    first_slot: u64,
    slots: u64,
    /// The first and the last of the groups in it.
    groups: (usize, usize),
}

impl Multinomial {
    /// Groups of these sizes; together at most [`crate::attribution::paths::MAX_JOURNEYS`].
    pub(super) fn new(sizes: &[u64]) -> Multinomial {
        let mut groups: Vec<u32> = (0..sizes.len() as u32).filter(|group| sizes[*group as usize] > 0).collect();
        groups.sort_unstable_by_key(|group| (std::cmp::Reverse(sizes[*group as usize]), *group));
        let mut journeys = 0;
        let mut ends = Vec::with_capacity(groups.len() + 1);
        for group in &groups {
            journeys += sizes[*group as usize];
            ends.push(journeys);
        }
        ends.push(journeys.next_power_of_two());
        Multinomial { groups, ends, journeys }
    }

    /// Draws as many journeys as there are, with replacement, and writes how many are of each group. `in_row` is memory for
    /// the counts in the row's order.
    pub(super) fn draw(&self, random: &mut SplitMix64, in_row: &mut Vec<u64>, drawn: &mut [u64]) {
        let padding = self.groups.len();
        in_row.clear();
        in_row.resize(padding + 1, 0);
        let slots = self.journeys.next_power_of_two();
        let last = if slots > self.journeys { padding } else { padding.saturating_sub(1) };
        let row = Part { first_slot: 0, slots, groups: (0, last) };
        let mut left = self.journeys;
        while left > 0 {
            self.scatter(row, left, random, in_row);
            left = std::mem::take(&mut in_row[padding]);
        }
        drawn.fill(0);
        for (group, journeys) in self.groups.iter().zip(in_row) {
            drawn[*group as usize] = *journeys;
        }
    }

    /// Scatters journeys over a part of the row.
    fn scatter(&self, part: Part, journeys: u64, random: &mut SplitMix64, in_row: &mut [u64]) {
        let (first, last) = part.groups;
        if journeys == 0 {
            return;
        }
        if first == last {
            in_row[first] += journeys;
            return;
        }
        if part.slots <= PICKED_SLOTS
            && let Some(size) = self.common_size(first, last)
        {
            // A power of two of slots: the low bits of a random number are one of them.
            let skipped = (part.first_slot - self.begin(first)) as u32;
            for _ in 0..journeys {
                let slot = random.bits() as u32 & (part.slots as u32 - 1);
                in_row[first + ((skipped + slot) / size) as usize] += 1;
            }
            return;
        }
        let half = part.slots / 2;
        let middle = part.first_slot + half;
        // The group that holds the last slot of the left half, and the one that holds the first of the right.
        let ends_left = first + self.ends[first..last].partition_point(|end| *end < middle);
        let begins_right = if self.ends[ends_left] == middle { ends_left + 1 } else { ends_left };
        let heads = random.heads(journeys);
        let left = Part { first_slot: part.first_slot, slots: half, groups: (first, ends_left) };
        let right = Part { first_slot: middle, slots: half, groups: (begins_right, last) };
        self.scatter(left, heads, random, in_row);
        self.scatter(right, journeys - heads, random, in_row);
    }

    /// The few journeys that each of these groups has, if they have equally many.
    fn common_size(&self, first: usize, last: usize) -> Option<u32> {
        // Largest first: between equal ends all are equal. The padding is no group.
        let size = |group: usize| self.ends[group] - self.begin(group);
        let common = u32::try_from(size(first)).ok().filter(|common| *common <= PICKED_SIZE)?;
        (last < self.groups.len() && size(last) == u64::from(common)).then_some(common)
    }

    /// The first slot of a group.
    fn begin(&self, group: usize) -> u64 {
        group.checked_sub(1).map_or(0, |before| self.ends[before])
    }
}
