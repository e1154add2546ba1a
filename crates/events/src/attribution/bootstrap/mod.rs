//! How much a channel's credit would vary from sample to sample: bootstrap percentile intervals by journey.
//!
//! Every round draws as many journeys as there are, with replacement, and computes the figures anew; an interval
//! holds the middle of the rounds' figures. Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.
//!
//! **Multinomial, not Poisson.** Journeys are resampled as grouped counts, so a round costs as much as there are groups, not
//! journeys. Independent Poisson counts would be the easier way there, but they let the number of journeys vary, which widens
//! the intervals of every total; their samplers also need logarithms, which differ from machine to machine. The draw here is
//! exactly multinomial and made of random bits alone (`multinomial.rs`).
//!
//! **Repeatable.** A round's random numbers depend on the seed and the round's number only.
//!
//! Money has no intervals: grouped journeys keep the sum of what they brought, not how it varied.

mod multinomial;
pub mod profiles;
mod random;

use std::num::NonZero;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use tributary_core::error::{Code, Error, Result};

use self::multinomial::Multinomial;
use self::profiles::Profiles;
use self::random::SplitMix64;
use super::journey::CREDIT_UNITS;
use super::markov::chain::Chain;
use super::model::{Allocation, Order};
use super::paths::Paths;

/// The most rounds one answer may take.
pub const MAX_ROUNDS: u32 = 2_000;

/// How to resample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Resampling {
    rounds: u32,
    seed: u64,
    confidence_percent: u32,
}

impl Resampling {
    /// That many rounds (at most [`MAX_ROUNDS`]), for intervals that hold that percentage of them (1 to 99).
    /// [`Code::InvalidParams`] otherwise, or where the rounds are too few to leave one out on each side.
    pub fn new(rounds: u32, seed: u64, confidence_percent: u32) -> Result<Resampling> {
        if !(1..=99).contains(&confidence_percent) {
            let message = format!("a confidence of {confidence_percent} % is not offered; accepted: 1 to 99");
            return Err(Error::new(Code::InvalidParams, message));
        }
        // Enough for one round beyond each bound.
        let least = 200_u32.div_ceil(100 - confidence_percent) - 1;
        if !(least..=MAX_ROUNDS).contains(&rounds) {
            let message =
                format!("{rounds} rounds cannot bound {confidence_percent} % of them; accepted: {least} to {MAX_ROUNDS} rounds");
            return Err(Error::new(Code::InvalidParams, message));
        }
        Ok(Resampling { rounds, seed, confidence_percent })
    }

    /// The middle of the rounds' figures: with k the integer part of (rounds + 1) · (100 - confidence) / 200, the k-th
    /// smallest and the k-th largest, as Efron and Tibshirani define it.
    fn interval<T: Copy>(self, figures: &mut [T], compare: impl Fn(&T, &T) -> std::cmp::Ordering) -> Interval<T> {
        figures.sort_unstable_by(compare);
        let beyond = ((self.rounds + 1) * (100 - self.confidence_percent) / 200) as usize;
        Interval { low: figures[beyond - 1], high: figures[figures.len() - beyond] }
    }
}

/// From where to where, both inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval<T> {
    /// Lower bound.
    pub low: T,
    /// Upper bound.
    pub high: T,
}

/// How much one channel's figures vary.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChannelInterval {
    /// Its code.
    pub channel: u32,
    /// Its credit, in [`CREDIT_UNITS`] of a conversion.
    pub units: Interval<i128>,
    /// Its removal effect, where the model has one.
    pub removal_effect: Option<Interval<f64>>,
}

/// Intervals of the Markov model, by channel code. `proceed` is asked again and again; its refusal (time is up, the
/// caller left) ends the work.
pub fn markov(
    paths: &Paths,
    order: Order,
    allocation: Allocation,
    resampling: Resampling,
    proceed: impl FnMut() -> Result<()>,
) -> Result<Vec<ChannelInterval>> {
    let chain = Chain::new(paths, order)?;
    let untouched = paths.untouched();
    let groups = [paths.converting(), paths.other(), &[untouched.converting + untouched.other]].concat();
    let new_credit = || {
        let mut chain = chain.clone();
        move |drawn: &[u64], round: &mut Round| {
            let (converting, other) = drawn[..2 * paths.len()].split_at(paths.len());
            round.effects = chain.removal_effects(converting, other).effects;
            share(paths, allocation, converting, &round.effects, &mut round.conversions);
        }
    };
    let rounds = rounds(&groups, paths.channels().len(), resampling, proceed, new_credit)?;
    let mut intervals = intervals(&rounds, paths.channels(), resampling);
    for (place, interval) in intervals.iter_mut().enumerate() {
        let mut effects: Vec<f64> = rounds.iter().map(|round| round.effects[place]).collect();
        interval.removal_effect = Some(resampling.interval(&mut effects, f64::total_cmp));
    }
    Ok(intervals)
}

/// Intervals of any model that credits one journey at a time, by channel code; see [`profiles`]. `proceed` as in [`markov`].
pub fn per_journey(
    profiles: &Profiles,
    resampling: Resampling,
    proceed: impl FnMut() -> Result<()>,
) -> Result<Vec<ChannelInterval>> {
    let new_credit = || {
        |drawn: &[u64], round: &mut Round| {
            for (profile, journeys) in drawn.iter().enumerate().filter(|(_, journeys)| **journeys > 0) {
                for (place, part) in profiles.parts(profile) {
                    round.conversions[*place as usize] += *journeys as f64 * part;
                }
            }
        }
    };
    let rounds = rounds(profiles.journeys(), profiles.channels().len(), resampling, proceed, new_credit)?;
    Ok(intervals(&rounds, profiles.channels(), resampling))
}

/// What one round found, by place of the channel.
struct Round {
    conversions: Vec<f64>,
    /// Removal effects, where the model has them.
    effects: Vec<f64>,
}

/// Resamples the groups' counts in every round and lets a `credit` add the conversions each channel gets of them: as many at
/// once as there are cores, each with a `credit` of its own. Rounds know only their number, so the figures are the same however
/// many run side by side; their order is not.
fn rounds<Credit: FnMut(&[u64], &mut Round)>(
    groups: &[u64],
    channels: usize,
    resampling: Resampling,
    mut proceed: impl FnMut() -> Result<()>,
    new_credit: impl Fn() -> Credit + Sync,
) -> Result<Vec<Round>> {
    let multinomial = Multinomial::new(groups);
    let next = AtomicU32::new(0);
    let work = |goes_on: &mut dyn FnMut() -> bool| {
        let mut credit = new_credit();
        let (mut in_row, mut drawn) = (Vec::new(), vec![0; groups.len()]);
        let mut done = Vec::new();
        while goes_on() {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= resampling.rounds {
                break;
            }
            multinomial.draw(&mut SplitMix64::of_round(resampling.seed, number), &mut in_row, &mut drawn);
            let mut round = Round { conversions: vec![0.0; channels], effects: Vec::new() };
            credit(&drawn, &mut round);
            done.push(round);
        }
        done
    };
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let is_refused = AtomicBool::new(false);
    thread::scope(|scope| {
        let helpers: Vec<_> = (1..cores).map(|_| scope.spawn(|| work(&mut || !is_refused.load(Ordering::Relaxed)))).collect();
        let mut refusal = None;
        let mut done = work(&mut || match proceed() {
            Ok(()) => true,
            Err(error) => {
                refusal = Some(error);
                is_refused.store(true, Ordering::Relaxed);
                false
            }
        });
        for helper in helpers {
            done.extend(helper.join().map_err(|_| Error::internal("a round of resampling did not finish"))?);
        }
        refusal.map_or(Ok(done), Err)
    })
}

fn intervals(rounds: &[Round], channels: &[u32], resampling: Resampling) -> Vec<ChannelInterval> {
    let of_channel = |(place, channel): (usize, &u32)| {
        let units = |round: &Round| (round.conversions[place] * CREDIT_UNITS as f64).round() as i128;
        let mut units: Vec<i128> = rounds.iter().map(units).collect();
        ChannelInterval { channel: *channel, units: resampling.interval(&mut units, i128::cmp), removal_effect: None }
    };
    channels.iter().enumerate().map(of_channel).collect()
}

/// Adds the conversions of each path to its channels, by removal effect.
fn share(paths: &Paths, allocation: Allocation, converting: &[u64], effects: &[f64], conversions: &mut [f64]) {
    match allocation {
        Allocation::RemovalShare => {
            let each = per_effect(converting.iter().sum(), effects.iter().sum());
            for (conversions, effect) in conversions.iter_mut().zip(effects) {
                *conversions = each * effect;
            }
        }
        Allocation::PerPath => {
            for (path, converting) in converting.iter().enumerate().filter(|(_, converting)| **converting > 0) {
                let (touches, _) = paths.get(path);
                let each = per_effect(*converting, touches.iter().map(|channel| effects[*channel as usize]).sum());
                for channel in touches {
                    conversions[*channel as usize] += each * effects[*channel as usize];
                }
            }
        }
    }
}

fn per_effect(converting: u64, effects: f64) -> f64 {
    if effects > 0.0 { converting as f64 / effects } else { 0.0 }
}

/// One round's counts, for tests of their distribution.
#[cfg(test)]
pub(super) fn drawn_for_tests(groups: &[u64], seed: u64, round: u32) -> Vec<u64> {
    let mut drawn = vec![0; groups.len()];
    Multinomial::new(groups).draw(&mut SplitMix64::of_round(seed, round), &mut Vec::new(), &mut drawn);
    drawn
}
