//! SplitMix64: Steele, Lea and Flood, Fast splittable pseudorandom number generators (2014).

/// A stream of 64-bit numbers that never changes. Not for secrets.
#[derive(Clone, Debug)]
pub(super) struct SplitMix64(u64);

const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

impl SplitMix64 {
    /// The stream of one round.
    pub(super) fn of_round(seed: u64, round: u32) -> SplitMix64 {
        // Mixed twice: states a multiple of the step apart would run through each other's numbers.
        SplitMix64(mix(mix(seed) ^ u64::from(round).wrapping_mul(0xD6E8_FEB8_6659_FD93)))
    }

    /// The next 64 bits.
    pub(super) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mix(self.0)
    }

    /// How many of that many fair coins show heads.
    pub(super) fn heads(&mut self, coins: u64) -> u64 {
        let whole: u64 = (0..coins / 64).map(|_| u64::from(self.bits().count_ones())).sum();
        match coins % 64 {
            0 => whole,
            rest => whole + u64::from((self.bits() >> (64 - rest)).count_ones()),
        }
    }
}

fn mix(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_the_published_one() {
        let mut random = SplitMix64(1_234_567);
        let expected = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!(expected.map(|_: u64| random.bits()), expected);
    }

    #[test]
    fn heads_never_outnumber_coins() {
        let mut random = SplitMix64(1);
        assert_eq!(random.heads(0), 0);
        assert!((0..1_000).all(|coins| random.heads(coins) <= coins));
    }
}
