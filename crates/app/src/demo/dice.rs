//! Seeded dice: the same seed throws the same numbers on every machine and in every release.
//!
//! Only integers and exactly rounded floating-point operations are used; distributions of other crates may change with
//! their versions, and logarithms differ between platforms.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A stream of numbers.
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream of this seed for this purpose.
    pub fn new(seed: u64, purpose: &str) -> Dice {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        for (index, byte) in purpose.bytes().enumerate() {
            key[8 + index % 24] ^= byte;
        }
        Dice(ChaCha8Rng::from_seed(key))
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `bound`, which must not be 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        // Multiply and shift: the bias is below 2^-40 for every bound used here.
        ((u128::from(self.0.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// A number from `low` up to and including `high`.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// True in `permille` of a thousand throws.
    pub fn chance(&mut self, permille: u64) -> bool {
        self.below(1_000) < permille
    }

    /// A number from 0 (included) to 1 (excluded).
    pub fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// One of these, evenly.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }

    /// The place of one of these weights, in proportion.
    pub fn weighted(&mut self, weights: impl Iterator<Item = u64> + Clone) -> usize {
        let mut left = self.below(weights.clone().sum::<u64>().max(1));
        for (index, weight) in weights.enumerate() {
            if left < weight {
                return index;
            }
            left -= weight;
        }
        0
    }

    /// Letters and digits as click ids have them.
    pub fn token(&mut self, length: usize) -> String {
        const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
        let mut text = String::with_capacity(length);
        while text.len() < length {
            let mut bits = self.bits();
            for _ in 0..12.min(length - text.len()) {
                text.push(char::from(ALPHABET[(bits & 31) as usize]));
                bits >>= 5;
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_never_changes() {
        let mut dice = Dice::new(7, "shop");
        let throws = [dice.bits(), dice.below(1_000), u64::from(dice.chance(500)), dice.between(3, 9)];
        assert_eq!((throws, dice.token(8).as_str()), ([15_228_406_550_393_435_039, 526, 0, 6], "r42g2piz"));
        assert_ne!(Dice::new(7, "shop").bits(), Dice::new(7, "saas").bits());
        assert_ne!(Dice::new(7, "shop").bits(), Dice::new(8, "shop").bits());
    }
}
