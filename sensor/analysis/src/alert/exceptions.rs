//! Exceptions: findings that nobody is to be told of. They come from the label "benign", or are made by people.

use std::{collections::HashMap, net::IpAddr};

use sensor_facts::{
    alert::{Alert, Severity},
    finding::Finding,
    rule::Actor,
    time::Time,
};
use sensor_sessions::inventory::Role;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{detect::ALL, whom::Whom};

/// Exceptions that are kept.
const EXCEPTIONS_MAX: usize = 4_096;

/// Findings that are muted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exception {
    /// Its number.
    #[serde(default)]
    pub id: u64,
    /// Whose findings are muted.
    #[serde(flatten)]
    pub whom: Whom,
    /// The detectors whose findings are muted; if empty, those of all.
    #[serde(default, alias = "detector", deserialize_with = "one_or_many")]
    pub detectors: Vec<String>,
    /// Only findings about these victims are muted; if empty, findings about any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub victims: Vec<IpAddr>,
    /// When it ends; none if it is permanent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// The alert whose label made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<u64>,
    /// Why, in words.
    #[serde(default)]
    pub reason: String,
    /// Who made it.
    #[serde(default = "nobody")]
    pub by: Actor,
    /// When it was made; none where an earlier version did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<Time>,
    /// How many findings it has muted.
    #[serde(default)]
    pub muted: u64,
    /// How many of these would have been of high or critical severity.
    #[serde(default)]
    pub muted_high: u64,
    /// When it muted the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Time>,
}

const fn nobody() -> Actor {
    Actor::Daemon
}

/// Earlier versions wrote one detector.
fn one_or_many<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Written::deserialize(from)? {
        Written::One(one) => vec![one],
        Written::Many(many) => many,
    })
}

/// An exception that a person wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewException {
    /// Whose findings are to be muted.
    #[serde(flatten)]
    pub whom: Whom,
    /// The detectors whose findings are to be muted; if empty, those of all.
    #[serde(default)]
    pub detectors: Vec<String>,
    /// When it is to end; none if it is permanent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// Why, in words.
    pub reason: String,
}

impl NewException {
    /// Says what is wrong with it, if anything is.
    ///
    /// # Errors
    /// When there is no such detector, no reason, or it has ended already.
    pub fn check(&self, now: Time) -> Result<(), String> {
        sensor_facts::reason::check(&self.reason)?;
        for name in &self.detectors {
            crate::detect::known(name)?;
        }
        if self.until.is_some_and(|until| until <= now) {
            return Err("it ends before it begins".to_owned());
        }
        Ok(())
    }

    /// The detectors that an authorised vulnerability scanner sets off by its work.
    #[must_use]
    pub fn scanner_detectors() -> Vec<String> {
        const SCANNING: [&str; 7] = [
            "ae_rejects",
            "brute_force",
            "echo_sweep",
            "fan_out",
            "probe",
            "scan",
            "sweep",
        ];
        let known = SCANNING
            .iter()
            .filter(|name| ALL.iter().any(|about| about.id == **name));
        known.map(|name| (*name).to_owned()).collect()
    }
}

impl Exception {
    /// One for each detector of an alert that was labelled benign.
    fn of(alert: &Alert, until: Time) -> Vec<Self> {
        let label = alert.label.as_ref();
        let findings = alert.findings.iter();
        findings
            .map(|finding| Self {
                id: 0,
                whom: Whom::Device(alert.device),
                detectors: vec![finding.detector.clone()],
                victims: if finding.victim_count <= finding.victims.len() as u64 {
                    finding.victims.clone()
                } else {
                    Vec::new()
                },
                until: Some(until),
                alert: Some(alert.id),
                reason: label.map(|label| label.reason.clone()).unwrap_or_default(),
                by: label.map_or(Actor::Daemon, |label| label.by.clone()),
                made: label.map(|label| label.time),
                muted: 0,
                muted_high: 0,
                last: None,
            })
            .collect()
    }

    /// True if the finding is muted: a device that is meant, one of the detectors, nobody concerned but those that were.
    fn covers(&self, finding: &Finding, roles: &HashMap<IpAddr, Role>) -> bool {
        self.whom.covers(finding.subject, roles)
            && (self.detectors.is_empty() || self.detectors.contains(&finding.detector))
            && self.until.is_none_or(|until| finding.time <= until)
            && (self.victims.is_empty()
                || finding.victims.iter().all(|one| self.victims.contains(one)))
    }
}

/// How many findings were muted since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Muted {
    pub(super) all: u64,
    pub(super) high: u64,
}

/// All exceptions.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Exceptions {
    #[serde(rename = "exceptions")]
    kept: Vec<Exception>,
    last_exception: u64,
    #[serde(skip)]
    pub(super) muted: Muted,
}

impl Exceptions {
    /// Numbers those of earlier versions.
    pub(super) fn number(&mut self) {
        for one in &mut self.kept {
            if one.id == 0 {
                self.last_exception += 1;
                one.id = self.last_exception;
            }
        }
    }

    pub(super) fn all(&self) -> &[Exception] {
        &self.kept
    }

    /// True if the finding is muted, which each exception that covers it counts. `clinical`: it is about clinical devices.
    pub(super) fn mutes(
        &mut self,
        finding: &Finding,
        clinical: bool,
        roles: &HashMap<IpAddr, Role>,
    ) -> bool {
        let high = Severity::of(finding.confidence, clinical) >= Severity::High;
        let mut muted = false;
        for one in &mut self.kept {
            if one.covers(finding, roles) {
                muted = true;
                one.muted += 1;
                one.muted_high += u64::from(high);
                one.last = one.last.max(Some(finding.time));
            }
        }
        self.muted.all += u64::from(muted);
        self.muted.high += u64::from(muted && high);
        muted
    }

    /// Ends those whose time is over; true if there were any.
    pub(super) fn end(&mut self, now: Time) -> bool {
        let before = self.kept.len();
        self.kept
            .retain(|one| one.until.is_none_or(|until| until >= now));
        self.kept.len() < before
    }

    /// Puts those of a benign label in the place of what another label of the alert had made.
    pub(super) fn labelled(&mut self, alert: &Alert, until: Option<Time>) {
        self.kept.retain(|one| one.alert != Some(alert.id));
        if let Some(until) = until {
            self.kept.extend(Exception::of(alert, until));
            self.number();
            // What people made by hand, and what is permanent, stays.
            while self.kept.len() > EXCEPTIONS_MAX
                && let Some(at) = self.kept.iter().position(|one| one.alert.is_some())
            {
                self.kept.remove(at);
            }
        }
    }

    /// Takes all of these, or none.
    pub(super) fn add(
        &mut self,
        new: Vec<NewException>,
        by: &Actor,
        now: Time,
    ) -> Result<Vec<Exception>, String> {
        let many = new.len();
        for (at, one) in new.iter().enumerate() {
            let which = if many > 1 {
                format!("exception {} of {many}: ", at + 1)
            } else {
                String::new()
            };
            one.check(now).map_err(|why| format!("{which}{why}"))?;
        }
        if self.kept.len() + many > EXCEPTIONS_MAX {
            return Err(format!(
                "there is room for {EXCEPTIONS_MAX} exceptions: remove some first"
            ));
        }
        let first = self.kept.len();
        self.kept.extend(new.into_iter().map(|one| Exception {
            id: 0,
            whom: one.whom,
            detectors: one.detectors,
            victims: Vec::new(),
            until: one.until,
            alert: None,
            reason: one.reason,
            by: by.clone(),
            made: Some(now),
            muted: 0,
            muted_high: 0,
            last: None,
        }));
        self.number();
        Ok(self.kept.get(first..).unwrap_or_default().to_vec())
    }

    pub(super) fn remove(&mut self, id: u64) -> Option<Exception> {
        let at = self.kept.iter().position(|one| one.id == id)?;
        Some(self.kept.remove(at))
    }
}

#[cfg(test)]
mod tests;
