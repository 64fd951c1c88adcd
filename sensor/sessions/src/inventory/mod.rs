//! Hosts as they were seen, and what follows from that: who made them, what they are.
//!
//! A host is an address that sent something. Hosts that were seen in a conversation of both
//! directions, or with a clinical protocol, are kept apart from the others, so that a scan or a flood
//! of invented senders replaces only its own kind.
//!
//! A device that DHCP gives another address is followed by its Ethernet address.

mod deed;
mod host;
mod macs;
mod memory;
mod report;
mod role;
mod stations;
mod vendor;

use std::{borrow::Cow, net::IpAddr, num::NonZeroUsize};

use lru::LruCache;
use sensor_common::{
    flow::{self, Flow, Half},
    key::FlowKey,
    packet::{TCP_ACK, TCP_SYN, protocol},
};

pub use memory::Memory;
pub use report::{
    AddressBefore, AeTitle, Caller, DicomImplementation, HostName, HostReport, NameSource, Service,
    ServiceUse,
};
pub use role::{Role, RoleReport};
pub use vendor::{RANDOM, TABLE_DATE, vendor};

use self::{
    deed::{Deed, deed_of, deeds_of},
    host::Host,
    macs::Macs,
    stations::Stations,
};
use crate::{pipeline::protocol_name, protocol::notice::Dhcp};
use sensor_facts::{
    address::{Conversation, addresses},
    event::{Association, AssociationOutcome, Hl7Message, Side},
    observation::{ArpFacts, Mac, is_host},
    time::{Time, Timebase},
};

/// All hosts.
#[derive(Debug)]
pub struct Inventory {
    known: LruCache<IpAddr, Host>,
    fresh: LruCache<IpAddr, Host>,
    macs: Macs,
    stations: Stations,
    moves: Vec<(IpAddr, IpAddr, Time)>,
    evicted: u64,
    omitted: u64,
}

/// One side of a flow.
struct End<'a> {
    address: IpAddr,
    mac: [u8; 6],
    port: u16,
    peer: (IpAddr, u16),
    sent: &'a Half,
    received: &'a Half,
    opened: bool,
}

impl Inventory {
    /// An empty inventory with room for so many hosts, [known and other](self).
    #[must_use]
    pub fn new(known: usize, fresh: usize) -> Self {
        let capacity = |size| NonZeroUsize::new(size).unwrap_or(NonZeroUsize::MIN);
        Self {
            known: LruCache::new(capacity(known)),
            fresh: LruCache::new(capacity(fresh)),
            macs: Macs::new(capacity(known)),
            stations: Stations::new(capacity(known)),
            moves: Vec::new(),
            evicted: 0,
            omitted: 0,
        }
    }

    /// Addresses of the hosts that were seen to answer or to speak a clinical protocol.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.known.iter().map(|(address, _)| *address)
    }

    /// Takes the state of a running flow.
    pub fn flow_seen(&mut self, key: &FlowKey, flow: &Flow, timebase: Timebase) {
        self.flow(key, flow, timebase, false);
    }

    /// Takes the final state of a flow.
    pub fn flow_ended(&mut self, key: &FlowKey, flow: &Flow, timebase: Timebase) {
        self.flow(key, flow, timebase, true);
    }

    fn flow(&mut self, key: &FlowKey, flow: &Flow, timebase: Timebase, ended: bool) {
        let answered = flow.directions.iter().all(|half| half.packets > 0);
        let app_proto = protocol_name(flow.protocol());
        for end in ends(key, flow) {
            if end.sent.packets == 0 || !is_host(end.address) {
                continue;
            }
            self.macs.add(end.mac, end.address);
            self.follow(end.mac, end.address, timebase.wall(end.sent.last));
            let service = offers(key.protocol, &end).then(|| Service {
                proto: Cow::Borrowed(proto_name(key.protocol)),
                port: end.port,
                app_proto: app_proto.map(Cow::Borrowed),
            });
            let used = (end.opened && answered).then(|| used(key.protocol, &end, app_proto));
            let times = (timebase.wall(end.sent.first), timebase.wall(end.sent.last));
            let host = self.host(end.address, answered || app_proto.is_some(), times.0);
            host.seen(times.0, times.1);
            host.mac(end.mac);
            if ended {
                host.add_flow(end.sent.bytes, end.received.bytes, end.opened);
            }
            let omitted = service.map_or(0, |service| host.service(service))
                + used.flatten().map_or(0, |used| host.uses(used));
            self.omitted += omitted;
        }
    }

    /// Takes an association as it stands; `source` is the side that opened the connection.
    pub fn association(
        &mut self,
        conversation: &Conversation,
        source: Side,
        association: &Association,
    ) {
        // A title that was not accepted need not be anyone's.
        let accepted = !matches!(
            association.outcome,
            AssociationOutcome::Pending | AssociationOutcome::Rejected
        );
        for (address, side) in [
            (conversation.src_ip, source),
            (conversation.dest_ip, source.other()),
        ] {
            let asked = side == Side::Requestor;
            let (title, implementation) = if asked {
                (&association.calling_ae, &association.requestor)
            } else {
                (&association.called_ae, &association.acceptor)
            };
            let scu = association
                .commands
                .iter()
                .any(|command| command.scu == side);
            let scp = association
                .commands
                .iter()
                .any(|command| command.scu != side);
            let title = title
                .clone()
                .filter(|title| !title.is_empty() && (asked || accepted));
            let title = title.map(|title| AeTitle {
                title,
                requestor: asked,
                acceptor: !asked,
                scu,
                scp,
            });
            let implementation = implementation.as_ref().and_then(|implementation| {
                Some(DicomImplementation {
                    class_uid: implementation.class_uid.clone()?,
                    version_name: implementation.version_name.clone(),
                })
            });
            let peer = if side == source {
                conversation.dest_ip
            } else {
                conversation.src_ip
            };
            let caller = (!asked).then(|| association.calling_ae.clone()).flatten();
            let caller = caller.filter(|_| association.outcome != AssociationOutcome::Pending);
            let caller = caller.map(|title| Caller {
                address: peer,
                title,
                accepted,
                rejected: !accepted,
            });
            let host = self.host(address, true, association.start);
            host.seen(association.start, association.end);
            host.cleartext_dicom = true;
            let name = title.as_ref().map(|title| title.title.clone());
            for command in &association.commands {
                if let Some(deed) = deed_of(command, side) {
                    host.deeds
                        .add(deed, peer, name.as_deref(), association.start);
                }
            }
            let omitted = title.map_or(0, |title| host.title(title))
                + implementation.map_or(0, |implementation| host.implementation(implementation))
                + caller.map_or(0, |caller| host.caller(caller));
            self.omitted += omitted;
        }
    }

    /// Takes an HL7 message.
    pub fn message(&mut self, conversation: &Conversation, message: &Hl7Message, time: Time) {
        let (sender, receiver) = if message.to_server {
            (conversation.src_ip, conversation.dest_ip)
        } else {
            (conversation.dest_ip, conversation.src_ip)
        };
        let host = self.host(sender, true, time);
        host.seen(time, time);
        host.cleartext_hl7 = true;
        let omitted = host.application(
            message.sending_application.as_ref(),
            message.sending_facility.as_ref(),
        );
        let (sends, takes) = deeds_of(message);
        if let Some(sends) = sends {
            let name = message.sending_application.as_deref();
            host.deeds.add(sends, receiver, name, time);
        }
        self.omitted += omitted;
        if let Some(host) = self.known.get_mut(&receiver) {
            host.cleartext_hl7 = true;
            if let Some(takes) = takes {
                let name = message.receiving_application.as_deref();
                host.deeds.add(takes, sender, name, time);
            }
        }
    }

    /// Takes a TLS connection.
    pub fn tls(&mut self, conversation: &Conversation, time: Time) {
        for address in [conversation.src_ip, conversation.dest_ip] {
            let host = self.host(address, true, time);
            host.seen(time, time);
            host.tls = true;
        }
    }

    /// Takes the version of TLS that the server of a connection chose.
    pub fn tls_version(&mut self, conversation: &Conversation, version: &str) {
        if let Some(host) = self.known.get_mut(&conversation.dest_ip) {
            self.omitted += host.tls_version(version);
        }
    }

    /// Takes ARP: a sender is there, and where.
    pub fn arp(&mut self, arp: &ArpFacts, now: Time) {
        let address = IpAddr::V4(arp.sender);
        // A probe claims nothing (RFC 5227 section 2.1.1), and a forged sender is no host's.
        if !is_host(address) || arp.sender_mac != arp.frame_mac {
            return;
        }
        let routed = self.macs.is_shared(arp.sender_mac);
        self.follow(arp.sender_mac, address, now);
        let host = self.host(address, false, now);
        host.seen(now, now);
        host.mac(arp.sender_mac);
        // Only a router claims an address of its own by the Ethernet address of many.
        if routed {
            let peer = arp.target.into();
            host.deeds.add(Deed::Routes, peer, None, now);
        }
    }

    /// Takes DHCP: names, and who is given which address.
    pub fn dhcp(&mut self, dhcp: &Dhcp, now: Time) {
        let known = self.macs.of(dhcp.mac);
        self.stations.dhcp(dhcp, known, now);
    }

    /// Takes the name that a host gives itself.
    pub fn named(&mut self, address: IpAddr, name: &str, now: Time) {
        if is_host(address) && !name.is_empty() {
            let host = self.host(address, false, now);
            host.seen(now, now);
            host.name(name);
        }
    }

    /// Devices that changed their address since the last call: before, now, and when.
    pub(crate) fn take_moves(&mut self) -> Vec<(IpAddr, IpAddr, Time)> {
        std::mem::take(&mut self.moves)
    }

    /// A device uses an address: if it was given it in the place of another, what is known of it goes
    /// along.
    fn follow(&mut self, mac: Mac, address: IpAddr, now: Time) {
        if self.macs.is_shared(mac) {
            return;
        }
        let hosts = (&self.known, &self.fresh);
        let last_seen = |address: IpAddr| {
            let host = hosts.0.peek(&address).or_else(|| hosts.1.peek(&address));
            host.map(Host::last)
        };
        let Some(before) = self.stations.uses(mac, address, last_seen) else {
            return;
        };
        self.macs.remove(mac, before);
        let known = self.known.contains(&before);
        let host = self.known.pop(&before).or_else(|| self.fresh.pop(&before));
        if let Some(mut host) = host {
            host.moved(before, now);
            // What another had at the new address is not this one's.
            self.fresh.pop(&address);
            let hosts = if known {
                &mut self.known
            } else {
                &mut self.fresh
            };
            hosts.put(address, host);
            if self.moves.len() < MOVES_MAX {
                self.moves.push((before, address, now));
            }
        }
    }

    /// Hosts known.
    #[must_use]
    pub fn len(&self) -> u64 {
        (self.known.len() + self.fresh.len()) as u64
    }

    /// True without any host.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Hosts dropped because they were too many.
    #[must_use]
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Details of hosts left out because they were too many.
    #[must_use]
    pub fn omitted(&self) -> u64 {
        self.omitted
    }

    /// All hosts, those seen last first; `live` are the running flows.
    pub fn reports<'a>(
        &self,
        live: impl Iterator<Item = (&'a FlowKey, &'a Flow)>,
        timebase: Timebase,
    ) -> Vec<HostReport> {
        let all = self.known.iter().chain(self.fresh.iter());
        let mut reports: std::collections::HashMap<IpAddr, HostReport> = all
            .map(|(address, host)| (*address, host.report(*address, &self.macs, &self.stations)))
            .collect();
        for (key, flow) in live {
            for end in ends(key, flow) {
                if let Some(report) = reports.get_mut(&end.address) {
                    report.bytes_out += end.sent.bytes;
                    report.bytes_in += end.received.bytes;
                    report.flows_opened += u64::from(end.opened);
                    report.flows_accepted += u64::from(!end.opened);
                    report.last_seen = report.last_seen.max(timebase.wall(end.sent.last));
                }
            }
        }
        let mut reports: Vec<_> = reports.into_values().collect();
        reports.sort_by(|a, b| {
            b.last_seen
                .cmp(&a.last_seen)
                .then(a.address.cmp(&b.address))
        });
        reports
    }

    /// The host of an address, made where there is none; `known` puts it among the known ones.
    fn host(&mut self, address: IpAddr, known: bool, now: Time) -> &mut Host {
        let in_known = self.known.contains(&address);
        if !in_known && known {
            let host = self.fresh.pop(&address).unwrap_or_else(|| Host::new(now));
            self.evicted += u64::from(self.known.push(address, host).is_some());
        }
        if in_known || known {
            self.known.get_or_insert_mut(address, || Host::new(now))
        } else {
            if !self.fresh.contains(&address) {
                self.evicted += u64::from(self.fresh.push(address, Host::new(now)).is_some());
            }
            self.fresh.get_or_insert_mut(address, || Host::new(now))
        }
    }
}

/// Changes of address that wait to be told.
const MOVES_MAX: usize = 1_024;

fn ends<'a>(key: &FlowKey, flow: &'a Flow) -> [End<'a>; 2] {
    let (a, b) = addresses(key);
    let b_opened = flow.flags & flow::INITIATOR_B != 0;
    let [from_a, from_b] = &flow.directions;
    [
        End {
            address: a,
            mac: flow.mac_a,
            port: u16::from_be_bytes(key.port_a),
            peer: (b, u16::from_be_bytes(key.port_b)),
            sent: from_a,
            received: from_b,
            opened: !b_opened,
        },
        End {
            address: b,
            mac: flow.mac_b,
            port: u16::from_be_bytes(key.port_b),
            peer: (a, u16::from_be_bytes(key.port_a)),
            sent: from_b,
            received: from_a,
            opened: b_opened,
        },
    ]
}

/// True if this end was asked and answered as a service does: TCP by SYN with ACK or by payload, the
/// others by a packet.
fn offers(ip_protocol: u8, end: &End<'_>) -> bool {
    if end.opened || end.received.packets == 0 || end.port == 0 {
        return false;
    }
    match ip_protocol {
        protocol::TCP => {
            // SYN and ACK both seen is SYN+ACK, since a responder sends no bare SYN.
            end.sent.tcp_flags & (TCP_SYN | TCP_ACK) == TCP_SYN | TCP_ACK || end.sent.payload > 0
        }
        protocol::UDP | protocol::SCTP => true,
        _ => false,
    }
}

/// The service of another that this end uses; none where there are no ports.
fn used(ip_protocol: u8, end: &End<'_>, app_proto: Option<&'static str>) -> Option<ServiceUse> {
    let (address, port) = end.peer;
    let has_ports = matches!(ip_protocol, protocol::TCP | protocol::UDP | protocol::SCTP);
    // A reset is no service.
    let served = ip_protocol != protocol::TCP
        || end.received.tcp_flags & TCP_SYN != 0
        || end.received.payload > 0;
    (has_ports && port != 0 && served && is_host(address)).then(|| ServiceUse {
        address,
        proto: Cow::Borrowed(proto_name(ip_protocol)),
        port,
        app_proto: app_proto.map(Cow::Borrowed),
    })
}

fn proto_name(ip_protocol: u8) -> &'static str {
    match ip_protocol {
        protocol::UDP => "UDP",
        protocol::SCTP => "SCTP",
        _ => "TCP",
    }
}
