//! From facts to the ranking.

use std::{
    collections::{BTreeSet, HashMap},
    net::IpAddr,
};

use sensor_sessions::inventory::{HostReport, Role};

use super::{
    Exposed, Exposure, Facts, Weakness, WeaknessKind, advisory::Match, dependents::Dependents,
    dicom::Callers, offered,
};

/// Points of weaknesses whose weight depends on nothing else.
const OUTSIDE: u64 = 40;
const CLEAR_TEXT: u64 = 20;
const OLD_TLS: u64 = 15;
/// A confirmed advisory weighs its CVSS score times this.
const ADVISORY: f64 = 4.0;
/// One that only may be meant, its CVSS score times this, times how well the texts agree.
const POSSIBLE: f64 = 2.0;
/// Each device that depends on one adds so much to its factor, percent ...
const DEPENDENT_PERCENT: u64 = 10;
/// ... up to so many of them.
const DEPENDENTS_MAX: u64 = 10;

/// Versions of TLS that RFC 7568 and RFC 8996 retire.
const OLD_VERSIONS: [&str; 3] = ["SSLv3", "TLS 1.0", "TLS 1.1"];

/// Ranks the devices of the site.
#[must_use]
pub fn rank(facts: Facts<'_>) -> Exposure {
    let inside = |host: &&HostReport| !facts.site.is_outside(host.address);
    let dependents = Dependents::of(facts.hosts, facts.contacts);
    let outside = outside_clients(facts);
    let callers = Callers::of(facts);
    let by_device = by_device(facts.matches);
    let hosts: Vec<&HostReport> = facts.hosts.iter().filter(inside).collect();
    let mut ranked: Vec<Exposed> = hosts
        .iter()
        .filter_map(|host| {
            let mut weaknesses = weaknesses(host, outside.get(&host.address));
            weaknesses.extend(callers.weaknesses(host));
            let matches = by_device.get(&host.address);
            weaknesses.extend(matches.into_iter().flatten().map(|one| advised(one)));
            exposed(host, weaknesses, dependents.count(host.address))
        })
        .collect();
    ranked.sort_by(|a, b| b.score.cmp(&a.score).then(a.address.cmp(&b.address)));
    Exposure {
        time: facts.now,
        devices: hosts.len(),
        ranked,
    }
}

/// The device with its sum; none without a weakness.
pub(super) fn exposed(
    host: &HostReport,
    mut weaknesses: Vec<Weakness>,
    dependents: u64,
) -> Option<Exposed> {
    if weaknesses.is_empty() {
        return None;
    }
    weaknesses.sort_by(|a, b| b.points.cmp(&a.points).then(a.kind.cmp(&b.kind)));
    let points: u64 = weaknesses.iter().map(|one| one.points).sum();
    let role_percent = role_percent(host.role.role);
    let dependents_percent = 100 + DEPENDENT_PERCENT * dependents.min(DEPENDENTS_MAX);
    let score = (points * role_percent * dependents_percent + 5_000) / 10_000;
    let terms: Vec<String> = weaknesses
        .iter()
        .map(|one| format!("{} {}", one.points, one.kind.label()))
        .collect();
    let sum = format!(
        "({}) x {} ({}) x {} (dependents: {dependents}) = {score}",
        terms.join(" + "),
        factor(role_percent),
        host.role.role.label(),
        factor(dependents_percent),
    );
    Some(Exposed {
        address: host.address,
        host_name: host.names.first().map(|name| name.name.clone()),
        role: host.role.role,
        detail: host.role.detail.clone(),
        score,
        points,
        role_percent,
        dependents_percent,
        dependents,
        sum,
        weaknesses,
        last_seen: host.last_seen,
    })
}

fn factor(percent: u64) -> String {
    format!("{}.{}", percent / 100, percent % 100 / 10)
}

/// How much a weakness counts at a device of this role, percent: what keeps someone alive first, then what a ward
/// or a department stands still without.
pub(super) const fn role_percent(role: Role) -> u64 {
    match role {
        Role::InfusionPump | Role::PatientMonitor | Role::PumpGateway | Role::MonitorGateway => 200,
        Role::Archive
        | Role::Worklist
        | Role::InterfaceEngine
        | Role::HealthRecord
        | Role::Modality => 150,
        Role::Server | Role::NetworkDevice | Role::Workstation => 120,
        Role::Printer | Role::Unknown => 100,
    }
}

fn weaknesses(host: &HostReport, outside: Option<&BTreeSet<IpAddr>>) -> Vec<Weakness> {
    let mut found = Vec::new();
    if let Some(clients) = outside {
        let evidence = format!(
            "{} addresses outside of the site used services of it: {}",
            clients.len(),
            first(clients.iter())
        );
        found.push(Weakness::new(
            WeaknessKind::ReachableFromOutside,
            OUTSIDE,
            evidence,
        ));
    }
    if host.cleartext_dicom {
        let evidence = "it spoke DICOM without encryption".to_owned();
        found.push(Weakness::new(
            WeaknessKind::ClearTextDicom,
            CLEAR_TEXT,
            evidence,
        ));
    }
    if host.cleartext_hl7 {
        let evidence = "it spoke HL7 without encryption".to_owned();
        found.push(Weakness::new(
            WeaknessKind::ClearTextHl7,
            CLEAR_TEXT,
            evidence,
        ));
    }
    let old: Vec<_> = OLD_VERSIONS
        .iter()
        .filter(|old| host.tls_versions.iter().any(|version| version == *old))
        .collect();
    if !old.is_empty() {
        let evidence = format!("as a server it chose {}", first(old.into_iter()));
        found.push(Weakness::new(WeaknessKind::OldTls, OLD_TLS, evidence));
    }
    found.extend(offered::weaknesses(host));
    found
}

/// Clients outside of the site that were served, by the server.
fn outside_clients(facts: Facts<'_>) -> HashMap<IpAddr, BTreeSet<IpAddr>> {
    let mut found: HashMap<IpAddr, BTreeSet<IpAddr>> = HashMap::new();
    let mut add = |client: IpAddr, server: IpAddr| {
        if facts.site.is_outside(client) {
            found.entry(server).or_default().insert(client);
        }
    };
    for contact in facts.contacts {
        if contact.flows > contact.refused && contact.bytes_to_client > 0 {
            add(contact.client, contact.server);
        }
    }
    for host in facts.hosts {
        for used in &host.uses {
            add(host.address, used.address);
        }
    }
    found
}

fn by_device(matches: &[Match]) -> HashMap<IpAddr, Vec<&Match>> {
    let mut found: HashMap<IpAddr, Vec<&Match>> = HashMap::new();
    for one in matches {
        found.entry(one.device).or_default().push(one);
    }
    found
}

fn advised(found: &Match) -> Weakness {
    let product = &found.product;
    let worst = product.cvss.map_or_else(
        || "no CVSS score".to_owned(),
        |score| format!("CVSS {score:.1}"),
    );
    // Without a score it counts like one in the middle.
    let cvss = product.cvss.unwrap_or(5.0);
    let about = format!(
        "{} ({}), {worst}: {} {}",
        found.advisory, found.title, product.vendor, product.product
    );
    if found.is_confirmed() {
        let points = rounded(cvss * ADVISORY);
        return Weakness::new(
            WeaknessKind::Advisory,
            points,
            format!("{about}; a person confirmed it"),
        );
    }
    let points = rounded(cvss * POSSIBLE * found.score);
    let evidence = format!(
        "{about}; nobody has confirmed it, the texts agree to {:.2} of 1: {}",
        found.score,
        found.because()
    );
    Weakness::new(WeaknessKind::PossibleAdvisory, points, evidence)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "at most 40, at least 0"
)]
fn rounded(points: f64) -> u64 {
    points.clamp(0.0, 100.0).round() as u64
}

/// Addresses, ports or titles that evidence names.
const NAMED_MAX: usize = 4;

/// The first of them, and how many more there are.
pub(super) fn first<T: ToString>(all: impl Iterator<Item = T>) -> String {
    let all: Vec<String> = all.map(|one| one.to_string()).collect();
    let more = all.len().saturating_sub(NAMED_MAX);
    let named = all[..all.len() - more].join(", ");
    if more > 0 {
        format!("{named} and {more} more")
    } else {
        named
    }
}
