//! Messages whose time is not that of their sender's others (ATT&CK T1565.002).
//!
//! MSH-7 often has no time zone and clocks of devices are wrong, so a sender is measured against itself: the
//! difference of its messages' time to the sensor's, the median of the last ones.

use std::{net::IpAddr, num::NonZeroUsize};

use lru::LruCache;

use super::{Detector, Site, once::Once};
use crate::detect::draft::Draft;
use sensor_facts::{
    finding::Basis,
    observation::{Observation, What},
};

/// Senders that are remembered.
const SENDERS: NonZeroUsize = NonZeroUsize::new(16_384).expect("it is not zero");
/// Differences that are kept of a sender.
const KEPT: usize = 15;
/// So many make a median to hold others against.
const ENOUGH: usize = 5;
/// So many in a row that differ.
const ROW: usize = 3;
/// And by the same, within so many seconds: what was kept while the receiver was away differs by less and less.
const AGREE: i64 = 15;

#[derive(Default)]
struct Sender {
    /// Seconds, the latest last.
    differences: Vec<i64>,
    /// The differences of the last ones in a row that differ.
    row: Vec<i64>,
}

pub(super) struct TimeSkew {
    senders: LruCache<(IpAddr, String), Sender>,
    told: Once<IpAddr>,
}

impl Default for TimeSkew {
    fn default() -> Self {
        Self {
            senders: LruCache::new(SENDERS),
            told: Once::default(),
        }
    }
}

/// Seconds since 1970 of MSH-7, `YYYYMMDDHHMM[SS[.S...]][+/-ZZZZ]` (HL7 v2.5 section 2.A.22), read as UTC if it
/// has no zone.
fn seconds(text: &str) -> Option<i64> {
    let (digits, zone) = match text.find(['+', '-']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let digits = digits.split('.').next()?;
    let part = |from: usize, to: usize| digits.get(from..to)?.parse::<i16>().ok();
    let small = |from, to| i8::try_from(part(from, to)?).ok();
    let time = jiff::civil::DateTime::new(
        part(0, 4)?,
        small(4, 6)?,
        small(6, 8)?,
        small(8, 10)?,
        small(10, 12)?,
        small(12, 14).unwrap_or(0),
        0,
    )
    .ok()?;
    let offset = match zone.get(1..5) {
        None => 0,
        Some(zone) => {
            let number: i64 = zone.parse().ok()?;
            let minutes = number / 100 * 60 + number % 100;
            60 * if text.contains('-') {
                -minutes
            } else {
                minutes
            }
        }
    };
    let utc = jiff::tz::Offset::UTC.to_timestamp(time).ok()?;
    Some(utc.as_second() - offset)
}

impl Detector for TimeSkew {
    fn name(&self) -> &'static str {
        "time_skew"
    }

    fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
        let What::Hl7(message) = &seen.what else {
            return None;
        };
        if message.ack_code.is_some() {
            return None;
        }
        let difference = seconds(message.message_time.as_deref()?)? - seen.time.0 / 1_000_000_000;
        let (from, to) = if message.to_server {
            (seen.client.ip(), seen.server.ip())
        } else {
            (seen.server.ip(), seen.client.ip())
        };
        let application = message.sending_application.clone().unwrap_or_default();
        let sender = self
            .senders
            .get_or_insert_mut((from, application), Sender::default);
        let mut sorted = sender.differences.clone();
        sorted.sort_unstable();
        let usual = sorted.get(sorted.len() / 2).copied().unwrap_or(difference);
        let limit =
            i64::try_from(site.options.time_skew.as_nanos() / 1_000_000_000).unwrap_or(i64::MAX);
        let off = difference.saturating_sub(usual).saturating_abs();
        if sorted.len() < ENOUGH || off <= limit {
            sender.row.clear();
            sender.differences.push(difference);
            if sender.differences.len() > KEPT {
                sender.differences.remove(0);
            }
            return None;
        }
        sender
            .row
            .retain(|one| one.abs_diff(difference) <= AGREE.unsigned_abs());
        sender.row.push(difference);
        if sender.row.len() < ROW {
            return None;
        }
        // A clock that was set stays so: it is the usual from now on.
        sender.differences = vec![difference; ENOUGH];
        sender.row.clear();
        if !self.told.first(from, seen.time) {
            return None;
        }
        // Daylight saving and a wrong zone are whole quarters of an hour (up to a day).
        let harmless = off % 900 < 60 && off <= 14 * 3_600;
        Some(Draft {
            technique: "T1565.002",
            basis: Basis::Statistics,
            confidence: if harmless { 0.2 } else { 0.5 },
            subject: Some(from),
            victims: vec![to],
            evidence: format!(
                "{ROW} HL7 messages in a row whose time (MSH-7) is {off} s from what is usual of their sender"
            ),
            wrong_if: "the sender's clock was set, or it sends what it had kept while the receiver was away",
            ..Draft::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn times_are_read() {
        assert_eq!(seconds("19700102"), None);
        assert_eq!(seconds("197001020000"), Some(86_400));
        assert_eq!(seconds("19700102000001.25"), Some(86_401));
        assert_eq!(seconds("19700102013000+0130"), Some(86_400));
        assert_eq!(seconds("19700101230000-0100"), Some(86_400));
        assert_eq!(seconds("not a time"), None);
    }
}
