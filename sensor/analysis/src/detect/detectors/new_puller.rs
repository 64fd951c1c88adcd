//! Studies pulled by someone who never did before: C-MOVE or C-GET under an address and AE title that are not
//! known together (ATT&CK T1119).

use std::{net::IpAddr, num::NonZeroUsize};

use crate::detect::counted::CountedLru;
use crate::detect::prelude::*;

pub(super) const ABOUT: About = About {
    id: "new_puller",
    techniques: &["T1119"],
    finds: "C-MOVE or C-GET by someone who never pulled there",
    starts: Starts::AfterLearning,
    wrong_if: &["a new workstation or archive was put to work, or an address was changed"],
    thresholds: &[],
    features: &[Feature::Queries, Feature::Pulls, Feature::BytesIn],
    new: |values| Box::new(NewPuller::new(values)),
};

/// Suspects that are remembered.
const SUSPECTS: NonZeroUsize = NonZeroUsize::new(4_096).expect("it is not zero");

#[derive(Default)]
struct Asked {
    finds: u32,
    pulls: u32,
}

pub(super) struct NewPuller(CountedLru<(IpAddr, Option<String>), Asked>);

impl NewPuller {
    fn new(_: &Values) -> Self {
        Self(CountedLru::new(SUSPECTS))
    }
}

impl Detector for NewPuller {
    fn evicted(&self) -> u64 {
        self.0.evicted()
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
            basis: Basis::Novelty,
            confidence: if title_known { 0.3 } else { 0.6 },
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
            ..Draft::about_server(seen)
        })
    }
}
