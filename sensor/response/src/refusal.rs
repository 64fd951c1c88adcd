//! Why a rule is refused.

use std::{net::IpAddr, time::Duration};

use ipnet::IpNet;
use sensor_facts::{
    rule::{RuleId, State},
    target::{Protected, Target},
    time::Time,
};

/// The shortest time to live of a rule.
pub const TTL_MIN: Duration = Duration::from_secs(10);
/// The longest, and thereby the longest that a forgotten rule can hurt.
pub const TTL_MAX: Duration = Duration::from_hours(7 * 24);
/// Most rules at once; the kernel's table holds a few more.
pub const RULES_MAX: usize = 16_000;

/// Why a rule or protection can't be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Its target is on the never-block list.
    #[error("{what} is protected ({reason}): no rule may block it")]
    Protected {
        /// The entry of the never-block list.
        what: String,
        /// The entry's reason.
        reason: String,
    },
    /// The subnet has protected addresses in it.
    #[error(
        "{subnet} contains what is protected: {inside}; block narrower subnets or single devices"
    )]
    ProtectedInside {
        /// The subnet.
        subnet: IpNet,
        /// The entries of the never-block list that are inside of it.
        inside: String,
    },
    /// Both ends can't be of one connection.
    #[error("{a} and {b} are of different families: no packet has both")]
    Families {
        /// One address.
        a: IpAddr,
        /// The other address.
        b: IpAddr,
    },
    /// Both ends are the same.
    #[error("{0} does not talk to itself over the network: name two addresses")]
    SameEnds(IpAddr),
    /// An address that no device has.
    #[error("{address} is {what}, not a device's address")]
    NoDevice {
        /// The address.
        address: String,
        /// What it is.
        what: &'static str,
    },
    /// A subnet as wide as a site.
    #[error(
        "{subnet} is wider than a rule may be (/{widest}): that would stop the hospital, not an intruder"
    )]
    TooWide {
        /// The subnet.
        subnet: IpNet,
        /// The widest prefix length.
        widest: u8,
    },
    /// Host bits are set.
    #[error("{subnet} has host bits set: did you mean {meant}, or the device {device}?")]
    HostBits {
        /// As it was given.
        subnet: IpNet,
        /// The subnet without these bits.
        meant: IpNet,
        /// The address as it was given, if a single device was meant.
        device: IpAddr,
    },
    /// No such port.
    #[error("port 0 is no port of a service or connection")]
    PortZero,
    /// Two subnets of which one is in the other.
    #[error("{subnet} overlaps rule {id} ({other}): remove that rule first, or extend it")]
    Overlap {
        /// The subnet.
        subnet: IpNet,
        /// Id of the other rule.
        id: RuleId,
        /// The other rule's subnet.
        other: IpNet,
    },
    /// The same target with another scope, state or stickiness.
    #[error(
        "rule {id} has the same target and says something else ({what}): change or remove that rule instead"
    )]
    Contradiction {
        /// Id of the other rule.
        id: RuleId,
        /// What it says.
        what: String,
    },
    /// The rule is there and lasts longer.
    #[error(
        "rule {id} blocks {target} already, until {expires}; only a longer --ttl would change it"
    )]
    AlreadyBlocked {
        /// Id of the rule.
        id: RuleId,
        /// What the rule blocks.
        target: Target,
        /// When the rule ends.
        expires: Time,
    },
    /// The time to live is out of range.
    #[error("a rule lasts from {} seconds to {} days, not {given:?}", TTL_MIN.as_secs(), TTL_MAX.as_secs() / 86_400)]
    Ttl {
        /// As it was given.
        given: Duration,
    },
    /// Only a device has learnt clinical traffic.
    #[error(
        "keep-clinical is for a device, by IP or Ethernet address: a {kind} has no clinical traffic of its own"
    )]
    ScopeNotOfDevice {
        /// The target's kind.
        kind: &'static str,
    },
    /// Nothing was learnt of the device.
    #[error(
        "no clinical traffic of {0} is known long enough: keep-clinical would drop all of it; use the scope `all` if that is meant"
    )]
    NothingLearnt(Target),
    /// Nobody would know why.
    #[error("a reason is needed: it is what the next shift reads")]
    NoReason,
    /// The table is full.
    #[error("there are {RULES_MAX} rules, which is the most: remove some first")]
    TooMany,
    /// No such rule.
    #[error("there is no rule {0}; `wardtap rules list` shows those that there are")]
    NoRule(RuleId),
    /// The change does not fit the rule's state.
    #[error("rule {id} is {state}: {why}", state = state.label())]
    State {
        /// Id of the rule.
        id: RuleId,
        /// The state of the rule.
        state: State,
        /// Why the state does not allow the change.
        why: &'static str,
    },
    /// No such protection.
    #[error("{0} is not on the never-block list")]
    NotProtected(Protected),
    /// It is there already.
    #[error("{0} is on the never-block list already")]
    AlreadyProtected(Protected),
    /// The protection comes from the configuration.
    #[error("{0} is protected by the configuration, `containment.protect`: take it out there")]
    Configured(Protected),
}
