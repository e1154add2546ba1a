//! Exchange rates as exact decimals, and amounts converted by them.

use std::fmt;
use std::str::FromStr;

use crate::error::{Code, Error, Result};

/// Parts of a rate's unit.
const PARTS: i64 = 1_000_000_000_000;
/// Most a rate may be.
const MAX_WHOLE: i64 = 9_000_000;
/// Decimals a rate may have.
const DECIMALS: usize = 12;

/// What one unit of a currency is worth in another: a positive decimal number of at most twelve decimals, held as a whole
/// number of 10^-12. Twelve decimals give a rial in dinars six digits, nine million reach the other way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(i64);

impl Rate {
    /// A currency in itself.
    pub const ONE: Rate = Rate(PARTS);

    /// The rate of so many 10^-12.
    pub fn from_parts(parts: i64) -> Result<Rate> {
        if (1..=MAX_WHOLE * PARTS).contains(&parts) {
            return Ok(Rate(parts));
        }
        Err(refused())
    }

    /// The rate in 10^-12.
    pub fn parts(self) -> i64 {
        self.0
    }
}

impl FromStr for Rate {
    type Err = Error;
    fn from_str(text: &str) -> Result<Rate> {
        let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
        let fraction = fraction.trim_end_matches('0');
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) || fraction.len() > DECIMALS {
            return Err(refused());
        }
        let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| refused())? };
        let fraction: i64 = format!("{fraction:0<DECIMALS$}").parse().map_err(|_| refused())?;
        whole.checked_mul(PARTS).and_then(|parts| parts.checked_add(fraction)).ok_or_else(refused).and_then(Rate::from_parts)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fraction = format!("{:0DECIMALS$}", self.0 % PARTS);
        let fraction = fraction.trim_end_matches('0');
        let dot = if fraction.is_empty() { "" } else { "." };
        write!(f, "{}{dot}{fraction}", self.0 / PARTS)
    }
}

/// A sum of converted amounts, exact until it is asked for: each answer is rounded once, however many days it adds up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExactSum(i128);

impl ExactSum {
    /// Adds micros as they are. `None` when the sum is beyond what is counted.
    pub fn plus(self, micros: i128) -> Option<ExactSum> {
        self.plus_at(micros, Rate::ONE)
    }

    /// Adds micros of another currency at a rate. `None` when the sum is beyond what is counted.
    pub fn plus_at(self, micros: i128, rate: Rate) -> Option<ExactSum> {
        micros.checked_mul(i128::from(rate.0)).and_then(|parts| self.0.checked_add(parts)).map(ExactSum)
    }

    /// Two sums as one. `None` when it is beyond what is counted.
    pub fn and(self, other: ExactSum) -> Option<ExactSum> {
        self.0.checked_add(other.0).map(ExactSum)
    }

    /// The sum in whole micros, rounded to the nearest, halves to even.
    pub fn micros(self) -> i128 {
        let parts = i128::from(PARTS);
        let (whole, rest) = (self.0.div_euclid(parts), self.0.rem_euclid(parts));
        let up = rest * 2 > parts || (rest * 2 == parts && whole % 2 != 0);
        whole + i128::from(up)
    }
}

fn refused() -> Error {
    Error::new(Code::InvalidParams, "rate must be a positive decimal number with at most twelve decimals, up to 9000000")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_exact_decimals() {
        for (text, written) in [("1", "1"), ("1.0850", "1.085"), (".000000000001", "0.000000000001"), ("9000000", "9000000")] {
            let rate: Rate = text.parse().expect(text);
            assert_eq!(rate.to_string(), written);
            assert_eq!(written.parse::<Rate>().expect(written), rate);
        }
        for text in ["", ".", "0", "-1", "+1", "1e3", "1,5", "9000000.1", "0.0000000000001", "NaN", "99999999999999999999"] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_sum_is_rounded_once_and_halves_go_to_even() {
        let rate: Rate = "0.5".parse().expect("a rate");
        let sum = |amounts: &[i128]| {
            amounts.iter().try_fold(ExactSum::default(), |sum, micros| sum.plus_at(*micros, rate)).expect("it fits").micros()
        };
        assert_eq!([sum(&[1]), sum(&[3]), sum(&[1, 1]), sum(&[-1]), sum(&[-3])], [0, 2, 1, 0, -2]);
        assert_eq!(ExactSum::default().plus(i128::from(i64::MAX)).expect("it fits").micros(), i128::from(i64::MAX));
        assert_eq!(ExactSum::default().plus(i128::MAX), None);
    }
}
