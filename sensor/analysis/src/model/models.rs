//! Which model is in use: the start, loading behind the gate, and the way back.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{
    About, Check, Comparison, Counts, Gate, Model, ModelFile, Refusal, Row, Runtime, RuntimeError,
    Scorer, Slot, Trial, examine,
    shelf::{Entry, Shelf},
    start::Start,
};
use crate::config;
use sensor_facts::{action::Action, lock::lock, rule::Actor, time::Time};

/// Where the package puts the shipped model.
pub const SHIPPED: &str = "/usr/lib/wardtap/models/flow-v1.onnx";
/// So many flows have to be scored before their rate says something.
const FLOWS_MIN: u64 = 1_000;
/// Beyond this share of strange flows the model does not fit the site.
const UNFIT: f64 = 0.05;

/// Why a model was not put in use.
#[derive(Debug, Error)]
pub enum LoadError {
    /// There is no runtime.
    #[error("no model can be loaded: {0}")]
    Runtime(#[from] RuntimeError),
    /// Models are off.
    #[error("no model can be loaded: models are off in the configuration (model.enabled)")]
    Off,
    /// It did not pass the gate.
    #[error("the model is refused: {0}")]
    Refused(#[from] Refusal),
    /// It is worse than the one in use.
    #[error("the model is worse than the one in use, which stays: {0}")]
    Worse(Box<Comparison>),
    /// It can't be kept.
    #[error("the model is not loaded, since it can't be kept: {0}")]
    Disk(#[from] io::Error),
    /// There is none before it.
    #[error("there is no model before the one in use")]
    NoPrevious,
    /// No reason was given.
    #[error("say why: the reason is part of the evidence")]
    NoReason,
}

impl LoadError {
    /// The check that was failed, in a word.
    #[must_use]
    pub const fn check(&self) -> &'static str {
        match self {
            Self::Runtime(_) => "runtime",
            Self::Off => "configuration",
            Self::Refused(refusal) => refusal.check(),
            Self::Worse(_) => "regression cases",
            Self::Disk(_) => "disk",
            Self::NoPrevious => "previous",
            Self::NoReason => "reason",
        }
    }
}

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

struct State {
    shelf: Shelf,
    runtime: Result<Runtime, RuntimeError>,
    about: Option<About>,
    loads: u64,
    refusals: u64,
    warnings: Vec<String>,
}

/// See the module's description. Loading takes as long as it takes, and holds up neither scoring nor the capture.
pub struct Models {
    options: config::Model,
    slot: Arc<Slot>,
    /// Held while a model is examined: one after the other.
    loading: Mutex<()>,
    state: Mutex<State>,
}

impl Models {
    /// Puts in use what a person loaded last, else what is configured, else what is left of earlier ones. `folder` is
    /// the state directory. What of it belongs into the audit trail is returned.
    #[must_use]
    pub fn start(options: config::Model, folder: &Path, now: Time) -> (Self, Vec<Action>) {
        let runtime = if options.enabled {
            Runtime::load(options.runtime.as_deref())
        } else {
            // Never seen: `off` is said first.
            Err(RuntimeError::Nowhere)
        };
        let this = Self {
            options,
            slot: Arc::default(),
            loading: Mutex::default(),
            state: Mutex::new(State {
                shelf: Shelf::open(folder),
                runtime,
                about: None,
                loads: 0,
                refusals: 0,
                warnings: Vec::new(),
            }),
        };
        let actions = if this.options.enabled {
            this.first(now)
        } else {
            Vec::new()
        };
        this.say();
        (this, actions)
    }

    /// Says once what is in use.
    fn say(&self) {
        let summary = self.summary();
        match (&summary.model, &summary.why_none) {
            (Some(about), _) => tracing::info!(
                model = about.name,
                sha256 = about.sha256,
                trainer = about.trainer,
                "flows are scored by a model"
            ),
            (None, Some(why)) => tracing::warn!(
                "no model scores flows: {why}; statistics and protocol detectors go on without"
            ),
            (None, None) => {}
        }
    }

    /// The model of the start.
    fn first(&self, now: Time) -> Vec<Action> {
        let mut state = self.state();
        let Ok(runtime) = state.runtime.clone() else {
            return Vec::new();
        };
        let shipped = PathBuf::from(SHIPPED);
        let configured = self
            .options
            .path
            .clone()
            .or_else(|| shipped.exists().then_some(shipped));
        let gate = Gate {
            trusted: &self.options.trusted_keys,
            recorded: &[],
        };
        let start = Start::choose(&mut state.shelf, configured, &runtime, &gate, now);
        state.refusals = start.refusals.len() as u64;
        state.warnings = start.refusals;
        state.about = start.model.as_ref().map(|model| model.about().clone());
        self.slot.swap(start.model);
        start.actions
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// A scorer with a thread of its own, which always has the model in use.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn scorer(&self) -> io::Result<Scorer> {
        Scorer::threaded(Arc::clone(&self.slot))
    }

    /// Puts a model in use, if it passes the gate; `recorded` are flows that it is tried with. With a trial it also has
    /// to be no worse than the one in use. Scoring goes on with the old one until then, and after a refusal.
    ///
    /// # Errors
    /// [`LoadError`]; nothing is changed then.
    pub fn load(
        &self,
        file: &ModelFile,
        recorded: &[Row],
        trial: Option<&Trial>,
        (now, by, reason): (Time, &Actor, &str),
    ) -> Result<Loaded, LoadError> {
        let _one = lock(&self.loading);
        let (mut model, checks) = self.examined(file, recorded, reason)?;
        if let Some(trial) = trial
            && let Some(comparison) = self.held_against(&mut model, trial)?
            && comparison.is_worse()
        {
            self.state().refusals += 1;
            return Err(LoadError::Worse(Box::new(comparison)));
        }
        let entry = Entry {
            name: file.name.clone(),
            sha256: file.sha256(),
            loaded: now,
            by: by.clone(),
            reason: reason.to_owned(),
        };
        let mut state = self.state();
        let replaces = state.about.as_ref().map(|about| about.sha256.clone());
        state.shelf.put(file, entry)?;
        Ok(self.turn(state, model, replaces, checks))
    }

    /// Puts the model before in use again. It passes the gate once more, but for the recorded flows: it was in use.
    ///
    /// # Errors
    /// [`LoadError`]; nothing is changed then.
    pub fn rollback(&self, (now, by, reason): (Time, &Actor, &str)) -> Result<Loaded, LoadError> {
        let _one = lock(&self.loading);
        let (entry, kept) = {
            let state = self.state();
            let previous = state.shelf.book.previous.clone();
            let entry = previous.ok_or(LoadError::NoPrevious)?;
            let kept = state.shelf.read(&entry);
            (entry, kept)
        };
        let examined = kept
            .map_err(|refusal| self.refuse(refusal))
            .and_then(|file| self.examined(&file, &[], reason));
        let (model, checks) = examined?;
        let mut state = self.state();
        let replaces = state.about.as_ref().map(|about| about.sha256.clone());
        state.shelf.swap(Entry {
            loaded: now,
            by: by.clone(),
            reason: reason.to_owned(),
            ..entry
        })?;
        Ok(self.turn(state, model, replaces, checks))
    }

    /// Examines a model and holds it against the one in use; changes nothing. None where none is in use.
    ///
    /// # Errors
    /// [`LoadError`] if it does not pass the gate.
    pub fn compare(
        &self,
        file: &ModelFile,
        recorded: &[Row],
        trial: &Trial,
    ) -> Result<Option<Comparison>, LoadError> {
        let (mut model, _) = self.examined(file, recorded, "to compare")?;
        self.held_against(&mut model, trial)
    }

    fn held_against(
        &self,
        model: &mut Model,
        trial: &Trial,
    ) -> Result<Option<Comparison>, LoadError> {
        let compared = self.slot.compare(model, trial);
        compared.map_err(|error| LoadError::Refused(Refusal::Run(error.to_string())))
    }

    fn refuse(&self, refusal: Refusal) -> LoadError {
        self.state().refusals += 1;
        LoadError::Refused(refusal)
    }

    fn examined(
        &self,
        file: &ModelFile,
        recorded: &[Row],
        reason: &str,
    ) -> Result<(Model, Vec<Check>), LoadError> {
        if reason.trim().is_empty() {
            return Err(LoadError::NoReason);
        }
        if !self.options.enabled {
            return Err(LoadError::Off);
        }
        let runtime = self.runtime()?;
        let gate = Gate {
            trusted: &self.options.trusted_keys,
            recorded,
        };
        let examination = examine(file, &runtime, &gate);
        let model = examination.result.map_err(|refusal| self.refuse(refusal))?;
        Ok((model, examination.checks))
    }

    /// The runtime; one that was not there at the start may have been installed since.
    fn runtime(&self) -> Result<Runtime, RuntimeError> {
        let mut state = self.state();
        if state.runtime.is_err() {
            state.runtime = Runtime::load(self.options.runtime.as_deref());
        }
        state.runtime.clone()
    }

    /// Changes the model between two batches.
    fn turn(
        &self,
        mut state: MutexGuard<'_, State>,
        model: Model,
        replaces: Option<String>,
        checks: Vec<Check>,
    ) -> Loaded {
        let about = model.about().clone();
        state.about = Some(about.clone());
        state.loads += 1;
        state.warnings.clear();
        let old = self.slot.swap(Some(model));
        drop(state);
        // It takes its time to go.
        drop(old);
        Loaded {
            about,
            replaces,
            checks,
        }
    }

    /// How models fare.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let state = self.state();
        let flows = self.slot.counts();
        let mut warnings = state.warnings.clone();
        let why_none = if state.about.is_some() {
            None
        } else if !self.options.enabled {
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
        if let (Err(error), true) = (&state.runtime, self.options.enabled)
            && (self.options.path.is_some() || state.shelf.book.current.is_some())
        {
            warnings.push(format!("the model is not used: {error}"));
        }
        let (strange, scored) = (flows.strange, flows.scored);
        #[expect(clippy::cast_precision_loss, reason = "a share need not be exact")]
        let rate = strange as f64 / scored.max(1) as f64;
        if scored >= FLOWS_MIN && rate > UNFIT {
            warnings.push(format!(
                "the model finds {:.0} % of the flows strange: it does not fit this site; train one on its own flows",
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
        let book = &state.shelf.book;
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
            runtime: state.runtime.as_ref().ok().map(|it| it.path().to_owned()),
            flows,
            loads: state.loads,
            refusals: state.refusals,
            warnings,
        }
    }
}
