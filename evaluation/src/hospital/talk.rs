//! Conversations of no clinical protocol.

use super::world::{Id, World};
use crate::wire::{
    burst::{Burst, MICRO, MILLI, SECOND},
    dhcp,
    dice::Dice,
    dns,
    frame::{self, Way},
    tcp::{Side, Tcp},
    tls,
};
use std::net::Ipv4Addr;

/// Sends `length` bytes that begin with `head`.
pub(crate) fn say(tcp: &mut Tcp, burst: &mut Burst, from: Side, head: &[u8], length: u64) {
    let rest = length.saturating_sub(head.len() as u64);
    if rest <= 1_460 {
        let mut bytes = head.to_vec();
        bytes.resize(head.len() + usize::try_from(rest).unwrap_or(0), 0);
        tcp.send(burst, from, &bytes);
    } else {
        tcp.bulk(burst, from, head, rest);
    }
}

/// TLS with `rounds` of requests and answers of about so many bytes, `think` apart.
pub(crate) struct Web<'a> {
    pub(crate) name: &'a str,
    pub(crate) port: u16,
    pub(crate) rounds: u64,
    pub(crate) up: u64,
    pub(crate) down: u64,
    pub(crate) think: u64,
}

/// Opens TLS up to the first byte of the application.
pub(crate) fn tls_open(dice: &mut Dice, tcp: &mut Tcp, burst: &mut Burst, name: &str) {
    tcp.open(burst);
    let hello = tls::client(dice, name);
    tcp.send(burst, Side::Client, &hello);
    let mut answer = tls::server(dice);
    answer.extend_from_slice(&[20, 3, 3, 0, 1, 1]);
    let chain = dice.range(1_800, 4_200);
    answer.extend_from_slice(&tls::application_data(chain));
    let whole = answer.len() as u64 + chain;
    say(tcp, burst, Side::Server, &answer, whole);
    let mut finished = vec![20, 3, 3, 0, 1, 1];
    finished.extend_from_slice(&tls::application_data(53));
    say(tcp, burst, Side::Client, &finished, 64);
}

pub(crate) fn web(w: &mut World, d: &mut Dice, time: u64, client: Id, server: Id, what: &Web<'_>) {
    let (mut tcp, mut burst) = w.tcp(d, time, client, server, what.port);
    tls_open(d, &mut tcp, &mut burst, what.name);
    for _ in 0..what.rounds {
        let (up, down) = (
            d.spread(what.up, 0.6).max(60),
            d.spread(what.down, 1.0).max(90),
        );
        say(
            &mut tcp,
            &mut burst,
            Side::Client,
            &tls::application_data(up),
            up,
        );
        burst.wait(d.range(1, 40) * MILLI);
        say(
            &mut tcp,
            &mut burst,
            Side::Server,
            &tls::application_data(down),
            down,
        );
        burst.wait(d.wait(what.think));
    }
    end(d, &mut tcp, &mut burst);
    w.play(burst);
}

/// Most connections end in order, some with a reset, as with browsers.
pub(crate) fn end(d: &mut Dice, tcp: &mut Tcp, burst: &mut Burst) {
    let side = if d.chance(0.7) {
        Side::Client
    } else {
        Side::Server
    };
    if d.chance(0.05) {
        tcp.reset(burst, side);
    } else {
        tcp.close(burst, side);
    }
}

/// Requests and answers of a protocol that is not looked into.
pub(crate) struct Plain<'a> {
    pub(crate) port: u16,
    pub(crate) greeting: &'a [u8],
    pub(crate) request: &'a [u8],
    pub(crate) answer: &'a [u8],
    pub(crate) rounds: u64,
    pub(crate) up: u64,
    pub(crate) down: u64,
    pub(crate) think: u64,
}

/// SMB 2 of a client that reads and writes files.
pub(crate) const SMB: Plain<'static> = Plain {
    port: 445,
    greeting: b"",
    request: b"\0\0\0\xb4\xfeSMB\x40\0\0\0\0\0\0\0",
    answer: b"\0\0\0\xf4\xfeSMB\x40\0\0\0\0\0\0\0",
    rounds: 8,
    up: 240,
    down: 900,
    think: 60 * MILLI,
};

/// SSH of an administrator.
pub(crate) const SSH: Plain<'static> = Plain {
    port: 22,
    greeting: b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n",
    request: b"",
    answer: b"",
    rounds: 60,
    up: 80,
    down: 260,
    think: 2 * SECOND,
};

/// Remote desktop.
pub(crate) const RDP: Plain<'static> = Plain {
    port: 3389,
    greeting: b"",
    request: b"\x17\x03\x03\0",
    answer: b"\x17\x03\x03\x02",
    rounds: 220,
    up: 110,
    down: 4_200,
    think: 2 * SECOND,
};

/// LDAP and Kerberos.
pub(crate) const DIRECTORY: Plain<'static> = Plain {
    port: 389,
    greeting: b"",
    request: b"\x30\x84\0\0",
    answer: b"\x30\x84\0\0",
    rounds: 3,
    up: 220,
    down: 700,
    think: 20 * MILLI,
};

/// A print job.
pub(crate) const PRINT: Plain<'static> = Plain {
    port: 9100,
    greeting: b"",
    request: b"\x1b%-12345X@PJL",
    answer: b"",
    rounds: 1,
    up: 400_000,
    down: 0,
    think: 10 * MILLI,
};

/// HTTP without TLS.
pub(crate) const HTTP: Plain<'static> = Plain {
    port: 80,
    greeting: b"",
    request: b"GET / HTTP/1.1\r\nHost: ",
    answer: b"HTTP/1.1 200 OK\r\n",
    rounds: 1,
    up: 350,
    down: 5_000,
    think: 20 * MILLI,
};

pub(crate) fn plain(
    w: &mut World,
    d: &mut Dice,
    time: u64,
    client: Id,
    server: Id,
    it: &Plain<'_>,
) {
    let (mut tcp, mut burst) = w.tcp(d, time, client, server, it.port);
    tcp.open(&mut burst);
    talk(d, &mut tcp, &mut burst, it);
    end(d, &mut tcp, &mut burst);
    w.play(burst);
}

/// The rounds of an open connection.
pub(crate) fn talk(d: &mut Dice, tcp: &mut Tcp, burst: &mut Burst, it: &Plain<'_>) {
    if !it.greeting.is_empty() {
        tcp.send(burst, Side::Server, it.greeting);
        tcp.send(burst, Side::Client, it.greeting);
    }
    if it.port == 3389 {
        // Connection request and confirm (MS-RDPBCGR section 2.2.1).
        tcp.send(
            burst,
            Side::Client,
            b"\x03\0\0\x13\x0e\xe0\0\0\0\0\0\x01\0\x08\0\x0b\0\0\0",
        );
        tcp.send(
            burst,
            Side::Server,
            b"\x03\0\0\x13\x0e\xd0\0\0\x12\x34\0\x02\x1f\x08\0\x02\0\0\0",
        );
    }
    for _ in 0..it.rounds {
        if it.up > 0 {
            let up = d.spread(it.up, 0.5).max(24);
            say(tcp, burst, Side::Client, it.request, up);
        }
        burst.wait(d.range(100, 4_000) * MICRO);
        if it.down > 0 {
            let down = d.spread(it.down, 0.9).max(24);
            say(tcp, burst, Side::Server, it.answer, down);
        }
        burst.wait(d.wait(it.think));
    }
}

/// A failed log-in: greeting, a few exchanges, and the end.
pub(crate) fn failed_login(
    w: &mut World,
    d: &mut Dice,
    time: u64,
    client: Id,
    server: Id,
    port: u16,
) {
    let like = if port == 22 { SSH } else { RDP };
    let rounds = d.range(3, 6);
    let (down, think) = (d.range(120, 400), 150 * MILLI);
    plain(
        w,
        d,
        time,
        client,
        server,
        &Plain {
            rounds,
            down,
            think,
            ..like
        },
    );
}

/// A connection to a port at which the server does not answer, or refuses.
pub(crate) fn refused(w: &mut World, d: &mut Dice, time: u64, client: Id, server: Id, port: u16) {
    let (mut tcp, mut burst) = w.tcp(d, time, client, server, port);
    if d.chance(0.6) {
        tcp.refused(&mut burst);
    } else {
        tcp.unanswered(&mut burst, 3);
    }
    w.play(burst);
}

/// A datagram and its answer, if there is one.
pub(crate) struct Datagram<'a> {
    pub(crate) ports: (u16, u16),
    pub(crate) ask: &'a [u8],
    pub(crate) answer: &'a [u8],
}

pub(crate) fn datagrams(
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
    datagrams(
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
    datagrams(
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
    let [_, b, c, e] = to.octets();
    let to_mac = if to.is_multicast() {
        [1, 0, 0x5e, b & 0x7f, c, e]
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
    use dhcp::{Kind, Message};
    let mut burst = Burst::new(time, d.number());
    let address = w.address(client, time);
    let (to, back) = (w.way(client, server, time), w.way(server, client, time));
    let name = w.hosts[client].name.clone();
    let mut message = Message {
        kind: Kind::Request,
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
    let kinds: &[Kind] = if new {
        &[Kind::Discover, Kind::Offer, Kind::Request, Kind::Ack]
    } else {
        &[Kind::Request, Kind::Ack]
    };
    for kind in kinds {
        message.kind = *kind;
        let reply = matches!(kind, Kind::Offer | Kind::Ack);
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
