//! What can be wrong with what an interface brings, told as events, warnings and metrics.

mod census;
#[cfg(test)]
mod docs;

pub use census::{Census, Range, Survey};

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{time::Time, words::utc_moment};

// In this order one hides those after it: `Silent` and those before it are causes of a silence.
macro_rules! conditions {
    ($($(#[doc = $doc:literal])+ $name:ident = $label:literal, check $check:literal;)+) => {
        /// What can be wrong with what an interface brings.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum Condition {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Condition {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The name in events, metrics and status.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self { $(Self::$name => $label,)+ }
            }

            /// One line that says what is meant.
            #[must_use]
            pub fn help(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+).trim(),)+ }
            }

            /// What a person should check.
            #[must_use]
            pub const fn check(self) -> &'static str {
                match self { $(Self::$name => $check,)+ }
            }
        }
    };
}

conditions! {
    /// The interface was taken away.
    Gone = "gone", check "whether its driver or card failed (`ip link`, `dmesg`), or someone removed or renamed it";
    /// The interface has no link: it is switched off, or there is no carrier.
    LinkDown = "link_down", check "the cable and the transceiver, the port at the switch, and `ip link show`";
    /// No packet comes, though there usually are some.
    Silent = "silent", check "whether the mirror session at the switch still exists and is active, and whether the cable is in the right port";
    /// Packets and conversations fell suddenly, far below the quietest time of the hour before.
    Dropped = "dropped", check "whether someone changed the sources of the mirror session, and whether a switch or an uplink in front of it is down";
    /// Only one side of many TCP conversations is seen.
    OneDirection = "one_direction", check "whether the mirror copies both directions (rx and tx, or ingress on all ports), and whether the other side takes another path";
    /// Many packets are seen twice.
    Duplicates = "duplicates", check "whether the mirror copies both ingress and egress of ports that talk to each other; mirror ingress only";
    /// Many packets are cut short.
    Truncated = "truncated", check "the truncation length (snaplen) of the mirror session or packet broker, and the MTU on the way to the sensor";
    /// A VLAN or a subnet from which several addresses talked is seen no more, while others are.
    NetworkVanished = "network_vanished", check "whether the VLAN is still a source of the mirror session and allowed on the trunk, and whether its switch or gateway is up";
}

/// What happens to a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "ChangeOfCondition"))]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    /// It holds from now on.
    Began,
    /// It holds no more.
    Ended,
}

impl Turn {
    /// The name in events.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Began => "began",
            Self::Ended => "ended",
        }
    }
}

/// A condition of an interface that holds, or that held.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Standing {
    /// What is wrong.
    pub condition: Condition,
    /// Since when.
    pub since: Time,
    /// The evidence in words.
    pub detail: String,
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, since {}", self.detail, utc_moment(self.since))
    }
}

/// A condition of an interface began or ended.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Mirror"))]
pub struct MirrorReport {
    /// The interface.
    pub interface: String,
    /// It began or ended.
    pub change: Turn,
    /// The condition.
    #[serde(flatten)]
    pub standing: Standing,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// What a person should check.
    pub check: String,
}

impl MirrorReport {
    /// A change of a condition; `until` of one that ended.
    #[must_use]
    pub fn new(interface: &str, standing: Standing, until: Option<Time>) -> Self {
        Self {
            interface: interface.to_owned(),
            change: if until.is_some() {
                Turn::Ended
            } else {
                Turn::Began
            },
            check: standing.condition.check().to_owned(),
            standing,
            until,
        }
    }
}

impl fmt::Display for MirrorReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.interface, self.standing)?;
        match self.until {
            Some(until) => write!(f, ", is over since {}", utc_moment(until)),
            None => write!(f, ". Check {}", self.check),
        }
    }
}
