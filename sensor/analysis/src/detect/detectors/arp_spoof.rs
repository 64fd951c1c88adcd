//! An address that is at two Ethernet addresses at once, or that someone answers for unasked (ATT&CK
//! T1557.002).

use std::{net::IpAddr, num::NonZeroUsize};

use sensor_common::notice::arp::AGAIN;
use sensor_facts::{address::mac_text, finding::Origin, observation::ArpFacts};

use crate::detect::counted::CountedLru;
use crate::detect::{
    holders::{Holders, Taken},
    prelude::*,
    routers::senders,
};

pub(super) const ABOUT: About = About {
    id: "arp_spoof",
    techniques: &["T1557.002"],
    finds: "an address at two Ethernet addresses in turn, by packets or by ARP; someone who has an address and answers unasked for another",
    starts: Starts::AtOnce,
    wrong_if: &[IN_TURN, UNASKED],
    thresholds: THRESHOLDS,
    features: &[],
    new: |values| Box::new(ArpSpoof::new(values)),
};

thresholds! {
    /// Two Ethernet addresses that have an address in turn within this time have it at once; a device that was replaced
    /// does not.
    arp_spoof_within: seconds = 600, 10..=86_400;
}

const IN_TURN: &str = "two devices were given one address by mistake, a router answers for others (proxy ARP), or a pair of servers takes over from each other";
const UNASKED: &str = "a host has several addresses on one interface and announces them to single hosts, as some clusters do, or the question did not pass the sensor";

/// Addresses that are watched.
const ADDRESSES: NonZeroUsize = NonZeroUsize::new(65_536).expect("it is not zero");
/// The same in ARP, which does not leave a subnet.
const NEIGHBOURS: NonZeroUsize = NonZeroUsize::new(16_384).expect("it is not zero");
/// A question that goes on is told at this interval, nanoseconds; whoever asked within three of them has asked.
const ASKED: i64 = 3 * AGAIN.cast_signed();
/// Addresses kept of an Ethernet address that claims them.
const CLAIMS_MAX: usize = 8;

/// An answer that nobody had asked for.
struct Unasked {
    address: IpAddr,
    told: IpAddr,
    /// Who sent it, where that is another than it says.
    sent: String,
    time: Time,
}

pub(super) struct ArpSpoof {
    /// By IP packets.
    flows: Holders,
    /// By ARP.
    claims: Holders,
    /// Addresses that an Ethernet address claims by ARP, a few of them.
    claimed: CountedLru<Mac, Vec<IpAddr>>,
    /// Who asked for whom, when.
    asked: CountedLru<(IpAddr, IpAddr), Time>,
    unasked: CountedLru<Mac, Unasked>,
    reported: Reported<(IpAddr, bool)>,
    /// Two Ethernet addresses within this are at once, nanoseconds.
    at_once: i64,
}

impl ArpSpoof {
    fn new(values: &Values) -> Self {
        let at_once = Thresholds::of(values)
            .arp_spoof_within
            .as_nanos()
            .cast_signed();
        Self {
            flows: Holders::new(ADDRESSES, at_once),
            claims: Holders::new(NEIGHBOURS, at_once),
            claimed: CountedLru::new(NEIGHBOURS),
            asked: CountedLru::new(NEIGHBOURS),
            unasked: CountedLru::new(NEIGHBOURS),
            reported: Reported::new(values),
            at_once,
        }
    }
}

impl ArpSpoof {
    /// Takes the sender of IP packets.
    fn packets(&mut self, address: IpAddr, mac: Mac, site: &Site<'_>) -> Option<Draft> {
        let Taken::InTurn(other) = self.flows.take(address, mac, site.now) else {
            return None;
        };
        if site.routers.is_router(mac) || site.routers.is_router(other) {
            return None;
        }
        let found = self.in_turn("packets from", address, mac, other);
        Some(site.attribute(found, site.intruder(address, [mac, other])))
    }

    /// Takes the sender of ARP. A router claims its own addresses alone, so it makes no exception here: one who
    /// puts himself between others claims many.
    fn arp(&mut self, arp: &ArpFacts, site: &Site<'_>) -> Option<Draft> {
        let now = site.now;
        let (address, mac) = (IpAddr::V4(arp.sender), arp.sender_mac);
        let target = IpAddr::V4(arp.target);
        if arp.request {
            self.asked.put((address, target), now);
        }
        let claimed = self.claimed.get_or_insert_mut(mac, Vec::new);
        if claimed.len() < CLAIMS_MAX && !claimed.contains(&address) {
            claimed.push(address);
        }
        if let Taken::InTurn(other) = self.claims.take(address, mac, now) {
            let mut found = self.in_turn("ARP claims of", address, mac, other);
            found.evidence.push_str(&sent_by(arp));
            let intruder = site.intruder(address, [mac, other]);
            return Some(site.attribute(found, intruder));
        }
        if !arp.request && address != target && is_host(target) {
            let asked = self.asked.peek(&(target, address));
            if asked.is_none_or(|time| now.0.saturating_sub(time.0) > ASKED) {
                let unasked = Unasked {
                    address,
                    told: target,
                    sent: sent_by(arp),
                    time: now,
                };
                self.unasked.put(mac, unasked);
            }
        }
        let found = self.answers_unasked(mac, now)?;
        let victim = found.subject?;
        // It is no intruder if the address is its own by its traffic.
        let own = site.origins.of(victim, mac, now, site.routers) == Origin::Confirmed;
        Some(site.attribute(found, Some(mac).filter(|_| !own)))
    }

    /// Another address that an Ethernet address claims by ARP.
    fn other_claim(&self, mac: Mac, address: IpAddr) -> Option<IpAddr> {
        let claimed = self.claimed.peek(&mac)?;
        claimed.iter().copied().find(|own| *own != address)
    }

    fn in_turn(&self, what: &str, address: IpAddr, mac: Mac, other: Mac) -> Draft {
        let text = |mac| mac_text(mac).unwrap_or_default();
        Draft {
            confidence: 0.8,
            subject: Some(address),
            role: AttackRole::Victim,
            evidence: format!(
                "{what} {address} come from {} and {} in turn, within {} s",
                text(mac),
                text(other),
                self.at_once / 1_000_000_000
            ),
            ..Draft::default()
        }
    }

    /// One who has an address of his own, and answered unasked for another.
    fn answers_unasked(&self, mac: Mac, now: Time) -> Option<Draft> {
        let unasked = self.unasked.peek(&mac)?;
        if now.0.saturating_sub(unasked.time.0) > self.at_once {
            return None;
        }
        let own = self.other_claim(mac, unasked.address)?;
        let (address, told) = (unasked.address, unasked.told);
        Some(Draft {
            confidence: 0.7,
            subject: Some(address),
            role: AttackRole::Victim,
            victims: vec![told],
            evidence: format!(
                "{} told {told} by ARP that it has {address}, which {told} had not asked, and has {own} too{}",
                mac_text(mac).unwrap_or_default(),
                unasked.sent,
            ),
            wrong_if: UNASKED,
            ..Draft::default()
        })
    }
}

/// Who sent an ARP message, where that is not who it says.
fn sent_by(arp: &ArpFacts) -> String {
    if arp.frame_mac == arp.sender_mac {
        return String::new();
    }
    let frame = mac_text(arp.frame_mac).unwrap_or_default();
    format!("; {frame} sent the last of them")
}

impl Detector for ArpSpoof {
    fn evicted(&self) -> u64 {
        self.flows.evicted()
            + self.claims.evicted()
            + self.claimed.evicted()
            + self.asked.evicted()
            + self.unasked.evicted()
            + self.reported.evicted()
    }

    fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
        let found = match &seen.what {
            What::Flow(_) => senders(seen)
                .into_iter()
                .flatten()
                .find_map(|(mac, address)| self.packets(address, mac, site)),
            What::Arp(arp) if is_host(seen.client.ip()) && arp.sender_mac != [0; 6] => {
                self.arp(arp, site)
            }
            _ => None,
        };
        let found = found?;
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
