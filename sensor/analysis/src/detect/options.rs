//! The section `[detect]` of the configuration, made from what the detectors declare.

use std::{fmt, net::IpAddr};

use sensor_facts::setting::Network;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, MapAccess, Visitor},
    ser::SerializeMap,
};

use super::{
    about::About,
    closest::closest,
    detectors::ALL,
    overrides::{OVERRIDES_MAX, Override},
    shared::{self, Thresholds},
    site::is_outside,
    threshold::{Threshold, Value, Values},
};

const OFF: &str = "off";
const INSIDE: &str = "inside";
const OVERRIDE: &str = "override";

/// Thresholds of the detectors, and which of them are off.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Detect {
    /// Detectors that are off, by name.
    pub off: Vec<String>,
    /// Networks that belong to the site, beside private ones.
    pub inside: Vec<Network>,
    /// Other thresholds for some devices, the first that means a device counting.
    pub overrides: Vec<Override>,
    values: Values,
}

/// All thresholds: those that are shared, then those of each detector.
pub fn thresholds() -> impl Iterator<Item = &'static Threshold> {
    let own = ALL.iter().flat_map(|about| about.thresholds);
    shared::THRESHOLDS.iter().chain(own)
}

impl Detect {
    /// True for an address outside of the site.
    #[must_use]
    pub fn is_outside(&self, address: IpAddr) -> bool {
        is_outside(address, &self.inside)
    }

    /// The value of a threshold; `None` if there is none of this name.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Value> {
        let threshold = thresholds().find(|one| one.key == key)?;
        Some(self.values.get(threshold))
    }

    /// Sets a threshold.
    ///
    /// # Errors
    /// When there is none of this name, or the value is not in its range.
    pub fn set(&mut self, key: &str, value: impl Into<Value>) -> Result<(), String> {
        let threshold = named(key)?;
        self.values.set(threshold, threshold.check(value.into())?);
        Ok(())
    }

    /// Sets a threshold to a value that was checked.
    pub(super) fn put(&mut self, threshold: &Threshold, value: Value) {
        self.values.set(threshold, value);
    }

    /// What detectors are made with.
    pub(super) fn values(&self) -> &Values {
        &self.values
    }

    /// From how many IP addresses on an Ethernet address is taken for a router.
    pub(crate) fn router_addresses(&self) -> u32 {
        Thresholds::of(&self.values).router_addresses
    }
}

/// The threshold with this key.
fn named(key: &str) -> Result<&'static Threshold, String> {
    thresholds().find(|one| one.key == key).ok_or_else(|| {
        let keys = [OFF, INSIDE, OVERRIDE].into_iter();
        let near = closest(key, keys.chain(thresholds().map(|one| one.key)));
        let hint = near.map_or_else(
            || "`wardtap config default` lists them".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        format!("unknown field `{key}`; {hint}")
    })
}

/// The threshold with this key, and the detector that declares it.
pub(super) fn detector_of(key: &str) -> Result<(&'static Threshold, &'static str), String> {
    let own = |about: &&'static About| about.thresholds.iter().find(|one| one.key == key);
    let found = ALL.iter().find_map(|about| Some((own(about)?, about.id)));
    found.ok_or_else(|| match named(key) {
        Ok(_) => format!("several detectors share {key}: it can't be another for some devices"),
        Err(why) => why,
    })
}

/// Says what is wrong with the name of a detector, if anything is.
///
/// # Errors
/// When there is no such detector; it lists those that there are.
pub fn known(name: &str) -> Result<(), String> {
    let ids = || ALL.iter().map(|about| about.id);
    if ids().any(|id| id == name) {
        return Ok(());
    }
    let hint =
        closest(name, ids()).map_or_else(String::new, |near| format!("did you mean {near:?}? "));
    let mut all: Vec<&str> = ids().collect();
    all.sort_unstable();
    Err(format!(
        "there is no detector {name:?}; {hint}the detectors are {}",
        all.join(", ")
    ))
}

/// A key of the section.
enum Key {
    Off,
    Inside,
    Override,
    Threshold(&'static Threshold),
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let key = String::deserialize(from)?;
        match key.as_str() {
            OFF => Ok(Self::Off),
            INSIDE => Ok(Self::Inside),
            OVERRIDE => Ok(Self::Override),
            key => named(key).map(Self::Threshold).map_err(D::Error::custom),
        }
    }
}

/// The name of a detector.
struct Name(String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = String::deserialize(from)?;
        known(&name).map_err(D::Error::custom)?;
        Ok(Self(name))
    }
}

struct Section;

impl<'de> Visitor<'de> for Section {
    type Value = Detect;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the thresholds of detectors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Detect, A::Error> {
        let mut detect = Detect::default();
        while let Some(key) = map.next_key()? {
            match key {
                Key::Off => {
                    let names: Vec<Name> = map.next_value()?;
                    detect.off = names.into_iter().map(|name| name.0).collect();
                }
                Key::Inside => detect.inside = map.next_value()?,
                Key::Override => {
                    detect.overrides = map.next_value()?;
                    if detect.overrides.len() > OVERRIDES_MAX {
                        let most = format!("there can be {OVERRIDES_MAX} overrides at most");
                        return Err(A::Error::custom(most));
                    }
                }
                Key::Threshold(threshold) => {
                    let value = map.next_value_seed(threshold)?;
                    detect.values.set(threshold, value);
                }
            }
        }
        Ok(detect)
    }
}

impl<'de> Deserialize<'de> for Detect {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Section)
    }
}

impl Serialize for Detect {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry(OFF, &self.off)?;
        map.serialize_entry(INSIDE, &self.inside)?;
        for threshold in thresholds() {
            map.serialize_entry(threshold.key, &self.values.get(threshold))?;
        }
        if !self.overrides.is_empty() {
            map.serialize_entry(OVERRIDE, &self.overrides)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_threshold_is_read_as_it_is_shown() {
        let mut detect = Detect::default();
        for one in thresholds() {
            assert_eq!(detect.get(one.key), Some(one.default), "{}", one.key);
            detect.set(one.key, one.most).expect("the greatest value");
            assert_eq!(detect.get(one.key), Some(one.most), "{}", one.key);
        }
        detect.off = vec!["scan".to_owned()];
        detect.inside = vec!["192.0.2.0/24".parse().expect("a network")];
        let text = serde_json::to_string(&detect).expect("it can be shown");
        let read: Detect = serde_json::from_str(&text).expect("it can be read");
        assert_eq!(read, detect);
        for one in thresholds() {
            detect.set(one.key, one.default).expect("the default");
        }
        let defaults = Detect {
            values: Values::default(),
            ..detect.clone()
        };
        assert_eq!(detect, defaults, "a default that is set is the default");
    }

    #[test]
    fn what_is_no_threshold_or_no_value_of_one_is_refused() {
        let mut detect = Detect::default();
        let error = detect.set("scan_target", 5_u32).expect_err("no such key");
        assert!(error.contains("did you mean `scan_targets`?"), "{error}");
        assert!(detect.set("scan_targets", 0_u32).is_err());
        assert!(detect.set("scan_targets", 5_u64).is_err(), "bytes");
        assert_eq!(detect, Detect::default());
        let error = serde_json::from_str::<Detect>("{\"off\": [\"scann\"]}");
        let error = error.expect_err("no such detector").to_string();
        assert!(error.contains("did you mean \"scan\"?"), "{error}");
        for about in ALL {
            assert!(error.contains(about.id), "{error}");
        }
    }
}
