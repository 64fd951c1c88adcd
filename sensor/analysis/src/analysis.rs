//! From observations to findings and alerts: detectors, baselines and alerts in their order, by the
//! observations' clock. No threads and no disk but what its owner asks for.

mod account;
mod context;
mod grouping;
mod labelling;
mod muting;
mod online;
mod recent;
mod scoring;
mod settling;
mod windows;

use std::{
    collections::{BTreeMap, HashMap},
    io,
    net::IpAddr,
    path::Path,
    sync::Arc,
};

use sensor_facts::{
    alert::{Decided, Touched},
    finding::{Basis, Finding},
    observation::{Observation, What},
    time::Time,
};
use sensor_sessions::inventory::Role;

use crate::{
    alert::{AlertUpdate, Alerts, Cases},
    baseline::{Baselines, Census, Delta},
    behaviour::Behaviour,
    config::{Alerting, Baseline, Grouping},
    detect::{self, Detect, Found, Named, Origins, Routers, Site, Tuned},
    incident::{IncidentUpdate, Incidents},
    model::{Recorded, Scorer, WindowModel, WindowSlot},
};

pub use account::Account;
pub use labelling::LabelledIncident;
pub use online::Online;

use recent::Recent;

/// Between two looks at what is over, nanoseconds.
const TICK: i64 = 10_000_000_000;

/// Thresholds of all of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AnalysisOptions {
    /// How the usual is learnt.
    pub baseline: Baseline,
    /// The detectors.
    pub detect: Detect,
    /// The alerts.
    pub alert: Alerting,
    /// How they are grouped.
    pub incident: Grouping,
}

/// What came of observations.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What was found.
    pub findings: Vec<Finding>,
    /// Alerts that opened, changed or closed.
    pub alerts: Vec<AlertUpdate>,
    /// Incidents that opened, changed or were closed.
    pub incidents: Vec<IncidentUpdate>,
}

/// What detectors may ask.
struct Known {
    options: AnalysisOptions,
    baselines: Baselines,
    behaviour: Behaviour,
    routers: Routers,
    origins: Origins,
    named: Named,
    roles: HashMap<IpAddr, Role>,
}

impl Known {
    fn site(&self, now: Time, delta: Option<Delta>) -> Site<'_> {
        Site {
            now,
            baselines: &self.baselines,
            behaviour: &self.behaviour,
            routers: &self.routers,
            origins: &self.origins,
            named: &self.named,
            inside: &self.options.detect.inside,
            roles: &self.roles,
            delta,
        }
    }
}

/// See the module's description.
pub struct Analysis {
    known: Known,
    detectors: Tuned,
    alerts: Alerts,
    incidents: Incidents,
    cases: Cases,
    recent: Recent,
    scorer: Option<Scorer>,
    window_model: Option<WindowModel>,
    window_slot: Option<Arc<WindowSlot>>,
    recorded: Recorded,
    last_finding: u64,
    /// Findings since the start, by detector.
    found: BTreeMap<String, u64>,
    /// Suspects that earlier detectors, with other thresholds, forgot to make room.
    evicted_before: u64,
    ticked: Time,
}

impl Analysis {
    /// Nothing is known.
    #[must_use]
    pub fn new(options: AnalysisOptions) -> Self {
        let (baselines, alerts) = (Baselines::new(options.baseline), Alerts::new(options.alert));
        let behaviour = Behaviour::new(options.baseline.devices);
        Self::with(options, baselines, behaviour, alerts)
    }

    /// With what was learnt and told before.
    #[must_use]
    pub fn open(folder: &Path, options: AnalysisOptions) -> Self {
        let baselines = Baselines::open(folder, options.baseline);
        let behaviour = Behaviour::open(folder, options.baseline.devices);
        let alerts = Alerts::open(folder, options.alert);
        Self {
            cases: Cases::open(folder),
            recorded: Recorded::open(folder),
            incidents: Incidents::open(folder, options.incident),
            ..Self::with(options, baselines, behaviour, alerts)
        }
    }

    /// Thresholds.
    #[must_use]
    pub fn options(&self) -> &AnalysisOptions {
        &self.known.options
    }

    /// From now on the rows of flows are scored by a model, and detectors are told.
    pub fn set_scorer(&mut self, scorer: Scorer) {
        self.scorer = Some(scorer);
    }

    /// What scores rows.
    #[must_use]
    pub fn scorer(&self) -> Option<&Scorer> {
        self.scorer.as_ref()
    }

    /// A sample of the flows of late.
    #[must_use]
    pub fn recorded(&self) -> &Recorded {
        &self.recorded
    }

    /// Writes the sample of flows to the disk, if it is new: megabytes, so less often than the rest.
    ///
    /// # Errors
    /// When the file can't be written; it is tried again with the next call.
    pub fn save_recorded(&mut self, folder: &Path) -> io::Result<()> {
        self.recorded.save(folder)
    }

    fn with(
        options: AnalysisOptions,
        baselines: Baselines,
        behaviour: Behaviour,
        alerts: Alerts,
    ) -> Self {
        Self {
            incidents: Incidents::new(options.incident),
            detectors: Tuned::new(&options.detect),
            known: Known {
                routers: Routers::new(options.detect.router_addresses()),
                origins: Origins::default(),
                named: Named::default(),
                roles: HashMap::new(),
                baselines,
                behaviour,
                options,
            },
            alerts,
            cases: Cases::default(),
            recent: Recent::default(),
            scorer: None,
            window_model: None,
            window_slot: None,
            recorded: Recorded::default(),
            last_finding: 0,
            found: BTreeMap::new(),
            evicted_before: 0,
            ticked: Time::default(),
        }
    }

    /// Writes what is new to the disk.
    ///
    /// # Errors
    /// When a file can't be written; it is tried again with the next call.
    pub fn save(&mut self, folder: &Path) -> io::Result<()> {
        self.known.baselines.save(folder)?;
        self.known.behaviour.save(folder)?;
        self.alerts.save(folder)?;
        self.incidents.save(folder)?;
        self.cases.save(folder)
    }

    /// Puts other thresholds in force. What detectors remember of the last minutes is lost if theirs change.
    pub fn set(&mut self, options: AnalysisOptions) {
        if options.detect != self.known.options.detect {
            self.evicted_before += self.detectors.evicted();
            self.detectors = Tuned::new(&options.detect);
            let routers = options.detect.router_addresses();
            self.known.routers.set(routers);
        }
        self.known.baselines.set(options.baseline);
        self.alerts.set(options.alert);
        self.incidents.set(options.incident);
        self.known.options = options;
    }

    /// Takes an observation.
    pub fn observe(&mut self, seen: &Observation, out: &mut Outcome) {
        if let What::Moved { before } = seen.what {
            self.known
                .baselines
                .move_to(before, seen.client.ip(), seen.time);
        }
        if seen.time.0.saturating_sub(self.ticked.0) >= TICK {
            self.tick(seen.time, out);
        }
        self.ask(seen);
        self.known.routers.learn(seen);
        self.known.origins.learn(seen, &self.known.routers);
        self.known.named.learn(seen);
        let mut delta = self.known.baselines.delta(seen);
        if let Some(delta) = &mut delta {
            delta.outside = self
                .known
                .site(seen.time, None)
                .is_outside(seen.server.ip());
        }
        let site = self.known.site(seen.time, delta);
        let found = self.detectors.observe(seen, &site);
        self.incidents.learn(seen, &self.known.baselines);
        self.known.baselines.learn(seen, delta);
        let inside = &self.known.options.detect.inside;
        let is_outside = |address| detect::is_outside(address, inside);
        self.known.behaviour.observe(seen, delta, is_outside);
        self.recent.add(seen);
        for finding in found {
            self.found(finding, Some(seen), out);
        }
    }

    /// What is due by the clock: windows that are over, alerts that went quiet. To be called about every ten
    /// seconds of it.
    pub fn tick(&mut self, now: Time, out: &mut Outcome) {
        self.tick_some(now, usize::MAX, out);
    }

    /// The same, with at most so many windows: after a flood of addresses they are too many for one turn.
    pub fn tick_some(&mut self, now: Time, windows: usize, out: &mut Outcome) {
        self.ticked = self.ticked.max(now);
        let due = self.known.baselines.due(now, windows);
        if !due.is_empty() {
            // The scores of flows of these windows; small batches are dear, so not more often.
            self.take_scores(now);
        }
        for device in due {
            let site = self.known.site(now, None);
            let found = self.detectors.window(device, &site);
            self.known.baselines.close(device, now);
            for finding in found {
                self.found(finding, None, out);
            }
        }
        self.judge_windows(now, windows, out);
        self.settle(now);
        out.alerts.extend(self.alerts.tick(now));
        self.tick_incidents(now, out);
    }

    /// Takes what a detector found by an observation, or by a window that is over.
    fn found(
        &mut self,
        (about, mut finding): Found,
        seen: Option<&Observation>,
        out: &mut Outcome,
    ) {
        let clinical = self.is_clinical(finding.subject)
            || finding.victims.iter().any(|one| self.is_clinical(*one));
        if self.alerts.mutes(&finding, clinical, &self.known.roles) {
            return;
        }
        self.last_finding += 1;
        *self.found.entry(finding.detector.clone()).or_default() += 1;
        finding.id = self.last_finding;
        self.known
            .origins
            .judge(&mut finding, seen, &self.known.routers);
        if finding.basis != Basis::Exposure {
            context::add(&mut finding, about.features, &self.known.baselines);
        }
        let (device, time) = (finding.subject, finding.time);
        let update = self
            .alerts
            .take(finding.clone(), clinical, self.known.baselines.len());
        if let Some(update) = &update {
            self.recent.set_aside(&update.alert);
        }
        self.group(&finding, out);
        out.findings.push(finding);
        out.alerts.extend(update);
        if self.alerts.suspects(device) {
            self.known.baselines.distrust(device, time);
            let freeze = self.known.options.baseline.freeze.as_nanos();
            let until = Time(time.0.saturating_add(freeze.cast_signed()));
            self.known.behaviour.distrust(device, until);
        }
    }

    fn is_clinical(&self, device: IpAddr) -> bool {
        self.known.baselines.is_clinical(device)
    }

    /// Notes what the policy decided about a finding.
    pub fn decided(&mut self, finding: &Finding, decided: &Decided) {
        self.alerts.decided(finding.subject, finding.role, decided);
    }

    /// Adds to an alert what containment would do.
    pub fn touch(&mut self, id: u64, touched: &Touched) {
        self.alerts.touch(id, touched);
    }

    /// The baselines.
    #[must_use]
    pub fn baselines(&self) -> &Baselines {
        &self.known.baselines
    }

    /// Forgets what is usual of a device. False if it was not known.
    pub fn reset(&mut self, device: IpAddr) -> bool {
        self.known.baselines.reset(device)
    }

    /// How all of it stands, with a census that may be older.
    #[must_use]
    pub fn account(&self, census: Census) -> Account {
        let mut findings: BTreeMap<String, u64> = self
            .detectors
            .names()
            .map(|name| (name.to_owned(), 0))
            .collect();
        findings.extend(self.found.clone());
        Account {
            findings,
            off: self.known.options.detect.off.clone(),
            evicted: self.evicted_before
                + self.detectors.evicted()
                + self.known.origins.evicted()
                + self.known.behaviour.evicted()
                + self.known.routers.evicted()
                + self.known.named.evicted(),
            alerts: self.alerts.standing(),
            incidents: self.incidents.standing(),
            census,
            cases: self.cases.count(),
            spending: self.spending(),
            ..Account::default()
        }
    }

    /// Labelled alerts with their evidence.
    #[must_use]
    pub fn cases(&self) -> &Cases {
        &self.cases
    }

    /// The alerts.
    #[must_use]
    pub fn alerts(&self) -> &Alerts {
        &self.alerts
    }
}
