//! Learnt clinical traffic: who sends images and messages to whom. What a rule of scope keep-clinical
//! lets through. Kept in `clinical.json` in the state directory.

use std::{
    cmp::Reverse,
    collections::HashMap,
    io,
    net::IpAddr,
    path::{Path, PathBuf},
};

use sensor_facts::{
    alert::Recent,
    files,
    observation::{Mac, Observation, What, is_negative},
    setting::Span,
    target::{ClinicalPeer, Service},
    time::Time,
};
use serde::{Deserialize, Serialize};

use crate::room::least;

/// What is seen again after this long counts as learnt, unless the configuration says otherwise.
pub const CLINICAL_AFTER: Span = Span::from_secs(86_400);

/// Pairs that are kept.
const PAIRS_MAX: usize = 65_536;
/// Peers of one device at most.
const PEERS_MAX: usize = 1_024;

/// A client and the service that it uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Pair {
    client: IpAddr,
    server: IpAddr,
    service: Service,
}

/// When it was seen.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Seen {
    first: Time,
    last: Time,
    count: u64,
    /// The Ethernet addresses of client and server, as last seen; zero where unknown.
    #[serde(default)]
    macs: [Mac; 2],
}

/// Learnt clinical traffic.
#[derive(Debug)]
pub struct Clinical {
    path: PathBuf,
    /// A pair counts when it was first seen so long ago, nanoseconds.
    after: i64,
    pairs: HashMap<Pair, Seen>,
    evicted: u64,
    changed: bool,
}

impl Clinical {
    /// Reads what was learnt.
    #[must_use]
    pub fn open(folder: &Path, after: u64) -> Self {
        let path = folder.join("clinical.json");
        let pairs: Vec<(Pair, Seen)> = files::read(&path);
        Self {
            path,
            pairs: pairs.into_iter().collect(),
            ..Self::new(after)
        }
    }

    /// Nothing was learnt, and there is no file.
    #[must_use]
    pub fn new(after: u64) -> Self {
        Self {
            path: PathBuf::new(),
            after: i64::try_from(after).unwrap_or(i64::MAX),
            pairs: HashMap::new(),
            evicted: 0,
            changed: false,
        }
    }

    /// Learns from an observation: accepted associations and messages, and TLS that likely carries them.
    pub fn learn(&mut self, seen: &Observation) {
        let clinical = match &seen.what {
            What::Association { .. } | What::ClinicalTls => true,
            What::Hl7(message) => {
                let code = message.ack_code.as_deref();
                code.is_some_and(|code| !is_negative(code))
            }
            _ => false,
        };
        let (true, Some(service)) = (clinical, seen.service()) else {
            return;
        };
        let pair = Pair {
            client: seen.client.ip(),
            server: seen.server.ip(),
            service,
        };
        if self.pairs.len() >= PAIRS_MAX && !self.pairs.contains_key(&pair) {
            self.make_room();
        }
        let entry = self.pairs.entry(pair).or_insert(Seen {
            first: seen.time,
            last: seen.time,
            count: 0,
            macs: seen.macs,
        });
        entry.macs = seen.macs;
        entry.last = entry.last.max(seen.time);
        entry.count += 1;
        self.changed = true;
    }

    /// Forgets an eighth of the pairs: those seen least often, and of these those seen longest ago.
    fn make_room(&mut self) {
        let rank = |(pair, seen): (&Pair, &Seen)| ((seen.count, seen.last), *pair);
        for pair in least(self.pairs.iter().map(rank).collect()) {
            self.pairs.remove(&pair);
            self.evicted += 1;
        }
    }

    /// Pairs that made room for others since the start.
    #[must_use]
    pub const fn evicted(&self) -> u64 {
        self.evicted
    }

    /// The peers of a device that count as learnt at `now`, those seen most often first.
    #[must_use]
    pub fn peers_of(&self, device: IpAddr, now: Time) -> Vec<ClinicalPeer> {
        self.peers(now, |pair, _| {
            [pair.client == device, pair.server == device]
        })
    }

    /// Clinical traffic of a device whose peers do not count as learnt at `now`.
    #[must_use]
    pub fn recent_of(&self, device: IpAddr, now: Time) -> Recent {
        let mut recent = Recent::default();
        for (pair, seen) in &self.pairs {
            let of_device = pair.client == device || pair.server == device;
            if of_device && now.0.saturating_sub(seen.first.0) < self.after {
                recent.exchanges += seen.count;
                recent.peers += 1;
            }
        }
        recent
    }

    /// The same of the device with this Ethernet address; of a router's address those of all devices behind it.
    #[must_use]
    pub fn peers_of_mac(&self, device: Mac, now: Time) -> Vec<ClinicalPeer> {
        self.peers(now, |_, seen| seen.macs.map(|mac| mac == device))
    }

    /// The peers of the client or the server of each pair that `is_device` says is the device.
    fn peers(&self, now: Time, is_device: impl Fn(&Pair, &Seen) -> [bool; 2]) -> Vec<ClinicalPeer> {
        let mut peers: Vec<_> = self
            .pairs
            .iter()
            .filter(|(_, seen)| now.0.saturating_sub(seen.first.0) >= self.after)
            .filter_map(|(pair, seen)| {
                let (peer, serves) = match is_device(pair, seen) {
                    [true, _] => (pair.server, false),
                    [_, true] => (pair.client, true),
                    _ => return None,
                };
                let peer = ClinicalPeer {
                    peer,
                    service: pair.service,
                    serves,
                };
                Some((Reverse(seen.count), peer))
            })
            .collect();
        // Whoever adds many peers to a device pushes none out that is used more often.
        peers.sort_unstable();
        peers.truncate(PEERS_MAX);
        peers.into_iter().map(|(_, peer)| peer).collect()
    }

    /// What is to be written, if anything is new. It is a copy, so that nobody waits for the disk who asks for peers.
    #[must_use]
    pub fn take_unsaved(&mut self) -> Option<Unsaved> {
        std::mem::take(&mut self.changed).then(|| Unsaved {
            path: self.path.clone(),
            pairs: self
                .pairs
                .iter()
                .map(|(pair, seen)| (*pair, *seen))
                .collect(),
        })
    }

    /// What was taken could not be written: it is to be tried again.
    pub const fn put_back(&mut self) {
        self.changed = true;
    }
}

/// What was learnt, to be written.
#[derive(Debug)]
pub struct Unsaved {
    path: PathBuf,
    pairs: Vec<(Pair, Seen)>,
}

impl Unsaved {
    /// Writes it.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn write(&self) -> io::Result<()> {
        files::write(&self.path, &self.pairs)
    }
}
