//! The models of the state directory: the one in use and the one before, each under its hash.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
};

use sensor_facts::{files, rule::Actor, time::Time};
use serde::{Deserialize, Serialize};

use super::{ModelFile, Refusal, manifest_path};

/// The folder of models of flows.
pub(super) const OF_FLOWS: &str = "models";
/// The folder of models of windows.
pub(super) const OF_WINDOWS: &str = "window-models";
const BOOK: &str = "book.json";

/// A model that was put in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The name of its file when it was loaded.
    pub name: String,
    /// SHA-256 of the file, in hex.
    pub sha256: String,
    /// When it was loaded.
    pub loaded: Time,
    /// By whom; the daemon takes the configured one by itself.
    pub by: Actor,
    /// Why, in words.
    pub reason: String,
}

/// Which models are stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Book {
    pub(super) current: Option<Entry>,
    pub(super) previous: Option<Entry>,
}

/// The folder of stored models.
#[derive(Debug)]
pub(super) struct ModelStore {
    folder: PathBuf,
    pub(super) book: Book,
}

impl ModelStore {
    /// Opens a folder below the state directory.
    pub(super) fn open(state: &Path, folder: &str) -> Self {
        let folder = state.join(folder);
        let book = files::read(&folder.join(BOOK));
        Self { folder, book }
    }

    /// The file of an entry, as it is now.
    pub(super) fn read(&self, entry: &Entry) -> Result<ModelFile, Refusal> {
        let mut file = ModelFile::read(&self.path(entry))?;
        file.name.clone_from(&entry.name);
        let found = file.sha256();
        if found == entry.sha256 {
            return Ok(file);
        }
        Err(Refusal::Hash {
            found,
            expected: entry.sha256.clone(),
        })
    }

    fn path(&self, entry: &Entry) -> PathBuf {
        // The book may have been changed by hand.
        let name: String = entry
            .sha256
            .chars()
            .filter(char::is_ascii_hexdigit)
            .collect();
        self.folder.join(name + ".onnx")
    }

    /// Writes a model and puts it in the book: the files first, so that the book never names what is not there.
    pub(super) fn put(&mut self, file: &ModelFile, entry: Entry) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let path = self.path(&entry);
        files::write_bytes(&path, &file.graph)?;
        files::write_bytes(&manifest_path(&path), &file.manifest)?;
        let before = self.book.current.take();
        let same = before
            .as_ref()
            .is_some_and(|before| before.sha256 == entry.sha256);
        let previous = if same {
            self.book.previous.clone()
        } else {
            before.clone()
        };
        self.turn(before, Some(entry), previous)
    }

    /// Changes current and previous; the current one becomes the one before.
    pub(super) fn swap(&mut self, entry: Entry) -> io::Result<()> {
        let before = self.book.current.take();
        self.turn(before.clone(), Some(entry), before)
    }

    /// Puts a book in force on the disk, or leaves the old one.
    fn turn(
        &mut self,
        before: Option<Entry>,
        current: Option<Entry>,
        previous: Option<Entry>,
    ) -> io::Result<()> {
        let book = Book { current, previous };
        let content = serde_json::to_vec_pretty(&book)?;
        if let Err(error) = files::write_bytes(&self.folder.join(BOOK), &content) {
            self.book.current = before;
            return Err(error);
        }
        self.book = book;
        self.tidy();
        Ok(())
    }

    /// Removes the files of models that are in the book no more.
    fn tidy(&self) {
        let entries = [&self.book.current, &self.book.previous];
        let kept: HashSet<PathBuf> = entries
            .into_iter()
            .flatten()
            .map(|entry| self.path(entry))
            .flat_map(|path| [manifest_path(&path), path])
            .chain([self.folder.join(BOOK)])
            .collect();
        let Ok(found) = fs::read_dir(&self.folder) else {
            return;
        };
        for path in found.flatten().map(|one| one.path()) {
            if !kept.contains(&path)
                && let Err(error) = fs::remove_file(&path)
            {
                tracing::warn!(path = %path.display(), "an old model can't be removed: {error}");
            }
        }
    }
}
