//! What an interface counted in the last hour, second by second.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// Readings that are kept: an hour of one a second.
const READINGS: usize = 3_601;
/// Nanoseconds in a second.
pub(super) const SECOND: u64 = 1_000_000_000;
/// The stretches that are shown: name, seconds.
const SHOWN: [(&str, u64); 3] = [("10s", 10), ("1m", 60), ("1h", 3_600)];

/// What an interface has counted so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counted {
    /// Packets.
    pub(super) packets: u64,
    /// Bytes of those packets.
    pub(super) bytes: u64,
    /// Packets that were second copies.
    pub(super) duplicates: u64,
    /// Packets that were cut before the end of what their IP header says.
    pub(super) truncated: u64,
    /// The sum of the active conversations over all readings.
    pub(super) active: u64,
}

impl Counted {
    const fn since(self, before: Self) -> Self {
        Self {
            packets: self.packets.saturating_sub(before.packets),
            bytes: self.bytes.saturating_sub(before.bytes),
            duplicates: self.duplicates.saturating_sub(before.duplicates),
            truncated: self.truncated.saturating_sub(before.truncated),
            active: self.active.saturating_sub(before.active),
        }
    }
}

/// A mean rate of an interface.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Rate {
    /// The time that it is the mean of: `10s`, `1m` or `1h`; since the daemon's start, if that is shorter.
    pub window: String,
    /// Packets a second.
    pub packets: f64,
    /// Bytes a second.
    pub bytes: f64,
}

/// How much goes on, a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Level {
    /// Packets a second.
    pub(super) packets: u64,
    /// Active conversations.
    pub(super) active: u64,
}

#[derive(Clone, Copy, Debug)]
struct Reading {
    at: u64,
    counted: Counted,
}

/// The readings of the last hour.
#[derive(Clone, Debug, Default)]
pub(super) struct Series {
    readings: VecDeque<Reading>,
}

impl Series {
    /// Takes a reading; `at` is the engine's clock.
    pub(super) fn push(&mut self, at: u64, counted: Counted) {
        if self.readings.len() == READINGS {
            self.readings.pop_front();
        }
        self.readings.push_back(Reading { at, counted });
    }

    /// The last reading at or before `at`, else the first.
    fn at(&self, at: u64) -> Option<&Reading> {
        let later = self.readings.partition_point(|one| one.at <= at);
        self.readings.get(later.saturating_sub(1))
    }

    /// For how long there have been readings, nanoseconds.
    pub(super) fn age(&self) -> u64 {
        let (first, last) = (self.readings.front(), self.readings.back());
        first
            .zip(last)
            .map_or(0, |(first, last)| last.at - first.at)
    }

    /// What was counted in the last `span` nanoseconds, and in how many it really was.
    pub(super) fn over(&self, span: u64) -> (Counted, u64) {
        let Some(last) = self.readings.back() else {
            return (Counted::default(), 0);
        };
        let first = self.at(last.at.saturating_sub(span)).unwrap_or(last);
        (last.counted.since(first.counted), last.at - first.at)
    }

    /// The level of the last `span` nanoseconds.
    pub(super) fn level(&self, span: u64) -> Level {
        let (counted, time) = self.over(span);
        level(counted, time)
    }

    /// The lowest levels of all stretches of `span` nanoseconds before the last one.
    pub(super) fn quietest(&self, span: u64) -> Option<Level> {
        let mut end = self.readings.back()?.at.checked_sub(span)?;
        let begin = self.readings.front()?.at;
        let mut least: Option<Level> = None;
        while end >= begin + span {
            let (from, to) = (self.at(end - span)?, self.at(end)?);
            let one = level(to.counted.since(from.counted), to.at - from.at);
            least = Some(least.map_or(one, |least| Level {
                packets: least.packets.min(one.packets),
                active: least.active.min(one.active),
            }));
            end -= span;
        }
        least
    }

    /// The mean rates that are shown.
    #[expect(clippy::cast_precision_loss, reason = "a rate is for people")]
    pub(super) fn rates(&self) -> Vec<Rate> {
        let rates = SHOWN.iter().map(|(window, seconds)| {
            let (counted, time) = self.over(seconds * SECOND);
            let seconds = time.max(SECOND) as f64 / SECOND as f64;
            Rate {
                window: (*window).to_owned(),
                packets: counted.packets as f64 / seconds,
                bytes: counted.bytes as f64 / seconds,
            }
        });
        rates.collect()
    }
}

const fn level(counted: Counted, time: u64) -> Level {
    let seconds = if time < SECOND { 1 } else { time / SECOND };
    Level {
        packets: counted.packets / seconds,
        active: counted.active / seconds,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_those_of_now_and_not_of_the_start() {
        let mut series = Series::default();
        let mut counted = Counted::default();
        for second in 0..7_200_u64 {
            series.push(second * SECOND, counted);
            // An hour of 1,000 a second, then 50 minutes of 100, then ten minutes of 10.
            counted.packets += match second {
                0..3_600 => 1_000,
                3_600..6_600 => 100,
                _ => 10,
            };
            counted.bytes = counted.packets * 200;
        }
        let rates = series.rates();
        let packets: Vec<f64> = rates.iter().map(|rate| rate.packets).collect();
        // (1 * 1,000 + 3,000 * 100 + 599 * 10) / 3,600 = 85.27...
        assert_eq!(packets[..2], [10.0, 10.0]);
        assert!(
            (packets[2] - 306_990.0 / 3_600.0).abs() < 0.01,
            "{packets:?}"
        );
        assert!((rates[0].bytes - 2_000.0).abs() < 0.01);
        assert_eq!(series.readings.len(), READINGS);
    }

    #[test]
    fn the_quietest_stretch_leaves_the_last_one_out() {
        let mut series = Series::default();
        let mut counted = Counted::default();
        for second in 0..200_u64 {
            series.push(second * SECOND, counted);
            counted.packets += if second < 180 { 50 } else { 1 };
            counted.active += 7;
        }
        let least = series.quietest(20 * SECOND).expect("stretches");
        assert_eq!(
            least,
            Level {
                packets: 50,
                active: 7
            }
        );
        assert!(series.level(19 * SECOND).packets <= 1);
    }
}
