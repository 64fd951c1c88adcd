//! Each detector by its behaviour: it finds the least attack, and is quiet about its benign twin.
//!
//! A test sets the thresholds that it depends on. All but one detector are off.

mod amounts;
mod dhcp;
mod dicom;
mod ends;
mod forged;
mod hl7;
mod neighbours;
mod network;
mod overrides;
mod routers;
mod searches;
mod shares;
mod tools;
mod ways;

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
};

use sensor_common::packet::{TCP_ACK, TCP_SYN, protocol};
use sensor_facts::{
    event::{Association, CommandCounts, CommandSummary, Hl7Message, Side},
    finding::Finding,
    observation::{FlowFacts, Half, Mac, Observation, What},
    setting::Span,
    time::Time,
};

use super::{Detect, Detectors, Value};
use crate::{
    analysis::{Analysis, AnalysisOptions, Outcome},
    config::Baseline,
};

const SECOND: i64 = 1_000_000_000;
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;
/// A Monday, days since 1970.
const MONDAY: i64 = 20_003;
/// Days in which a site is learnt, and one more.
const LEARNT: i64 = 8;

/// A host of the site.
fn host(number: u8) -> IpAddr {
    IpAddr::from([10, 77, 1, number])
}

/// A host elsewhere.
fn outside(number: u8) -> IpAddr {
    IpAddr::from([203, 0, 113, number])
}

/// A site with one detector.
struct Lab {
    analysis: Analysis,
    now: i64,
    /// Flows so far.
    flows: u64,
    /// The Ethernet address that clients' packets come from, where it is not the client's own.
    sender: Option<Mac>,
    found: Vec<Finding>,
}

impl Lab {
    /// A site of which nothing is known.
    fn new(detector: &str, set: impl FnOnce(&mut Detect)) -> Self {
        let mut detect = Detect::default();
        set_to(&mut detect, "slow_within", Span::from_secs(1));
        set(&mut detect);
        let all = Detectors::new(&Detect::default());
        assert!(all.names().any(|name| name == detector), "no {detector}");
        let others = all.names().filter(|name| *name != detector);
        detect.off = others.map(str::to_owned).collect();
        let baseline = Baseline {
            learning: Span::from_secs(7 * 86_400),
            settle: Span::from_secs(86_400),
            doubt: Span::from_secs(3_600),
            freeze: Span::from_secs(3_600),
            devices: 10_000,
        };
        Self {
            analysis: Analysis::new(AnalysisOptions {
                baseline,
                detect,
                ..AnalysisOptions::default()
            }),
            now: MONDAY * DAY,
            flows: 0,
            sender: None,
            found: Vec::new(),
        }
    }

    /// A site that did `routine` each day at 9 until its learning time was over. It is Tuesday, 10 o'clock.
    fn learnt(
        detector: &str,
        set: impl FnOnce(&mut Detect),
        mut routine: impl FnMut(&mut Self),
    ) -> Self {
        let mut lab = Self::new(detector, set);
        for day in 0..LEARNT {
            lab.at(day, 9);
            routine(&mut lab);
        }
        assert_eq!(lab.found, [], "what is done each day is no attack");
        lab.at(LEARNT, 10);
        lab
    }

    /// Sets the clock: days since the first Monday, hour.
    fn at(&mut self, day: i64, hour: i64) {
        self.now = (MONDAY + day) * DAY + hour * HOUR;
    }

    fn wait(&mut self, seconds: i64) {
        self.now += seconds * SECOND;
    }

    fn see(&mut self, client: SocketAddr, server: SocketAddr, protocol: u8, what: What) {
        let sender = self.sender.unwrap_or_else(|| mac(client.ip()));
        let macs = [sender, mac(server.ip())];
        let mut out = Outcome::default();
        let seen = Observation {
            time: Time(self.now),
            protocol,
            client,
            server,
            macs,
            what,
        };
        self.analysis.observe(&seen, &mut out);
        self.found.extend(out.findings);
    }

    /// Lets time pass until all windows are over.
    fn rest(&mut self) {
        self.wait(600);
        let mut out = Outcome::default();
        self.analysis.tick(Time(self.now), &mut out);
        self.found.extend(out.findings);
    }

    /// A port of a client, another one each time.
    fn port(&self) -> u16 {
        50_000 + u16::try_from(self.flows % 10_000).unwrap_or(0)
    }

    /// A flow that is over, after `change` to an established one of 10 packets and 2,000 bytes each way.
    fn flow(
        &mut self,
        protocol: u8,
        client: IpAddr,
        server: (IpAddr, u16),
        change: impl FnOnce(&mut FlowFacts),
    ) {
        self.flows += 1;
        let half = Half {
            packets: 10,
            bytes: 2_000,
            payload: 1_500,
            syn: u16::from(protocol == protocol::TCP),
            tcp_flags: TCP_SYN | TCP_ACK,
            ..Half::default()
        };
        let mut facts = FlowFacts {
            id: self.flows,
            over: true,
            duration: 1_000_000,
            to_server: half,
            to_client: half,
            ..FlowFacts::default()
        };
        change(&mut facts);
        let client = SocketAddr::new(client, self.port());
        let server = SocketAddr::from(server);
        self.see(client, server, protocol, What::Flow(Box::new(facts)));
    }

    /// An ordinary TCP connection.
    fn tcp(&mut self, client: IpAddr, server: IpAddr, port: u16) {
        self.flow(protocol::TCP, client, (server, port), |_| {});
    }

    /// A TCP connection that is asked for and refused.
    fn refused(&mut self, client: IpAddr, server: IpAddr, port: u16) {
        self.flows += 1;
        let client = SocketAddr::new(client, self.port());
        let server = SocketAddr::new(server, port);
        self.see(client, server, protocol::TCP, What::ConnectionRefused);
    }

    /// Something of DICOM.
    fn dicom(&mut self, client: IpAddr, server: IpAddr, what: What) {
        self.flows += 1;
        let client = SocketAddr::new(client, self.port());
        let server = SocketAddr::new(server, 11_112);
        self.see(client, server, protocol::TCP, what);
    }

    fn associate(&mut self, client: IpAddr, server: IpAddr, title: &str, implementation: &str) {
        let what = What::Association {
            calling: Some(title.to_owned()),
            called: Some("PACS".to_owned()),
            implementation: Some(implementation.to_owned()),
        };
        self.dicom(client, server, what);
    }

    fn request(&mut self, client: IpAddr, server: IpAddr, title: &str, command: u16, to: &str) {
        let what = What::Request {
            calling: Some(title.to_owned()),
            command,
            destination: (!to.is_empty()).then(|| to.to_owned()),
        };
        self.dicom(client, server, what);
    }

    /// An association is over in which these commands were used.
    fn used(&mut self, client: IpAddr, server: IpAddr, commands: &[&str]) {
        let commands = commands.iter().map(|command| CommandSummary {
            scu: Side::Requestor,
            command: (*command).to_owned(),
            sop_class: None,
            counts: CommandCounts::default(),
        });
        let association = Association {
            commands: commands.collect(),
            ..Association::default()
        };
        self.dicom(
            client,
            server,
            What::AssociationEnded(Box::new(association)),
        );
    }

    /// An HL7 message of a client; `change` makes it another.
    fn hl7(&mut self, client: (IpAddr, u16), server: IpAddr, change: impl FnOnce(&mut Hl7Message)) {
        let mut message = Hl7Message {
            to_server: true,
            sending_application: Some("LAB".to_owned()),
            sending_facility: Some("SITE".to_owned()),
            complete: true,
            ..Hl7Message::default()
        };
        change(&mut message);
        let server = SocketAddr::new(server, 2_575);
        let what = What::Hl7(Box::new(message));
        self.see(SocketAddr::from(client), server, protocol::TCP, what);
    }

    /// The server's acknowledgement of a message.
    fn ack(&mut self, client: (IpAddr, u16), server: IpAddr, control: &str, code: &str) {
        self.hl7(client, server, |message| {
            *message = Hl7Message {
                ack_code: Some(code.to_owned()),
                ack_control_id: Some(control.to_owned()),
                complete: true,
                ..Hl7Message::default()
            };
        });
    }

    /// What was found since the last time, by this detector: each with a technique, evidence and a doubt.
    fn found(&mut self) -> Vec<Finding> {
        let found = std::mem::take(&mut self.found);
        for one in &found {
            assert!(one.technique.starts_with('T') && !one.evidence.is_empty());
            assert!(!one.wrong_if.is_empty() && (0.0..=1.0).contains(&one.confidence));
        }
        found
    }

    /// Demands findings, all about `subject`; the first of them.
    fn finds(&mut self, subject: IpAddr) -> Finding {
        let found = self.found();
        let subjects: BTreeSet<IpAddr> = found.iter().map(|one| one.subject).collect();
        assert_eq!(subjects, BTreeSet::from([subject]), "{found:?}");
        found[0].clone()
    }

    /// Demands that nothing was found.
    fn is_quiet(&mut self, why: &str) {
        assert_eq!(self.found(), [], "{why}");
    }
}

fn mac(address: IpAddr) -> [u8; 6] {
    match address {
        IpAddr::V4(it) => {
            let [a, b, c, d] = it.octets();
            [2, 0, a, b, c, d]
        }
        IpAddr::V6(_) => [2, 0, 0, 0, 0, 6],
    }
}

/// Nothing to set.
fn as_it_is(_: &mut Detect) {}

/// Sets a threshold.
fn set_to(detect: &mut Detect, key: &str, value: impl Into<Value>) {
    detect.set(key, value).expect("a threshold and its value");
}
