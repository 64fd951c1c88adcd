//! What a device does in 5 minutes, an hour and a day, and what of it is usual.
//!
//! The usual is the median of the last active windows of the same block of four hours, and its spread the
//! median absolute deviation, both of logarithms: neither moves for a few wild values. Values are kept as
//! sixths of an octave in a byte.

mod distinct;
mod feature;
mod usual;

use std::net::IpAddr;

use sensor_facts::time::Time;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

pub use feature::{FEATURES, Feature};
pub use usual::Usual;

use distinct::{Distinct, mixed};
use usual::packed;

/// Length of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Length {
    /// 5 minutes.
    FiveMinutes,
    /// An hour.
    Hour,
    /// 24 hours, from midnight UTC.
    Day,
}

impl Length {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::FiveMinutes, Self::Hour, Self::Day];

    /// Nanoseconds.
    #[must_use]
    pub const fn nanos(self) -> i64 {
        1_000_000_000
            * match self {
                Self::FiveMinutes => 300,
                Self::Hour => 3_600,
                Self::Day => 86_400,
            }
    }

    /// In words.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::FiveMinutes => "5 minutes",
            Self::Hour => "an hour",
            Self::Day => "a day",
        }
    }
}

/// A window that goes on.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Open {
    /// Number of the window since 1970.
    number: i64,
    values: [u64; FEATURES],
    peers: Distinct,
    ports: Distinct,
}

impl Open {
    fn value(&self, feature: Feature) -> u64 {
        match feature {
            Feature::Peers => self.peers.count(),
            Feature::Ports => self.ports.count(),
            other => self.values[other as usize],
        }
    }
}

/// Windows of the past that are kept of each block.
const DEPTH: usize = 14;
/// Blocks of a day.
const BLOCKS: usize = 6;

/// The last windows, in sixths of an octave.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Track {
    values: Vec<[u8; FEATURES]>,
    next: u8,
}

impl Track {
    fn latest(&self) -> Option<&[u8; FEATURES]> {
        let latest = usize::from(self.next).checked_sub(1);
        latest.map_or(self.values.last(), |index| self.values.get(index))
    }

    fn push(&mut self, values: [u8; FEATURES]) {
        if self.values.len() < DEPTH {
            self.values.reserve_exact(DEPTH - self.values.len());
            self.values.push(values);
        } else {
            self.values[usize::from(self.next)] = values;
            self.next = (self.next + 1) % u8::try_from(DEPTH).unwrap_or(u8::MAX);
        }
    }
}

/// The windows of a device.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Windows {
    open: [Open; 3],
    /// Greatest of the 5-minute windows of the hour that goes on.
    peaks: [u8; FEATURES],
    /// What goes on must not be learnt.
    tainted: bool,
    /// By block of four hours: peaks of 5 minutes, hours.
    peaks_past: [Track; BLOCKS],
    hours_past: [Track; BLOCKS],
    days_past: Track,
}

/// What is added to the windows.
#[derive(Clone, Debug, Default)]
pub struct Amounts {
    /// Features and how much.
    pub counts: SmallVec<[(Feature, u64); 4]>,
    /// A peer that was talked to as a client.
    pub peer: Option<(IpAddr, u16)>,
}

fn block(number: i64, length: Length) -> usize {
    let nanos = number.saturating_mul(length.nanos());
    let hour = nanos.rem_euclid(Length::Day.nanos()) / Length::Hour.nanos();
    usize::try_from(hour / 4).unwrap_or(0).min(BLOCKS - 1)
}

impl Windows {
    /// Closes the windows that are over at `now`; true if a 5-minute window begins by it.
    pub(super) fn advance(&mut self, now: Time) -> bool {
        let mut begins = false;
        for (index, length) in Length::ALL.into_iter().enumerate() {
            let number = now.0.div_euclid(length.nanos());
            let open = &mut self.open[index];
            if open.number >= number {
                continue;
            }
            begins |= length == Length::FiveMinutes;
            if open.number != 0 {
                let over = std::mem::take(open);
                self.close(length, &over);
            }
            self.open[index].number = number;
        }
        begins
    }

    fn close(&mut self, length: Length, over: &Open) {
        let values = Feature::ALL.map(|feature| packed(over.value(feature)));
        if length == Length::FiveMinutes {
            for (peak, value) in self.peaks.iter_mut().zip(values) {
                *peak = (*peak).max(value);
            }
            return;
        }
        let tainted = self.tainted;
        if length == Length::Hour {
            let peaks = std::mem::take(&mut self.peaks);
            self.tainted = false;
            if !tainted && values != [0; FEATURES] {
                let block = block(over.number, length);
                self.peaks_past[block].push(peaks);
                self.hours_past[block].push(values);
            }
        } else if !tainted && values != [0; FEATURES] {
            self.days_past.push(values);
        }
    }

    /// Adds to the windows that go on.
    pub(super) fn add(&mut self, amounts: &Amounts) {
        let peer = amounts.peer.map(|(peer, port)| {
            let peer = match peer {
                IpAddr::V4(it) => u128::from(it.to_bits()),
                IpAddr::V6(it) => it.to_bits(),
            };
            (mixed(peer), mixed(u128::from(port)))
        });
        for open in &mut self.open {
            for (feature, amount) in &amounts.counts {
                let value = &mut open.values[*feature as usize];
                *value = value.saturating_add(*amount);
            }
            if let Some((peer, port)) = peer {
                open.peers.add(peer);
                open.ports.add(port);
            }
        }
    }

    /// Takes over the last whole hour of a device: so a pool of devices is made.
    pub(super) fn borrow(&mut self, device: &Self) {
        let pairs = [
            (&mut self.peaks_past, &device.peaks_past),
            (&mut self.hours_past, &device.hours_past),
        ];
        for (own, others) in pairs {
            for (own, other) in own.iter_mut().zip(others) {
                if let Some(values) = other.latest() {
                    own.push(*values);
                }
            }
        }
        if let Some(values) = device.days_past.latest() {
            self.days_past.push(*values);
        }
    }

    /// What goes on is not to be learnt.
    pub(super) fn taint(&mut self) {
        self.tainted = true;
    }

    /// A value of the window that goes on.
    #[must_use]
    pub fn now(&self, length: Length, feature: Feature) -> u64 {
        self.open[length as usize].value(feature)
    }

    /// What is usual at this time of day; with too few windows of it, what is usual at any time.
    #[must_use]
    pub fn usual(&self, length: Length, feature: Feature) -> Option<Usual> {
        let index = feature as usize;
        let values = |track: &Track| -> Vec<u8> {
            track.values.iter().map(|values| values[index]).collect()
        };
        let tracks = match length {
            Length::Day => return Usual::of(&mut values(&self.days_past)),
            Length::Hour => &self.hours_past,
            Length::FiveMinutes => &self.peaks_past,
        };
        let block = block(self.open[length as usize].number, length);
        Usual::of(&mut values(&tracks[block]))
            .or_else(|| Usual::of(&mut tracks.iter().flat_map(values).collect::<Vec<_>>()))
    }

    /// Hours that the baseline is made of.
    #[must_use]
    pub fn hours(&self) -> usize {
        self.hours_past.iter().map(|track| track.values.len()).sum()
    }

    /// Bytes on the heap.
    pub(super) fn heap(&self) -> usize {
        let tracks = self.peaks_past.iter().chain(&self.hours_past);
        tracks
            .chain([&self.days_past])
            .map(|track| track.values.capacity() * FEATURES)
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use smallvec::smallvec;

    use super::*;

    #[test]
    fn distinct_things_are_counted() {
        for count in [1_u64, 10, 100, 1_000] {
            let mut distinct = Distinct::default();
            for thing in 0..count {
                distinct.add(mixed(u128::from(thing)));
            }
            let error = distinct.count().abs_diff(count);
            assert!(error * 7 <= count, "{count}: {}", distinct.count());
        }
    }

    #[test]
    fn the_usual_is_robust_and_by_time_of_day() {
        let mut windows = Windows::default();
        let hour = Length::Hour.nanos();
        let mut add = |number: i64, amount| {
            windows.advance(Time(number * hour));
            windows.add(&Amounts {
                counts: smallvec![(Feature::BytesOut, amount)],
                peer: None,
            });
        };
        // Nights are quiet, days are busy, one hour of the sixth day is wild.
        for day in 1..12 {
            for of_day in 0..24 {
                let wild = day == 6 && of_day == 9;
                let amount = if wild {
                    1 << 40
                } else if of_day < 8 {
                    1_000
                } else {
                    1_000_000
                };
                add(day * 24 + of_day, amount);
            }
        }
        windows.advance(Time(12 * 24 * hour));
        let night = windows
            .usual(Length::Hour, Feature::BytesOut)
            .expect("a baseline");
        assert!(
            (900..1_100).contains(&night.range().0),
            "{:?}",
            night.range()
        );
        assert!(night.excess(1_000_000) > 10.0);
        windows.advance(Time((12 * 24 + 9) * hour));
        let day = windows
            .usual(Length::Hour, Feature::BytesOut)
            .expect("a baseline");
        assert!(
            (900_000..1_100_000).contains(&day.range().0),
            "{:?}",
            day.range()
        );
        assert!(day.excess(1_000_000) < 1.0 && day.excess(1 << 34) > 10.0);
    }

    #[test]
    fn a_tainted_hour_is_not_learnt() {
        let mut windows = Windows::default();
        let hour = Length::Hour.nanos();
        windows.advance(Time(hour));
        windows.add(&Amounts {
            counts: smallvec![(Feature::BytesOut, 7)],
            peer: None,
        });
        windows.taint();
        windows.advance(Time(2 * hour));
        assert_eq!(windows.hours(), 0);
    }
}
