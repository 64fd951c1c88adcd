//! Studies pulled by someone who never did before: C-MOVE or C-GET under an address and AE title that are not
//! known together (ATT&CK T1119).

use std::{net::IpAddr, num::NonZeroUsize};

use lru::LruCache;

use super::{Detector, Site};
use crate::baseline::Fact;
use crate::detect::draft::Draft;
use sensor_facts::words::several;
use sensor_facts::{
    finding::Basis,
    observation::{Observation, What},
};

/// C-GET and C-MOVE requests (PS3.7 annex E.1).
pub(super) const PULLS: [u16; 2] = [0x0010, 0x0021];
/// C-FIND request.
pub(super) const FIND: u16 = 0x0020;
/// Suspects that are remembered.
const SUSPECTS: NonZeroUsize = NonZeroUsize::new(4_096).expect("it is not zero");

#[derive(Default)]
struct Asked {
    finds: u32,
    pulls: u32,
}

pub(super) struct Puller(LruCache<(IpAddr, Option<String>), Asked>);

impl Default for Puller {
    fn default() -> Self {
        Self(LruCache::new(SUSPECTS))
    }
}

impl Detector for Puller {
    fn name(&self) -> &'static str {
        "new_puller"
    }

    fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
        let What::Request {
            calling, command, ..
        } = &seen.what
        else {
            return None;
        };
        let (client, server) = (seen.client.ip(), seen.server.ip());
        let title = calling.as_deref().unwrap_or_default();
        if (*command != FIND && !PULLS.contains(command))
            || site.learns()
            || (site.knows(client, &Fact::Title(title)) && site.knows(client, &Fact::Pulls(server)))
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
        let title_known = site.knows(client, &Fact::Title(title));
        Some(Draft {
            technique: "T1119",
            basis: Basis::Novelty,
            confidence: if title_known { 0.3 } else { 0.6 },
            victims: vec![server],
            service: seen.service(),
            evidence: format!(
                "{} after {} under the AE title {}, {}",
                several(asked.pulls.into(), "C-MOVE or C-GET requests"),
                several(asked.finds.into(), "C-FIND requests"),
                calling
                    .as_deref()
                    .map_or_else(|| "(not seen)".to_owned(), |title| format!("{title:?}")),
                if title_known {
                    "which did not pull from this server before"
                } else {
                    "which this address did not use before"
                }
            ),
            wrong_if: "a new workstation or archive was put to work, or an address was changed",
            ..Draft::default()
        })
    }
}
