//! Guessing passwords: many short connections to a login service (ATT&CK T1110).

use std::net::{IpAddr, SocketAddr};

use crate::detect::prelude::*;

pub(super) const ABOUT: About = About {
    id: "brute_force",
    techniques: &["T1110"],
    finds: "many short connections to login services",
    starts: Starts::AtOnce,
    wrong_if: &[
        "a script or a monitoring system logs in often, or a stored password is out of date",
    ],
    thresholds: THRESHOLDS,
    features: &[Feature::Flows],
    new: |values| Box::new(BruteForce::new(values)),
};

thresholds! {
    /// This many short connections to login services within `logins_within` count as guessing passwords.
    logins: count = 6, 1..=1_024;
    /// The time in which short connections to login services are counted.
    logins_within: seconds = 60, 1..=86_400;
    /// A connection to a login service is short when both ends send no more than this together.
    logins_bytes: bytes = 10_000, 100..=100_000_000;
    /// A client that is known to use the service may connect this many times as often.
    logins_known_factor: count = 10, 1..=1_000;
    /// Within `slow_within` it takes this many times `logins`.
    logins_slow_factor: count = 5, 1..=1_000;
}

/// FTP, SSH, Telnet, POP3, IMAP, LDAP, SMB, MS SQL, Oracle, `MySQL`, RDP, `PostgreSQL`, VNC, `WinRM`.
const LOGINS: [u16; 14] = [
    21, 22, 23, 110, 143, 389, 445, 1_433, 1_521, 3_306, 3_389, 5_432, 5_900, 5_985,
];
/// Server, and the client's port: a connection.
type Try = (SocketAddr, u16);

pub(super) struct BruteForce {
    tries: Window<Try>,
    known: Window<Try>,
    slow: Window<Try>,
    short: u64,
}

impl BruteForce {
    fn new(values: &Values) -> Self {
        let (own, shared) = (Thresholds::of(values), shared::Thresholds::of(values));
        let times = |factor| own.logins.saturating_mul(factor);
        Self {
            tries: Window::new(own.logins_within, own.logins),
            known: Window::new(own.logins_within, times(own.logins_known_factor)),
            slow: Window::new(shared.slow_within, times(own.logins_slow_factor)),
            short: own.logins_bytes,
        }
    }
}

impl Detector for BruteForce {
    fn evicted(&self) -> u64 {
        self.tries.evicted() + self.known.evicted() + self.slow.evicted()
    }

    fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
        let What::Flow(facts) = &seen.what else {
            return None;
        };
        let service = seen.service()?;
        if service.transport != Transport::Tcp
            || !LOGINS.contains(&service.port)
            || !facts.over
            || !facts.established(seen.protocol)
            || facts.to_server.payload + facts.to_client.payload > self.short
        {
            return None;
        }
        let (client, server) = (seen.client.ip(), seen.server.ip());
        let known = site.knows(client, &Fact::Uses(server, service));
        let window = if known {
            &mut self.known
        } else {
            &mut self.tries
        };
        let one = (seen.server, seen.client.port());
        let mut tries = window.add(site.who(client), one, seen.time);
        let mut seconds = window.seconds();
        if !known {
            let slow = self.slow.add(site.who(client), one, seen.time);
            if tries.is_none() {
                (tries, seconds) = (slow, self.slow.seconds());
            }
        }
        let tries = tries?;
        let mut servers: Vec<IpAddr> = tries.iter().map(|(server, _)| server.ip()).collect();
        servers.sort_unstable();
        servers.dedup();
        Some(Draft {
            confidence: 0.75,
            evidence: format!(
                "{} short connections to login services of {} within {} s, the last to TCP port {}{}",
                tries.len(),
                several(servers.len() as u64, "hosts"),
                seconds,
                service.port,
                if known {
                    ", which it uses, but not like that"
                } else {
                    ""
                }
            ),
            service: (servers.len() == 1).then_some(service),
            victims: servers,
            ..Draft::default()
        })
    }
}
