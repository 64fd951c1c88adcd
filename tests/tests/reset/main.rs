//! Resets from a mirror end one real connection, at both ends, and no other.

mod detour;
mod fast;
mod session;
mod tags;

use std::{
    env, fs,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::Result;
use sensor_facts::target::Transport;
use sensor_response::reset::{
    Flow, Limits, ResetHandle, ResetOptions, ResetReport, ResetState, Resetter, Vlan,
};
use tests::{
    ability, dicom,
    hl7::{self, Message, Sender},
    hospital::{Hospital, MIRROR, RESPONSE, Role},
    program::Program,
    wait::wait_for,
};

use self::session::{Session, Work};

/// Images of the transfer that has to arrive whole.
const IMAGES: u32 = 120;
/// How often the transfer that is ended sends them.
const TIMES: usize = 40;
/// Time in which a connection has to be over.
const LIMIT: Duration = Duration::from_secs(10);
/// Where interactive sessions go.
const SSH: u16 = 22;

fn hospital(name: &str) -> Hospital {
    let hospital = Hospital::build(&format!("wt-{name}-{}", std::process::id())).unwrap();
    hospital.response().unwrap();
    hospital
}

fn start(hospital: &Hospital, response: &str, a: SocketAddr, b: SocketAddr) -> ResetHandle {
    let options = ResetOptions {
        mirrors: vec![MIRROR.to_owned()],
        response: response.to_owned(),
        flow: Flow::new(Transport::Tcp, a, b).unwrap(),
        limits: Limits::default(),
        vlan: Vlan::Keep,
    };
    let started = hospital
        .sensor()
        .within(move || Ok(Resetter::start(options, |_| false)?));
    started.unwrap()
}

/// The account when it is final.
fn final_report(handle: ResetHandle) -> ResetReport {
    let end = Duration::from_secs(30);
    wait_for("the resets' end", end, || {
        handle.report().is_final().then_some(())
    })
    .unwrap_or_else(|error| panic!("{error}: {:?}", handle.report()));
    handle.stop()
}

fn say(what: &str, after: [Duration; 2], report: &ResetReport) {
    let [client, server] = after.map(|time| time.as_secs_f64() * 1e3);
    println!(
        "{what}: client over after {client:.2} ms, server after {server:.2} ms; {} resets to A, {} to B, {} packets seen, {} of our own came back, {:?}",
        report.sent_to_a, report.sent_to_b, report.packets_seen, report.own_seen, report.state
    );
}

#[test]
fn one_image_transfer_ends_and_another_and_hl7_go_on() {
    if !ability::hospital() {
        return;
    }
    let folder = env::temp_dir().join(format!("wardtap-reset-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let hospital = hospital("reset-dicom");
    let _servers = dicom::start_servers(&hospital, &folder).unwrap();
    let _receiver = hl7::start_receiver(&hospital, &folder).unwrap();
    let patient = dicom::Patient {
        name: "RESET^TEST",
        id: "1",
    };
    let files = dicom::make_study(&folder.join("images"), patient, 1, IMAGES).unwrap();
    let many: Vec<_> = files
        .iter()
        .cycle()
        .take(files.len() * TIMES)
        .cloned()
        .collect();

    let mut bad = store(&hospital, &folder, "bad", &many);
    let bad_port = *wait_for("the first transfer", LIMIT, || {
        ports_to_pacs(&hospital).into_iter().next()
    })
    .as_ref()
    .unwrap();
    let mut good = store(&hospital, &folder, "good", &files);
    wait_for("the second transfer", LIMIT, || {
        (ports_to_pacs(&hospital).len() == 2).then_some(())
    })
    .unwrap();
    for transfer in [&mut bad, &mut good] {
        transfer
            .wait_until("some images", LIMIT, |log| (stored(log) >= 5).then_some(()))
            .unwrap();
    }

    let messages = Messages::start(&hospital);
    wait_for("HL7 messages", LIMIT, || {
        (messages.count() >= 5).then_some(())
    })
    .unwrap();
    let (before, good_before) = (messages.count(), stored(&good.log()));
    assert!(
        good.ended().unwrap().is_none(),
        "the test needs more images"
    );
    let (a, b) = (
        SocketAddr::new(Role::Modality.address().into(), bad_port),
        SocketAddr::new(Role::Pacs.address().into(), dicom::PACS_PORT),
    );
    let begun = Instant::now();
    let handle = start(&hospital, RESPONSE, a, b);
    wait_for("the transfer's end", LIMIT, || {
        (!ports_to_pacs(&hospital).contains(&bad_port)).then_some(())
    })
    .unwrap();
    let gone = begun.elapsed();
    let status = wait_for("storescu's end", LIMIT, || bad.ended().unwrap()).unwrap();
    assert!(!status.success(), "{}", bad.log());
    assert!(stored(&bad.log()) < many.len());
    let good_at = stored(&good.log());

    let status = wait_for("the other transfer", Duration::from_mins(1), || {
        good.ended().unwrap()
    });
    assert!(status.unwrap().success(), "{}", good.log());
    assert_eq!(stored(&good.log()), files.len());
    wait_for("more HL7 messages", LIMIT, || {
        (messages.count() >= before + 20).then_some(())
    })
    .unwrap();
    let report = final_report(handle);
    say("DICOM", [gone; 2], &report);
    let messages = messages.stop();
    println!(
        "the transfer that was ended stored {} of {} images; the other {good_before}, {good_at} at its end and {} of {} in the end; {messages} HL7 messages acknowledged",
        stored(&bad.log()),
        many.len(),
        stored(&good.log()),
        files.len(),
    );
    assert_eq!(report.state, ResetState::Ended);
    assert!(report.sent_to_a > 0 && report.sent_to_b > 0, "{report:?}");
    assert!(report.sent() <= 64 && report.own_seen > 0, "{report:?}");
    fs::remove_dir_all(&folder).unwrap();
}

fn store(hospital: &Hospital, folder: &Path, name: &str, files: &[PathBuf]) -> Program {
    let mut command = hospital.host(Role::Modality).command("storescu");
    command
        .arg("-v")
        .args(["--aetitle", dicom::MODALITY, "--call", dicom::PACS])
        .args([
            Role::Pacs.address().to_string(),
            dicom::PACS_PORT.to_string(),
        ])
        .args(files);
    Program::start(name, command, folder).unwrap()
}

/// Images that the archive acknowledged, by storescu's log.
fn stored(log: &str) -> usize {
    log.matches("Received Store Response (Success)").count()
}

/// Source ports of the modality's connections to the archive.
fn ports_to_pacs(hospital: &Hospital) -> Vec<u16> {
    let filter = format!("dport = :{}", dicom::PACS_PORT);
    let output = hospital
        .host(Role::Modality)
        .command("ss")
        .args(["-Htn", "state", "established", &filter])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .filter_map(|line| {
            let local = line.split_whitespace().nth(2)?;
            local.rsplit(':').next()?.parse().ok()
        })
        .collect()
}

/// An HL7 session at work.
struct Messages {
    stop: Arc<AtomicBool>,
    count: Arc<AtomicU64>,
    thread: JoinHandle<Result<()>>,
}

impl Messages {
    fn start(hospital: &Hospital) -> Self {
        let mut sender = Sender::start(hospital).unwrap();
        let (stop, count) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicU64::new(0)),
        );
        let (stopped, counted) = (Arc::clone(&stop), Arc::clone(&count));
        let thread = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                let number = counted.load(Ordering::Relaxed);
                let code = sender.send(&Message {
                    kind: "ORU^R01",
                    control_id: &format!("R{number}"),
                    patient: "RESET^TEST",
                    patient_id: "1",
                })?;
                anyhow::ensure!(code == "AA", "{number}: {code}");
                counted.fetch_add(1, Ordering::Relaxed);
            }
            sender.close()
        });
        Self {
            stop,
            count,
            thread,
        }
    }

    fn count(&self) -> u64 {
        assert!(!self.thread.is_finished(), "the HL7 session broke");
        self.count.load(Ordering::Relaxed)
    }

    /// How many were acknowledged; each that was sent was.
    fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap().unwrap();
        self.count.load(Ordering::Relaxed)
    }
}

#[test]
fn one_interactive_session_ends_and_its_twin_goes_on() {
    if !ability::hospital() {
        return;
    }
    let hospital = hospital("reset-ssh");
    let addresses = [Role::Workstation, Role::Ehr].map(|role| add_ipv6(&hospital, role));
    let (from, to) = (hospital.host(Role::Workstation), hospital.host(Role::Ehr));
    for server in [IpAddr::from(Role::Ehr.address()), addresses[1].into()] {
        let server = SocketAddr::new(server, SSH);
        let bad = Session::open(from, to, server, Work::Lines);
        let good = Session::open(from, to, server, Work::Lines);
        wait_for("lines", LIMIT, || {
            (bad.count() > 10 && good.count() > 10).then_some(())
        })
        .unwrap();
        let begun = Instant::now();
        let handle = start(&hospital, RESPONSE, bad.client, bad.server);
        bad.wait_over();
        let lines = good.count();
        let report = final_report(handle);
        let ends = bad.finish();
        assert!(ends.iter().all(|end| end.error.is_some()), "{ends:?}");
        let after = ends.map(|end| end.at - begun);
        say(&format!("session to {server}"), after, &report);
        assert!(good.count() > lines + 50, "its twin goes on");
        let ends = good.finish();
        assert!(ends.iter().all(|end| end.error.is_none()), "{ends:?}");
        assert!(report.sent_to_a > 0 && report.sent_to_b > 0, "{report:?}");
        assert!(report.sent() <= 8, "{report:?}");
    }
}

/// Gives a host an IPv6 address with the host part of its IPv4 address.
fn add_ipv6(hospital: &Hospital, role: Role) -> Ipv6Addr {
    let host = hospital.host(role);
    let [.., last] = role.address().octets();
    let address = Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, last.into());
    let enable = "for scope in all default eth0; do echo 0 > /proc/sys/net/ipv6/conf/$scope/disable_ipv6; done";
    let done = host.command("sh").args(["-c", enable]).status().unwrap();
    assert!(done.success());
    let text = format!("{address}/64");
    host.ip(&["address", "add", &text, "dev", "eth0", "nodad"])
        .unwrap();
    address
}
