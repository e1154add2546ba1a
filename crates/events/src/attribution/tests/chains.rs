//! Paths, Markov chains of all orders against their slow definition, Shapley values against all coalitions.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use tributary_core::error::Code;

use super::{Journeys, paths};
use crate::attribution::credit::ChannelCredits;
use crate::attribution::journey::CREDIT_UNITS;
use crate::attribution::markov;
use crate::attribution::model::{Allocation, Order};
use crate::attribution::paths::{MAX_CHANNELS, MAX_JOURNEYS, PathsBuilder, Tally};
use crate::attribution::shapley;

/// Probability of a conversion in the chain of the journeys' last `order` channels, states with `removed` leading to null.
fn conversion_probability(journeys: &Journeys, order: usize, removed: Option<u32>) -> f64 {
    let mut moves: BTreeMap<&[u32], BTreeMap<Option<&[u32]>, u64>> = BTreeMap::new();
    let mut converted: BTreeMap<&[u32], u64> = BTreeMap::new();
    for (path, converting, other, _) in journeys.iter().filter(|(path, ..)| !path.is_empty()) {
        let mut state: &[u32] = &[];
        for end in 1..=path.len() {
            let next = &path[end.saturating_sub(order)..end];
            *moves.entry(state).or_default().entry(Some(next)).or_default() += converting + other;
            state = next;
        }
        *moves.entry(state).or_default().entry(None).or_default() += converting + other;
        *converted.entry(state).or_default() += converting;
    }
    // b = Q b + r, by elimination with row exchanges; states without journeys are left out.
    let alive = |state: &[u32]| removed.is_none_or(|channel| !state.contains(&channel));
    moves.retain(|state, next| alive(state) && next.values().any(|journeys| *journeys > 0));
    let place: BTreeMap<&[u32], usize> = moves.keys().copied().zip(0..).collect();
    let size = place.len();
    let mut rows = vec![vec![0.0; size + 1]; size];
    for (state, next) in &moves {
        let row = &mut rows[place[state]];
        let total = next.values().sum::<u64>() as f64;
        row[place[state]] += 1.0;
        for (to, journeys) in next.iter().filter_map(|(to, journeys)| to.map(|to| (to, journeys))) {
            if let Some(to) = place.get(to) {
                row[*to] -= *journeys as f64 / total;
            }
        }
        row[size] = converted.get(state).copied().unwrap_or(0) as f64 / total;
    }
    for pivot in 0..size {
        let best = (pivot..size).max_by(|one, other| rows[*one][pivot].abs().total_cmp(&rows[*other][pivot].abs()));
        rows.swap(pivot, best.expect("not empty"));
        let above = rows[pivot].clone();
        for (_, row) in rows.iter_mut().enumerate().filter(|(index, _)| *index != pivot) {
            let factor = row[pivot] / above[pivot];
            for (value, above) in row.iter_mut().zip(&above) {
                *value -= factor * above;
            }
        }
    }
    place.get(&[][..]).map_or(0.0, |start| rows[*start][size] / rows[*start][*start])
}

fn journeys() -> impl Strategy<Value = Journeys> {
    let amounts = prop::collection::vec(-5_000_000_000_i128..5_000_000_000, 2);
    let journey = (prop::collection::vec(0_u32..5, 0..7), 0_u64..20, 0_u64..50, amounts);
    prop::collection::vec(journey, 1..60)
}

fn adds_up(credits: &ChannelCredits, journeys: &Journeys) {
    let parts = || credits.channels.iter().map(|channel| &channel.credit).chain([&credits.unattributed]);
    let converting: u64 = journeys.iter().map(|journey| journey.1).sum();
    assert_eq!(credits.totals.units, i128::from(converting) * i128::from(CREDIT_UNITS));
    assert_eq!(parts().map(|credit| credit.units).sum::<i128>(), credits.totals.units);
    for currency in 0..2 {
        let total = journeys.iter().map(|journey| journey.3[currency]).sum::<i128>();
        assert_eq!(credits.totals.amounts_micros[currency], total);
        assert_eq!(parts().map(|credit| credit.amounts_micros[currency]).sum::<i128>(), total);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn removal_effects_equal_their_definition(journeys in journeys(), number in 1_u32..=3) {
        let paths = paths(&journeys, 2);
        let order = Order::new(number).expect("1 to 3");
        let found = markov::removal_effects(&paths, order).expect("few states");
        let whole = conversion_probability(&journeys, number as usize, None);
        prop_assert!((found.conversion_probability - whole).abs() < 1e-12);
        for (channel, effect) in paths.channels().iter().zip(&found.effects) {
            let without = conversion_probability(&journeys, number as usize, Some(*channel));
            let expected = if whole > 0.0 { 1.0 - without / whole } else { 0.0 };
            prop_assert!((effect - expected).abs() < 1e-9, "order {number}, channel {channel}: {effect}, not {expected}");
        }
        for allocation in [Allocation::RemovalShare, Allocation::PerPath] {
            adds_up(&markov::credit(&paths, &found, allocation), &journeys);
        }
        adds_up(&shapley::credit(&paths), &journeys);
    }

    #[test]
    fn order_of_arrival_changes_nothing(journeys in journeys(), halves in 0_usize..60, shuffled in any::<u64>()) {
        let whole = paths(&journeys, 2);
        let mut other = journeys.clone();
        other.rotate_left((shuffled % journeys.len() as u64) as usize);
        other.reverse();
        prop_assert_eq!(&whole, &paths(&other, 2));

        let mut builders = [PathsBuilder::new(2), PathsBuilder::new(2)];
        for (index, (path, converting, other, amounts_micros)) in other.iter().enumerate() {
            let tally = Tally { converting: *converting, other: *other, amounts_micros };
            builders[usize::from(index < halves)].add(path, tally).expect("few paths");
        }
        let [mut one, two] = builders;
        one.merge(&two).expect("few paths");
        prop_assert!(one.bytes() > 0);
        prop_assert_eq!(&whole, &one.build());

        let effects = |paths| markov::removal_effects(paths, Order::Second).expect("few states");
        prop_assert_eq!(effects(&whole), effects(&paths(&other, 2)));
    }

    #[test]
    fn shapley_values_equal_all_coalitions(journeys in journeys()) {
        let credits = shapley::credit(&paths(&journeys, 2));
        let sets: Vec<(BTreeSet<u32>, u64)> = journeys.iter().map(|journey| (journey.0.iter().copied().collect(), journey.1)).collect();
        let worth = |coalition: u32| -> f64 {
            let covered = sets.iter().filter(|(set, _)| !set.is_empty() && set.iter().all(|channel| coalition & 1 << channel != 0));
            covered.map(|(_, converting)| *converting as f64).sum()
        };
        let factorial = |n: u32| (1..=n).product::<u32>() as f64;
        for credit in &credits.channels {
            let own = 1 << credit.channel;
            let expected: f64 = (0..32_u32).filter(|coalition| coalition & own == 0).map(|coalition| {
                let size = coalition.count_ones();
                factorial(size) * factorial(4 - size) / factorial(5) * (worth(coalition | own) - worth(coalition))
            }).sum();
            let found = credit.credit.units as f64 / CREDIT_UNITS as f64;
            prop_assert!((found - expected).abs() < 1e-6, "{found}, not {expected}");
        }
    }
}

#[test]
fn nothing_gives_nothing() {
    let empty = paths(&vec![(vec![], 3, 4, vec![5])], 1);
    assert!(empty.is_empty());
    for number in 1..=3 {
        let removal = markov::removal_effects(&empty, Order::new(number).expect("offered")).expect("no states");
        assert_eq!((removal.conversion_probability, removal.effects.len()), (0.0, 0));
        let credits = markov::credit(&empty, &removal, Allocation::default());
        assert_eq!((credits.unattributed.units, credits.unattributed.amounts_micros.as_slice()), (3_000_000_000, &[5][..]));
        assert_eq!(credits.totals, credits.unattributed);
    }
}

#[test]
fn too_much_is_refused() {
    let tally = Tally { converting: 1, other: 0, amounts_micros: &[] };
    let refused = |result: tributary_core::error::Result<()>, bound: &str| {
        let error = result.expect_err(bound);
        assert_eq!(error.code(), Code::QuestionTooLarge, "{bound}");
        assert!(error.message().contains(bound), "{bound}: {}", error.message());
    };
    let many: Vec<u32> = (0..=MAX_CHANNELS as u32).collect();
    refused(PathsBuilder::new(0).add(&many, tally), "500 channels");
    refused(PathsBuilder::new(0).add(&vec![1; (1 << 20) + 1], tally), "path touches");
    let all = Tally { converting: MAX_JOURNEYS, other: 1, amounts_micros: &[] };
    refused(PathsBuilder::new(0).add(&[1], all), "journeys");
    refused(PathsBuilder::new(0).add(&[1], Tally { converting: u64::MAX, other: u64::MAX, ..all }), "journeys");
    refused(PathsBuilder::new(1).add(&[1], Tally { amounts_micros: &[i128::MIN], ..tally }), "amounts");
    let uncounted = PathsBuilder::new(0).add(&[1], Tally { amounts_micros: &[1], ..tally });
    assert_eq!(uncounted.expect_err("no currency").code(), Code::Internal);

    let mut builder = PathsBuilder::new(0);
    builder.add(&(0..400).flat_map(|channel| [0, channel, 1, channel, 2, channel]).collect::<Vec<u32>>(), tally).expect("within");
    let error = markov::removal_effects(&builder.build(), Order::Second).expect_err("too many states");
    assert!(error.message().contains("1200 states"), "{}", error.message());
}
