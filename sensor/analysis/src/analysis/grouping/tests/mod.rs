//! Histories of attacks, made of findings and flows as the pipeline makes them.

mod attacks;
mod people;
mod rules;

use std::net::{IpAddr, SocketAddr};

use sensor_facts::{
    alert::Severity,
    finding::{AttackRole, Basis, Finding, Origin},
    incident::{Change, Incident},
    observation::{FlowFacts, Half, Observation, What},
    rule::Actor,
    setting::Span,
    target::{Service, Transport},
    time::Time,
};

use crate::{
    analysis::{Analysis, AnalysisOptions, Outcome},
    config::{Baseline, Grouping},
    detect::{Detect, Detectors},
    incident::IncidentUpdate,
};

const MINUTE: i64 = 60_000_000_000;
const DAY: i64 = 1_440 * MINUTE;
/// The day on which the histories play: the site was learnt before.
const TODAY: i64 = 20_010 * DAY;

/// A host of the site.
pub(super) const fn host(number: u8) -> IpAddr {
    IpAddr::V4(std::net::Ipv4Addr::new(10, 77, 1, number))
}

/// A host outside.
pub(super) const fn outside(number: u8) -> IpAddr {
    IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, number))
}

/// Everyone uses it.
pub(super) const ARCHIVE: IpAddr = host(10);
/// Everyone asks it.
pub(super) const DNS: IpAddr = host(1);

/// A hospital whose usual work was learnt.
pub(super) struct Ward {
    pub(super) analysis: Analysis,
    pub(super) told: Vec<IncidentUpdate>,
    flows: u64,
    findings: u64,
}

pub(super) fn person() -> Actor {
    Actor::Person {
        uid: 1_000,
        name: Some("ann".to_owned()),
    }
}

impl Ward {
    pub(super) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(super) fn with(set: impl FnOnce(&mut Grouping)) -> Self {
        let all = Detectors::new(&Detect::default());
        let mut options = AnalysisOptions {
            baseline: Baseline {
                learning: Span::from_secs(86_400),
                ..Baseline::default()
            },
            ..AnalysisOptions::default()
        };
        options.detect.off = all.names().map(str::to_owned).collect();
        options.alert.budget = 1_000;
        set(&mut options.incident);
        let mut ward = Self {
            analysis: Analysis::new(options),
            told: Vec::new(),
            flows: 0,
            findings: 0,
        };
        // Three days of ordinary work: eight workstations at the archive and the DNS server.
        for day in -3..0 {
            for number in 20..28 {
                ward.flow(day * 1_440, host(number), ARCHIVE, 104);
                ward.flow(day * 1_440, host(number), DNS, 53);
            }
        }
        ward
    }

    fn time(minute: i64) -> Time {
        Time(TODAY + 600 * MINUTE + minute * MINUTE)
    }

    /// A connection in which both ends said something, so many minutes after 10 o'clock.
    pub(super) fn flow(&mut self, minute: i64, client: IpAddr, server: IpAddr, port: u16) {
        self.flows += 1;
        let half = |packets| Half {
            packets,
            bytes: 1_000,
            payload: 500,
            syn: 1,
            ..Half::default()
        };
        self.see(
            minute,
            client,
            (server, port),
            What::Flow(Box::new(FlowFacts {
                id: self.flows,
                over: true,
                to_server: half(6),
                to_client: half(5),
                ..FlowFacts::default()
            })),
        );
    }

    /// A DICOM association under a title.
    pub(super) fn associate(&mut self, minute: i64, client: IpAddr, title: &str) {
        let what = What::Association {
            calling: Some(title.to_owned()),
            called: Some("PACS".to_owned()),
            implementation: None,
        };
        self.see(minute, client, (ARCHIVE, 104), what);
    }

    fn see(&mut self, minute: i64, client: IpAddr, server: (IpAddr, u16), what: What) {
        let mut out = Outcome::default();
        let seen = Observation {
            time: Self::time(minute),
            protocol: 6,
            client: SocketAddr::new(client, 40_000),
            server: SocketAddr::new(server.0, server.1),
            macs: [[0; 6]; 2],
            what,
        };
        self.analysis.observe(&seen, &mut out);
        self.told.extend(out.incidents);
    }

    /// A finding of high confidence.
    pub(super) fn find(&mut self, minute: i64, who: IpAddr, technique: &str, whom: &[IpAddr]) {
        self.take(minute, finding(who, technique, whom));
    }

    /// A finding with all of its details.
    pub(super) fn take(&mut self, minute: i64, mut finding: Finding) {
        self.findings += 1;
        finding.id = self.findings;
        finding.time = Self::time(minute);
        let mut out = Outcome::default();
        let update = self.analysis.alerts.take(finding.clone(), false, 10);
        self.analysis.group(&finding, &mut out);
        out.alerts.extend(update);
        self.told.extend(out.incidents);
    }

    pub(super) fn wait_until(&mut self, minute: i64) {
        let mut out = Outcome::default();
        self.analysis.tick(Self::time(minute), &mut out);
        self.told.extend(out.incidents);
    }

    pub(super) fn open(&self) -> Vec<&Incident> {
        let all = self.analysis.incidents().all();
        let mut all: Vec<&Incident> = all.filter(|one| one.is_open()).collect();
        all.sort_by_key(|one| one.id);
        all
    }

    /// The suspects of each open incident, the first affected first.
    pub(super) fn suspects(&self) -> Vec<Vec<IpAddr>> {
        let sorted = |one: &&Incident| {
            let mut suspects = one.suspects();
            suspects.sort_by_key(|device| (Some(*device) != one.first_affected, *device));
            suspects
        };
        self.open().iter().map(sorted).collect()
    }

    pub(super) fn changes(&self, id: u64) -> Vec<Change> {
        let of = self.told.iter().filter(|one| one.incident.id == id);
        of.map(|one| one.change).collect()
    }
}

pub(super) fn finding(who: IpAddr, technique: &str, whom: &[IpAddr]) -> Finding {
    Finding {
        id: 1,
        time: Time::default(),
        detector: format!("detector of {technique}"),
        technique: technique.to_owned(),
        basis: Basis::Behaviour,
        confidence: 0.85,
        subject: who,
        role: AttackRole::Suspect,
        victims: whom.to_vec(),
        victim_count: whom.len() as u64,
        service: Some(Service {
            transport: Transport::Tcp,
            port: 445,
        }),
        offered: None,
        connection: None,
        evidence: format!("{technique} by {who}"),
        features: Vec::new(),
        wrong_if: "it is a test".to_owned(),
        origin: Origin::Confirmed,
        sender_mac: None,
    }
}

pub(super) fn victim(who: IpAddr, technique: &str) -> Finding {
    Finding {
        role: AttackRole::Victim,
        ..finding(who, technique, &[])
    }
}

pub(super) fn weak(who: IpAddr, technique: &str, whom: &[IpAddr]) -> Finding {
    Finding {
        confidence: 0.55,
        ..finding(who, technique, whom)
    }
}

#[test]
fn severities_of_the_findings_here() {
    assert_eq!(Severity::of(0.85, false), Severity::High);
    assert_eq!(Severity::of(0.55, false), Severity::Low);
}
