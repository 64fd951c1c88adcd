//! A TCP service outside of the site that no device of the site was seen to use there: reverse shells, tunnels and command
//! channels need a way out, and few take the one that everyone has (ATT&CK T1571, T1572).

use std::net::IpAddr;

use crate::baseline::Familiar;
use crate::detect::prelude::*;

pub(super) const ABOUT: About = About {
    id: "way_out",
    techniques: &["T1571", "T1572"],
    finds: "a TCP service outside of the site that no device of the site used there before",
    starts: Starts::AfterLearning,
    wrong_if: &[
        "the site was given another service of the Internet, or a visitor uses one that nobody else does",
    ],
    thresholds: &[],
    features: &[Feature::BytesOut],
    new: |values| Box::new(WayOut::new(values)),
};

/// Every site uses the web.
const WEB: [u16; 2] = [80, 443];
/// It carries other connections in either direction (RFC 4254 section 7).
const SSH: u16 = 22;

pub(super) struct WayOut {
    reported: Reported<(IpAddr, Service)>,
}

impl WayOut {
    fn new(values: &Values) -> Self {
        Self {
            reported: Reported::new(values),
        }
    }
}

impl Detector for WayOut {
    fn evicted(&self) -> u64 {
        self.reported.evicted()
    }

    fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
        let (_, service) = opened_tcp(seen)?;
        let (client, server) = (seen.client.ip(), seen.server.ip());
        if WEB.contains(&service.port)
            || !is_lasting(service)
            || site.learns()
            || !site.is_outside(server)
            || site.is_outside(client)
            || site.trusts(client, &Fact::Asks(service))
        {
            return None;
        }
        let fact = Fact::AsksOutside(service);
        let at_site = site.baselines.familiar_at_site(&fact, site.now);
        if at_site == Familiar::Known || !self.reported.first((client, service), seen.time) {
            return None;
        }
        Some(Draft {
            technique: if service.port == SSH {
                "T1572"
            } else {
                "T1571"
            },
            basis: Basis::Novelty,
            // What a second device does too may be a new service.
            confidence: if at_site == Familiar::Never {
                0.6
            } else {
                0.35
            },
            evidence: format!(
                "it uses TCP port {} of the outside host {server}; {}",
                service.port,
                if at_site == Familiar::Never {
                    "no device was seen to use this port outside of the site before"
                } else {
                    "this port was first used outside of the site a short time ago"
                }
            ),
            ..Draft::about_server(seen)
        })
    }
}
