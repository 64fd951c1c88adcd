//! Which Ethernet address a device's packets come from, as completed TCP handshakes prove it.
//!
//! A source address in a packet proves nothing: any host can write it. A host that only writes it does not get the
//! answers, so it cannot complete a handshake (RFC 9293 section 3.5) unless it also stands in the path of the
//! answers. So an address counts as confirmed once it has completed a handshake, together with the Ethernet address
//! that it did so from. Only such addresses take room here: packets with made-up source addresses evict nobody.

use std::{net::IpAddr, num::NonZeroUsize};

use lru::LruCache;
use sensor_common::packet::protocol;
use sensor_facts::{
    address::mac_text,
    finding::{Finding, Origin},
    observation::{Mac, Observation, What, is_host, is_public},
    router::proves,
    time::Time,
};

use super::routers::Routers;

/// Addresses that are kept; the one whose last handshake is longest ago makes room.
const ADDRESSES: NonZeroUsize = NonZeroUsize::new(65_536).expect("it is not zero");
/// A handshake confirms its address for this long, nanoseconds: one day.
const CONFIRMED_FOR: i64 = 86_400_000_000_000;
/// An address belongs to another Ethernet address once the one before has been silent for this long, nanoseconds: one
/// hour. Until then the newcomer may be a host that took the address over.
const SILENT_FOR: i64 = 3_600_000_000_000;

const UNKNOWN: Mac = [0; 6];

/// Where a confirmed address sends from.
struct Confirmed {
    /// The Ethernet address of its handshakes; zero where no packet had one.
    mac: Mac,
    /// When the last one was completed.
    last: Time,
}

/// The addresses that completed a handshake. See the module's description.
pub(crate) struct Origins {
    confirmed: LruCache<IpAddr, Confirmed>,
    /// The address that completed the last handshake from an Ethernet address that is no router's.
    holders: LruCache<Mac, (IpAddr, Time)>,
    evicted: u64,
}

impl Default for Origins {
    fn default() -> Self {
        Self {
            confirmed: LruCache::new(ADDRESSES),
            holders: LruCache::new(ADDRESSES),
            evicted: 0,
        }
    }
}

/// What has to be said beside a finding's evidence if another host may have sent it.
pub(crate) fn caution(finding: &Finding) -> String {
    let (Some(sender), false) = (&finding.sender_mac, finding.role.is_victim()) else {
        return String::new();
    };
    let subject = finding.subject;
    match finding.origin {
        Origin::Confirmed => String::new(),
        Origin::Unconfirmed => format!(
            "; sent from Ethernet address {sender}, and no completed TCP handshake confirms that it was {subject}"
        ),
        Origin::Foreign => format!(
            "; sent from Ethernet address {sender}, which is not the one that {subject} is known to use"
        ),
    }
}

impl Origins {
    /// Takes an observation: if it rests on a completed handshake, both its ends are confirmed.
    pub(crate) fn learn(&mut self, seen: &Observation, routers: &Routers) {
        if !is_handshake(seen) {
            return;
        }
        for (end, mac) in [seen.client, seen.server].into_iter().zip(seen.macs) {
            if is_host(end.ip()) {
                self.confirm(end.ip(), mac, seen.time, routers);
            }
        }
    }

    /// Whose Ethernet address it is by completed handshakes: an address that is confirmed there, of those the last.
    pub(crate) fn holder(&self, mac: Mac, now: Time, routers: &Routers) -> Option<IpAddr> {
        let (address, last) = *self.holders.peek(&mac)?;
        let recent = now.0.saturating_sub(last.0) <= CONFIRMED_FOR;
        (recent && !routers.is_router(mac)).then_some(address)
    }

    fn confirm(&mut self, address: IpAddr, mac: Mac, now: Time, routers: &Routers) {
        let Some(known) = self.confirmed.get_mut(&address) else {
            let confirmed = Confirmed { mac, last: now };
            self.hold(mac, address, now);
            if let Some((other, _)) = self.confirmed.push(address, confirmed)
                && other != address
            {
                self.evicted += 1;
            }
            return;
        };
        let is_same = known.mac == mac;
        let silent = now.0.saturating_sub(known.last.0) > SILENT_FOR;
        if known.is_from(mac, routers) || silent {
            if mac != UNKNOWN {
                known.mac = mac;
            }
            known.last = known.last.max(now);
        }
        if is_same {
            self.hold(mac, address, now);
        }
    }

    /// The address completed a handshake from an Ethernet address. That of an Internet host is its router's, also before it is
    /// known as one.
    fn hold(&mut self, mac: Mac, address: IpAddr, now: Time) {
        if mac != UNKNOWN
            && !is_public(address)
            && let Some((other, _)) = self.holders.push(mac, (address, now))
            && other != mac
        {
            self.evicted += 1;
        }
    }

    /// Notes in a finding how sure it is that its subject sent what `seen` rests on, and from where; without an
    /// observation, that the subject's address is confirmed at all.
    pub(crate) fn judge(
        &self,
        finding: &mut Finding,
        seen: Option<&Observation>,
        routers: &Routers,
    ) {
        let subject = finding.subject;
        let mac = seen.map_or(UNKNOWN, |seen| {
            let [client, server] = seen.macs;
            match subject {
                it if it == seen.client.ip() => client,
                it if it == seen.server.ip() => server,
                _ => UNKNOWN,
            }
        });
        let ends = seen.map(|seen| [seen.client.ip(), seen.server.ip()]);
        // Whom a detector named by an Ethernet address, which anyone can write, sent no packet under its own address.
        finding.origin = if ends.is_some_and(|ends| !ends.contains(&subject)) {
            Origin::Unconfirmed
        } else {
            self.of(subject, mac, finding.time, routers)
        };
        finding.sender_mac = mac_text(mac);
        let caution = caution(finding);
        finding.evidence.push_str(&caution);
    }

    /// True if a completed handshake confirms an address, wherever it sends from.
    pub(crate) fn confirms(&self, address: IpAddr, now: Time) -> bool {
        self.recent(address, now).is_some()
    }

    fn recent(&self, address: IpAddr, now: Time) -> Option<&Confirmed> {
        let known = self.confirmed.peek(&address);
        known.filter(|known| now.0.saturating_sub(known.last.0) <= CONFIRMED_FOR)
    }

    /// How sure it is that packets with this source address, sent from this Ethernet address, are the device's own.
    pub(crate) fn of(&self, address: IpAddr, mac: Mac, now: Time, routers: &Routers) -> Origin {
        match self.recent(address, now) {
            None => Origin::Unconfirmed,
            Some(known) if known.is_from(mac, routers) => Origin::Confirmed,
            Some(_) => Origin::Foreign,
        }
    }

    /// Confirmed addresses that made room for others.
    pub(crate) const fn evicted(&self) -> u64 {
        self.evicted
    }
}

impl Confirmed {
    /// True if packets from this Ethernet address may be those of the device: it is the one of its handshakes, or both
    /// are routers', of which a site may have several on the way to a device.
    fn is_from(&self, mac: Mac, routers: &Routers) -> bool {
        mac == UNKNOWN
            || self.mac == UNKNOWN
            || self.mac == mac
            || (routers.is_router(self.mac) && routers.is_router(mac))
    }
}

/// True if a TCP handshake was completed before what was seen: the server sent data, or a protocol's request was answered.
fn is_handshake(seen: &Observation) -> bool {
    let [client, server] = seen.macs;
    // One host that writes both sides of a connection has answered nobody but itself.
    if seen.protocol != protocol::TCP || (client == server && client != UNKNOWN) {
        return false;
    }
    match &seen.what {
        What::Flow(facts) => {
            facts.established(seen.protocol)
                && proves(seen.protocol, true, &facts.to_server, &facts.to_client)
        }
        What::Association { .. } | What::AssociationRejected { .. } | What::ClinicalTls => true,
        What::Hl7(message) => message.ack_code.is_some(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use sensor_facts::observation::{FlowFacts, Half};

    use super::*;

    const CT: Mac = [2, 0, 0, 0, 0, 1];
    const INTRUDER: Mac = [2, 0, 0, 0, 0, 66];
    const ARCHIVE: Mac = [2, 0, 0, 0, 0, 10];

    fn address(host: u8) -> IpAddr {
        IpAddr::from([10, 1, 2, host])
    }

    fn flow(seconds: i64, mac: Mac, answered: bool) -> Observation {
        let half = |payload| Half {
            packets: 4,
            payload,
            syn: 1,
            ..Half::default()
        };
        Observation {
            time: Time(seconds * 1_000_000_000),
            protocol: protocol::TCP,
            client: SocketAddr::new(address(50), 40_000),
            server: SocketAddr::new(address(10), 104),
            macs: [mac, ARCHIVE],
            what: What::Flow(Box::new(FlowFacts {
                to_server: half(100),
                to_client: half(if answered { 100 } else { 0 }),
                ..FlowFacts::default()
            })),
        }
    }

    fn origin(origins: &Origins, mac: Mac, seconds: i64) -> Origin {
        let now = Time(seconds * 1_000_000_000);
        origins.of(address(50), mac, now, &Routers::new(4))
    }

    #[test]
    fn a_handshake_confirms_an_address_at_its_ethernet_address() {
        let (mut origins, routers) = (Origins::default(), Routers::new(4));
        origins.learn(&flow(0, CT, false), &routers);
        assert_eq!(origin(&origins, CT, 1), Origin::Unconfirmed);
        origins.learn(&flow(1, CT, true), &routers);
        assert_eq!(origin(&origins, CT, 2), Origin::Confirmed);
        assert_eq!(origin(&origins, INTRUDER, 2), Origin::Foreign);
        assert_eq!(origin(&origins, CT, 2 + 86_400), Origin::Unconfirmed);
    }

    #[test]
    fn no_host_of_the_internet_holds_an_ethernet_address() {
        let (mut origins, routers) = (Origins::default(), Routers::new(4));
        let holder = |origins: &Origins| origins.holder(ARCHIVE, Time(3_000_000_000), &routers);
        let mut seen = flow(1, CT, true);
        seen.server = SocketAddr::new([203, 0, 114, 66].into(), 443);
        origins.learn(&seen, &routers);
        assert_eq!(holder(&origins), None);
        origins.learn(&flow(2, CT, true), &routers);
        assert_eq!(holder(&origins), Some(address(10)));
    }

    /// Whoever intercepts the answers (ARP spoofing) completes handshakes under another's address.
    #[test]
    fn an_address_is_not_taken_over_while_its_device_is_there() {
        let (mut origins, routers) = (Origins::default(), Routers::new(4));
        origins.learn(&flow(0, CT, true), &routers);
        for second in 1..1_000 {
            origins.learn(&flow(second, INTRUDER, true), &routers);
        }
        assert_eq!(origin(&origins, INTRUDER, 1_000), Origin::Foreign);
        assert_eq!(origin(&origins, CT, 1_000), Origin::Confirmed);
        // A device that was replaced: the old one has been silent for more than an hour.
        origins.learn(&flow(3_601, INTRUDER, true), &routers);
        assert_eq!(origin(&origins, INTRUDER, 3_602), Origin::Confirmed);
    }

    #[test]
    fn made_up_addresses_take_no_room() {
        let (mut origins, routers) = (Origins::default(), Routers::new(4));
        origins.learn(&flow(0, CT, true), &routers);
        for number in 0..100_000_u32 {
            let mut forged = flow(1, INTRUDER, false);
            forged.client = SocketAddr::new(IpAddr::from(number.to_be_bytes()), 1);
            origins.learn(&forged, &routers);
        }
        assert_eq!(origin(&origins, CT, 2), Origin::Confirmed);
        assert_eq!((origins.confirmed.len(), origins.evicted()), (2, 0));
    }
}
