//! What a device did beside what is usual of it, for findings whose detector does not count by itself.

use std::net::IpAddr;

use crate::{
    baseline::{Baselines, Device, Feature, Length},
    detect::contribution,
};
use sensor_facts::finding::Finding;

/// The amounts that tell most about what a detector finds.
fn features(detector: &str) -> &'static [Feature] {
    match detector {
        "scan" => &[Feature::Failed, Feature::Ports, Feature::Peers],
        "sweep" | "echo_sweep" | "fan_out" => &[Feature::Peers, Feature::Flows],
        "brute_force" | "beacon" | "probe" => &[Feature::Flows],
        "ae_rejects" => &[Feature::Rejects, Feature::Flows],
        "unknown_modality" => &[Feature::Peers, Feature::BytesOut],
        "new_puller" | "move_destination" | "off_hours" => {
            &[Feature::Queries, Feature::Pulls, Feature::BytesIn]
        }
        "hl7_sender" | "hl7_replay" | "time_skew" => &[Feature::Messages, Feature::Naks],
        "dns_tunnel" => &[Feature::Flows, Feature::BytesOut],
        "new_service" => &[Feature::BytesOut, Feature::BytesIn],
        _ => &[],
    }
}

/// Adds to a finding without features what its device did in the hour that goes on, and what is usual.
pub(super) fn add(finding: &mut Finding, baselines: &Baselines) {
    let device: IpAddr = finding.subject;
    let Some(windows) = baselines.device(device).map(Device::windows) else {
        return;
    };
    if !finding.features.is_empty() || finding.suffers {
        return;
    }
    let length = Length::Hour;
    finding.features = features(&finding.detector)
        .iter()
        .filter_map(|feature| {
            let value = windows.now(length, *feature);
            let usual = baselines.usual(device, length, *feature);
            (value > 0).then(|| contribution(length, *feature, value, usual))
        })
        .collect();
}
