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
        .collect()
    }
}

fn threshold(one: &Threshold, help: &str) -> Key {
    let value = Value::Default(one.default.to_string());
    Key::new(one.key, help.to_owned(), "", one.default.unit(), value)
}
