//! A capture, replayed and analysed as a whole.

use std::{ops::ControlFlow, path::Path};

use sensor_analysis::{
    Analysis, AnalysisOptions, Outcome,
    replay::{Replay, ReplayOptions},
};

/// The replay of a capture, the analysis after its last observation, and all that the analysis found.
pub(crate) fn analysed(path: &Path) -> (Replay, Analysis, Outcome) {
    let mut replay = Replay::new(ReplayOptions::observing());
    replay
        .file(path, |events, _| {
            events.clear();
            ControlFlow::Continue(())
        })
        .unwrap();
    replay.finish(Vec::clear);
    let mut analysis = Analysis::new(AnalysisOptions::default());
    let mut out = Outcome::default();
    for seen in replay.take_observations() {
        analysis.observe(&seen, &mut out);
    }
    (replay, analysis, out)
}
