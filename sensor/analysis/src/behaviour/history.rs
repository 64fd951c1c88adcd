//! How often a device, or devices of a kind, had at least a value.

use serde::{Deserialize, Serialize};

use super::measure::{MEASURES, Measure};

/// Buckets of a value: thirds of an octave, up to 2^42.
pub(super) const BUCKETS: usize = 128;

/// The bucket of a value: thirds of an octave.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a logarithm, clamped to the buckets"
)]
pub(super) fn bucket(value: u64) -> u8 {
    ((value as f64 + 1.0).log2() * 3.0).round().min(127.0) as u8
}

/// The least value of a bucket.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "at most 2^42.5"
)]
pub(super) fn value(bucket: u8) -> u64 {
    (f64::from(bucket) / 3.0).exp2().round() as u64 - 1
}

/// Values of past windows of a device; those that were zero take no room.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct History {
    windows: u16,
    /// Measure, bucket and in how many windows, ascending.
    counts: Vec<(u8, u8, u16)>,
}

impl History {
    pub(super) fn windows(&self) -> u32 {
        self.windows.into()
    }

    /// Windows with at least this value.
    pub(super) fn at_least(&self, measure: Measure, bucket: u8) -> u32 {
        let first = (measure as u8, bucket);
        let from = self.counts.partition_point(|(m, b, _)| (*m, *b) < first);
        let rest = self.counts.get(from..).unwrap_or_default().iter();
        rest.take_while(|(m, _, _)| *m == measure as u8)
            .map(|(_, _, count)| u32::from(*count))
            .sum()
    }

    /// The value that a share of the windows had at least.
    pub(super) fn quantile(&self, measure: Measure, share: f64) -> u64 {
        let wanted = f64::from(self.windows) * share;
        let mut above = 0.0;
        for (_, bucket, count) in self
            .counts
            .iter()
            .rev()
            .filter(|(m, _, _)| *m == measure as u8)
        {
            above += f64::from(*count);
            if above >= wanted {
                return value(*bucket);
            }
        }
        0
    }

    pub(super) fn add(&mut self, values: impl Iterator<Item = (Measure, u8)>) {
        if self.windows == u16::MAX {
            self.halve();
        }
        self.windows += 1;
        for (measure, bucket) in values {
            let key = (measure as u8, bucket);
            match self.counts.binary_search_by_key(&key, |(m, b, _)| (*m, *b)) {
                Ok(at) => self.counts[at].2 += 1,
                Err(at) => self.counts.insert(at, (key.0, key.1, 1)),
            }
        }
    }

    /// The older half counts no more: so a device that changes is followed.
    fn halve(&mut self) {
        self.windows /= 2;
        for (_, _, count) in &mut self.counts {
            *count /= 2;
        }
        self.counts.retain(|(_, _, count)| *count > 0);
    }

    /// Bytes on the heap.
    pub(super) fn heap(&self) -> usize {
        self.counts.capacity() * size_of::<(u8, u8, u16)>()
    }
}

/// Values of past windows of many devices.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Pool {
    windows: u32,
    counts: Vec<u32>,
}

impl Default for Pool {
    fn default() -> Self {
        Self {
            windows: 0,
            counts: vec![0; MEASURES * BUCKETS],
        }
    }
}

impl Pool {
    /// So many windows in which nothing was counted yet.
    pub(super) fn of(windows: u32) -> Self {
        Self {
            windows,
            ..Self::default()
        }
    }

    /// Sets in how many windows a measure had a value of this bucket.
    pub(super) fn set(&mut self, measure: Measure, bucket: usize, many: u32) {
        if let Some(count) = self.counts.get_mut(measure as usize * BUCKETS + bucket) {
            *count = many;
        }
    }

    /// True if it has the measures of this version.
    pub(super) fn is_whole(&self) -> bool {
        self.counts.len() == MEASURES * BUCKETS
    }

    pub(super) fn windows(&self) -> u32 {
        self.windows
    }

    /// The share of windows with at least this value: never nought, since the next window may have it.
    pub(super) fn share(&self, measure: Measure, bucket: u8) -> f64 {
        let from = measure as usize * BUCKETS;
        let (first, end) = (from + usize::from(bucket), from + BUCKETS);
        let above: u32 = self.counts.get(first..end).unwrap_or_default().iter().sum();
        (f64::from(above) + 1.0) / (f64::from(self.windows) + 2.0)
    }

    /// The value that a share of the windows had at least.
    pub(super) fn quantile(&self, measure: Measure, share: f64) -> u64 {
        let wanted = f64::from(self.windows) * share;
        let from = measure as usize * BUCKETS;
        let counts = self.counts.get(from..from + BUCKETS).unwrap_or_default();
        let mut above = 0.0;
        for (at, count) in counts.iter().enumerate().rev() {
            above += f64::from(*count);
            if above > 0.0 && above >= wanted {
                return value(u8::try_from(at).unwrap_or(u8::MAX));
            }
        }
        0
    }

    pub(super) fn add(&mut self, values: impl Iterator<Item = (Measure, u8)>) {
        if self.windows == u32::MAX {
            self.windows /= 2;
            self.counts.iter_mut().for_each(|count| *count /= 2);
        }
        self.windows += 1;
        for (measure, bucket) in values {
            self.counts[measure as usize * BUCKETS + usize::from(bucket)] += 1;
        }
    }
}
