//! What was seen of a device or of the site, as a set of facts that can be new.
//!
//! A fact is kept as 64 bits of its BLAKE3 hash, with when it was first and last seen. So a baseline holds
//! no name and no address beside the device's own.

use std::net::IpAddr;

use hashbrown::HashMap;
use sensor_facts::{observation::Mac, target::Service, time::Time};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::room::least;

/// Something that a device does, or that is so at the site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact<'a> {
    /// It talks to this peer, whoever opened the connection.
    Peer(IpAddr),
    /// As a client it uses this service of this server.
    Uses(IpAddr, Service),
    /// It offers this service.
    Offers(Service),
    /// As a client it gives this AE title.
    Title(&'a str),
    /// It names this DICOM implementation class UID.
    Implementation(&'a str),
    /// It pulls studies from this server (C-MOVE, C-GET).
    Pulls(IpAddr),
    /// It asked this server to move studies to this AE title.
    MovesTo(IpAddr, &'a str),
    /// It sends HL7 to this receiver as this application of this facility.
    Sends(IpAddr, &'a str, &'a str),
    /// It works in this hour of the day, 0 to 23, on weekdays or at the weekend.
    Works {
        /// Hour of the day, UTC.
        hour: u8,
        /// Saturday or Sunday.
        weekend: bool,
    },
    /// This application of this facility sends HL7.
    Application(&'a str, &'a str),
    /// As a client it uses this service, of whomever.
    Asks(Service),
    /// Someone works at it in this hour of the day: queries, pulls, remote access.
    Acts {
        /// Hour of the day, UTC.
        hour: u8,
        /// Saturday or Sunday.
        weekend: bool,
    },
    /// This DHCP server answers clients from this Ethernet address.
    ServesDhcp(IpAddr, Mac),
    /// This router advertises itself from this Ethernet address.
    Advertises(IpAddr, Mac),
    /// As a client it talks to hosts outside of the site.
    Outside,
    /// As a client it uses this service of hosts outside of the site.
    AsksOutside(Service),
    /// It sends this receiver HL7 messages of this type, such as `ADT`, or of this type and event, such as `ADT^A40`.
    SendsKind(IpAddr, &'a str),
    /// It sends ICMP echo requests to all hosts of its link at once.
    EchoesAll,
    /// As a client it works on many files of a share of this server, one after the other.
    ManyFiles(IpAddr),
    /// This Ethernet address is a router's: it advertises itself or redirects.
    Routes(Mac),
}

/// The hash of a fact. The kind comes first, texts end with a zero byte.
pub(super) fn key(fact: &Fact<'_>) -> u64 {
    let kind: u8 = match fact {
        Fact::Peer(_) => 1,
        Fact::Uses(..) => 2,
        Fact::Offers(_) => 3,
        Fact::Title(_) => 4,
        Fact::Implementation(_) => 5,
        Fact::Pulls(_) => 6,
        Fact::MovesTo(..) => 7,
        Fact::Sends(..) => 8,
        Fact::Works { .. } => 9,
        Fact::Application(..) => 10,
        Fact::Asks(_) => 11,
        Fact::Acts { .. } => 12,
        Fact::ServesDhcp(..) => 13,
        Fact::Advertises(..) => 14,
        Fact::Outside => 15,
        Fact::AsksOutside(_) => 16,
        Fact::SendsKind(..) => 17,
        Fact::EchoesAll => 18,
        Fact::Routes(_) => 19,
        Fact::ManyFiles(_) => 20,
    };
    let mut bytes = Bytes::new();
    bytes.push(kind);
    match fact {
        Fact::Peer(it) | Fact::Pulls(it) | Fact::ManyFiles(it) => address(&mut bytes, it),
        Fact::Uses(it, what) => {
            address(&mut bytes, it);
            service(&mut bytes, *what);
        }
        Fact::Offers(what) | Fact::Asks(what) | Fact::AsksOutside(what) => {
            service(&mut bytes, *what);
        }
        Fact::Title(it) | Fact::Implementation(it) => text(&mut bytes, it),
        Fact::MovesTo(it, title) | Fact::SendsKind(it, title) => {
            address(&mut bytes, it);
            text(&mut bytes, title);
        }
        Fact::Sends(it, application, facility) => {
            address(&mut bytes, it);
            text(&mut bytes, application);
            text(&mut bytes, facility);
        }
        Fact::Works { hour, weekend } | Fact::Acts { hour, weekend } => {
            bytes.extend_from_slice(&[*hour, u8::from(*weekend)]);
        }
        Fact::ServesDhcp(it, mac) | Fact::Advertises(it, mac) => {
            address(&mut bytes, it);
            bytes.extend_from_slice(mac);
        }
        Fact::Routes(mac) => bytes.extend_from_slice(mac),
        Fact::Outside | Fact::EchoesAll => {}
        Fact::Application(application, facility) => {
            text(&mut bytes, application);
            text(&mut bytes, facility);
        }
    }
    sensor_facts::hash::short(&bytes)
}

/// A fact as it is hashed; most are shorter than this.
type Bytes = SmallVec<[u8; 64]>;

fn address(bytes: &mut Bytes, address: &IpAddr) {
    match address {
        IpAddr::V4(it) => bytes.extend_from_slice(&it.octets()),
        IpAddr::V6(it) => bytes.extend_from_slice(&it.octets()),
    }
    bytes.push(0);
}

fn text(bytes: &mut Bytes, text: &str) {
    bytes.extend_from_slice(text.as_bytes());
    bytes.push(0);
}

fn service(bytes: &mut Bytes, service: Service) {
    bytes.push(service.transport.number());
    bytes.extend_from_slice(&service.port.to_be_bytes());
}

/// When a fact was seen, seconds since 1970, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occurrence {
    /// First.
    pub first: u32,
    /// Last.
    pub last: u32,
    /// How often.
    pub count: u32,
}

/// How well a fact is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Familiar {
    /// It was never seen.
    Never,
    /// It was first seen after the learning time, and not long ago.
    New,
    /// It is part of the usual.
    Known,
}

/// Facts, bounded: beyond the bound those make room that were seen least often, and of these those seen longest ago. So
/// what strangers show once does not push out what is usual.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Items(HashMap<u64, Occurrence>);

/// Seconds since 1970.
pub(super) fn seconds(time: Time) -> u32 {
    u32::try_from(time.0.max(0) / 1_000_000_000).unwrap_or(u32::MAX)
}

impl Items {
    /// The same for what anyone can cause who asks the device: at the bound, it makes room only among facts that were seen
    /// once, so that strangers do not push out what is usual.
    pub(super) fn add_of_stranger(&mut self, key: u64, now: Time, max: usize) {
        if self.0.len() < max || self.0.contains_key(&key) {
            self.add(key, now, max);
        } else if let Some(once) = self
            .0
            .iter()
            .filter(|(_, seen)| seen.count == 1)
            .min_by_key(|(key, seen)| (seen.last, **key))
            .map(|(key, _)| *key)
        {
            self.0.remove(&once);
            self.add(key, now, max);
        }
    }

    /// Adds a fact, by its hash; true if it is new.
    pub(super) fn add(&mut self, key: u64, now: Time, max: usize) -> bool {
        let now = seconds(now);
        if let Some(seen) = self.0.get_mut(&key) {
            seen.last = seen.last.max(now);
            seen.count = seen.count.saturating_add(1);
            return false;
        }
        if self.0.len() >= max {
            self.make_room();
        }
        let seen = Occurrence {
            first: now,
            last: now,
            count: 1,
        };
        self.0.insert(key, seen);
        true
    }

    fn make_room(&mut self) {
        let rank = |(key, seen): (&u64, &Occurrence)| ((seen.count, seen.last, *key), *key);
        for key in least(self.0.iter().map(rank).collect()) {
            self.0.remove(&key);
        }
    }

    /// When a fact was seen.
    #[must_use]
    pub fn get(&self, fact: &Fact<'_>) -> Option<Occurrence> {
        self.seen(key(fact))
    }

    /// The same, by its hash.
    pub(super) fn seen(&self, key: u64) -> Option<Occurrence> {
        self.0.get(&key).copied()
    }

    /// Forgets a fact, by its hash.
    pub(super) fn forget(&mut self, key: u64) {
        self.0.remove(&key);
    }

    /// Forgets what was first seen at `from` or later.
    pub(super) fn forget_since(&mut self, from: Time) {
        let from = seconds(from);
        self.0.retain(|_, seen| seen.first < from);
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True without any.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Bytes on the heap.
    pub(super) fn heap(&self) -> usize {
        self.0.allocation_size()
    }
}
