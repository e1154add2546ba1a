//! Times and their summaries.

use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// Milliseconds since an instant.
pub fn ms_since(begin: Instant) -> f64 {
    ms(begin.elapsed())
}

/// A duration in milliseconds.
pub fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// A number with as many decimals as are worth printing.
pub fn rounded(number: f64) -> f64 {
    let scale = if number.abs() >= 100.0 { 10.0 } else { 1_000.0 };
    (number * scale).round() / scale
}

/// The middle of some numbers and how far they lie apart.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Median; of an even number the mean of the middle two.
    pub median: f64,
    /// Smallest.
    pub min: f64,
    /// Largest.
    pub max: f64,
}

impl Spread {
    /// Of some numbers; `None` of none.
    pub fn of(numbers: &[f64]) -> Option<Spread> {
        let mut sorted = numbers.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let half = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 { sorted[half] } else { (sorted[half - 1] + sorted[half]) / 2.0 };
        Some(Spread { median: rounded(median), min: rounded(min), max: rounded(max) })
    }
}

/// Latencies of many requests, milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Half are at most this long.
    pub p50_ms: f64,
    /// 95 of 100 are at most this long.
    pub p95_ms: f64,
    /// The longest.
    pub max_ms: f64,
}

impl Latency {
    /// Of some times; `None` of none.
    pub fn of(times_ms: &[f64]) -> Option<Latency> {
        let mut sorted = times_ms.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |share: f64| sorted.get(((sorted.len() as f64 * share).ceil() as usize).max(1) - 1).copied();
        Some(Latency { p50_ms: rounded(at(0.5)?), p95_ms: rounded(at(0.95)?), max_ms: rounded(at(1.0)?) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_percentiles() {
        assert_eq!(Spread::of(&[3.0, 1.0, 2.0]), Some(Spread { median: 2.0, min: 1.0, max: 3.0 }));
        assert_eq!(Spread::of(&[4.0, 1.0]).map(|spread| spread.median), Some(2.5));
        assert_eq!(Spread::of(&[]), None);
        let times: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(Latency::of(&times), Some(Latency { p50_ms: 50.0, p95_ms: 95.0, max_ms: 100.0 }));
        assert_eq!(Latency::of(&[7.0]), Some(Latency { p50_ms: 7.0, p95_ms: 7.0, max_ms: 7.0 }));
    }
}
