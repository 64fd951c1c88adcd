//! Amounts that are far from what is usual of a device, or of devices of its kind, at this time of day.

use std::net::IpAddr;

use crate::detect::prelude::*;

pub(super) const ABOUT: About = About {
    id: "unusual_amount",
    techniques: &["T1078"],
    finds: "amounts far above the usual",
    starts: Starts::WithHistory,
    wrong_if: &["the device was given other work, is being updated, or is backed up"],
    thresholds: THRESHOLDS,
    features: &[],
    new: |values| Box::new(UnusualAmount::new(values)),
};

thresholds! {
    /// Connections in 5 minutes that are worth a finding, if they are also far above the usual.
    unusual_flows: count = 200, 1..=1_000_000_000;
    /// Connections in an hour, likewise.
    unusual_flows_hour: count = 1_000, 1..=1_000_000_000;
    /// Connections in a day, likewise.
    unusual_flows_day: count = 10_000, 1..=1_000_000_000;
    /// Peers in 5 minutes that are worth a finding, if they are also far above the usual.
    unusual_peers: count = 20, 1..=1_000_000_000;
    /// Peers in an hour, likewise.
    unusual_peers_hour: count = 30, 1..=1_000_000_000;
    /// Peers in a day, likewise.
    unusual_peers_day: count = 60, 1..=1_000_000_000;
    /// Ports in 5 minutes that are worth a finding, if they are also far above the usual.
    unusual_ports: count = 15, 1..=1_000_000_000;
    /// Ports in an hour, likewise.
    unusual_ports_hour: count = 20, 1..=1_000_000_000;
    /// Ports in a day, likewise.
    unusual_ports_day: count = 40, 1..=1_000_000_000;
    /// Failed connections in 5 minutes that are worth a finding, if they are also far above the usual.
    unusual_failed: count = 20, 1..=1_000_000_000;
    /// Failed connections in an hour, likewise.
    unusual_failed_hour: count = 60, 1..=1_000_000_000;
    /// Failed connections in a day, likewise.
    unusual_failed_day: count = 300, 1..=1_000_000_000;
    /// Bytes sent in 5 minutes that are worth a finding, if they are also far above the usual.
    unusual_bytes_out: bytes = 50_000_000, 1..=1_000_000_000_000_000;
    /// Bytes sent in an hour, likewise.
    unusual_bytes_out_hour: bytes = 200_000_000, 1..=1_000_000_000_000_000;
    /// Bytes sent in a day, likewise.
    unusual_bytes_out_day: bytes = 2_000_000_000, 1..=1_000_000_000_000_000;
    /// Bytes exchanged with unknown peers in 5 minutes that are worth a finding, if they are also far above the usual.
    unusual_new_peer_bytes: bytes = 20_000_000, 1..=1_000_000_000_000_000;
    /// Bytes exchanged with unknown peers in an hour, likewise.
    unusual_new_peer_bytes_hour: bytes = 100_000_000, 1..=1_000_000_000_000_000;
    /// Bytes exchanged with unknown peers in a day, likewise.
    unusual_new_peer_bytes_day: bytes = 500_000_000, 1..=1_000_000_000_000_000;
    /// HL7 messages sent in 5 minutes that are worth a finding, if they are also far above the usual.
    unusual_messages: count = 500, 1..=1_000_000_000;
    /// HL7 messages sent in an hour, likewise.
    unusual_messages_hour: count = 2_000, 1..=1_000_000_000;
    /// HL7 messages sent in a day, likewise.
    unusual_messages_day: count = 20_000, 1..=1_000_000_000;
    /// Rejected associations in 5 minutes that are worth a finding, if they are also far above the usual.
    unusual_rejects: count = 10, 1..=1_000_000_000;
    /// Rejected associations in an hour, likewise.
    unusual_rejects_hour: count = 30, 1..=1_000_000_000;
    /// Rejected associations in a day, likewise.
    unusual_rejects_day: count = 100, 1..=1_000_000_000;
}

pub(super) struct UnusualAmount {
    reported: Reported<(IpAddr, Feature)>,
    /// Features and from where on an amount is worth a finding, in 5 minutes, an hour, a day.
    least: [(Feature, [u64; 3]); 8],
    /// Spreads above the median.
    unusual: f64,
}

impl UnusualAmount {
    fn new(values: &Values) -> Self {
        let own = Thresholds::of(values);
        let least = [
            (
                Feature::Flows,
                [
                    own.unusual_flows.into(),
                    own.unusual_flows_hour.into(),
                    own.unusual_flows_day.into(),
                ],
            ),
            (
                Feature::Peers,
                [
                    own.unusual_peers.into(),
                    own.unusual_peers_hour.into(),
                    own.unusual_peers_day.into(),
                ],
            ),
            (
                Feature::Ports,
                [
                    own.unusual_ports.into(),
                    own.unusual_ports_hour.into(),
                    own.unusual_ports_day.into(),
                ],
            ),
            (
                Feature::Failed,
                [
                    own.unusual_failed.into(),
                    own.unusual_failed_hour.into(),
                    own.unusual_failed_day.into(),
                ],
            ),
            (
                Feature::BytesOut,
                [
                    own.unusual_bytes_out,
                    own.unusual_bytes_out_hour,
                    own.unusual_bytes_out_day,
                ],
            ),
            (
                Feature::NewPeerBytes,
                [
                    own.unusual_new_peer_bytes,
                    own.unusual_new_peer_bytes_hour,
                    own.unusual_new_peer_bytes_day,
                ],
            ),
            (
                Feature::Messages,
                [
                    own.unusual_messages.into(),
                    own.unusual_messages_hour.into(),
                    own.unusual_messages_day.into(),
                ],
            ),
            (
                Feature::Rejects,
                [
                    own.unusual_rejects.into(),
                    own.unusual_rejects_hour.into(),
                    own.unusual_rejects_day.into(),
                ],
            ),
        ];
        Self {
            reported: Reported::new(values),
            least,
            unusual: shared::Thresholds::of(values).unusual,
        }
    }
}

impl Detector for UnusualAmount {
    fn evicted(&self) -> u64 {
        self.reported.evicted()
    }

    fn window(&mut self, device: IpAddr, site: &Site<'_>) -> Option<Draft> {
        let windows = site.baselines.device(device)?.windows();
        let mut features = Vec::new();
        for (index, length) in Length::ALL.into_iter().enumerate() {
            for (feature, least) in self.least {
                let value = windows.now(length, feature);
                if value < least[index] {
                    continue;
                }
                let usual = site.baselines.usual(device, length, feature);
                if usual.is_some_and(|usual| usual.excess(value) >= self.unusual)
                    && self.reported.first((device, feature), site.now)
                {
                    features.push(contribution(length, feature, value, usual));
                }
            }
        }
        if features.is_empty() {
            return None;
        }
        let words: Vec<String> = features
            .iter()
            .map(|one| {
                let usual = one.usual.unwrap_or_default();
                format!("{} {}, usual {usual}", one.value, one.feature)
            })
            .collect();
        let kinds = features.len();
        Some(Draft {
            basis: Basis::Statistics,
            // A hint, also if several are: they come of one cause.
            confidence: if kinds > 1 { 0.35 } else { 0.3 },
            evidence: words.join("; "),
            features,
            ..Draft::default()
        })
    }
}
