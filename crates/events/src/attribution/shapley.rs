//! Shapley values of the coverage game.
//!
//! Players are the channels. A set of channels is worth the conversions whose channels all lie in the set, so each conversion
//! is a unanimity game of its own channels, whose value is one part in n for each of its n players; values of a sum of games
//! are sums of values. Hence the closed form: every conversion is shared equally by the distinct channels of its path. It is
//! what enumerating all coalitions gives, for any number of channels.
//!
//! Journeys that did not convert carry no weight, and the order and number of touches none either.

use super::credit::{ChannelCredits, Sharing};
use super::paths::Paths;

/// Credits conversions and money by Shapley value: whole parts by largest remainder within each path, ties to the lower
/// channel code.
pub fn credit(paths: &Paths) -> ChannelCredits {
    let mut credits = ChannelCredits::of(paths);
    let mut sharing = Sharing::default();
    for (path, tally) in paths.iter() {
        sharing.channels.clear();
        sharing.channels.extend_from_slice(path);
        sharing.channels.sort_unstable();
        sharing.channels.dedup();
        sharing.weights.clear();
        sharing.weights.resize(sharing.channels.len(), 1);
        credits.share(&mut sharing, tally.converting, tally.amounts_micros);
    }
    credits
}
