//! The incident as a document. Words for people are made here; numbers and names come as they are in the report.

mod concerned;
mod law;
mod management;
mod spread;

pub use law::Law;

use super::{
    Contained, Containment, Good, Happened, Incident, Part,
    summary::{named, seconds},
};
use crate::report::{Block, Document, Moment, Section, Table, Tone, technique};
use sensor_facts::{
    alert::Verdict,
    words::{bytes, count, utc_moment},
};

/// Security incident procedures: response and reporting.
const INCIDENT: &str = "45 CFR 164.308(a)(6)(ii)";

impl Incident {
    /// The report for people, with the deadlines of these laws.
    #[must_use]
    pub fn document(&self, laws: &[Law]) -> Document {
        let alert = &self.alert;
        let title = match (&self.incident, &self.patient_zero) {
            (Some(incident), _) => format!("I{}: {}", incident.id, incident.title),
            (None, Some(zero)) => format!("Alert {}: {} is suspected", alert.id, zero.address),
            (None, None) => format!("Alert {}: {} is the victim", alert.id, alert.device),
        };
        let mut document = Document::new("Incident report", title);
        if self.pseudonymised {
            document.notices.push(
                "Addresses and names in this report are pseudonyms under the site's key; they are the same in all its exports."
                    .into(),
            );
        }
        if self
            .label()
            .is_some_and(|label| label.verdict == Verdict::Benign)
        {
            document.notices.push(
                "A person has said that this was no attack. What follows is what was seen.".into(),
            );
        }
        self.facts(&mut document, laws);
        document.sections = vec![
            self.management(laws),
            self.summary(),
            self.timeline(),
            self.systems(),
            self.spread(),
            self.data(),
            self.containment(),
            self.recovery(),
        ];
        let legal = laws.iter().map(|law| self.law(*law));
        document.sections.extend(legal);
        document.sections.extend([self.limits(), self.provenance()]);
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

    fn facts(&self, document: &mut Document, laws: &[Law]) {
        let alert = &self.alert;
        let zero = self
            .patient_zero
            .as_ref()
            .map_or_else(|| "not known".to_owned(), named);
        let whole = self.incident.as_ref();
        let (severity, confidence) = whole.map_or((alert.severity, alert.confidence), |it| {
            (it.severity, it.confidence)
        });
        let severity = format!("{severity}, {:.0} % sure", confidence * 100.0);
        document.fact("Severity", severity, Tone::Bad);
        document.fact("First affected device", zero, Tone::Bad);
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
        let unusual = self.exchanges.iter().filter(|one| !one.usual);
        let received: u64 = unusual.map(|one| one.bytes_to_suspect).sum();
        let tone = if received > 0 { Tone::Bad } else { Tone::Plain };
        document.fact("Clinical data to suspects", bytes(received), tone);
        let (label, tone) = self.label().map_or_else(
            || ("not yet".to_owned(), Tone::Open),
            |label| {
                (
                    format!("{} by {}", label.verdict.label(), label.by),
                    Tone::Plain,
                )
            },
        );
        document.fact("Confirmed by a person", label, tone);
        for (law, by) in law::deadlines(&self.dates, laws) {
            let name = format!("First deadline under {law}, if there is a duty to report");
            document.fact(&name, by, Tone::Open);
        }
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
        let techniques: Vec<String> = self.techniques().iter().map(|one| technique(one)).collect();
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
                format!("yes: {}", self.why(one.id))
            } else {
                "nothing that was seen connects them".to_owned()
            };
            let way = if one.role.is_victim() {
                "is the victim"
            } else {
                "is suspected"
            };
            others.row([
                one.id.to_string(),
                format!("{} {way}", one.device),
                utc_moment(one.opened),
                one.title.clone(),
                belongs,
            ]);
        }
        section.table(others);
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

const fn state_tone(state: Contained) -> Tone {
    use Contained::{Effective, Ended, No, NotEffective, Proposed, Unverified};
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
