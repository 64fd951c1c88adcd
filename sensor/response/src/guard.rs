//! What is asked before a rule is made: whether it is sound, and whether it could touch what must never
//! be blocked. The kernel asks the latter again for every packet.

use std::{net::IpAddr, time::Duration};

use ipnet::IpNet;
use pnet::util::MacAddr;
use sensor_facts::{
    rule::{Rule, RuleId, Scope},
    target::{Protected, Target},
};

pub use super::refusal::{RULES_MAX, TTL_MAX, TTL_MIN};
use super::{Refusal, book::Book};

/// The widest subnet that a rule may block, as prefix length, for IPv4 and for IPv6.
pub const WIDEST: (u8, u8) = (8, 32);

/// What a new rule comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sound {
    /// A rule of its own.
    New,
    /// A rule that is there lasts longer: until the new end.
    Extends(RuleId),
}

/// Checks a rule against the never-block list and the rules that there are.
///
/// # Errors
/// [`Refusal`] says what is wrong and what to do.
pub fn check(rule: &Rule, book: &Book) -> Result<Sound, Refusal> {
    if rule.reason.trim().is_empty() {
        return Err(Refusal::NoReason);
    }
    let ttl = Duration::from_nanos(u64::try_from(rule.expires.0 - rule.created.0).unwrap_or(0));
    if !(TTL_MIN..=TTL_MAX).contains(&ttl) {
        return Err(Refusal::Ttl { given: ttl });
    }
    check_target(&rule.target)?;
    if rule.scope == Scope::KeepClinical
        && !matches!(rule.target, Target::Device { .. } | Target::Mac { .. })
    {
        return Err(Refusal::ScopeNotOfDevice {
            kind: rule.target.kind(),
        });
    }
    check_protected(&rule.target, book)?;
    for other in book.rules() {
        if let Some(sound) = check_other(rule, other)? {
            return Ok(sound);
        }
    }
    if book.len() >= RULES_MAX {
        return Err(Refusal::TooMany);
    }
    Ok(Sound::New)
}

fn check_other(rule: &Rule, other: &Rule) -> Result<Option<Sound>, Refusal> {
    if let (Target::Subnet { subnet }, Target::Subnet { subnet: wide }) =
        (rule.target, other.target)
        && subnet != wide
        && (wide.contains(&subnet) || subnet.contains(&wide))
    {
        return Err(Refusal::Overlap {
            subnet,
            id: other.id,
            other: wide,
        });
    }
    if rule.target != other.target {
        return Ok(None);
    }
    let same = (rule.scope, rule.state, rule.sticky) == (other.scope, other.state, other.sticky);
    if !same {
        let sticky = if other.sticky { ", sticky" } else { "" };
        let scope = match other.scope {
            Scope::All => "all",
            Scope::KeepClinical => "keep-clinical",
        };
        return Err(Refusal::Contradiction {
            id: other.id,
            what: format!("{}, scope {scope}{sticky}", other.state.label()),
        });
    }
    if rule.expires <= other.expires {
        return Err(Refusal::AlreadyBlocked {
            id: other.id,
            target: other.target,
            expires: other.expires,
        });
    }
    Ok(Some(Sound::Extends(other.id)))
}

/// Checks a target by itself; in canonical form, but for a subnet's host bits.
///
/// # Errors
/// [`Refusal`].
pub fn check_target(target: &Target) -> Result<(), Refusal> {
    match *target {
        Target::Flow { a, b, .. } => {
            if a.port() == 0 || b.port() == 0 {
                return Err(Refusal::PortZero);
            }
            check_ends(a.ip(), b.ip())
        }
        Target::Pair { a, b, service } => {
            if service.is_some_and(|service| service.port == 0) {
                return Err(Refusal::PortZero);
            }
            check_ends(a, b)
        }
        Target::Service { address, service } => {
            if service.port == 0 {
                return Err(Refusal::PortZero);
            }
            check_address(address)
        }
        Target::Device { address } => check_address(address),
        Target::Mac { mac } => check_mac(mac),
        Target::Subnet { subnet } => {
            check_subnet(subnet)?;
            let widest = if subnet.addr().is_ipv4() {
                WIDEST.0
            } else {
                WIDEST.1
            };
            if subnet.prefix_len() < widest {
                return Err(Refusal::TooWide { subnet, widest });
            }
            Ok(())
        }
    }
}

/// Checks what is to be protected.
///
/// # Errors
/// [`Refusal`].
pub fn check_protection(what: &Protected) -> Result<(), Refusal> {
    match *what {
        Protected::Device { address } => check_address(address),
        Protected::Mac { mac } => check_mac(mac),
        Protected::Subnet { subnet } => check_subnet(subnet),
    }
}

fn check_ends(a: IpAddr, b: IpAddr) -> Result<(), Refusal> {
    check_address(a)?;
    check_address(b)?;
    if a.is_ipv4() != b.is_ipv4() {
        return Err(Refusal::Families { a, b });
    }
    if a == b {
        return Err(Refusal::SameEnds(a));
    }
    Ok(())
}

fn check_address(address: IpAddr) -> Result<(), Refusal> {
    let broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
    let what = if address.is_unspecified() {
        "the unspecified address"
    } else if address.is_loopback() {
        "a loopback address"
    } else if address.is_multicast() {
        "a multicast address"
    } else if broadcast {
        "the broadcast address"
    } else {
        return Ok(());
    };
    Err(Refusal::NoDevice {
        address: address.to_string(),
        what,
    })
}

fn check_mac(mac: MacAddr) -> Result<(), Refusal> {
    let what = if mac.is_zero() {
        "no address at all"
    } else if mac.is_broadcast() {
        "the broadcast address"
    } else if mac.is_multicast() {
        "a multicast address"
    } else {
        return Ok(());
    };
    Err(Refusal::NoDevice {
        address: mac.to_string(),
        what,
    })
}

fn check_subnet(subnet: IpNet) -> Result<(), Refusal> {
    if subnet.addr() != subnet.network() {
        return Err(Refusal::HostBits {
            subnet,
            meant: subnet.trunc(),
            device: subnet.addr(),
        });
    }
    Ok(())
}

/// Refuses a target of which an end, or a part, is protected.
///
/// # Errors
/// [`Refusal`] names the entries.
pub fn check_protected(target: &Target, book: &Book) -> Result<(), Refusal> {
    if let Target::Subnet { subnet } = *target {
        let inside: Vec<_> = book
            .protected()
            .filter(|entry| touches(&entry.what, subnet))
            .map(|entry| entry.what.to_string())
            .collect();
        if inside.is_empty() {
            return Ok(());
        }
        return Err(Refusal::ProtectedInside {
            subnet,
            inside: inside.join(", "),
        });
    }
    match book.protected().find(|entry| protects(&entry.what, target)) {
        Some(entry) => Err(Refusal::Protected {
            what: entry.what.to_string(),
            reason: entry.reason.clone(),
        }),
        None => Ok(()),
    }
}

fn touches(what: &Protected, subnet: IpNet) -> bool {
    match *what {
        Protected::Device { address } => subnet.contains(&address),
        Protected::Subnet { subnet: other } => subnet.contains(&other) || other.contains(&subnet),
        Protected::Mac { .. } => false,
    }
}

/// True if an entry of the never-block list makes a rule for the target void: it protects an end of it, or
/// the whole subnet.
#[must_use]
pub fn protects(what: &Protected, target: &Target) -> bool {
    let (mac, first, second) = match *target {
        Target::Flow { a, b, .. } => (None, Some(a.ip()), Some(b.ip())),
        Target::Pair { a, b, .. } => (None, Some(a), Some(b)),
        Target::Service { address, .. } | Target::Device { address } => (None, Some(address), None),
        Target::Mac { mac } => (Some(mac), None, None),
        Target::Subnet { subnet } => {
            return match *what {
                Protected::Subnet { subnet: other } => other.contains(&subnet),
                _ => false,
            };
        }
    };
    let ends = || [first, second].into_iter().flatten();
    match *what {
        Protected::Device { address } => ends().any(|end| end == address),
        Protected::Subnet { subnet } => ends().any(|end| subnet.contains(&end)),
        Protected::Mac { mac: protected } => mac == Some(protected),
    }
}
