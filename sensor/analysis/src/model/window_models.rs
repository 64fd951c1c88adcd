//! Which model of windows is in use: the start, loading behind the gate, and the way back; as with flows, but for the recorded
//! flows and the comparison, as there are no recorded windows to hold against.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

use sensor_facts::{lock::lock, rule::Actor, time::Time};

use super::{
    Check, LoadError, Loaded, ModelFile, Models, Refusal, SHIPPED_WINDOWS, WindowModel,
    manifest::Manifest, store::Entry, windows::SCHEMA,
};

/// What windows are scored by from now on.
#[derive(Debug)]
pub enum NextWindows {
    /// This model.
    Model(Box<WindowModel>),
    /// No model: the sums of surprises.
    Sums,
}

impl NextWindows {
    /// The model, if there is one.
    #[must_use]
    pub fn model(self) -> Option<WindowModel> {
        match self {
            Self::Model(model) => Some(*model),
            Self::Sums => None,
        }
    }
}

/// What windows are scored by, on its way to the thread that judges them.
#[derive(Debug, Default)]
pub struct WindowSlot(Mutex<Option<NextWindows>>);

impl WindowSlot {
    fn put(&self, model: Option<WindowModel>) {
        let next = model.map_or(NextWindows::Sums, |it| NextWindows::Model(Box::new(it)));
        *lock(&self.0) = Some(next);
    }

    /// What is to be used from now on, if that changed.
    pub fn take(&self) -> Option<NextWindows> {
        lock(&self.0).take()
    }
}

impl Models {
    /// True if the file says that it is a model of windows.
    pub(super) fn is_of_windows(file: &ModelFile) -> bool {
        Manifest::of_schema(file, SCHEMA).is_ok()
    }

    /// Where models of windows come from for the thread that judges them.
    #[must_use]
    pub fn window_slot(&self) -> Arc<WindowSlot> {
        Arc::clone(&self.window_slot)
    }

    /// Puts in use the model of windows that a person loaded last, else the configured one, else the package's.
    pub(super) fn first_windows(&self, now: Time) {
        let chosen = self.choose_windows(now);
        let mut state = self.state();
        state.windows = chosen.as_ref().map(|model| model.name().to_owned());
        drop(state);
        self.window_slot.put(chosen);
    }

    /// What a person loaded counts, else what is configured, else what was in use before that was gone.
    fn choose_windows(&self, now: Time) -> Option<WindowModel> {
        let options = self.options();
        let mut state = self.state();
        let runtime = state.runtime.clone().ok().filter(|_| options.enabled)?;
        let shipped = PathBuf::from(SHIPPED_WINDOWS);
        let configured = options
            .windows
            .clone()
            .or_else(|| shipped.exists().then_some(shipped));
        let kept = state.window_store.book.current.clone();
        let by_person = kept.as_ref().is_some_and(|it| it.by != Actor::Daemon);
        let kept = kept.map(|entry| (entry.name.clone(), state.window_store.read(&entry)));
        let configured =
            configured.map(|path| (path.display().to_string(), ModelFile::read(&path)));
        let (first, second) = if by_person {
            (kept, configured)
        } else {
            (configured, kept)
        };
        for (name, file) in first.into_iter().chain(second) {
            let taken = file.and_then(|file| {
                let model = WindowModel::of(&runtime, &file, &options.trusted_keys)?;
                Ok((file, model))
            });
            match taken {
                Ok((file, model)) => {
                    let sha256 = model.sha256();
                    tracing::info!(
                        model = model.name(),
                        sha256,
                        "windows are scored by a model"
                    );
                    let known = state.window_store.book.current.as_ref();
                    if known.is_none_or(|known| known.sha256 != sha256) {
                        let entry = Entry {
                            name: file.name.clone(),
                            sha256: sha256.to_owned(),
                            loaded: now,
                            by: Actor::Daemon,
                            reason: format!("configured: {name}"),
                        };
                        // In use all the same: it is configured, and read again at the next start.
                        if let Err(error) = state.window_store.put(&file, entry) {
                            tracing::warn!("the model can't be kept for a way back: {error}");
                        }
                    }
                    return Some(model);
                }
                Err(refusal) => {
                    let why = format!("the model of windows {name} is refused: {refusal}");
                    tracing::error!("{why}");
                    state.warnings.push(why);
                }
            }
        }
        None
    }

    fn examined_windows(&self, file: &ModelFile, reason: &str) -> Result<WindowModel, LoadError> {
        let (options, runtime) = self.may_load(reason)?;
        WindowModel::of(&runtime, file, &options.trusted_keys)
            .map_err(|refusal| self.refuse(refusal))
    }

    /// Puts a model of windows in use, if it passes the gate.
    pub(super) fn load_windows(
        &self,
        file: &ModelFile,
        (now, by, reason): (Time, &Actor, &str),
    ) -> Result<Loaded, LoadError> {
        let model = self.examined_windows(file, reason)?;
        let entry = Entry {
            name: file.name.clone(),
            sha256: file.sha256(),
            loaded: now,
            by: by.clone(),
            reason: reason.to_owned(),
        };
        let mut state = self.state();
        let before = state.window_store.book.current.clone();
        state.window_store.put(file, entry)?;
        drop(state);
        Ok(self.turn_windows(model, before))
    }

    /// Puts the model of windows before in use again.
    ///
    /// # Errors
    /// [`LoadError`]; nothing is changed then.
    pub fn rollback_windows(
        &self,
        (now, by, reason): (Time, &Actor, &str),
    ) -> Result<Loaded, LoadError> {
        let _one = self.one_at_a_time();
        let (entry, kept) = {
            let state = self.state();
            let previous = state.window_store.book.previous.clone();
            let entry = previous.ok_or(LoadError::NoPrevious)?;
            let kept = state.window_store.read(&entry);
            (entry, kept)
        };
        let file = kept.map_err(|refusal: Refusal| self.refuse(refusal))?;
        let model = self.examined_windows(&file, reason)?;
        let mut state = self.state();
        let before = state.window_store.book.current.clone();
        state.window_store.swap(Entry {
            loaded: now,
            by: by.clone(),
            reason: reason.to_owned(),
            ..entry
        })?;
        drop(state);
        Ok(self.turn_windows(model, before))
    }

    fn turn_windows(&self, model: WindowModel, before: Option<Entry>) -> Loaded {
        let mut state = self.state();
        state.windows = Some(model.name().to_owned());
        state.loads += 1;
        drop(state);
        let about = model.about().clone();
        self.window_slot.put(Some(model));
        Loaded {
            replaces: before.map(|entry| entry.sha256),
            checks: vec![Check {
                what: "windows".to_owned(),
                found: "hash, signature, operators, measures and golden windows are right"
                    .to_owned(),
            }],
            about,
        }
    }
}
