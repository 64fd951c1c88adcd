//! The advisories that were imported and what people said of their matches: `advisories.json` in the state directory.

use std::{
    collections::HashMap,
    io,
    net::IpAddr,
    path::{Path, PathBuf},
};

use sensor_facts::{files, rule::Actor, time::Time};
use sensor_sessions::inventory::HostReport;
use serde::{Deserialize, Serialize};

use super::{Advisory, AdvisoryVerdict, CsafError, Match, Matches, Subject, matches, parse};

const FILE: &str = "advisories.json";
/// Advisories that are kept.
const ADVISORIES_MAX: usize = 2_000;
/// Judgements that are kept.
const JUDGEMENTS_MAX: usize = 20_000;

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
    /// The file is no advisory.
    #[error("this is no advisory that can be used: {0}")]
    Csaf(#[from] CsafError),
    /// There are too many.
    #[error("{0} are kept at most; `wardtap advisories remove` makes room")]
    Full(&'static str),
    /// There is none of this number.
    #[error("there is no advisory {0:?}; `wardtap advisories list` shows those that there are")]
    Unknown(String),
    /// The device was not seen.
    #[error("{0} was not seen; `wardtap devices list` shows who was")]
    UnknownDevice(IpAddr),
    /// No reason was given.
    #[error("{}", sensor_facts::reason::MISSING)]
    NoReason,
    /// The disk refuses.
    #[error("can't write {path:?}: {source}; nothing was changed")]
    System {
        /// The file.
        path: PathBuf,
        /// The answer.
        source: io::Error,
    },
}

/// What a person said of a match.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// The advisory.
    pub advisory: String,
    /// The device.
    pub device: Subject,
    /// Whether it is about it.
    pub verdict: AdvisoryVerdict,
    /// Who says so.
    pub by: Actor,
    /// When.
    pub time: Time,
    /// Why, in words.
    pub reason: String,
}

/// What an import did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Imported {
    /// The advisory as it was understood.
    pub advisory: Advisory,
    /// The version that it replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced: Option<String>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Content {
    advisories: Vec<Advisory>,
    judgements: Vec<Judgement>,
}

/// See the module's description.
#[derive(Clone, Debug)]
pub struct Advisories {
    path: PathBuf,
    content: Content,
}

impl Advisories {
    /// Reads what was kept.
    #[must_use]
    pub fn open(folder: &Path) -> Self {
        let path = folder.join(FILE);
        Self {
            content: files::read(&path),
            path,
        }
    }

    /// All, by number.
    #[must_use]
    pub fn all(&self) -> &[Advisory] {
        &self.content.advisories
    }

    /// Takes a CSAF document; one of the same number is replaced.
    ///
    /// # Errors
    /// [`BookError`]; then nothing has changed.
    pub fn import(&mut self, text: &[u8]) -> Result<Imported, BookError> {
        let advisory = parse(text)?;
        let mut new = self.content.clone();
        let same = |one: &Advisory| one.id == advisory.id;
        let before = new.advisories.iter().position(same);
        let replaced = before.map(|at| new.advisories.remove(at).version);
        if new.advisories.len() >= ADVISORIES_MAX {
            return Err(BookError::Full("2,000 advisories"));
        }
        new.advisories.push(advisory.clone());
        new.advisories.sort_by(|a, b| a.id.cmp(&b.id));
        self.put(new)?;
        Ok(Imported { advisory, replaced })
    }

    /// Takes an advisory away, and what was said of its matches.
    ///
    /// # Errors
    /// [`BookError`]; then nothing has changed.
    pub fn remove(&mut self, id: &str) -> Result<(), BookError> {
        let mut new = self.content.clone();
        new.advisories.retain(|one| one.id != id);
        if new.advisories.len() == self.content.advisories.len() {
            return Err(BookError::Unknown(id.to_owned()));
        }
        new.judgements.retain(|one| one.advisory != id);
        self.put(new)
    }

    /// Takes what a person says of an advisory and a device, in the place of what was said before.
    ///
    /// # Errors
    /// [`BookError`]; then nothing has changed.
    pub fn judge(&mut self, judgement: Judgement) -> Result<(), BookError> {
        if judgement.reason.trim().is_empty() {
            return Err(BookError::NoReason);
        }
        if !self.all().iter().any(|one| one.id == judgement.advisory) {
            return Err(BookError::Unknown(judgement.advisory));
        }
        let mut new = self.content.clone();
        new.judgements
            .retain(|one| one.advisory != judgement.advisory || !one.device.is(&judgement.device));
        if new.judgements.len() >= JUDGEMENTS_MAX {
            return Err(BookError::Full("20,000 judgements"));
        }
        new.judgements.push(judgement);
        self.put(new)
    }

    /// Compares with the devices. What a person confirmed or dismissed counts, whatever the score.
    #[must_use]
    pub fn matches(&self, hosts: &[HostReport]) -> Matches {
        let all = matches(self.all(), hosts);
        let mut judgements: HashMap<&str, Vec<&Judgement>> = HashMap::new();
        for one in &self.content.judgements {
            judgements.entry(&one.advisory).or_default().push(one);
        }
        let devices = hosts.iter().map(|host| (host.address, Subject::of(host)));
        let devices: HashMap<IpAddr, Subject> = devices.collect();
        let judged = |mut one: Match| {
            let said = judgements.get(one.advisory.as_str());
            let device = devices.get(&one.device);
            let mut said = said.into_iter().flatten().rev();
            one.judgement = device
                .and_then(|device| said.find(|one| one.device.is(device)))
                .map(|judgement| (*judgement).clone());
            one
        };
        let below = all.below.into_iter().map(judged);
        let (known, below): (Vec<_>, Vec<_>) = below.partition(|one| one.judgement.is_some());
        Matches {
            found: all.found.into_iter().map(judged).chain(known).collect(),
            below,
            ..all
        }
    }

    fn put(&mut self, content: Content) -> Result<(), BookError> {
        files::write(&self.path, &content).map_err(|source| BookError::System {
            path: self.path.clone(),
            source,
        })?;
        self.content = content;
        Ok(())
    }
}

impl Subject {
    /// A device as it is now.
    #[must_use]
    pub fn of(host: &HostReport) -> Self {
        let own = host.macs.first().filter(|_| !host.mac_shared);
        Self {
            address: host.address,
            mac: own.cloned(),
        }
    }

    /// The same device: by Ethernet address where both have one, else by address.
    fn is(&self, other: &Self) -> bool {
        match (&self.mac, &other.mac) {
            (Some(a), Some(b)) => a == b,
            _ => self.address == other.address,
        }
    }
}
