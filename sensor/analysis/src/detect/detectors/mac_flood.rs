//! Very many Ethernet addresses that were never seen send within seconds: forged sources, which fill a switch's table so that
//! it sends everything everywhere (ATT&CK T1557).

use std::{
    net::{IpAddr, Ipv4Addr},
    num::NonZeroUsize,
};

use sensor_facts::address::mac_text;

use crate::detect::counted::CountedLru;
use crate::detect::{fair::Who, prelude::*, routers::senders};

pub(super) const ABOUT: About = About {
    id: "mac_flood",
    techniques: &["T1557"],
    finds: "very many unknown Ethernet addresses send within seconds and get no answer",
    starts: Starts::AfterLearning,
    wrong_if: &["the mirror was given another network, of which it shows one direction only"],
    thresholds: THRESHOLDS,
    features: &[],
    new: |values| Box::new(MacFlood::new(values)),
};

thresholds! {
    /// This many Ethernet addresses that were never seen and get no answer, within `mac_flood_within`, are forged.
    mac_flood_addresses: count = 100, 8..=1_024;
    /// The time in which they are counted.
    mac_flood_within: seconds = 10, 1..=3_600;
}

/// Ethernet addresses that are remembered.
const KNOWN: NonZeroUsize = NonZeroUsize::new(65_536).expect("it is not zero");

pub(super) struct MacFlood {
    known: CountedLru<Mac, ()>,
    lately: Window<Mac>,
}

impl MacFlood {
    fn new(values: &Values) -> Self {
        let own = Thresholds::of(values);
        Self {
            known: CountedLru::new(KNOWN),
            lately: Window::new(own.mac_flood_within, own.mac_flood_addresses),
        }
    }

    /// The Ethernet address that sends, if nothing was said back, and a proof that one is there, if it was.
    fn sender(seen: &Observation) -> Option<(Mac, bool)> {
        match &seen.what {
            What::Flow(facts) => {
                let answered = facts.established(seen.protocol);
                let (mac, _) = senders(seen).into_iter().flatten().next()?;
                Some((mac, answered))
            }
            What::Arp(_) | What::Neighbour(_) | What::Dhcp(_) => {
                Some((seen.what.frame_mac(), false)).filter(|(mac, _)| *mac != [0; 6])
            }
            _ => None,
        }
    }
}

impl Detector for MacFlood {
    fn evicted(&self) -> u64 {
        self.known.evicted() + self.lately.evicted()
    }

    fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
        let (mac, answered) = Self::sender(seen)?;
        let is_new = self.known.put(mac, ()).is_none();
        if !is_new || answered || site.learns() {
            return None;
        }
        let everyone = IpAddr::V4(Ipv4Addr::BROADCAST);
        let all = self
            .lately
            .add(Who::unconfirmed(everyone), mac, seen.time)?;
        Some(Draft {
            confidence: 0.8,
            subject: Some(everyone),
            role: AttackRole::Victim,
            evidence: format!(
                "{} Ethernet addresses that were never seen before sent within {} s and got no answer, the last {}: forged sources, as they fill a switch's table so that it sends everything everywhere",
                all.len(),
                self.lately.took(),
                mac_text(mac).unwrap_or_default()
            ),
            ..Draft::default()
        })
    }
}
