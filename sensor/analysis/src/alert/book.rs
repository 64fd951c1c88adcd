//! All alerts: from findings to episodes, with exceptions, budget and labels. Kept in `alerts.json` in the
//! state directory.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    io,
    net::IpAddr,
    path::Path,
};

use sensor_facts::{
    alert::{Alert, Change, Decided, Label, LabelError, Severity, Touched, Verdict},
    files,
    finding::{AttackRole, Basis, Finding},
    time::Time,
};
use serde::{Deserialize, Serialize};

use super::{
    budget::{Budget, has_grown},
    exceptions::Exceptions,
    labels::{Labels, weight},
};
use crate::config::Alerting;

/// Alerts that are kept.
const ALERTS_MAX: usize = 2_000;
/// Episodes that are followed at once.
const EPISODES_MAX: usize = 16_384;
const FILE: &str = "alerts.json";

/// An alert that opened, changed or closed.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertUpdate {
    /// What became of it.
    pub change: Change,
    /// The alert as it is now.
    pub alert: Alert,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Content {
    last_id: u64,
    alerts: VecDeque<Alert>,
    #[serde(flatten)]
    pub(super) exceptions: Exceptions,
    labels: BTreeMap<String, Labels>,
    /// Alerts that changed since the outputs were told of them, and since when.
    pub(super) untold: BTreeMap<u64, Time>,
}

/// All alerts. See the module's description.
pub struct Alerts {
    options: Alerting,
    pub(super) content: Content,
    /// What is not sure enough to be told, and what was told and goes on.
    pub(super) episodes: HashMap<(IpAddr, AttackRole), Alert>,
    budget: Budget,
    /// Alerts raised since the start, by severity when they opened.
    pub(super) raised: [u64; Severity::ALL.len()],
    pub(super) suppressed_ever: u64,
    /// Alerts that made room for others since the start.
    pub(super) evicted: u64,
    pub(super) changed: bool,
}

impl Alerts {
    /// No alerts.
    #[must_use]
    pub fn new(options: Alerting) -> Self {
        Self {
            options,
            content: Content::default(),
            episodes: HashMap::new(),
            budget: Budget::default(),
            raised: [0; Severity::ALL.len()],
            suppressed_ever: 0,
            evicted: 0,
            changed: false,
        }
    }

    /// Reads what was kept. Alerts that were open are so still, and close when their time has come.
    #[must_use]
    pub fn open(folder: &Path, options: Alerting) -> Self {
        let mut this = Self::new(options);
        this.content = files::read(&folder.join(FILE));
        this.content.exceptions.number();
        for alert in &this.content.alerts {
            if alert.closed.is_none() {
                this.episodes
                    .insert((alert.device, alert.role), alert.clone());
            }
        }
        this
    }

    /// Writes what is new to the disk.
    ///
    /// # Errors
    /// When the file can't be written; it is tried again with the next call.
    pub fn save(&mut self, folder: &Path) -> io::Result<()> {
        if self.changed {
            files::write(&folder.join(FILE), &self.content)?;
            self.changed = false;
        }
        Ok(())
    }

    /// Puts other options in force.
    pub fn set(&mut self, options: Alerting) {
        self.options = options;
    }

    /// Takes a finding; the alert that people are to be told of, if there is. `clinical`: it is about
    /// clinical devices. `devices`: how many are known.
    pub fn take(
        &mut self,
        finding: Finding,
        clinical: bool,
        devices: usize,
    ) -> Option<AlertUpdate> {
        if finding.basis == Basis::Exposure {
            return None;
        }
        let key = (finding.subject, finding.role);
        let (next, time) = (self.content.last_id + 1, finding.time);
        if self.episodes.len() >= EPISODES_MAX && !self.episodes.contains_key(&key) {
            // Only what nobody was told of makes room.
            let oldest = self
                .episodes
                .iter()
                .filter(|(_, episode)| episode.id == 0)
                .min_by_key(|(_, episode)| episode.updated)
                .map(|(key, _)| *key)?;
            self.episodes.remove(&oldest);
        }
        let quiet = i64::try_from(self.options.quiet.as_nanos()).unwrap_or(i64::MAX);
        let labels = &self.content.labels;
        let weigh = |detector: &str| weight(labels.get(detector));
        let episode = self
            .episodes
            .entry(key)
            .or_insert_with(|| Alert::open(0, &finding));
        // What nobody was told of is forgotten after the same time.
        if episode.id == 0 && time.0.saturating_sub(episode.updated.0) > quiet {
            *episode = Alert::open(0, &finding);
        }
        let (detectors, severity) = (episode.findings.len(), episode.severity);
        episode.take(finding, clinical, weigh);
        let mut change = if episode.id != 0 {
            let more = episode.findings.len() > detectors || episode.severity > severity;
            more.then_some(Change::Updated)
        } else if episode.confidence >= self.options.confidence {
            episode.id = next;
            episode.opened = time;
            Some(Change::Opened)
        } else {
            None
        };
        if change == Some(Change::Opened) {
            self.content.last_id = next;
            let most = usize::try_from(self.options.budget).unwrap_or(usize::MAX);
            let most = most.saturating_mul(devices.div_ceil(1_000).max(1));
            episode.suppressed = !self.budget.pays(episode, clinical, time, most);
            self.suppressed_ever += u64::from(episode.suppressed);
            if !episode.suppressed {
                self.raised[episode.severity as usize] += 1;
            }
        } else if has_grown(episode, change.is_some()) {
            episode.suppressed = false;
            // People were not told of it before.
            change = Some(Change::Opened);
            self.raised[episode.severity as usize] += 1;
        }
        let alert = episode.clone();
        if alert.id != 0 {
            self.keep(&alert);
            if change.is_none() {
                self.is_untold(alert.id, time);
            }
        }
        change
            .filter(|_| !alert.suppressed)
            .map(|change| AlertUpdate { change, alert })
    }

    /// True if an alert about the device rests on more than that something is new.
    #[must_use]
    pub fn suspects(&self, device: IpAddr) -> bool {
        self.episodes
            .get(&(device, AttackRole::Suspect))
            .is_some_and(|alert| alert.id != 0 && alert.is_more_than_new())
    }

    /// The alert or hint that findings about a device are a part of now. A hint has the number 0.
    pub(crate) fn episode(&self, device: IpAddr, role: AttackRole) -> Option<&Alert> {
        self.episodes.get(&(device, role))
    }

    /// Adds what containment would do to an alert, of which the outputs are told now.
    pub fn touch(&mut self, id: u64, touched: &Touched) {
        self.content.untold.remove(&id);
        self.change(id, |alert| alert.containment = Some(touched.clone()));
    }

    /// Notes what the policy decided about a device's finding, in its alert.
    pub fn decided(&mut self, device: IpAddr, role: AttackRole, decided: &Decided) {
        let id = self.episodes.get_mut(&(device, role)).map(|episode| {
            // Before it is told there is nothing to note it in but the episode.
            episode.note(decided.clone());
            (episode.id, episode.clone())
        });
        if let Some((id, alert)) = id
            && id != 0
        {
            self.keep(&alert);
            self.is_untold(id, decided.time);
        }
    }

    /// Closes the alerts that were quiet for long enough.
    pub fn tick(&mut self, now: Time) -> Vec<AlertUpdate> {
        let quiet = i64::try_from(self.options.quiet.as_nanos()).unwrap_or(i64::MAX);
        let over: Vec<_> = self
            .episodes
            .iter()
            .filter(|(_, episode)| now.0.saturating_sub(episode.updated.0) > quiet)
            .map(|(key, _)| *key)
            .collect();
        self.changed |= self.content.exceptions.end(now);
        let mut told = Vec::new();
        for key in over {
            let Some(mut alert) = self.episodes.remove(&key) else {
                continue;
            };
            if alert.id == 0 {
                continue;
            }
            alert.closed = Some(now);
            self.keep(&alert);
            self.content.untold.remove(&alert.id);
            if !alert.suppressed {
                told.push(AlertUpdate {
                    change: Change::Closed,
                    alert,
                });
            }
        }
        told.sort_by_key(|one| one.alert.id);
        told.extend(self.catch_up(now));
        told
    }

    /// Labels an alert: "benign" makes exceptions of its detectors for this device; either counts in how much
    /// the detectors' word is worth.
    ///
    /// # Errors
    /// [`LabelError`]; nothing is changed then.
    pub fn label(&mut self, id: u64, label: &Label) -> Result<Alert, LabelError> {
        if label.reason.trim().is_empty() {
            return Err(LabelError::NoReason);
        }
        let alert = self.get(id).ok_or(LabelError::Unknown(id))?.clone();
        let verdict = label.verdict;
        if alert.label.as_ref().is_some_and(|it| it.verdict == verdict) {
            return Err(LabelError::Same {
                id,
                verdict: verdict.label(),
            });
        }
        let before = alert.label.as_ref().map(|it| it.verdict);
        for finding in &alert.findings {
            let labels = self
                .content
                .labels
                .entry(finding.detector.clone())
                .or_default();
            match before {
                Some(Verdict::Benign) => labels.benign = labels.benign.saturating_sub(1),
                Some(Verdict::Malicious) => labels.malicious = labels.malicious.saturating_sub(1),
                None => {}
            }
            match verdict {
                Verdict::Benign => labels.benign += 1,
                Verdict::Malicious => labels.malicious += 1,
            }
        }
        let mut labelled = alert.clone();
        labelled.label = Some(label.clone());
        let lasts = i64::try_from(self.options.exception.as_nanos()).unwrap_or(i64::MAX);
        let until = Time(label.time.0.saturating_add(lasts));
        let until = (verdict == Verdict::Benign).then_some(until);
        self.content.exceptions.labelled(&labelled, until);
        if verdict == Verdict::Benign {
            // What comes now is a new episode.
            self.episodes.remove(&(alert.device, alert.role));
        }
        let time = label.time;
        self.change(id, |alert| {
            alert.label = Some(label.clone());
            if verdict == Verdict::Benign {
                alert.closed.get_or_insert(time);
            }
        });
        self.is_untold(id, time);
        self.get(id).cloned().ok_or(LabelError::Unknown(id))
    }

    /// An alert.
    #[must_use]
    pub fn get(&self, id: u64) -> Option<&Alert> {
        self.content.alerts.iter().find(|alert| alert.id == id)
    }

    /// All alerts that are kept, the latest first.
    pub fn all(&self) -> impl Iterator<Item = &Alert> {
        self.content.alerts.iter().rev()
    }

    /// Alerts that are listed as suppressed.
    #[must_use]
    pub fn suppressed(&self) -> u64 {
        let suppressed = self.content.alerts.iter().filter(|one| one.suppressed);
        suppressed.count() as u64
    }

    pub(super) fn change(&mut self, id: u64, change: impl Fn(&mut Alert)) {
        self.changed = true;
        let kept = self.content.alerts.iter_mut();
        for alert in kept.chain(self.episodes.values_mut()) {
            if alert.id == id {
                change(alert);
            }
        }
    }

    /// Forgets the alert that matters least: whoever causes many small ones does not push out a grave one.
    fn make_room(&mut self) {
        let alerts = self.content.alerts.iter().enumerate();
        if let Some((at, _)) = alerts.min_by_key(|(_, alert)| worth(alert)) {
            if let Some(gone) = self.content.alerts.remove(at) {
                self.content.untold.remove(&gone.id);
            }
            self.evicted += 1;
        }
    }

    fn keep(&mut self, alert: &Alert) {
        self.changed = true;
        let same = |one: &&mut Alert| one.id == alert.id;
        if let Some(before) = self.content.alerts.iter_mut().rev().find(same) {
            *before = alert.clone();
            return;
        }
        if self.content.alerts.len() >= ALERTS_MAX {
            self.make_room();
        }
        self.content.alerts.push_back(alert.clone());
    }
}

/// How much it matters that an alert is kept: what a person labelled or goes on, what people were told of, the severity;
/// among equals the later one.
fn worth(alert: &Alert) -> (bool, bool, Severity, u64) {
    (
        alert.label.is_some() || alert.closed.is_none(),
        !alert.suppressed,
        alert.severity,
        alert.id,
    )
}
