//! Whole parts of a whole total, in proportion to weights, that add up to it exactly.
//!
//! Largest remainder (Hamilton, Hare and Niemeyer): every part is rounded towards zero, and what is left goes out one by one
//! to the parts that lost most by it; of equals, to the earlier.

/// Whether there was anybody to give to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "an unattributed total must be kept by the caller, or sums no longer hold"]
pub enum Apportioned {
    /// The parts add up to the total.
    Whole,
    /// No weight is above zero: every part is zero and the total is still the caller's.
    Nothing,
}

/// Apportions, and keeps its memory for the next time.
#[derive(Clone, Debug, Default)]
pub struct Apportioner {
    /// Remainders, in units of the sum of weights, and whose they are.
    remainders: Vec<(u128, usize)>,
}

impl Apportioner {
    /// Writes one part per weight, in their order, in the total's own unit. A negative total (a refund) gives the negative of
    /// what its opposite gives. Exact for every total; equal weights never differ by more than one.
    pub fn apportion(&mut self, total: i128, weights: &[u64], parts: &mut Vec<i128>) -> Apportioned {
        parts.clear();
        let sum: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
        if sum == 0 {
            parts.resize(weights.len(), 0);
            return Apportioned::Nothing;
        }
        let magnitude = total.unsigned_abs();
        let mut left = magnitude;
        self.remainders.clear();
        for (index, weight) in weights.iter().enumerate() {
            let (part, remainder) = share(magnitude, *weight, sum);
            left -= part;
            // Only `i128::MIN` has a part beyond the positive range, and it wraps to itself.
            parts.push(if total < 0 { (part as i128).wrapping_neg() } else { part as i128 });
            if remainder > 0 {
                self.remainders.push((remainder, index));
            }
        }
        // Invariant: the remainders add up to `left` times the sum and each is below it, so fewer are left than remain.
        let left = usize::try_from(left).unwrap_or(usize::MAX).min(self.remainders.len());
        if left > 0 {
            self.remainders.select_nth_unstable_by(left - 1, |one, other| other.0.cmp(&one.0).then(one.1.cmp(&other.1)));
        }
        let sign: i128 = if total < 0 { -1 } else { 1 };
        for (_, index) in &self.remainders[..left] {
            parts[*index] += sign;
        }
        Apportioned::Whole
    }
}

/// `total * weight / sum` and its remainder, for a weight not above the sum.
fn share(total: u128, weight: u64, sum: u128) -> (u128, u128) {
    // Hardware divides 64 bits at once; wider numbers cost ten times as much and are rare.
    if let (Ok(total), Ok(sum)) = (u64::try_from(total), u64::try_from(sum))
        && let Some(product) = total.checked_mul(weight)
    {
        return (u128::from(product / sum), u128::from(product % sum));
    }
    if let Some(product) = total.checked_mul(u128::from(weight)) {
        return (product / sum, product % sum);
    }
    // Schoolbook, in halves of the weight: no slice holds 2^32 weights, so the sum, and any remainder of it, is below 2^96.
    let (whole, rest) = (total / sum, total % sum);
    let (high, low) = (u128::from(weight >> 32), u128::from(weight & u64::from(u32::MAX)));
    let first = rest * high;
    let second = (first % sum) << 32;
    let third = rest * low;
    let remainder = second % sum + third % sum;
    let part = whole * u128::from(weight) + ((first / sum) << 32) + second / sum + third / sum + remainder / sum;
    (part, remainder % sum)
}
