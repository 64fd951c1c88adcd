//! What windows of the first day were like at other hospitals: until a site has windows of its own.

use serde::Deserialize;

use super::{
    history::{BUCKETS, Pool},
    measure::{MEASURES, Measure},
};

/// It counts as so many windows of the site: about those of an hour of 200 devices.
const WEIGHT: f64 = 2_000.0;

/// As a model of windows brings it.
#[derive(Clone, Debug, Deserialize)]
pub struct Counts {
    /// Windows that were counted.
    pub windows: u32,
    /// Measure, bucket of the value, and in how many windows.
    pub counts: Vec<(usize, usize, u32)>,
}

/// See the module's description.
#[derive(Clone, Debug)]
pub struct Prior(Pool);

impl Prior {
    /// Of counts; `None` if they are not of this version's measures, or there are more of them than windows.
    #[must_use]
    pub fn of(counts: &Counts) -> Option<Self> {
        let mut seen = [0_u64; MEASURES];
        let mut pool = Pool::of(counts.windows);
        for (measure, bucket, many) in &counts.counts {
            if *bucket >= BUCKETS {
                return None;
            }
            let total = seen.get_mut(*measure)?;
            *total += u64::from(*many);
            pool.set(*Measure::ALL.get(*measure)?, *bucket, *many);
        }
        let sound = counts.windows > 0 && seen.iter().all(|it| *it <= counts.windows.into());
        sound.then_some(Self(pool))
    }

    /// The share of windows with at least this value, of a site's own windows and these.
    pub(super) fn share(&self, site: &Pool, measure: Measure, bucket: u8) -> f64 {
        let own = f64::from(site.windows());
        let (own_share, others) = (site.share(measure, bucket), self.0.share(measure, bucket));
        (own * own_share + WEIGHT * others) / (own + WEIGHT)
    }

    /// The value that a share of the windows had at least: of these while the site has fewer.
    pub(super) fn quantile(&self, site: &Pool, measure: Measure, share: f64) -> u64 {
        let pool = if f64::from(site.windows()) < WEIGHT {
            &self.0
        } else {
            site
        };
        pool.quantile(measure, share)
    }

    /// Windows that were counted.
    pub(super) fn windows(&self) -> u32 {
        self.0.windows()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(many: u32) -> Counts {
        Counts {
            windows: 1_000,
            counts: vec![(Measure::Flows as usize, 6, many)],
        }
    }

    #[test]
    fn it_counts_until_the_site_has_its_own_windows() {
        let prior = Prior::of(&counts(100)).expect("counts");
        let mut site = Pool::default();
        let share = |site: &Pool| prior.share(site, Measure::Flows, 6);
        assert!((share(&site) - 0.1).abs() < 0.01, "{}", share(&site));
        // Nothing of a site that has no windows is usual.
        assert_eq!(site.quantile(Measure::Flows, 0.01), 0);
        assert_eq!(prior.quantile(&site, Measure::Flows, 0.01), 3);
        for _ in 0..40_000 {
            site.add([(Measure::Flows, 6)].into_iter());
        }
        assert!(share(&site) > 0.9, "{}", share(&site));
    }

    #[test]
    fn counts_of_other_measures_or_too_many_are_refused() {
        assert!(Prior::of(&counts(1_001)).is_none());
        for wrong in [(MEASURES, 0, 1), (0, BUCKETS, 1)] {
            let mut counts = counts(1);
            counts.counts.push(wrong);
            assert!(Prior::of(&counts).is_none());
        }
    }
}
