//! ICMP redirects of who is no router of the site (RFC 792, RFC 4861 section 8): they tell a host to send what is for
//! another through the sender (ATT&CK T1557).

use std::net::IpAddr;

use sensor_facts::address::mac_text;

use crate::{baseline::is_redirect, detect::prelude::*};

pub(super) const ABOUT: About = About {
    id: "redirect",
    techniques: &["T1557"],
    finds: "ICMP redirects from an Ethernet address that is not known as a router's",
    starts: Starts::AfterLearning,
    wrong_if: &["the site was given another router, or the router's network card was replaced"],
    thresholds: &[],
    features: &[],
    new: |values| Box::new(Redirect::new(values)),
};

pub(super) struct Redirect {
    reported: Reported<(Mac, IpAddr)>,
}

impl Redirect {
    fn new(values: &Values) -> Self {
        Self {
            reported: Reported::new(values),
        }
    }
}

impl Detector for Redirect {
    fn evicted(&self) -> u64 {
        self.reported.evicted()
    }

    fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
        let What::Flow(facts) = &seen.what else {
            return None;
        };
        if !is_redirect(seen, facts) || facts.to_server.packets == 0 || site.learns() {
            return None;
        }
        let (from, told, mac) = (seen.client.ip(), seen.server.ip(), seen.macs[0]);
        if mac == [0; 6] || !self.reported.first((mac, told), seen.time) {
            return None;
        }
        // Hosts drop such a redirect, and no router sends one (RFC 4861 section 8.1).
        let forged = matches!(from, IpAddr::V6(it) if !it.is_unicast_link_local());
        if !forged && (site.routers.is_router(mac) || site.knows_at_site(&Fact::Routes(mac))) {
            return None;
        }
        if forged {
            return Some(Draft {
                confidence: 0.6,
                subject: Some(told),
                role: AttackRole::Victim,
                evidence: format!(
                    "ICMP redirects to {told} in the name of {from}: routers redirect from link-local addresses only, so they are forged; {}, from which they seem to come, may be forged too",
                    mac_text(mac).unwrap_or_default()
                ),
                ..Draft::default()
            });
        }
        let other = site.routers.other_holder(from, mac);
        let found = Draft {
            basis: if other.is_some() {
                Basis::Behaviour
            } else {
                Basis::Novelty
            },
            confidence: if other.is_some() { 0.8 } else { 0.6 },
            subject: Some(from),
            role: AttackRole::Victim,
            victims: vec![told],
            evidence: format!(
                "ICMP redirects to {told} in the name of {from}, sent from {}, which is not known as a router{}",
                mac_text(mac).unwrap_or_default(),
                other.map_or_else(String::new, |other| format!(
                    "; {from} is at {}",
                    mac_text(other).unwrap_or_default()
                ))
            ),
            ..Draft::default()
        };
        Some(site.attribute(found, Some(mac)))
    }
}
