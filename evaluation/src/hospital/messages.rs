//! HL7: links between applications, that stay open for hours or days.

use super::{
    rhythm::Rhythm,
    site::Site,
    world::{Id, World},
};
use crate::wire::{
    burst::{Burst, MILLI, MINUTE, SECOND},
    dice::Dice,
    hl7::{self, Route},
    tcp::{Side, Tcp},
};

/// An analyser whose clock nobody has set for years, seconds.
pub(crate) const SLOW_CLOCK: i64 = -2_834;

/// A link from one application to another.
pub(crate) struct Link {
    pub(crate) from: Id,
    pub(crate) to: Id,
    pub(crate) port: u16,
    pub(crate) route: Route,
    /// How far the sender's clock is off, seconds; negative if it is slow.
    pub(crate) off: i64,
    tcp: Option<Tcp>,
    number: u64,
    busy: u64,
}

impl Link {
    pub(crate) fn new(from: Id, to: Id, port: u16, route: Route, d: &mut Dice) -> Self {
        Self {
            from,
            to,
            port,
            route,
            off: i64::try_from(d.below(20)).unwrap_or(0) - 10,
            tcp: None,
            number: d.below(900_000),
            busy: 0,
        }
    }

    /// Ends the connection, in order or not.
    pub(crate) fn drop(&mut self, w: &mut World, d: &mut Dice, time: u64) {
        if let Some(mut tcp) = self.tcp.take() {
            let mut burst = Burst::new(time.max(self.busy), d.number());
            let side = if d.chance(0.5) {
                Side::Client
            } else {
                Side::Server
            };
            if d.chance(0.5) {
                tcp.close(&mut burst, side);
            } else {
                tcp.reset(&mut burst, side);
            }
            self.busy = burst.now + SECOND;
            w.play(burst);
        }
    }

    /// Sends a message made at `made`, and takes its acknowledgement of `code`.
    pub(crate) fn send(
        &mut self,
        w: &mut World,
        d: &mut Dice,
        (time, made): (u64, u64),
        kind: &str,
        more: usize,
        code: &str,
    ) {
        let start = time.max(self.busy);
        let (mut tcp, mut burst) = if let Some(tcp) = self.tcp.take() {
            (tcp, Burst::new(start, d.number()))
        } else {
            let (mut tcp, mut burst) = w.tcp(d, start, self.from, self.to, self.port);
            tcp.open(&mut burst);
            (tcp, burst)
        };
        self.number += 1;
        let control = format!("{}{:07}", &self.route.from.0[..2], self.number);
        let stamp = hl7::time(made.saturating_add_signed(self.off * 1_000_000_000));
        let message = hl7::message(&self.route, kind, &control, &stamp, more);
        tcp.send(&mut burst, Side::Client, &message);
        burst.wait(d.range(3, 60) * MILLI);
        let stamp = hl7::time(burst.now);
        let answer = hl7::acknowledge(&self.route, code, &control, &stamp);
        tcp.send(&mut burst, Side::Server, &answer);
        tcp.acknowledge(&mut burst, Side::Client);
        self.busy = burst.now + MILLI;
        w.hear(self.from, self.to, &message);
        w.play(burst);
        self.tcp = Some(tcp);
    }
}

/// A link that carries messages of some kinds, `mean` apart when it is busiest.
fn run(
    w: &mut World,
    name: &str,
    mut link: Link,
    begin: u64,
    (rhythm, mean): (Rhythm, u64),
    kinds: &'static [(u64, (&'static str, u64))],
) {
    let host = link.from;
    let mut last = begin;
    w.routine(host * 512 + link.to, begin)
        .every(name, rhythm, mean, move |w, d, t| {
            let silent = |one: &(Id, Id, u64, u64)| {
                (one.0, one.1) == (link.from, link.to) && one.2 <= t && t < one.3
            };
            if w.silent.iter().any(silent) {
                link.drop(w, d, t);
                return;
            }
            // Idle links are closed by a firewall now and then, and applications restart.
            if (t - last > 50 * MINUTE && d.chance(0.3)) || d.chance(0.000_6) {
                link.drop(w, d, t);
            }
            last = t;
            let (kind, more) = *d.weighted(kinds);
            let more = usize::try_from(d.spread(more, 0.5)).unwrap_or(0);
            let code = match d.below(10_000) {
                0..=14 => "AE",
                15..=19 => "AR",
                _ => "AA",
            };
            link.send(w, d, (t + 2 * SECOND, t), kind, more, code);
            if code == "AE" && d.chance(0.5) {
                link.send(w, d, (t + 30 * SECOND, t + 20 * SECOND), kind, more, "AA");
            }
        });
}

const ADT: &[(u64, (&str, u64))] = &[
    (4, ("ADT^A08^ADT_A01", 500)),
    (2, ("ADT^A01^ADT_A01", 700)),
    (2, ("ADT^A03^ADT_A03", 400)),
    (1, ("ADT^A02^ADT_A02", 400)),
];
const ORDERS: &[(u64, (&str, u64))] = &[
    (5, ("ORM^O01^ORM_O01", 500)),
    (3, ("ADT^A08^ADT_A01", 400)),
    (1, ("SIU^S12^SIU_S12", 300)),
];
const RESULTS: &[(u64, (&str, u64))] = &[
    (8, ("ORU^R01^ORU_R01", 1_600)),
    (1, ("ORU^R01^ORU_R01", 9_000)),
];
const VITALS: &[(u64, (&str, u64))] = &[(1, ("ORU^R01^ORU_R01", 900))];
const PUMPS: &[(u64, (&str, u64))] =
    &[(3, ("RAS^O17^RAS_O17", 350)), (1, ("ORU^R42^ORU_R01", 300))];
const DOCUMENTS: &[(u64, (&str, u64))] = &[
    (6, ("MDM^T02^MDM_T02", 2_500)),
    (1, ("MDM^T02^MDM_T02", 40_000)),
];

/// All applications that send messages.
pub(crate) fn live(w: &mut World, site: &Site, from: u64) {
    let mut dice = w.dice("links", 0);
    let facility = "STMARY";
    let mut link = |from: Id, to: Id, names: (&str, &str), port: u16| {
        Link::new(
            from,
            to,
            port,
            Route::new(names.0, names.1, facility),
            &mut dice,
        )
    };
    let (engine, ward) = (site.engine, Rhythm::Ward);
    let all = [
        (
            link(site.ehr, engine, ("EPIC", "CLOVERLEAF"), 6_661),
            (ward, 12 * SECOND),
            ADT,
        ),
        (
            link(engine, site.ris.host, ("CLOVERLEAF", "RIS"), 2_575),
            (ward, 30 * SECOND),
            ORDERS,
        ),
        (
            link(engine, site.lis, ("CLOVERLEAF", "LIS"), 2_575),
            (ward, 25 * SECOND),
            ORDERS,
        ),
        (
            link(engine, site.archives[0].host, ("CLOVERLEAF", "PACS"), 2_575),
            (ward, 60 * SECOND),
            ADT,
        ),
        (
            link(engine, site.ehr, ("CLOVERLEAF", "EPIC"), 2_575),
            (ward, 14 * SECOND),
            RESULTS,
        ),
        (
            link(site.lis, engine, ("LIS", "CLOVERLEAF"), 2_575),
            (ward, 30 * SECOND),
            RESULTS,
        ),
        (
            link(site.ris.host, engine, ("RIS", "CLOVERLEAF"), 2_575),
            (Rhythm::Imaging, 150 * SECOND),
            DOCUMENTS,
        ),
        (
            link(site.central, engine, ("CENTRAL", "CLOVERLEAF"), 6_661),
            (Rhythm::Always, 20 * SECOND),
            VITALS,
        ),
        (
            link(site.gateways[0], engine, ("PUMPGW", "CLOVERLEAF"), 6_661),
            (ward, 40 * SECOND),
            PUMPS,
        ),
        (
            link(site.gateways[1], engine, ("PUMPGW2", "CLOVERLEAF"), 6_661),
            (ward, 55 * SECOND),
            PUMPS,
        ),
    ];
    for (link, pace, kinds) in all {
        run(w, "link", link, from, pace, kinds);
    }
    for (nth, analyser) in site.analysers.iter().enumerate() {
        let name = format!("COBAS{nth}");
        let mut link = Link::new(
            *analyser,
            site.lis,
            2_575,
            Route::new(&name, "LIS", "LAB"),
            &mut dice,
        );
        if nth == 1 {
            link.off = SLOW_CLOCK;
        }
        run(
            w,
            "analyser",
            link,
            from,
            (ward, (50 + 25 * nth as u64) * SECOND),
            RESULTS,
        );
    }
}
