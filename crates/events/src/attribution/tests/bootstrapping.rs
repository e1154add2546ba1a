//! Intervals: repeatable, of the right width, and draws that are multinomial.

use tributary_core::error::{Code, Error};

use super::{Journeys, paths};
use crate::attribution::bootstrap::profiles::ProfilesBuilder;
use crate::attribution::bootstrap::{self, ChannelInterval, Resampling, drawn_for_tests};
use crate::attribution::journey::CREDIT_UNITS;
use crate::attribution::markov;
use crate::attribution::model::{Allocation, Order};

fn sample() -> Journeys {
    vec![
        (vec![1], 30, 400, vec![]),
        (vec![2], 10, 300, vec![]),
        (vec![1, 2], 40, 100, vec![]),
        (vec![2, 3, 1], 25, 60, vec![]),
        (vec![3, 3, 2, 1], 12, 20, vec![]),
        (vec![], 2, 5, vec![]),
    ]
}

fn intervals(journeys: &Journeys, order: Order, allocation: Allocation, seed: u64) -> Vec<ChannelInterval> {
    let resampling = Resampling::new(200, seed, 95).expect("usual");
    bootstrap::markov(&paths(journeys, 0), order, allocation, resampling, || Ok(())).expect("few paths")
}

#[test]
fn the_seed_alone_decides() {
    for order in [Order::First, Order::Second, Order::Third] {
        for allocation in [Allocation::RemovalShare, Allocation::PerPath] {
            let mut reversed = sample();
            reversed.reverse();
            let found = intervals(&sample(), order, allocation, 7);
            assert_eq!(found, intervals(&reversed, order, allocation, 7));
            assert_ne!(found, intervals(&sample(), order, allocation, 8));
        }
    }
}

#[test]
fn intervals_hold_the_estimate() {
    let paths = paths(&sample(), 0);
    let removal = markov::removal_effects(&paths, Order::First).expect("few states");
    for allocation in [Allocation::RemovalShare, Allocation::PerPath] {
        let credits = markov::credit(&paths, &removal, allocation);
        let found = intervals(&sample(), Order::First, allocation, 1);
        for ((interval, channel), effect) in found.iter().zip(&credits.channels).zip(&removal.effects) {
            assert_eq!(interval.channel, channel.channel);
            assert!(interval.units.low < channel.credit.units && channel.credit.units < interval.units.high, "{interval:?}");
            let effects = interval.removal_effect.expect("Markov has them");
            assert!(effects.low < *effect && *effect < effects.high, "{interval:?}, not {effect}");
        }
    }
}

/// Of 10,000 journeys 2,500 convert: the middle 95 % of a binomial are 85 conversions to each side.
#[test]
fn intervals_are_as_wide_as_theory_says() {
    let mut builder = ProfilesBuilder::default();
    for journey in 0..10_000 {
        let shares = [(9, CREDIT_UNITS / 2), (9, CREDIT_UNITS / 2)];
        builder.add(if journey % 4 == 0 { &shares } else { &[] }, 1).expect("two profiles");
    }
    let resampling = Resampling::new(2_000, 3, 95).expect("usual");
    let found = bootstrap::per_journey(&builder.build(), resampling, || Ok(())).expect("two profiles");
    let [ChannelInterval { channel: 9, units, removal_effect: None }] = found[..] else { panic!("{found:?}") };
    for (bound, expected) in [(units.low, 2_415.0), (units.high, 2_585.0)] {
        let bound = bound as f64 / CREDIT_UNITS as f64;
        assert!((bound - expected).abs() < 8.0, "{bound}, not about {expected}");
    }
}

#[test]
fn the_caller_may_stop() {
    let resampling = Resampling::new(100, 1, 90).expect("usual");
    let gone = || Err(Error::new(Code::Cancelled, "gone"));
    let stopped = bootstrap::markov(&paths(&sample(), 0), Order::First, Allocation::default(), resampling, gone);
    assert_eq!(stopped.expect_err("stopped").code(), Code::Cancelled);
}

/// Means, variances and covariances of the draws, each within five standard errors.
#[test]
fn draws_are_multinomial() {
    let sizes = [5_u64, 0, 1, 64, 300, 1, 2, 0, 7, 20];
    let (total, rounds) = (400.0, 20_000_u32);
    assert_eq!(sizes.iter().sum::<u64>(), 400);
    let draws: Vec<Vec<u64>> = (0..rounds).map(|round| drawn_for_tests(&sizes, 11, round)).collect();
    assert!(draws.iter().all(|drawn| drawn.iter().sum::<u64>() == 400));
    let mean = |of: &dyn Fn(&[u64]) -> f64| draws.iter().map(|drawn| of(drawn)).sum::<f64>() / f64::from(rounds);
    for (group, size) in sizes.iter().enumerate() {
        let variance = *size as f64 * (1.0 - *size as f64 / total);
        let found = mean(&|drawn| drawn[group] as f64);
        let error = (variance / f64::from(rounds)).sqrt();
        assert!((found - *size as f64).abs() <= 5.0 * error, "group {group}: mean {found}, not {size}");
        let spread = mean(&|drawn| (drawn[group] as f64 - *size as f64).powi(2));
        // The fourth central moment of a count is about 3 variances squared and one variance.
        let error = ((2.0 * variance * variance + variance) / f64::from(rounds)).sqrt();
        assert!((spread - variance).abs() <= 5.0 * error, "group {group}: variance {spread}, not {variance}");
    }
    let together = mean(&|drawn| (drawn[3] as f64 - 64.0) * (drawn[4] as f64 - 300.0));
    assert!((together + 64.0 * 300.0 / total).abs() < 3.0, "covariance {together}, not -48");
}
