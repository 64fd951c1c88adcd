//! What one host on the network can do to a sensor that listens: the captures in `attacker`, whose `EXPECT.md` says what is
//! right. Each goes through the kernel's program (`BPF_PROG_TEST_RUN`) and through the portable engine, and both have to
//! lead to the same observations and findings, with the trick as without it.

mod captures;
mod homes;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::IpAddr,
    path::Path,
    process::Command,
};

use anyhow::{Context, Result, ensure};
use sensor_analysis::{
    Analysis, AnalysisOptions, Outcome,
    replay::{Replay, ReplayOptions},
};
use sensor_facts::{
    finding::{AttackRole, Finding},
    observation::{Observation, What},
};
use sensor_kernel::{TableSizes, TestBench, Why};
use sensor_response::{
    Book,
    config::{Containment, Mode},
    policy::{ContainmentVerdict, Policy, Situation},
};
use sensor_sessions::pipeline::{FlowEndReason, Pipeline, PipelineOptions};
use tests::ability::privileged;

const SECOND: u64 = 1_000_000_000;
/// Room for all flows of a capture.
const TABLES: TableSizes = TableSizes {
    established4: 131_072,
    established6: 1_024,
    fresh4: 131_072,
    fresh6: 1_024,
};
/// What the captures' `EXPECT.md` calls the attacker, the archive and the CT.
const ATTACKER: [u8; 4] = [10, 1, 4, 66];
const CT: [u8; 4] = [10, 1, 2, 50];
const ATTACKERS_MAC: &str = "02:00:00:00:00:66";

type Frames = Vec<(u64, Vec<u8>)>;

/// The frames of a capture; a packed one is unpacked.
fn frames(root: &Path, name: &str) -> Result<Frames> {
    let path = root.join("attacker").join(name);
    if path.extension().is_none_or(|it| it != "gz") {
        return Ok(captures::frames(&path));
    }
    let output = Command::new("gzip").arg("-dc").arg(&path).output()?;
    ensure!(output.status.success(), "{output:?}");
    let name = format!("wardtap-{}-{name}.pcap", std::process::id());
    let unpacked = std::env::temp_dir().join(name);
    fs::write(&unpacked, output.stdout)?;
    let frames = captures::frames(&unpacked);
    fs::remove_file(unpacked)?;
    Ok(frames)
}

/// What the portable engine leads to.
fn portable(frames: &Frames) -> Vec<Observation> {
    let mut options = ReplayOptions::observing();
    options.tables = TABLES;
    let mut replay = Replay::new(options);
    for (time, frame) in frames {
        replay.frame(*time, frame);
        replay.take_events();
    }
    replay.finish(Vec::clear);
    replay.take_observations()
}

/// What the kernel's program leads to.
fn kernel(frames: &Frames) -> Result<Vec<Observation>> {
    let mut bench = TestBench::load(&TestBench::options(TABLES, 1 << 22))?;
    let mut pipeline = Pipeline::new(PipelineOptions {
        flow_events: false,
        observe: true,
        ..PipelineOptions::default()
    });
    let (mut events, mut second) = (Vec::new(), 0);
    for (time, frame) in frames {
        if time / SECOND != second {
            second = time / SECOND;
            loop {
                let stats = bench.flows.sweep(*time, |item| match item.why {
                    Why::Active => pipeline.flow_active(&item.key, &item.flow, &mut events),
                    why => {
                        let reason = match why {
                            Why::Closed => FlowEndReason::Closed,
                            _ => FlowEndReason::Idle,
                        };
                        pipeline.flow_ended(&item.key, &item.flow, reason, &mut events);
                    }
                })?;
                if stats.complete {
                    break;
                }
            }
            pipeline.tick(*time, &mut events);
        }
        bench.run(frame, *time, 1)?;
        let ring = &mut bench.ring;
        ring.drain(usize::MAX, |record| {
            pipeline.ring_record(record, &mut events);
        });
        events.clear();
    }
    bench.flows.drain(|item| {
        pipeline.flow_ended(&item.key, &item.flow, FlowEndReason::Shutdown, &mut events);
    })?;
    pipeline.finish(&mut events);
    Ok(pipeline.take_observations())
}

/// What the detectors say of observations.
fn findings(seen: &[Observation]) -> Vec<Finding> {
    let mut analysis = Analysis::new(AnalysisOptions::default());
    let mut out = Outcome::default();
    for one in seen {
        analysis.observe(one, &mut out);
    }
    out.findings
}

/// A capture, seen by the kernel's program where that can be loaded, and by the portable engine.
struct Case {
    name: &'static str,
    seen: Vec<Observation>,
    findings: Vec<Finding>,
}

impl Case {
    fn read(root: &Path, name: &'static str) -> Result<Self> {
        let frames = frames(root, name)?;
        ensure!(!frames.is_empty(), "{name} has no frames");
        let seen = portable(&frames);
        let findings = findings(&seen);
        if privileged() {
            let other = kernel(&frames)?;
            let (a, b) = (told(&findings), told(&self::findings(&other)));
            ensure!(a == b, "{name}: engine {a:?}, kernel {b:?}");
            ensure!(messages(&seen) == messages(&other), "{name}: HL7 messages");
        }
        println!("{name}: {:?}", told(&findings));
        Ok(Self {
            name,
            seen,
            findings,
        })
    }

    fn of(&self, detector: &str) -> Result<&Finding> {
        let mut all = self.findings.iter();
        all.find(|one| one.detector == detector).with_context(|| {
            format!(
                "{}: no {detector}, but {:?}",
                self.name,
                told(&self.findings)
            )
        })
    }

    /// Whom the policy blocks, one finding being enough.
    fn contained(&self) -> Vec<IpAddr> {
        let mut policy = Policy::new(Containment {
            mode: Mode::Automatic,
            second_finding: false,
            ..Containment::default()
        });
        let book = Book::default();
        let decided = self.findings.iter().filter(|finding| {
            let situation = Situation {
                now: finding.time,
                book: &book,
                loss_percent: 0.0,
                known_devices: 50,
                inline: true,
                resets: false,
            };
            policy.decide(finding, &situation).verdict == ContainmentVerdict::Act
        });
        decided.map(|finding| finding.subject).collect()
    }
}

/// What is said of suspects, whatever the order in which flows end. That order differs at the end of a capture, and says
/// whether an address goes back and forth between two Ethernet addresses, for which it is a victim.
fn told(findings: &[Finding]) -> BTreeSet<String> {
    findings
        .iter()
        .filter(|one| one.role == AttackRole::Suspect)
        .map(|one| {
            format!(
                "{} by {} ({:?}, {:?}, {:.1})",
                one.detector, one.subject, one.role, one.origin, one.confidence
            )
        })
        .collect()
}

/// HL7 messages that were not answers, by who sent them.
fn messages(seen: &[Observation]) -> BTreeMap<IpAddr, usize> {
    let mut by_client = BTreeMap::new();
    for one in seen {
        if matches!(&one.what, What::Hl7(message) if message.ack_code.is_none()) {
            *by_client.entry(one.client.ip()).or_default() += 1;
        }
    }
    by_client
}

fn same(base: &Case, trick: &Case) -> Result<()> {
    let (a, b) = (told(&base.findings), told(&trick.findings));
    ensure!(a == b, "{}: {a:?}\n{}: {b:?}", base.name, trick.name);
    Ok(())
}

#[test]
fn a_decoy_before_the_handshake_accuses_nobody_else() -> Result<()> {
    let Some(root) = captures::root() else {
        return Ok(());
    };
    let [base, decoy] = ["d1_base.pcap", "d1_decoy.pcap"].map(|name| Case::read(&root, name));
    let (base, decoy) = (base?, decoy?);
    same(&base, &decoy)?;
    for case in [base, decoy] {
        let finding = case.of("ae_rejects")?;
        ensure!(finding.subject == IpAddr::from(ATTACKER), "{finding:?}");
        ensure!(finding.role == AttackRole::Suspect, "{finding:?}");
    }
    Ok(())
}

#[test]
fn one_packet_ends_no_session() -> Result<()> {
    let Some(root) = captures::root() else {
        return Ok(());
    };
    let base = Case::read(&root, "d3_base.pcap")?;
    for name in ["d3_jump.pcap", "d3_rst.pcap"] {
        let trick = Case::read(&root, name)?;
        same(&base, &trick)?;
        let all = messages(&trick.seen);
        ensure!(
            all == BTreeMap::from([(IpAddr::from(ATTACKER), 20)]),
            "{name}: {all:?}"
        );
    }
    Ok(())
}

#[test]
fn made_up_sources_make_no_router_of_a_sweeper() -> Result<()> {
    let Some(root) = captures::root() else {
        return Ok(());
    };
    let [base, router] = ["d5_base.pcap", "d5_router.pcap"].map(|name| Case::read(&root, name));
    let (base, router) = (base?, router?);
    same(&base, &router)?;
    let [a, b] = [&base, &router].map(|case| case.of("sweep"));
    let (a, b) = (a?, b?);
    ensure!(a.subject == IpAddr::from(ATTACKER) && a.subject == b.subject);
    ensure!(
        a.confidence.to_bits() == b.confidence.to_bits(),
        "{a:?}, {b:?}"
    );
    Ok(())
}

#[test]
fn made_up_clients_hide_no_scan() -> Result<()> {
    let Some(root) = captures::root() else {
        return Ok(());
    };
    let [base, evict] = ["d6b_base.pcap", "d6b_evict.pcap.gz"].map(|name| Case::read(&root, name));
    let (base, evict) = (base?, evict?);
    for case in [&base, &evict] {
        let finding = case.of("scan")?;
        ensure!(finding.subject == IpAddr::from(ATTACKER), "{finding:?}");
    }
    same(&base, &evict)
}

#[test]
fn forged_acknowledgements_move_no_device() -> Result<()> {
    let Some(root) = captures::root() else {
        return Ok(());
    };
    let case = Case::read(&root, "d8_dhcp.pcap")?;
    let finding = case.of("rogue_dhcp")?;
    ensure!(finding.subject == IpAddr::from(ATTACKER), "{finding:?}");
    let moved = case
        .seen
        .iter()
        .any(|one| matches!(one.what, What::Moved { .. }));
    ensure!(!moved, "a device was moved");
    Ok(())
}

#[test]
fn frames_behind_an_llc_header_are_flows() -> Result<()> {
    let Some(root) = captures::root() else {
        return Ok(());
    };
    let case = Case::read(&root, "d9_snap.pcap")?;
    let finding = case.of("scan")?;
    ensure!(finding.subject == IpAddr::from(ATTACKER), "{finding:?}");
    Ok(())
}

#[test]
fn a_framed_device_is_not_contained() -> Result<()> {
    let Some(root) = captures::root() else {
        return Ok(());
    };
    let case = Case::read(&root, "d10_frame.pcap")?;
    for detector in ["scan", "sweep"] {
        let finding = case.of(detector)?;
        ensure!(finding.subject == IpAddr::from(CT), "{finding:?}");
        ensure!(
            finding.sender_mac.as_deref() == Some(ATTACKERS_MAC),
            "{finding:?}"
        );
        ensure!(finding.evidence.contains(ATTACKERS_MAC), "{finding:?}");
    }
    ensure!(case.contained().is_empty(), "{:?}", case.contained());
    Ok(())
}

/// In no capture is anyone else contained than who attacks.
#[test]
fn no_capture_contains_another_device() -> Result<()> {
    let Some(root) = captures::root() else {
        return Ok(());
    };
    for name in [
        "d1_decoy.pcap",
        "d3_jump.pcap",
        "d3_rst.pcap",
        "d5_router.pcap",
        "d8_dhcp.pcap",
        "d9_snap.pcap",
    ] {
        let contained = Case::read(&root, name)?.contained();
        let others = contained.iter().any(|one| *one != IpAddr::from(ATTACKER));
        ensure!(!others, "{name}: {contained:?}");
    }
    Ok(())
}
