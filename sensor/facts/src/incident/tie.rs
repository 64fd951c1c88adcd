//! What connects two alerts of an incident.

use std::{fmt, net::IpAddr};

use serde::{Deserialize, Serialize};

use crate::{rule::Actor, target::Service};

/// Why two alerts belong together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "tie", rename_all = "snake_case")]
pub enum Tie {
    /// They are about the same device.
    SameDevice {
        /// The device.
        device: IpAddr,
    },
    /// The first names the device of the second as one that something was done to.
    Attacked {
        /// The device that was attacked first and is suspected now.
        device: IpAddr,
    },
    /// The device of the first used a service of the device of the second that few devices use, and that it did not use
    /// before.
    Reached {
        /// The device that was reached.
        device: IpAddr,
        /// The service that was used.
        service: Service,
    },
    /// Both were done to, or with, a host that few devices have to do with.
    CommonPeer {
        /// The host.
        peer: IpAddr,
    },
    /// The same Ethernet address sent both.
    CommonMac {
        /// The Ethernet address.
        mac: String,
    },
    /// Both devices called themselves by an AE title that few devices have.
    CommonTitle {
        /// The AE title.
        ae_title: String,
    },
    /// One is about the device that the other accuses or that suffers from it, at the same time.
    OtherSide {
        /// The device that is the victim.
        device: IpAddr,
    },
    /// A person put them together.
    Person {
        /// Who did.
        by: Actor,
    },
}

impl fmt::Display for Tie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SameDevice { device } => write!(f, "both are about {device}"),
            Self::Attacked { device } => write!(f, "{device} was attacked before"),
            Self::Reached { device, service } => {
                write!(f, "{device} was reached at {service} for the first time")
            }
            Self::CommonPeer { peer } => {
                write!(f, "both have to do with {peer}, which few devices know")
            }
            Self::CommonMac { mac } => write!(f, "the Ethernet address {mac} sent both"),
            Self::CommonTitle { ae_title } => {
                write!(f, "both call themselves {ae_title}")
            }
            Self::OtherSide { device } => write!(f, "{device} is the victim in both"),
            Self::Person { by } => write!(f, "{by} put them together"),
        }
    }
}

/// Two alerts of an incident, and why they belong together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "IncidentLink"))]
pub struct Link {
    /// Number of the alert that came first in the attack.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub from: u64,
    /// Number of the alert that follows.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub to: u64,
    /// Why.
    pub because: Tie,
}

impl Tie {
    /// True where the second alert follows from the first: its device was attacked or reached before.
    #[must_use]
    pub const fn is_step(&self) -> bool {
        matches!(self, Self::Attacked { .. } | Self::Reached { .. })
    }
}
