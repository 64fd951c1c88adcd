//! What a detector may ask.

use std::{collections::HashMap, net::IpAddr};

use sensor_facts::{
    address::mac_text,
    finding::{AttackRole, Origin},
    observation::{Mac, is_public},
    setting::Network,
    time::Time,
};
use sensor_sessions::inventory::Role;

use super::{draft::Draft, fair::Who, named::Named, origins::Origins, routers::Routers};
use crate::{
    baseline::{Baselines, Delta, Fact, Familiar},
    behaviour::Behaviour,
};

/// What a detector may ask.
pub(crate) struct Site<'a> {
    /// The time of the observation.
    pub(crate) now: Time,
    /// What is usual.
    pub(crate) baselines: &'a Baselines,
    /// How surprising windows were.
    pub(crate) behaviour: &'a Behaviour,
    /// Who stands for many.
    pub(crate) routers: &'a Routers,
    /// Which addresses completed handshakes confirm.
    pub(crate) origins: &'a Origins,
    /// Who names which address as its own.
    pub(crate) named: &'a Named,
    /// Networks that belong to the site, beside private ones.
    pub(crate) inside: &'a [Network],
    /// The roles of devices that are known, where one decides something.
    pub(crate) roles: &'a HashMap<IpAddr, Role>,
    /// Bytes of the observed flow since its last report.
    pub(crate) delta: Option<Delta>,
}

impl Site<'_> {
    /// True if the fact is part of what is usual of the device.
    pub(crate) fn knows(&self, device: IpAddr, fact: &Fact<'_>) -> bool {
        self.baselines.familiar(device, fact, self.now) == Familiar::Known
    }

    /// The same, but what a device did in a learning time of its own, which began after that of the site, does not count:
    /// a newcomer does not earn higher thresholds by its own behaviour.
    pub(crate) fn trusts(&self, device: IpAddr, fact: &Fact<'_>) -> bool {
        self.knows(device, fact) && !self.baselines.is_newcomer(device, self.now)
    }

    /// True if the fact is usual at the site.
    pub(crate) fn knows_at_site(&self, fact: &Fact<'_>) -> bool {
        self.baselines.familiar_at_site(fact, self.now) == Familiar::Known
    }

    /// True during the learning period.
    pub(crate) fn learns(&self) -> bool {
        self.baselines.site_learns(self.now)
    }

    /// An address, with whether a completed handshake confirms it.
    pub(crate) fn who(&self, address: IpAddr) -> Who {
        Who {
            address,
            confirmed: self.origins.confirms(address, self.now),
        }
    }

    /// Of two Ethernet addresses that claim an address, the one that took it: the other is the one from which its device
    /// completes handshakes, or else the one that named the address as its own before. None where neither is.
    pub(crate) fn intruder(&self, address: IpAddr, macs: [Mac; 2]) -> Option<Mac> {
        let of = |mac| self.origins.of(address, mac, self.now, self.routers);
        match macs.map(of) {
            [Origin::Foreign, Origin::Confirmed] => Some(macs[0]),
            [Origin::Confirmed, Origin::Foreign] => Some(macs[1]),
            [Origin::Unconfirmed, Origin::Unconfirmed] => {
                let owner = self.named.owner(address, self.now)?;
                match macs.map(|mac| mac == owner) {
                    [false, true] => Some(macs[0]),
                    [true, false] => Some(macs[1]),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// An address that an Ethernet address names as its own by ARP or neighbour discovery, and whose device completes no
    /// handshakes elsewhere; not the one that it is accused of having taken.
    fn own_address(&self, mac: Mac, taken: IpAddr) -> Option<IpAddr> {
        self.named.of(mac).find(|own| {
            let origin = self.origins.of(*own, mac, self.now, self.routers);
            *own != taken && origin != Origin::Foreign
        })
    }

    /// Makes a finding about a victim one about its attacker, where the traffic of the Ethernet address that attacked says
    /// whose it is: handshakes, or else an address as which it asks others by ARP or neighbour discovery.
    pub(crate) fn attribute(&self, mut draft: Draft, attacker: Option<Mac>) -> Draft {
        let Some((mac, victim)) = attacker.zip(draft.subject) else {
            return draft;
        };
        let name = mac_text(mac).unwrap_or_default();
        let by_handshakes = self.origins.holder(mac, self.now, self.routers);
        let (holder, by) = by_handshakes.map_or_else(
            || {
                let own = self.own_address(mac, victim);
                let v6 = own.is_some_and(|own| own.is_ipv6());
                (own, if v6 { "neighbour discovery" } else { "ARP" })
            },
            |it| (Some(it), "traffic"),
        );
        match holder {
            Some(holder) if holder != victim && !draft.victims.contains(&holder) => {
                draft.evidence = format!(
                    "{}; {name} is the Ethernet address of {holder} by its own {by}, {victim} is attacked",
                    draft.evidence
                );
                draft.victims.insert(0, victim);
                draft.subject = Some(holder);
                draft.role = AttackRole::Suspect;
            }
            _ => {
                draft.evidence = format!(
                    "{}; {name} is the intruder, and neither a completed handshake nor a question to its neighbours shows an address of its own",
                    draft.evidence
                );
            }
        }
        draft
    }

    /// True for an address outside of the site.
    pub(crate) fn is_outside(&self, address: IpAddr) -> bool {
        is_outside(address, self.inside)
    }
}

/// True for an address that is neither private nor in one of the networks of the site.
pub(crate) fn is_outside(address: IpAddr, inside: &[Network]) -> bool {
    is_public(address) && !inside.iter().any(|net| net.0.contains(&address))
}
