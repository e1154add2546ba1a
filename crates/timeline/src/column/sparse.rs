//! Columns that say something about few rows of a chunk: where visitors begin, which rows have an amount.

/// The visitors of a chunk in its order, each with its stretch of rows. Inside the engine a visitor is its keyed 64-bit hash:
/// nobody outside can steer two into one, and among a million and a half visitors the chance that any two meet is one in
/// sixteen million.
#[derive(Debug, Default)]
pub(crate) struct Visitors {
    /// Keyed hash, ascending.
    pub hashes: Vec<u64>,
    /// First row of each visitor, and the number of rows at the end.
    pub starts: Vec<u32>,
}

impl Visitors {
    pub fn of(hashes: impl Iterator<Item = u64>) -> Self {
        let mut visitors = Visitors::default();
        let mut rows = 0;
        for hash in hashes {
            if visitors.hashes.last() != Some(&hash) {
                visitors.hashes.push(hash);
                visitors.starts.push(rows);
            }
            rows += 1;
        }
        visitors.starts.push(rows);
        visitors.hashes.shrink_to_fit();
        visitors.starts.shrink_to_fit();
        visitors
    }

    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    /// The rows of one visitor, by position.
    pub fn rows(&self, at: usize) -> std::ops::Range<usize> {
        self.starts[at] as usize..self.starts[at + 1] as usize
    }

    /// Where the first visitor of at least this hash stands. Hashes lie evenly, so it is looked for where it must be about.
    pub fn position(&self, hash: u64) -> usize {
        let (Some(low), Some(high)) = (self.hashes.first(), self.hashes.last()) else { return 0 };
        if hash <= *low {
            return 0;
        }
        if hash > *high {
            return self.len();
        }
        let share = u128::from(hash - low) * self.len() as u128 / (u128::from(high - low) + 1);
        first_from(share as usize, self.len(), |at| self.hashes[at] >= hash)
    }

    /// The visitor's rows, if it is here.
    pub fn find(&self, hash: u64) -> Option<std::ops::Range<usize>> {
        self.hashes.binary_search(&hash).ok().map(|at| self.rows(at))
    }
}

/// Typed amounts of the rows that have one.
#[derive(Debug, Default)]
pub(crate) struct Amounts {
    /// Rows, ascending.
    pub rows: Vec<u32>,
    /// Micros of each.
    pub micros: Vec<i64>,
}

impl Amounts {
    pub fn push(&mut self, row: usize, micros: i64) {
        self.rows.push(row as u32);
        self.micros.push(micros);
    }

    /// The amounts of a stretch of rows.
    pub fn inside(&self, rows: &std::ops::Range<usize>) -> impl Iterator<Item = (usize, i64)> {
        let first = self.rows.partition_point(|row| (*row as usize) < rows.start);
        let end = first + self.rows[first..].partition_point(|row| (*row as usize) < rows.end);
        self.rows[first..end].iter().zip(&self.micros[first..end]).map(|(row, micros)| (*row as usize, *micros))
    }

    pub fn at(&self, row: usize) -> i64 {
        let (Some(low), Some(high)) = (self.rows.first(), self.rows.last()) else { return 0 };
        let row = row as u32;
        if row < *low || *high < row {
            return 0;
        }
        // They lie evenly enough to be looked for where it must be about.
        let share = u64::from(row - low) * self.rows.len() as u64 / (u64::from(high - low) + 1);
        let at = first_from(share as usize, self.rows.len(), |at| self.rows[at] >= row);
        if self.rows[at] == row { self.micros[at] } else { 0 }
    }
}

/// The first of `count` places that is reached, where all after one that is reached are, looked for around a guess: in doubling steps
/// until it is enclosed, then by halves.
fn first_from(guess: usize, count: usize, is_reached: impl Fn(usize) -> bool) -> usize {
    let (mut start, mut end, mut step) = (guess.min(count), guess.min(count), 32);
    while start > 0 && is_reached(start - 1) {
        (end, start) = (start, start.saturating_sub(step));
        step *= 2;
    }
    while end < count && !is_reached(end) {
        (start, end) = (end, (end + step).min(count));
        step *= 2;
    }
    while start < end {
        let middle = start + (end - start) / 2;
        if is_reached(middle) { end = middle } else { start = middle + 1 }
    }
    start
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// However uneven they lie.
        #[test]
        fn visitors_and_amounts_are_found_where_they_are(
            hashes in prop::collection::btree_set(prop_oneof![any::<u64>(), 0u64..300, (u64::MAX - 300)..=u64::MAX], 0..200),
            asked in prop::collection::vec(prop_oneof![any::<u64>(), 0u64..310, (u64::MAX - 310)..=u64::MAX], 1..50),
            rows in prop::collection::btree_set(prop_oneof![any::<u32>(), 0u32..500], 0..200),
        ) {
            let visitors = Visitors::of(hashes.iter().copied());
            for hash in hashes.iter().chain(&asked) {
                prop_assert_eq!(visitors.position(*hash), hashes.range(..*hash).count());
            }
            let mut amounts = Amounts::default();
            rows.iter().for_each(|row| amounts.push(*row as usize, i64::from(*row) + 1));
            for row in rows.iter().copied().chain(asked.iter().map(|row| *row as u32)) {
                prop_assert_eq!(amounts.at(row as usize), if rows.contains(&row) { i64::from(row) + 1 } else { 0 });
            }
        }
    }
}
