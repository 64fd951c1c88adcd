//! Incidents: alerts and hints of one or more devices that belong to one attack. `docs/incidents.md` has the rules.

mod stage;
mod tie;

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::{
    alert::{Label, Severity},
    finding::AttackRole,
    rule::Actor,
    time::Time,
};

pub use stage::Stage;
pub use tie::{Link, Tie};

/// What became of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, schemars(rename = "IncidentChange"))]
pub enum Change {
    /// It is new.
    Opened,
    /// It has another device, another technique, or is more urgent.
    Updated,
    /// It took in another incident.
    Merged,
    /// Alerts of it became an incident of their own.
    Split,
    /// A person labelled it.
    Labelled,
    /// It is over, or was taken in by another one.
    Closed,
}

impl Change {
    /// As in events.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Updated => "updated",
            Self::Merged => "merged",
            Self::Split => "split",
            Self::Labelled => "labelled",
            Self::Closed => "closed",
        }
    }
}

/// An alert of an incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "IncidentAlert"))]
pub struct Member {
    /// Number of the alert.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub alert: u64,
    /// The device that it is about.
    pub device: IpAddr,
    /// What part the device has in the attack.
    pub role: AttackRole,
    /// How urgent the alert is.
    pub severity: Severity,
    /// How sure it is that at least one of its detectors is right, 0 to 1.
    #[cfg_attr(test, schemars(range(min = 0, max = 1)))]
    pub confidence: f64,
    /// When its first finding was made.
    pub opened: Time,
    /// When its last finding was made.
    pub updated: Time,
    /// MITRE ATT&CK techniques of its findings.
    #[cfg_attr(test, schemars(inner(regex(pattern = r"^T[0-9]{4}(\.[0-9]{3})?$"))))]
    pub techniques: Vec<String>,
    /// What was found, in one line.
    pub title: String,
}

/// Something that was found and is not sure enough for an alert, about a device that an incident attacked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "IncidentHint"))]
pub struct Hint {
    /// When it was found last.
    pub time: Time,
    /// The device that it is about.
    pub device: IpAddr,
    /// What part the device has in it.
    pub role: AttackRole,
    /// The detector that found it.
    pub detector: String,
    /// MITRE ATT&CK technique.
    #[cfg_attr(test, schemars(regex(pattern = r"^T[0-9]{4}(\.[0-9]{3})?$")))]
    pub technique: String,
    /// How sure the detector is by itself, 0 to 1.
    #[cfg_attr(test, schemars(range(min = 0, max = 1)))]
    pub confidence: f64,
    /// The evidence, in words and numbers.
    pub evidence: String,
}

/// What a person noted about an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "IncidentNote"))]
pub struct Note {
    /// When it was noted.
    pub time: Time,
    /// Who noted it.
    pub by: Actor,
    /// The note.
    pub note: String,
}

/// Who closed an incident, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "IncidentEnd"))]
pub struct End {
    /// When it was closed.
    pub time: Time,
    /// Who closed it.
    pub by: Actor,
    /// Why, in words.
    pub reason: String,
}

/// Alerts and hints that belong to one attack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Incident {
    /// Number of the incident.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub id: u64,
    /// Who did what to how many, in one line.
    pub title: String,
    /// The highest severity of its alerts.
    pub severity: Severity,
    /// How sure it is that at least one of its alerts is right, 0 to 1.
    #[cfg_attr(test, schemars(range(min = 0, max = 1)))]
    pub confidence: f64,
    /// When the first finding of its alerts was made.
    pub opened: Time,
    /// When something was added last.
    pub updated: Time,
    /// How it was closed; none while it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<End>,
    /// The suspected device that it began with; none where only victims are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_affected: Option<IpAddr>,
    /// Its alerts, by the time of their first findings.
    pub alerts: Vec<Member>,
    /// Alerts that it has beside these, since they were too many.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub alerts_cut: u64,
    /// What connects its alerts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// What was found beside and is not sure enough for an alert.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<Hint>,
    /// Devices that something was done to, the first of them.
    #[cfg_attr(test, schemars(length(max = 256)))]
    pub victims: Vec<IpAddr>,
    /// MITRE ATT&CK techniques, in the order in which they were found.
    #[cfg_attr(test, schemars(inner(regex(pattern = r"^T[0-9]{4}(\.[0-9]{3})?$"))))]
    pub techniques: Vec<String>,
    /// Incidents that it took in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, schemars(inner(range(min = 1))))]
    pub took_in: Vec<u64>,
    /// The incident that took it in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub merged_into: Option<u64>,
    /// The incident that it was a part of before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub split_from: Option<u64>,
    /// Incidents that no rule joins with it, since a person or a label separated them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, schemars(inner(range(min = 1))))]
    pub apart: Vec<u64>,
    /// What people noted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// The label that a person gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Label>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Incident {
    /// True while it goes on.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.end.is_none()
    }

    /// Devices that are suspected, each once, in order of time.
    #[must_use]
    pub fn suspects(&self) -> Vec<IpAddr> {
        let mut all = Vec::new();
        for one in self.alerts.iter().filter(|one| !one.role.is_victim()) {
            if !all.contains(&one.device) {
                all.push(one.device);
            }
        }
        all
    }

    /// The stages of the attack that its techniques belong to, in the order in which they were seen first.
    #[must_use]
    pub fn stages(&self) -> Vec<Stage> {
        let mut all = Vec::new();
        for stage in self.techniques.iter().filter_map(|one| Stage::of(one)) {
            if !all.contains(&stage) {
                all.push(stage);
            }
        }
        all
    }

    /// True if an alert is one of its.
    #[must_use]
    pub fn has(&self, alert: u64) -> bool {
        self.alerts.iter().any(|one| one.alert == alert)
    }
}

/// The number of an incident as people write it, such as `I3`, or without the letter.
///
/// # Errors
/// When it is neither; it says what to write.
pub fn number(text: &str) -> Result<u64, String> {
    let digits = text.strip_prefix(['I', 'i']).unwrap_or(text);
    digits.parse().map_err(|_| {
        format!("{text:?} is no incident: write its number, such as I3; `wardtap incidents list` shows them")
    })
}
