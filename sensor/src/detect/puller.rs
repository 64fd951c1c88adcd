//! Studies pulled by someone who never did before: C-MOVE or C-GET under an address and AE title that were
//! not seen together in the learning time (ATT&CK T1119).

use std::num::NonZeroUsize;

use lru::LruCache;

use super::{Detector, Draft, Known, Observation, What};
use crate::response::{Service, Transport};

/// C-GET and C-MOVE requests (PS3.7 annex E.1).
const PULLS: [u16; 2] = [0x0010, 0x0021];
/// C-FIND request.
const FIND: u16 = 0x0020;
/// Suspects that are remembered.
const SUSPECTS: NonZeroUsize = NonZeroUsize::new(4_096).expect("it is not zero");

#[derive(Default)]
struct Asked {
    finds: u32,
    pulls: u32,
}

pub(super) struct Puller(LruCache<(std::net::IpAddr, Option<String>), Asked>);

impl Default for Puller {
    fn default() -> Self {
        Self(LruCache::new(SUSPECTS))
    }
}

impl Detector for Puller {
    fn name(&self) -> &'static str {
        "new_puller"
    }

    fn observe(&mut self, seen: &Observation, known: &Known) -> Option<Draft> {
        let What::Request { calling, command } = &seen.what else {
            return None;
        };
        let client = seen.client.ip();
        if (*command != FIND && !PULLS.contains(command))
            || known.is_learning(seen.time)
            || known.has(client, calling.as_deref())
        {
            return None;
        }
        let asked = self
            .0
            .get_or_insert_mut((client, calling.clone()), Asked::default);
        if *command == FIND {
            asked.finds += 1;
            return None;
        }
        asked.pulls += 1;
        // Once for each power of two: an episode, not each of its requests.
        if !asked.pulls.is_power_of_two() {
            return None;
        }
        Some(Draft {
            technique: "T1119",
            victims: vec![seen.server.ip()],
            service: Some(Service {
                transport: Transport::Tcp,
                port: seen.server.port(),
            }),
            evidence: format!(
                "{} C-MOVE or C-GET requests after {} C-FIND requests under the AE title {}, which this address did not use in the learning time",
                asked.pulls,
                asked.finds,
                calling
                    .as_deref()
                    .map_or_else(|| "(not seen)".to_owned(), |title| format!("{title:?}"))
            ),
            wrong_if: "a new workstation or archive was put to work, or an address was changed",
        })
    }
}
