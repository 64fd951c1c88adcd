//! Someone answers questions that are asked of all hosts of a link (LLMNR, RFC 4795; `NetBIOS` names, RFC 1002; `DHCPv6`, RFC
//! 8415) and never did before, as tools do that lead others to themselves (ATT&CK T1557.001, T1557.003).
//!
//! The questions go to a group or to everyone and the answers to one host, so an answer is a flow of its own to which nothing
//! is said back.

use std::net::SocketAddr;

use sensor_common::packet::protocol;

use crate::baseline::answers_to_all;
use crate::detect::prelude::*;

pub(super) const ABOUT: About = About {
    id: "new_answerer",
    techniques: &["T1557.001", "T1557.003"],
    finds: "a host that never did so answers name questions (LLMNR, NetBIOS) or DHCPv6 questions that were asked of all",
    starts: Starts::AfterLearning,
    wrong_if: &[
        "a new server is asked for by its name by several clients, or the site was given another DHCPv6 server",
    ],
    thresholds: THRESHOLDS,
    features: &[],
    new: |values| Box::new(NewAnswerer::new(values)),
};

thresholds! {
    /// This many answers within `new_answers_within` of a host that was not seen to answer such questions before.
    new_answers: count = 3, 1..=1_024;
    /// The time in which answers are counted.
    new_answers_within: seconds = 600, 1..=86_400;
}

/// Where `DHCPv6` servers answer from.
const DHCPV6: u16 = 547;
/// Answers of one flow that are counted.
const COUNTED: u64 = 64;

pub(super) struct NewAnswerer {
    answers: Window<(SocketAddr, u64)>,
}

impl NewAnswerer {
    fn new(values: &Values) -> Self {
        let own = Thresholds::of(values);
        Self {
            answers: Window::new(own.new_answers_within, own.new_answers),
        }
    }
}

impl Detector for NewAnswerer {
    fn evicted(&self) -> u64 {
        self.answers.evicted()
    }

    fn observe(&mut self, seen: &Observation, site: &Site<'_>) -> Option<Draft> {
        let What::Flow(facts) = &seen.what else {
            return None;
        };
        let (from, to, packets) = answers_to_all(seen, facts)?;
        let service = Service {
            transport: Transport::of(protocol::UDP)?,
            port: from.port(),
        };
        if site.learns() || site.trusts(from.ip(), &Fact::Offers(service)) {
            return None;
        }
        let mut found = None;
        for number in 0..packets.min(COUNTED) {
            let all = self
                .answers
                .add(site.who(from.ip()), (to, number), seen.time);
            found = all.or(found);
        }
        let all = found?;
        let mut clients: Vec<_> = all.iter().map(|(to, _)| to.ip()).collect();
        clients.dedup();
        let (technique, what) = match service.port {
            DHCPV6 => ("T1557.003", "DHCPv6"),
            5_355 => ("T1557.001", "LLMNR"),
            _ => ("T1557.001", "NetBIOS name"),
        };
        Some(Draft {
            technique,
            basis: Basis::Novelty,
            confidence: if clients.len() > 1 { 0.7 } else { 0.6 },
            subject: Some(from.ip()),
            evidence: format!(
                "{} answers to {what} questions of {} within {} s; it was not seen to answer such questions before",
                all.len(),
                several(clients.len() as u64, "hosts"),
                self.answers.took()
            ),
            victims: clients,
            ..Draft::default()
        })
    }
}
