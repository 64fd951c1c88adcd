//! What has to hold on every kernel: here on the one that is running, and by `cargo xtask kernels` in guests with
//! older ones.

#[path = "../traffic/mod.rs"]
mod traffic;

mod conversation;
mod verifier;

use std::{
    fs,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use etherparse::PacketBuilder;
use sensor_kernel::{OBJECT, Place, TestBench, host};
use serde_json::Value;
use tests::{ability::privileged, passage::Passage, wait::wait_for, wire::Wire};

use conversation::{Line, converse};

/// Time for what takes milliseconds; a guest has more (`tests::wait`).
const LIMIT: Duration = Duration::from_secs(40);
const SECONDS: Duration = Duration::from_secs(15);
/// Addresses on the right.
const BLOCKED: [u8; 4] = [10, 9, 0, 3];
const OTHER: [u8; 4] = [10, 9, 0, 2];
/// Frames that are sent in one go.
const FRAMES: u64 = 20;
/// A patient, who is in no event.
const PATIENT: &str = "ZYXWVUT^QPONML";
/// The first kernel with programs for frames in several buffers.
const FRAGS: (u32, u32) = (5, 18);

/// Instructions that a program may cost the verifier, of a million: an older kernel than the one that this runs on,
/// or one more feature, may take twice as many.
const HEADROOM: u64 = 500_000;

/// The programs of the object.
const PROGRAMS: [&str; 2] = ["wardtap", "wardtap_frags"];

/// Both programs, as they are at a mirror and in the path; prints what the verifier had to look at, of the million
/// instructions that it allows.
#[test]
fn the_verifier_takes_every_program() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let options = TestBench::options(traffic::small_kernel::tables(64), 1 << 16);
    for program in PROGRAMS {
        for (place, name) in [(Place::Mirror, "mirror"), (Place::Inline, "inline")] {
            let (loaded, counts) =
                verifier::counting(|| TestBench::load_from(OBJECT, program, &options, place));
            if program == PROGRAMS[1] && release() < FRAGS {
                ensure!(loaded.is_err(), "{program} loads before Linux 5.18");
                println!("verifier: {program} {name} -");
                continue;
            }
            drop(loaded.with_context(|| format!("{program} {name}"))?);
            let count = counts.into_iter().find(|(loaded, _)| loaded == program);
            let (_, count) = count.context("the verifier's log has no count")?;
            ensure!(count < HEADROOM, "{program} {name}: {count} of a million");
            println!("verifier: {program} {name} {count}");
        }
    }
    Ok(())
}

/// Major and minor version of the running kernel.
fn release() -> (u32, u32) {
    let release = host::release();
    let mut numbers = release.split('.').map_while(|n| n.parse().ok());
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

/// Real connections through the sensor, byte by byte what DICOM and HL7 peers say.
#[test]
fn flows_dicom_and_hl7_are_seen() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let passage = Passage::build("kernel-seen", "[flow]\nidle_closed = \"1s\"\n")?;
    let mut daemon = passage.start()?;
    let [request, store, release] = traffic::dicom::store_in_turns(PATIENT);
    let [accepted, stored, released] = traffic::dicom::stored_in_turns("thanks");
    converse(
        &passage,
        104,
        &[
            Line::Client(request),
            Line::Server(accepted),
            Line::Client(store),
            Line::Server(stored),
            Line::Client(release),
            Line::Server(released),
        ],
    )?;
    converse(
        &passage,
        2_575,
        &[
            Line::Client(traffic::hl7::admission("M1", PATIENT)),
            Line::Server(traffic::hl7::acknowledgement("M1", "thanks")),
        ],
    )?;
    let path = passage.folder().join("events.jsonl");
    let events = || fs::read_to_string(&path).unwrap_or_default();
    let seen = wait_for("the events", SECONDS, || {
        missing(&events()).is_none().then_some(())
    });
    if seen.is_err() {
        bail!(
            "no event {:?} in\n{}{}",
            missing(&events()),
            events(),
            daemon.log()
        );
    }
    daemon.stop()?;
    for part in PATIENT.split('^') {
        ensure!(!events().contains(part), "the patient is in the events");
    }
    Ok(())
}

/// What is to be seen and is not.
fn missing(events: &str) -> Option<&'static str> {
    let events: Vec<Value> = events
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let is = |value: &Value, text: &str| value.as_str() == Some(text);
    let flow = |event: &Value, port: u64, application: &str| {
        is(&event["event_type"], "flow")
            && event["dest_port"] == port
            && is(&event["src_ip"], "10.9.0.1")
            && is(&event["flow"]["app_proto"], application)
    };
    let association = |event: &Value| {
        let dicom = &event["dicom"];
        let command = &dicom["commands"][0];
        is(&dicom["type"], "closed")
            && is(&dicom["outcome"], "released")
            && is(&dicom["calling_ae"], "CT_ROOM_1")
            && is(&dicom["called_ae"], "ARCHIVE")
            && is(&command["command"], "C-STORE")
            && command["responses"]["success"] == 1
    };
    let admission = |event: &Value| {
        let hl7 = &event["hl7"];
        is(&hl7["message_type"], "ADT^A01^ADT_A01") && is(&hl7["sending_application"], "LAB")
    };
    let acknowledgement = |event: &Value| {
        let hl7 = &event["hl7"];
        is(&hl7["ack_code"], "AA") && is(&hl7["ack_control_id"], "M1")
    };
    let any = |wanted: &dyn Fn(&Value) -> bool| events.iter().any(wanted);
    [
        ("flow dicom", any(&|event| flow(event, 104, "dicom"))),
        ("flow hl7", any(&|event| flow(event, 2_575, "hl7"))),
        ("dicom", any(&association)),
        ("hl7 message", any(&admission)),
        ("hl7 acknowledgement", any(&acknowledgement)),
    ]
    .into_iter()
    .find_map(|(what, seen)| (!seen).then_some(what))
}

/// A datagram from the left to the right, in its frame.
fn datagram(to: [u8; 4]) -> Result<Vec<u8>> {
    let mut frame = Vec::new();
    PacketBuilder::ethernet2([2, 0, 0, 9, 0, 1], [2, 0, 0, 9, 0, 2])
        .ipv4([10, 9, 0, 1], to, 64)
        .udp(40_000, 514)
        .write(&mut frame, b"hello")?;
    Ok(frame)
}

/// How many of [`FRAMES`] datagrams arrive on the right. The bridge is crossed within the call that sends.
fn arriving(passage: &Passage, wire: &mut Wire, to: [u8; 4]) -> Result<u64> {
    let frame = datagram(to)?;
    let before = passage.arrived()?;
    for _ in 0..FRAMES {
        wire.send(&frame)?;
    }
    Ok(passage.arrived()? - before)
}

/// True if the frames to `to` are dropped; something else may arrive meanwhile.
fn is_cut(passage: &Passage, wire: &mut Wire, to: [u8; 4]) -> Result<bool> {
    Ok(arriving(passage, wire, to)? < FRAMES)
}

#[test]
fn a_rule_drops_and_ends_without_the_daemon() -> Result<()> {
    // Long enough for what is asked before it ends, in a slow guest too.
    const TTL: Duration = Duration::from_secs(30);
    if !privileged() {
        return Ok(());
    }
    let passage = Passage::build("kernel-ttl", "")?;
    let mut wire = Wire::open(&passage.left, "eth0")?;
    let mut daemon = passage.start()?;
    ensure!(!is_cut(&passage, &mut wire, BLOCKED)?, "cut without a rule");
    let asked = Instant::now();
    passage.json(&[
        "rules", "add", "--device", "10.9.0.3", "--reason", "test", "--ttl", "30s", "--sticky",
    ])?;
    let made = Instant::now();
    ensure!(
        is_cut(&passage, &mut wire, BLOCKED)?,
        "the rule drops nothing"
    );
    ensure!(!is_cut(&passage, &mut wire, OTHER)?, "another host is cut");
    daemon.kill()?;
    // The time is the kernel's: the rule is in force for all of its time, and then no more.
    wait_for("the rule to end", LIMIT, || {
        let cut = is_cut(&passage, &mut wire, BLOCKED).ok()?;
        (!cut).then_some(())
    })?;
    let (shortest, longest) = (made.elapsed(), asked.elapsed());
    println!("a rule of {TTL:?} ended after {shortest:?}, its daemon being dead");
    ensure!(
        longest >= TTL,
        "it ended after {longest:?} instead of {TTL:?}"
    );
    Ok(())
}

#[test]
fn the_next_daemon_takes_over_rules_and_counters() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let passage = Passage::build("kernel-adopt", "")?;
    let mut wire = Wire::open(&passage.left, "eth0")?;
    let mut daemon = passage.start()?;
    passage.json(&[
        "rules", "add", "--device", "10.9.0.3", "--reason", "test", "--ttl", "1h", "--sticky",
    ])?;
    ensure!(
        is_cut(&passage, &mut wire, BLOCKED)?,
        "the rule drops nothing"
    );
    daemon.kill()?;
    ensure!(
        is_cut(&passage, &mut wire, BLOCKED)?,
        "without a daemon the rule drops nothing"
    );
    let daemon = passage.start()?;
    ensure!(
        daemon.log().contains("took over from an earlier daemon"),
        "{}",
        daemon.log()
    );
    ensure!(
        is_cut(&passage, &mut wire, BLOCKED)?,
        "under the next daemon the rule drops nothing"
    );
    // What each of the three has dropped, once.
    let wanted = 3 * FRAMES;
    let rules = passage.json(&["rules", "list"])?;
    ensure!(rules["items"][0]["hits"]["packets"] == wanted, "{rules}");
    let status = passage.json(&["status"])?;
    let contained = &status["interfaces"][0]["counters"]["contained"];
    ensure!(contained == wanted, "{status}");
    Ok(())
}
