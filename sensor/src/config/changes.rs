//! What changed from one configuration to another, key by key.

use std::collections::{BTreeMap, BTreeSet};

use sensor_facts::action::{ChangedKey, Concern, ConfigurationChange, Occasion};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Config;

/// Keys that an entry of the trail lists at most; the others are counted.
const KEYS: usize = 64;
/// Characters of a value, and of a key, at most.
const LENGTH: usize = 160;
/// Key of the list of detectors that are off.
const OFF: &str = "detect.off";
/// What the last part of a key ends with whose value is a secret.
const SECRETS: [&str; 6] = [
    "key",
    "passphrase",
    "password",
    "secret",
    "token",
    "credentials",
];
/// What is shown in the place of a secret.
const HIDDEN: &str = "(hidden)";

/// All keys of a configuration with their values, defaults included. A secret is kept as a short hash, by which a change of it
/// is noticed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(transparent)]
pub struct KeyValues(BTreeMap<String, Value>);

impl KeyValues {
    /// The keys of a configuration.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        // A configuration is made of what both formats have.
        let value = serde_json::to_value(config).unwrap_or_default();
        let mut this = Self::default();
        if let Value::Object(fields) = &value {
            this.fields("", fields);
        }
        this
    }

    /// True if nothing is known of it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn fields(&mut self, path: &str, fields: &Map<String, Value>) {
        for (name, value) in fields {
            let path = if path.is_empty() {
                name.clone()
            } else {
                format!("{path}.{name}")
            };
            self.value(path, name, value);
        }
    }

    fn value(&mut self, path: String, name: &str, value: &Value) {
        match value {
            Value::Object(fields) => self.fields(&path, fields),
            Value::Array(items) if items.iter().any(Value::is_object) => {
                for (number, item) in items.iter().enumerate() {
                    let of = item["name"].as_str().map(|name| format!("{name:?}"));
                    let of = of.unwrap_or_else(|| number.to_string());
                    self.value(format!("{path}[{of}]"), name, item);
                }
            }
            // Of an empty list nobody knows what it is a list of.
            Value::Array(items) if items.is_empty() => {}
            Value::Null => {}
            value => {
                let value = if SECRETS.iter().any(|end| name.ends_with(end)) {
                    let hash = blake3::hash(value.to_string().as_bytes()).to_hex();
                    Value::String(format!("{HIDDEN} {}", &hash[..8]))
                } else {
                    value.clone()
                };
                self.0.insert(path, value);
            }
        }
    }

    fn off(&self) -> BTreeSet<&str> {
        let off = self.0.get(OFF).and_then(Value::as_array);
        off.into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect()
    }

    /// What is another in `new`, whose hash is `config`; `restart` names what takes a restart.
    #[must_use]
    pub fn changes(
        &self,
        new: &Self,
        occasion: Occasion,
        config: String,
        restart: Vec<String>,
    ) -> ConfigurationChange {
        let keys: BTreeSet<&String> = self.0.keys().chain(new.0.keys()).collect();
        let mut changes: Vec<ChangedKey> = keys
            .into_iter()
            .filter(|key| self.0.get(*key) != new.0.get(*key))
            .map(|key| changed(key, self.0.get(key), new.0.get(key)))
            .collect();
        changes.sort_by_key(|one| one.concern);
        let omitted = changes.len().saturating_sub(KEYS) as u64;
        changes.truncate(KEYS);
        let (before, after) = (self.off(), new.off());
        let names = |a: &BTreeSet<&str>, b: &BTreeSet<&str>| -> Vec<String> {
            a.difference(b).map(|name| (*name).to_owned()).collect()
        };
        ConfigurationChange {
            occasion,
            config,
            detectors_off: names(&after, &before),
            detectors_on: names(&before, &after),
            changes,
            omitted,
            restart,
        }
    }
}

fn changed(key: &str, old: Option<&Value>, new: Option<&Value>) -> ChangedKey {
    let (old_text, new_text) = match (list(old), list(new)) {
        // Of long lists, what differs.
        (Some(a), Some(b)) if a.len().max(b.len()) > 4 => (
            Some(difference("no more", &a, &b)),
            Some(difference("new", &b, &a)),
        ),
        _ => (old.map(shown), new.map(shown)),
    };
    ChangedKey {
        key: cut(key),
        concern: Concern::of(key),
        old: old_text.map(|text| cut(&text)),
        new: new_text.map(|text| cut(&text)),
    }
}

/// A list that is set, or one that is empty.
fn list(value: Option<&Value>) -> Option<Vec<String>> {
    match value {
        None => Some(Vec::new()),
        Some(Value::Array(items)) => Some(items.iter().map(Value::to_string).collect()),
        Some(_) => None,
    }
}

fn difference(word: &str, these: &[String], others: &[String]) -> String {
    let more: Vec<&str> = these
        .iter()
        .filter(|one| !others.contains(one))
        .map(String::as_str)
        .collect();
    let more = if more.is_empty() {
        String::new()
    } else {
        format!(", {word}: {}", more.join(", "))
    };
    format!("{} in the list{more}", these.len())
}

/// A value as the file has it; a secret is not shown.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) if text.starts_with(HIDDEN) => HIDDEN.to_owned(),
        value => sensor_facts::setting::shown(value),
    }
}

fn cut(text: &str) -> String {
    if text.chars().count() <= LENGTH {
        return text.to_owned();
    }
    text.chars().take(LENGTH).chain(" ...".chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> KeyValues {
        KeyValues::of(&Config::parse(text).expect("a configuration"))
    }

    fn diff(old: &str, new: &str) -> ConfigurationChange {
        of(old).changes(&of(new), Occasion::Reload, "00".to_owned(), Vec::new())
    }

    fn line(change: &ConfigurationChange) -> Vec<String> {
        let changes = change.changes.iter();
        changes
            .map(|one| format!("{} / {one}", one.concern.label()))
            .collect()
    }

    #[test]
    fn each_changed_key_has_its_old_and_new_value() {
        let old =
            "[detect]\noff = [\"sweep\"]\nscan_targets = 30\n[[interface]]\nname = \"eth1\"\n";
        let new = "[detect]\noff = [\"scan\"]\nscan_targets = 300\n[[interface]]\nname = \"eth1\"\nrole = \"inline\"\n\
                   [containment]\nmode = \"propose\"\nprotect = [\"10.0.0.1\"]\n[alert]\nexception = \"1d\"\n\
                   [output.json]\npath = \"/x/events.jsonl\"\n[log]\nlevel = \"debug\"\n";
        let change = diff(old, new);
        assert_eq!(change.detectors_off, ["scan"]);
        assert_eq!(change.detectors_on, ["sweep"]);
        assert_eq!(
            line(&change),
            [
                "detectors / detect.off: [\"sweep\"] -> [\"scan\"]",
                "protected list / containment.protect: not set -> [\"10.0.0.1\"]",
                "policy / containment.mode: \"observe\" -> \"propose\"",
                "thresholds / detect.scan_targets: 30 -> 300",
                "exceptions / alert.exception: \"30d\" -> \"1d\"",
                "outputs and storage / output.json.path: \"/var/lib/wardtap/events.jsonl\" -> \"/x/events.jsonl\"",
                "interfaces / interface[\"eth1\"].role: \"mirror\" -> \"inline\"",
                "other / log.level: \"info\" -> \"debug\"",
            ]
        );
        assert!(
            change.to_string().contains("detectors off: scan"),
            "{change}"
        );
        assert_eq!(diff(old, old).changes, []);
        assert!(diff(old, old).to_string().ends_with("no value is another"));
    }

    #[test]
    fn a_secret_is_hidden_and_its_change_is_not() {
        let mut old = KeyValues::default();
        let mut new = KeyValues::default();
        for (settings, secret) in [(&mut old, "swordfish-1"), (&mut new, "swordfish-2")] {
            settings.value("fleet.api_token".to_owned(), "api_token", &secret.into());
            settings.value("fleet.user".to_owned(), "user", &"ann".into());
        }
        let change = old.changes(&new, Occasion::Start, "00".to_owned(), Vec::new());
        assert_eq!(
            line(&change),
            ["other / fleet.api_token: (hidden) -> (hidden)"]
        );
        for text in [serde_json::to_string(&change), serde_json::to_string(&old)] {
            assert!(!text.expect("JSON").contains("swordfish"));
        }
    }

    #[test]
    fn a_diff_has_a_bound() {
        let group = |number: usize| {
            format!(
                "[[containment.group]]\nname = \"{number}\"\nmembers = [\"10.0.0.0/8\"]\nmode = \"observe\"\n"
            )
        };
        let groups: String = (0..100).map(group).collect();
        let change = diff("", &groups);
        assert_eq!(
            (change.changes.len(), change.omitted),
            (KEYS, 300 - KEYS as u64)
        );

        let protect = |count: usize| -> String {
            let items: Vec<_> = (0..count)
                .map(|at| format!("\"10.0.{}.{}\"", at / 250, at % 250))
                .collect();
            format!("[containment]\nprotect = [{}]\n", items.join(", "))
        };
        let one = diff(&protect(1_000), &protect(999));
        assert_eq!(
            line(&one),
            [
                "protected list / containment.protect: 1000 in the list, no more: \"10.0.3.249\" -> 999 in the list"
            ]
        );
        let all = diff(&protect(1_000), "");
        assert!(serde_json::to_string(&all).expect("JSON").len() < 1_000);
    }
}
