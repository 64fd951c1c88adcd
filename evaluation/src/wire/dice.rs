//! Chance, the same for the same seed: `ChaCha8` numbers and the distributions made of them here, so that no
//! library's change of a distribution changes the traffic.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

/// A source of chance of its own: what one draws does not move another.
#[derive(Clone, Debug)]
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// Those of `stream` of a seed.
    #[must_use]
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self(rng)
    }

    /// A random number of 64 bits.
    pub fn number(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// From 0 to `end`, without it; 0 if `end` is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        // By multiplication (Lemire, "Fast random integer generation in an interval"); its bias is below
        // 2^-32 for the small ranges used here.
        u64::try_from((u128::from(self.number()) * u128::from(end)) >> 64).unwrap_or(0)
    }

    /// From `from` to `to`, both included.
    pub fn range(&mut self, from: u64, to: u64) -> u64 {
        from + self.below(to.saturating_sub(from) + 1)
    }

    /// From 0 to `end`, without it.
    pub fn index(&mut self, end: usize) -> usize {
        usize::try_from(self.below(end as u64)).unwrap_or(0)
    }

    /// From 0 to 1, without 1.
    #[expect(
        clippy::cast_precision_loss,
        reason = "53 bits are all that the mantissa has"
    )]
    pub fn unit(&mut self) -> f64 {
        (self.number() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// A time until the next of independent events, exponential.
    pub fn wait(&mut self, mean: u64) -> u64 {
        scale(mean, -(1.0 - self.unit()).ln())
    }

    /// Log-normal: half of them below `median`, two thirds within a factor of `e^sigma` of it.
    pub fn spread(&mut self, median: u64, sigma: f64) -> u64 {
        // Box and Muller; the second number is not used.
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        let normal = radius * (std::f64::consts::TAU * self.unit()).cos();
        scale(median, (sigma * normal).exp())
    }

    /// `value`, a share of `share` more or less.
    pub fn about(&mut self, value: u64, share: f64) -> u64 {
        scale(value, 1.0 + share * (2.0 * self.unit() - 1.0))
    }

    /// One of them.
    ///
    /// # Panics
    /// If there is none.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.index(from.len())]
    }

    /// One that is there as often as its weight says.
    ///
    /// # Panics
    /// If there is none.
    pub fn weighted<'a, T>(&mut self, from: &'a [(u64, T)]) -> &'a T {
        let mut left = self.below(from.iter().map(|one| one.0).sum());
        for (weight, one) in from {
            if left < *weight {
                return one;
            }
            left -= weight;
        }
        &from[0].1
    }

    /// Some of them, each once, in the order of chance.
    pub fn some<T: Copy>(&mut self, from: &[T], many: usize) -> Vec<T> {
        let mut left = from.to_vec();
        let mut taken = Vec::new();
        while taken.len() < many && !left.is_empty() {
            let at = self.index(left.len());
            taken.push(left.swap_remove(at));
        }
        taken
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "times and sizes are far below 2^53, factors are positive"
)]
fn scale(value: u64, factor: f64) -> u64 {
    (value as f64 * factor) as u64
}
