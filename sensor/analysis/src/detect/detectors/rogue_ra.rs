//! IPv6 router advertisements of who is no router of the site (RFC 4861 section 6; ATT&CK T1557).

use std::fmt::Write;

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv6Addr},
};

use sensor_facts::{
    address::mac_text,
    observation::{Prefix, RouterFacts},
};

use crate::detect::{fair::Who, prelude::*};

pub(super) const ABOUT: About = About {
    id: "rogue_ra",
    techniques: &["T1557"],
    finds: "an IPv6 router advertisement of who was no router before, or in the name of another router",
    starts: Starts::AtOnce,
    wrong_if: &[NEW, FORGED],
    thresholds: THRESHOLDS,
    features: &[],
    new: |values| Box::new(RogueRa::new(values)),
};

thresholds! {
    /// This many new routers within `rogue_ra_within` are told of in one finding, as they are a flood with forged sources.
    rogue_ra_routers: count = 8, 2..=1_024;
    /// The time in which new routers are counted.
    rogue_ra_within: seconds = 60, 1..=86_400;
}

const NEW: &str = "the site was given another IPv6 router, or IPv6 was switched on at one";
const FORGED: &str = "the router's network card was replaced, or a pair of routers takes over from each other without an Ethernet address of its own";

/// Routers that are remembered; nobody makes others forgotten.
const ROUTERS: usize = 64;
/// Prefixes and name servers that are remembered of a router.
const SAID: usize = 32;
/// A router advertises itself at least this often, nanoseconds (`MaxRtrAdvInterval`, RFC 4861 section 6.2.1).
const INTERVAL: i64 = 1_800 * 1_000_000_000;
/// The bits of the preference in the flags, and a high one (RFC 4191 section 2.2).
const PREFERENCE: u8 = 0x18;
const HIGH: u8 = 0x08;

/// A router that advertised itself.
struct Router {
    address: IpAddr,
    mac: Mac,
    last: Time,
    said: BTreeSet<IpAddr>,
}

pub(super) struct RogueRa {
    /// When the first observation was.
    begin: Option<Time>,
    routers: Vec<Router>,
    reported: Reported<(IpAddr, Mac)>,
    lately: Window<Ipv6Addr>,
    /// When there were too many to name each.
    flooded: Option<Time>,
}

/// What hosts would use, of an advertisement.
fn said(facts: &RouterFacts) -> impl Iterator<Item = IpAddr> {
    let prefixes = facts.prefixes.iter().filter(|one| one.valid > 0);
    let prefixes = prefixes.map(|one| one.address.into());
    prefixes.chain(facts.name_servers.iter().map(|it| IpAddr::from(*it)))
}

/// The advertisement, for people.
fn words(facts: &RouterFacts) -> String {
    let mac = mac_text(facts.frame_mac).unwrap_or_default();
    let mut text = format!("{} advertises itself from {mac}", facts.source);
    if let Some(link) = facts.link.filter(|link| *link != facts.frame_mac) {
        let _ = write!(text, " as {}", mac_text(link).unwrap_or_default());
    }
    if facts.lifetime == 0 {
        text += ", not as default router";
    } else {
        let _ = write!(text, ", as default router for {} s", facts.lifetime);
    }
    if facts.flags & PREFERENCE == HIGH {
        text += " before all others";
    }
    let prefix = |one: &Prefix| format!("{}/{}", one.address, one.length);
    let prefixes: Vec<String> = facts.prefixes.iter().map(prefix).collect();
    if !prefixes.is_empty() {
        let _ = write!(text, ", with the prefix {}", prefixes.join(" and "));
    }
    let servers: Vec<String> = facts.name_servers.iter().map(ToString::to_string).collect();
    if !servers.is_empty() {
        let _ = write!(text, ", with the name server {}", servers.join(" and "));
    }
    text
}

impl RogueRa {
    fn new(values: &Values) -> Self {
        let own = Thresholds::of(values);
        Self {
            begin: None,
            routers: Vec::new(),
            reported: Reported::new(values),
            lately: Window::new(own.rogue_ra_within, own.rogue_ra_routers),
            flooded: None,
        }
    }

    /// Another is known at the advertisement's source.
    fn forged(&self, facts: &RouterFacts, site: &Site<'_>) -> Option<Draft> {
        let (address, mac) = (IpAddr::V6(facts.source), facts.frame_mac);
        let mut known = self.routers.iter().filter(|one| one.address == address);
        if known.clone().any(|one| one.mac == mac) {
            return None;
        }
        let lately = |one: &&Router| site.now.0.saturating_sub(one.last.0) <= INTERVAL;
        let router = known.find(lately).map(|one| one.mac);
        let other = router.or_else(|| site.routers.other_holder(address, mac))?;
        Some(Draft {
            confidence: 0.8,
            subject: Some(address),
            role: AttackRole::Victim,
            evidence: format!(
                "{}; that address is at {}",
                words(facts),
                mac_text(other).unwrap_or_default()
            ),
            wrong_if: FORGED,
            ..Draft::default()
        })
    }

    /// A router that was none before.
    fn new_router(&self, facts: &RouterFacts, site: &Site<'_>) -> Option<Draft> {
        let (address, mac) = (IpAddr::V6(facts.source), facts.frame_mac);
        let here = |one: &Router| one.address == address && one.mac == mac;
        if self.routers.iter().any(here) || site.knows_at_site(&Fact::Advertises(address, mac)) {
            return None;
        }
        let others = !self.routers.is_empty();
        let is_said = |it: IpAddr| self.routers.iter().any(|one| one.said.contains(&it));
        let differs = facts.flags & PREFERENCE == HIGH || said(facts).any(|it| !is_said(it));
        let began = self.begin.unwrap_or(site.now);
        let late = site.now.0.saturating_sub(began.0) > INTERVAL;
        let (confidence, basis, why) = if !site.learns() {
            (0.8, Basis::Novelty, "it was no router before")
        } else if others && differs {
            (0.6, Basis::Behaviour, "the other routers say otherwise")
        } else if late {
            (0.5, Basis::Novelty, "there was none of it before")
        } else if site.routers.is_router(mac) {
            return None;
        } else {
            (
                0.3,
                Basis::Novelty,
                "the sensor does not know it as a router yet",
            )
        };
        Some(Draft {
            basis,
            confidence,
            evidence: format!("{}; {why}", words(facts)),
            wrong_if: NEW,
            ..Draft::default()
        })
    }

    fn learn(&mut self, facts: &RouterFacts, now: Time) {
        let (address, mac) = (IpAddr::V6(facts.source), facts.frame_mac);
        let here = |one: &Router| one.address == address && one.mac == mac;
        let at = self.routers.iter().position(here);
        if at.is_none() && self.routers.len() < ROUTERS {
            self.routers.push(Router {
                address,
                mac,
                last: now,
                said: BTreeSet::new(),
            });
        }
        if let Some(router) = self.routers.iter_mut().find(|one| here(one)) {
            router.last = now;
            for it in said(facts) {
                if router.said.len() < SAID {
                    router.said.insert(it);
                }
            }
        }
    }
}

impl Detector for RogueRa {
    fn evicted(&self) -> u64 {
        self.reported.evicted() + self.lately.evicted()
    }

    fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
        self.begin.get_or_insert(seen.time);
        let What::RouterAdvertisement(facts) = &seen.what else {
            return None;
        };
        let found = self
            .forged(facts, site)
            .or_else(|| self.new_router(facts, site));
        // Who speaks in another's name, or was found to be none, is no router to compare others with.
        let doubtful = found.as_ref().is_some_and(|draft| draft.confidence >= 0.5);
        if !doubtful {
            self.learn(facts, seen.time);
        }
        let found = found?;
        let subject = found.subject.unwrap_or(seen.client.ip());
        if !self.reported.first((subject, facts.frame_mac), seen.time) {
            return None;
        }
        // Nobody has so many routers: that they are, one finding says, and it accuses none of them.
        let everyone = Who::unconfirmed(seen.server.ip());
        let many = self.lately.add(everyone, facts.source, seen.time);
        if let Some(all) = many {
            self.flooded = Some(seen.time);
            return Some(Draft {
                confidence: 0.8,
                subject: Some(seen.server.ip()),
                role: AttackRole::Victim,
                evidence: format!(
                    "{} new routers advertise themselves within {} s, the last {} from {}: forged sources, as one link has few routers",
                    all.len(),
                    self.lately.took(),
                    facts.source,
                    mac_text(facts.frame_mac).unwrap_or_default()
                ),
                wrong_if: NEW,
                ..Draft::default()
            });
        }
        let flooded = self
            .flooded
            .is_some_and(|time| seen.time.0.saturating_sub(time.0) <= INTERVAL);
        (!flooded).then_some(found)
    }
}
