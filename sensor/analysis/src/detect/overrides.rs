//! Other thresholds for some devices: `[[detect.override]]`.
//!
//! A detector whose threshold is overridden works twice, once with each value, on all traffic. Of what both find, a device
//! that is meant gets the findings of the second, every other device those of the first.

use std::{collections::HashMap, fmt, net::IpAddr};

use sensor_facts::{observation::Observation, time::Time};
use sensor_sessions::inventory::Role;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, MapAccess, Visitor},
    ser::SerializeMap,
};

use super::{
    detectors::ALL,
    options::{Detect, detector_of},
    registry::{Detectors, Found},
    site::Site,
    threshold::{Threshold, Value},
};
use crate::{behaviour::Judged, model::Scored, whom::Whom};

/// Overrides at most: each makes the detectors that it is about work once more.
pub(super) const OVERRIDES_MAX: usize = 16;

/// Other thresholds for some devices.
#[derive(Clone, Debug, PartialEq)]
pub struct Override {
    /// For whom.
    pub whom: Whom,
    /// Why, in words.
    pub reason: String,
    /// When it ends; none if it is permanent.
    pub until: Option<Time>,
    /// The thresholds, by key.
    pub values: Vec<(&'static str, Value)>,
}

/// A key of an override: what is wrong with it is said at its place in the file.
enum Key {
    For,
    Reason,
    Until,
    Threshold(&'static Threshold),
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let key = String::deserialize(from)?;
        match key.as_str() {
            "for" => Ok(Self::For),
            "reason" => Ok(Self::Reason),
            "until" => Ok(Self::Until),
            key => {
                let (threshold, _) = detector_of(key).map_err(D::Error::custom)?;
                Ok(Self::Threshold(threshold))
            }
        }
    }
}

/// Whom it is for, as it is written.
struct Named(Whom);

impl<'de> Deserialize<'de> for Named {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map(Self).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Override {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Item;

        impl<'de> Visitor<'de> for Item {
            type Value = Override;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("thresholds for some devices")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Override, A::Error> {
                let (mut whom, mut reason) = (None, String::new());
                let (mut until, mut values) = (None, Vec::new());
                while let Some(key) = map.next_key()? {
                    match key {
                        Key::For => whom = Some(map.next_value::<Named>()?.0),
                        Key::Reason => reason = map.next_value()?,
                        Key::Until => until = Some(map.next_value()?),
                        Key::Threshold(threshold) => {
                            values.push((threshold.key, map.next_value_seed(threshold)?));
                        }
                    }
                }
                let whom = whom.ok_or_else(|| {
                    A::Error::custom("say for whom, with `for = \"ADDRESS, SUBNET or role:NAME\"`")
                })?;
                if reason.trim().is_empty() {
                    return Err(A::Error::custom("say why, with `reason = \"...\"`"));
                }
                if values.is_empty() {
                    let wrong = "name a threshold of a detector, such as scan_targets = 200";
                    return Err(A::Error::custom(wrong));
                }
                Ok(Override {
                    whom,
                    reason,
                    until,
                    values,
                })
            }
        }
        from.deserialize_map(Item)
    }
}

impl Serialize for Override {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("for", &self.whom.to_string())?;
        map.serialize_entry("reason", &self.reason)?;
        if let Some(until) = &self.until {
            map.serialize_entry("until", until)?;
        }
        for (key, value) in &self.values {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

/// The detectors of an override at work.
struct Overriding {
    whom: Whom,
    until: Option<Time>,
    detectors: Detectors,
}

impl Overriding {
    fn is_about(&self, found: &Found, roles: &HashMap<IpAddr, Role>) -> bool {
        let (about, finding) = found;
        self.until.is_none_or(|until| finding.time <= until)
            && self.whom.covers(finding.subject, roles)
            && self.detectors.names().any(|id| id == about.id)
    }
}

/// All detectors, with the thresholds that hold for each device.
pub struct Tuned {
    usual: Detectors,
    others: Vec<Overriding>,
}

impl Tuned {
    /// With these thresholds.
    #[must_use]
    pub fn new(options: &Detect) -> Self {
        let others = options.overrides.iter().map(|one| {
            let mut own = options.clone();
            own.overrides.clear();
            let mut ids = Vec::new();
            for (key, value) in &one.values {
                if let Ok((threshold, id)) = detector_of(key) {
                    own.put(threshold, *value);
                    ids.push(id);
                }
            }
            let off = ALL.iter().map(|about| about.id);
            let off = off.filter(|id| !ids.contains(id) || options.off.iter().any(|it| it == id));
            own.off = off.map(str::to_owned).collect();
            Overriding {
                whom: one.whom.clone(),
                until: one.until,
                detectors: Detectors::new(&own),
            }
        });
        Self {
            usual: Detectors::new(options),
            others: others.collect(),
        }
    }

    /// The names of all detectors that are on.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.usual.names()
    }

    /// True if a role decides somewhere.
    pub(crate) fn asks_for_roles(&self) -> bool {
        let mut others = self.others.iter();
        others.any(|one| matches!(one.whom, Whom::Role(_)))
    }

    /// Suspects that all detectors forgot to make room for others.
    pub(crate) fn evicted(&self) -> u64 {
        let others = self.others.iter().map(|one| one.detectors.evicted());
        self.usual.evicted() + others.sum::<u64>()
    }

    /// Takes an observation; what is found by it.
    pub(crate) fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Vec<Found> {
        self.each(site, |detectors| detectors.observe(seen, site))
    }

    /// Takes what the anomaly model said of flows.
    pub(crate) fn scored(&mut self, scored: &[Scored], site: &Site<'_>) {
        self.usual.scored(scored, site);
        for one in &mut self.others {
            one.detectors.scored(scored, site);
        }
    }

    /// A 5-minute window of a device is over; what is found by it.
    pub(crate) fn window(&mut self, device: IpAddr, site: &Site<'_>) -> Vec<Found> {
        self.each(site, |detectors| detectors.window(device, site))
    }

    /// A device's window was judged by its measures; what is found by it.
    pub(crate) fn judged(&mut self, judged: &Judged, site: &Site<'_>) -> Vec<Found> {
        self.each(site, |detectors| detectors.judged(judged, site))
    }

    /// What suspects did beyond what was found.
    pub(crate) fn settled(&mut self, site: &Site<'_>) -> Vec<Found> {
        self.each(site, |detectors| detectors.settled(site))
    }

    /// Asks all detectors; of each finding the one counts whose thresholds hold for its device: the first override that
    /// means it, else the usual ones.
    fn each(
        &mut self,
        site: &Site<'_>,
        mut ask: impl FnMut(&mut Detectors) -> Vec<Found>,
    ) -> Vec<Found> {
        let mut found = ask(&mut self.usual);
        if self.others.is_empty() {
            return found;
        }
        let theirs: Vec<Vec<Found>> = self
            .others
            .iter_mut()
            .map(|one| ask(&mut one.detectors))
            .collect();
        let first = |it: &Found| {
            self.others
                .iter()
                .position(|one| one.is_about(it, site.roles))
        };
        found.retain(|it| first(it).is_none());
        for (at, theirs) in theirs.into_iter().enumerate() {
            found.extend(theirs.into_iter().filter(|it| first(it) == Some(at)));
        }
        found
    }
}
