//! Detectors, baselines and alerts over whole captures, and what people's labels do.

#[path = "analysed/mod.rs"]
mod analysed;
#[path = "captures/mod.rs"]
mod captures;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
    path::Path,
};

use sensor_analysis::{
    Analysis, AnalysisOptions, Outcome,
    baseline::{Fact, Familiar},
};
use sensor_facts::{
    alert::{Label, LabelError, Verdict},
    finding::Finding,
    observation::{ArpFacts, FlowFacts, Half, Observation, What},
    rule::Actor,
    time::Time,
};

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;

/// What the laboratory did: patient data in clear text, invented times, the same messages again and again.
const LABORATORY: [&str; 3] = ["clear_text", "time_skew", "hl7_replay"];

/// All findings of a capture.
fn findings(path: &Path) -> Vec<Finding> {
    analysed::analysed(path).2.findings
}

fn detectors(path: &Path) -> BTreeMap<String, BTreeSet<IpAddr>> {
    let mut found: BTreeMap<String, BTreeSet<IpAddr>> = BTreeMap::new();
    for finding in findings(path) {
        found
            .entry(finding.detector)
            .or_default()
            .insert(finding.subject);
    }
    found
}

#[test]
fn attacks_in_captures_are_found() {
    let Some(root) = captures::root() else { return };
    let cases = [
        ("attacks/evilfingers-TCP_SYN_SCAN.pcap", "scan"),
        ("attacks/evilfingers-TCP_CONNECT_SCAN.pcap", "scan"),
        ("attacks/evilfingers-UDP_SCAN.pcap", "scan"),
        ("attacks/ppa-ftp-crack.pcap", "brute_force"),
        ("attacks/joy-hydra-ssh.pcap", "brute_force"),
        ("attacks/esnet-masscan-tcp.pcap", "scan"),
        ("attacks/stopddos-synflood-spoofed.pcap", "flood"),
        ("attacks/slips-icmp-sweep.pcap", "sweep"),
        ("attacks/pcaphunt-hs-icmpScan.pcap", "sweep"),
        ("attacks/stopddos-amp-snmp.pcapng", "flood"),
        ("attacks/slips-arpscan.pcap", "sweep"),
        ("attacks/chriss-arppoison.pcapng", "arp_spoof"),
        ("attacks/labcap/lab-dicom-portscan-aebrute.pcap", "scan"),
        (
            "attacks/labcap/lab-dicom-portscan-aebrute.pcap",
            "ae_rejects",
        ),
    ];
    let mut missed = Vec::new();
    for (file, detector) in cases {
        let found = detectors(&root.join(file));
        println!("{file}: {found:?}");
        if !found.contains_key(detector) {
            missed.push((file, detector));
        }
    }
    assert!(missed.is_empty(), "{missed:?}");
}

#[test]
fn a_capture_gives_the_same_findings_each_time() {
    let Some(root) = captures::root() else { return };
    for file in ["slips-arpscan.pcap", "evilfingers-UDP_SCAN.pcap"] {
        let path = root.join("attacks").join(file);
        let found = findings(&path);
        assert!(!found.is_empty(), "{file}");
        assert_eq!(found, findings(&path), "{file}");
    }
}

#[test]
fn clinical_traffic_is_exposure_and_no_attack() {
    let Some(root) = captures::root() else { return };
    for folder in ["dicom/labcap", "hl7/labcap"] {
        for path in captures::below(&root.join(folder)) {
            let found = detectors(&path);
            println!("{}: {found:?}", path.display());
            let attacks: Vec<_> = found
                .keys()
                .filter(|name| !LABORATORY.contains(&name.as_str()))
                .collect();
            assert!(attacks.is_empty(), "{}: {attacks:?}", path.display());
        }
    }
}

fn address(host: u8) -> IpAddr {
    IpAddr::from([10, 77, 1, host])
}

/// A TCP connection of `client` to `server` that carried something.
fn connection(time: i64, client: u8, server: u8, port: u16) -> Observation {
    let half = |syn| Half {
        packets: 10,
        bytes: 20_000,
        payload: 19_000,
        syn,
        ..Half::default()
    };
    Observation {
        time: Time(time),
        protocol: 6,
        client: SocketAddr::new(address(client), 40_000),
        server: SocketAddr::new(address(server), port),
        macs: [[0; 6]; 2],
        what: What::Flow(Box::new(FlowFacts {
            id: u64::try_from(time).unwrap(),
            over: true,
            to_server: half(1),
            to_client: half(1),
            ..FlowFacts::default()
        })),
    }
}

fn refused(time: i64, client: u8, server: u8, port: u16) -> Observation {
    Observation {
        what: What::ConnectionRefused,
        ..connection(time, client, server, port)
    }
}

/// A scan of so many ports.
fn scan(analysis: &mut Analysis, out: &mut Outcome, time: i64, client: u8) {
    for port in 1..40 {
        let seen = refused(time + i64::from(port) * SECOND / 10, client, 2, port);
        analysis.observe(&seen, out);
    }
}

/// An attack while a device is learnt does not become its usual, and a reset begins anew.
#[test]
fn an_attack_while_learning_does_not_become_usual() {
    let mut analysis = Analysis::new(AnalysisOptions::default());
    let mut out = Outcome::default();
    let service = connection(0, 9, 3, 445).service().unwrap();
    let honest = connection(0, 9, 1, 104).service().unwrap();
    analysis.observe(&connection(SECOND, 9, 1, 104), &mut out);
    // A day later, in its learning time, it goes to a file server for the first time and scans.
    analysis.observe(&connection(DAY, 9, 3, 445), &mut out);
    scan(&mut analysis, &mut out, DAY + SECOND, 9);
    analysis.observe(&connection(DAY + 60 * SECOND, 9, 3, 445), &mut out);
    assert!(out.findings.iter().any(|one| one.detector == "scan"));
    let now = Time(30 * DAY);
    let known = |analysis: &Analysis, server, service| {
        let fact = Fact::Uses(address(server), service);
        analysis.baselines().familiar(address(9), &fact, now)
    };
    assert_eq!(known(&analysis, 1, honest), Familiar::Known);
    assert_eq!(known(&analysis, 3, service), Familiar::Never);
    let progress = analysis
        .baselines()
        .progress(address(9), Time(DAY + 120 * SECOND));
    assert!(progress.unwrap().frozen_until.is_some());
    assert!(analysis.reset(address(9)));
    assert_eq!(known(&analysis, 1, honest), Familiar::Never);
    assert!(!analysis.reset(address(9)));
}

#[test]
fn findings_of_an_episode_are_one_alert_and_labels_have_their_effect() {
    let mut analysis = Analysis::new(AnalysisOptions::default());
    let mut out = Outcome::default();
    scan(&mut analysis, &mut out, SECOND, 9);
    scan(&mut analysis, &mut out, 120 * SECOND, 9);
    assert!(out.findings.len() > 1);
    assert_eq!(analysis.alerts().all().count(), 1);
    let alert = analysis.alerts().all().next().unwrap().clone();
    assert_eq!((alert.device, alert.role.is_victim()), (address(9), false));
    assert!(alert.confidence > 0.8 && alert.techniques.contains(&"T1046".to_owned()));
    let label = |verdict, reason: &str| Label {
        verdict,
        by: Actor::Daemon,
        time: Time(200 * SECOND),
        reason: reason.to_owned(),
    };
    assert_eq!(
        analysis.label(alert.id, &label(Verdict::Benign, " ")),
        Err(LabelError::NoReason)
    );
    assert_eq!(
        analysis.label(77, &label(Verdict::Benign, "test")),
        Err(LabelError::Unknown(77))
    );
    analysis
        .label(alert.id, &label(Verdict::Benign, "our scanner"))
        .unwrap();
    // The same again is excepted; of another device, and of this one against others, it is not.
    let mut out = Outcome::default();
    scan(&mut analysis, &mut out, 7_200 * SECOND, 9);
    assert!(out.findings.is_empty(), "{:?}", out.findings);
    scan(&mut analysis, &mut out, 7_300 * SECOND, 8);
    assert!(out.findings.iter().all(|one| one.subject == address(8)));
    assert!(!out.findings.is_empty());
    // Exceptions end.
    let mut out = Outcome::default();
    scan(&mut analysis, &mut out, 40 * DAY, 9);
    assert!(!out.findings.is_empty());
}

#[test]
fn what_was_learnt_and_told_survives_a_restart() {
    let folder = std::env::temp_dir().join(format!("wardtap-detect-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut analysis = Analysis::new(AnalysisOptions::default());
    let mut out = Outcome::default();
    analysis.observe(&connection(SECOND, 9, 1, 104), &mut out);
    scan(&mut analysis, &mut out, DAY, 8);
    analysis.save(&folder).unwrap();
    let again = Analysis::open(&folder, AnalysisOptions::default());
    let service = connection(0, 9, 1, 104).service().unwrap();
    let fact = Fact::Uses(address(1), service);
    let familiar = again.baselines().familiar(address(9), &fact, Time(2 * DAY));
    assert_eq!(familiar, Familiar::Known);
    assert_eq!(
        again.alerts().all().collect::<Vec<_>>(),
        analysis.alerts().all().collect::<Vec<_>>()
    );
    // A damaged file is no reason not to start.
    std::fs::write(folder.join("baseline.bin"), b"damaged").unwrap();
    std::fs::write(folder.join("alerts.json"), b"{").unwrap();
    let anew = Analysis::open(&folder, AnalysisOptions::default());
    assert!(anew.baselines().is_empty() && anew.alerts().all().next().is_none());
    std::fs::remove_dir_all(&folder).unwrap();
}

fn arp(time: i64, request: bool, mac: u8, sender: u8, target: u8) -> Observation {
    let ip = |host| std::net::Ipv4Addr::new(10, 77, 1, host);
    Observation {
        protocol: 0,
        client: SocketAddr::new(ip(sender).into(), 0),
        server: SocketAddr::new(ip(target).into(), 0),
        what: What::Arp(Box::new(ArpFacts {
            request,
            sender_mac: [2, 0, 0, 0, 0, mac],
            sender: ip(sender),
            target: ip(target),
            target_mac: [0; 6],
            frame_mac: [2, 0, 0, 0, 0, mac],
            count: 1,
        })),
        ..connection(time, sender, target, 1)
    }
}

/// What the detectors make of observations.
fn found(all: impl IntoIterator<Item = Observation>) -> Vec<Finding> {
    let mut analysis = Analysis::new(AnalysisOptions::default());
    let mut out = Outcome::default();
    for seen in all {
        analysis.observe(&seen, &mut out);
    }
    out.findings
}

/// What a network does by ARP every day: a gateway asks for all its hosts when it starts, for some that are off, and
/// hosts announce themselves, move to a spare, and answer.
#[test]
fn arp_as_it_should_be_is_no_attack() {
    let mut day = Vec::new();
    for host in 2..100 {
        let time = SECOND + i64::from(host) * SECOND / 100;
        day.push(arp(time, true, 1, 1, host));
        day.push(arp(time + 1_000, false, host, host, 1));
        day.push(arp(time + 2_000, true, host, host, host));
    }
    // An hour later some are off.
    for host in 2..60 {
        let time = 3_600 * SECOND + i64::from(host) * SECOND / 100;
        day.push(arp(time, true, 1, 1, host));
    }
    // A spare takes an address over, and keeps it.
    day.push(arp(7_200 * SECOND, true, 200, 9, 9));
    day.push(arp(7_300 * SECOND, true, 200, 9, 1));
    day.push(arp(7_400 * SECOND, true, 1, 1, 9));
    day.push(arp(7_401 * SECOND, false, 200, 9, 1));
    assert_eq!(found(day), []);
}

#[test]
fn searching_and_spoofing_by_arp_are_found() {
    let search =
        (2..60).map(|host| arp(SECOND + i64::from(host) * SECOND / 50, true, 66, 66, host));
    let after = [arp(10 * SECOND, true, 1, 1, 5)];
    let found_of = |all: Vec<Observation>| {
        let found = found(all);
        assert_eq!(found.len(), 1, "{found:?}");
        (
            found[0].detector.clone(),
            found[0].subject,
            found[0].role.is_victim(),
        )
    };
    let sweep = found_of(search.chain(after).collect());
    assert_eq!(sweep, ("sweep".to_owned(), address(66), false));

    // The archive and an intruder claim the archive's address in turn.
    let turns = (0..6).map(|turn| {
        let mac = if turn % 2 == 0 { 10 } else { 66 };
        arp((1 + turn) * 30 * SECOND, true, mac, 10, 1)
    });
    assert_eq!(
        found_of(turns.collect()),
        ("arp_spoof".to_owned(), address(10), true)
    );

    // He answers unasked, and has an address of his own, under which he asked before: he is named, not his victim.
    let unasked = vec![
        arp(SECOND, true, 66, 66, 1),
        arp(100 * SECOND, false, 66, 10, 20),
        arp(101 * SECOND, false, 66, 10, 30),
    ];
    assert_eq!(
        found_of(unasked),
        ("arp_spoof".to_owned(), address(66), false)
    );
}
