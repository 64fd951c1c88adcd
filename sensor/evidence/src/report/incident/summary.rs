//! The incident in a few sentences: who, what, to whom, when, what was contained, what is open.

use std::collections::BTreeSet;

use sensor_facts::{
    effect::Effectiveness,
    finding::Finding,
    rule::Actor,
    words::{bytes, count, utc_moment},
};
use sensor_sessions::inventory::Role;

use super::{Contained, Facts, Incident, Measure, Part, System, scope::Scope};

/// Systems that are named.
const NAMED: usize = 6;

pub(super) fn of(facts: &Facts, scope: &Scope<'_>, incident: &Incident) -> Vec<String> {
    let mut summary = vec![who(scope, incident), did(scope)];
    summary.extend(whom(incident));
    summary.extend(data(incident));
    summary.push(contained(incident));
    summary.push(open(facts, incident));
    summary
}

/// A system in few words.
pub(super) fn named(system: &System) -> String {
    let role = match system.role {
        Role::Unknown => "role unknown",
        role => role.label(),
    };
    let mut known = vec![system.kind.clone().unwrap_or_else(|| role.to_owned())];
    // An address that is nobody's names no maker.
    let made = |maker: &&String| !maker.starts_with("random");
    known.extend(system.vendor.iter().filter(made).cloned());
    format!("{} ({})", system.address, known.join(", "))
}

fn who(scope: &Scope<'_>, incident: &Incident) -> String {
    let at = utc_moment(incident.begin);
    let Some(zero) = &incident.patient_zero else {
        return format!(
            "{} is the victim of what follows, first found at {at}. No device is suspected of it.",
            incident.alert.device
        );
    };
    let suspects = scope.suspects.len();
    let others = match suspects {
        0 | 1 => String::new(),
        more => format!(
            " {} more devices are suspected; it was the first.",
            more - 1
        ),
    };
    format!(
        "{} is the suspected intruder, first found at {at}.{others}",
        named(zero)
    )
}

fn did(scope: &Scope<'_>) -> String {
    let mut findings: Vec<&Finding> = scope.alerts.iter().flat_map(|one| &one.findings).collect();
    findings.sort_by_key(|one| (one.time, one.id));
    let told: Vec<&str> = findings.iter().map(|one| one.evidence.as_str()).collect();
    format!("What was found, in order: {}.", told.join("; "))
}

fn whom(incident: &Incident) -> Option<String> {
    let victims: Vec<&System> = incident
        .systems
        .iter()
        .filter(|one| one.part == Part::Victim)
        .collect();
    if victims.is_empty() {
        return None;
    }
    let names: Vec<String> = victims.iter().take(NAMED).map(|one| named(one)).collect();
    let more = match victims.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let clinical = victims.iter().filter(|one| one.is_clinical).count();
    Some(format!(
        "Targets: {}{more}. Clinical systems among them: {clinical}.",
        names.join(", ")
    ))
}

fn data(incident: &Incident) -> Option<String> {
    let told = |protocol: &str| {
        let of = || {
            incident
                .exchanges
                .iter()
                .filter(|one| one.protocol == protocol && !one.usual)
        };
        let (received, sent): (u64, u64) = of().fold((0, 0), |sum, one| {
            (sum.0 + one.bytes_to_suspect, sum.1 + one.bytes_from_suspect)
        });
        let from: BTreeSet<String> = of()
            .filter(|one| one.bytes_to_suspect > 0)
            .map(|one| {
                if one.by_suspect {
                    one.server
                } else {
                    one.client
                }
                .to_string()
            })
            .collect();
        let from: Vec<String> = from.into_iter().collect();
        match (received, sent) {
            (0, 0) => None,
            (0, sent) => Some(format!("{} of {protocol} from the suspects", bytes(sent))),
            (received, _) => Some(format!(
                "{} of {protocol} to the suspects, in clear text, from {}",
                bytes(received),
                from.join(", ")
            )),
        }
    };
    let told: Vec<String> = ["DICOM", "HL7"].into_iter().filter_map(told).collect();
    let usual = incident.exchanges.iter().filter(|one| one.usual).count();
    let usual = match usual {
        0 => "",
        _ => {
            " What suspects exchanged with systems that they used before is not counted here; the section on data lists it."
        }
    };
    (!told.is_empty()).then(|| {
        format!(
            "Data that went: {}.{usual} The sensor holds no patient data and can't say whose it was.",
            told.join("; ")
        )
    })
}

/// Who made a rule, without a name: names are in the table.
const fn maker(rule: &Measure) -> &'static str {
    match (&rule.by, &rule.approved) {
        (Actor::Person { .. }, _) => "by a person",
        (_, Some(_)) => "proposed by the policy and approved by a person",
        (Actor::Policy { .. }, None) => "by the policy",
        (Actor::Signal | Actor::Daemon, None) => "by the sensor",
    }
}

fn contained(incident: &Incident) -> String {
    let rules: Vec<String> = incident
        .containment
        .rules
        .iter()
        .filter_map(|rule| {
            let enforced = rule.enforced?;
            let after = seconds(rule.delay_ms.unwrap_or(0));
            let works = match rule.verdict {
                Effectiveness::Effective => "effective",
                Effectiveness::NotEffective => "not effective",
                Effectiveness::Unverified => "unverified",
            };
            let dropped = rule.packets.map_or_else(String::new, |packets| {
                format!(", {} packets dropped", count(packets))
            });
            Some(format!(
                "rule {} against {} at {} ({after} the first finding), {}, {works}{dropped}",
                rule.id,
                rule.target,
                utc_moment(enforced),
                maker(rule)
            ))
        })
        .collect();
    if rules.is_empty() {
        return "Nothing was blocked.".to_owned();
    }
    let mirror = if incident.containment.inline {
        ""
    } else {
        " No interface is in the path, so nothing was dropped but copies."
    };
    format!("Contained: {}.{mirror}", rules.join("; "))
}

/// A delay in words.
pub(super) fn seconds(delay_ms: i64) -> String {
    let way = if delay_ms < 0 { "before" } else { "after" };
    let ms = delay_ms.unsigned_abs();
    match ms {
        0..60_000 => format!("{}.{} s {way}", ms / 1_000, ms % 1_000 / 100),
        _ => format!("{} {way}", sensor_facts::words::span(ms / 1_000)),
    }
}

fn open(facts: &Facts, incident: &Incident) -> String {
    let mut open = Vec::new();
    for held in &incident.containment.suspects {
        if held.state != Contained::Effective {
            open.push(format!("{} is {}", held.address, held.state.label()));
        }
    }
    if incident.is_open() {
        open.push("the incident is open".to_owned());
    }
    if incident.label().is_none() {
        open.push("nobody has said yet whether it was an attack".to_owned());
    }
    let rules = incident.containment.rules.iter();
    if let Some(rule) = rules
        .filter(|rule| rule.ended.is_none())
        .max_by_key(|rule| rule.expires)
        && rule.expires > facts.made
    {
        open.push(format!(
            "containment ends by itself at {}",
            utc_moment(rule.expires)
        ));
    }
    let hop = |wanted: fn(usize) -> bool| {
        let reached = incident.spread.reached.iter();
        reached.filter(|one| wanted(one.hop)).count()
    };
    let (near, far) = (hop(|hop| hop == 1), hop(|hop| hop > 1));
    if near > 0 {
        open.push(format!(
            "{near} systems answered it and must be checked; {far} more could have been reached through those"
        ));
    }
    if open.is_empty() {
        return "Nothing is open.".to_owned();
    }
    format!("Open: {}.", open.join("; "))
}
