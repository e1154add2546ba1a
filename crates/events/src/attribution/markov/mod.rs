//! Removal effects of channels in a Markov chain of all paths, and credit by them.
//!
//! Journeys are walks of an absorbing chain from a start through channels to *conversion* or *null*. Transition
//! probabilities are the observed frequencies. The removal effect of a channel is the part of the conversion probability
//! that is lost when every visit to the channel leads to null:
//!
//! ```text
//! effect(c) = 1 - P(conversion without c) / P(conversion)
//! ```
//!
//! Source: Anderl, Becker, von Wangenheim and Schumann, Mapping the customer journey, International Journal of Research in
//! Marketing 33 (2016). It is solved exactly, by linear algebra; nothing is simulated.
//!
//! **States.** At order k a state is the last k channels of the walk, fewer at its beginning. A transition of a state to
//! itself (k + 1 times the same channel) is dropped; other repeats of a channel stay, because for k > 1 they lead to another
//! state. Dropping changes no effect: however long a walk lingers in a state, it leaves it by the same probabilities.
//!
//! **Removing a channel** removes all states that contain it. A walk enters those first through one that *ends* in the channel,
//! so only these are taken out.
//!
//! **How.** With Q the transitions between states, s the first states' probabilities and r the probabilities of converting at
//! once, the fundamental matrix N = (I - Q)^-1 gives the expected visits v = s N and the probabilities of converting
//! from each state b = N r. For the states R that end in a channel, the probabilities h of entering R first at each of them
//! satisfy v_R = h N_RR, and what the channel's removal loses is h · b_R. At order 1 that is
//! P(visit c) · P(conversion from c) with P(visit c) = v_c / N_cc. One inversion serves all channels.

pub(super) mod chain;
mod matrix;

use tributary_core::error::Result;

use chain::Chain;

use super::credit::{ChannelCredits, Sharing};
use super::model::{Allocation, Order};
use super::paths::{MAX_PATH_TOUCHES, Paths};

/// The most states a chain may have: its matrix is dense, and inverting it takes twice the cube of this many operations.
pub const MAX_STATES: usize = 1_200;

/// What the chain says of the channels.
#[derive(Clone, Debug, PartialEq)]
pub struct RemovalEffects {
    /// Probability that a journey with a touch converts.
    pub conversion_probability: f64,
    /// By place in [`Paths::channels`], from 0 to 1; all 0 where nothing converts. They add up to more than 1 where
    /// journeys visit several channels.
    pub effects: Vec<f64>,
}

/// Solves the chain of all paths. [`tributary_core::error::Code::QuestionTooLarge`] beyond [`MAX_STATES`].
pub fn removal_effects(paths: &Paths, order: Order) -> Result<RemovalEffects> {
    let mut chain = Chain::new(paths, order)?;
    Ok(chain.removal_effects(paths.converting(), paths.other()))
}

/// Credits conversions, and money in the same way, by the removal effects of the conversions. Whole parts by largest
/// remainder, of the total or of each path as the allocation says; ties to the lower channel code.
pub fn credit(paths: &Paths, removal: &RemovalEffects, allocation: Allocation) -> ChannelCredits {
    let mut credits = ChannelCredits::of(paths);
    let mut sharing = Sharing::default();
    match allocation {
        Allocation::RemovalShare => {
            let mut converting = 0;
            let mut amounts_micros = vec![0; paths.currencies()];
            for (_, tally) in paths.iter() {
                converting += tally.converting;
                for (sum, amount) in amounts_micros.iter_mut().zip(tally.amounts_micros) {
                    *sum += amount;
                }
            }
            sharing.weights = whole_weights(&removal.effects, 1 << 62);
            sharing.channels.extend((0..).take(sharing.weights.len()));
            credits.share(&mut sharing, converting, &amounts_micros);
        }
        Allocation::PerPath => {
            // Times the touches of the longest path, a weight stays within 64 bits.
            let weights = whole_weights(&removal.effects, (1 << 62) / MAX_PATH_TOUCHES as u64);
            let mut sorted = Vec::new();
            for (path, tally) in paths.iter() {
                sorted.clear();
                sorted.extend_from_slice(path);
                sorted.sort_unstable();
                sharing.channels.clear();
                sharing.weights.clear();
                for touches in sorted.chunk_by(|one, other| one == other) {
                    sharing.channels.push(touches[0]);
                    sharing.weights.push(weights[touches[0] as usize] * touches.len() as u64);
                }
                credits.share(&mut sharing, tally.converting, tally.amounts_micros);
            }
        }
    }
    credits
}

/// Effects as integers in the same proportions, the largest of them becoming `largest`.
fn whole_weights(effects: &[f64], largest: u64) -> Vec<u64> {
    let greatest = effects.iter().copied().fold(0.0, f64::max);
    // Without any effect this is 0 / 0, which casts to 0.
    effects.iter().map(|effect| (effect / greatest * largest as f64).round() as u64).collect()
}
