//! The incident for people who decide and do not read packets: what happened, how bad it is, what they have to decide.

use sensor_facts::words::{bytes, several, utc_moment};

use super::{Contained, Incident, Law, Part, law::deadlines};
use crate::report::Section;

/// What attackers want with techniques of ATT&CK, by how their numbers begin; the first that fits.
const AIMS: [(&str, &str); 14] = [
    ("T1046", "a search for systems and services"),
    ("T1018", "a search for systems and services"),
    ("T1110", "guessing of passwords or names"),
    ("T1021", "access to other systems from within"),
    ("T1219", "remote control from outside"),
    ("T1041", "a transfer of data to the outside"),
    ("T1048", "a transfer of data to the outside"),
    ("T1567", "a transfer of data to the outside"),
    ("T1557", "eavesdropping on other systems' connections"),
    ("T1565", "a change of data on its way"),
    ("T1498", "an overload of systems or of the network"),
    ("T1499", "an overload of systems or of the network"),
    ("T1071", "hidden communication with the outside"),
    ("T1095", "hidden communication with the outside"),
];

fn aims(techniques: &[String]) -> String {
    let mut aims: Vec<&str> = Vec::new();
    for technique in techniques {
        let found = AIMS.iter().find(|(begin, _)| technique.starts_with(begin));
        let aim = found.map_or("behaviour that is unusual for the device", |(_, aim)| aim);
        if !aims.contains(&aim) {
            aims.push(aim);
        }
    }
    aims.join(", ")
}

impl Incident {
    /// In plain words, before anything else.
    pub(super) fn management(&self, laws: &[Law]) -> Section {
        let mut section = Section::new("For the management", &[]);
        let alert = &self.alert;
        let seen = utc_moment(self.begin);
        section.text(match &self.patient_zero {
            Some(zero) => format!(
                "On {seen} the network sensor first saw signs of an attack by the device {} in the hospital's network: {}.",
                zero.address,
                aims(&alert.techniques)
            ),
            None => format!(
                "On {seen} the network sensor first saw signs of an attack on the device {}: {}.",
                alert.device,
                aims(&alert.techniques)
            ),
        });
        let confirmed = match &alert.label {
            Some(label) => format!("A person has judged it {}.", label.verdict.label()),
            None => "Nobody has confirmed it yet.".to_owned(),
        };
        section.text(format!(
            "Severity: {}. The sensor is {:.0} % sure. {confirmed}",
            alert.severity,
            alert.confidence * 100.0
        ));
        section.text(self.concerned());
        section.text(self.stands());
        section.heading("What has to be decided now");
        section.list(self.decisions(laws));
        section
    }

    fn concerned(&self) -> String {
        let victims = || self.systems.iter().filter(|one| one.part == Part::Victim);
        let clinical = victims().filter(|one| one.is_clinical).count();
        let attacked = match (victims().count(), clinical) {
            (0, _) => "No system is known to have been attacked.".to_owned(),
            (all, 0) => format!(
                "{} attacked; none of them is known to be clinical.",
                several_were(all)
            ),
            (all, some) => format!(
                "{} attacked, {some} of them clinical (images, orders, results or devices at the bedside).",
                several_were(all)
            ),
        };
        let unusual = self.exchanges.iter().filter(|one| !one.usual);
        let received: u64 = unusual.map(|one| one.bytes_to_suspect).sum();
        let data = if received == 0 {
            "No transfer of clinical data to a suspected device was seen in clear text.".to_owned()
        } else {
            format!(
                "{} of clinical data went to suspected devices. Whose data it was, only the archives and applications can say.",
                bytes(received)
            )
        };
        format!("{attacked} {data}")
    }

    fn stands(&self) -> String {
        let goes_on = match self.alert.closed {
            Some(closed) => format!("Nothing more was seen after {}.", utc_moment(closed)),
            None => "The attack may still be going on.".to_owned(),
        };
        let suspects = &self.containment.suspects;
        let held = |state| suspects.iter().filter(|one| one.state == state).count();
        let blocked = match (suspects.len(), held(Contained::Effective)) {
            (0, _) => "No device is suspected, so none was blocked.".to_owned(),
            (all, some) if all == some => {
                "The suspected devices are blocked, and the block works.".to_owned()
            }
            (_, 0) => "No suspected device is known to be blocked.".to_owned(),
            (all, some) => format!("{some} of {all} suspected devices are blocked."),
        };
        format!("{goes_on} {blocked}")
    }

    fn decisions(&self, laws: &[Law]) -> Vec<String> {
        let mut all = Vec::new();
        if self.alert.label.is_none() {
            all.push("Whether this was an attack: the network team and the clinical engineers say so and label the alert.".to_owned());
        }
        let open = self.containment.suspects.iter();
        let open: Vec<String> = open
            .filter(|one| one.state != Contained::Effective)
            .map(|one| one.address.to_string())
            .collect();
        if !open.is_empty() {
            all.push(format!(
                "Whether to take {} off the network: patient care that depends on it would stop.",
                open.join(", ")
            ));
        }
        for (law, by) in deadlines(&self.dates, laws) {
            all.push(format!(
                "Whether there is a duty to report under {law}, with legal counsel. If there is, the first deadline is {by}."
            ));
        }
        all
    }
}

fn several_were(count: usize) -> String {
    let be = if count == 1 { "was" } else { "were" };
    format!("{} {be}", several(count as u64, "systems"))
}
