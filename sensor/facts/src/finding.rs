//! Something suspicious, with its evidence.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Deserializer, Serialize};

use crate::{target::Service, time::Time};

/// What a finding rests on.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// What was done, by the protocols' own rules.
    #[default]
    Behaviour,
    /// It is new for the device or the site.
    Novelty,
    /// An amount that is far from the usual.
    Statistics,
    /// The score of a model; never enough to act upon.
    Model,
    /// A weakness that is there, not an attack.
    Exposure,
}

/// What part a device has in an attack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AttackRole {
    /// It is suspected of the attack.
    #[default]
    Suspect,
    /// It is attacked.
    Victim,
}

impl AttackRole {
    /// True for a device that is attacked.
    #[must_use]
    pub const fn is_victim(self) -> bool {
        matches!(self, Self::Victim)
    }
}

/// How sure it is that the packets of a finding's evidence were sent by the device that the finding is about.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// No completed TCP handshake confirms the address: any host can have written it.
    #[default]
    Unconfirmed,
    /// The packets came from another Ethernet address than the one from which the device completes its handshakes.
    Foreign,
    /// The device completed a TCP handshake within the last day, from this Ethernet address.
    Confirmed,
}

impl Origin {
    /// As in events.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Unconfirmed => "unconfirmed",
            Self::Foreign => "foreign",
            Self::Confirmed => "confirmed",
        }
    }
}

impl<'de> Deserialize<'de> for AttackRole {
    /// Reads the word, and the `suffers` of schema version 1, which was true for a victim.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "snake_case")]
        enum Word {
            Suspect,
            Victim,
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Role(Word),
            Suffers(bool),
        }
        Ok(match Written::deserialize(from)? {
            Written::Role(Word::Victim) | Written::Suffers(true) => Self::Victim,
            Written::Role(Word::Suspect) | Written::Suffers(false) => Self::Suspect,
        })
    }
}

/// A feature that contributed, and what is usual of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Contribution {
    /// Name of the feature.
    pub feature: String,
    /// The value that was seen.
    pub value: u64,
    /// The median of what is usual; none if nothing is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usual: Option<u64>,
    /// The range of what is usual: three spreads around the median, or, of a flow's features, where 98 of 100 flows are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<(u64, u64)>,
}

/// What a detector found suspicious, with its evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Finding {
    /// Its number since the daemon's start.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub id: u64,
    /// When the evidence was complete.
    pub time: Time,
    /// The detector that found it. Findings of two detectors count as independent, unless both only say that something is new.
    pub detector: String,
    /// MITRE ATT&CK technique.
    #[cfg_attr(test, schemars(regex(pattern = r"^T[0-9]{4}(\.[0-9]{3})?$")))]
    pub technique: String,
    /// What it rests on.
    #[serde(default)]
    pub basis: Basis,
    /// How sure the detector is by itself, 0 to 1.
    #[serde(default)]
    #[cfg_attr(test, schemars(range(min = 0, max = 1)))]
    pub confidence: f64,
    /// The device that it is about.
    pub subject: IpAddr,
    /// What part the device has in the attack.
    #[serde(default, alias = "suffers")]
    pub role: AttackRole,
    /// Devices that it acted upon, the first 16 of them.
    #[cfg_attr(test, schemars(length(max = 16)))]
    pub victims: Vec<IpAddr>,
    /// How many devices it acted upon.
    pub victim_count: u64,
    /// The attacked service, where the finding is about one service of one victim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Service>,
    /// The service that the subject itself offers, where the finding is about that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offered: Option<Service>,
    /// The connection that completed the evidence, where there is one: the suspect's end first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<(SocketAddr, SocketAddr)>,
    /// The evidence, in words and numbers.
    pub evidence: String,
    /// The features that contributed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<Contribution>,
    /// Circumstances under which the finding would be wrong.
    pub wrong_if: String,
    /// How sure it is that the subject sent the packets of the evidence.
    #[serde(default)]
    pub origin: Origin,
    /// The Ethernet address that sent them, or that of a router on the way; none where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender_mac: Option<String>,
}

impl Finding {
    /// Devices beside its subject that something was done to. A finding about the victim of a flood names who it comes from
    /// instead, and those may be ordinary clients.
    #[must_use]
    pub fn targets(&self) -> &[IpAddr] {
        let of_flood = ["T1498", "T1499"].map(|id| self.technique.starts_with(id));
        if self.role.is_victim() && of_flood.contains(&true) {
            return &[];
        }
        &self.victims
    }
}
