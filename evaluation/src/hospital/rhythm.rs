//! When people work and devices are busy. The hospital's clock is UTC, and its first day a Monday.

use crate::wire::{
    burst::{DAY, HOUR},
    dice::Dice,
};

/// How busy an hour is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rhythm {
    /// Working days from 7 to 18, with a dip at noon; a little in the evening.
    Office,
    /// Day and night, most by day on working days.
    Ward,
    /// By day, less on weekends; at night emergencies only.
    Imaging,
    /// Always the same.
    Always,
}

/// How busy each hour of a working day is, in percent of the busiest.
const OFFICE: [u8; 24] = [
    0, 0, 0, 0, 0, 0, 3, 45, 90, 100, 100, 95, 60, 85, 95, 90, 70, 35, 10, 4, 2, 1, 0, 0,
];
const WARD: [u8; 24] = [
    30, 28, 25, 25, 28, 40, 75, 95, 100, 100, 95, 90, 85, 90, 90, 88, 85, 80, 75, 70, 65, 60, 45,
    35,
];
const IMAGING: [u8; 24] = [
    6, 5, 4, 4, 4, 6, 12, 40, 85, 100, 100, 95, 75, 90, 95, 90, 70, 40, 20, 15, 12, 10, 8, 7,
];

/// 1970 began on a Thursday; Monday is 0.
pub(crate) const fn weekday(time: u64) -> u64 {
    (time / DAY + 3) % 7
}

impl Rhythm {
    /// How busy it is at a time, percent.
    pub(crate) fn at(self, time: u64) -> u64 {
        let hour = usize::try_from(time % DAY / HOUR).unwrap_or(0);
        let weekend = weekday(time) >= 5;
        match self {
            Self::Office if weekend => u64::from(OFFICE[hour]) / 25,
            Self::Office => u64::from(OFFICE[hour]),
            Self::Ward if weekend => u64::from(WARD[hour]) * 7 / 10,
            Self::Ward => u64::from(WARD[hour]),
            Self::Imaging if weekend => u64::from(IMAGING[hour]) * 3 / 10 + 2,
            Self::Imaging => u64::from(IMAGING[hour]),
            Self::Always => 100,
        }
    }

    /// The next time after `time`, of events that at the busiest hour are `mean` apart.
    pub(crate) fn next(self, dice: &mut Dice, time: u64, mean: u64) -> u64 {
        let mut time = time;
        // By thinning (Lewis and Shedler 1979).
        loop {
            time += dice.wait(mean).max(1);
            if dice.below(100) < self.at(time) {
                return time;
            }
        }
    }
}
