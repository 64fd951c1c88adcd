//! Guessing passwords: many short connections to a login service (ATT&CK T1110).

use std::net::{IpAddr, SocketAddr};

use super::{Detector, Site, window::Window};
use crate::detect::draft::Draft;
use crate::{baseline::Fact, config::Detect};
use sensor_facts::observation::{Observation, What};
use sensor_facts::{target::Transport, words::several};

/// FTP, SSH, Telnet, POP3, IMAP, LDAP, SMB, MS SQL, Oracle, `MySQL`, RDP, `PostgreSQL`, VNC, `WinRM`.
const LOGINS: [u16; 14] = [
    21, 22, 23, 110, 143, 389, 445, 1_433, 1_521, 3_306, 3_389, 5_432, 5_900, 5_985,
];
/// A failed login sends less, bytes of payload.
const SHORT: u64 = 10_000;
/// A pair that is known may connect so many times as often.
const KNOWN: usize = 10;

/// Over hours, of a pair that is not known, so many times as many.
const SLOW: u32 = 5;

/// Server, and the client's port: a connection.
type Try = (SocketAddr, u16);

pub(super) struct BruteForce {
    tries: Window<Try>,
    known: Window<Try>,
    slow: Window<Try>,
}

impl BruteForce {
    pub(super) fn new(options: &Detect) -> Self {
        let within = options.logins_within.as_nanos();
        let many = u32::try_from(KNOWN).unwrap_or(u32::MAX);
        Self {
            tries: Window::new(within, options.logins),
            known: Window::new(within, options.logins.saturating_mul(many)),
            slow: Window::new(
                options.slow_within.as_nanos(),
                options.logins.saturating_mul(SLOW),
            ),
        }
    }
}

impl Detector for BruteForce {
    fn name(&self) -> &'static str {
        "brute_force"
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
            || facts.to_server.payload + facts.to_client.payload > SHORT
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
        let mut tries = window.add(client, one, seen.time);
        let mut seconds = window.seconds();
        if !known {
            let slow = self.slow.add(client, one, seen.time);
            if tries.is_none() {
                (tries, seconds) = (slow, self.slow.seconds());
            }
        }
        let tries = tries?;
        let mut servers: Vec<IpAddr> = tries.iter().map(|(server, _)| server.ip()).collect();
        servers.sort_unstable();
        servers.dedup();
        Some(Draft {
            technique: "T1110",
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
            wrong_if: "a script or a monitoring system logs in often, or a stored password is out of date",
            ..Draft::default()
        })
    }
}
