//! The section `[detect]` of the configuration, made from what the detectors declare.

use std::{fmt, net::IpAddr};

use sensor_facts::setting::Network;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, MapAccess, Visitor},
    ser::SerializeMap,
};

use super::{
    closest::closest,
    detectors::ALL,
    shared::{self, Thresholds},
    site::is_outside,
    threshold::{Threshold, Value, Values},
};

const OFF: &str = "off";
const INSIDE: &str = "inside";

/// Thresholds of the detectors, and which of them are off.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Detect {
    /// Detectors that are off, by name.
    pub off: Vec<String>,
    /// Networks that belong to the site, beside private ones.
    pub inside: Vec<Network>,
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
        let keys = [OFF, INSIDE].into_iter();
        let near = closest(key, keys.chain(thresholds().map(|one| one.key)));
        let hint = near.map_or_else(
            || "`wardtap config default` lists them".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        format!("unknown field `{key}`; {hint}")
    })
}

/// Accepts the name of a detector.
fn detector(name: String) -> Result<String, String> {
    let ids = || ALL.iter().map(|about| about.id);
    if ids().any(|id| id == name) {
        return Ok(name);
    }
    let hint =
        closest(&name, ids()).map_or_else(String::new, |near| format!("did you mean {near:?}? "));
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
    Threshold(&'static Threshold),
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let key = String::deserialize(from)?;
        match key.as_str() {
            OFF => Ok(Self::Off),
            INSIDE => Ok(Self::Inside),
            key => named(key).map(Self::Threshold).map_err(D::Error::custom),
        }
    }
}

/// The name of a detector.
struct Name(String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = String::deserialize(from)?;
        detector(name).map(Self).map_err(D::Error::custom)
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
        map.end()
    }
}
