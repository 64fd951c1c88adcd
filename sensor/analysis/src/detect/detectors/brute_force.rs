//! Guessing passwords: many short connections to a login service, many tries within few SSH connections, or many SNMP
//! requests that are not answered (ATT&CK T1110).
//!
//! SSH allows several tries in a connection (RFC 4252 section 4). What is in it is encrypted, but a session in which
//! every try fails has a shape of its own: after the key exchange both ends send short packets only, and the server
//! takes its time with each answer. An SNMP agent does not answer a request with a wrong community (RFC 3584 section
//! 5.2.1), so guesses of communities are requests without answers.

use std::net::{IpAddr, SocketAddr};

use sensor_facts::observation::FlowFacts;

use crate::detect::prelude::*;

pub(super) const ABOUT: About = About {
    id: "brute_force",
    techniques: &["T1110"],
    finds: "many short connections to login services, many failed tries in SSH connections, or many SNMP requests without an answer",
    starts: Starts::AtOnce,
    wrong_if: &[OFTEN, NO_AGENT],
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
    /// This many tries within `guesses_within` that look failed, in SSH connections or at other services at which a person
    /// logs in, count as guessing passwords; in `slow_within` it takes three times as many.
    guesses: count = 10, 3..=300;
    /// The time in which failed tries are counted.
    guesses_within: seconds = 600, 1..=86_400;
    /// A client that is known to use the service may fail this many times as often.
    guesses_known_factor: count = 3, 1..=100;
    /// This many SNMP requests to one host within `logins_within`, none or few of which it answers, count as guessing
    /// communities.
    snmp_guesses: count = 30, 3..=1_024;
    /// This many SMB sessions within `guesses_within` that end when the password was told, of a client that was not seen to
    /// use the server's shares, are a hint.
    smb_refused: count = 3, 2..=1_024;
}

const OFTEN: &str =
    "a script or a monitoring system logs in often, or a stored password is out of date";
const NO_AGENT: &str = "a monitoring system asks a host that is switched off or has no SNMP agent";

/// FTP, SSH, Telnet, POP3, IMAP, LDAP, SMB, MS SQL, Oracle, `MySQL`, RDP, `PostgreSQL`, VNC, `WinRM`.
const LOGINS: [u16; 14] = [
    21, 22, 23, 110, 143, 389, 445, 1_433, 1_521, 3_306, 3_389, 5_432, 5_900, 5_985,
];
/// FTP, SSH, Telnet, RDP, VNC: a person logs in, seldom and for long.
const PERSONS: [u16; 5] = [21, SSH, 23, 3_389, 5_900];
const SSH: u16 = 22;
const SMB: u16 = 445;
const SNMP: u16 = 161;
/// Data segments of an SSH client before its first try: version, key exchange (two), new keys, service request, and the
/// request "none" (RFC 4253, RFC 4252 section 5.2).
const SSH_BEGIN: u32 = 6;
/// Packets of 256 bytes or more that an SSH server sends in a session without a login: its key exchange, with a long host
/// key one more. After a login come its other host keys and what is worked with.
const SSH_LONG: u32 = 2;
/// Client segments after the key exchange in a session in which every try fails: servers end it after six tries by
/// default, and a try may take two segments. In more, someone types.
const SSH_TRIES: u32 = 12;
/// In the long time it takes this many times as many failed tries.
const SLOW: u32 = 3;

/// Requests of one flow that are counted.
const FLOW_MOST: u32 = 512;
/// The messages of an SMB client whose password is refused: what versions it knows, once or twice, and two of the NTLM
/// exchange (MS-SMB2 section 3.2.4.2); one that gets in asks for a share next.
const SMB_REFUSED: std::ops::RangeInclusive<u32> = 3..=4;

/// Server, the client's port, and the number of the try in the connection.
type Try = (SocketAddr, u16, u32);

pub(super) struct BruteForce {
    tries: Window<Try>,
    known: Window<Try>,
    slow: Window<Try>,
    /// Failed tries: of clients that do not use the service, of others, and of all in the long time.
    failed: [Window<Try>; 3],
    /// Sessions of SMB that end when the password was told.
    refused: Window<Try>,
    communities: Window<Try>,
    own: Thresholds,
}

/// Failed tries of an SSH session by its shape: none where it may have been a session in which something was done.
fn ssh_failures(facts: &FlowFacts, known: bool) -> u32 {
    let (to, from) = (&facts.to_server, &facts.to_client);
    let long: u32 = from.sizes.iter().skip(3).sum();
    let tries = to.push.saturating_sub(SSH_BEGIN);
    if facts.midstream || long > SSH_LONG + u32::from(!known) || tries > SSH_TRIES {
        return 0;
    }
    // A server answers a wrong password after a second or more; a key that it does not take, at once.
    let seconds = facts.duration / 1_000_000_000;
    tries.min(u32::try_from(seconds).unwrap_or(u32::MAX))
}

/// The hosts of the tries.
fn hosts(tries: &[Try]) -> Vec<IpAddr> {
    let mut servers: Vec<IpAddr> = tries.iter().map(|(server, ..)| server.ip()).collect();
    servers.dedup();
    servers
}

impl BruteForce {
    fn new(values: &Values) -> Self {
        let (own, shared) = (Thresholds::of(values), shared::Thresholds::of(values));
        let times = |factor| own.logins.saturating_mul(factor);
        let guesses = |factor| own.guesses.saturating_mul(factor);
        Self {
            tries: Window::new(own.logins_within, own.logins),
            known: Window::new(own.logins_within, times(own.logins_known_factor)),
            slow: Window::new(shared.slow_within, times(own.logins_slow_factor)),
            failed: [
                Window::new(own.guesses_within, own.guesses),
                Window::new(own.guesses_within, guesses(own.guesses_known_factor)),
                Window::new(
                    shared.slow_within,
                    guesses(own.guesses_known_factor.max(SLOW)),
                ),
            ],
            refused: Window::new(own.guesses_within, own.smb_refused),
            communities: Window::new(own.logins_within, own.snmp_guesses),
            own,
        }
    }

    /// Takes a flow to an SNMP agent.
    fn snmp(&mut self, seen: &Observation, facts: &FlowFacts, site: &Site<'_>) -> Option<Draft> {
        let (asked, answered) = (facts.to_server.packets, facts.to_client.packets);
        let open = asked.saturating_sub(answered);
        let within = self.own.logins_within.as_nanos();
        let service = seen.service()?;
        // An agent that has answered before may be switched off while it is asked on.
        let known = site.knows(seen.client.ip(), &Fact::Uses(seen.server.ip(), service));
        let times = open / u64::from(self.own.snmp_guesses);
        if known || open * 2 <= asked || facts.duration > within.saturating_mul(times.max(1)) {
            return None;
        }
        // A tool may ask from several ports.
        let mut found = None;
        for number in 0..u32::try_from(open).unwrap_or(u32::MAX).min(FLOW_MOST) {
            let one = (seen.server, seen.client.port(), number);
            let all = self
                .communities
                .add(site.who(seen.client.ip()), one, seen.time);
            found = all.or(found);
        }
        let all = found?;
        let servers = hosts(&all);
        Some(Draft {
            confidence: 0.7,
            evidence: format!(
                "{} SNMP requests to {} within {} s without an answer, as agents treat a wrong community",
                all.len(),
                if let [one] = servers.as_slice() {
                    one.to_string()
                } else {
                    several(servers.len() as u64, "hosts")
                },
                (facts.duration / 1_000_000_000 + 1).max(self.communities.took().cast_unsigned())
            ),
            wrong_if: NO_AGENT,
            ..Draft::about_server(seen)
        })
    }

    /// Takes tries that look failed.
    fn guess(
        &mut self,
        seen: &Observation,
        tries: u32,
        known: bool,
        site: &Site<'_>,
    ) -> Option<Draft> {
        let [unknown, of_known, slow] = &mut self.failed;
        let fast = if known { of_known } else { unknown };
        let who = site.who(seen.client.ip());
        let mut found = None;
        for number in 0..tries {
            let one = (seen.server, seen.client.port(), number);
            let now = fast.add(who, one, seen.time).map(|all| (all, fast.took()));
            let long = slow.add(who, one, seen.time).map(|all| (all, slow.took()));
            found = now.or(long).or(found);
        }
        let (all, seconds) = found?;
        let servers = hosts(&all);
        let mut connections: Vec<_> = all.iter().map(|(server, port, _)| (server, port)).collect();
        connections.dedup();
        let service = seen.service()?;
        Some(Draft {
            confidence: 0.75,
            evidence: format!(
                "{} tries to log in at {} within {seconds} s that look failed by their sizes, in {}, the last at TCP port {}",
                all.len(),
                several(servers.len() as u64, "hosts"),
                several(connections.len() as u64, "connections"),
                service.port
            ),
            service: (servers.len() == 1).then_some(service),
            victims: servers,
            ..Draft::default()
        })
    }

    /// Takes an SMB session that may have ended when the password was told.
    fn smb(&mut self, seen: &Observation, facts: &FlowFacts, site: &Site<'_>) -> Option<Draft> {
        let (to, from) = (&facts.to_server, &facts.to_client);
        if seen.server.port() != SMB
            || facts.midstream
            || !SMB_REFUSED.contains(&to.push)
            || from.push != to.push
        {
            return None;
        }
        let one = (seen.server, seen.client.port(), 0);
        let all = self
            .refused
            .add(site.who(seen.client.ip()), one, seen.time)?;
        Some(Draft {
            confidence: 0.5,
            evidence: format!(
                "{} SMB sessions with {} within {} s that end when the password was told, as refused ones do",
                all.len(),
                several(hosts(&all).len() as u64, "hosts"),
                self.refused.took()
            ),
            victims: hosts(&all),
            service: seen.service(),
            ..Draft::default()
        })
    }

    /// Takes a short connection.
    fn short(&mut self, seen: &Observation, known: bool, site: &Site<'_>) -> Option<Draft> {
        let service = seen.service()?;
        let client = seen.client.ip();
        let window = if known {
            &mut self.known
        } else {
            &mut self.tries
        };
        let one = (seen.server, seen.client.port(), 0);
        let mut tries = window.add(site.who(client), one, seen.time);
        let mut seconds = window.took();
        if !known {
            let slow = self.slow.add(site.who(client), one, seen.time);
            if tries.is_none() {
                (tries, seconds) = (slow, self.slow.took());
            }
        }
        let tries = tries?;
        let servers = hosts(&tries);
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

impl Detector for BruteForce {
    fn evicted(&self) -> u64 {
        let failed: u64 = self.failed.iter().map(Window::evicted).sum();
        self.tries.evicted()
            + self.known.evicted()
            + self.slow.evicted()
            + failed
            + self.refused.evicted()
            + self.communities.evicted()
    }

    fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
        let What::Flow(facts) = &seen.what else {
            return None;
        };
        let service = seen.service()?;
        if service.transport == Transport::Udp && service.port == SNMP {
            return self.snmp(seen, facts, site);
        }
        if service.transport != Transport::Tcp
            || !LOGINS.contains(&service.port)
            || !facts.over
            || !facts.established(seen.protocol)
            || facts.to_server.payload + facts.to_client.payload > self.own.logins_bytes
        {
            return None;
        }
        let (client, fact) = (seen.client.ip(), Fact::Uses(seen.server.ip(), service));
        // Machines log in at the other services often, from their first day on.
        let known = if PERSONS.contains(&service.port) {
            site.trusts(client, &fact)
        } else {
            site.knows(client, &fact)
        };
        let failures = match service.port {
            SSH => ssh_failures(facts, known),
            port => u32::from(PERSONS.contains(&port)),
        };
        let guessed = self.guess(seen, failures, known, site);
        let refused = if site.trusts(client, &fact) {
            None
        } else {
            self.smb(seen, facts, site)
        };
        self.short(seen, known, site).or(guessed).or(refused)
    }
}
