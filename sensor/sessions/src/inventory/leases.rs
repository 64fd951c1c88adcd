//! DHCP transactions: what a client asked for, who answered, and whether an answer is believed.
//!
//! Anyone can send an acknowledgement. One is believed if the client itself asked for it shortly before, in this transaction and
//! from its own Ethernet address, if the client named no other server, and if no other server is known, or this one has
//! been for long.

use std::{
    net::{IpAddr, Ipv4Addr},
    num::NonZeroUsize,
};

use lru::LruCache;
use sensor_facts::{
    infrastructure::dhcp,
    observation::{Asked, DhcpFacts, Mac},
    time::Time,
};

const SECOND: i64 = 1_000_000_000;
/// A server answers within this time. A client sends the last of its messages of a transaction 64 s after the one before
/// (RFC 2131 section 4.1).
const ANSWER: i64 = 90 * SECOND;
/// Transactions that are kept: all of which a CPU tells in that time ([`sensor_common::notice::PER_SECOND`]), so that
/// nobody's question makes room for another's.
const TRANSACTIONS: NonZeroUsize = NonZeroUsize::new(256 * 90).expect("it is not zero");
/// From this many messages of clients in a second on it is not known whether all of them were told.
const CROWD: u32 = 200;
/// What is said during a crowd and for so long after it may answer a question that was not told.
const AFTER_CROWD: i64 = ANSWER;
/// Servers that are kept.
const SERVERS: usize = 256;
/// A server that is not the first is believed when it has been known for so long.
const SETTLE: i64 = 86_400 * SECOND;

/// A server: what it calls itself, and the Ethernet address that it, or its relay agent, has.
type Server = (IpAddr, Mac);

/// What a client asked in a transaction.
#[derive(Clone, Copy, Debug)]
struct Question {
    time: Time,
    /// It looked for servers; it asked for an address.
    discovers: bool,
    requests: bool,
    /// It asked from its own Ethernet address.
    own: bool,
    /// The server that it chose.
    chosen: Option<Ipv4Addr>,
    /// Who acknowledged.
    answered: Option<Server>,
}

/// What follows from a message of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Belief {
    /// The lease is believed.
    Holds,
    /// It is not.
    No,
    /// Nor is the one before it in the same transaction: two servers contradict each other.
    Contradicted,
}

/// A server that answered clients.
#[derive(Clone, Copy, Debug)]
struct Known {
    server: Server,
    first: Time,
    last: Time,
}

/// See the module's description.
#[derive(Debug)]
pub(crate) struct Leases {
    asked: LruCache<(Mac, u32), Question>,
    servers: Vec<Known>,
    /// The second in which clients last said something, and how often they did in it.
    crowd: (i64, u32),
    crowded: Option<Time>,
}

impl Leases {
    pub(super) fn new() -> Self {
        Self {
            asked: LruCache::new(TRANSACTIONS),
            servers: Vec::new(),
            crowd: (0, 0),
            crowded: None,
        }
    }

    /// Takes a message of `sender`, in which it notes whether it was asked for.
    pub(crate) fn take(&mut self, dhcp: &mut DhcpFacts, sender: IpAddr, now: Time) -> Belief {
        if dhcp.reply {
            self.answer(dhcp, sender, now)
        } else {
            self.ask(dhcp, now);
            Belief::No
        }
    }

    fn ask(&mut self, dhcp: &DhcpFacts, now: Time) {
        let second = now.0.div_euclid(SECOND);
        if self.crowd.0 != second {
            self.crowd = (second, 0);
        }
        self.crowd.1 += 1;
        if self.crowd.1 >= CROWD {
            self.crowded = Some(now);
        }
        let question = Question {
            time: now,
            discovers: false,
            requests: false,
            own: false,
            chosen: None,
            answered: None,
        };
        let key = (dhcp.client_mac, dhcp.transaction);
        let known = self.asked.get_or_insert_mut(key, || question);
        if now.0.saturating_sub(known.time.0) > ANSWER {
            *known = question;
        }
        known.time = now;
        // BOOTP has no types.
        known.discovers |= matches!(dhcp.kind, dhcp::DISCOVER | 0);
        known.requests |= matches!(dhcp.kind, dhcp::REQUEST | dhcp::INFORM | 0);
        let own = dhcp.frame_mac == dhcp.client_mac;
        known.own |= own;
        if own && dhcp.kind == dhcp::REQUEST {
            known.chosen = dhcp.server.or(known.chosen);
        }
    }

    fn answer(&mut self, dhcp: &mut DhcpFacts, sender: IpAddr, now: Time) -> Belief {
        let key = (dhcp.client_mac, dhcp.transaction);
        let question = self.asked.get_mut(&key).filter(|question| {
            let fresh = now.0.saturating_sub(question.time.0) <= ANSWER;
            // An acknowledgement may follow the search at once (RFC 4039).
            let fits = match dhcp.kind {
                dhcp::OFFER => question.discovers,
                dhcp::NAK => question.requests,
                _ => question.discovers || question.requests,
            };
            fresh && fits
        });
        let Some(question) = question else {
            let crowded = self
                .crowded
                .is_some_and(|last| now.0.saturating_sub(last.0) <= AFTER_CROWD);
            dhcp.asked = if crowded { Asked::Unknown } else { Asked::No };
            return Belief::No;
        };
        dhcp.asked = Asked::Yes;
        let server = (dhcp.server.map_or(sender, IpAddr::V4), dhcp.frame_mac);
        let acknowledges = dhcp.kind == dhcp::ACK;
        let contradicted = acknowledges && question.answered.is_some_and(|other| other != server);
        let chosen = question.chosen.is_none_or(|it| IpAddr::V4(it) == server.0);
        let own = question.own;
        if acknowledges {
            question.answered.get_or_insert(server);
        }
        let trusted = self.trusts(server, now);
        match (acknowledges, trusted && chosen && own) {
            // A server that is believed says so again, or rightly against another that is not.
            (true, true) => Belief::Holds,
            (true, false) if contradicted && !self.has_settled(now) => Belief::Contradicted,
            _ => Belief::No,
        }
    }

    /// True if a server that is believed against others is known.
    fn has_settled(&self, now: Time) -> bool {
        self.servers.iter().any(|one| settled(one, now))
    }

    /// True if a server is believed; it is known from now on.
    fn trusts(&mut self, server: Server, now: Time) -> bool {
        let alone = self.servers.is_empty();
        if let Some(known) = self.servers.iter_mut().find(|one| one.server == server) {
            known.last = now;
            let known = *known;
            let is_first = self.servers.iter().all(|one| known.first <= one.first);
            return is_first || settled(&known, now);
        }
        let new = Known {
            server,
            first: now,
            last: now,
        };
        if self.servers.len() < SERVERS {
            self.servers.push(new);
        } else if let Some(quiet) = self
            .servers
            .iter_mut()
            .filter(|one| now.0.saturating_sub(one.last.0) > SETTLE)
            .min_by_key(|one| one.last)
        {
            *quiet = new;
        }
        alone
    }
}

/// True of a server that has been known for long.
fn settled(known: &Known, now: Time) -> bool {
    now.0.saturating_sub(known.first.0) >= SETTLE
}

#[cfg(test)]
mod tests;
