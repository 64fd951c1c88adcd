//! Change that harms nobody, in the second half: what a detector should learn, not report.

use super::{
    association::{self, Association},
    datagram, imaging,
    messages::Link,
    network, office,
    rhythm::Rhythm,
    site::{Modality, Site, inside, modality, net},
    talk::{self, Plain, Web},
    world::{Id, World},
};
use crate::wire::{
    burst::{DAY, HOUR, MILLI, MINUTE, SECOND},
    dicom,
    hl7::Route,
};

/// Devices that come later.
pub(crate) struct Arrivals {
    modality: Modality,
    workstation: Id,
    printer: Id,
    /// The host that has new firmware for pumps.
    firmware: Id,
    /// The same for a vendor's modalities, outside.
    download: Id,
    /// Devices of the house among these.
    pub(crate) devices: usize,
}

/// Adds their hosts, and plans who gets another address when.
pub(crate) fn arrive(w: &mut World, site: &Site, begin: u64, half: u64) -> Arrivals {
    let nth = site.modalities.len();
    let modality = modality(w, 1, (nth + 1, site.asked), inside(net::IMAGING, 60));
    let workstation = w.host(
        "ws900",
        [0x54, 0xee, 0x75],
        inside(net::OFFICE, 140),
        128,
        &[445, 3_389],
    );
    let printer = w.host(
        "prn900",
        [0x3c, 0xd9, 0x2b],
        inside(net::PRINTERS, 90),
        64,
        &[9_100, 80, 631],
    );
    let firmware = w.host(
        "pumpfw",
        [0x00, 0x50, 0x56],
        inside(net::SERVERS, 70),
        128,
        &[80, 443],
    );
    let download = w.host(
        "dl.vendor.example",
        [0; 3],
        [185, 46, 212, 40].into(),
        64,
        &[443],
    );
    let mut d = w.dice("moves", 0);
    let moved = w.shape.as_ref().map_or(site.office.len() / 8, |shape| {
        (site.office.len() * shape.churn / 100).min(50)
    });
    for (nth, host) in d.some(&site.office, moved).into_iter().enumerate() {
        // To a free address, in the morning of some day, in either half.
        let day = d.below((half - begin) / DAY * 2);
        let time = begin + day * DAY + 7 * HOUR + d.below(2 * HOUR);
        let last = u8::try_from(150 + nth % 50).unwrap_or(150);
        w.hosts[host]
            .addresses
            .push((time, inside(net::OFFICE, last)));
    }
    Arrivals {
        modality,
        workstation,
        printer,
        firmware,
        download,
        devices: 4,
    }
}

/// What happens in the second half, which begins at `half`; day and hour of each as far as there are so many days.
pub(crate) fn live(w: &mut World, site: &Site, arrivals: &Arrivals, (half, end): (u64, u64)) {
    let days = ((end - half) / DAY).max(1);
    let at = |day: u64, hour: u64| half + day % days * DAY + hour * HOUR;
    moves(w, site);
    // Monday: a new workstation. Tuesday: a new printer.
    office::workstation(w, site, arrivals.workstation, Rhythm::Office, at(0, 9));
    let (printer, dc) = (arrivals.printer, site.directories[0]);
    let dice = w.dice("printer", printer);
    w.once(at(1, 8), dice, move |w, d, t| {
        datagram::lease(w, d, t, printer, dc, true);
        network::greet(w, d, t + SECOND, printer);
    });
    for host in site.office.iter().take(12).copied() {
        w.routine(host, at(1, 9))
            .every("new printer", Rhythm::Office, 3 * HOUR, move |w, d, t| {
                talk::plain(w, d, t, host, printer, &talk::PRINT);
            });
    }
    firmware(w, site, arrivals, at(1, 10), at(3, 12));
    install(w, site, arrivals, at(2, 9));
    browsers(w, site, arrivals.download, at(4, 7), end);
    backup(w, site, at(3, 1));
    outage(w, site, at(4, 5));
    maintenance(w, site, at(2, 21));
}

/// A workstation that gets another address asks for it.
fn moves(w: &mut World, site: &Site) {
    let dc = site.directories[0];
    for host in site.office.clone() {
        if let Some((time, _)) = w.hosts[host].addresses.get(1).copied() {
            let dice = w.dice("move", host);
            w.once(time, dice, move |w, d, t| {
                datagram::lease(w, d, t, host, dc, true);
                network::greet(w, d, t + SECOND, host);
            });
        }
    }
}

/// Firmware day: all pumps fetch theirs from a host that is new; on another day a vendor's modalities from outside.
fn firmware(w: &mut World, site: &Site, arrivals: &Arrivals, day: u64, other: u64) {
    let host = arrivals.firmware;
    for pump in site.pumps.clone() {
        let mut dice = w.dice("firmware", pump);
        let time = day + dice.below(7 * HOUR);
        w.once(time, dice, move |w, d, t| {
            let ask = Plain {
                rounds: 2,
                down: 400,
                ..talk::HTTP
            };
            talk::plain(w, d, t, pump, host, &ask);
            let it = Plain {
                rounds: 1,
                down: 38_000_000,
                ..talk::HTTP
            };
            talk::plain(w, d, t + 2 * SECOND, pump, host, &it);
        });
    }
    let download = arrivals.download;
    for it in site.modalities.iter().filter(|it| it.vendor == 1) {
        let (modality, dice) = (it.host, w.dice("firmware", it.host));
        w.once(
            other + modality as u64 % 7 * 10 * MINUTE,
            dice,
            move |w, d, t| {
                let it = Web {
                    rounds: 6,
                    up: 600,
                    down: 45_000_000,
                    think: 2 * SECOND,
                    ..talk::HTTPS
                };
                talk::web(w, d, t, modality, download, &it);
            },
        );
    }
}

/// Workstations fetch a new browser from a host outside that none of them knew.
fn browsers(w: &mut World, site: &Site, host: Id, day: u64, end: u64) {
    for workstation in site.office.clone() {
        let mut dice = w.dice("browser", workstation);
        let time = Rhythm::Ward.next(&mut dice, day, 3 * HOUR);
        if time > end {
            continue;
        }
        w.once(time, dice, move |w, d, t| {
            let it = Web {
                rounds: 2,
                up: 500,
                down: 40_000_000,
                think: SECOND,
                ..talk::HTTPS
            };
            talk::web(w, d, t, workstation, host, &it);
        });
    }
}

/// A new modality: tried with echoes, a title that was typed wrong, test images, and then at work.
fn install(w: &mut World, site: &Site, arrivals: &Arrivals, start: u64) {
    let it = arrivals.modality.clone();
    let (archive, ris, dc) = (
        site.archives[0].clone(),
        site.ris.clone(),
        site.directories[0],
    );
    imaging::produce(w, site, &it, site.modalities.len(), start + 4 * HOUR);
    let dice = w.dice("install", it.host);
    w.once(start, dice, move |w, d, t| {
        datagram::lease(w, d, t, it.host, dc, true);
        network::greet(w, d, t + SECOND, it.host);
        let mut t = t + 5 * MINUTE;
        association::rejected(
            w,
            d,
            t,
            (it.host, &it.application),
            &archive,
            ("PACSMAIN", 7),
        );
        t += 3 * MINUTE;
        // Not yet known to the archive.
        association::rejected(
            w,
            d,
            t,
            (it.host, &it.application),
            &archive,
            ("PACS_MAIN", 3),
        );
        t += 20 * MINUTE;
        for node in [&archive, &ris, &archive] {
            let mut echo =
                Association::open(w, d, t, (it.host, &it.application), node, &[dicom::ECHO]);
            echo.echo(d);
            echo.release(w);
            t += d.range(1, 6) * MINUTE;
        }
        for images in [1, 4, 30] {
            let mut test =
                Association::open(w, d, t, (it.host, &it.application), &archive, &[it.class]);
            test.store(d, it.class, images, it.images.1);
            t = test.release(w) + d.range(4, 15) * MINUTE;
        }
    });
}

/// Backup night: all of all servers, and the archive too.
fn backup(w: &mut World, site: &Site, night: u64) {
    let (backup, share) = (site.backup, site.asked as u64);
    for (nth, host) in site.servers().into_iter().enumerate() {
        let dice = w.dice("backup night", host);
        w.once(night + nth as u64 * 7 * MINUTE, dice, move |w, d, t| {
            let bytes = d.range(600_000_000, 2_400_000_000) * share / 240;
            network::save(w, d, t, host, backup, bytes);
        });
    }
}

/// The laboratory's application is away for half an hour: its analysers are refused, and send later what they kept.
fn outage(w: &mut World, site: &Site, start: u64) {
    let lis = site.lis;
    for (nth, host) in site.analysers.clone().into_iter().enumerate() {
        w.silent.push((host, lis, start, start + 31 * MINUTE));
        let mut dice = w.dice("outage", host);
        let mut link = Link::new(
            host,
            lis,
            2_575,
            Route::new(&format!("COBAS{nth}"), "LIS", "LAB"),
            &mut dice,
        );
        if nth == 1 {
            link.off = super::messages::SLOW_CLOCK;
        }
        w.once(start + nth as u64 * SECOND, dice, move |w, d, t| {
            for minute in 0..15 {
                talk::refused(w, d, t + minute * 2 * MINUTE, host, lis, 2_575);
            }
            for kept in 0..12 {
                let (made, sent) = (
                    t + kept * 150 * SECOND,
                    t + 30 * MINUTE + kept * 900 * MILLI,
                );
                link.send(w, d, (sent, made), "ORU^R01^ORU_R01", 1_500, "AA");
            }
            link.drop(w, d, t + 32 * MINUTE);
        });
    }
}

/// A vendor's engineer looks after a modality in the evening, by way of an administrator's computer.
fn maintenance(w: &mut World, site: &Site, evening: u64) {
    let (admin, vendor) = (site.admins[0], site.vendors[0]);
    let modality = site.modalities[0].host;
    let dice = w.dice("maintenance", admin);
    w.once(evening, dice, move |w, d, t| {
        let tunnel = Web {
            rounds: 200,
            up: 4_000,
            down: 900,
            think: 10 * SECOND,
            ..talk::HTTPS
        };
        talk::web(w, d, t, admin, vendor, &tunnel);
        let desk = Plain {
            rounds: 400,
            ..talk::RDP
        };
        talk::plain(w, d, t + MINUTE, admin, modality, &desk);
    });
}
