//! Messages whose time is not that of their sender's others (ATT&CK T1565.002).
//!
//! MSH-7 often has no time zone and clocks of devices are wrong, so a sender is measured against itself: the
//! difference of its messages' time to the sensor's, the median of the last ones.

use std::{net::IpAddr, num::NonZeroUsize};

use sensor_facts::setting::Span;

use crate::{
    detect::{counted::CountedLru, prelude::*},
    message_time::seconds,
};

pub(super) const ABOUT: About = About {
    id: "time_skew",
    techniques: &["T1565.002"],
    finds: "messages whose time is not that of their sender's others",
    starts: Starts::AtOnce,
    wrong_if: &[
        "the sender's clock was set, or it sends what it had kept while the receiver was away",
    ],
    thresholds: THRESHOLDS,
    features: &[Feature::Messages, Feature::Naks],
    new: |values| Box::new(TimeSkew::new(values)),
};

thresholds! {
    /// A message's time may differ by this much from what is usual of its sender.
    time_skew: seconds = 900, 1..=86_400;
    /// This many messages in a row must differ by more than `time_skew`.
    time_skew_row: count = 3, 1..=15;
    /// The differences of these messages must be the same, give or take this time.
    time_skew_agree: seconds = 15, 1..=3_600;
    /// A sender has a usual difference after this many messages.
    time_skew_history: count = 5, 2..=15;
}

/// Senders that are remembered.
const SENDERS: NonZeroUsize = NonZeroUsize::new(16_384).expect("it is not zero");
/// Differences that are kept of a sender.
const KEPT: usize = 15;

#[derive(Default)]
struct Sender {
    /// Seconds, the latest last.
    differences: Vec<i64>,
    /// The differences of the last ones in a row that differ.
    row: Vec<i64>,
}

pub(super) struct TimeSkew {
    senders: CountedLru<(IpAddr, String), Sender>,
    reported: Reported<IpAddr>,
    /// By how much a time may differ, seconds.
    limit: i64,
    /// How many in a row have to differ.
    row: usize,
    /// And by the same, within so many seconds: what was kept while the receiver was away differs by less and less.
    agree: i64,
    /// How many make a median to hold others against.
    enough: usize,
}

impl TimeSkew {
    fn new(values: &Values) -> Self {
        let own = Thresholds::of(values);
        let count = |number| usize::try_from(number).unwrap_or(KEPT);
        Self {
            limit: seconds_of(own.time_skew),
            row: count(own.time_skew_row),
            agree: seconds_of(own.time_skew_agree),
            enough: count(own.time_skew_history),
            senders: CountedLru::new(SENDERS),
            reported: Reported::new(values),
        }
    }
}

fn seconds_of(span: Span) -> i64 {
    (span.as_nanos() / 1_000_000_000).cast_signed()
}

impl Detector for TimeSkew {
    fn evicted(&self) -> u64 {
        self.senders.evicted() + self.reported.evicted()
    }

    fn observe(&mut self, seen: &Observation, _: &Site<'_>) -> Option<Draft> {
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
        let off = difference.saturating_sub(usual).saturating_abs();
        if sorted.len() < self.enough || off <= self.limit {
            sender.row.clear();
            sender.differences.push(difference);
            if sender.differences.len() > KEPT {
                sender.differences.remove(0);
            }
            return None;
        }
        sender
            .row
            .retain(|one| one.abs_diff(difference) <= self.agree.unsigned_abs());
        sender.row.push(difference);
        if sender.row.len() < self.row {
            return None;
        }
        // A clock that was set stays so: it is the usual from now on.
        sender.differences = vec![difference; self.enough];
        sender.row.clear();
        if !self.reported.first(from, seen.time) {
            return None;
        }
        // Daylight saving and a wrong zone are whole quarters of an hour (up to a day).
        let harmless = off % 900 < 60 && off <= 14 * 3_600;
        Some(Draft {
            basis: Basis::Statistics,
            confidence: if harmless { 0.2 } else { 0.5 },
            subject: Some(from),
            victims: vec![to],
            evidence: format!(
                "{} HL7 messages in a row whose time (MSH-7) is {off} s from what is usual of their sender",
                self.row
            ),
            ..Draft::default()
        })
    }
}
