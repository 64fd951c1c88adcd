//! What to fix first: the weaknesses of each device as they were seen, weighed by what the device is for and by
//! how many depend on it.
//!
//! A device's score is a sum that a person can follow: the points of its weaknesses, times a factor for its role,
//! times a factor for those that depend on it. `docs/exposure.md` has the tables. Another weakness never makes a
//! score smaller.

pub mod advisory;
mod assess;
mod dependents;
mod dicom;
mod offered;
#[cfg(test)]
mod tests;
mod weakness;

use std::{borrow::Cow, net::IpAddr};

use serde::{Deserialize, Serialize};

pub use assess::rank;
pub use weakness::{Weakness, WeaknessKind};

use crate::detect::Detect;
use advisory::Match;
use sensor_facts::{alert::Alert, contact::Contact, time::Time};
use sensor_sessions::inventory::{HostReport, Role};

/// What a ranking is made from.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// When.
    pub now: Time,
    /// The hosts that were seen.
    pub hosts: &'a [HostReport],
    /// Who talked to whom lately; what hosts use is taken into account beside it.
    pub contacts: &'a [Contact],
    /// Alerts: which AE titles are not usual.
    pub alerts: &'a [Alert],
    /// Matches of advisories, dismissed ones left out.
    pub matches: &'a [Match],
    /// Which addresses belong to the site.
    pub site: &'a Detect,
}

/// Devices of the site by how exposed they are, the most exposed first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Exposure {
    /// When it was made.
    pub time: Time,
    /// Devices of the site that were looked at.
    pub devices: usize,
    /// Those with a weakness.
    pub ranked: Vec<Exposed>,
}

/// A device and what is weak about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exposed {
    /// Its address.
    pub address: IpAddr,
    /// A name that it gave itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_name: Option<String>,
    /// What it is.
    pub role: Role,
    /// Which kind of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Cow<'static, str>>,
    /// What follows from the rest: `points * role_percent * dependents_percent / 10,000`, rounded.
    pub score: u64,
    /// Sum of the weaknesses' points.
    pub points: u64,
    /// Factor for the role, percent.
    pub role_percent: u64,
    /// Factor for those that depend on it, percent.
    pub dependents_percent: u64,
    /// Devices that use its clinical services.
    pub dependents: u64,
    /// The sum, written out.
    pub sum: String,
    /// What is weak, the weightiest first.
    pub weaknesses: Vec<Weakness>,
    /// When it was last seen.
    pub last_seen: Time,
}
