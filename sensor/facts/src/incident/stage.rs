//! The stages of an attack: tactics of MITRE ATT&CK for Enterprise, version 17.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A tactic, in the order in which attacks over a network usually come to them: a host is looked for before anyone logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// TA0043.
    Reconnaissance,
    /// TA0007.
    Discovery,
    /// TA0001.
    InitialAccess,
    /// TA0002.
    Execution,
    /// TA0006.
    CredentialAccess,
    /// TA0008.
    LateralMovement,
    /// TA0011.
    CommandAndControl,
    /// TA0009.
    Collection,
    /// TA0010.
    Exfiltration,
    /// TA0040.
    Impact,
}

impl Stage {
    /// The stage of a technique that a detector names; of one with several tactics, the one that the detectors mean.
    #[must_use]
    pub fn of(technique: &str) -> Option<Self> {
        let above = technique.split('.').next().unwrap_or(technique);
        Some(match above {
            "T1595" => Self::Reconnaissance,
            "T1078" | "T1200" => Self::InitialAccess,
            "T1059" => Self::Execution,
            "T1040" | "T1110" | "T1557" => Self::CredentialAccess,
            "T1018" | "T1046" => Self::Discovery,
            "T1021" => Self::LateralMovement,
            "T1039" | "T1119" | "T1213" => Self::Collection,
            "T1071" | "T1095" | "T1219" | "T1571" | "T1572" | "T1573" => Self::CommandAndControl,
            "T1020" | "T1041" | "T1048" | "T1567" => Self::Exfiltration,
            "T1486" | "T1498" | "T1499" | "T1565" => Self::Impact,
            _ => return None,
        })
    }

    /// True where nothing is done to a device but to look whether it is there and what it offers.
    #[must_use]
    pub const fn only_looks(self) -> bool {
        matches!(self, Self::Reconnaissance | Self::Discovery)
    }

    /// Its name in ATT&CK.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Reconnaissance => "Reconnaissance",
            Self::InitialAccess => "Initial Access",
            Self::Execution => "Execution",
            Self::CredentialAccess => "Credential Access",
            Self::Discovery => "Discovery",
            Self::LateralMovement => "Lateral Movement",
            Self::Collection => "Collection",
            Self::CommandAndControl => "Command and Control",
            Self::Exfiltration => "Exfiltration",
            Self::Impact => "Impact",
        }
    }

    /// Its number in ATT&CK.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Reconnaissance => "TA0043",
            Self::InitialAccess => "TA0001",
            Self::Execution => "TA0002",
            Self::CredentialAccess => "TA0006",
            Self::Discovery => "TA0007",
            Self::LateralMovement => "TA0008",
            Self::Collection => "TA0009",
            Self::CommandAndControl => "TA0011",
            Self::Exfiltration => "TA0010",
            Self::Impact => "TA0040",
        }
    }

    /// What attacks that got so far usually do next, in words.
    #[must_use]
    pub const fn next(self) -> &'static str {
        match self {
            Self::Reconnaissance | Self::Discovery => {
                "attempts to log in at the services that it found"
            }
            Self::InitialAccess | Self::Execution => {
                "a search of the network, and a connection to a host outside for orders"
            }
            Self::CredentialAccess => {
                "use of the passwords or sessions that it got, at other devices"
            }
            Self::LateralMovement => {
                "collection of data at the devices that it reached, or encryption of them"
            }
            Self::Collection => "transfer of the data that it collected to a host outside",
            Self::CommandAndControl => {
                "orders from outside: movement to other devices, or transfer of data"
            }
            Self::Exfiltration => "more transfers, extortion, or encryption of what was copied",
            Self::Impact => "the same at more devices",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}
