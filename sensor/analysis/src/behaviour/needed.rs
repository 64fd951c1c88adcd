//! The score that a budget of false alerts needs.

/// By sums of surprises, mean of two simulated hospitals (seeds 9 and 21): false device-hours a day and 1,000 devices, and the
/// score from which on there were so many.
const SUMS: [(f64, f64); 6] = [
    (1.0, 6.3),
    (2.0, 4.4),
    (5.0, 3.1),
    (10.0, 2.4),
    (50.0, 1.1),
    (100.0, 0.58),
];

/// Scores by budget, which other hospitals needed.
#[derive(Clone, Debug, PartialEq)]
pub struct Needed(Vec<(f64, f64)>);

impl Needed {
    /// Of budgets and their scores; `None` if more budget needs a greater score, or one is not above nought.
    #[must_use]
    pub fn of(mut table: Vec<(f64, f64)>) -> Option<Self> {
        table.sort_by(|a, b| a.0.total_cmp(&b.0));
        let sound = |(budget, score): &(f64, f64)| {
            budget.is_finite() && score.is_finite() && *budget > 0.0 && *score > 0.0
        };
        let falls = table.windows(2).all(|two| two[0].1 >= two[1].1);
        (table.len() >= 2 && falls && table.iter().all(sound)).then_some(Self(table))
    }

    /// Of sums of surprises, where there is no model.
    #[must_use]
    pub fn of_sums() -> Self {
        Self(SUMS.to_vec())
    }

    /// The score for a budget, between two of the table by their logarithms; beyond its ends as the two last go on.
    #[must_use]
    pub fn score(&self, budget: f64) -> f64 {
        let last = self.0.len().saturating_sub(2);
        let from = self.0.partition_point(|(known, _)| *known < budget);
        let two = self.0.get(from.saturating_sub(1).min(last)..);
        let Some([a, b, ..]) = two else {
            return f64::INFINITY;
        };
        let place = (budget / a.0).ln() / (b.0 / a.0).ln();
        a.1 * (b.1 / a.1).powf(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_read_between_and_beyond() {
        let needed = Needed::of(vec![(10.0, 2.0), (1.0, 8.0)]).expect("a table");
        for (budget, score) in [
            (1.0, 8.0),
            (10.0, 2.0),
            (10.0_f64.sqrt(), 4.0),
            (100.0, 0.5),
        ] {
            let found = needed.score(budget);
            assert!((found - score).abs() < 1e-9, "{budget}: {found}");
        }
        assert!(Needed::of(vec![(1.0, 2.0), (10.0, 3.0)]).is_none());
        assert!(Needed::of(vec![(0.0, 2.0), (10.0, 1.0)]).is_none());
    }
}
