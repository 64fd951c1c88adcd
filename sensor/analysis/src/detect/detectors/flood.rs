//! Floods: one service is asked by very many clients that do not follow up, or one host gets answers that it
//! did not ask for (ATT&CK T1498, T1499).

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
};

use sensor_common::packet::protocol;

use crate::detect::prelude::*;

pub(super) const ABOUT: About = About {
    id: "flood",
    techniques: &["T1498.002", "T1499", "T1499.001"],
    finds: "very many clients at one service, very many half-open connections of one client, or answers without questions",
    starts: Starts::AtOnce,
    wrong_if: &[ONE_DIRECTION, MONITORING, TRY_AGAIN],
    thresholds: THRESHOLDS,
    features: &[],
    new: |values| Box::new(Flood::new(values)),
};

thresholds! {
    /// This many clients that ask one service within `flood_within` and do not follow up, or hosts whose answers nobody
    /// asked for, count as a flood.
    flood_clients: count = 100, 1..=1_024;
    /// The time in which clients and answers are counted.
    flood_within: seconds = 60, 1..=3_600;
    /// Of a single client, this many times as many half-open connections count as a flood.
    flood_alone_factor: count = 3, 1..=10;
}

const ONE_DIRECTION: &str = "the mirror shows one direction only";
const MONITORING: &str = "the mirror shows one direction only, or a monitoring system asks very often whether the service is there";
const TRY_AGAIN: &str =
    "the mirror shows one direction only, or the service stopped and all its clients try again";

/// Services whose answers are far longer than the questions: chargen, DNS, NTP, SNMP, CLDAP, SSDP, memcached.
const AMPLIFIERS: [u16; 7] = [19, 53, 123, 161, 389, 1_900, 11_211];

pub(super) struct Flood {
    asked: Window<SocketAddr>,
    alone: Window<(SocketAddr, u16)>,
    answered: Window<SocketAddr>,
}

impl Flood {
    fn new(values: &Values) -> Self {
        let own = Thresholds::of(values);
        let (within, clients) = (own.flood_within, own.flood_clients);
        let alone = clients.saturating_mul(own.flood_alone_factor);
        Self {
            asked: Window::new(within, clients),
            alone: Window::new(within, alone),
            answered: Window::new(within, clients),
        }
    }
}

impl Detector for Flood {
    fn evicted(&self) -> u64 {
        self.asked.evicted() + self.alone.evicted() + self.answered.evicted()
    }

    fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
        let (from, to) = (seen.client, seen.server);
        let within = self.asked.seconds();
        match &seen.what {
            What::Flow(facts) if facts.over => {
                if seen.protocol == protocol::TCP {
                    let half = facts.to_server.syn > 0
                        // A SYN can carry data (RFC 7413).
                        && (facts.to_server.payload == 0
                            || facts.to_server.packets == u64::from(facts.to_server.syn))
                        && facts.to_client.payload == 0
                        && facts.to_server.packets <= 3
                        && !facts.midstream;
                    if !half {
                        return None;
                    }
                    let alone = self
                        .alone
                        .add(site.who(from.ip()), (to, from.port()), seen.time);
                    return self
                        .asked
                        .add(site.who(to.ip()), from, seen.time)
                        .and_then(|clients| asked(seen, &clients, within, site))
                        .or_else(|| alone.and_then(|tries| by_one(seen, &tries, within)));
                }
                // Who is the client of an answer without a question, the ports may say the other way round.
                let (from, to) = if facts.to_server.packets == 0 {
                    (to, from)
                } else {
                    (from, to)
                };
                let unasked = seen.protocol == protocol::UDP
                    && !facts.answered()
                    && AMPLIFIERS.contains(&from.port())
                    && !AMPLIFIERS.contains(&to.port());
                let servers = unasked
                    .then(|| {
                        self.answered.add(
                            site.who(to.ip()),
                            SocketAddr::new(from.ip(), 0),
                            seen.time,
                        )
                    })
                    .flatten()?;
                Some(Draft {
                    technique: "T1498.002",
                    confidence: 0.8,
                    subject: Some(to.ip()),
                    role: AttackRole::Victim,
                    victims: servers.iter().map(SocketAddr::ip).collect(),
                    evidence: format!(
                        "answers of {} hosts from UDP port {} within {within} s, which it did not ask for",
                        servers.len(),
                        from.port()
                    ),
                    ..Draft::default()
                })
            }
            _ => None,
        }
    }
}

/// Connections that one client leaves half open.
fn by_one(seen: &Observation, tries: &[(SocketAddr, u16)], within: i64) -> Option<Draft> {
    // Of many services it is a scan.
    let at_this = tries.iter().filter(|(to, _)| *to == seen.server).count();
    if at_this * 2 < tries.len() {
        return None;
    }
    Some(Draft {
        technique: "T1499.001",
        confidence: 0.8,
        evidence: format!(
            "{at_this} connections within {within} s to TCP port {} of {} that it did not use, once it had asked for them",
            seen.server.port(),
            seen.server.ip()
        ),
        wrong_if: MONITORING,
        ..Draft::about_server(seen)
    })
}

fn asked(
    seen: &Observation,
    clients: &[SocketAddr],
    within: i64,
    site: &Site<'_>,
) -> Option<Draft> {
    let addresses: BTreeSet<IpAddr> = clients.iter().map(SocketAddr::ip).collect();
    // Many connections of few clients are a scan or a busy client.
    if addresses.len() * 2 < clients.len() {
        return None;
    }
    let transport = seen.transport()?;
    // Anyone can make source addresses up: named are those that a completed handshake confirms.
    let confirmed: Vec<IpAddr> = addresses
        .iter()
        .copied()
        .filter(|address| site.who(*address).confirmed)
        .collect();
    Some(Draft {
        technique: "T1499",
        confidence: 0.8,
        subject: Some(seen.server.ip()),
        role: AttackRole::Victim,
        service: Some(Service {
            transport,
            port: seen.server.port(),
        }),
        evidence: format!(
            "{} clients, {} of them confirmed by a completed handshake, asked for TCP connections within {within} s and did not follow up, the last at port {}",
            addresses.len(),
            confirmed.len(),
            seen.server.port()
        ),
        victims: confirmed,
        wrong_if: TRY_AGAIN,
        ..Draft::default()
    })
}
