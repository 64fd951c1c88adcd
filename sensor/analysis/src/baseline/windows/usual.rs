//! What is usual of past windows.

/// So many windows make a baseline.
const ENOUGH: usize = 5;
/// Least spread, sixths of an octave.
const SPREAD_MIN: f64 = 3.0;

/// What is usual of a feature.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usual {
    /// Median, sixths of an octave.
    median: f64,
    /// Spread, sixths of an octave.
    spread: f64,
    /// Windows that it is made of.
    pub windows: usize,
}

impl Usual {
    pub(super) fn of(values: &mut [u8]) -> Option<Self> {
        if values.len() < ENOUGH {
            return None;
        }
        let median = middle(values);
        let mut deviations: Vec<u8> = values.iter().map(|value| value.abs_diff(median)).collect();
        // 1.4826 makes the median absolute deviation of a normal distribution its standard deviation.
        let spread = (1.4826 * f64::from(middle(&mut deviations))).max(SPREAD_MIN);
        Some(Self {
            median: f64::from(median),
            spread,
            windows: values.len(),
        })
    }

    /// How many spreads a value lies above the median.
    #[must_use]
    pub fn excess(&self, value: u64) -> f64 {
        (f64::from(packed(value)) - self.median) / self.spread
    }

    /// The median, and the range within three spreads.
    #[must_use]
    pub fn range(&self) -> (u64, u64, u64) {
        let at = |octaves: f64| unpacked(octaves.clamp(0.0, 255.0));
        (
            at(self.median),
            at(self.median - 3.0 * self.spread),
            at(self.median + 3.0 * self.spread),
        )
    }
}

fn middle(values: &mut [u8]) -> u8 {
    let half = values.len() / 2;
    *values.select_nth_unstable(half).1
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a logarithm, clamped to a byte"
)]
pub(super) fn packed(value: u64) -> u8 {
    ((value as f64 + 1.0).log2() * 6.0).round().min(255.0) as u8
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "at most 2^42.5"
)]
fn unpacked(octaves: f64) -> u64 {
    ((octaves / 6.0).exp2() - 1.0).round().max(0.0) as u64
}
