//! How many different things there were, estimated in 64 bytes.

use serde::{Deserialize, Serialize};

/// Distinct things, estimated by linear counting (Whang et al., ACM TODS 15(2), 1990): 512 bits, within about
/// a tenth up to 1,000.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Distinct([u64; 8]);

impl Distinct {
    pub(super) fn add(&mut self, hash: u64) {
        let bit = usize::try_from(hash % 512).unwrap_or(0);
        if let Some(word) = self.0.get_mut(bit / 64) {
            *word |= 1 << (bit % 64);
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most 512 * ln 512"
    )]
    pub(super) fn count(&self) -> u64 {
        let set: u32 = self.0.iter().map(|word| word.count_ones()).sum();
        let empty = f64::from((512 - set).max(1));
        (-512.0 * (empty / 512.0).ln()).round() as u64
    }
}

/// Spreads what is counted over the bits (the finaliser of `SplitMix64`, Steele et al. 2014).
#[expect(clippy::cast_possible_truncation, reason = "both halves are folded")]
pub(super) fn mixed(value: u128) -> u64 {
    let mut x = (value as u64) ^ ((value >> 64) as u64).rotate_left(32);
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
