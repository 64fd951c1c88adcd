//! A clinical device talks to a host outside of the site, which it never did (ATT&CK T1071).

use std::net::IpAddr;

use crate::detect::prelude::*;

pub(super) const ABOUT: About = About {
    id: "first_outside",
    techniques: &["T1071"],
    finds: "a clinical device that never talked to the Internet does",
    starts: Starts::AfterLearning,
    wrong_if: &["the device was given an update, or its maker's remote service was set up"],
    thresholds: &[],
    features: &[Feature::BytesOut],
    new: |values| Box::new(FirstOutside::new(values)),
};

pub(super) struct FirstOutside {
    reported: Reported<IpAddr>,
}

impl FirstOutside {
    fn new(values: &Values) -> Self {
        Self {
            reported: Reported::new(values),
        }
    }
}

impl Detector for FirstOutside {
    fn evicted(&self) -> u64 {
        self.reported.evicted()
    }

    fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
        let What::Flow(facts) = &seen.what else {
            return None;
        };
        let (client, server) = (seen.client.ip(), seen.server.ip());
        // A long flow whose opening was not seen may have been opened by the other end.
        if facts.midstream
            || !facts.established(seen.protocol)
            || site.learns()
            || !site.is_outside(server)
            || site.is_outside(client)
            || !site.baselines.is_clinical(client)
            || site.baselines.learns(client, seen.time)
            || site.knows(client, &Fact::Outside)
            || !self.reported.first(client, seen.time)
        {
            return None;
        }
        let service = seen.service();
        let port = service.map_or_else(String::new, |one| {
            format!(" at {} port {}", one.transport.label(), one.port)
        });
        Some(Draft {
            basis: Basis::Novelty,
            confidence: 0.6,
            evidence: format!(
                "a clinical device that was not seen to talk to hosts outside of the site in its learning time talks to {server}{port}"
            ),
            ..Draft::about_server(seen)
        })
    }
}
