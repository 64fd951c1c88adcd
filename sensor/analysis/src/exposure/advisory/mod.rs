//! Security advisories of makers and authorities (CSAF 2.0), and which devices they may be about.
//!
//! A sensor sees texts that devices say of themselves, not what is printed on them. So a match is a guess with a score
//! and its grounds, and stays "possible" until a person confirms it.

mod book;
mod csaf;
mod matching;
#[cfg(test)]
mod tests;
mod words;

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

pub use book::{Advisories, BookError, Imported, Judgement};
pub use csaf::{CsafError, SIZE_MAX, parse};
pub use matching::{Agreement, Match, Matches, Part, THRESHOLD, matches};

/// An advisory: what of it is needed to find the devices and to say what to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Advisory {
    /// Its number with its publisher (`document.tracking.id`).
    pub id: String,
    /// Its version.
    pub version: String,
    /// When this version was released, as it says.
    pub released: String,
    /// Its title.
    pub title: String,
    /// Who published it.
    pub publisher: String,
    /// To whom it may be given (traffic light protocol), where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tlp: Option<String>,
    /// BLAKE3 of the file, in hex.
    pub hash: String,
    /// Products that are affected.
    pub products: Vec<Affected>,
    /// What it says to do, each once.
    pub remedies: Vec<String>,
    /// Texts of it that were left out here because they were too many.
    #[serde(default)]
    pub omitted: u64,
}

/// A product that is affected.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Affected {
    /// Who makes it; empty if it is not said.
    pub vendor: String,
    /// Its name, without version.
    pub product: String,
    /// Versions or ranges of them.
    pub versions: Vec<String>,
    /// The worst CVSS base score, 0 to 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cvss: Option<f64>,
    /// The vulnerabilities.
    pub cves: Vec<String>,
}

/// What a person says of a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdvisoryVerdict {
    /// It is about this device.
    Confirmed,
    /// It is not.
    Dismissed,
}

impl AdvisoryVerdict {
    /// As in JSON.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Dismissed => "dismissed",
        }
    }
}

/// Whom a judgement is about: a device by its address, and by its Ethernet address where that is its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// Its address when it was judged.
    pub address: IpAddr,
    /// Its Ethernet address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
}
