//! Who and what was concerned: systems, data, and what was done about it.

use std::collections::BTreeSet;

use sensor_facts::{
    action::Cause,
    effect::Effectiveness,
    rule::Scope,
    words::{between, bytes, count, utc_moment},
};

use super::{INCIDENT, state_tone};
use crate::report::{
    Section, Table, Tone,
    incident::{
        Amount, Exchange, Incident, Measure, Peer, ServiceSeen,
        summary::{named, seconds},
    },
};

impl Incident {
    pub(super) fn systems(&self) -> Section {
        let mut section = Section::new(
            "Systems concerned",
            &[INCIDENT, "45 CFR 164.308(a)(1)(ii)(D)"],
        );
        if let Some(zero) = &self.patient_zero {
            section.heading(format!("First affected device: {}", named(zero)));
            let mut known = vec![
                "It is the suspected device of the earliest alert of at least medium severity that does not follow from an alert about another device.".to_owned(),
            ];
            let mut tell = |what: &str, values: &[String]| {
                if !values.is_empty() {
                    known.push(format!("{what}: {}.", values.join(", ")));
                }
            };
            tell("Ethernet address", &zero.macs);
            tell("Names that it gave itself", &zero.names);
            tell("AE titles that it used", &zero.ae_titles);
            if let Some(first) = zero.first_seen {
                let before = if first >= self.begin {
                    "with the incident".to_owned()
                } else {
                    format!("{} before the first finding", between(first, self.begin))
                };
                known.push(format!("First seen {}, {before}.", utc_moment(first)));
            }
            section.list(known);
        }
        let mut table = Table::new(
            "All systems concerned",
            &["system", "part in it", "role", "clinical", "maker", "names"],
        );
        for one in &self.systems {
            table.row([
                one.address.to_string(),
                one.part.label().to_owned(),
                one.kind
                    .clone()
                    .unwrap_or_else(|| one.role.label().to_owned()),
                if one.is_clinical { "yes" } else { "no" }.to_owned(),
                one.vendor.clone().unwrap_or_default(),
                [one.names.join(", "), one.ae_titles.join(", ")]
                    .into_iter()
                    .filter(|text| !text.is_empty())
                    .collect::<Vec<_>>()
                    .join("; AE "),
            ]);
        }
        section.table(table);
        let mut peers = Table::new(
            "Whom the suspects talked to",
            &[
                "suspect",
                "with",
                "role",
                "services",
                "before",
                "since the incident began",
            ],
        );
        for peer in &self.peers {
            peers.row(peer_cells(peer));
        }
        section.table(peers);
        if self.peers_cut > 0 {
            section.note(
                Tone::Open,
                format!("{} more peers are left out.", self.peers_cut),
            );
        }
        section.text(
            "The incident is counted from five minutes before the first finding, since evidence gathers before a finding is made.",
        );
        section
    }

    pub(super) fn data(&self) -> Section {
        let mut section = Section::new("Data concerned", &[INCIDENT, "45 CFR 164.402"]);
        section.note(
            Tone::Plain,
            "The sensor keeps no patient data, so it can't say whose data it was. The audit log of the archive, the message log of the \
             interface engine and the access log of the health record can: ask for the times below.",
        );
        if self.exchanges.is_empty() {
            section.text(
                "No DICOM, HL7 or TLS session of a suspect was seen since the incident began.",
            );
            return section;
        }
        let mut table = Table::new(
            "Sessions of suspects since the incident began",
            &[
                "from → to",
                "protocol",
                "sessions",
                "what",
                "received by the suspect",
                "sent by the suspect",
                "time",
            ],
        );
        for one in &self.exchanges {
            table.row(exchange_cells(one));
        }
        section.table(table);
        section
    }

    pub(super) fn containment(&self) -> Section {
        let mut section = Section::new("Containment", &[INCIDENT, "45 CFR 164.312(b)"]);
        for held in &self.containment.suspects {
            let detail = held.detail.as_ref().map_or_else(String::new, |detail| {
                format!(" The policy's reason: {detail}.")
            });
            let tone = state_tone(held.state);
            section.note(
                tone,
                format!("{}: {}.{detail}", held.address, held.state.label()),
            );
        }
        let mut table = Table::new(
            "Rules",
            &[
                "rule",
                "blocks",
                "by and why",
                "in force",
                "ends",
                "works",
                "how it is known",
            ],
        );
        for rule in &self.containment.rules {
            table.row(rule_cells(rule));
        }
        if table.rows.is_empty() {
            section.text("No rule was made about a suspect.");
        }
        section.table(table);
        if !self.containment.inline {
            section.note(
                Tone::Bad,
                "No interface of the sensor is in the path (role inline): rules drop copies, and stop nothing. Only TCP resets can have.",
            );
        }
        section
    }
}

pub(super) fn service(one: &ServiceSeen) -> String {
    let port = one
        .port
        .map_or_else(String::new, |port| format!(" port {port}"));
    let app = one
        .app
        .as_ref()
        .map_or_else(String::new, |app| format!(" ({})", app.to_uppercase()));
    format!("{}{port}{app}", one.proto)
}

fn amount(amount: Option<&Amount>) -> String {
    let Some(one) = amount else {
        return "nothing".to_owned();
    };
    let refused = match one.refused {
        0 => String::new(),
        all if all == one.flows => ", all refused or silent".to_owned(),
        some => format!(", {} refused or silent", count(some)),
    };
    format!(
        "{} flows{refused}; {} sent, {} received; {} to {}",
        count(one.flows),
        bytes(one.bytes_sent),
        bytes(one.bytes_received),
        utc_moment(one.first),
        utc_moment(one.last)
    )
}

fn peer_cells(peer: &Peer) -> [String; 6] {
    let mut services: Vec<String> = peer.services.iter().map(service).collect();
    let named = services.len() as u64;
    let more = |all: u64| all.saturating_sub(named);
    if peer.answered > 0 {
        if more(peer.answered) > 0 {
            services.push(format!("{} more that answered", more(peer.answered)));
        }
        if peer.silent > 0 {
            services.push(format!("{} tried in vain", count(peer.silent)));
        }
    } else {
        services.insert(0, "none answered; tried".to_owned());
        if more(peer.silent) > 0 {
            services.push(format!("{} more", count(more(peer.silent))));
        }
    }
    let marks = [(peer.is_clinical, "clinical"), (peer.is_victim, "attacked")];
    let role = [peer.role.label()]
        .into_iter()
        .chain(marks.iter().filter(|(is, _)| *is).map(|(_, word)| *word))
        .collect::<Vec<_>>()
        .join(", ");
    [
        peer.device.to_string(),
        if peer.by_suspect {
            format!("→ {}", peer.address)
        } else {
            format!("← {}", peer.address)
        },
        role,
        services.join("; "),
        amount(peer.before.as_ref()),
        amount(peer.after.as_ref()),
    ]
}

fn exchange_cells(one: &Exchange) -> [String; 7] {
    let clear = if one.clear_text {
        "clear text"
    } else {
        "encrypted"
    };
    let mut what: Vec<String> = one
        .messages
        .iter()
        .map(|(name, times)| format!("{} {name}", count(*times)))
        .collect();
    let quoted = |titles: &BTreeSet<String>| {
        titles
            .iter()
            .map(|title| format!("{title:?}"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    for (name, titles) in [
        ("called itself", &one.calling_ae),
        ("asked for", &one.called_ae),
        ("had sent to", &one.move_destinations),
    ] {
        if !titles.is_empty() {
            what.push(format!("{name} {}", quoted(titles)));
        }
    }
    what.extend(one.classes.iter().cloned());
    if one.usual {
        what.push("used before the incident too".to_owned());
    }
    let refused = match one.refused {
        0 => String::new(),
        some => format!(", {} rejected", count(some)),
    };
    let amount = |number: u64| {
        if one.protocol == "TLS" {
            "not known".to_owned()
        } else {
            bytes(number)
        }
    };
    [
        format!("{} → {} ({})", one.client, one.server, one.role.label()),
        format!("{}, {clear}", one.protocol),
        format!("{}{refused}", count(one.count)),
        what.join("; "),
        amount(one.bytes_to_suspect),
        amount(one.bytes_from_suspect),
        format!("{} to {}", utc_moment(one.first), utc_moment(one.last)),
    ]
}

fn rule_cells(rule: &Measure) -> [String; 7] {
    let scope = match rule.scope {
        Scope::All => "",
        Scope::KeepClinical => ", except learnt clinical traffic",
    };
    let approved = rule.approved.as_ref().map_or_else(String::new, |one| {
        format!(
            "; approved by {} at {}: {}",
            one.by,
            utc_moment(one.time),
            one.reason
        )
    });
    let enforced = rule.enforced.map_or_else(
        || format!("never (made {})", utc_moment(rule.created)),
        |time| {
            let delay = seconds(rule.delay_ms.unwrap_or(0));
            format!("{}, {delay} the first finding", utc_moment(time))
        },
    );
    let ends = rule.ended.as_ref().map_or_else(
        || {
            format!(
                "by itself at {}, {} after it was made",
                utc_moment(rule.expires),
                between(rule.created, rule.expires)
            )
        },
        |end| {
            let how = match end.cause {
                Cause::Expired => "ended by itself",
                Cause::Released => "lifted",
                Cause::Protected => "lifted, its target being protected",
                Cause::Undone => "undone, since the audit trail did not take it,",
            };
            format!(
                "{how} at {} by {}: {}",
                utc_moment(end.time),
                end.by,
                end.reason
            )
        },
    );
    let works = match rule.verdict {
        Effectiveness::Effective => "effective",
        Effectiveness::NotEffective => "not effective",
        Effectiveness::Unverified => "unverified",
    };
    let mut known = vec![rule.detail.clone()];
    if let (Some(packets), Some(size)) = (rule.packets, rule.bytes)
        && packets > 0
    {
        known.push(format!(
            "{} packets hit by now, {}",
            count(packets),
            bytes(size)
        ));
    }
    if rule.resets > 0 {
        known.push(format!("{} TCP resets sent", count(rule.resets)));
    }
    known.extend(
        rule.verified
            .map(|time| format!("since {}", utc_moment(time))),
    );
    known.retain(|text| !text.is_empty());
    [
        rule.id.to_string(),
        format!("{}{scope}", rule.target),
        format!("{}: {}{approved}", rule.by, rule.reason),
        enforced,
        ends,
        works.to_owned(),
        known.join("; "),
    ]
}
