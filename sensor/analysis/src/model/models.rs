//! Which model is in use: the start, loading behind the gate, and the way back.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
};

use sensor_facts::{action::Action, lock::lock, rule::Actor, time::Time};

use super::{
    About, Check, Comparison, Gate, LoadError, Loaded, Model, ModelFile, Refusal, Row, Runtime,
    RuntimeError, Scorer, Slot, Trial, WindowSlot, examine,
    start::Start,
    store::{Entry, ModelStore, OF_FLOWS, OF_WINDOWS},
};
use crate::config;

/// Where the package puts the shipped model.
pub const SHIPPED: &str = "/usr/lib/wardtap/models/flow-v1.onnx";
pub(super) struct State {
    pub(super) store: ModelStore,
    pub(super) window_store: ModelStore,
    pub(super) runtime: Result<Runtime, RuntimeError>,
    pub(super) about: Option<About>,
    pub(super) loads: u64,
    pub(super) refusals: u64,
    pub(super) warnings: Vec<String>,
    /// The name of the model of windows.
    pub(super) windows: Option<String>,
}

/// See the module's description. Loading takes as long as it takes, and holds up neither scoring nor the capture.
pub struct Models {
    options: Mutex<config::Model>,
    pub(super) slot: Arc<Slot>,
    pub(super) window_slot: Arc<WindowSlot>,
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
        let enabled = options.enabled;
        let this = Self {
            options: Mutex::new(options),
            slot: Arc::default(),
            window_slot: Arc::default(),
            loading: Mutex::default(),
            state: Mutex::new(State {
                store: ModelStore::open(folder, OF_FLOWS),
                window_store: ModelStore::open(folder, OF_WINDOWS),
                runtime,
                about: None,
                loads: 0,
                refusals: 0,
                warnings: Vec::new(),
                windows: None,
            }),
        };
        let actions = if enabled { this.first(now) } else { Vec::new() };
        this.first_windows(now);
        this.say();
        (this, actions)
    }

    /// Puts other options in force; what of it belongs into the audit trail. A library that was loaded stays.
    #[must_use]
    pub fn reload(&self, options: &config::Model, now: Time) -> Vec<Action> {
        let _one = self.one_at_a_time();
        let before = std::mem::replace(&mut *lock(&self.options), options.clone());
        if before == *options {
            return Vec::new();
        }
        self.state().warnings.clear();
        let actions = if options.enabled {
            let mut state = self.state();
            if state.runtime.is_err() {
                state.runtime = Runtime::load(options.runtime.as_deref());
            }
            drop(state);
            self.first(now)
        } else {
            self.state().about = None;
            drop(self.slot.swap(None));
            Vec::new()
        };
        self.first_windows(now);
        self.say();
        actions
    }

    /// The options in force.
    pub(super) fn options(&self) -> config::Model {
        lock(&self.options).clone()
    }

    /// Held while a model is examined.
    pub(super) fn one_at_a_time(&self) -> MutexGuard<'_, ()> {
        lock(&self.loading)
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
        let options = self.options();
        let mut state = self.state();
        let Ok(runtime) = state.runtime.clone() else {
            return Vec::new();
        };
        let shipped = PathBuf::from(SHIPPED);
        let configured = options
            .path
            .clone()
            .or_else(|| shipped.exists().then_some(shipped));
        let gate = Gate {
            trusted: &options.trusted_keys,
            recorded: &[],
        };
        let start = Start::choose(&mut state.store, configured, &runtime, &gate, now);
        state.refusals = start.refusals.len() as u64;
        state.warnings = start.refusals;
        state.about = start.model.as_ref().map(|model| model.about().clone());
        self.slot.swap(start.model);
        start.actions
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
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
        let _one = self.one_at_a_time();
        if Self::is_of_windows(file) {
            return self.load_windows(file, (now, by, reason));
        }
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
        state.store.put(file, entry)?;
        Ok(self.turn(state, model, replaces, checks))
    }

    /// Puts the model before in use again. It passes the gate once more, but for the recorded flows: it was in use.
    ///
    /// # Errors
    /// [`LoadError`]; nothing is changed then.
    pub fn rollback(&self, (now, by, reason): (Time, &Actor, &str)) -> Result<Loaded, LoadError> {
        let _one = self.one_at_a_time();
        let (entry, kept) = {
            let state = self.state();
            let previous = state.store.book.previous.clone();
            let entry = previous.ok_or(LoadError::NoPrevious)?;
            let kept = state.store.read(&entry);
            (entry, kept)
        };
        let examined = kept
            .map_err(|refusal| self.refuse(refusal))
            .and_then(|file| self.examined(&file, &[], reason));
        let (model, checks) = examined?;
        let mut state = self.state();
        let replaces = state.about.as_ref().map(|about| about.sha256.clone());
        state.store.swap(Entry {
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

    pub(super) fn refuse(&self, refusal: Refusal) -> LoadError {
        self.state().refusals += 1;
        LoadError::Refused(refusal)
    }

    /// What a model is examined with, if one may be loaded for this reason.
    pub(super) fn may_load(&self, reason: &str) -> Result<(config::Model, Runtime), LoadError> {
        if reason.trim().is_empty() {
            return Err(LoadError::NoReason);
        }
        let options = self.options();
        if !options.enabled {
            return Err(LoadError::Off);
        }
        Ok((options, self.runtime()?))
    }

    fn examined(
        &self,
        file: &ModelFile,
        recorded: &[Row],
        reason: &str,
    ) -> Result<(Model, Vec<Check>), LoadError> {
        let (options, runtime) = self.may_load(reason)?;
        let gate = Gate {
            trusted: &options.trusted_keys,
            recorded,
        };
        let examination = examine(file, &runtime, &gate);
        let model = examination.result.map_err(|refusal| self.refuse(refusal))?;
        Ok((model, examination.checks))
    }

    /// The runtime; one that was not there at the start may have been installed since.
    pub(super) fn runtime(&self) -> Result<Runtime, RuntimeError> {
        let library = self.options().runtime;
        let mut state = self.state();
        if state.runtime.is_err() {
            state.runtime = Runtime::load(library.as_deref());
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
}
