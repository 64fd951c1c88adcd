//! The scores of late: which of them so many hours of devices reach.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// Steps of a score of one.
const STEPS: f64 = 20.0;
/// Scores are told apart up to 30.
const MOST: usize = 600;
/// Days that are looked back on.
const DAYS: usize = 6;
/// Hours of scores without which nothing is known.
const ENOUGH: u32 = 24;
/// The greatest score of each device and hour in a day.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Day {
    number: i64,
    counts: Vec<u32>,
}

/// See the module's description.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Scores {
    days: VecDeque<Day>,
    hours: u32,
    latest: i64,
    /// Of what scale they are.
    scale: String,
}

impl Scores {
    /// Forgets scores of another scale; true if there was another.
    pub(super) fn set_scale(&mut self, scale: &str) -> bool {
        let other = self.scale != scale;
        if other {
            *self = Self {
                scale: scale.to_owned(),
                ..Self::default()
            };
        }
        other
    }

    /// Takes the greatest score of a device in an hour, by the hour's number.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a score, clamped"
    )]
    pub(super) fn add(&mut self, hour: i64, score: f64) {
        if hour > self.latest {
            self.latest = hour;
            self.hours = self.hours.saturating_add(1);
        }
        let number = hour.div_euclid(24);
        if self.days.back().is_none_or(|day| day.number < number) {
            self.days.push_back(Day {
                number,
                counts: vec![0; MOST],
            });
            if self.days.len() > DAYS {
                self.days.pop_front();
            }
        }
        if let Some(day) = self.days.back_mut() {
            let at = ((score * STEPS) as usize).min(MOST - 1);
            day.counts[at] += 1;
        }
    }

    /// The least score that so many device-hours a day and 1,000 devices reach at most; `None` before a day is over.
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    pub(super) fn reached(&self, budget: f64, devices: usize) -> Option<f64> {
        if self.hours < ENOUGH {
            return None;
        }
        let a_day = budget * devices as f64 / 1_000.0;
        let days = self
            .days
            .len()
            .min(usize::try_from(self.hours / 24).unwrap_or(1));
        let allowed = a_day * days.max(1) as f64;
        let mut above = 0.0;
        for at in (0..MOST).rev() {
            above += self
                .days
                .iter()
                .map(|day| f64::from(day.counts[at]))
                .sum::<f64>();
            if above > allowed {
                return Some((at + 1) as f64 / STEPS);
            }
        }
        Some(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_score_that_so_many_reach() {
        let mut scores = Scores::default();
        assert_eq!(scores.reached(1.0, 100), None);
        for hour in 0..24 * 20 {
            // A hundred devices, one of which is at 5.0 once a day, another at 7.0 every other.
            for device in 0..100 {
                let score = match (device, hour % 48) {
                    (0, 3 | 27) => 5.0,
                    (1, 4) => 7.0,
                    _ => 1.0,
                };
                scores.add(hour, score);
            }
        }
        for (budget, expected) in [(10.0, 5.05), (20.0, 1.05), (4.0, 7.05)] {
            let threshold = scores.reached(budget, 100).expect("days");
            assert!((threshold - expected).abs() < 1e-9, "{budget}: {threshold}");
        }
    }
}
