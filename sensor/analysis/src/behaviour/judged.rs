//! What became of a window.

use std::net::IpAddr;

use sensor_facts::time::Time;

use super::{
    OWN_PAST,
    measure::{MEASURES, Measure},
};

/// A surprise counts as far as it is above this: a value that one window in a thousand has.
const COUNTS: f64 = 3.0;

/// A surprise in a measure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Surprise {
    /// The measure.
    pub measure: Measure,
    /// Its value in the window.
    pub value: u64,
    /// Negative decimal logarithm of the share of windows with at least this value.
    pub raw: f64,
    /// The same without what many devices had in common.
    pub discounted: f64,
    /// What it has in the window's score.
    pub share: f64,
    /// One window in a hundred had at least this: of the device, or of others where it [has no past](Judged::has_past).
    pub usual: u64,
}

/// A window that was judged.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The device.
    pub device: IpAddr,
    /// When the window began.
    pub begin: Time,
    /// How unusual it is; only comparable within one model. Without a model, by how much surprises are above one in a
    /// thousand, as a sum of negative decimal logarithms.
    pub score: f64,
    /// Surprises of all measures that were not zero, the one with the most of the score first.
    pub surprises: Vec<Surprise>,
    /// Windows of the device that it was compared with.
    pub windows: u32,
}

impl Judged {
    /// Judges a window without a model.
    pub(super) fn of(device: IpAddr, begin: Time, surprises: Vec<Surprise>, windows: u32) -> Self {
        let mut this = Self {
            device,
            begin,
            score: 0.0,
            surprises,
            windows,
        };
        for one in &mut this.surprises {
            one.share = (one.discounted - COUNTS).max(0.0);
        }
        this.score = this.surprises.iter().map(|one| one.share).sum();
        this.sort();
        this
    }

    /// Takes the score of a model, and of each measure what it has in it.
    pub(crate) fn take_score(&mut self, score: f64, share: impl Fn(Measure) -> f64) {
        self.score = score;
        for one in &mut self.surprises {
            one.share = share(one.measure);
        }
        self.sort();
    }

    fn sort(&mut self) {
        self.surprises.sort_by(|a, b| {
            let by_surprise = b.discounted.total_cmp(&a.discounted);
            b.share.total_cmp(&a.share).then(by_surprise)
        });
    }

    /// True if what is usual is said of the device itself.
    #[must_use]
    pub fn has_past(&self) -> bool {
        f64::from(self.windows) >= OWN_PAST
    }

    /// The surprises of all measures, in their order.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "at most 6")]
    pub fn vector(&self) -> [f32; MEASURES] {
        let mut vector = [0.0; MEASURES];
        for one in &self.surprises {
            vector[one.measure as usize] = one.discounted as f32;
        }
        vector
    }
}
