//! The chain's states and transitions, counted from paths and solved; once, or again and again for resampled counts.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tributary_core::error::Result;

use super::matrix::{dot, invert, solve_left};
use super::{MAX_STATES, RemovalEffects};
use crate::attribution::model::Order;
use crate::attribution::paths::{MAX_CHANNELS, Paths, too_large};

/// A chain, and room for solving it. A clone shares the shape and has room of its own, so that several can be solved at once.
#[derive(Clone, Debug)]
pub struct Chain {
    shape: Arc<Shape>,
    counts: Counts,
    matrix: Vec<f64>,
}

#[derive(Debug)]
struct Shape {
    channels: usize,
    /// The channel each state ends in. States are ordered by their channels, so sums run in one order.
    ends_in: Vec<u32>,
    /// Distinct transitions, from and to.
    transitions: Vec<(u32, u32)>,
    /// Where each path begins in `walks`, and where the last ends.
    starts: Vec<usize>,
    /// Transitions of each path, and how often it takes each.
    walks: Vec<(u32, u32)>,
    /// First and last state of each path.
    ends: Vec<(u32, u32)>,
}

#[derive(Clone, Debug, Default)]
struct Counts {
    journeys: u64,
    transitions: Vec<u64>,
    entries: Vec<u64>,
    /// Walks that leave each state, to anywhere.
    exits: Vec<u64>,
    conversions: Vec<u64>,
}

impl Chain {
    /// The chain of these paths. [`tributary_core::error::Code::QuestionTooLarge`] beyond [`MAX_STATES`].
    pub fn new(paths: &Paths, order: Order) -> Result<Chain> {
        let states = states(paths, order)?;
        let place_of: HashMap<u64, u32> = states.iter().copied().zip(0..).collect();
        let mut shape = Shape {
            channels: paths.channels().len(),
            ends_in: states.iter().map(|state| (state & CHANNEL_MASK) as u32 - 1).collect(),
            transitions: Vec::new(),
            starts: vec![0],
            walks: Vec::new(),
            ends: Vec::with_capacity(paths.len()),
        };
        // One more than a transition's number, by the states it joins; 0 for one not met yet.
        let mut numbers = vec![0_u32; states.len() * states.len()];
        let mut taken: Vec<u32> = Vec::new();
        for (path, _) in paths.iter() {
            let mut walk = walk(path, order).map(|state| place_of[&state]);
            let first = walk.next().expect("journeys without a touch are kept apart from paths");
            let mut last = first;
            taken.clear();
            for state in walk {
                if state != last {
                    let number = &mut numbers[last as usize * states.len() + state as usize];
                    if *number == 0 {
                        shape.transitions.push((last, state));
                        *number = shape.transitions.len() as u32;
                    }
                    taken.push(*number - 1);
                }
                last = state;
            }
            taken.sort_unstable();
            shape.walks.extend(taken.chunk_by(|one, other| one == other).map(|same| (same[0], same.len() as u32)));
            shape.starts.push(shape.walks.len());
            shape.ends.push((first, last));
        }
        Ok(Chain { shape: Arc::new(shape), counts: Counts::default(), matrix: Vec::new() })
    }

    /// Removal effects when these many journeys of each path converted and these many did not.
    pub fn removal_effects(&mut self, converting: &[u64], other: &[u64]) -> RemovalEffects {
        self.count(converting, other);
        self.solve()
    }

    fn count(&mut self, converting: &[u64], other: &[u64]) {
        let shape = &*self.shape;
        let states = shape.ends_in.len();
        let counts = &mut self.counts;
        counts.journeys = 0;
        for (counts, size) in [
            (&mut counts.transitions, shape.transitions.len()),
            (&mut counts.entries, states),
            (&mut counts.exits, states),
            (&mut counts.conversions, states),
        ] {
            counts.clear();
            counts.resize(size, 0);
        }
        for (path, (converting, other)) in converting.iter().zip(other).enumerate() {
            let journeys = converting + other;
            if journeys == 0 {
                continue;
            }
            counts.journeys += journeys;
            for (transition, times) in &shape.walks[shape.starts[path]..shape.starts[path + 1]] {
                counts.transitions[*transition as usize] += journeys * u64::from(*times);
            }
            let (first, last) = shape.ends[path];
            counts.entries[first as usize] += journeys;
            counts.exits[last as usize] += journeys;
            counts.conversions[last as usize] += converting;
        }
        for ((from, _), times) in shape.transitions.iter().zip(&counts.transitions) {
            counts.exits[*from as usize] += times;
        }
    }

    fn solve(&mut self) -> RemovalEffects {
        let shape = &*self.shape;
        let states = shape.ends_in.len();
        let counts = &self.counts;
        // I - Q. A state nobody visited has no transitions and stays a row of I.
        self.matrix.clear();
        self.matrix.resize(states * states, 0.0);
        for state in 0..states {
            self.matrix[state * states + state] = 1.0;
        }
        for ((from, to), times) in shape.transitions.iter().zip(&counts.transitions) {
            if *times > 0 {
                self.matrix[*from as usize * states + *to as usize] = -ratio(*times, counts.exits[*from as usize]);
            }
        }
        invert(&mut self.matrix, states);

        let at_once: Vec<f64> =
            counts.conversions.iter().zip(&counts.exits).map(|(conversions, exits)| ratio(*conversions, *exits)).collect();
        let mut visits = vec![0.0; states];
        let mut converts = vec![0.0; states];
        for (state, row) in self.matrix.chunks_exact(states.max(1)).enumerate() {
            converts[state] = dot(row, &at_once);
            let entry = ratio(counts.entries[state], counts.journeys);
            if entry > 0.0 {
                for (visits, value) in visits.iter_mut().zip(row) {
                    *visits += entry * value;
                }
            }
        }
        let conversion_probability = dot(&visits, &at_once);
        let mut states_of = vec![Vec::new(); shape.channels];
        for (state, channel) in shape.ends_in.iter().enumerate() {
            states_of[*channel as usize].push(state);
        }
        let effect = |removed: &Vec<usize>| {
            let lost = self.lost_without(removed, &visits, &converts);
            if conversion_probability > 0.0 { (lost / conversion_probability).clamp(0.0, 1.0) } else { 0.0 }
        };
        RemovalEffects { conversion_probability, effects: states_of.iter().map(effect).collect() }
    }

    /// Probability that a journey visits one of the states and converts in the end. The matrix is inverted already.
    fn lost_without(&self, removed: &[usize], visits: &[f64], converts: &[f64]) -> f64 {
        let states = self.shape.ends_in.len();
        let mut block: Vec<f64> =
            removed.iter().flat_map(|from| removed.iter().map(move |to| self.matrix[from * states + to])).collect();
        let mut entered: Vec<f64> = removed.iter().map(|state| visits[*state]).collect();
        solve_left(&mut block, &mut entered);
        removed.iter().zip(&entered).map(|(state, entered)| entered * converts[*state]).sum()
    }
}

/// Bits of a channel in a state's key; 0 stands for none.
const CHANNEL_BITS: u32 = 16;
const CHANNEL_MASK: u64 = (1 << CHANNEL_BITS) - 1;
const _: () = assert!(MAX_CHANNELS < CHANNEL_MASK as usize);

/// The states a path walks through, as keys: its last channels, the latest in the lowest bits.
fn walk(path: &[u32], order: Order) -> impl Iterator<Item = u64> {
    let kept = (1_u64 << (CHANNEL_BITS * order.channels())) - 1;
    path.iter().scan(0_u64, move |state, channel| {
        *state = (*state << CHANNEL_BITS | (u64::from(*channel) + 1)) & kept;
        Some(*state)
    })
}

/// The states of all paths, ascending.
fn states(paths: &Paths, order: Order) -> Result<Vec<u64>> {
    let mut states: HashSet<u64> = HashSet::new();
    for (path, _) in paths.iter() {
        states.extend(walk(path, order));
        if states.len() > MAX_STATES {
            let hint = "lower the order, group by fewer or coarser fields, or filter";
            return Err(too_large("states", MAX_STATES as u64, hint));
        }
    }
    let mut states: Vec<u64> = states.into_iter().collect();
    states.sort_unstable();
    Ok(states)
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
