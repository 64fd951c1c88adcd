//! What is not known, said plainly.

use super::{Containment, Facts, exchange, scope::Scope};
use sensor_facts::{
    effect::Effectiveness,
    words::{between, utc_moment},
};

/// Spans without the sensor that are named one by one.
const SPANS_MAX: usize = 8;

pub(super) fn of(facts: &Facts, scope: &Scope<'_>, containment: &Containment) -> Vec<String> {
    let mut unknown = Vec::new();
    if scope.zero.is_none() {
        unknown.push("Who is behind it: the findings name a victim and no suspect.".to_owned());
    }
    let whole = facts.incident.as_ref();
    if whole.map_or(
        facts.alert.closed.is_none(),
        sensor_facts::incident::Incident::is_open,
    ) {
        unknown.push(
            "How it ends: the incident is still open. This report describes the moment at which it was made; make it again later."
                .to_owned(),
        );
    }
    match facts.evidence.since {
        None => unknown.push("Who talked to whom: no contact of the time is kept any more.".to_owned()),
        Some(since) if since > facts.evidence.wanted => unknown.push(format!(
            "What was before {}: no contact of before is known, since the sensor was new or what it kept is over. The time before the incident is \
             incomplete, and a device may have been in contact with the suspects earlier than is said here.",
            utc_moment(since)
        )),
        Some(_) => {}
    }
    unknown.extend(facts.evidence.missing.iter().cloned());
    spans(facts, &mut unknown);
    if facts.trail.force.model.is_none() {
        unknown.push(
            "What an anomaly model would have said: none was in use when the alert opened. Protocol detectors and \
             statistics did the work alone."
                .to_owned(),
        );
    }
    if !containment.inline {
        unknown.push(
            "Whether rules stopped anything: no interface is in the path (role inline), so rules dropped nothing but copies."
                .to_owned(),
        );
    }
    let unverified: Vec<String> = containment
        .rules
        .iter()
        .filter(|rule| rule.enforced.is_some() && rule.verdict == Effectiveness::Unverified)
        .map(|rule| rule.id.to_string())
        .collect();
    if !unverified.is_empty() {
        unknown.push(format!(
            "Whether rule {} works: its target was silent, so nothing was dropped and nothing passed.",
            unverified.join(", ")
        ));
    }
    suspects(facts, scope, &mut unknown);
    let exchanges = exchange::of(facts, scope);
    if exchanges.iter().any(|one| one.incomplete) {
        unknown.push("All of the data: of some sessions only parts were seen, so amounts are at least those given.".to_owned());
    }
    if exchanges.iter().any(|one| !one.clear_text) {
        unknown.push(
            "What went inside TLS: the sensor sees that it went, how much, and by which version."
                .to_owned(),
        );
    }
    for alert in &scope.alerts {
        let (all, kept) = (alert.finding_count, alert.findings.len() as u64);
        if all > kept {
            unknown.push(format!(
                "Each of the {all} findings of alert {}: of each detector the last is kept, {kept} in all. The alert's \
                 begin is that of the first.",
                alert.id
            ));
        }
    }
    unknown.push(
        "What passes none of the sensor's interfaces: systems on one switch or one host can talk unseen, so it may have spread \
         farther than is drawn here."
            .to_owned(),
    );
    unknown
}

/// When the sensor was not there.
fn spans(facts: &Facts, unknown: &mut Vec<String>) {
    let absent = &facts.trail.absent;
    for (from, until, in_order) in absent.iter().take(SPANS_MAX) {
        unknown.push(if *in_order {
            format!(
                "What happened from {} to {} ({}): the sensor was stopped.",
                utc_moment(*from),
                utc_moment(*until),
                between(*from, *until)
            )
        } else {
            format!(
                "What happened before {}: the sensor ended out of order some time after {} and was started then.",
                utc_moment(*until),
                utc_moment(*from)
            )
        });
    }
    if absent.len() > SPANS_MAX {
        let more = absent.len() - SPANS_MAX;
        unknown.push(format!(
            "What happened in {more} more spans without the sensor; the audit trail has them."
        ));
    }
}

/// Whether the address is the device.
fn suspects(facts: &Facts, scope: &Scope<'_>, unknown: &mut Vec<String>) {
    for suspect in scope.suspects.keys() {
        let host = facts.hosts.iter().find(|host| host.address == *suspect);
        let own = host.is_some_and(|host| !host.mac_shared && !host.macs.is_empty());
        if !own {
            unknown.push(format!(
                "Which device {suspect} is: it stands behind a router, so its Ethernet address was not seen. Leases of DHCP and \
                 the router's tables say it."
            ));
        }
    }
}
