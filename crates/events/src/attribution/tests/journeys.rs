//! Single journeys: what each model credits, and that parts add up.

use proptest::prelude::*;

use tributary_core::time::DAY_US;

use super::{credit, touch};
use crate::attribution::journey::{CREDIT_UNITS, Crediting, Outcome, Share, Touch};
use crate::attribution::model::{HalfLife, Model, Pass, Position};

/// Direct, organic, paid, paid, direct; sources 1, 2, 3, 3, 1; a week apart.
fn journey() -> Vec<Touch> {
    let of = |(place, (source, is_paid)): (i64, (u32, bool))| Touch {
        channel: source,
        source,
        time_us: 7 * DAY_US * place,
        is_direct: source == 1,
        is_paid,
    };
    (0..).zip([(1, false), (2, false), (3, true), (3, true), (1, false)]).map(of).collect()
}

#[test]
fn models_credit_their_touches() {
    let whole = CREDIT_UNITS;
    for (model, expected) in [
        (Model::FirstTouch, vec![(0, whole)]),
        (Model::LastTouch, vec![(4, whole)]),
        (Model::LastNonDirectTouch, vec![(3, whole)]),
        (Model::Linear, (0..5).map(|touch| (touch, whole / 5)).collect()),
        (Model::LinearPaidAds, vec![(2, whole / 2), (3, whole / 2)]),
        (Model::UShaped, vec![(0, 400_000_000), (1, 66_666_667), (2, 66_666_667), (3, 66_666_666), (4, 400_000_000)]),
        (Model::FirstTouchSourceSpecific, vec![(0, whole), (1, whole), (2, whole)]),
        (Model::LastTouchSourceSpecific, vec![(1, whole), (3, whole), (4, whole)]),
        (
            Model::PositionBased(Position::new(0, 70).expect("70 %")),
            vec![(1, whole / 10), (2, whole / 10), (3, whole / 10), (4, 700_000_000)],
        ),
        // 1, 2, 4, 8, 16 parts of 31.
        (
            Model::TimeDecay(HalfLife::WEEK),
            vec![(0, 32_258_065), (1, 64_516_129), (2, 129_032_258), (3, 258_064_516), (4, 516_129_032)],
        ),
        (Model::Shapley, vec![(0, 333_333_334), (1, 333_333_333), (2, 333_333_333)]),
    ] {
        let expected: Vec<Share> = expected.into_iter().map(|(touch, part)| Share { touch, part }).collect();
        assert_eq!(credit(model, &journey()), (Outcome::Attributed, expected), "{}", model.slug());
    }
}

#[test]
fn short_journeys_are_credited_in_full() {
    let two = [touch(1, 0), touch(2, 5)];
    let parts = |model| credit(model, &two).1.iter().map(|share| share.part).collect::<Vec<_>>();
    assert_eq!(parts(Model::UShaped), [500_000_000, 500_000_000]);
    assert_eq!(parts(Model::PositionBased(Position::new(30, 10).expect("40 %"))), [750_000_000, 250_000_000]);
    assert_eq!(parts(Model::PositionBased(Position::new(0, 0).expect("nothing"))), [500_000_000, 500_000_000]);
    for model in Model::ALL.into_iter().filter(|model| model.pass() == Pass::PerJourney) {
        let whole = vec![Share { touch: 0, part: CREDIT_UNITS }];
        assert_eq!(credit(model, &two[..1]), (Outcome::Attributed, whole), "{}", model.slug());
        assert_eq!(credit(model, &[]), (Outcome::Unattributed, vec![]), "{}", model.slug());
    }
}

#[test]
fn fallbacks_and_refusals() {
    let direct = [1, 2].map(|channel| Touch { is_direct: true, is_paid: false, ..touch(channel, 0) });
    assert_eq!(credit(Model::LastNonDirectTouch, &direct).1, [Share { touch: 1, part: CREDIT_UNITS }]);
    assert_eq!(credit(Model::LinearPaidAds, &direct), (Outcome::Unattributed, vec![]));
    let markov = Model::from_slug("markov").expect("a model");
    assert_eq!(credit(markov, &direct), (Outcome::NeedsAllPaths, vec![]));
}

#[test]
fn decay_is_two_to_the_age_in_half_lives() {
    let half_life_us = 1_000_003;
    let model = Model::TimeDecay(HalfLife::new(half_life_us).expect("positive"));
    for age_us in (0..12 * half_life_us).step_by(99_991) {
        let shares = credit(model, &[touch(1, 0), touch(2, age_us)]).1;
        let weight = (-(age_us as f64) / half_life_us as f64).exp2();
        let expected = CREDIT_UNITS as f64 * weight / (1.0 + weight);
        assert!((shares[0].part as f64 - expected).abs() < 1.0, "{age_us}: {shares:?}, not {expected}");
    }
}

fn touches() -> impl Strategy<Value = Vec<Touch>> {
    let time_us = prop_oneof![4 => 0..90 * DAY_US, 1 => any::<i64>()];
    let touch = (0_u32..6, 0_u32..4, time_us, any::<bool>(), any::<bool>());
    let touch =
        touch.prop_map(|(channel, source, time_us, is_direct, is_paid)| Touch { channel, source, time_us, is_direct, is_paid });
    prop::collection::vec(touch, 0..40)
}

fn models() -> impl Strategy<Value = Model> {
    let position = (0_u8..=100).prop_flat_map(|first| (Just(first), 0..=100 - first));
    prop_oneof![
        4 => prop::sample::select(Model::ALL.to_vec()),
        1 => position.prop_map(|(first, last)| Model::PositionBased(Position::new(first, last).expect("at most 100 %"))),
        1 => (1..=i64::MAX).prop_map(|us| Model::TimeDecay(HalfLife::new(us).expect("positive"))),
        1 => (1..30 * DAY_US).prop_map(|us| Model::TimeDecay(HalfLife::new(us).expect("positive"))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn parts_add_up_to_any_total(touches in touches(), model in models(), total in any::<i64>()) {
        let (mut crediting, mut shares) = (Crediting::default(), Vec::new());
        let outcome = crediting.weigh(model, &touches);
        for total in [CREDIT_UNITS, total, -CREDIT_UNITS, 0, 1, i64::MIN, i64::MAX] {
            crediting.split(total, &mut shares);
            prop_assert!(shares.is_sorted_by(|one, other| one.touch < other.touch));
            prop_assert!(shares.iter().all(|share| share.touch < touches.len() && share.part.signum() * total.signum() >= 0));
            prop_assert_eq!(shares.is_empty(), outcome != Outcome::Attributed);
            if outcome == Outcome::Attributed {
                let sum: i128 = shares.iter().map(|share| i128::from(share.part)).sum();
                let times = if model.may_exceed_total() { shares.len() as i128 } else { 1 };
                prop_assert_eq!(sum, times * i128::from(total));
            }
        }
    }

    #[test]
    fn used_memory_changes_nothing(one in touches(), other in touches(), first in models(), second in models()) {
        let (mut crediting, mut shares) = (Crediting::default(), Vec::new());
        let _before = crediting.credit(first, &one, &mut shares);
        let outcome = crediting.credit(second, &other, &mut shares);
        prop_assert_eq!((outcome, shares), credit(second, &other));
    }
}
