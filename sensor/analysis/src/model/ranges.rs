//! What is usual of the features of flows: coarse histograms, so that an explanation can name a range.

use super::{FEATURES, NAMES};
use sensor_facts::finding::Contribution;

/// Bins a feature: one for what is nearly 0, then four for each power of two from 2^-20 on.
const BINS: usize = 256;
/// The first of them, as the upper 11 bits of an `f32` (IEEE 754: sign, exponent, two of the fraction).
const FIRST: u32 = (127 - 20) * 4;
const SHIFT: u32 = 21;
/// Rows after which the old ones count half.
const FULL: u32 = 1 << 20;
/// Rows below which nothing is said.
const ENOUGH: u32 = 100;

/// The features of many flows. 47 kB.
#[derive(Clone)]
pub(crate) struct Ranges {
    bins: Vec<[u32; BINS]>,
    rows: u32,
}

impl Default for Ranges {
    fn default() -> Self {
        Self {
            bins: vec![[0; BINS]; FEATURES],
            rows: 0,
        }
    }
}

fn bin(value: f32) -> usize {
    let bin = (value.to_bits() >> SHIFT).saturating_sub(FIRST - 1);
    usize::try_from(bin).map_or(BINS - 1, |bin| bin.min(BINS - 1))
}

/// The lower edge of a bin, or of the one above it.
fn edge(bin: usize) -> f32 {
    match u32::try_from(bin) {
        Ok(bin) if bin > 0 => f32::from_bits((bin + FIRST - 1) << SHIFT),
        _ => 0.0,
    }
}

/// The upper edge of a bin; nothing is nothing.
fn upper(bin: usize) -> f32 {
    if bin == 0 { 0.0 } else { edge(bin + 1) }
}

/// The middle of a bin.
fn middle(bin: usize) -> f32 {
    f32::midpoint(edge(bin), upper(bin))
}

impl Ranges {
    /// Adds a row.
    pub(crate) fn add(&mut self, row: &[f32; FEATURES]) {
        if self.rows >= FULL {
            for count in self.bins.iter_mut().flatten() {
                *count /= 2;
            }
            self.rows /= 2;
        }
        self.rows += 1;
        for (bins, value) in self.bins.iter_mut().zip(row) {
            bins[bin(*value)] += 1;
        }
    }

    /// The bin of the value below which so many of a thousand rows are.
    fn quantile(&self, feature: usize, per_mille: u64) -> usize {
        let bins = &self.bins[feature];
        let all: u64 = bins.iter().map(|count| u64::from(*count)).sum();
        let rank = (all * per_mille).div_ceil(1_000).max(1);
        let mut below = 0;
        let found = bins.iter().position(|count| {
            below += u64::from(*count);
            below >= rank
        });
        found.unwrap_or(0)
    }

    /// A feature's value with what is usual of it: the median, and where 98 of 100 flows are.
    pub(crate) fn explain(&self, feature: usize, value: f32) -> Contribution {
        let name = NAMES[feature];
        let known = self.rows >= ENOUGH;
        let [low, usual, high] = [10, 500, 990].map(|rank| self.quantile(feature, rank));
        let (low, usual, high) = (edge(low), middle(usual), upper(high));
        let (factor, unit) = unit(name, value.max(if known { high } else { 0.0 }));
        let whole = |value: f32| whole(value * factor);
        let name = name.trim_end_matches("_s").trim_end_matches("_share");
        Contribution {
            feature: format!("{}{unit} of a flow", name.replace('_', " ")),
            value: whole(value),
            usual: known.then(|| whole(usual)),
            range: known.then(|| (whole(low), whole(high))),
        }
    }
}

/// What a feature is shown in.
fn unit(name: &str, greatest: f32) -> (f32, &'static str) {
    match name {
        name if name.ends_with("_s") && greatest < 1.0 => (1e6, " (microseconds)"),
        name if name.ends_with("_s") => (1e3, " (milliseconds)"),
        name if name.ends_with("_share") => (100.0, " (per cent of packets)"),
        _ => (1.0, ""),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "features are not negative, and the cast saturates"
)]
fn whole(value: f32) -> u64 {
    value.round() as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(values: impl IntoIterator<Item = f32>) -> Ranges {
        let mut ranges = Ranges::default();
        for value in values {
            ranges.add(&[value; FEATURES]);
        }
        ranges
    }

    #[test]
    fn an_explanation_names_value_and_usual_range() {
        let ranges = of((1..=1_000_u16).map(f32::from));
        let at = NAMES.iter().position(|name| *name == "out_bytes");
        let said = ranges.explain(at.expect("a feature"), 50_000.0);
        assert_eq!(said.feature, "out bytes of a flow");
        assert_eq!(said.value, 50_000);
        let usual = said.usual.expect("it is known");
        assert!((440..=560).contains(&usual), "{usual}");
        let (low, high) = said.range.expect("it is known");
        assert!(
            (9..=11).contains(&low) && (890..=1_090).contains(&high),
            "{low} {high}"
        );
        let at = NAMES.iter().position(|name| *name == "duration_s");
        let said = of([]).explain(at.expect("a feature"), 0.5);
        assert_eq!((said.value, said.usual), (500_000, None));
        assert_eq!(said.feature, "duration (microseconds) of a flow");
    }

    proptest! {
        #[test]
        fn a_bin_holds_what_is_near_its_middle(value in 1e-5_f32..1e12) {
            let middle = middle(bin(value));
            prop_assert!((middle - value).abs() <= value * 0.13, "{value} {middle}");
        }
    }
}
