//! Reading the configuration again: what of it is put in force, and that it is written down.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use sensor_analysis::model::Models;
use sensor_facts::{
    action::{Action, ConfigurationChange, Occasion},
    clock, files,
    rule::Actor,
};

use crate::{
    config::KeyValues,
    live::{
        capture::CaptureHandle, options::DaemonOptions, responder::ResponderHandle,
        snapshot::FailedReload,
    },
};

/// The settings of the run before, in the state directory.
const FILE: &str = "configuration.json";
/// Characters of an error that are written down.
const ERROR: usize = 500;

/// Who is asked to take a configuration over, and which one is in force.
pub(super) struct Reloads {
    capture: CaptureHandle,
    response: ResponderHandle,
    models: Arc<Models>,
    settings: KeyValues,
    path: PathBuf,
}

/// What is to be written down at a start; none where the configuration is that of the run before, or that one is not known.
pub(super) fn at_start(options: &DaemonOptions) -> Option<Action> {
    let path = options.state.join(FILE);
    let before: KeyValues = files::read(&path);
    keep(&path, &options.settings);
    let config = options.config_hash.clone();
    let change = before.changes(&options.settings, Occasion::Start, config, Vec::new());
    let changed = !before.is_empty() && !change.changes.is_empty();
    changed.then(|| Action::ConfigurationChanged(Box::new(change)))
}

fn keep(path: &Path, settings: &KeyValues) {
    if let Err(error) = files::write(path, settings) {
        tracing::warn!(path = %path.display(), "the settings can't be kept, so the next start can't say what changed: {error}");
    }
}

impl Reloads {
    pub(super) fn new(
        capture: CaptureHandle,
        response: ResponderHandle,
        models: Arc<Models>,
        options: &DaemonOptions,
    ) -> Self {
        Self {
            capture,
            response,
            models,
            settings: options.settings.clone(),
            path: options.state.join(FILE),
        }
    }

    /// Puts in force what was read, or says why the old configuration stays; either is written down.
    ///
    /// # Errors
    /// Why the old configuration stays.
    pub(super) async fn reload(
        &mut self,
        actor: &Actor,
        read: Result<DaemonOptions, String>,
    ) -> Result<ConfigurationChange, String> {
        let applied = match read {
            Ok(options) => self.apply(actor, options).await,
            Err(error) => Err(format!("the configuration is bad: {error}")),
        };
        let action = match &applied {
            Ok(change) => Action::ConfigurationChanged(Box::new(change.clone())),
            Err(error) => {
                tracing::error!("not reloaded, the old one stays in force: {error}");
                self.reopen(error).await;
                Action::ReloadFailed {
                    error: error.chars().take(ERROR).collect(),
                }
            }
        };
        let actor = actor.clone();
        let written = self
            .response
            .command(move |keeper| keeper.record(&actor, action));
        match written.await {
            Ok(true) => {}
            Ok(false) => tracing::error!(
                "the reload is not in the audit trail: too many entries wait for the disk"
            ),
            Err(error) => tracing::error!("the reload is not in the audit trail: {error}"),
        }
        applied
            .map_err(|error| format!("not reloaded, the old configuration stays in force: {error}"))
    }

    async fn apply(
        &mut self,
        actor: &Actor,
        options: DaemonOptions,
    ) -> Result<ConfigurationChange, String> {
        let (settings, config) = (options.settings.clone(), options.config_hash.clone());
        let response = options.response.clone();
        let taken = self
            .response
            .ask(|responder| responder.reload(response))
            .await;
        taken
            .map_err(|error| error.to_string())?
            .map_err(|error| format!("the never-block list can't be changed: {error}"))?;
        self.reload_models(actor, options.model.clone()).await;
        let restart = self
            .capture
            .ask(move |capture| capture.reload(&options))
            .await;
        let restart = restart.map_err(|error| {
            format!("rules and detectors are changed, the rest is not: {error}")
        })?;
        if restart.is_empty() {
            tracing::info!("reloaded");
        } else {
            let keys = restart.join(", ");
            tracing::warn!("reloaded; changes of these take a restart: {keys}");
        }
        let restart = restart.into_iter().map(str::to_owned).collect();
        let change = self
            .settings
            .changes(&settings, Occasion::Reload, config, restart);
        let (path, kept) = (self.path.clone(), settings.clone());
        // A slow disk holds up nobody else.
        let _ = tokio::task::spawn_blocking(move || keep(&path, &kept)).await;
        self.settings = settings;
        Ok(change)
    }

    /// Puts the models of a configuration in use; what was taken or refused goes into the trail.
    async fn reload_models(&self, actor: &Actor, options: sensor_analysis::config::Model) {
        let models = Arc::clone(&self.models);
        // Examining a model takes its time.
        let reloaded = tokio::task::spawn_blocking(move || models.reload(&options, clock::now()));
        let Ok(actions) = reloaded.await else {
            tracing::error!("the models are not reloaded: the thread that examined them panicked");
            return;
        };
        for action in actions {
            let actor = actor.clone();
            let written = self
                .response
                .command(move |keeper| keeper.record(&actor, action));
            if !matches!(written.await, Ok(true)) {
                tracing::error!("a change of models is not in the audit trail");
            }
        }
    }

    /// Opens the outputs anew, since the log may have been rotated all the same.
    async fn reopen(&self, error: &str) {
        let failed = FailedReload {
            time: clock::now(),
            error: error.to_owned(),
        };
        let done = self
            .capture
            .ask(move |capture| capture.not_reloaded(failed))
            .await;
        match done {
            Ok(()) => tracing::info!("files of events are opened anew, with the old configuration"),
            Err(error) => tracing::error!("files of events are not opened anew: {error}"),
        }
    }
}
