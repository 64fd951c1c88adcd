//! The systems concerned, and whom the suspects talked to.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use sensor_facts::{contact::Contact, time::Time};
use sensor_sessions::inventory::{HostReport, Role};
use serde::{Deserialize, Serialize};

use super::{Facts, Spread, scope::Scope};

/// Peers in a report.
const PEERS_MAX: usize = 100;
/// Services of a peer that are named.
const SERVICES_MAX: usize = 8;

/// What part a system has in the incident; the first that fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// It is suspected, and the first that was.
    PatientZero,
    /// It is suspected.
    Suspect,
    /// A finding names it as one that something was done to.
    Victim,
    /// A suspect talked to it, or it to a suspect.
    Contact,
    /// It could have been reached through others.
    Reachable,
}

impl Part {
    /// In words.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::PatientZero => "first affected device",
            Self::Suspect => "suspected",
            Self::Victim => "attacked",
            Self::Contact => "in contact",
            Self::Reachable => "reachable",
        }
    }
}

/// A system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct System {
    /// Its address.
    pub address: IpAddr,
    /// What part it has.
    pub part: Part,
    /// What it is.
    pub role: Role,
    /// Which kind of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Care depends on it directly.
    pub is_clinical: bool,
    /// Who made its network card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// Ethernet addresses, if they are its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub macs: Vec<String>,
    /// Names that it gave itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// DICOM AE titles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ae_titles: Vec<String>,
    /// When it was first seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_seen: Option<Time>,
    /// When it was last seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Time>,
}

/// True for what care depends on directly.
#[must_use]
pub(super) const fn is_clinical(role: Role) -> bool {
    restore(role).0 <= 5
}

/// In which order systems are looked after, the least first, and why.
pub(super) const fn restore(role: Role) -> (u8, &'static str) {
    match role {
        Role::InfusionPump => (0, "it acts on a patient now"),
        Role::PatientMonitor => (0, "alarms of a patient depend on it"),
        Role::PumpGateway => (
            1,
            "infusion pumps get their orders and libraries through it",
        ),
        Role::MonitorGateway => (1, "alarms of monitored patients go through it"),
        Role::InterfaceEngine => (
            2,
            "orders, results and admissions of all other systems go through it",
        ),
        Role::HealthRecord => (3, "staff read medication and allergies there"),
        Role::Archive => (4, "diagnoses and operations wait for its images"),
        Role::Worklist => (4, "without it modalities do not know whom they examine"),
        Role::Modality => (5, "it can examine and keep images for a while on its own"),
        Role::Workstation => (6, "another one can take its place"),
        Role::NetworkDevice => (6, "it carries the traffic of others"),
        Role::Server => (7, "no clinical use of it was seen"),
        Role::Unknown => (8, "too little was seen of it to say what depends on it"),
        Role::Printer => (9, "nobody's care waits for it"),
    }
}

fn host(facts: &Facts, address: IpAddr) -> Option<&HostReport> {
    facts.hosts.iter().find(|host| host.address == address)
}

/// A device's role.
pub(super) fn role(facts: &Facts, address: IpAddr) -> Role {
    host(facts, address).map_or(Role::Unknown, |host| host.role.role)
}

/// A system as it is known.
pub(super) fn of(facts: &Facts, scope: &Scope<'_>, address: IpAddr) -> System {
    let host = host(facts, address);
    let role = role(facts, address);
    let part = if scope.zero == Some(address) {
        Part::PatientZero
    } else if scope.suspects(address) {
        Part::Suspect
    } else if scope.victims.contains(&address) {
        Part::Victim
    } else {
        Part::Contact
    };
    let empty = Vec::new();
    System {
        address,
        part,
        role,
        kind: host.and_then(|host| host.role.detail.as_deref().map(str::to_owned)),
        is_clinical: is_clinical(role),
        vendor: host.and_then(|host| host.vendor.as_deref().map(str::to_owned)),
        macs: host
            .filter(|host| !host.mac_shared)
            .map_or_else(Vec::new, |host| host.macs.clone()),
        names: host
            .map_or(&empty, |host| &host.names)
            .iter()
            .map(|name| name.name.clone())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect(),
        ae_titles: host.map_or_else(Vec::new, |host| {
            host.ae_titles.iter().map(|ae| ae.title.clone()).collect()
        }),
        first_seen: host.map(|host| host.first_seen),
        last_seen: host.map(|host| host.last_seen),
    }
}

/// All systems concerned: suspects, victims, peers since the begin, and what could have been reached.
pub(super) fn all(
    facts: &Facts,
    scope: &Scope<'_>,
    peers: &[Peer],
    spread: &Spread,
) -> Vec<System> {
    let since = peers.iter().filter(|peer| peer.after.is_some());
    let near: BTreeSet<IpAddr> = scope
        .suspects
        .keys()
        .chain(&scope.victims)
        .copied()
        .chain(since.map(|peer| peer.address))
        .collect();
    let far = spread.reached.iter().map(|one| one.address);
    let all: BTreeSet<IpAddr> = near.iter().copied().chain(far).collect();
    let mut systems: Vec<System> = all
        .into_iter()
        .map(|address| {
            let mut system = of(facts, scope, address);
            if !near.contains(&address) {
                system.part = Part::Reachable;
            }
            system
        })
        .collect();
    systems.sort_by_key(|one| (one.part, restore(one.role).0, one.address));
    systems
}

/// How much was exchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// Flows.
    pub flows: u64,
    /// Of these, refused or unanswered.
    pub refused: u64,
    /// Bytes of IP packets that the suspect sent.
    pub bytes_sent: u64,
    /// Bytes that it received.
    pub bytes_received: u64,
    /// First packet.
    pub first: Time,
    /// Last packet.
    pub last: Time,
}

/// A service at which they met.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ServiceSeen {
    /// `TCP`, `UDP`, ...
    pub proto: String,
    /// The port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// `dicom`, `hl7` or `tls`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
}

/// A device that a suspect talked to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// The suspect.
    pub device: IpAddr,
    /// The other one.
    pub address: IpAddr,
    /// What that is.
    pub role: Role,
    /// Care depends on it directly.
    pub is_clinical: bool,
    /// The suspect opened the connections; else the other one did.
    pub by_suspect: bool,
    /// A finding names it.
    pub is_victim: bool,
    /// Services that answered, or, where none did, those that were tried; the first of them.
    pub services: Vec<ServiceSeen>,
    /// Services, in all, that answered.
    pub answered: u64,
    /// Services, in all, that only refused or were silent.
    pub silent: u64,
    /// What was exchanged before the incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Amount>,
    /// What was exchanged since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Amount>,
}

fn add(amount: &mut Option<Amount>, contact: &Contact, by_suspect: bool) {
    let (to_server, to_client) = (contact.bytes_to_server, contact.bytes_to_client);
    let (sent, received) = if by_suspect {
        (to_server, to_client)
    } else {
        (to_client, to_server)
    };
    let sum = amount.get_or_insert_with(|| Amount {
        first: contact.first,
        last: contact.last,
        ..Amount::default()
    });
    sum.flows += contact.flows;
    sum.refused += contact.refused;
    sum.bytes_sent += sent;
    sum.bytes_received += received;
    sum.first = sum.first.min(contact.first);
    sum.last = sum.last.max(contact.last);
}

/// Whom the suspects talked to, those that matter most first, and how many are left out.
pub(super) fn peers(facts: &Facts, scope: &Scope<'_>) -> (Vec<Peer>, u64) {
    let mut found: BTreeMap<(IpAddr, IpAddr, bool), Peer> = BTreeMap::new();
    let mut services: BTreeMap<(IpAddr, IpAddr, bool), BTreeMap<ServiceSeen, bool>> =
        BTreeMap::new();
    for contact in &facts.contacts {
        let ends = [
            (contact.client, contact.server, true),
            (contact.server, contact.client, false),
        ];
        for (device, address, by_suspect) in ends {
            if !scope.suspects(device) {
                continue;
            }
            let key = (device, address, by_suspect);
            let role = role(facts, address);
            let peer = found.entry(key).or_insert_with(|| Peer {
                device,
                address,
                role,
                is_clinical: is_clinical(role),
                by_suspect,
                is_victim: scope.victims.contains(&address),
                services: Vec::new(),
                answered: 0,
                silent: 0,
                before: None,
                after: None,
            });
            let amount = if contact.last < scope.since {
                &mut peer.before
            } else {
                &mut peer.after
            };
            add(amount, contact, by_suspect);
            let service = ServiceSeen {
                proto: contact.proto.to_string(),
                port: contact.port,
                app: contact.app.as_deref().map(str::to_owned),
            };
            let answered = services.entry(key).or_default().entry(service);
            *answered.or_default() |= contact.flows > contact.refused;
        }
    }
    for (key, peer) in &mut found {
        let Some(all) = services.get(key) else {
            continue;
        };
        let count = |wanted| all.values().filter(|one| **one == wanted).count() as u64;
        (peer.answered, peer.silent) = (count(true), count(false));
        let wanted = peer.answered > 0;
        let named = all.iter().filter(|(_, answered)| **answered == wanted);
        peer.services = named
            .take(SERVICES_MAX)
            .map(|(one, _)| one.clone())
            .collect();
    }
    let mut peers: Vec<Peer> = found.into_values().collect();
    peers.sort_by_key(|peer| {
        let bytes = peer
            .after
            .as_ref()
            .map_or(0, |it| it.bytes_sent + it.bytes_received);
        (
            Some(peer.device) != scope.zero,
            peer.device,
            peer.after.is_none(),
            !peer.is_victim,
            !peer.is_clinical,
            std::cmp::Reverse(bytes),
            peer.address,
        )
    });
    let cut = peers.len().saturating_sub(PEERS_MAX) as u64;
    peers.truncate(PEERS_MAX);
    (peers, cut)
}
