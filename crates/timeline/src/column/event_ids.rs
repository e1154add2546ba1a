//! Event ids of a chunk in the two parts they are stored in: see [`crate::event_id`].

use super::{Codes, TextColumn};

/// Ids in two parts.
#[derive(Debug)]
pub(crate) struct EventIds {
    /// What follows the number, or all of the id.
    pub texts: TextColumn,
    pub numbers: Numbers,
}

/// A number of each row that has one.
#[derive(Debug)]
pub(crate) enum Numbers {
    /// All close together: offset n stands for `base + n - 1`, 0 for none.
    Near {
        base: i64,
        offsets: Codes,
    },
    Far(Vec<Option<i64>>),
}

impl EventIds {
    pub fn bytes(&self) -> usize {
        self.texts.codes.bytes() + self.numbers.bytes()
    }
}

impl Numbers {
    pub fn of(values: Vec<Option<i64>>) -> Self {
        let base = values.iter().flatten().copied().min().unwrap_or_default();
        let mut offsets = Vec::with_capacity(values.len());
        for value in &values {
            // What wraps lies further apart than any offset tells.
            let offset = value.map(|value| value.wrapping_sub(base) as u64);
            match offset.map_or(Ok(0), |offset| u32::try_from(offset.saturating_add(1))) {
                Ok(offset) => offsets.push(offset),
                Err(_) => return Numbers::Far(values),
            }
        }
        Numbers::Near { base, offsets: Codes::narrow(offsets) }
    }

    pub fn at(&self, row: usize) -> Option<i64> {
        match self {
            Numbers::Near { base, offsets } => offsets.at(row).checked_sub(1).map(|offset| base + i64::from(offset)),
            Numbers::Far(values) => values[row],
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Numbers::Near { offsets, .. } => offsets.bytes(),
            Numbers::Far(values) => values.len() * size_of::<Option<i64>>(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_back_and_take_little_where_they_are_close() {
        for (values, bytes) in [
            (vec![], 0),
            (vec![None, None], 0),
            (vec![Some(-3); 4], 0),
            (vec![Some(-3), None, Some(250)], 3),
            (vec![Some(i64::MIN), Some(i64::MIN + 300)], 4),
            (vec![Some(7), Some(7 + i64::from(u32::MAX) - 1)], 8),
            (vec![Some(7), Some(7 + i64::from(u32::MAX))], 32),
            (vec![Some(i64::MIN), None, Some(i64::MAX)], 48),
        ] {
            let numbers = Numbers::of(values.clone());
            assert_eq!((0..values.len()).map(|row| numbers.at(row)).collect::<Vec<_>>(), values);
            assert_eq!(numbers.bytes(), bytes, "{values:?}");
        }
    }
}
