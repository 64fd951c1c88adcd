//! How models fare, as status shows it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{About, Check, Counts, Entry, Models, SHIPPED};

/// So many flows have to be scored before their rate says something.
const FLOWS_MIN: u64 = 1_000;
/// Beyond this share of strange flows the model does not fit the site.
const UNFIT: f64 = 0.05;

/// A model that was put in use.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Loaded {
    /// What it says of itself.
    pub about: About,
    /// Hash of the one that it replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// The checks that it passed.
    pub checks: Vec<Check>,
}

/// How models fare.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The one in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<About>,
    /// How it came into use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<Entry>,
    /// The one before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Entry>,
    /// Why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_none: Option<String>,
    /// The model of windows in use, by its file's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub windows: Option<String>,
    /// How the model of windows came into use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub windows_entry: Option<Entry>,
    /// The model of windows before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub windows_previous: Option<Entry>,
    /// The runtime's library.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime: Option<PathBuf>,
    /// What became of rows.
    pub flows: Counts,
    /// Models put in use since the start, by hand.
    pub loads: u64,
    /// Models refused since the start.
    pub refusals: u64,
    /// What a person has to know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

impl Models {
    /// How models fare.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let options = self.options();
        let state = self.state();
        let flows = self.slot.counts();
        let mut warnings = state.warnings.clone();
        let why_none = if state.about.is_some() {
            None
        } else if !options.enabled {
            Some("models are off (model.enabled)".to_owned())
        } else if let Err(error) = &state.runtime {
            Some(error.to_string())
        } else if state.warnings.is_empty() {
            Some(format!(
                "there is none at {SHIPPED}, and none is configured (model.path)"
            ))
        } else {
            Some("those that are there were refused".to_owned())
        };
        if let (Err(error), true) = (&state.runtime, options.enabled)
            && (options.path.is_some() || state.store.book.current.is_some())
        {
            warnings.push(format!("the model is not used: {error}"));
        }
        let (strange, scored) = (flows.strange, flows.scored);
        #[expect(clippy::cast_precision_loss, reason = "a share need not be exact")]
        let rate = strange as f64 / scored.max(1) as f64;
        if scored >= FLOWS_MIN && rate > UNFIT {
            warnings.push(format!(
                "the model finds {:.0} % of the flows strange: an attack goes on, or the model does not fit this site; look at the alerts first, and train a model on the site's own flows only after a day without alerts",
                rate * 100.0
            ));
        }
        if flows.queue_full > 0 {
            warnings.push(format!(
                "{} flows were not scored by the model: too many waited",
                flows.queue_full
            ));
        }
        if flows.failed > 0 {
            warnings.push(format!(
                "the model gave no sound score for {} flows",
                flows.failed
            ));
        }
        let (book, of_windows) = (&state.store.book, &state.window_store.book);
        let current = book.current.as_ref();
        let in_use = |entry: &&Entry| {
            let about = state.about.as_ref();
            about.is_some_and(|about| about.sha256 == entry.sha256)
        };
        Summary {
            model: state.about.clone(),
            entry: current.filter(in_use).cloned(),
            previous: book.previous.clone(),
            why_none,
            windows: state.windows.clone(),
            windows_entry: of_windows
                .current
                .clone()
                .filter(|_| state.windows.is_some()),
            windows_previous: of_windows.previous.clone(),
            runtime: state.runtime.as_ref().ok().map(|it| it.path().to_owned()),
            flows,
            loads: state.loads,
            refusals: state.refusals,
            warnings,
        }
    }
}
