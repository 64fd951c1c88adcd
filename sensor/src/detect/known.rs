//! Who used which AE title in the learning time. Kept in `known.json` in the state directory.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    net::IpAddr,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{Observation, What};
use crate::event::Time;

/// Addresses, and titles of each, that are kept.
const ADDRESSES_MAX: usize = 65_536;
const TITLES_MAX: usize = 64;

#[derive(Debug, Default, Serialize, Deserialize)]
struct Content {
    begin: Option<Time>,
    titles: BTreeMap<IpAddr, BTreeSet<String>>,
}

/// Who used which AE title in the learning time.
#[derive(Debug)]
pub struct Known {
    path: PathBuf,
    /// Length of the learning time, nanoseconds.
    learning: i64,
    content: Content,
    changed: bool,
}

impl Known {
    /// Reads what was learnt; where there is nothing, learning begins at `now`.
    #[must_use]
    pub fn open(folder: &Path, learning: u64, now: Time) -> Self {
        let path = folder.join("known.json");
        let mut content: Content = read(&path);
        let changed = content.begin.is_none();
        content.begin.get_or_insert(now);
        Self {
            path,
            learning: i64::try_from(learning).unwrap_or(i64::MAX),
            content,
            changed,
        }
    }

    /// True while all that is seen counts as normal.
    #[must_use]
    pub fn is_learning(&self, now: Time) -> bool {
        let begin = self.content.begin.unwrap_or(now);
        now.0.saturating_sub(begin.0) < self.learning
    }

    /// True if the address used the title in the learning time.
    #[must_use]
    pub fn has(&self, address: IpAddr, title: Option<&str>) -> bool {
        let titles = self.content.titles.get(&address);
        titles.is_some_and(|titles| titles.contains(title.unwrap_or_default()))
    }

    /// Learns from an observation, in the learning time.
    pub fn learn(&mut self, seen: &Observation) {
        let What::Association { calling } = &seen.what else {
            return;
        };
        if !self.is_learning(seen.time) {
            return;
        }
        let titles = &mut self.content.titles;
        let client = seen.client.ip();
        if titles.len() >= ADDRESSES_MAX && !titles.contains_key(&client) {
            return;
        }
        let titles = titles.entry(client).or_default();
        if titles.len() < TITLES_MAX {
            self.changed |= titles.insert(calling.clone().unwrap_or_default());
        }
    }

    /// Writes what is new to the disk.
    ///
    /// # Errors
    /// When the file can't be written; it is tried again with the next call.
    pub fn save(&mut self) -> io::Result<()> {
        if self.changed {
            write(&self.path, &self.content)?;
            self.changed = false;
        }
        Ok(())
    }
}

/// Reads a file of what was learnt; one that can't be read is said and counts as empty.
pub(super) fn read<T: Default + for<'de> Deserialize<'de>>(path: &Path) -> T {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return T::default(),
        Err(error) => {
            tracing::warn!(path = %path.display(), "what was learnt can't be read, learning begins anew: {error}");
            return T::default();
        }
    };
    serde_json::from_slice(&text).unwrap_or_else(|error| {
        tracing::warn!(path = %path.display(), "what was learnt is damaged, learning begins anew: {error}");
        T::default()
    })
}

/// Writes a file whole or not at all.
pub(super) fn write<T: Serialize>(path: &Path, content: &T) -> io::Result<()> {
    let new = path.with_extension("json.new");
    fs::write(&new, serde_json::to_vec(content)?)?;
    fs::rename(new, path)
}
