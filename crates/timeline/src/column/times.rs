//! Instants of a chunk.

use super::QUARTER_US;
use crate::encode::MILLISECOND_US;

/// Instants: milliseconds in four bytes where the chunk allows it, microseconds otherwise.
#[derive(Debug)]
pub(crate) enum Times {
    Millis { base_us: i64, offsets: Vec<u32> },
    Micros(Vec<i64>),
}

impl Times {
    pub fn of(values: Vec<i64>) -> Self {
        let first = values.iter().copied().min().unwrap_or_default();
        let base_us = first.saturating_sub(first.rem_euclid(QUARTER_US));
        let mut offsets = Vec::with_capacity(values.len());
        for value in &values {
            let offset = value.wrapping_sub(base_us);
            match u32::try_from(offset / MILLISECOND_US) {
                Ok(millis) if offset % MILLISECOND_US == 0 => offsets.push(millis),
                Ok(_) | Err(_) => return Times::Micros(values),
            }
        }
        Times::Millis { base_us, offsets }
    }

    #[inline]
    pub fn at(&self, row: usize) -> i64 {
        match self {
            Times::Millis { base_us, offsets } => base_us + i64::from(offsets[row]) * MILLISECOND_US,
            Times::Micros(values) => values[row],
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Times::Millis { offsets, .. } => offsets.len(),
            Times::Micros(values) => values.len(),
        }
    }

    pub fn bytes(&self) -> usize {
        match self {
            Times::Millis { offsets, .. } => offsets.len() * 4,
            Times::Micros(values) => values.len() * 8,
        }
    }

    /// Clears the mask of every row outside `start_us..end_us`. `mask` stands for the rows from `first` on.
    pub fn keep_inside(&self, first: usize, mask: &mut [u8], start_us: i64, end_us: i64) {
        match self {
            Times::Millis { base_us, offsets } => {
                let bound = |at_us: i64| {
                    let micros = i128::from(at_us) - i128::from(*base_us);
                    // An instant between two milliseconds bounds like the next one.
                    (micros + i128::from(MILLISECOND_US) - 1).div_euclid(i128::from(MILLISECOND_US)).clamp(0, 1 << 32) as u64
                };
                let (low, high) = (bound(start_us), bound(end_us));
                // One comparison of four bytes: what lies below the start wraps past any length.
                let (Ok(low), length) = (u32::try_from(low), high.saturating_sub(low)) else {
                    mask.fill(0);
                    return;
                };
                if let Ok(length) = u32::try_from(length) {
                    for (kept, offset) in mask.iter_mut().zip(&offsets[first..]) {
                        *kept &= u8::from(offset.wrapping_sub(low) < length);
                    }
                }
            }
            Times::Micros(values) => {
                for (kept, value) in mask.iter_mut().zip(&values[first..]) {
                    *kept &= u8::from(start_us <= *value && *value < end_us);
                }
            }
        }
    }
}

/// One row in so many is among the newest rows of a chunk.
const NEWEST_SHARE: usize = 8;

/// The newest rows of a chunk, the newest first: where the latest events are looked for, the others need not be looked at.
pub(crate) fn newest_rows(times: &Times) -> Vec<u32> {
    let mut rows: Vec<u32> = (0..times.len() as u32).collect();
    let newest_first = |row: &u32| std::cmp::Reverse(times.at(*row as usize));
    let kept = times.len().div_ceil(NEWEST_SHARE);
    if kept < rows.len() {
        rows.select_nth_unstable_by_key(kept, newest_first);
        rows.truncate(kept);
    }
    rows.sort_unstable_by_key(newest_first);
    rows.shrink_to_fit();
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_rows_are_the_newest_in_order() {
        for values in [(0..1_000).map(|n| n * 7_919 % 1_009).collect(), vec![5; 20], vec![3], vec![]] {
            let times = Times::of(values);
            let found: Vec<i64> = newest_rows(&times).iter().map(|row| times.at(*row as usize)).collect();
            let mut expected: Vec<i64> = (0..times.len()).map(|row| times.at(row)).collect();
            expected.sort_unstable_by_key(|at_us| std::cmp::Reverse(*at_us));
            expected.truncate(times.len().div_ceil(8));
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn times_read_back_and_bound_exactly() {
        for values in [vec![1_000, 5_000, -7_000], vec![1_001, 2_000], vec![0, 1 << 60], vec![], vec![i64::MIN, i64::MAX]] {
            let times = Times::of(values.clone());
            assert_eq!((0..times.len()).map(|row| times.at(row)).collect::<Vec<_>>(), values);
            for (start, end) in [(0, 1), (-7_000, 5_000), (1_001, 1_002), (1_000, i64::MAX), (i64::MIN, -6_999)] {
                let mut mask = vec![1; values.len()];
                times.keep_inside(0, &mut mask, start, end);
                let expected: Vec<u8> = values.iter().map(|value| u8::from(start <= *value && *value < end)).collect();
                assert_eq!(mask, expected, "{values:?} in {start}..{end}");
            }
        }
        assert!(matches!(Times::of(vec![1_000, 2_000]), Times::Millis { .. }));
    }
}
