//! The simulated hospital through the sensor, beside the rivals.

use std::time::{Duration, Instant};

use sensor_analysis::{
    AnalysisOptions,
    model::{Scorer, WindowModel},
};
use sensor_facts::setting::Span;

use crate::{
    hospital::{Hospital, Options},
    rivals::{Best, Boxplot, NewPeer},
    run::{Analyst, Sensor},
    score::{Alarm, Score},
    traffic::Traffic,
    truth::Truth,
};

/// What was made of a simulated hospital.
pub(crate) struct Simulated {
    pub(crate) options: Options,
    pub(crate) truth: Truth,
    pub(crate) alarms: Vec<Alarm>,
    pub(crate) score: Score,
    /// The same with a model.
    pub(crate) model: Option<(Vec<Alarm>, Score)>,
    pub(crate) boxplot: Best,
    pub(crate) new_peer: Best,
    pub(crate) frames: u64,
    pub(crate) observations: u64,
    pub(crate) took: Duration,
    /// All findings, as text: for those who look for the cause of something.
    pub(crate) findings: Vec<String>,
}

/// Opens the model of windows; each analysis has its own.
pub(crate) type OpenWindowModel<'a> = dyn Fn() -> Option<WindowModel> + Sync + 'a;

/// Runs a hospital; what is known of it and what is made of it does not depend on the model's being there.
pub(crate) fn run(
    options: Options,
    analysis: &AnalysisOptions,
    scorer: Option<Scorer>,
    windows: Option<&OpenWindowModel<'_>>,
) -> Simulated {
    let begin = Instant::now();
    let mut hospital = Hospital::new(options);
    let truth = hospital.truth().clone();
    let mut analysis = analysis.clone();
    // A short simulation has a short time to learn in.
    let learns = (truth.counts_from.0 - truth.begin.0).unsigned_abs();
    if learns < analysis.baseline.learning.as_nanos() {
        analysis.baseline.learning = Span::from_secs(learns / 1_000_000_000);
    }
    let open = || windows.and_then(|open| open());
    let mut sensor = Sensor::default().with(analysis.clone(), None, open());
    if scorer.is_some() {
        sensor = sensor.with(analysis, scorer, open());
    }
    let (mut boxplot, mut new_peer) = (Boxplot::new(&truth), NewPeer::new(&truth));
    sensor.watch(&mut hospital, &mut |seen| {
        boxplot.observe(seen);
        new_peer.observe(seen);
    });
    let mut all = sensor.analysts().iter().map(|one| {
        let alarms = one.alarms();
        let score = Score::of(&alarms, &truth);
        (alarms, score)
    });
    let (alarms, score) = all.next().unwrap_or_default();
    let model = all.next();
    drop(all);
    let wanted = score.found();
    let last = sensor.analysts().last();
    Simulated {
        options,
        boxplot: boxplot.best(&truth, wanted),
        new_peer: new_peer.best(&truth, wanted),
        truth,
        score,
        model,
        frames: sensor.frames,
        observations: sensor.observations,
        took: begin.elapsed(),
        findings: last
            .into_iter()
            .flat_map(Analyst::findings)
            .map(|one| {
                format!(
                    "{} {} {}{} {:.2} {}",
                    one.time,
                    one.detector,
                    one.subject,
                    if one.role.is_victim() {
                        " (victim)"
                    } else {
                        ""
                    },
                    one.confidence,
                    one.evidence
                )
            })
            .collect(),
        alarms,
    }
}
