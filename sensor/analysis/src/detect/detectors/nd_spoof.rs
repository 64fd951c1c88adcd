//! An IPv6 address that someone else claims by neighbour discovery (RFC 4861; ATT&CK T1557).

use std::{
    net::{IpAddr, Ipv6Addr},
    num::NonZeroUsize,
};

use sensor_facts::{address::mac_text, observation::NeighbourFacts};

use crate::detect::counted::CountedLru;
use crate::detect::{
    fair::{Who, key},
    holders::{Holders, Taken},
    prelude::*,
};

pub(super) const ABOUT: About = About {
    id: "nd_spoof",
    techniques: &["T1557"],
    finds: "an IPv6 address that two Ethernet addresses claim in turn by neighbour discovery, or that one takes from another unasked; someone who says of every address that others try out that it is taken",
    starts: Starts::AtOnce,
    wrong_if: &[IN_TURN, TAKEN, REFUSES],
    thresholds: THRESHOLDS,
    features: &[],
    new: |values| Box::new(NdSpoof::new(values)),
};

thresholds! {
    /// Two Ethernet addresses that claim an IPv6 address in turn within this time have it at once.
    nd_spoof_within: seconds = 600, 10..=86_400;
    /// An Ethernet address that says of this many addresses within `nd_spoof_within`, as others try them out, that it has
    /// them, refuses them.
    nd_spoof_refused: count = 3, 2..=1_024;
}

const IN_TURN: &str = "two devices were given one address by mistake, a router answers for others (proxy), or a pair of servers takes over from each other";
const TAKEN: &str =
    "a spare took the address over from a server that failed, or its network card was replaced";
const REFUSES: &str = "a device was copied, so that two make the same addresses";

/// Addresses that are watched.
const ADDRESSES: NonZeroUsize = NonZeroUsize::new(16_384).expect("it is not zero");
/// An answer comes within this time, nanoseconds: three retransmissions, a second apart (RFC 4861 section 10).
const ANSWER: i64 = 5 * 1_000_000_000;

pub(super) struct NdSpoof {
    claims: Holders,
    /// Who asked for whom, when.
    asked: CountedLru<(Ipv6Addr, Ipv6Addr), Time>,
    /// Who tried an address out, and when.
    tried: CountedLru<Ipv6Addr, (Mac, Time)>,
    refused: Window<Ipv6Addr>,
    reported: Reported<(IpAddr, bool)>,
    /// Two Ethernet addresses within this are at once, nanoseconds.
    at_once: i64,
}

impl NdSpoof {
    fn new(values: &Values) -> Self {
        let own = Thresholds::of(values);
        let at_once = own.nd_spoof_within.as_nanos().cast_signed();
        Self {
            claims: Holders::new(ADDRESSES, at_once),
            asked: CountedLru::new(ADDRESSES),
            tried: CountedLru::new(ADDRESSES),
            refused: Window::new(own.nd_spoof_within, own.nd_spoof_refused),
            reported: Reported::new(values),
            at_once,
        }
    }

    /// Takes a claim of an address.
    fn claim(&mut self, facts: &NeighbourFacts, site: &Site<'_>) -> Option<Draft> {
        let now = site.now;
        let (address, mac) = facts.claim()?;
        let taken = self.claims.take(address.into(), mac, now);
        let text = |mac| mac_text(mac).unwrap_or_default();
        let (confidence, other, how, wrong_if) = match taken {
            Taken::Known => return None,
            Taken::InTurn(other) => (0.8, other, "in turn", IN_TURN),
            Taken::From(other) => {
                // Who is asked may answer for the first time; who answers unasked replaces what is known.
                let asked = self
                    .asked
                    .peek(&(facts.destination, address))
                    .is_some_and(|time| now.0.saturating_sub(time.0) <= ANSWER);
                if facts.solicitation || !(facts.replaces || facts.solicited) {
                    return None;
                }
                // A proxy leaves in force what is known (RFC 4861 section 7.2.8).
                let owner = site.named.owner(address.into(), now);
                let against = facts.replaces && owner == Some(other);
                match (asked, against) {
                    (false, _) => (0.6, other, "the first unasked", TAKEN),
                    (true, true) => (0.65, other, "the first in place of the other", TAKEN),
                    (true, false) => return None,
                }
            }
        };
        let mut evidence = format!(
            "{} and {} claim {address} by neighbour discovery, {how}, within {} s",
            text(mac),
            text(other),
            self.at_once / 1_000_000_000
        );
        if facts.frame_mac != mac {
            evidence.push_str("; ");
            evidence.push_str(&text(facts.frame_mac));
            evidence.push_str(" sent the last of it");
        }
        let address = IpAddr::from(address);
        let found = Draft {
            confidence,
            subject: Some(address),
            role: AttackRole::Victim,
            evidence,
            wrong_if,
            ..Draft::default()
        };
        let intruder = match taken {
            Taken::From(_) => Some(mac),
            _ => site.intruder(address, [mac, other]),
        };
        Some(site.attribute(found, intruder))
    }

    /// Takes an answer to one who tried an address out.
    fn refuses(&mut self, facts: &NeighbourFacts, now: Time) -> Option<Draft> {
        let (who, when) = *self.tried.peek(&facts.target)?;
        if facts.solicitation || facts.frame_mac == who || now.0.saturating_sub(when.0) > ANSWER {
            return None;
        }
        let sender = key(facts.frame_mac);
        let refused = self
            .refused
            .add(Who::unconfirmed(sender), facts.target, now)?;
        let all: Vec<String> = refused.iter().take(3).map(Ipv6Addr::to_string).collect();
        Some(Draft {
            confidence: 0.7,
            subject: Some(facts.target.into()),
            role: AttackRole::Victim,
            evidence: format!(
                "{} said of {} addresses that others tried out within {} s that it has them, the last tried by {}: {}",
                mac_text(facts.frame_mac).unwrap_or_default(),
                refused.len(),
                self.at_once / 1_000_000_000,
                mac_text(who).unwrap_or_default(),
                all.join(", ")
            ),
            wrong_if: REFUSES,
            ..Draft::default()
        })
    }
}

impl Detector for NdSpoof {
    fn evicted(&self) -> u64 {
        self.claims.evicted()
            + self.asked.evicted()
            + self.tried.evicted()
            + self.refused.evicted()
            + self.reported.evicted()
    }

    fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
        let What::Neighbour(facts) = &seen.what else {
            return None;
        };
        if facts.solicitation {
            if facts.source.is_unspecified() {
                self.tried.put(facts.target, (facts.frame_mac, seen.time));
            } else {
                self.asked.put((facts.source, facts.target), seen.time);
            }
        }
        let refuses = self.refuses(facts, seen.time);
        let found = self.claim(facts, site).or(refuses)?;
        // Of an attacker, each victim is told once; again when it is known who attacks.
        let named = !found.role.is_victim();
        let victim = if named {
            *found.victims.first()?
        } else {
            found.subject?
        };
        self.reported
            .first((victim, named), seen.time)
            .then_some(found)
    }
}
