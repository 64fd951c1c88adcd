//! Someone uses up the addresses of a DHCP server, before he takes its place (ATT&CK T1499).

use std::{
    net::{IpAddr, Ipv4Addr},
    num::NonZeroUsize,
};

use sensor_facts::{
    address::mac_text,
    infrastructure::dhcp,
    observation::{Asked, DhcpFacts},
};

use crate::detect::counted::CountedLru;
use crate::detect::{
    fair::{Who, key},
    prelude::*,
};

pub(super) const ABOUT: About = About {
    id: "dhcp_starvation",
    techniques: &["T1499"],
    finds: "many clients unknown before ask for an address by DHCP in a short time, or several from one Ethernet address",
    starts: Starts::AtOnce,
    wrong_if: &[MANY, BEHIND],
    thresholds: THRESHOLDS,
    features: &[],
    new: |values| Box::new(DhcpStarvation::new(values)),
};

thresholds! {
    /// This many clients that never asked before ask for an address by DHCP within `dhcp_starvation_within`.
    dhcp_starvation_clients: count = 100, 6..=1_024;
    /// The same for clients that never asked before and for which one Ethernet address asks that is not theirs: servers try
    /// an address out for seconds before they offer it, so who takes one after the other is slow.
    dhcp_starvation_from_one: count = 4, 2..=1_024;
    /// The time in which they are counted.
    dhcp_starvation_within: seconds = 60, 1..=86_400;
}

const MANY: &str =
    "many devices that the sensor never saw were switched on at once, as after a loss of power";
const BEHIND: &str = "it is a wireless repeater or a host of virtual machines, which asks for others from its own Ethernet address";

/// Clients that are remembered.
const CLIENTS: NonZeroUsize = NonZeroUsize::new(16_384).expect("it is not zero");

pub(super) struct DhcpStarvation {
    known: CountedLru<Mac, ()>,
    all: Window<Mac>,
    /// By the Ethernet address that asks for them.
    from: Window<Mac>,
    /// The server that answered last.
    server: Option<IpAddr>,
}

impl DhcpStarvation {
    fn new(values: &Values) -> Self {
        let own = Thresholds::of(values);
        let (within, clients) = (own.dhcp_starvation_within, own.dhcp_starvation_clients);
        Self {
            known: CountedLru::new(CLIENTS),
            all: Window::new(within, clients),
            from: Window::new(within, own.dhcp_starvation_from_one),
            server: None,
        }
    }

    fn ask(&mut self, facts: &DhcpFacts, now: Time) -> Option<Draft> {
        let frame = facts.frame_mac;
        let is_new = self.known.put(facts.client_mac, ()).is_none();
        let of_one = if facts.client_mac == frame || !is_new {
            None
        } else {
            self.from
                .add(Who::unconfirmed(key(frame)), facts.client_mac, now)
        };
        let of_all = if is_new {
            self.all
                .add(Who::unconfirmed(key([0; 6])), facts.client_mac, now)
        } else {
            None
        };
        let sender = mac_text(frame).unwrap_or_default();
        if let Some(clients) = of_one {
            return Some(Draft {
                confidence: 0.8,
                evidence: format!(
                    "{sender} asked by DHCP within {} s for the addresses of {} clients with other Ethernet addresses, which never asked before",
                    self.from.took(),
                    clients.len()
                ),
                wrong_if: BEHIND,
                ..Draft::default()
            });
        }
        of_all.map(|clients| Draft {
            confidence: 0.6,
            evidence: format!(
                "{} clients that never asked before asked for an address by DHCP within {} s, the last from {sender}",
                clients.len(),
                self.all.took()
            ),
            wrong_if: MANY,
            ..Draft::default()
        })
    }
}

impl Detector for DhcpStarvation {
    fn evicted(&self) -> u64 {
        self.known.evicted() + self.all.evicted() + self.from.evicted()
    }

    fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
        let What::Dhcp(facts) = &seen.what else {
            return None;
        };
        if facts.reply {
            if facts.asked == Asked::Yes {
                let name = facts.server.map_or(seen.client.ip(), IpAddr::V4);
                self.server = Some(name).filter(|name| is_host(*name)).or(self.server);
            }
            return None;
        }
        // A relay agent asks for many.
        let asks = matches!(facts.kind, dhcp::DISCOVER | dhcp::REQUEST | 0);
        if !asks || !facts.relay.is_unspecified() {
            return None;
        }
        let mut found = self.ask(facts, seen.time)?;
        found.role = AttackRole::Victim;
        let named = facts.server.map(IpAddr::V4);
        let meant = Some(seen.server.ip()).filter(|address| is_host(*address));
        let everyone = IpAddr::V4(Ipv4Addr::BROADCAST);
        found.subject = Some(self.server.or(named).or(meant).unwrap_or(everyone));
        let asker = (found.wrong_if == BEHIND).then_some(facts.frame_mac);
        Some(site.attribute(found, asker))
    }
}
