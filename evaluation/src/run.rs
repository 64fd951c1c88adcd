//! The way from frames to alerts, as the daemon goes it, by the frames' clock.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    ops::ControlFlow,
    path::Path,
};

use sensor_analysis::{
    Analysis, AnalysisOptions, Outcome,
    alert::AlertUpdate,
    model::{Scorer, WindowModel},
    replay::{Replay, ReplayOptions},
};
use sensor_facts::{
    alert::Change,
    finding::{Basis, Finding},
    observation::Observation,
    time::Time,
};
use sensor_sessions::capture::{CaptureError, CaptureFile};

use crate::{score::Alarm, traffic::Traffic};

/// Between two looks at what is over, nanoseconds: as often as the daemon.
const TICK: u64 = 10 * SECOND;
const SECOND: u64 = 1_000_000_000;
/// Seconds that a sensor is left running after the last packet: what was open in 5 minutes is over then.
const QUIET: u32 = 300;

/// From frames to observations, and to those who make something of them.
pub struct Sensor {
    replay: Replay,
    analysts: Vec<Analyst>,
    /// The frames' clock, nanoseconds since 1970.
    now: u64,
    ticked: u64,
    /// Observations so far.
    pub observations: u64,
    /// Frames so far.
    pub frames: u64,
}

impl Default for Sensor {
    fn default() -> Self {
        Self {
            replay: Replay::new(ReplayOptions::observing()),
            analysts: Vec::new(),
            now: 0,
            ticked: 0,
            observations: 0,
            frames: 0,
        }
    }
}

impl Sensor {
    /// Adds someone who knows nothing yet; several see the same. With a scorer there is a model of flows, and there may be
    /// one of windows.
    #[must_use]
    pub fn with(
        mut self,
        options: AnalysisOptions,
        scorer: Option<Scorer>,
        windows: Option<WindowModel>,
    ) -> Self {
        self.analysts.push(Analyst {
            analysis: Analysis::new(options).with_models(scorer, windows),
            alarms: BTreeMap::new(),
            open: HashMap::new(),
            findings: Vec::new(),
        });
        self
    }

    /// Takes all frames; `on` is shown each observation.
    pub fn watch(&mut self, traffic: &mut dyn Traffic, on: &mut dyn FnMut(&Observation)) {
        traffic.run(&mut |time, frame| {
            self.replay.frame(time, frame);
            self.arrived(time, on);
        });
        self.finish(on);
    }

    /// Reads a capture.
    ///
    /// # Errors
    /// [`CaptureError`], if nothing of it can be read.
    pub fn read(
        &mut self,
        path: &Path,
        on: &mut dyn FnMut(&Observation),
    ) -> Result<(), CaptureError> {
        CaptureFile::open(path)?.read(|packet| {
            self.replay.packet(&packet);
            self.arrived(packet.time, on);
            ControlFlow::Continue(())
        })?;
        self.finish(on);
        Ok(())
    }

    #[inline]
    fn arrived(&mut self, time: u64, on: &mut dyn FnMut(&Observation)) {
        self.frames += 1;
        self.now = self.now.max(time);
        self.drain(on);
        self.tick();
    }

    fn tick(&mut self) {
        if self.now.saturating_sub(self.ticked) >= TICK {
            self.ticked = self.now;
            let now = wall(self.now);
            for analyst in &mut self.analysts {
                analyst.tick(now);
            }
        }
    }

    #[inline]
    fn drain(&mut self, on: &mut dyn FnMut(&Observation)) {
        drop(self.replay.take_events());
        for seen in self.replay.take_observations() {
            self.observations += 1;
            on(&seen);
            for analyst in &mut self.analysts {
                analyst.observe(&seen, wall(self.now));
            }
        }
    }

    /// A sensor goes on after the last packet: for a while nothing comes, then it is ended.
    fn finish(&mut self, on: &mut dyn FnMut(&Observation)) {
        for _ in 0..QUIET {
            self.now += SECOND;
            self.replay.wait(self.now);
            self.drain(on);
            self.tick();
        }
        self.replay.finish(Vec::clear);
        self.drain(on);
    }

    /// Those who were added, in their order.
    #[must_use]
    pub fn analysts(&self) -> &[Analyst] {
        &self.analysts
    }

    /// The replay, for its counters.
    #[must_use]
    pub const fn replay(&self) -> &Replay {
        &self.replay
    }
}

/// An analysis, and what people would be told by it.
pub struct Analyst {
    analysis: Analysis,
    alarms: BTreeMap<u64, Alarm>,
    /// Alerts that were told and go on.
    open: HashMap<(IpAddr, bool), u64>,
    findings: Vec<Finding>,
}

impl Analyst {
    fn observe(&mut self, seen: &Observation, now: Time) {
        let mut out = Outcome::default();
        self.analysis.observe(seen, &mut out);
        self.take(out, now);
    }

    fn tick(&mut self, now: Time) {
        let mut out = Outcome::default();
        self.analysis.tick(now, &mut out);
        self.take(out, now);
    }

    fn take(&mut self, out: Outcome, now: Time) {
        for finding in &out.findings {
            if finding.basis != Basis::Exposure
                && let Some(id) = self.open.get(&(finding.subject, finding.role.is_victim()))
                && let Some(alarm) = self.alarms.get_mut(id)
            {
                alarm.more.push(now);
            }
        }
        self.findings.extend(out.findings);
        for AlertUpdate { change, alert } in out.alerts {
            let who = (alert.device, alert.role.is_victim());
            if change == Change::Closed {
                self.open.remove(&who);
            } else {
                self.open.insert(who, alert.id);
            }
            let alarm = self.alarms.entry(alert.id).or_insert_with(|| Alarm {
                device: alert.device,
                is_victim: alert.role.is_victim(),
                told: Vec::new(),
                more: Vec::new(),
                confidence: 0.0,
                detectors: Vec::new(),
                title: String::new(),
            });
            // That an alert says how far its attack has grown is no new word about another one.
            let more = alert.findings.len() > alarm.detectors.len();
            let word = change == Change::Opened || more || alert.confidence > alarm.confidence;
            if word && change != Change::Closed {
                alarm.told.push(now);
            }
            alarm.confidence = alert.confidence;
            alarm.detectors = alert
                .findings
                .iter()
                .map(|finding| finding.detector.clone())
                .collect();
            alarm.detectors.sort_unstable();
            alarm.title.clone_from(&alert.title);
        }
    }

    /// What people were told, in its order.
    #[must_use]
    pub fn alarms(&self) -> Vec<Alarm> {
        self.alarms.values().cloned().collect()
    }

    /// All findings, also those of which nobody was told.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The analysis.
    #[must_use]
    pub const fn analysis(&self) -> &Analysis {
        &self.analysis
    }
}

fn wall(time: u64) -> Time {
    Time(i64::try_from(time).unwrap_or(i64::MAX))
}
