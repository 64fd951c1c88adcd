//! Host sweeps: many hosts asked by ICMP echo that were not talked to before, or by ARP and not there
//! (ATT&CK T1018).

use std::{collections::VecDeque, net::IpAddr, num::NonZeroUsize};

use sensor_facts::{
    address::mac_text,
    observation::{Asked, FlowFacts},
};

use crate::detect::counted::CountedLru;
use crate::{baseline::asks_all, detect::prelude::*};

pub(super) const ABOUT: About = About {
    id: "sweep",
    techniques: &["T1018"],
    finds: "ICMP echo to many unknown hosts or to all of a link at once, or ARP requests for many addresses at which no host is",
    starts: Starts::AtOnce,
    wrong_if: &[MORE_HOSTS, ROUTER, ALL],
    thresholds: THRESHOLDS,
    features: &[Feature::Peers, Feature::Flows],
    new: |values| Box::new(Sweep::new(values)),
};

thresholds! {
    /// This many hosts that were never talked to before and are asked by ICMP echo, or addresses without a host that
    /// are asked for by ARP, within `sweep_within`, count as a sweep.
    sweep_hosts: count = 15, 1..=1_024;
    /// The time in which hosts that are asked by ICMP echo or ARP are counted; ICMP echo also within `slow_within`.
    sweep_within: seconds = 60, 1..=86_400;
    /// A host that is there has answered an ARP request within this time.
    sweep_answer: seconds = 1, 1..=60;
    /// An address at which a host was seen within this time belongs to a host that is switched off: ARP requests for it
    /// do not count.
    sweep_recently: seconds = 86_400, 60..=30 * 86_400;
}

const MORE_HOSTS: &str = "a monitoring system was given more hosts to watch";
const ROUTER: &str = "it is a router through which another host searches, or a monitoring system was given more hosts to watch";

const ALL: &str = "an administrator or a program looks which hosts are there";

/// Echo request: RFC 792, RFC 4443.
const ECHO: [u16; 2] = [8, 128];
/// ARP requests that wait for their answer.
const WAITING: usize = 8_192;
/// Addresses that were seen to be there.
const THERE: NonZeroUsize = NonZeroUsize::new(16_384).expect("it is not zero");
/// DHCP servers that are remembered, and for how long after their last answer, nanoseconds.
const SERVERS: NonZeroUsize = NonZeroUsize::new(64).expect("it is not zero");
const SERVES: i64 = 60 * 1_000_000_000;

/// Who asked for whom by ARP, and when.
struct Question {
    time: Time,
    client: IpAddr,
    mac: Mac,
    /// Source of the Ethernet header.
    frame_mac: Mac,
    target: IpAddr,
}

/// Someone asked for many who are not there.
struct Unanswered {
    client: IpAddr,
    /// Who sent the last of them.
    sender: Mac,
    router: bool,
    asked: Vec<IpAddr>,
}

pub(super) struct Sweep {
    echo: Window<IpAddr>,
    slow: Window<IpAddr>,
    arp: Window<IpAddr>,
    /// The first first.
    waiting: VecDeque<Question>,
    there: CountedLru<IpAddr, Time>,
    /// DHCP servers, and when they answered last: they look whether an address is free before they offer it.
    serves: CountedLru<IpAddr, Time>,
    /// Who asked all hosts of a link.
    all: Reported<IpAddr>,
    /// How long an answer takes at most, and how long a host may be off, nanoseconds.
    answer: i64,
    recently: i64,
}

impl Sweep {
    fn new(values: &Values) -> Self {
        let (own, shared) = (Thresholds::of(values), shared::Thresholds::of(values));
        let window = || Window::new(own.sweep_within, own.sweep_hosts);
        Self {
            echo: window(),
            slow: Window::new(shared.slow_within, own.sweep_hosts),
            arp: window(),
            waiting: VecDeque::new(),
            there: CountedLru::new(THERE),
            serves: CountedLru::new(SERVERS),
            all: Reported::new(values),
            answer: own.sweep_answer.as_nanos().cast_signed(),
            recently: own.sweep_recently.as_nanos().cast_signed(),
        }
    }

    fn is_there(&self, address: IpAddr, now: Time) -> bool {
        self.there
            .peek(&address)
            .is_some_and(|last| now.0.saturating_sub(last.0) < self.recently)
    }

    /// What the ARP requests came to that should have been answered by now.
    fn unanswered(&mut self, now: Time, site: &Site<'_>) -> Option<Unanswered> {
        let mut found = None;
        while let Some(question) = self.waiting.front()
            && now.0.saturating_sub(question.time.0) > self.answer
            && let Some(question) = self.waiting.pop_front()
        {
            let target = question.target;
            // A gateway asks for hosts that were there and are off now.
            if self.is_there(target, now) || is_known(target, site) {
                continue;
            }
            if let Some(asked) = self
                .arp
                .add(site.who(question.client), target, question.time)
            {
                found = Some(Unanswered {
                    client: question.client,
                    sender: question.frame_mac,
                    router: site.routers.is_router(question.mac),
                    asked,
                });
            }
        }
        found
    }

    /// Takes echo requests to all hosts of a link: each that answers is found.
    fn everyone(
        &mut self,
        seen: &Observation,
        facts: &FlowFacts,
        site: &Site<'_>,
    ) -> Option<Draft> {
        let (client, group) = (seen.client.ip(), seen.server.ip());
        if site.learns()
            || site.trusts(client, &Fact::EchoesAll)
            || !self.all.first(client, seen.time)
        {
            return None;
        }
        Some(Draft {
            confidence: 0.6,
            evidence: format!(
                "ICMP echo to all hosts of the link at once ({group}, {}), which it was not seen to do before",
                several(facts.to_server.packets, "packets")
            ),
            wrong_if: ALL,
            ..Draft::default()
        })
    }

    fn of(&self, unanswered: Unanswered) -> Draft {
        let Unanswered {
            client,
            sender,
            router,
            asked,
        } = unanswered;
        let sender = mac_text(sender).unwrap_or_default();
        let who = if router {
            ", by a router, through which someone else may search"
        } else {
            ""
        };
        Draft {
            // Whoever searches through a router is seen by other signs, at his own address.
            confidence: if router { 0.3 } else { 0.8 },
            subject: Some(client),
            evidence: format!(
                "ARP requests of {sender} for {} addresses within {} s at which there is no host{who}",
                asked.len(),
                self.arp.took()
            ),
            victims: asked,
            wrong_if: ROUTER,
            ..Draft::default()
        }
    }
}

/// True for a device of which something is learnt: it has answered.
fn is_known(address: IpAddr, site: &Site<'_>) -> bool {
    let device = site.baselines.device(address);
    device.is_some_and(|device| !device.items().is_empty())
}

/// Hosts that were asked by ICMP echo.
fn asked_for(hosts: Vec<IpAddr>, seconds: i64) -> Draft {
    Draft {
        confidence: 0.8,
        evidence: format!(
            "ICMP echo to {} hosts within {seconds} s that it did not talk to before",
            at_least(hosts.len())
        ),
        victims: hosts,
        ..Draft::default()
    }
}

impl Detector for Sweep {
    fn evicted(&self) -> u64 {
        self.echo.evicted()
            + self.slow.evicted()
            + self.arp.evicted()
            + self.there.evicted()
            + self.serves.evicted()
            + self.all.evicted()
    }

    fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
        let (client, server) = (seen.client.ip(), seen.server.ip());
        let unanswered = self.unanswered(seen.time, site);
        let echo = match &seen.what {
            What::Flow(facts) => {
                if facts.to_client.packets > 0 {
                    self.there.put(server, seen.time);
                }
                facts.icmp_type.is_some_and(|kind| ECHO.contains(&kind))
            }
            What::Arp(arp) => {
                if is_host(client) {
                    self.there.put(client, seen.time);
                }
                // Who announces itself asks for nobody.
                let offers = self
                    .serves
                    .peek(&client)
                    .is_some_and(|last| seen.time.0.saturating_sub(last.0) <= SERVES);
                let asks = arp.request && is_host(client) && client != server && !offers;
                if asks && self.waiting.len() < WAITING {
                    self.waiting.push_back(Question {
                        time: seen.time,
                        client,
                        mac: arp.sender_mac,
                        frame_mac: arp.frame_mac,
                        target: server,
                    });
                }
                false
            }
            What::Dhcp(dhcp) if dhcp.reply && dhcp.asked == Asked::Yes => {
                self.serves.put(client, seen.time);
                false
            }
            _ => false,
        };
        if let Some(unanswered) = unanswered {
            return Some(self.of(unanswered));
        }
        if let What::Flow(facts) = &seen.what
            && asks_all(seen, facts)
        {
            return self.everyone(seen, facts, site);
        }
        if !echo || server.is_multicast() || site.knows(client, &Fact::Peer(server)) {
            return None;
        }
        let slow = self.slow.add(site.who(client), server, seen.time);
        let fast = self.echo.add(site.who(client), server, seen.time);
        let seconds = if fast.is_some() {
            self.echo.took()
        } else {
            self.slow.took()
        };
        fast.or(slow).map(|asked| asked_for(asked, seconds))
    }

    fn settled(&mut self, site: &Site<'_>) -> Vec<(Time, Draft)> {
        let windows = [&mut self.echo, &mut self.slow];
        let all = windows.into_iter().flat_map(|one| one.settled(site.now));
        let draft =
            |one: Settled<IpAddr>| (one.time, asked_for(one.things, one.took).by(one.suspect));
        largest(all).into_iter().map(draft).collect()
    }
}
