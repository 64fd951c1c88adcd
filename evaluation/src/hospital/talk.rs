//! Conversations of no clinical protocol.

use super::world::{Id, World};
use crate::wire::{
    burst::{Burst, MICRO, MILLI, SECOND},
    dice::Dice,
    tcp::{Side, Tcp},
    tls,
};

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

/// TLS at the port of HTTPS with `rounds` of requests and answers of about so many bytes, `think` apart.
pub(crate) struct Web {
    /// What it calls the server, if not by its own name.
    pub(crate) name: Option<&'static str>,
    pub(crate) rounds: u64,
    pub(crate) up: u64,
    pub(crate) down: u64,
    pub(crate) think: u64,
}

/// A short report, and an answer that says little.
pub(crate) const HTTPS: Web = Web {
    name: None,
    rounds: 1,
    up: 700,
    down: 400,
    think: 100 * MILLI,
};

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

pub(crate) fn web(w: &mut World, d: &mut Dice, time: u64, client: Id, server: Id, what: &Web) {
    let (mut tcp, mut burst) = w.tcp(d, time, client, server, 443);
    let own = w.hosts[server].domain();
    tls_open(d, &mut tcp, &mut burst, what.name.unwrap_or(&own));
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

/// Whether there are updates of Windows, asked of a server in the house.
pub(crate) const WSUS: Plain<'static> = Plain {
    port: 8_530,
    rounds: 2,
    down: 30_000,
    ..HTTP
};

/// A camera's pictures.
pub(crate) const RTSP: Plain<'static> = Plain {
    port: 554,
    rounds: 40,
    up: 60,
    down: 30_000,
    think: SECOND,
    ..HTTP
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
