//! The hosts as they are at a moment, and what they begin.

use std::{
    collections::{HashMap, VecDeque},
    net::Ipv4Addr,
};

use super::{
    rhythm::Rhythm,
    shape::Shape,
    sim::{Act, Job},
};
use crate::wire::{
    burst::{Burst, MICRO, MILLI},
    dice::Dice,
    frame::{Mac, Way},
    tcp::Tcp,
};

/// The number of a host.
pub(crate) type Id = usize;

/// A device, or a host outside.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    pub(crate) name: String,
    pub(crate) mac: Mac,
    /// From when on it has which address; the first from the beginning.
    pub(crate) addresses: Vec<(u64, Ipv4Addr)>,
    pub(crate) ttl: u8,
    /// TCP ports at which it answers.
    pub(crate) services: Vec<u16>,
    pub(crate) outside: bool,
    /// Loses a segment now and then: one of so many; 0 for none.
    pub(crate) lossy: u64,
    port: u16,
    number: u16,
}

impl Host {
    /// Its name in the DNS.
    pub(crate) fn domain(&self) -> String {
        if self.outside {
            self.name.clone()
        } else {
            format!("{}.stmary.lan", self.name)
        }
    }
}

/// HL7 messages of a receiver that someone on the wire could have kept.
const KEPT: usize = 40;

/// All hosts, and what they have begun.
pub(crate) struct World {
    pub(crate) hosts: Vec<Host>,
    pub(crate) seed: u64,
    pub(crate) router: Mac,
    /// Conversations that were begun and not yet taken.
    pub(crate) bursts: Vec<Burst>,
    /// The same for jobs.
    pub(crate) jobs: Vec<(u64, Job)>,
    /// Links that carry nothing for a time: from, to, begin, end.
    pub(crate) silent: Vec<(Id, Id, u64, u64)>,
    /// The last HL7 messages to a host: sender, and bytes.
    pub(crate) heard: HashMap<Id, VecDeque<(Id, Vec<u8>)>>,
    /// What the hospital is like, if it was drawn.
    pub(crate) shape: Option<Shape>,
    /// Who says nothing from when on.
    pub(crate) fails: Option<(u64, Ipv4Addr)>,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            hosts: Vec::new(),
            seed,
            router: [0x00, 0x1b, 0x54, 0x10, 0x00, 0x01],
            bursts: Vec::new(),
            jobs: Vec::new(),
            silent: Vec::new(),
            heard: HashMap::new(),
            shape: None,
            fails: None,
        }
    }

    /// Adds a host; `vendor` are the first three bytes of its Ethernet address.
    pub(crate) fn host(
        &mut self,
        name: &str,
        vendor: [u8; 3],
        address: Ipv4Addr,
        ttl: u8,
        services: &[u16],
    ) -> Id {
        let id = self.hosts.len();
        let outside = !address.is_private();
        let hash = name_hash(name).to_le_bytes();
        let mac = if outside {
            self.router
        } else {
            let [.., low] = address.octets();
            [vendor[0], vendor[1], vendor[2], hash[0], hash[1], low]
        };
        self.hosts.push(Host {
            name: name.to_owned(),
            mac,
            addresses: vec![(0, address)],
            ttl: if outside { ttl - 9 } else { ttl },
            services: services.to_vec(),
            outside,
            lossy: if outside { 400 } else { 4_000 },
            port: 49_152 + u16::from_le_bytes([hash[2], hash[3]]) % 8_000,
            number: u16::from_le_bytes([hash[4], hash[5]]),
        });
        id
    }

    /// The address of a host at a time.
    pub(crate) fn address(&self, host: Id, time: u64) -> Ipv4Addr {
        let addresses = &self.hosts[host].addresses;
        addresses
            .iter()
            .rev()
            .find(|(from, _)| *from <= time)
            .unwrap_or(&addresses[0])
            .1
    }

    /// The way from one host to another.
    pub(crate) fn way(&self, from: Id, to: Id, time: u64) -> Way {
        let (source, destination) = (&self.hosts[from], &self.hosts[to]);
        let (a, b) = (self.address(from, time), self.address(to, time));
        let neighbours = a.octets()[..3] == b.octets()[..3];
        Way {
            from_mac: source.mac,
            to_mac: if neighbours {
                destination.mac
            } else {
                self.router
            },
            from: a,
            to: b,
            ttl: source.ttl,
        }
    }

    /// A port of a client for a new connection.
    pub(crate) fn port(&mut self, host: Id) -> u16 {
        let host = &mut self.hosts[host];
        host.port = if host.port >= 65_000 {
            49_152
        } else {
            host.port + 1
        };
        host.port
    }

    /// The next IP identification of a host.
    pub(crate) fn number(&mut self, host: Id) -> u16 {
        let host = &mut self.hosts[host];
        host.number = host.number.wrapping_add(1).max(1);
        host.number
    }

    /// A connection that is about to be opened, and the burst of its frames.
    pub(crate) fn tcp(
        &mut self,
        dice: &mut Dice,
        time: u64,
        client: Id,
        server: Id,
        port: u16,
    ) -> (Tcp, Burst) {
        let from = self.port(client);
        self.tcp_from(dice, time, client, server, [from, port])
    }

    /// The same from a chosen port.
    pub(crate) fn tcp_from(
        &mut self,
        dice: &mut Dice,
        time: u64,
        client: Id,
        server: Id,
        ports: [u16; 2],
    ) -> (Tcp, Burst) {
        let ways = [
            self.way(client, server, time),
            self.way(server, client, time),
        ];
        let mut tcp = Tcp::new(ways, ports, dice.number());
        let (a, b) = (&self.hosts[client], &self.hosts[server]);
        if a.outside || b.outside {
            tcp.rtt = dice.range(8, 45) * MILLI;
            tcp.rate = 12_000_000;
        } else {
            tcp.rtt = dice.range(150, 900) * MICRO;
        }
        tcp.lossy = a.lossy.min(b.lossy);
        (tcp, Burst::new(time, dice.number()))
    }

    /// Begins a conversation.
    pub(crate) fn play(&mut self, burst: Burst) {
        self.bursts.push(burst);
    }

    /// Chance for something that `name` says, of a host.
    pub(crate) fn dice(&self, name: &str, host: Id) -> Dice {
        let at = host as u64;
        Dice::new(self.seed, name_hash(name) ^ at.rotate_left(40))
    }

    /// Does something at a time, and again when it says.
    pub(crate) fn at(&mut self, time: u64, dice: Dice, act: Act) {
        let episode = None;
        self.jobs.push((time, Job { dice, act, episode }));
    }

    /// Does something once.
    pub(crate) fn once(
        &mut self,
        time: u64,
        dice: Dice,
        act: impl FnOnce(&mut Self, &mut Dice, u64) + Send + 'static,
    ) {
        let mut act = Some(act);
        self.at(
            time,
            dice,
            Box::new(move |world, dice, now| {
                if let Some(act) = act.take() {
                    act(world, dice, now);
                }
                None
            }),
        );
    }

    /// What a host does regularly from a time on.
    pub(crate) fn routine(&mut self, host: Id, from: u64) -> Routine<'_> {
        Routine {
            world: self,
            host,
            from,
        }
    }

    /// Keeps an HL7 message as someone on the wire could.
    pub(crate) fn hear(&mut self, from: Id, to: Id, message: &[u8]) {
        let kept = self.heard.entry(to).or_default();
        if kept.len() >= KEPT {
            kept.pop_front();
        }
        kept.push_back((from, message.to_vec()));
    }
}

/// What a host does regularly.
pub(crate) struct Routine<'a> {
    world: &'a mut World,
    host: Id,
    from: u64,
}

impl Routine<'_> {
    /// Does something again and again, at the busiest hour `mean` apart.
    pub(crate) fn every(
        &mut self,
        name: &str,
        rhythm: Rhythm,
        mean: u64,
        mut act: impl FnMut(&mut World, &mut Dice, u64) + Send + 'static,
    ) {
        let mut dice = self.world.dice(name, self.host);
        let shape = self.world.shape.as_ref();
        let mean = shape.map_or(mean, |shape| shape.pace(name, mean));
        let shift = shape.map_or(0, Shape::shift);
        let next = move |dice: &mut Dice, from: u64| rhythm.next(dice, from + shift, mean) - shift;
        let first = next(&mut dice, self.from);
        self.world.at(
            first,
            dice,
            Box::new(move |world, dice, now| {
                act(world, dice, now);
                Some(next(dice, now))
            }),
        );
    }

    /// Does something at a steady pace, a twentieth more or less.
    pub(crate) fn steady(
        &mut self,
        name: &str,
        period: u64,
        mut act: impl FnMut(&mut World, &mut Dice, u64) + Send + 'static,
    ) {
        let mut dice = self.world.dice(name, self.host);
        let shape = self.world.shape.as_ref();
        let period = shape.map_or(period, |shape| shape.pace(name, period));
        let first = self.from + dice.below(period);
        self.world.at(
            first,
            dice,
            Box::new(move |world, dice, now| {
                act(world, dice, now);
                Some(now + dice.about(period, 0.05))
            }),
        );
    }
}

/// FNV-1a, so that a name means the same in each build.
pub(crate) fn name_hash(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
