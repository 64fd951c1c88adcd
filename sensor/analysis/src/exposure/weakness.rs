//! Kinds of weaknesses: what each weighs, and what helps.

use serde::{Deserialize, Serialize};

/// A kind of weakness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeaknessKind {
    /// Addresses outside of the site reach it.
    ReachableFromOutside,
    /// It offers a protocol without protection: Telnet, FTP, TFTP, ...
    InsecureService,
    /// It speaks DICOM in clear text.
    ClearTextDicom,
    /// It speaks HL7 in clear text.
    ClearTextHl7,
    /// It offers what its role does not need.
    BeyondRole,
    /// It chose a version of TLS before 1.2.
    OldTls,
    /// It accepted AE titles that are not usual.
    UnusualTitleAccepted,
    /// It accepts one AE title from several devices.
    TitleNotBound,
    /// An advisory names it, as a person confirmed.
    Advisory,
    /// An advisory may name it.
    PossibleAdvisory,
}

impl WeaknessKind {
    /// In words.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::ReachableFromOutside => "reachable from outside",
            Self::InsecureService => "insecure service",
            Self::ClearTextDicom => "clear-text DICOM",
            Self::ClearTextHl7 => "clear-text HL7",
            Self::BeyondRole => "service beyond the role",
            Self::OldTls => "old TLS",
            Self::UnusualTitleAccepted => "unusual AE title accepted",
            Self::TitleNotBound => "AE title not bound to a device",
            Self::Advisory => "advisory",
            Self::PossibleAdvisory => "possible advisory",
        }
    }

    /// What helps.
    pub(super) const fn advice(self) -> &'static str {
        match self {
            Self::ReachableFromOutside => {
                "close the way from outside at the firewall; where a maker's service needs it, let it in by a VPN with an account for each person"
            }
            Self::InsecureService => {
                "switch the service off, or replace it with one that is encrypted and asks for a password; until then let only those reach it that need it"
            }
            Self::ClearTextDicom => {
                "use DICOM over TLS (PS3.15 annex B) where both sides can; else keep it within a network segment of its own"
            }
            Self::ClearTextHl7 => {
                "use MLLP over TLS where both sides can; else keep it within a network segment of its own"
            }
            Self::BeyondRole => {
                "switch the service off, or let only those reach it that administer the device"
            }
            Self::OldTls => "allow TLS 1.2 and 1.3 only (RFC 8996 retires the older ones)",
            Self::UnusualTitleAccepted => {
                "have it accept only the AE titles that are entered, each from its own address"
            }
            Self::TitleNotBound => {
                "have it accept each AE title only from the address of the device that bears it"
            }
            Self::Advisory | Self::PossibleAdvisory => {
                "read the advisory, and do what it says for the version in use"
            }
        }
    }
}

/// Something weak about a device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weakness {
    /// Its kind.
    pub kind: WeaknessKind,
    /// What it adds to the sum.
    pub points: u64,
    /// What was seen, in words and numbers.
    pub evidence: String,
    /// What to do.
    pub advice: String,
    /// It is not sure: nobody has confirmed that it is about this device.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub possible: bool,
}

impl Weakness {
    pub(super) fn new(kind: WeaknessKind, points: u64, evidence: String) -> Self {
        Self {
            kind,
            points,
            evidence,
            advice: kind.advice().to_owned(),
            possible: kind == WeaknessKind::PossibleAdvisory,
        }
    }
}
