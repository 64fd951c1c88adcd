//! One simulation, watched by several sensors with different settings: the simulation is what takes time.

use std::{path::PathBuf, time::Instant};

use sensor_analysis::{
    AnalysisOptions,
    detect::ALL,
    model::{Scorer, WindowModel},
};
use sensor_facts::setting::Span;

use super::ablation::{Ablation, Recorder};
use crate::{
    all,
    hospital::{Hospital, Options},
    run::{Analyst, Sensor},
    score::Alarm,
    traffic::Traffic,
    truth::Truth,
};

/// The detector that rests on the model of windows.
pub(super) const MODEL: &str = "unusual_behaviour";

/// Where the models are.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    pub(crate) flows: PathBuf,
    pub(crate) windows: PathBuf,
    pub(crate) runtime: Option<PathBuf>,
}

impl Files {
    /// The model of windows, or why there is none.
    pub(super) fn windows(&self) -> Result<WindowModel, String> {
        all::windows(&self.windows, self.runtime.as_deref())
    }

    fn scorer(&self) -> Result<Scorer, String> {
        all::scorer(&self.flows, self.runtime.as_deref())
    }
}

/// A sensor's settings.
#[derive(Clone, Debug)]
pub(super) struct Watcher {
    pub(super) name: String,
    off: Vec<String>,
    budget: f64,
    /// The model of flows scores too.
    flows: bool,
}

impl Watcher {
    /// All detectors, and a budget of false alerts of the model.
    pub(super) fn all(name: &str, budget: f64) -> Self {
        Self {
            name: name.to_owned(),
            off: Vec::new(),
            budget,
            flows: false,
        }
    }

    /// The model of windows and no other detector.
    pub(super) fn alone(name: &str, budget: f64) -> Self {
        let others = ALL.iter().filter(|about| about.id != MODEL);
        Self::all(name, budget).without(others.map(|about| about.id))
    }

    pub(super) fn without<'a>(mut self, detectors: impl IntoIterator<Item = &'a str>) -> Self {
        self.off
            .extend(detectors.into_iter().map(ToOwned::to_owned));
        self
    }

    /// With the model of flows.
    pub(super) fn with_flows(mut self) -> Self {
        self.flows = true;
        self
    }

    fn options(&self, learning: u64) -> AnalysisOptions {
        let mut options = AnalysisOptions::default();
        if learning < options.baseline.learning.as_nanos() {
            options.baseline.learning = Span::from_secs(learning / 1_000_000_000);
        }
        options.detect.off.clone_from(&self.off);
        // The budget is within its range.
        let _ = options.detect.set("behaviour_budget", self.budget);
        options
    }
}

/// What came of a simulation.
pub(super) struct Watched {
    pub(super) options: Options,
    pub(super) truth: Truth,
    /// What each sensor told, in their order.
    pub(super) told: Vec<Vec<Alarm>>,
    pub(super) ablation: Option<Ablation>,
}

/// Runs a hospital in front of sensors.
///
/// # Errors
/// When a model can't be opened.
pub(super) fn run(
    options: Options,
    watchers: &[Watcher],
    files: &Files,
    ablate: bool,
) -> anyhow::Result<Watched> {
    let begin = Instant::now();
    let mut hospital = Hospital::new(options);
    let truth = hospital.truth().clone();
    // A short simulation has a short time to learn in; the first day of a site has none.
    let learns = (truth.counts_from.0 - truth.begin.0).unsigned_abs();
    let learns = if options.first_day { u64::MAX } else { learns };
    let mut sensor = Sensor::default();
    for one in watchers {
        let scorer = one.flows.then(|| files.scorer()).transpose();
        let scorer = scorer.map_err(anyhow::Error::msg)?;
        let windows = files.windows().map_err(anyhow::Error::msg)?;
        sensor = sensor.with(one.options(learns), scorer, Some(windows));
    }
    let recorder = || Ok(Recorder::new(files.windows()?, truth.clone()));
    let recorder: Result<_, String> = ablate.then(recorder).transpose();
    let mut recorder = recorder.map_err(anyhow::Error::msg)?;
    sensor.watch(&mut hospital, &mut |seen| {
        if let Some(recorder) = &mut recorder {
            recorder.see(seen);
        }
    });
    eprintln!(
        "seed {}, {} days: {} sensors, {:.0} s",
        options.seed,
        options.days,
        watchers.len(),
        begin.elapsed().as_secs_f64()
    );
    Ok(Watched {
        options,
        told: sensor.analysts().iter().map(Analyst::alarms).collect(),
        ablation: recorder.map(Recorder::finish),
        truth,
    })
}
