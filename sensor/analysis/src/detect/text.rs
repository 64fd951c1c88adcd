//! The keys of the section `[detect]`, as the commented configuration file and its page show them.

use sensor_facts::setting::{Key, Section, Value};

use super::{detectors::ALL, options::Detect, shared::THRESHOLDS, threshold::Threshold};

impl Section for Detect {
    const ABOUT: &'static str =
        "Thresholds of the detectors. docs/detection.md explains each detector.";

    fn keys() -> Vec<Key> {
        let ids: Vec<&str> = ALL.iter().map(|about| about.id).collect();
        let off = format!(
            "Names of detectors that are switched off. There are: {}.",
            ids.join(", ")
        );
        let empty = || Value::Default("[]".to_owned());
        let own = ALL.iter().flat_map(|about| {
            let key = |one: &Threshold| threshold(one, &format!("{}: {}", about.id, one.help));
            about.thresholds.iter().map(key)
        });
        [
            Key::new("off", off, "", "names", empty()),
            Key::new(
                "inside",
                "Networks that belong to the site, besides private ones.",
                "Network",
                "",
                empty(),
            ),
        ]
        .into_iter()
        .chain(THRESHOLDS.iter().map(|one| threshold(one, one.help)))
        .chain(own)
        .chain([overrides()])
        .collect()
    }
}

fn threshold(one: &Threshold, help: &str) -> Key {
    let value = Value::Default(one.default.to_string());
    Key::new(one.key, help.to_owned(), "", one.default.unit(), value)
}

/// The sections `[[detect.override]]`.
fn overrides() -> Key {
    let example = |text: &str| Value::Example(text.to_owned());
    let key = |name, help: &str, kind, value| Key::new(name, help.to_owned(), kind, "", value);
    let keys = vec![
        key(
            "for",
            "For whom: an IP address, a subnet, or a role, such as `role:server`.",
            "",
            example("\"10.1.4.20\""),
        ),
        key(
            "reason",
            "Why these devices have other thresholds.",
            "",
            example("\"jump host of the administrators\""),
        ),
        key(
            "until",
            "When they end (RFC 3339). Without it they are permanent.",
            "",
            example("\"2027-01-01T00:00:00Z\""),
        ),
        key(
            "logins",
            "A threshold of a detector, and others likewise.",
            "",
            example("200"),
        ),
    ];
    Key::new(
        "override",
        "Other thresholds for a device, a subnet or all devices of a role, for good or until a time. The first one that means \
         a device counts. At most 16.",
        "",
        "",
        Value::List(keys),
    )
}
