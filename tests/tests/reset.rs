//! Resets from a mirror end one real connection, at both ends, and no other.

use std::{
    collections::VecDeque,
    env, fs,
    io::{ErrorKind, Read, Write},
    net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use pnet::datalink::{self, Channel};
use sensor::response::{
    Transport,
    reset::{Flow, Limits, ResetHandle, ResetOptions, ResetReport, ResetState, Resetter, Vlan},
};
use tests::{
    ability, dicom,
    hl7::{self, Message, Sender},
    hospital::{Hospital, MIRROR, RESPONSE, Role},
    netns::Namespace,
    program::Program,
    wait::wait_for,
    wire::Wire,
};

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

    let status = wait_for("the other transfer", Duration::from_secs(60), || {
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

/// A connection between two hosts, both ends in threads that do what they are told until it breaks.
struct Session {
    client: SocketAddr,
    server: SocketAddr,
    /// Lines or blocks that came through.
    count: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    ends: [JoinHandle<Result<End>>; 2],
}

/// When an end was over, and why: `None` is in order.
#[derive(Debug)]
struct End {
    at: Instant,
    error: Option<ErrorKind>,
}

/// What a session does.
#[derive(Clone, Copy, PartialEq)]
enum Work {
    /// A line every 100 ms, echoed.
    Lines,
    /// As much as fits, in one direction.
    Bulk,
}

impl Session {
    fn open(from: &Namespace, to: &Namespace, server: SocketAddr, work: Work) -> Self {
        let listener = to.within(move || Ok(TcpListener::bind(server)?)).unwrap();
        let out = from
            .within(move || Ok(TcpStream::connect(server)?))
            .unwrap();
        let (inside, client) = listener.accept().unwrap();
        let (count, stop) = (
            Arc::new(AtomicU64::new(0)),
            Arc::new(AtomicBool::new(false)),
        );
        let counted = Arc::clone(&count);
        let stopped = Arc::clone(&stop);
        let read = thread::spawn(move || ended(|| serve(&inside, work, &counted)));
        let write = thread::spawn(move || ended(|| ask(&out, work, &stopped)));
        Self {
            client,
            server,
            count,
            stop,
            ends: [write, read],
        }
    }

    fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    fn is_over(&self) -> [bool; 2] {
        [self.ends[0].is_finished(), self.ends[1].is_finished()]
    }

    /// Waits until both ends are over by themselves.
    fn wait_over(&self) {
        wait_for("both ends to be over", LIMIT, || {
            self.is_over().iter().all(|over| *over).then_some(())
        })
        .unwrap();
    }

    /// How both ends ended, the client's first.
    fn finish(self) -> [End; 2] {
        self.stop.store(true, Ordering::Relaxed);
        self.ends.map(|end| end.join().unwrap().unwrap())
    }
}

fn ended(work: impl FnOnce() -> std::io::Result<()>) -> Result<End> {
    let error = match work() {
        Ok(()) => None,
        Err(error) => match error.kind() {
            kind @ (ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => Some(kind),
            _ => return Err(error).context("a session's end"),
        },
    };
    Ok(End {
        at: Instant::now(),
        error,
    })
}

fn serve(mut stream: &TcpStream, work: Work, count: &AtomicU64) -> std::io::Result<()> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let length = stream.read(&mut buffer)?;
        if length == 0 {
            return Ok(());
        }
        if work == Work::Lines {
            stream.write_all(&buffer[..length])?;
        }
        count.fetch_add(length as u64, Ordering::Relaxed);
    }
}

fn ask(mut stream: &TcpStream, work: Work, stop: &AtomicBool) -> std::io::Result<()> {
    let block = vec![b'x'; 1 << 16];
    while !stop.load(Ordering::Relaxed) {
        if work == Work::Bulk {
            stream.write_all(&block)?;
            continue;
        }
        stream.write_all(b"uptime\n")?;
        let mut answer = [0; 7];
        stream.read_exact(&mut answer)?;
        thread::sleep(Duration::from_millis(100));
    }
    Ok(())
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

#[test]
fn a_transfer_at_full_speed_ends() {
    if !ability::hospital() {
        return;
    }
    let hospital = hospital("reset-bulk");
    // At first as fast as it goes; then so late that most of what the resets were for is past.
    for (round, delay) in [0, 0, 0, 2, 20, 100].into_iter().enumerate() {
        let detour = (delay > 0).then(|| Detour::build(&hospital, Duration::from_millis(delay)));
        let response = if delay > 0 { LATE[0] } else { RESPONSE };
        let what = format!("resets {delay} ms late");
        let (report, ends) = bulk(&hospital, round, response, &what);
        assert!(ends.iter().all(|end| end.error.is_some()), "{ends:?}");
        assert_eq!(report.state, ResetState::Ended);
        if let Some(detour) = detour {
            detour.remove(&hospital);
        }
    }
}

/// The end that resets are given, and the one where they are taken and sent on later.
const LATE: [&str; 2] = ["late0", "late1"];

/// A way that takes its time, from the sensor to its response interface.
struct Detour {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Detour {
    fn build(hospital: &Hospital, delay: Duration) -> Self {
        let sensor = hospital.sensor();
        let [near, far] = LATE;
        sensor
            .ip(&["link", "add", near, "type", "veth", "peer", "name", far])
            .unwrap();
        for name in LATE {
            sensor
                .ip(&["link", "set", name, "up", "arp", "off"])
                .unwrap();
        }
        let mut out = Wire::open(sensor, RESPONSE).unwrap();
        let input = sensor.within(|| {
            let found = datalink::interfaces().into_iter();
            let far = found.into_iter().find(|found| found.name == LATE[1]);
            let config = datalink::Config {
                read_timeout: Some(Duration::from_millis(1)),
                ..datalink::Config::default()
            };
            match datalink::channel(&far.context("no interface")?, config)? {
                Channel::Ethernet(_, input) => Ok(input),
                _ => anyhow::bail!("no Ethernet interface"),
            }
        });
        let mut input = input.unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let mut frames = VecDeque::new();
            while !stopped.load(Ordering::Relaxed) {
                if let Ok(frame) = input.next() {
                    frames.push_back((Instant::now() + delay, frame.to_vec()));
                }
                while let Some((_, frame)) = frames.pop_front_if(|(due, _)| *due <= Instant::now())
                {
                    out.send(&frame).unwrap();
                }
            }
        });
        Self {
            stop,
            thread: Some(thread),
        }
    }

    fn remove(mut self, hospital: &Hospital) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
        hospital.sensor().ip(&["link", "delete", LATE[0]]).unwrap();
    }
}

fn bulk(hospital: &Hospital, round: usize, response: &str, what: &str) -> (ResetReport, [End; 2]) {
    let (from, to) = (hospital.host(Role::Modality), hospital.host(Role::Pacs));
    let port = 5_000 + u16::try_from(round).unwrap();
    let server = SocketAddr::new(Role::Pacs.address().into(), port);
    let bulk = Session::open(from, to, server, Work::Bulk);
    let begun = Instant::now();
    wait_for("some MB", LIMIT, || {
        (bulk.count() > 20_000_000).then_some(())
    })
    .unwrap();
    let rate = u128::from(bulk.count()) / begun.elapsed().as_micros();
    let begun = Instant::now();
    let handle = start(hospital, response, bulk.client, bulk.server);
    bulk.wait_over();
    let report = final_report(handle);
    let ends = bulk.finish();
    let after = [0, 1].map(|end: usize| ends[end].at - begun);
    say(&format!("{rate} MB/s, {what}"), after, &report);
    (report, ends)
}
