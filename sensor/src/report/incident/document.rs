//! The incident as a document. Words for people are made here; numbers and names come as they are in the report.

use super::{
    Amount, Containment, Exchange, Good, Happened, Incident, Measure, Part, Peer, ServiceSeen,
    Spread,
    summary::{named, seconds},
};
use crate::{
    audit::Cause,
    report::{
        Block, Document, Edge, Graph, Kind, Moment, Node, Section, Table, Tone, Way, technique,
    },
    response::{Scope, Verdict},
    words::{between, bytes, count, utc_moment},
};

/// Nodes of a hop that are drawn; the table has all.
const DRAWN_MAX: usize = 9;
/// Hops that are drawn.
const DRAWN_HOPS: usize = 3;

const INCIDENT: &str = "45 CFR 164.308(a)(6)(ii)";

impl Incident {
    /// The report for people.
    #[must_use]
    pub fn document(&self) -> Document {
        let alert = &self.alert;
        let title = match &self.patient_zero {
            Some(zero) => format!("Alert {}: {} is suspected", alert.id, zero.address),
            None => format!("Alert {}: {} suffers", alert.id, alert.device),
        };
        let mut document = Document::new("Incident report", title);
        if self.pseudonymised {
            document.notices.push(
                "Addresses and names in this report are pseudonyms under the site's key; they are the same in all its exports."
                    .into(),
            );
        }
        if alert
            .label
            .as_ref()
            .is_some_and(|label| label.verdict == crate::alert::Verdict::Benign)
        {
            document.notices.push(
                "A person has said that this was no attack. What follows is what was seen.".into(),
            );
        }
        self.facts(&mut document);
        document.sections = vec![
            self.summary(),
            self.timeline(),
            self.systems(),
            self.spread(),
            self.data(),
            self.containment(),
            self.recovery(),
            self.dates(),
            self.limits(),
            self.provenance(),
        ];
        let made = &self.provenance;
        document.made = format!(
            "Made by wardtap {} for {} at {}. It says what a network sensor saw; it does not say that there was a breach.",
            made.version,
            made.by,
            utc_moment(made.time)
        )
        .into();
        document
    }

    fn facts(&self, document: &mut Document) {
        let alert = &self.alert;
        let zero = self
            .patient_zero
            .as_ref()
            .map_or_else(|| "not known".to_owned(), named);
        let severity = format!("{}, {:.0} % sure", alert.severity, alert.confidence * 100.0);
        document.fact("Severity", severity, Tone::Bad);
        document.fact("Patient zero", zero, Tone::Bad);
        document.fact("First finding", utc_moment(self.begin), Tone::Plain);
        let (contained, tone) = standing(&self.containment);
        document.fact("Containment", contained, tone);
        let delay = self.containment.delay_ms;
        let delay = delay.map_or_else(
            || "never in force".to_owned(),
            |delay| format!("{} the first finding", seconds(delay)),
        );
        document.fact("First rule in force", delay, Tone::Plain);
        let victims: Vec<_> = self
            .systems
            .iter()
            .filter(|one| one.part == Part::Victim)
            .collect();
        let clinical = victims.iter().filter(|one| one.is_clinical).count();
        let attacked = format!("{} ({clinical} clinical)", victims.len());
        let tone = if clinical > 0 { Tone::Bad } else { Tone::Plain };
        document.fact("Systems attacked", attacked, tone);
        let received: u64 = self.exchanges.iter().map(|one| one.bytes_to_suspect).sum();
        let tone = if received > 0 { Tone::Bad } else { Tone::Plain };
        document.fact("Clinical data to suspects", bytes(received), tone);
        let (label, tone) = alert.label.as_ref().map_or_else(
            || ("not yet".to_owned(), Tone::Open),
            |label| {
                (
                    format!("{} by {}", label.verdict.label(), label.by),
                    Tone::Plain,
                )
            },
        );
        document.fact("Confirmed by a person", label, tone);
        document.fact(
            "Notices due by, if it is a breach",
            self.dates.notice_by.clone(),
            Tone::Open,
        );
    }

    fn summary(&self) -> Section {
        let mut section = Section::new("Summary", &[INCIDENT]);
        for sentence in &self.summary {
            section.text(sentence);
        }
        section
    }

    fn timeline(&self) -> Section {
        let mut section = Section::new("Timeline", &[INCIDENT, "45 CFR 164.312(b)"]);
        section.text("Times are UTC. What people and the policy did is taken from the audit trail, with the number of its entry.");
        section
            .blocks
            .push(Block::Timeline(self.timeline.iter().map(moment).collect()));
        if self.timeline_cut > 0 {
            let more = count(self.timeline_cut);
            section.note(
                Tone::Open,
                format!("{more} later things are left out here; the audit trail has them."),
            );
        }
        let techniques: Vec<String> = self
            .alert
            .techniques
            .iter()
            .map(|one| technique(one))
            .collect();
        if !techniques.is_empty() {
            section.heading("Techniques (MITRE ATT&CK)");
            section.list(techniques);
        }
        let mut others = Table::new(
            "Other alerts of the time",
            &["alert", "device", "opened", "what", "belongs to it"],
        );
        for one in &self.others {
            let belongs = if one.connected {
                "yes: a finding or a contact connects them"
            } else {
                "nothing that was seen connects them"
            };
            let way = if one.suffers {
                "suffers"
            } else {
                "is suspected"
            };
            others.row([
                one.id.to_string(),
                format!("{} {way}", one.device),
                utc_moment(one.opened),
                one.title.clone(),
                belongs.to_owned(),
            ]);
        }
        section.table(others);
        section
    }

    fn systems(&self) -> Section {
        let mut section = Section::new(
            "Systems concerned",
            &[INCIDENT, "45 CFR 164.308(a)(1)(ii)(D)"],
        );
        if let Some(zero) = &self.patient_zero {
            section.heading(format!("Patient zero: {}", named(zero)));
            let mut known = vec![
                "It is the suspected device of the earliest of the connected alerts.".to_owned(),
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

    fn spread(&self) -> Section {
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
            "From {device}, since {}: {} systems could have been reached, {clinical} of them clinical. A way counts when each of its \
             contacts lasted beyond the moment at which the one before it can have passed something on; connections are followed from \
             who opened them, and not where only refusals came back. That something could have come this way does not mean that it did.",
            utc_moment(spread.since),
            spread.reached.len() as u64 + spread.cut,
        ));
        if spread.served > 0 {
            section.text(format!(
                "{} more systems asked one of those for something since then. They are not followed: what a server gives out harms a \
                 client only if the server itself was taken over.",
                spread.served
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

    fn data(&self) -> Section {
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

    fn containment(&self) -> Section {
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

    fn recovery(&self) -> Section {
        let mut section = Section::new(
            "Recommended recovery, in order",
            &[INCIDENT, "45 CFR 164.308(a)(7)(ii)"],
        );
        let steps = self.recovery.steps.iter();
        section.blocks.push(Block::Steps(
            steps
                .map(|one| ((&one.what).into(), (&one.why).into()))
                .collect(),
        ));
        let mut table = Table::new(
            "Order in which systems are checked and restored",
            &["", "system", "role", "part in it", "why here"],
        );
        for (number, turn) in (1..).zip(&self.recovery.order) {
            table.row([
                i32::to_string(&number),
                turn.address.to_string(),
                turn.role.label().to_owned(),
                turn.part.label().to_owned(),
                turn.why.clone(),
            ]);
        }
        section.table(table);
        section
    }

    fn dates(&self) -> Section {
        let dates = &self.dates;
        let mut section = Section::new(
            "Dates that the rules ask about",
            &[
                "45 CFR 164.404(a)(2) and (b)",
                "45 CFR 164.406",
                "45 CFR 164.408(b) and (c)",
                "45 CFR 164.316(b)(2)(i)",
            ],
        );
        section.note(
            Tone::Open,
            "This report does not say that there was a breach, and no program can: the covered entity decides that by the risk \
             assessment of 45 CFR 164.402, and has to be able to prove it (45 CFR 164.414(b)).",
        );
        let mut table = Table::new("Dates, in UTC", &["what", "date", "by"]);
        let kept_back = if dates.kept_back {
            " Nobody was told then, the day's budget of alerts being used up; the rule also counts what could have been known by reasonable diligence."
        } else {
            ""
        };
        table.row([
            "Discovery: the first day on which it was known, or could have been by reasonable diligence".to_owned(),
            dates.discovered_on.clone(),
            format!("164.404(a)(2): the first finding, {}.{kept_back}", utc_moment(dates.discovered)),
        ]);
        table.row([
            "Notice to each individual, if it is a breach: without unreasonable delay, and no later than".to_owned(),
            dates.notice_by.clone(),
            "164.404(b): 60 calendar days after discovery".to_owned(),
        ]);
        table.row([
            "Notice to the Secretary, if 500 or more individuals: together with theirs, no later than".to_owned(),
            dates.notice_by.clone(),
            "164.408(b); media too, if more than 500 residents of one State: 164.406".to_owned(),
        ]);
        table.row([
            "Notice to the Secretary, if fewer than 500 individuals: no later than".to_owned(),
            dates.yearly_by.clone(),
            "164.408(c): 60 days after the end of the calendar year of discovery".to_owned(),
        ]);
        table.row([
            "Keep this report and what it rests on at least until".to_owned(),
            dates.keep_until.clone(),
            "164.316(b)(2)(i): six years from its making, or from when it last was in effect"
                .to_owned(),
        ]);
        section.table(table);
        section.text(
            "Days begin at midnight UTC here. Where the local day of discovery is an earlier one, count from that. A business associate \
             tells the covered entity (164.410); law enforcement may ask for a delay (164.412).",
        );
        section.heading("Questions that people have to answer");
        section.list([
            "How many individuals are concerned: 500 or more? More than 500 residents of one State? The sensor can't count them.",
            "Was the information unsecured, that is, not made unreadable by encryption or destruction (164.402)?",
            "Is there a low probability that it was compromised? The four factors below are the least that is looked at.",
        ]);
        let mut factors = Table::new(
            "Risk assessment: what this report has to say",
            &["factor", "asks", "what was seen"],
        );
        for one in &dates.factors {
            factors.row([&one.paragraph, &one.asks, &one.seen]);
        }
        section.table(factors);
        section
    }

    fn limits(&self) -> Section {
        let mut section = Section::new("What is not known", &[INCIDENT]);
        section.list(&self.unknown);
        section
    }

    fn provenance(&self) -> Section {
        let mut section = Section::new(
            "On what this report stands",
            &["45 CFR 164.312(b)", "45 CFR 164.312(c)(1)"],
        );
        let made = &self.provenance;
        let (force, seal) = (&made.force, &made.seal);
        let or_unknown =
            |text: &Option<String>| text.clone().unwrap_or_else(|| "not known".to_owned());
        let model = match (&force.model, &force.model_sha256) {
            (Some(name), Some(hash)) => format!("{name}, SHA-256 {hash}"),
            _ => "none in use".to_owned(),
        };
        let mut table = Table::new("", &["what", ""]);
        table.row([
            "Report made",
            &format!("{} for {}", utc_moment(made.time), made.by),
        ]);
        table.row(["Sensor that made it", &format!("wardtap {}", made.version)]);
        table.row([
            "Sensor when the alert opened",
            &format!("wardtap {}", or_unknown(&force.version)),
        ]);
        table.row(["Configuration then, BLAKE3", &or_unknown(&force.config)]);
        table.row(["Model then", &model]);
        table.row(["Interfaces then", &force.interfaces.join(", ")]);
        table.row(["Audit trail, entries", &count(seal.entries)]);
        table.row(["Hash of its last entry, BLAKE3", &seal.head]);
        table.row(["Signed up to entry", &count(seal.signed)]);
        table.row(["Key that signs, Ed25519", &or_unknown(&seal.key)]);
        section.table(table);
        if let Some(flaw) = &seal.flaw {
            section.note(
                Tone::Bad,
                format!("The audit trail does not verify: {flaw}"),
            );
        } else {
            section.text(
                "The trail's chain of hashes was verified when the report was made. `wardtap audit verify` does it again; its last hash \
                 then continues from the one given here.",
            );
        }
        section
    }
}

const fn tone(good: Good) -> Tone {
    match good {
        Good::Plain => Tone::Plain,
        Good::Good => Tone::Good,
        Good::Open => Tone::Open,
        Good::Bad => Tone::Bad,
    }
}

const fn state_tone(state: super::Contained) -> Tone {
    use super::Contained::{Effective, Ended, No, NotEffective, Proposed, Unverified};
    match state {
        Effective => Tone::Good,
        Unverified | Proposed | Ended => Tone::Open,
        No | NotEffective => Tone::Bad,
    }
}

fn standing(containment: &Containment) -> (String, Tone) {
    let [first, others @ ..] = &containment.suspects[..] else {
        return ("nobody to contain".to_owned(), Tone::Open);
    };
    if others.iter().all(|one| one.state == first.state) {
        return (first.state.label().to_owned(), state_tone(first.state));
    }
    ("differs by suspect".to_owned(), Tone::Bad)
}

fn moment(happened: &Happened) -> Moment {
    let entry = happened.entry.map(|entry| format!("audit entry {entry}"));
    let detail: Vec<String> = happened.reason.clone().into_iter().chain(entry).collect();
    Moment {
        time: happened.time,
        kind: happened.kind.label().into(),
        what: (&happened.what).into(),
        detail: detail.join("; ").into(),
        who: happened
            .by
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default()
            .into(),
        tone: tone(happened.tone),
    }
}

fn service(one: &ServiceSeen) -> String {
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
        services.push("none answered".to_owned());
        if more(peer.silent) > 0 {
            services.push(format!("{} more tried in vain", count(more(peer.silent))));
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
    let quoted = |titles: &std::collections::BTreeSet<String>| {
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
        Verdict::Effective => "effective",
        Verdict::NotEffective => "not effective",
        Verdict::Unverified => "unverified",
    };
    let mut known = vec![rule.detail.clone()];
    if let (Some(packets), Some(size)) = (rule.packets, rule.bytes) {
        known.push(format!("hits: {} packets, {}", count(packets), bytes(size)));
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

/// The graph of the first hops: of each the systems that matter most, and one node for the others.
fn graph(device: std::net::IpAddr, spread: &Spread, incident: &Incident) -> Graph {
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
        detail: format!("{role}, patient zero").into(),
        kind: Kind::Suspect,
        hop: 0,
    });
    let mut places = std::collections::HashMap::from([(device, 0)]);
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
