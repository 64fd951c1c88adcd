//! Conversations without connections: names, times, leases, echoes.

use std::net::Ipv4Addr;

use super::world::{Id, World};
use crate::wire::{
    burst::{Burst, MICRO, MILLI},
    dhcp::{Message, MessageType},
    dice::Dice,
    dns,
    frame::{self, Way},
};

/// A datagram and its answer, if there is one.
pub(crate) struct Datagram<'a> {
    pub(crate) ports: (u16, u16),
    pub(crate) ask: &'a [u8],
    pub(crate) answer: &'a [u8],
}

pub(crate) fn exchange(
    w: &mut World,
    d: &mut Dice,
    time: u64,
    client: Id,
    server: Id,
    it: &Datagram<'_>,
) {
    let mut burst = Burst::new(time, d.number());
    let (to, back) = (w.way(client, server, time), w.way(server, client, time));
    let far = w.hosts[client].outside || w.hosts[server].outside;
    let (there, here) = (w.number(client), w.number(server));
    frame::udp(&mut burst, &to, it.ports, there, it.ask);
    burst.wait(if far { 20 * MILLI } else { 400 * MICRO });
    if !it.answer.is_empty() {
        frame::udp(&mut burst, &back, (it.ports.1, it.ports.0), here, it.answer);
    }
    w.play(burst);
}

/// Asks for a name; now and then there is none.
pub(crate) fn lookup(w: &mut World, d: &mut Dice, time: u64, client: Id, server: Id, name: &str) {
    let number = u16::try_from(d.below(65_536)).unwrap_or(0);
    let kind = if d.chance(0.06) { dns::SRV } else { dns::A };
    let address = [198, 51, 100, 7];
    let data = (!d.chance(0.04)).then_some(&address[..]);
    let port = w.port(client);
    let (ask, answer) = (
        dns::query(number, name, kind),
        dns::answer(number, name, kind, data),
    );
    exchange(
        w,
        d,
        time,
        client,
        server,
        &Datagram {
            ports: (port, 53),
            ask: &ask,
            answer: &answer,
        },
    );
}

/// Time from a server (RFC 5905).
pub(crate) fn clock(w: &mut World, d: &mut Dice, time: u64, client: Id, server: Id) {
    let mut ask = [0; 48];
    ask[0] = 0x23;
    let mut answer = ask;
    answer[0] = 0x24;
    exchange(
        w,
        d,
        time,
        client,
        server,
        &Datagram {
            ports: (123, 123),
            ask: &ask,
            answer: &answer,
        },
    );
}

/// To everyone in the subnet, or a group.
pub(crate) fn broadcast(
    w: &mut World,
    d: &mut Dice,
    time: u64,
    from: Id,
    to: Ipv4Addr,
    ports: (u16, u16),
    payload: &[u8],
) {
    let mut burst = Burst::new(time, d.number());
    let octets = to.octets();
    let to_mac = if to.is_multicast() {
        [1, 0, 0x5e, octets[1] & 0x7f, octets[2], octets[3]]
    } else {
        [0xff; 6]
    };
    let way = Way {
        from_mac: w.hosts[from].mac,
        to_mac,
        from: w.address(from, time),
        to,
        ttl: if to.is_multicast() {
            1
        } else {
            w.hosts[from].ttl
        },
    };
    let id = w.number(from);
    frame::udp(&mut burst, &way, ports, id, payload);
    w.play(burst);
}

/// A lease: the whole exchange for a new address, or its renewal.
pub(crate) fn lease(w: &mut World, d: &mut Dice, time: u64, client: Id, server: Id, new: bool) {
    let mut burst = Burst::new(time, d.number());
    let address = w.address(client, time);
    let (to, back) = (w.way(client, server, time), w.way(server, client, time));
    let name = w.hosts[client].name.clone();
    let mut message = Message {
        kind: MessageType::Request,
        id: u32::try_from(d.below(1 << 32)).unwrap_or(0),
        mac: w.hosts[client].mac,
        has: if new { Ipv4Addr::UNSPECIFIED } else { address },
        address,
        server: to.to,
        name: &name,
    };
    let all = Way {
        to_mac: [0xff; 6],
        from: Ipv4Addr::UNSPECIFIED,
        to: Ipv4Addr::BROADCAST,
        ..to
    };
    let kinds: &[MessageType] = if new {
        &[
            MessageType::Discover,
            MessageType::Offer,
            MessageType::Request,
            MessageType::Ack,
        ]
    } else {
        &[MessageType::Request, MessageType::Ack]
    };
    for kind in kinds {
        message.kind = *kind;
        let reply = matches!(kind, MessageType::Offer | MessageType::Ack);
        let id = if reply {
            w.number(server)
        } else {
            w.number(client)
        };
        match (reply, new) {
            (true, _) => frame::udp(&mut burst, &back, (67, 68), id, &message.bytes()),
            (false, true) => frame::udp(&mut burst, &all, (68, 67), id, &message.bytes()),
            (false, false) => frame::udp(&mut burst, &to, (68, 67), id, &message.bytes()),
        }
        burst.wait(2 * MILLI);
    }
    w.play(burst);
}

/// An echo request, and its reply where there is one.
pub(crate) fn ping(w: &mut World, d: &mut Dice, time: u64, from: Id, to: Id, answered: bool) {
    let mut burst = Burst::new(time, d.number());
    let (there, back) = (w.way(from, to, time), w.way(to, from, time));
    let (id, other) = (w.number(from), w.number(to));
    frame::echo(&mut burst, &there, false, id, 1);
    burst.wait(300 * MICRO);
    if answered {
        frame::echo(&mut burst, &back, true, other, 1);
    }
    w.play(burst);
}
