//! Other thresholds for some devices.

use std::collections::HashMap;

use sensor_facts::time::Time;
use sensor_sessions::inventory::Role;
use serde_json::{Value, json};

use super::{DAY, Lab, MONDAY, host};
use crate::detect::{Detect, Override};

fn other(value: Value) -> Override {
    serde_json::from_value(value).expect("an override")
}

/// A lab with these overrides, in which the devices 8 and 9 each try so many ports of a server.
fn scanning(overrides: Vec<Value>, ports: u16) -> Lab {
    let set = |detect: &mut Detect| detect.overrides = overrides.into_iter().map(other).collect();
    let mut lab = Lab::new("scan", set);
    scan(&mut lab, ports);
    lab
}

fn scan(lab: &mut Lab, ports: u16) {
    for port in 1..=ports {
        for device in [8, 9] {
            lab.refused(host(device), host(1), port);
        }
    }
}

fn suspects(lab: &mut Lab) -> Vec<std::net::IpAddr> {
    let mut suspects: Vec<_> = lab.found().iter().map(|one| one.subject).collect();
    suspects.sort();
    suspects.dedup();
    suspects
}

#[test]
fn a_threshold_is_another_for_one_device_or_subnet() {
    let device = json!({"for": "10.77.1.9", "reason": "jump host", "scan_targets": 200});
    assert_eq!(suspects(&mut scanning(vec![device.clone()], 30)), [host(8)]);
    // It is a threshold, no exception.
    let mut lab = scanning(vec![device], 200);
    assert_eq!(suspects(&mut lab), [host(8), host(9)]);
    let subnet = json!({"for": "10.77.1.8/31", "reason": "laboratory", "scan_targets": 200});
    assert!(suspects(&mut scanning(vec![subnet], 30)).is_empty());
    // It may be lower, too.
    let lower =
        json!({"for": "10.77.1.9", "reason": "a pump has nothing to look for", "scan_targets": 5});
    assert_eq!(suspects(&mut scanning(vec![lower], 6)), [host(9)]);
    // The first that means a device counts.
    let first = json!({"for": "10.77.1.9", "reason": "first", "scan_targets": 200});
    let second = json!({"for": "10.77.0.0/16", "reason": "second", "scan_targets": 5});
    assert_eq!(suspects(&mut scanning(vec![first, second], 30)), [host(8)]);
}

#[test]
fn an_override_may_end_and_may_be_about_a_role() {
    let until = Time((MONDAY - 1) * DAY);
    let ended = json!({"for": "10.77.1.9", "reason": "then", "until": until, "scan_targets": 200});
    let mut lab = scanning(vec![ended], 30);
    assert_eq!(suspects(&mut lab), [host(8), host(9)]);
    let role = json!({"for": "role:server", "reason": "they ask much", "scan_targets": 200});
    let mut lab = scanning(vec![role], 0);
    assert!(lab.analysis.asks_for_roles());
    lab.analysis.set_roles(HashMap::from([
        (host(9), Role::Server),
        (host(8), Role::Modality),
    ]));
    scan(&mut lab, 30);
    assert_eq!(suspects(&mut lab), [host(8)]);
}

#[test]
fn what_can_not_be_overridden_is_said() {
    for (wrong, words) in [
        (json!({"reason": "x", "scan_targets": 5}), "for whom"),
        (json!({"for": "10.0.0.1", "scan_targets": 5}), "say why"),
        (
            json!({"for": "10.0.0.1", "reason": "x"}),
            "name a threshold",
        ),
        (
            json!({"for": "ct1", "reason": "x", "scan_targets": 5}),
            "neither an IP address",
        ),
        (
            json!({"for": "10.0.0.1", "reason": "x", "scan_target": 5}),
            "scan_targets",
        ),
        (
            json!({"for": "10.0.0.1", "reason": "x", "scan_targets": 0}),
            "is not from 1 to",
        ),
        (
            json!({"for": "10.0.0.1", "reason": "x", "slow_within": "1h"}),
            "share",
        ),
    ] {
        let error = serde_json::from_value::<Override>(wrong)
            .expect_err(words)
            .to_string();
        assert!(error.contains(words), "{words:?} in {error}");
    }
    let many = vec![json!({"for": "10.0.0.1", "reason": "x", "scan_targets": 5}); 17];
    let error = serde_json::from_value::<Detect>(json!({"override": many})).expect_err("too many");
    assert!(error.to_string().contains("16"), "{error}");
    let one = json!({"for": "role:infusion-pump", "reason": "x", "scan_targets": 5, "scan_within": "30s"});
    assert_eq!(serde_json::to_value(other(one.clone())).expect("JSON"), one);
}
