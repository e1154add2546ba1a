//! Largest remainder: sums, bounds, ties, signs.

use proptest::prelude::*;

use crate::attribution::apportion::{Apportioned, Apportioner};

fn parts(total: i128, weights: &[u64]) -> Vec<i128> {
    let mut parts = Vec::new();
    let _known = Apportioner::default().apportion(total, weights, &mut parts);
    parts
}

#[test]
fn the_largest_remainders_win_and_ties_go_to_the_earlier() {
    for (total, weights, expected) in [
        (10, &[1, 1, 1][..], &[4, 3, 3][..]),
        (-10, &[1, 1, 1], &[-4, -3, -3]),
        (11, &[1, 1, 1], &[4, 4, 3]),
        (100, &[1, 2, 4], &[14, 29, 57]),
        (2, &[1, 3, 0, 3], &[0, 1, 0, 1]),
        (0, &[5, 7], &[0, 0]),
        (7, &[0, u64::MAX], &[0, 7]),
        (i128::MAX, &[u64::MAX], &[i128::MAX]),
        (i128::MIN, &[3], &[i128::MIN]),
        (i128::MIN, &[u64::MAX, u64::MAX], &[i128::MIN / 2, i128::MIN / 2]),
    ] {
        assert_eq!(parts(total, weights), expected, "{total} by {weights:?}");
    }
}

#[test]
fn nobody_gets_anything_without_weights() {
    let mut apportioner = Apportioner::default();
    let mut parts = vec![9];
    assert_eq!(apportioner.apportion(5, &[], &mut parts), Apportioned::Nothing);
    assert_eq!(parts, []);
    assert_eq!(apportioner.apportion(5, &[0, 0], &mut parts), Apportioned::Nothing);
    assert_eq!(parts, [0, 0]);
}

/// The product in 256 bits, high half first.
fn wide_product(one: u128, other: u128) -> (u128, u128) {
    let halves = |number: u128| (number >> 64, number & u128::from(u64::MAX));
    let ((a, b), (c, d)) = (halves(one), halves(other));
    let (low_high, low_low) = halves(b * d);
    let (cross_high, cross_low) = halves(a * d);
    let cross = halves(b * c);
    let middle = cross_low + low_high + cross.1;
    (a * c + cross_high + cross.0 + (middle >> 64), (middle << 64) | low_low)
}

fn totals() -> impl Strategy<Value = i128> {
    prop_oneof![-1_000_i128..1_000, any::<i64>().prop_map(i128::from), any::<i128>()]
}

fn weights() -> impl Strategy<Value = Vec<u64>> {
    prop::collection::vec(prop_oneof![0_u64..5, 0_u64..1_000_000_000, any::<u64>(), Just(u64::MAX)], 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn parts_are_whole_and_fair(total in totals(), weights in weights()) {
        let sum: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
        prop_assume!(sum > 0);
        let parts = parts(total, &weights);
        prop_assert_eq!(parts.iter().sum::<i128>(), total);
        for (part, weight) in parts.iter().zip(&weights) {
            // One below the fair part or less, one above it or less.
            let fair = wide_product(total.unsigned_abs(), u128::from(*weight));
            prop_assert!(wide_product(part.unsigned_abs().saturating_sub(1), sum) <= fair);
            prop_assert!(wide_product(part.unsigned_abs().saturating_add(1), sum) > fair);
            prop_assert!(part.signum() * total.signum() >= 0);
        }
        if total > i128::MIN {
            let opposite: Vec<i128> = parts.iter().map(|part| -part).collect();
            prop_assert_eq!(super::apportioning::parts(-total, &weights), opposite);
        }
    }

    #[test]
    fn heavier_never_gets_less(total in 0..i128::MAX, weights in weights()) {
        let parts = parts(total, &weights);
        for (one, weight) in parts.iter().zip(&weights) {
            for (other, lighter) in parts.iter().zip(&weights).filter(|(_, lighter)| *lighter < weight) {
                prop_assert!(one >= other, "{weight} gets {one}, {lighter} gets {other}");
            }
        }
    }
}
