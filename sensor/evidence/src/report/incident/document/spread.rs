//! How far it could have spread, drawn and as a table.

use std::{collections::HashMap, net::IpAddr};

use sensor_facts::words::{several, utc_moment};

use super::{INCIDENT, concerned::service};
use crate::report::{
    Block, Edge, Graph, Kind, Node, Section, Table, Tone, Way,
    incident::{Incident, Spread},
};

/// Nodes of a hop that are drawn; the table has all.
const DRAWN_MAX: usize = 9;
/// Hops that are drawn.
const DRAWN_HOPS: usize = 3;

impl Incident {
    pub(super) fn spread(&self) -> Section {
        let mut section = Section::new("How far it could have spread", &[INCIDENT]);
        let Some(device) = self.spread.device else {
            section.text(
                "It is not known where it began, so it is not known how far it could have come.",
            );
            return section;
        };
        let spread = &self.spread;
        let clinical = spread.reached.iter().filter(|one| one.is_clinical).count();
        section.text(format!(
            "From {device}, since {}: {} could have been reached, {clinical} of them clinical. A path counts only if each \
             contact was still active when the one before it could have passed something on. Connections are followed from the side that \
             opened them, and only where something other than a refusal came back. A possible path does not mean that it was used.",
            utc_moment(spread.since),
            several(spread.reached.len() as u64 + spread.cut, "systems"),
        ));
        if spread.served > 0 {
            section.text(format!(
                "{} asked one of those for something since then. They are not followed: what a server gives out harms a \
                 client only if the server itself was taken over.",
                several(spread.served, "more systems")
            ));
        }
        if spread.reached.is_empty() {
            return section;
        }
        section
            .blocks
            .push(Block::Graph(graph(device, spread, self)));
        let mut table = Table::new(
            "Ways, hop by hop",
            &[
                "hop",
                "system",
                "role",
                "clinical",
                "from",
                "service",
                "from then on",
                "seen as",
            ],
        );
        for one in &spread.reached {
            let seen = match (one.is_suspect, one.is_victim) {
                (true, _) => "suspected",
                (_, true) => "attacked",
                _ => "contact only",
            };
            table.row([
                one.hop.to_string(),
                one.address.to_string(),
                one.role.label().to_owned(),
                if one.is_clinical { "yes" } else { "no" }.to_owned(),
                one.client.to_string(),
                service(&one.service),
                utc_moment(one.since),
                seen.to_owned(),
            ]);
        }
        section.table(table);
        if spread.cut > 0 {
            section.note(
                Tone::Open,
                format!(
                    "{} more systems could have been reached and are left out.",
                    spread.cut
                ),
            );
        }
        if spread.hops_cut {
            section.note(
                Tone::Open,
                "There are ways of more than four hops; they were not followed.",
            );
        }
        section
    }
}

/// The graph of the first hops: of each the systems that matter most, and one node for the others.
fn graph(device: IpAddr, spread: &Spread, incident: &Incident) -> Graph {
    let mut graph = Graph {
        caption: format!("Contacts from {device} that can follow each other in time.").into(),
        ..Graph::default()
    };
    let role = incident
        .patient_zero
        .as_ref()
        .map_or("", |zero| zero.role.label());
    graph.nodes.push(Node {
        name: device.to_string().into(),
        detail: format!("{role}, first affected device").into(),
        kind: Kind::Suspect,
        hop: 0,
    });
    let mut places = HashMap::from([(device, 0)]);
    let hops = spread
        .reached
        .chunk_by(|a, b| a.hop == b.hop)
        .take(DRAWN_HOPS);
    for hop in hops {
        for one in hop.iter().take(DRAWN_MAX) {
            let mut detail = vec![one.role.label()];
            if one.is_suspect {
                detail.push("suspected");
            } else if one.is_victim {
                detail.push("attacked");
            } else if one.is_clinical {
                detail.push("clinical");
            }
            places.insert(one.address, graph.nodes.len());
            let to = graph.nodes.len();
            graph.nodes.push(Node {
                name: one.address.to_string().into(),
                detail: detail.join(", ").into(),
                kind: match (one.is_suspect, one.is_clinical) {
                    (true, _) => Kind::Suspect,
                    (_, true) => Kind::Clinical,
                    _ => Kind::Other,
                },
                hop: one.hop,
            });
            if let Some(from) = places.get(&one.client) {
                graph.edges.push(Edge {
                    from: *from,
                    to,
                    label: format!("{}, from {}", service(&one.service), utc_moment(one.since))
                        .into(),
                    way: if one.client == device && one.is_victim {
                        Way::Found
                    } else {
                        Way::Possible
                    },
                });
            }
        }
        let more = hop.len().saturating_sub(DRAWN_MAX);
        if let (Some(first), true) = (hop.first(), more > 0) {
            graph.nodes.push(Node {
                name: format!("{more} more").into(),
                detail: "in the table".into(),
                kind: Kind::Other,
                hop: first.hop,
            });
        }
    }
    graph
}
