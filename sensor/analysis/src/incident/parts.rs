//! What an incident is made of, and what follows from that: title, severity, the first affected device.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    net::IpAddr,
};

use sensor_facts::{
    alert::{Alert, Severity},
    finding::Finding,
    incident::{Hint, Incident, Link, Member},
    time::Time,
    words::several,
};

/// An incident without alerts.
pub(super) const fn empty(id: u64, time: Time) -> Incident {
    Incident {
        id,
        title: String::new(),
        severity: Severity::Low,
        confidence: 0.0,
        opened: time,
        updated: time,
        end: None,
        first_affected: None,
        alerts: Vec::new(),
        alerts_cut: 0,
        links: Vec::new(),
        hints: Vec::new(),
        victims: Vec::new(),
        techniques: Vec::new(),
        took_in: Vec::new(),
        merged_into: None,
        split_from: None,
        apart: Vec::new(),
        notes: Vec::new(),
        label: None,
    }
}

/// Puts an alert into an incident, or what it is now. True if a device or a technique is new, or it is more urgent.
pub(super) fn put(incident: &mut Incident, alert: &Alert, most: usize, is_new: bool) -> bool {
    let techniques = incident.techniques.len();
    for one in &alert.techniques {
        if !incident.techniques.contains(one) {
            incident.techniques.push(one.clone());
        }
    }
    incident.updated = incident.updated.max(alert.updated);
    let member = Member {
        alert: alert.id,
        device: alert.device,
        role: alert.role,
        severity: alert.severity,
        confidence: alert.confidence,
        opened: alert.opened,
        updated: alert.updated,
        techniques: alert.techniques.clone(),
        title: alert.title.clone(),
    };
    let known = incident.alerts.iter();
    let is_new_device = !known.clone().any(|one| one.device == alert.device);
    let is_urgent = known.map(|one| one.severity).max() < Some(alert.severity);
    let same = |one: &&mut Member| one.alert == alert.id;
    if let Some(before) = incident.alerts.iter_mut().find(same) {
        *before = member;
    } else if incident.alerts.len() < most {
        incident.alerts.push(member);
        incident.alerts.sort_by_key(|one| (one.opened, one.alert));
    } else {
        incident.alerts_cut += u64::from(is_new);
    }
    is_new_device || is_urgent || incident.techniques.len() > techniques
}

/// Adds a link, if it is not there.
pub(super) fn link(incident: &mut Incident, link: &Link, most: usize) {
    let has = |alert| incident.alerts.iter().any(|one| one.alert == alert);
    // A link to an incident that may not be joined has one end elsewhere.
    let is_inside = has(link.from) && has(link.to);
    if is_inside && incident.links.len() < most && !incident.links.contains(link) {
        incident.links.push(link.clone());
    }
}

/// Notes a hint; one of the same detector about the same device makes room.
pub(super) fn hint(incident: &mut Incident, finding: &Finding, most: usize) {
    let hint = Hint {
        time: finding.time,
        device: finding.subject,
        role: finding.role,
        detector: finding.detector.clone(),
        technique: finding.technique.clone(),
        confidence: finding.confidence,
        evidence: finding.evidence.clone(),
    };
    let same = |one: &&mut Hint| {
        (one.device, &one.detector, one.role) == (hint.device, &hint.detector, hint.role)
    };
    if let Some(before) = incident.hints.iter_mut().find(same) {
        *before = hint;
        return;
    }
    if incident.hints.len() == most {
        incident.hints.remove(0);
    }
    incident.hints.push(hint);
}

/// One incident takes in what another has.
pub(super) fn take_in(
    incident: &mut Incident,
    old: &mut Incident,
    victims_max: usize,
    (links_max, hints_max): (usize, usize),
) {
    incident.alerts.append(&mut old.alerts);
    incident.alerts.sort_by_key(|one| (one.opened, one.alert));
    incident.alerts_cut += old.alerts_cut;
    incident.links.append(&mut old.links);
    incident.hints.append(&mut old.hints);
    incident.hints.sort_by_key(|one| one.time);
    let oldest = incident.hints.len().saturating_sub(hints_max);
    incident.hints.drain(..oldest);
    incident.links.truncate(links_max);
    for victim in old.victims.drain(..) {
        if !incident.victims.contains(&victim) && incident.victims.len() < victims_max {
            incident.victims.push(victim);
        }
    }
    incident.took_in.push(old.id);
    incident.took_in.append(&mut old.took_in.clone());
    incident.took_in.sort_unstable();
    let id = incident.id;
    incident.apart.append(&mut old.apart);
    incident.apart.retain(|one| *one != old.id && *one != id);
    incident.notes.extend(old.notes.iter().cloned());
    incident.notes.sort_by_key(|one| one.time);
    if incident.label.is_none() {
        incident.label.clone_from(&old.label);
    }
    techniques(incident);
    incident.updated = incident.updated.max(old.updated);
    refresh(incident);
}

/// The techniques of the alerts that are there, in their order.
pub(super) fn techniques(incident: &mut Incident) {
    let mut first = BTreeMap::new();
    for (at, one) in incident.alerts.iter().enumerate() {
        for (nth, technique) in one.techniques.iter().enumerate() {
            first.entry(technique.clone()).or_insert((at, nth));
        }
    }
    let mut all: Vec<_> = first.into_iter().collect();
    all.sort_by_key(|(_, at)| *at);
    incident.techniques = all.into_iter().map(|(one, _)| one).collect();
}

/// Makes what follows from the alerts anew.
pub(super) fn refresh(incident: &mut Incident) {
    let alerts = || incident.alerts.iter();
    if let Some(first) = alerts().map(|one| one.opened).min() {
        incident.opened = first;
    }
    incident.severity = alerts()
        .map(|one| one.severity)
        .max()
        .unwrap_or(Severity::Low);
    let doubt: f64 = alerts().map(|one| 1.0 - one.confidence).product();
    incident.confidence = 1.0 - doubt;
    incident.first_affected = first_affected(incident);
    incident.title = title(incident);
}

/// The suspect of the earliest alert that does not follow from one about another device. An alert of low severity is too
/// weak to say where an attack began, as long as there are others.
fn first_affected(incident: &Incident) -> Option<IpAddr> {
    let suspects = || incident.alerts.iter().filter(|one| !one.role.is_victim());
    let devices: HashMap<u64, IpAddr> = incident
        .alerts
        .iter()
        .map(|one| (one.alert, one.device))
        .collect();
    let follow = incident.links.iter().filter_map(|link| {
        let (from, to) = (devices.get(&link.from)?, devices.get(&link.to)?);
        (link.because.is_step() && from != to).then_some(*to)
    });
    let follow: HashSet<IpAddr> = follow.collect();
    let follows = |of: &Member| follow.contains(&of.device);
    let strong = |one: &&Member| one.severity > Severity::Low;
    let begins = suspects().filter(strong).find(|one| !follows(one));
    let first = begins
        .or_else(|| suspects().find(strong))
        .or_else(|| suspects().next());
    first.map(|one| one.device)
}

/// Who did what to how many, in a line.
fn title(incident: &Incident) -> String {
    let stages: Vec<&str> = incident.stages().iter().map(|one| one.label()).collect();
    let stages = if stages.is_empty() {
        "unusual behaviour".to_owned()
    } else {
        stages.join(", ")
    };
    let suspects = incident.suspects();
    let Some(first) = incident.first_affected else {
        let victims: BTreeSet<IpAddr> = incident.alerts.iter().map(|one| one.device).collect();
        let victims: Vec<String> = victims.iter().map(ToString::to_string).collect();
        return match victims.as_slice() {
            [one] => format!("Attack on {one} by an unknown device: {stages}"),
            many => format!(
                "Attack on {} by an unknown device: {stages}",
                several(many.len() as u64, "devices")
            ),
        };
    };
    let more = match suspects.len() {
        0 | 1 => String::new(),
        2 => " and 1 more device".to_owned(),
        more => format!(" and {} more devices", more - 1),
    };
    let attacked = incident.victims.len();
    let on = match attacked {
        0 => String::new(),
        1 => format!(" at {}", incident.victims[0]),
        many => format!(" at {many} devices"),
    };
    format!("{first}{more}: {stages}{on}")
}

/// The parts of an incident that its links hold together, each with the numbers of its alerts; the one with the oldest
/// alert first.
pub(super) fn parts(incident: &Incident) -> Vec<BTreeSet<u64>> {
    let mut rest: Vec<u64> = incident.alerts.iter().map(|one| one.alert).collect();
    let mut all = Vec::new();
    while !rest.is_empty() {
        let mut part = BTreeSet::from([rest.remove(0)]);
        loop {
            let before = part.len();
            for link in &incident.links {
                if part.contains(&link.from) || part.contains(&link.to) {
                    part.extend([link.from, link.to]);
                }
            }
            if part.len() == before {
                break;
            }
        }
        rest.retain(|one| !part.contains(one));
        all.push(part);
    }
    all
}
