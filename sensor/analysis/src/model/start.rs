//! Which model is in use when the daemon starts.

use std::path::PathBuf;

use sensor_facts::{
    action::{Action, ModelChange},
    rule::Actor,
    time::Time,
};

use super::{
    Gate, Model, ModelFile, Refusal, Runtime, examine,
    store::{Book, Entry, ModelStore},
};

/// Where a model may come from.
enum Source {
    /// One that was in use; and why it is taken instead of another, if it is.
    Kept(Entry, Option<&'static str>),
    /// The configured one, or the package's.
    Configured(PathBuf),
}

/// What a start came to.
#[derive(Default)]
pub(super) struct Start {
    pub(super) model: Option<Model>,
    /// What of it belongs into the audit trail.
    pub(super) actions: Vec<Action>,
    /// Each refusal, in words.
    pub(super) refusals: Vec<String>,
}

/// What a person loaded counts, then the one before it; else what is configured, which may be another than at the last
/// start; else what the daemon itself had in use.
fn sources(book: &Book, configured: Option<PathBuf>) -> Vec<Source> {
    let current = book.current.clone();
    let (person, own): (Option<Entry>, Option<Entry>) = match current {
        Some(entry) if entry.by == Actor::Daemon => (None, Some(entry)),
        other => (other, None),
    };
    let refused = Some("the model in use was refused at the daemon's start");
    let gone = Some("the configured model was refused, or is gone");
    let before = |way| book.previous.clone().map(|entry| Source::Kept(entry, way));
    let by_person = person.is_some();
    [
        person.map(|entry| Source::Kept(entry, None)),
        by_person.then(|| before(refused)).flatten(),
        configured.map(Source::Configured),
        own.map(|entry| Source::Kept(entry, gone)),
        (!by_person).then(|| before(gone)).flatten(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

impl Start {
    /// The first source whose model passes the gate.
    pub(super) fn choose(
        store: &mut ModelStore,
        configured: Option<PathBuf>,
        runtime: &Runtime,
        gate: &Gate<'_>,
        now: Time,
    ) -> Self {
        let mut start = Self::default();
        let before = store.book.current.clone();
        for source in sources(&store.book, configured) {
            let (name, file) = match &source {
                Source::Kept(entry, _) => (entry.name.clone(), store.read(entry)),
                Source::Configured(path) => (path.display().to_string(), ModelFile::read(path)),
            };
            let sha256 = file.as_ref().ok().map(ModelFile::sha256);
            let examined = file.and_then(|file| {
                let model = examine(&file, runtime, gate).result?;
                Ok((file, model))
            });
            match (examined, source) {
                (Ok((file, model)), source) => {
                    start.took(store, &source, &file, before.as_ref(), now);
                    start.model = Some(model);
                    return start;
                }
                (Err(refusal), _) => start.refused(name, sha256, &refusal),
            }
        }
        start
    }

    fn refused(&mut self, name: String, sha256: Option<String>, refusal: &Refusal) {
        tracing::error!("the model {name} is refused: {refusal}");
        self.refusals
            .push(format!("the model {name} is refused: {refusal}"));
        self.actions.push(Action::ModelRefused {
            name,
            sha256,
            check: refusal.check().to_owned(),
            why: refusal.to_string(),
            reason: "the daemon's start".to_owned(),
        });
    }

    /// Notes what is in use, where that is another than before.
    fn took(
        &mut self,
        kept: &mut ModelStore,
        source: &Source,
        file: &ModelFile,
        before: Option<&Entry>,
        now: Time,
    ) {
        let sha256 = file.sha256();
        let known = before.map(|before| before.sha256.clone());
        match source {
            Source::Kept(_, None) => {}
            Source::Kept(entry, Some(reason)) => {
                self.actions.push(Action::ModelRolledBack(ModelChange {
                    name: entry.name.clone(),
                    sha256,
                    replaces: known,
                    reason: (*reason).to_owned(),
                }));
            }
            Source::Configured(_) if known.as_ref() == Some(&sha256) => {}
            Source::Configured(path) => {
                let entry = Entry {
                    name: file.name.clone(),
                    sha256: sha256.clone(),
                    loaded: now,
                    by: Actor::Daemon,
                    reason: format!("configured: {}", path.display()),
                };
                self.actions.push(Action::ModelLoaded(ModelChange {
                    name: entry.name.clone(),
                    sha256,
                    replaces: known,
                    reason: entry.reason.clone(),
                }));
                // In use all the same: it is configured, and read again at the next start.
                if let Err(error) = kept.put(file, entry) {
                    tracing::warn!("the model can't be kept for a way back: {error}");
                }
            }
        }
    }
}
