//! What keeps the network going: neighbours, names, times, the watch, backups, and servers among themselves.

use super::{
    datagram::{self, Datagram},
    office,
    rhythm::Rhythm,
    site::Site,
    talk::{self, Plain, Web},
    world::{Id, World},
};
use crate::wire::{
    arp,
    burst::{Burst, DAY, HOUR, MICRO, MILLI, MINUTE, SECOND},
    dice::Dice,
    tcp::Side,
};

/// Asks for the router, and is told.
pub(crate) fn greet(w: &mut World, d: &mut Dice, t: u64, host: Id) {
    let mut burst = Burst::new(t, d.number());
    let (mac, address) = (w.hosts[host].mac, w.address(host, t));
    let mut router = address.octets();
    router[3] = 1;
    let router = router.into();
    arp::ask(&mut burst, mac, address, router);
    burst.wait(200 * MICRO);
    arp::tell(&mut burst, w.router, router, (mac, address));
    w.play(burst);
}

/// Begins all that keeps the network going.
pub(crate) fn live(w: &mut World, site: &Site, from: u64) {
    // Those of the house come first; who comes later, or uninvited, is not among them.
    for host in 0..site.devices - 1 {
        w.routine(host, from)
            .steady("arp", HOUR, move |w, d, t| greet(w, d, t, host));
    }
    for (nth, host) in site.servers().into_iter().enumerate() {
        let (dc, log) = (site.directories[nth % 2], site.watch);
        if host != site.directories[0] {
            w.routine(host, from).steady("clock", HOUR, move |w, d, t| {
                datagram::clock(w, d, t, host, dc);
            });
        }
        w.routine(host, from)
            .every("lookup", Rhythm::Ward, 6 * MINUTE, move |w, d, t| {
                let name = format!("srv{}.stmary.lan", d.below(20));
                datagram::lookup(w, d, t, host, dc, &name);
            });
        w.routine(host, from)
            .steady("log", 4 * MINUTE, move |w, d, t| {
                let text = vec![b'<'; 120 + d.index(200)];
                datagram::exchange(
                    w,
                    d,
                    t,
                    host,
                    log,
                    &Datagram {
                        ports: (514, 514),
                        ask: &text,
                        answer: &[],
                    },
                );
            });
    }
    resolve(w, site, from);
    watch(w, site, from);
    database(w, site, from);
    replicate(w, site, from);
    for (nth, host) in (0..).zip(site.servers()) {
        let bytes = (40_000_000 + 30_000_000 * (nth % 5)) * site.asked as u64 / 240;
        nightly(w, (host, site.backup), nth, bytes, from);
    }
    deploy(w, site, from);
    vendors(w, site, from);
}

/// The resolvers ask outside, and the first keeps time with outside.
fn resolve(w: &mut World, site: &Site, from: u64) {
    let web = site.web.clone();
    for dc in site.directories.clone() {
        let web = web.clone();
        w.routine(dc, from)
            .every("forward", Rhythm::Ward, 20 * SECOND, move |w, d, t| {
                let server = web[d.index(4)];
                let name = format!("www{}.example", d.below(400));
                datagram::lookup(w, d, t, dc, server, &name);
            });
    }
    let (dc, time) = (site.directories[0], site.time);
    w.routine(dc, from)
        .steady("stratum", 17 * MINUTE, move |w, d, t| {
            datagram::clock(w, d, t, dc, time);
        });
}

/// The watch asks servers, printers and modalities how they are.
fn watch(w: &mut World, site: &Site, from: u64) {
    let watch = site.watch;
    let mut watched: Vec<(Id, u64)> = site
        .servers()
        .into_iter()
        .map(|id| (id, 5 * MINUTE))
        .collect();
    watched.extend(site.printers.iter().map(|id| (*id, 15 * MINUTE)));
    watched.extend(site.modalities.iter().map(|it| (it.host, 15 * MINUTE)));
    for (host, period) in watched {
        let printer = w.hosts[host].services.contains(&9_100);
        w.routine(host, from)
            .steady("poll", period, move |w, d, t| {
                // A printer is off now and then.
                let answered = !(printer && d.chance(0.02));
                datagram::ping(w, d, t, watch, host, answered);
                office::poll(w, d, t + 40 * MILLI, watch, host, answered);
            });
    }
    for camera in site.cameras.clone() {
        w.routine(camera, from)
            .steady("look", 10 * MINUTE, move |w, d, t| {
                talk::plain(w, d, t, watch, camera, &talk::RTSP);
            });
    }
}

/// The record's application and its database: a few connections for a day each.
fn database(w: &mut World, site: &Site, from: u64) {
    let (ehr, database) = (site.ehr, site.database);
    for nth in 0..4 {
        let mut open = None;
        let mut queries = 0_u32;
        w.routine(nth, from)
            .every("database", Rhythm::Ward, 12 * SECOND, move |w, d, t| {
                queries += 1;
                let (mut tcp, mut burst) = if let Some(tcp) = open.take() {
                    (tcp, Burst::new(t, d.number()))
                } else {
                    let (mut tcp, mut burst) = w.tcp(d, t, ehr, database, 1_521);
                    tcp.open(&mut burst);
                    (tcp, burst)
                };
                let (up, down) = (d.spread(500, 0.6), d.spread(1_200, 1.0));
                talk::say(
                    &mut tcp,
                    &mut burst,
                    Side::Client,
                    &[0, 0, 1, 0, 6],
                    up.max(30),
                );
                burst.wait(d.range(300, 9_000) * MICRO);
                talk::say(
                    &mut tcp,
                    &mut burst,
                    Side::Server,
                    &[0, 0, 4, 0, 6],
                    down.max(30),
                );
                if queries.is_multiple_of(4_000) {
                    tcp.close(&mut burst, Side::Client);
                } else {
                    open = Some(tcp);
                }
                w.play(burst);
            });
    }
}

/// The directory's servers among themselves.
fn replicate(w: &mut World, site: &Site, from: u64) {
    let (one, other) = (site.directories[0], site.directories[1]);
    w.routine(one, from)
        .steady("replicate", 15 * MINUTE, move |w, d, t| {
            let (a, b) = if d.chance(0.5) {
                (one, other)
            } else {
                (other, one)
            };
            let it = Plain {
                rounds: 6,
                up: 3_000,
                down: 500,
                ..talk::DIRECTORY
            };
            talk::plain(w, d, t, a, b, &it);
        });
}

/// A server's backup, each night; on Saturdays all of it.
fn nightly(w: &mut World, (host, backup): (Id, Id), nth: u64, size: u64, from: u64) {
    let dice = w.dice("backup", host);
    let first = from - from % DAY + HOUR + nth * 11 * MINUTE;
    w.at(
        first,
        dice,
        Box::new(move |w, d, t| {
            let full = super::rhythm::weekday(t) == 5;
            let bytes = d.spread(if full { size * 5 } else { size }, 0.4);
            save(w, d, t, host, backup, bytes);
            Some(t - (t - first) % DAY + DAY + d.below(6 * MINUTE))
        }),
    );
}

/// Sends so many bytes to the backup.
pub(crate) fn save(w: &mut World, d: &mut Dice, t: u64, host: Id, backup: Id, bytes: u64) {
    let (mut tcp, mut burst) = w.tcp(d, t, host, backup, 10_000);
    tcp.rate = 60_000_000;
    tcp.open(&mut burst);
    let mut left = bytes;
    while left > 0 {
        let part = left.min(8_000_000);
        left -= part;
        tcp.bulk(&mut burst, Side::Client, b"\x80\0\0\0BKP", part);
        burst.wait(20 * MILLI);
        tcp.send(&mut burst, Side::Server, b"\x80\0\0\x10BKP OK 00000");
    }
    tcp.close(&mut burst, Side::Client);
    w.play(burst);
}

/// Software for workstations, pushed on Tuesday evenings.
fn deploy(w: &mut World, site: &Site, from: u64) {
    let (update, hosts) = (site.update, site.office.clone());
    let dice = w.dice("deploy", update);
    let first = from - from % DAY + DAY + 19 * HOUR;
    w.at(
        first,
        dice,
        Box::new(move |w, d, t| {
            for (nth, host) in hosts.iter().enumerate() {
                let start = t + nth as u64 * 90 * SECOND + d.below(MINUTE);
                if d.chance(0.07) {
                    talk::refused(w, d, start, update, *host, 445);
                    continue;
                }
                let it = Plain {
                    rounds: 12,
                    up: 300_000,
                    down: 200,
                    ..talk::SMB
                };
                talk::plain(w, d, start, update, *host, &it);
            }
            Some(t + 7 * DAY)
        }),
    );
}

/// Modalities tell their vendors how they are, and vendors look after them through the night.
fn vendors(w: &mut World, site: &Site, from: u64) {
    for it in &site.modalities {
        let (host, vendor) = (it.host, site.vendors[it.vendor]);
        w.routine(host, from)
            .steady("call home", 6 * HOUR, move |w, d, t| {
                let it = Web {
                    rounds: 3,
                    up: 9_000,
                    down: 1_500,
                    think: SECOND,
                    ..talk::HTTPS
                };
                talk::web(w, d, t, host, vendor, &it);
            });
    }
}
