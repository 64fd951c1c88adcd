//! What a device did beside what is usual of it, for findings whose detector does not count by itself.

use std::net::IpAddr;

use sensor_facts::finding::Finding;

use crate::{
    baseline::{Baselines, Device, Feature, Length},
    detect::contribution,
};

/// Adds to a finding without features what its device did in the hour that goes on, and what is usual.
pub(super) fn add(finding: &mut Finding, features: &[Feature], baselines: &Baselines) {
    let device: IpAddr = finding.subject;
    let Some(windows) = baselines.device(device).map(Device::windows) else {
        return;
    };
    if !finding.features.is_empty() || finding.role.is_victim() {
        return;
    }
    let length = Length::Hour;
    finding.features = features
        .iter()
        .filter_map(|feature| {
            let value = windows.now(length, *feature);
            let usual = baselines.usual(device, length, *feature);
            (value > 0).then(|| contribution(length, *feature, value, usual))
        })
        .collect();
}
