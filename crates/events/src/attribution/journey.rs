//! One journey under one model: which of its touches get how much.

use super::apportion::{Apportioned, Apportioner};
use super::model::{HalfLife, Model, Position};

/// Credit units of one conversion: credit is counted in billionths, so that parts of conversions add up exactly.
pub const CREDIT_UNITS: i64 = 1_000_000_000;

/// A touch as models see it. Journeys list them oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Touch {
    /// Code of the channel: whatever the answer is grouped by.
    pub channel: u32,
    /// Code of the source, which [`Model::FirstTouchSourceSpecific`] and [`Model::LastTouchSourceSpecific`] tell apart.
    pub source: u32,
    /// When, microseconds since the epoch.
    pub time_us: i64,
    /// Whether nothing says where the visitor came from.
    pub is_direct: bool,
    /// Whether it came from an ad.
    pub is_paid: bool,
}

/// What a touch gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Share {
    /// Index of the touch in the journey.
    pub touch: usize,
    /// Its part, in the unit of what was shared: credit units or micros.
    pub part: i64,
}

/// Whether a journey is credited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "an unattributed conversion must be counted as such, or sums no longer hold"]
pub enum Outcome {
    /// To the touches listed.
    Attributed,
    /// To nobody: there is no touch, or none the model credits.
    Unattributed,
    /// Not yet: the model is [`super::model::Pass::AllPaths`] and cannot tell from one journey.
    NeedsAllPaths,
}

/// Credits one journey after the other, and keeps its memory between them.
///
/// [`Crediting::weigh`] a journey once, then [`Crediting::split`] whatever its conversion brought: credit, and money of any
/// sign. The parts of one total add up to it exactly, unless the model [may exceed it](Model::may_exceed_total).
#[derive(Clone, Debug, Default)]
pub struct Crediting {
    rule: Rule,
    /// Touches that get something, oldest first.
    credited: Vec<usize>,
    /// Their weights, where the rule is [`Rule::Weighted`].
    weights: Vec<u64>,
    /// Codes of the journey and their places in it, to find each once.
    codes: Vec<(u32, usize)>,
    apportioner: Apportioner,
    parts: Vec<i128>,
}

/// How the credited touches share.
#[derive(Clone, Copy, Debug, Default)]
enum Rule {
    /// Equally.
    #[default]
    Equal,
    /// In proportion to their weights.
    Weighted,
    /// Each gets everything.
    EachInFull,
}

impl Crediting {
    /// Finds the touches that a model credits, for [`Crediting::split`]. Under [`Model::Shapley`] the first
    /// touch of each channel carries its part.
    pub fn weigh(&mut self, model: Model, touches: &[Touch]) -> Outcome {
        self.credited.clear();
        self.weights.clear();
        self.rule = Rule::Equal;
        match model {
            Model::FirstTouch => self.credited.extend(touches.first().map(|_| 0)),
            Model::LastTouch => self.credited.extend(touches.len().checked_sub(1)),
            Model::LastNonDirectTouch => {
                let last = touches.iter().rposition(|touch| !touch.is_direct);
                self.credited.extend(last.or(touches.len().checked_sub(1)));
            }
            Model::Linear => self.credited.extend(0..touches.len()),
            Model::LinearPaidAds => {
                self.credited.extend((0..touches.len()).filter(|index| touches[*index].is_paid));
            }
            Model::UShaped => self.weigh_positions(Position::U_SHAPED, touches.len()),
            Model::PositionBased(position) => self.weigh_positions(position, touches.len()),
            Model::TimeDecay(half_life) => self.weigh_ages(half_life, touches),
            Model::FirstTouchSourceSpecific => {
                self.rule = Rule::EachInFull;
                self.credit_once_each(touches, |touch| touch.source, Which::First);
            }
            Model::LastTouchSourceSpecific => {
                self.rule = Rule::EachInFull;
                self.credit_once_each(touches, |touch| touch.source, Which::Last);
            }
            Model::Shapley => self.credit_once_each(touches, |touch| touch.channel, Which::First),
            Model::Markov { .. } => return Outcome::NeedsAllPaths,
        }
        if self.credited.is_empty() { Outcome::Unattributed } else { Outcome::Attributed }
    }

    /// Shares a total among the touches credited by the last [`Crediting::weigh`]: one share per touch, oldest first, by
    /// largest remainder with ties to the earlier touch. No shares where nobody is credited.
    pub fn split(&mut self, total: i64, shares: &mut Vec<Share>) {
        shares.clear();
        match self.rule {
            Rule::EachInFull => shares.extend(self.credited.iter().map(|touch| Share { touch: *touch, part: total })),
            Rule::Equal => {
                let Some(touches) = i64::try_from(self.credited.len()).ok().filter(|touches| *touches > 0) else { return };
                // Equal weights have equal remainders, so what is left goes to the earliest.
                let (part, left, sign) = (total / touches, (total % touches).unsigned_abs(), total.signum());
                let more = |place: usize| if (place as u64) < left { sign } else { 0 };
                let credited = self.credited.iter().enumerate();
                shares.extend(credited.map(|(place, touch)| Share { touch: *touch, part: part + more(place) }));
            }
            Rule::Weighted => match self.apportioner.apportion(i128::from(total), &self.weights, &mut self.parts) {
                Apportioned::Whole => {
                    let credited = self.credited.iter().zip(&self.parts);
                    // A part never exceeds its total.
                    shares.extend(credited.map(|(touch, part)| Share { touch: *touch, part: *part as i64 }));
                }
                Apportioned::Nothing => {}
            },
        }
    }

    /// [`CREDIT_UNITS`] of one conversion: [`Crediting::weigh`] and [`Crediting::split`] in one.
    pub fn credit(&mut self, model: Model, touches: &[Touch], shares: &mut Vec<Share>) -> Outcome {
        let outcome = self.weigh(model, touches);
        match outcome {
            Outcome::Attributed => self.split(CREDIT_UNITS, shares),
            Outcome::Unattributed | Outcome::NeedsAllPaths => shares.clear(),
        }
        outcome
    }

    fn weigh_positions(&mut self, position: Position, touches: usize) {
        let (first, last) = (u64::from(position.first_percent()), u64::from(position.last_percent()));
        let between = touches.saturating_sub(2) as u64;
        match touches {
            0 | 1 => self.credited.extend(0..touches),
            2 if first + last == 0 => self.credited.extend(0..2),
            2 => self.push_weights([(0, first), (1, last)].into_iter()),
            // Multiplied by the number of touches between, percents stay whole when they share theirs.
            _ => {
                let middle = u64::from(position.middle_percent());
                let between_each = (1..touches - 1).map(|touch| (touch, middle));
                let ends = [(0, first * between), (touches - 1, last * between)];
                self.push_weights(std::iter::once(ends[0]).chain(between_each).chain(std::iter::once(ends[1])));
            }
        }
    }

    fn weigh_ages(&mut self, half_life: HalfLife, touches: &[Touch]) {
        // Only proportions matter, so ages count from the newest touch: no age is too long for all weights at once.
        let Some(newest_us) = touches.iter().map(|touch| touch.time_us).max() else { return };
        let weight = |touch: &Touch| decayed(newest_us.abs_diff(touch.time_us), half_life);
        self.push_weights(touches.iter().map(weight).enumerate());
    }

    fn push_weights(&mut self, weights: impl Iterator<Item = (usize, u64)>) {
        self.rule = Rule::Weighted;
        for (touch, weight) in weights.filter(|(_, weight)| *weight > 0) {
            self.credited.push(touch);
            self.weights.push(weight);
        }
    }

    fn credit_once_each(&mut self, touches: &[Touch], code: impl Fn(&Touch) -> u32, which: Which) {
        self.codes.clear();
        self.codes.extend(touches.iter().enumerate().map(|(index, touch)| (code(touch), index)));
        // By code and place: journeys may be long, and looking back through the found ones would be quadratic.
        self.codes.sort_unstable();
        let codes = self.codes.chunk_by(|one, other| one.0 == other.0);
        let found = codes.map(|places| match which {
            Which::First => places[0].1,
            Which::Last => places[places.len() - 1].1,
        });
        self.credited.extend(found);
        self.credited.sort_unstable();
    }
}

#[derive(Clone, Copy)]
enum Which {
    First,
    Last,
}

/// Weight of the newest touch under [`Model::TimeDecay`]. With it a part is off by less than a credit unit, and the products
/// of [`Apportioner`] stay within 64 bits.
const FULL_WEIGHT: f64 = (1_u64 << 33) as f64;

/// The weight of a touch that much older than the newest: 2^(-age / half-life), rounded to 2^-33 of the newest's.
fn decayed(age_us: u64, half_life: HalfLife) -> u64 {
    let halvings = age_us / half_life.as_us();
    if halvings > 33 {
        return 0;
    }
    let fraction = (age_us % half_life.as_us()) as f64 / half_life.as_us() as f64;
    (half_to_the(fraction) * FULL_WEIGHT / (1_u64 << halvings) as f64).round() as u64
}

/// 2^-x for x from 0 to 1, to 13 digits. `f64::exp2` may differ in its last digit from machine to machine; sums and products
/// do not.
fn half_to_the(x: f64) -> f64 {
    // 2^-x = 2^-½ · e^y with |y| below 0.35, where ten terms of the series suffice.
    let y = (0.5 - x) * std::f64::consts::LN_2;
    let series = INVERSE_FACTORIALS.iter().rev().fold(0.0, |sum, term| sum * y + term);
    std::f64::consts::FRAC_1_SQRT_2 * series
}

const INVERSE_FACTORIALS: [f64; 11] = [
    1.0,
    1.0,
    1.0 / 2.0,
    1.0 / 6.0,
    1.0 / 24.0,
    1.0 / 120.0,
    1.0 / 720.0,
    1.0 / 5_040.0,
    1.0 / 40_320.0,
    1.0 / 362_880.0,
    1.0 / 3_628_800.0,
];
