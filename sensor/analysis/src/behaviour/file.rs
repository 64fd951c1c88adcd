//! The file of the windows' histories in the state directory.

use std::{
    borrow::Cow,
    collections::HashMap,
    fs, io,
    net::IpAddr,
    path::{Path, PathBuf},
};

use sensor_facts::{files, observation::Mac};
use serde::{Deserialize, Serialize};

use super::{
    Actor, Behaviour,
    habits::Kind,
    history::{History, Pool},
    news::News,
    scores::Scores,
};

/// The version of the file; it changes with the measures, as their numbers are in it.
const VERSION: u32 = 1;
/// The file's name in the state directory.
const FILE: &str = "behaviour.bin";

#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    version: u32,
    facts: Vec<u64>,
    all: Cow<'a, Pool>,
    kinds: Cow<'a, HashMap<Kind, Pool>>,
    scores: Cow<'a, Scores>,
    actors: Vec<(IpAddr, Cow<'a, History>, Option<Kind>, Mac)>,
}

impl Behaviour {
    /// Reads what was learned; a file that can't be read is said and counts as empty.
    #[must_use]
    pub fn open(folder: &Path, devices: u32) -> Self {
        let mut this = Self::new(devices);
        let path = path(folder);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return this,
            Err(error) => {
                tracing::warn!(path = %path.display(), "the histories of windows can't be read, they begin anew: {error}");
                return this;
            }
        };
        match postcard::from_bytes::<Stored<'_>>(&bytes) {
            Ok(stored) if stored.version == VERSION && stored.all.is_whole() => {
                this.news = News::of(&stored.facts);
                this.all = stored.all.into_owned();
                this.kinds = stored.kinds.into_owned();
                this.kinds.retain(|_, pool| pool.is_whole());
                this.scores = stored.scores.into_owned();
                for (address, history, kind, mac) in stored.actors {
                    let actor = Actor {
                        history: history.into_owned(),
                        kind,
                        mac,
                        ..Actor::default()
                    };
                    this.actors.add(address, actor, true);
                }
            }
            Ok(_) => {
                tracing::warn!(path = %path.display(), "the histories of windows are of another version, they begin anew");
            }
            Err(error) => {
                tracing::warn!(path = %path.display(), "the histories of windows are damaged, they begin anew: {error}");
            }
        }
        this
    }

    /// Writes what is new to the disk, whole or not at all. The windows that go on are not kept.
    ///
    /// # Errors
    /// When the file can't be written; it is tried again with the next call.
    pub fn save(&mut self, folder: &Path) -> io::Result<()> {
        if !self.changed {
            return Ok(());
        }
        let stored = Stored {
            version: VERSION,
            facts: self.news.all(),
            all: Cow::Borrowed(&self.all),
            kinds: Cow::Borrowed(&self.kinds),
            scores: Cow::Borrowed(&self.scores),
            // The one seen longest ago first, as they are read; who has no history was hardly there.
            actors: self
                .actors
                .iter()
                .rev()
                .filter(|(_, actor)| actor.history.windows() > 0)
                .map(|(address, actor)| {
                    (
                        *address,
                        Cow::Borrowed(&actor.history),
                        actor.kind,
                        actor.mac,
                    )
                })
                .collect(),
        };
        let bytes = postcard::to_allocvec(&stored).map_err(io::Error::other)?;
        files::replace(&path(folder), &bytes)?;
        self.changed = false;
        Ok(())
    }
}

fn path(folder: &Path) -> PathBuf {
    folder.join(FILE)
}
