//! What a device does in 5 minutes, an hour and a day, and what of it is usual.
//!
//! The usual is the median of the last active windows of the same block of four hours, and its spread the
//! median absolute deviation, both of logarithms: neither moves for a few wild values. Values are kept as
//! sixths of an octave in a byte.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::event::Time;

/// What is counted in a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Feature {
    /// Connections that it opened.
    Flows,
    /// Distinct peers of those (estimated).
    Peers,
    /// Distinct ports of those (estimated).
    Ports,
    /// Connections that it asked for and did not get.
    Failed,
    /// Bytes that it sent.
    BytesOut,
    /// Bytes that it received.
    BytesIn,
    /// Bytes exchanged with peers that are not known.
    NewPeerBytes,
    /// C-FIND requests.
    Queries,
    /// C-MOVE and C-GET requests.
    Pulls,
    /// Associations rejected to it.
    Rejects,
    /// HL7 messages that it sent.
    Messages,
    /// Negative acknowledgements that it got.
    Naks,
}

/// How many features there are.
pub const FEATURES: usize = 12;

impl Feature {
    /// All of them, in their order.
    pub const ALL: [Self; FEATURES] = [
        Self::Flows,
        Self::Peers,
        Self::Ports,
        Self::Failed,
        Self::BytesOut,
        Self::BytesIn,
        Self::NewPeerBytes,
        Self::Queries,
        Self::Pulls,
        Self::Rejects,
        Self::Messages,
        Self::Naks,
    ];

    /// Its name in explanations.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Flows => "connections",
            Self::Peers => "peers",
            Self::Ports => "ports",
            Self::Failed => "failed connections",
            Self::BytesOut => "bytes sent",
            Self::BytesIn => "bytes received",
            Self::NewPeerBytes => "bytes with unknown peers",
            Self::Queries => "C-FIND requests",
            Self::Pulls => "C-MOVE and C-GET requests",
            Self::Rejects => "rejected associations",
            Self::Messages => "HL7 messages",
            Self::Naks => "negative acknowledgements",
        }
    }
}

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

/// Distinct things, estimated by linear counting (Whang et al., ACM TODS 15(2), 1990): 512 bits, within about
/// a tenth up to 1,000.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Distinct([u64; 8]);

impl Distinct {
    fn add(&mut self, hash: u64) {
        let bit = usize::try_from(hash % 512).unwrap_or(0);
        if let Some(word) = self.0.get_mut(bit / 64) {
            *word |= 1 << (bit % 64);
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most 512 * ln 512"
    )]
    fn count(&self) -> u64 {
        let set: u32 = self.0.iter().map(|word| word.count_ones()).sum();
        let empty = f64::from((512 - set).max(1));
        (-512.0 * (empty / 512.0).ln()).round() as u64
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
/// So many windows make a baseline.
const ENOUGH: usize = 5;
/// Least spread, sixths of an octave.
const SPREAD_MIN: f64 = 3.0;

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
    fn of(values: &mut [u8]) -> Option<Self> {
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
fn packed(value: u64) -> u8 {
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
    pub counts: Vec<(Feature, u64)>,
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
            let over = std::mem::take(open);
            open.number = number;
            begins |= length == Length::FiveMinutes;
            if over.number != 0 {
                self.close(length, &over);
            }
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
        for open in &mut self.open {
            for (feature, amount) in &amounts.counts {
                let value = &mut open.values[*feature as usize];
                *value = value.saturating_add(*amount);
            }
            if let Some((peer, port)) = amounts.peer {
                open.peers.add(mixed(match peer {
                    IpAddr::V4(it) => u128::from(it.to_bits()),
                    IpAddr::V6(it) => it.to_bits(),
                }));
                open.ports.add(mixed(u128::from(port)));
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

/// Spreads what is counted over the bits (the finaliser of `SplitMix64`, Steele et al. 2014).
#[expect(clippy::cast_possible_truncation, reason = "both halves are folded")]
fn mixed(value: u128) -> u64 {
    let mut x = (value as u64) ^ ((value >> 64) as u64).rotate_left(32);
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
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
                counts: vec![(Feature::BytesOut, amount)],
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
            counts: vec![(Feature::BytesOut, 7)],
            peer: None,
        });
        windows.taint();
        windows.advance(Time(2 * hour));
        assert_eq!(windows.hours(), 0);
    }
}
