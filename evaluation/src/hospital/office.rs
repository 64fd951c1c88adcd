//! Workstations, printers and guests.

use std::net::Ipv4Addr;

use super::{
    datagram::{self, Datagram},
    rhythm::Rhythm,
    site::Site,
    talk::{self, Plain, Web},
    world::{Id, World},
};
use crate::wire::{
    burst::{DAY, HOUR, MILLI, MINUTE, SECOND},
    dice::Dice,
    dns,
};

/// Begins what workstations, administrators and guests do.
pub(crate) fn live(w: &mut World, site: &Site, from: u64) {
    for (nth, host) in site.office.iter().enumerate() {
        // A third stands on wards, where someone is at all hours.
        let rhythm = if nth % 3 == 0 {
            Rhythm::Ward
        } else {
            Rhythm::Office
        };
        workstation(w, site, *host, rhythm, from);
    }
    for reader in &site.reading {
        workstation(w, site, reader.host, Rhythm::Imaging, from);
    }
    for host in &site.admins {
        workstation(w, site, *host, Rhythm::Office, from);
        administrator(w, site, *host, from);
    }
    for host in &site.guests {
        guest(w, site, *host, from);
    }
}

/// A server of the web: mostly one of the few that everyone uses, but there is always one that nobody used before.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "some thousands, and a part of them"
)]
fn somewhere(site: &Site, d: &mut Dice) -> Id {
    let at = site.web.len() as f64 * d.unit().powi(6);
    site.web[at as usize]
}

fn browse(w: &mut World, site: &Site, d: &mut Dice, t: u64, host: Id) {
    let mut t = t;
    for _ in 0..d.range(1, 4) {
        let server = somewhere(site, d);
        let name = w.hosts[server].name.clone();
        if d.chance(0.7) {
            let (dc, name) = (d.index(2), format!("cdn-{}.{name}", d.below(90)));
            datagram::lookup(w, d, t, host, site.directories[dc], &name);
        }
        // Pictures and films are sent out too, each in one piece.
        let (rounds, up) = if d.chance(0.001) {
            (1, d.spread(15_000_000, 0.9))
        } else {
            (d.range(1, 9), 600)
        };
        let it = Web {
            rounds,
            up,
            down: 14_000,
            think: 2 * SECOND,
            ..talk::HTTPS
        };
        talk::web(w, d, t + 30 * MILLI, host, server, &it);
        t += d.wait(2 * SECOND);
    }
}

/// What a workstation does for whoever sits there.
pub(crate) fn workstation(w: &mut World, site: &Site, host: Id, rhythm: Rhythm, from: u64) {
    let mut habits = w.dice("habits", host);
    let busy = |habits: &mut Dice, minutes: u64| habits.about(minutes * MINUTE, 0.5);
    let it = site.clone();
    let mut routine = w.routine(host, from);
    routine.every("browse", rhythm, busy(&mut habits, 16), move |w, d, t| {
        browse(w, &it, d, t, host);
    });
    let agent = site.agent;
    routine.steady("agent", 15 * MINUTE, move |w, d, t| {
        talk::web(w, d, t, host, agent, &talk::HTTPS);
    });
    let (ehr, dc) = (site.ehr, site.directories.clone());
    routine.every("ehr", rhythm, busy(&mut habits, 13), move |w, d, t| {
        if d.chance(0.3) {
            datagram::lookup(w, d, t, host, dc[0], "ehr.stmary.lan");
        }
        let it = Web {
            rounds: d.spread(9, 0.8).clamp(1, 80),
            up: 900,
            down: 11_000,
            think: 6 * SECOND,
            ..talk::HTTPS
        };
        talk::web(w, d, t + 20 * MILLI, host, ehr, &it);
    });
    let files = site.files;
    routine.every("files", rhythm, busy(&mut habits, 35), move |w, d, t| {
        let write = d.chance(0.25);
        let it = Plain {
            rounds: d.range(4, 30),
            up: if write { 24_000 } else { 240 },
            down: if write { 200 } else { 22_000 },
            ..talk::SMB
        };
        talk::plain(w, d, t, host, files, &it);
    });
    let mail = site.mail;
    routine.every("mail", rhythm, busy(&mut habits, 22), move |w, d, t| {
        let up = if d.chance(0.06) { 1_500_000 } else { 2_000 };
        let it = Web {
            rounds: d.range(1, 4),
            up,
            down: 18_000,
            think: 9 * SECOND,
            ..talk::HTTPS
        };
        talk::web(w, d, t, host, mail, &it);
    });
    papers(w, site, host, (rhythm, habits), from);
}

/// Its directory, printer, updates, and what goes wrong.
fn papers(w: &mut World, site: &Site, host: Id, (rhythm, mut habits): (Rhythm, Dice), from: u64) {
    let (files, ehr) = (site.files, site.ehr);
    let busy = |habits: &mut Dice, minutes: u64| habits.about(minutes * MINUTE, 0.5);
    let dc = site.directories.clone();
    let mut routine = w.routine(host, from);
    routine.every("domain", rhythm, busy(&mut habits, 70), move |w, d, t| {
        let server = dc[usize::from(d.chance(0.15))];
        datagram::lookup(w, d, t, host, server, "_ldap._tcp.dc._msdcs.stmary.lan");
        let kerberos = Plain {
            port: 88,
            rounds: 1,
            up: 1_500,
            down: 1_600,
            ..talk::DIRECTORY
        };
        talk::plain(w, d, t + 5 * MILLI, host, server, &kerberos);
        talk::plain(w, d, t + 90 * MILLI, host, server, &talk::DIRECTORY);
        if d.chance(0.3) {
            let policy = Plain {
                rounds: 5,
                down: 2_000,
                ..talk::SMB
            };
            talk::plain(w, d, t + 300 * MILLI, host, server, &policy);
        }
    });
    let mine = site.printers[habits.index(site.printers.len())];
    let printers = site.printers.clone();
    routine.every("print", rhythm, busy(&mut habits, 110), move |w, d, t| {
        let printer = if d.chance(0.9) {
            mine
        } else {
            *d.pick(&printers)
        };
        if d.chance(0.03) {
            // It is off.
            talk::refused(w, d, t, host, printer, 9_100);
        } else {
            talk::plain(w, d, t, host, printer, &talk::PRINT);
        }
    });
    let update = site.update;
    routine.steady("updates", 5 * HOUR, move |w, d, t| {
        talk::plain(w, d, t, host, update, &talk::WSUS);
    });
    attach(w, site, host, from);
    // Typed wrong, or a share that is gone.
    let others = site.office.clone();
    w.routine(host, from)
        .every("slips", rhythm, 16 * HOUR, move |w, d, t| {
            match d.below(4) {
                0 => {
                    let other = *d.pick(&others);
                    talk::refused(w, d, t, host, other, 445);
                }
                1 => talk::failed_login(w, d, t, host, files, 3_389),
                2 => talk::refused(w, d, t, host, ehr, 8_443),
                _ => datagram::lookup(w, d, t, host, update, "fileserver-old.stmary.lan"),
            }
        });
}

/// What each host does to be on the network: lease, clock, names of neighbours.
pub(crate) fn attach(w: &mut World, site: &Site, host: Id, from: u64) {
    let dc = site.directories[0];
    let mut routine = w.routine(host, from);
    routine.steady("lease", 12 * HOUR, move |w, d, t| {
        let new = d.chance(0.3);
        datagram::lease(w, d, t, host, dc, new);
        super::network::greet(w, d, t + 20 * MILLI, host);
    });
    routine.steady("clock", 4 * HOUR, move |w, d, t| {
        datagram::clock(w, d, t, host, dc);
    });
    routine.steady("announce", 3 * HOUR, move |w, d, t| {
        let (name, address) = (w.hosts[host].name.clone(), w.address(host, t).octets());
        if d.chance(0.5) {
            let it = dns::announcement(&name, address);
            datagram::broadcast(
                w,
                d,
                t,
                host,
                Ipv4Addr::new(224, 0, 0, 251),
                (5_353, 5_353),
                &it,
            );
        } else {
            let [a, b, c, _] = address;
            datagram::broadcast(
                w,
                d,
                t,
                host,
                Ipv4Addr::new(a, b, c, 255),
                (137, 137),
                &[0; 50],
            );
        }
    });
}

/// Someone who looks after servers.
fn administrator(w: &mut World, site: &Site, host: Id, from: u64) {
    let servers = site.servers();
    let (office, watch) = (site.office.clone(), site.watch);
    let mut routine = w.routine(host, from);
    routine.every("administer", Rhythm::Office, 35 * MINUTE, move |w, d, t| {
        let server = *d.pick(&servers);
        let windows = w.hosts[server].services.contains(&3_389);
        let port = if windows { 3_389 } else { 22 };
        if d.chance(0.08) {
            talk::failed_login(w, d, t, host, server, port);
        }
        let like = if windows { talk::RDP } else { talk::SSH };
        let it = Plain {
            rounds: d.spread(120, 0.9).clamp(5, 2_000),
            ..like
        };
        talk::plain(w, d, t + 5 * SECOND, host, server, &it);
    });
    routine.every("help", Rhythm::Office, 3 * HOUR, move |w, d, t| {
        let it = Plain {
            rounds: d.spread(150, 0.7).clamp(20, 900),
            ..talk::RDP
        };
        let other = *d.pick(&office);
        talk::plain(w, d, t, host, other, &it);
    });
    routine.every("watch", Rhythm::Office, 25 * MINUTE, move |w, d, t| {
        let it = Web {
            rounds: 6,
            up: 700,
            down: 30_000,
            think: 4 * SECOND,
            ..talk::HTTPS
        };
        talk::web(w, d, t, host, watch, &it);
    });
}

/// A visitor's telephone.
fn guest(w: &mut World, site: &Site, host: Id, from: u64) {
    let it = site.clone();
    w.routine(host, from)
        .every("guest", Rhythm::Ward, 9 * MINUTE, move |w, d, t| {
            browse(w, &it, d, t, host);
        });
    attach(w, site, host, from);
    let dc = site.directories[0];
    w.routine(host, from)
        .steady("guest lookups", DAY / 80, move |w, d, t| {
            let name = format!("push{}.apple.example", d.below(50));
            datagram::lookup(w, d, t, host, dc, &name);
        });
}

/// A question that servers answer at once, such as SNMP.
pub(crate) fn poll(w: &mut World, d: &mut Dice, t: u64, from: Id, to: Id, answered: bool) {
    let port = w.port(from);
    let ask = [&[0x30, 0x2b, 2, 1, 1, 4, 6][..], b"public", &[0xa1; 32]].concat();
    let answer = if answered {
        vec![0x30; 40 + d.index(180)]
    } else {
        Vec::new()
    };
    datagram::exchange(
        w,
        d,
        t,
        from,
        to,
        &Datagram {
            ports: (port, 161),
            ask: &ask,
            answer: &answer,
        },
    );
}
