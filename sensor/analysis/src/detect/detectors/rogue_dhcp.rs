//! DHCP servers that are none of the site's (ATT&CK T1557.003).

use std::fmt::Write;

use std::{
    net::{IpAddr, Ipv4Addr},
    num::NonZeroUsize,
};

use sensor_facts::{
    address::mac_text,
    infrastructure::dhcp,
    observation::{Asked, DhcpFacts},
};

use crate::detect::counted::CountedLru;
use crate::detect::prelude::*;

pub(super) const ABOUT: About = About {
    id: "rogue_dhcp",
    techniques: &["T1557.003"],
    finds: "a DHCP server that was none before, answers beside another, says what nobody asked for, or speaks in the name of another",
    starts: Starts::AtOnce,
    wrong_if: &[SECOND, UNASKED, FORGED],
    thresholds: &[],
    features: &[],
    new: |values| Box::new(RogueDhcp::new(values)),
};

const SECOND: &str = "the site was given another DHCP server or relay agent, or has two for one network that stand in for each other";
const UNASKED: &str =
    "the questions of clients do not pass the sensor, as on a mirror of one direction";
const FORGED: &str = "the server's network card was replaced, two servers take one address over from each other, or a router that the sensor does not know as one lies between";

/// Servers that are remembered; their number at a site is small, and nobody makes others forgotten.
const SERVERS: usize = 64;
/// Transactions of which it is remembered who answered.
const TRANSACTIONS: NonZeroUsize = NonZeroUsize::new(4_096).expect("it is not zero");
/// Clients' networks that are remembered of a server.
const NETS: usize = 32;

/// A server that answered clients that had asked.
struct Server {
    /// What it calls itself, and where its frames come from.
    name: IpAddr,
    mac: Mac,
    /// It answers by way of a relay agent.
    relayed: bool,
    /// Networks of 24 bits in which it gave out addresses.
    nets: Vec<[u8; 3]>,
}

pub(super) struct RogueDhcp {
    servers: Vec<Server>,
    /// Who answered in a transaction of a client, by what kind of message.
    answered: CountedLru<(Mac, u32, u8), IpAddr>,
    reported: Reported<(IpAddr, Mac)>,
}

/// What a message of a server is.
struct Answer<'a> {
    facts: &'a DhcpFacts,
    /// What the server calls itself.
    name: IpAddr,
    /// Who sent the datagram.
    sender: IpAddr,
    relayed: bool,
}

impl Answer<'_> {
    fn net(&self) -> Option<[u8; 3]> {
        let [a, b, c, _] = self.facts.yours.octets();
        (!self.facts.yours.is_unspecified()).then_some([a, b, c])
    }

    /// What it says, for people.
    fn words(&self) -> String {
        let facts = self.facts;
        let kind = match facts.kind {
            dhcp::OFFER => "an offer",
            dhcp::ACK => "an acknowledgement",
            dhcp::NAK => "a refusal",
            _ => "an answer",
        };
        let client = mac_text(facts.client_mac).unwrap_or_default();
        let mut text = format!("{kind} to {client}");
        if !facts.yours.is_unspecified() {
            let _ = write!(text, " of the address {}", facts.yours);
        }
        text += &list(", router", &facts.routers);
        text += &list(", name server", &facts.name_servers);
        text
    }

    fn from(&self) -> String {
        mac_text(self.facts.frame_mac).unwrap_or_default()
    }
}

fn list(what: &str, addresses: &[Ipv4Addr]) -> String {
    let all: Vec<String> = addresses.iter().map(Ipv4Addr::to_string).collect();
    if all.is_empty() {
        return String::new();
    }
    format!("{what} {}", all.join(" and "))
}

impl RogueDhcp {
    fn new(values: &Values) -> Self {
        Self {
            servers: Vec::new(),
            answered: CountedLru::new(TRANSACTIONS),
            reported: Reported::new(values),
        }
    }

    /// Someone else is known under the server's name, or at the sender's address.
    fn forged(&self, answer: &Answer<'_>, site: &Site<'_>) -> Option<Draft> {
        let mac = answer.facts.frame_mac;
        // What is renewed comes straight from the server, and past a router from that one's Ethernet address.
        let renews = !answer.facts.client.is_unspecified() && answer.facts.asked == Asked::Yes;
        if answer.relayed || renews || site.routers.is_router(mac) {
            return None;
        }
        let direct = self.servers.iter().filter(|one| !one.relayed);
        let mut named = direct.filter(|one| one.name == answer.name);
        let known = if named.clone().any(|one| one.mac == mac) {
            None
        } else {
            named.next().map(|one| (one.name, one.mac))
        };
        let (victim, other) = known.or_else(|| {
            [answer.name, answer.sender]
                .into_iter()
                .find_map(|address| {
                    let other = site.routers.other_holder(address, mac)?;
                    Some((address, other))
                })
        })?;
        if site.routers.is_router(other) {
            return None;
        }
        Some(Draft {
            confidence: 0.8,
            subject: Some(victim),
            role: AttackRole::Victim,
            evidence: format!(
                "{} sent {} by DHCP in the name of {victim}, which is at {}",
                answer.from(),
                answer.words(),
                mac_text(other).unwrap_or_default()
            ),
            wrong_if: FORGED,
            ..Draft::default()
        })
    }

    fn is_known(&self, answer: &Answer<'_>, site: &Site<'_>) -> bool {
        let mac = answer.facts.frame_mac;
        let here = |one: &Server| one.name == answer.name && one.mac == mac;
        self.servers.iter().any(here) || site.knows_at_site(&Fact::ServesDhcp(answer.name, mac))
    }

    /// Nobody asked, and nobody knows who says it.
    fn unasked(&self, answer: &Answer<'_>, site: &Site<'_>) -> Option<Draft> {
        if answer.facts.asked != Asked::No || self.is_known(answer, site) {
            return None;
        }
        Some(Draft {
            confidence: 0.6,
            evidence: format!(
                "{} sent {} by DHCP, in the name of {}, for which nobody had asked; no such server is known",
                answer.from(),
                answer.words(),
                answer.name
            ),
            wrong_if: UNASKED,
            ..Draft::default()
        })
    }

    /// A server that was none before.
    fn new_server(&self, answer: &Answer<'_>, site: &Site<'_>) -> Option<Draft> {
        if answer.facts.asked == Asked::No || self.is_known(answer, site) {
            return None;
        }
        let same_name = self.servers.iter().any(|one| one.name == answer.name);
        let relays = self.servers.iter().any(|one| one.relayed);
        let others = || self.servers.iter().filter(|one| one.name != answer.name);
        let (confidence, basis, why) = if same_name && (answer.relayed || relays) {
            // The same server by another way; who makes that up has to give out addresses in its name.
            if site.learns() {
                return None;
            }
            (0.3, Basis::Novelty, "by a way that is new".to_owned())
        } else if let Some(other) = self.rival(answer) {
            let why = format!("to a client that {other} had answered in the same transaction");
            (if site.learns() { 0.6 } else { 0.8 }, Basis::Behaviour, why)
        } else if !site.learns() {
            (0.8, Basis::Novelty, "which was no server before".to_owned())
        } else if let Some(net) = answer.net()
            && let Some(other) = others().find(|one| one.nets.contains(&net))
        {
            let why = format!("in a network in which {} gives out addresses", other.name);
            (0.6, Basis::Behaviour, why)
        } else {
            let other = others().next()?;
            (0.3, Basis::Novelty, format!("beside {}", other.name))
        };
        Some(Draft {
            basis,
            confidence,
            evidence: format!(
                "{} is a DHCP server at {}, {why}: {}",
                answer.name,
                answer.from(),
                answer.words()
            ),
            wrong_if: SECOND,
            ..Draft::default()
        })
    }

    /// The other server that answered in the same transaction.
    fn rival(&self, answer: &Answer<'_>) -> Option<IpAddr> {
        let facts = answer.facts;
        let kinds = [dhcp::OFFER, dhcp::ACK, dhcp::NAK];
        let key = |kind| (facts.client_mac, facts.transaction, kind);
        let all = kinds
            .iter()
            .filter_map(|kind| self.answered.peek(&key(*kind)));
        all.copied().find(|other| *other != answer.name)
    }

    /// Remembers a server whose client had asked; `doubtful` is one that was just found to be none.
    fn learn(&mut self, answer: &Answer<'_>, doubtful: bool) {
        let facts = answer.facts;
        if facts.asked != Asked::Yes {
            return;
        }
        let key = (facts.client_mac, facts.transaction, facts.kind);
        self.answered.get_or_insert_mut(key, || answer.name);
        if doubtful {
            return;
        }
        let here = |one: &&mut Server| one.name == answer.name && one.mac == facts.frame_mac;
        let known = self.servers.iter_mut().find(here);
        if let Some(server) = known {
            if let Some(net) = answer.net()
                && server.nets.len() < NETS
                && !server.nets.contains(&net)
            {
                server.nets.push(net);
            }
        } else if self.servers.len() < SERVERS {
            self.servers.push(Server {
                name: answer.name,
                mac: facts.frame_mac,
                relayed: answer.relayed,
                nets: answer.net().into_iter().collect(),
            });
        }
    }
}

impl Detector for RogueDhcp {
    fn evicted(&self) -> u64 {
        self.answered.evicted() + self.reported.evicted()
    }

    fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
        let What::Dhcp(facts) = &seen.what else {
            return None;
        };
        if !facts.reply {
            return None;
        }
        let sender = seen.client.ip();
        let answer = Answer {
            facts,
            name: facts.server.map_or(sender, IpAddr::V4),
            sender,
            relayed: !facts.relay.is_unspecified(),
        };
        let found = self
            .forged(&answer, site)
            .or_else(|| self.unasked(&answer, site))
            .or_else(|| self.new_server(&answer, site));
        let doubtful = found.as_ref().is_some_and(|draft| draft.confidence >= 0.5);
        self.learn(&answer, doubtful);
        let mut found = found?;
        found.subject = found.subject.or_else(|| {
            let addresses = [answer.sender, answer.name];
            addresses.into_iter().find(|address| is_host(*address))
        });
        if found.victims.is_empty() && !facts.yours.is_unspecified() && !found.role.is_victim() {
            found.victims = vec![facts.yours.into()];
        }
        let subject = found.subject?;
        self.reported
            .first((subject, facts.frame_mac), seen.time)
            .then_some(found)
    }
}
