//! How far it could have spread: whom first affected device reached since its first act, whom those reached later, and so on.
//!
//! Contacts are edges that hold from their first to their last packet. A way counts if its contacts can follow in
//! time: who was reached at a moment passes on over contacts that last beyond it. Connections are followed from who
//! opened them, and not where nothing but refusals came back.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
};

use petgraph::{
    graph::{DiGraph, NodeIndex},
    visit::EdgeRef,
};
use sensor_facts::{contact::Contact, observation::is_host, time::Time};
use sensor_sessions::inventory::Role;
use serde::{Deserialize, Serialize};

use super::{
    Facts, ServiceSeen,
    scope::Scope,
    system::{is_clinical, role},
};

/// Hops that are followed.
const HOPS_MAX: usize = 4;
/// Devices that are followed.
const REACHED_MAX: usize = 500;

/// A device that could have been reached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reached {
    /// Its address.
    pub address: IpAddr,
    /// What it is.
    pub role: Role,
    /// Care depends on it directly.
    pub is_clinical: bool,
    /// Contacts from first affected device.
    pub hop: usize,
    /// The device that opened the last of them.
    pub client: IpAddr,
    /// The earliest moment at which it can have been reached.
    pub since: Time,
    /// Last packet of that contact.
    pub until: Time,
    /// Its service that was used.
    pub service: ServiceSeen,
    /// A finding names it.
    pub is_victim: bool,
    /// It is suspected.
    pub is_suspect: bool,
}

/// How far it could have spread.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Where it began; none if that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<IpAddr>,
    /// From when on contacts count.
    pub since: Time,
    /// Who could have been reached, by hop and address.
    pub reached: Vec<Reached>,
    /// Devices that could have been reached and are left out, because they were too many.
    pub cut: u64,
    /// Hops were not followed any further, though there were more.
    pub hops_cut: bool,
    /// Devices that asked one of those that could have been reached for something since then, and are not among them.
    pub served: u64,
}

/// The way to a device: by how many contacts, when at the earliest, from whom, by which contact.
#[derive(Clone, Copy)]
struct Way {
    hop: usize,
    since: Time,
    from: NodeIndex,
    contact: usize,
    /// When at the earliest by any number of contacts so far.
    earliest: Time,
}

struct Graph<'a> {
    devices: DiGraph<IpAddr, usize>,
    nodes: HashMap<IpAddr, NodeIndex>,
    contacts: &'a [Contact],
}

impl<'a> Graph<'a> {
    fn of(contacts: &'a [Contact]) -> Self {
        let mut this = Self {
            devices: DiGraph::new(),
            nodes: HashMap::new(),
            contacts,
        };
        for (index, contact) in contacts.iter().enumerate() {
            let answered = contact.flows > contact.refused;
            if answered && contact.client != contact.server && is_host(contact.server) {
                let (from, to) = (this.node(contact.client), this.node(contact.server));
                this.devices.add_edge(from, to, index);
            }
        }
        this
    }

    fn node(&mut self, address: IpAddr) -> NodeIndex {
        let graph = &mut self.devices;
        *self
            .nodes
            .entry(address)
            .or_insert_with(|| graph.add_node(address))
    }

    /// The ways of the fewest contacts, and of these the earliest, to all that can be reached from `start` by at most
    /// `hops` contacts.
    fn ways(&self, start: NodeIndex, since: Time, hops: usize) -> BTreeMap<NodeIndex, Way> {
        let mut ways: BTreeMap<NodeIndex, Way> = BTreeMap::new();
        let mut front = BTreeMap::from([(start, since)]);
        for hop in 1..=hops {
            let mut next: BTreeMap<NodeIndex, Time> = BTreeMap::new();
            for (from, since) in front {
                for edge in self.devices.edges(from) {
                    let (to, contact) = (edge.target(), *edge.weight());
                    let Contact { first, last, .. } = self.contacts[contact];
                    if to == start || last < since {
                        continue;
                    }
                    let way = Way {
                        hop,
                        since: first.max(since),
                        from,
                        contact,
                        earliest: first.max(since),
                    };
                    let known = ways.get(&to).copied();
                    if known.is_some_and(|known| known.earliest <= way.earliest) {
                        continue;
                    }
                    // A way of more hops may be the earlier one: it counts for what follows, not as the way to here.
                    let kept = known.filter(|known| known.hop < hop).map(|known| Way {
                        earliest: way.earliest,
                        ..known
                    });
                    ways.insert(to, kept.unwrap_or(way));
                    next.insert(to, way.earliest);
                }
            }
            front = next;
        }
        ways
    }
}

/// How far it could have spread.
pub(super) fn of(facts: &Facts, scope: &Scope<'_>) -> Spread {
    let graph = Graph::of(&facts.contacts);
    let since = scope.since;
    let mut spread = Spread {
        device: scope.zero,
        since,
        ..Spread::default()
    };
    let Some(start) = scope.zero.and_then(|zero| graph.nodes.get(&zero)) else {
        return spread;
    };
    let mut ways = graph.ways(*start, since, HOPS_MAX + 1);
    spread.hops_cut = ways.values().any(|way| way.hop > HOPS_MAX);
    ways.retain(|_, way| way.hop <= HOPS_MAX);
    spread.served = served(&graph, &ways, *start);
    for (node, way) in ways {
        let address = graph.devices[node];
        let contact = &facts.contacts[way.contact];
        let role = role(facts, address);
        spread.reached.push(Reached {
            address,
            role,
            is_clinical: is_clinical(role),
            hop: way.hop,
            client: graph.devices[way.from],
            since: way.since,
            until: contact.last,
            service: ServiceSeen {
                proto: contact.proto.to_string(),
                port: contact.port,
                app: contact.app.as_deref().map(str::to_owned),
            },
            is_victim: scope.victims.contains(&address),
            is_suspect: scope.suspects(address),
        });
    }
    spread.reached.sort_by_key(|one| {
        (
            one.hop,
            !one.is_suspect,
            !one.is_victim,
            !one.is_clinical,
            one.address,
        )
    });
    spread.cut = spread.reached.len().saturating_sub(REACHED_MAX) as u64;
    spread.reached.truncate(REACHED_MAX);
    spread
}

/// Clients of those that could have been reached, after that; not those that could have been reached too.
fn served(graph: &Graph<'_>, ways: &BTreeMap<NodeIndex, Way>, start: NodeIndex) -> u64 {
    let mut clients = BTreeSet::new();
    for (node, way) in ways {
        let edges = graph.devices.edges_directed(*node, petgraph::Incoming);
        for edge in edges {
            let (client, last) = (edge.source(), graph.contacts[*edge.weight()].last);
            if client != start && last >= way.earliest && !ways.contains_key(&client) {
                clients.insert(client);
            }
        }
    }
    clients.len() as u64
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;

    /// Who can be reached from `start` since a moment, and in how many hops.
    pub(in super::super) fn reach(
        contacts: &[Contact],
        start: IpAddr,
        since: Time,
        hops: usize,
    ) -> BTreeMap<IpAddr, (usize, Time)> {
        let graph = Graph::of(contacts);
        let Some(start) = graph.nodes.get(&start) else {
            return BTreeMap::new();
        };
        let ways = graph.ways(*start, since, hops);
        let told = |(node, way): (NodeIndex, Way)| (graph.devices[node], (way.hop, way.since));
        ways.into_iter().map(told).collect()
    }
}
