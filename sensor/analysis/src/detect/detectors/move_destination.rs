//! C-MOVE to somewhere new: the server is asked to send studies to an AE title that it never sent any to
//! (ATT&CK T1048).

use std::net::IpAddr;

use crate::detect::prelude::*;

pub(super) const ABOUT: About = About {
    id: "move_destination",
    techniques: &["T1048"],
    finds: "C-MOVE to a title to which none went",
    starts: Starts::AfterLearning,
    wrong_if: &["a new archive or workstation was put to work"],
    thresholds: &[],
    features: &[Feature::Queries, Feature::Pulls, Feature::BytesIn],
    new: |values| Box::new(MoveDestination::new(values)),
};

pub(super) struct MoveDestination(Reported<(IpAddr, IpAddr, String)>);

impl MoveDestination {
    fn new(values: &Values) -> Self {
        Self(Reported::new(values))
    }
}

impl Detector for MoveDestination {
    fn evicted(&self) -> u64 {
        self.0.evicted()
    }

    fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
        let What::Request {
            destination: Some(title),
            calling,
            ..
        } = &seen.what
        else {
            return None;
        };
        let (client, server) = (seen.client.ip(), seen.server.ip());
        let fact = Fact::MovesTo(server, title);
        if site.learns() || site.knows(client, &fact) {
            return None;
        }
        let new_at_site = !site.knows_at_site(&fact);
        // Its own title, from a client that is known: a workstation that asks another archive.
        let own = calling.as_ref() == Some(title) && site.knows(client, &Fact::Title(title));
        if own && !new_at_site {
            return None;
        }
        if !self.0.first((client, server, title.clone()), seen.time) {
            return None;
        }
        Some(Draft {
            basis: Basis::Novelty,
            confidence: match (new_at_site, own) {
                (true, false) => 0.65,
                (true, true) => 0.3,
                (false, _) => 0.35,
            },
            evidence: format!(
                "C-MOVE has images sent to a third place, the AE title {title:?}; {} to have studies sent there before",
                if new_at_site {
                    "no device was seen"
                } else {
                    "this device was not seen"
                }
            ),
            ..Draft::about_server(seen)
        })
    }
}
