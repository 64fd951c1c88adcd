//! The file of the windows' histories in the state directory.

use std::{borrow::Cow, collections::HashMap, io, net::IpAddr, path::Path};

use sensor_facts::observation::Mac;
use serde::{Deserialize, Serialize};

use super::{
    Actor, Behaviour,
    habits::Kind,
    history::{History, Pool},
    news::News,
    scores::Scores,
};
use crate::learned;

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
    /// Reads what was learned; a file that can't be read is logged and counts as empty.
    #[must_use]
    pub fn open(folder: &Path, devices: u32) -> Self {
        let mut this = Self::new(devices);
        let is_current = |stored: &Stored<'_>| stored.version == VERSION && stored.all.is_whole();
        let path = folder.join(FILE);
        let Some(stored) = learned::read(&path, "the histories of windows", is_current) else {
            return this;
        };
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
        this.listen();
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
        learned::write(&folder.join(FILE), &stored)?;
        self.changed = false;
        Ok(())
    }
}
