//! Messages that are refused: most of what a sender sends gets a negative acknowledgement (ATT&CK T1565.002).

use std::net::IpAddr;

use crate::detect::prelude::*;

pub(super) const ABOUT: About = About {
    id: "nak_burst",
    techniques: &["T1565.002"],
    finds: "most messages answered AE or AR",
    starts: Starts::AtOnce,
    wrong_if: &["an application was changed at one end of the interface only"],
    thresholds: THRESHOLDS,
    features: &[],
    new: |values| Box::new(NakBurst::new(values)),
};

thresholds! {
    /// This many negative acknowledgements in 5 minutes are many, if they are also far from the usual.
    naks: count = 10, 1..=100_000_000;
    /// Negative acknowledgements must be at least this share of the messages, 0.01 to 1.
    naks_share: number = 0.5, 0.01..=1.0;
}

pub(super) struct NakBurst {
    reported: Reported<IpAddr>,
    own: Thresholds,
    /// Spreads above the median that are far from the usual.
    far: f64,
}

impl NakBurst {
    fn new(values: &Values) -> Self {
        Self {
            reported: Reported::new(values),
            own: Thresholds::of(values),
            far: shared::Thresholds::of(values).far(),
        }
    }
}

impl Detector for NakBurst {
    fn evicted(&self) -> u64 {
        self.reported.evicted()
    }

    fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
        let What::Hl7(message) = &seen.what else {
            return None;
        };
        if !message.ack_code.as_deref().is_some_and(is_negative) {
            return None;
        }
        let (sender, receiver) = if message.to_server {
            (seen.server.ip(), seen.client.ip())
        } else {
            (seen.client.ip(), seen.server.ip())
        };
        let length = Length::FiveMinutes;
        let windows = site.baselines.device(sender)?.windows();
        let naks = windows.now(length, Feature::Naks) + 1;
        let messages = windows.now(length, Feature::Messages);
        let usual = site.baselines.usual(sender, length, Feature::Naks);
        if naks < u64::from(self.own.naks)
            || is_less(naks, self.own.naks_share, messages)
            || usual.is_some_and(|usual| usual.excess(naks) < self.far)
            || !self.reported.first(sender, seen.time)
        {
            return None;
        }
        Some(Draft {
            confidence: 0.5,
            subject: Some(sender),
            victims: vec![receiver],
            evidence: format!(
                "{naks} of {messages} HL7 messages within 5 minutes were answered with AE or AR (CE, CR)"
            ),
            features: vec![contribution(length, Feature::Naks, naks, usual)],
            ..Draft::default()
        })
    }
}

/// True if `part` is less than this share of `all`.
#[expect(clippy::cast_precision_loss, reason = "the numbers are small")]
fn is_less(part: u64, share: f64, all: u64) -> bool {
    (part as f64) < share * all as f64
}
