//! Containment as an operator has it: the real binary on both ports of a bridge, real connections through
//! it, and what of them passes.

mod crash;
mod traffic;

use std::{
    os::unix::process::CommandExt,
    process::{Command, Output},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tests::{ability::privileged, passage::Passage, sensor::binary, wait::wait_for, wire::Wire};
use traffic::{Servers, connects, exchanges};

const SECONDS: Duration = Duration::from_secs(10);

/// Each test has daemons on two CPUs of its own, so they take turns.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// What passes from left to right: TCP ports 104 and 2575 and UDP port 514 of the hosts 2 and 3, of both
/// families.
const PATHS: [&str; 12] = [
    "10.9.0.2:104",
    "10.9.0.2:2575",
    "10.9.0.2:514/udp",
    "10.9.0.3:104",
    "10.9.0.3:2575",
    "10.9.0.3:514/udp",
    "[fd99::2]:104",
    "[fd99::2]:2575",
    "[fd99::2]:514/udp",
    "[fd99::3]:104",
    "[fd99::3]:2575",
    "[fd99::3]:514/udp",
];

/// Arguments of `wardtap rules add`, and the paths that are cut by it.
const CASES: [(&[&str], &[&str]); 11] = [
    (
        &["--device", "10.9.0.2"],
        &["10.9.0.2:104", "10.9.0.2:2575", "10.9.0.2:514/udp"],
    ),
    (
        &["--device", "fd99::3"],
        &["[fd99::3]:104", "[fd99::3]:2575", "[fd99::3]:514/udp"],
    ),
    (&["--mac", "02:00:00:09:00:02"], &PATHS),
    (
        &["--subnet", "10.9.0.0/24"],
        &[
            "10.9.0.2:104",
            "10.9.0.2:2575",
            "10.9.0.2:514/udp",
            "10.9.0.3:104",
            "10.9.0.3:2575",
            "10.9.0.3:514/udp",
        ],
    ),
    (
        &["--subnet", "10.9.0.2/31"],
        &[
            "10.9.0.2:104",
            "10.9.0.2:2575",
            "10.9.0.2:514/udp",
            "10.9.0.3:104",
            "10.9.0.3:2575",
            "10.9.0.3:514/udp",
        ],
    ),
    (
        &["--subnet", "fd99::2/127"],
        &[
            "[fd99::2]:104",
            "[fd99::2]:2575",
            "[fd99::2]:514/udp",
            "[fd99::3]:104",
            "[fd99::3]:2575",
            "[fd99::3]:514/udp",
        ],
    ),
    (
        &["--from", "10.9.0.1", "--to", "10.9.0.3"],
        &["10.9.0.3:104", "10.9.0.3:2575", "10.9.0.3:514/udp"],
    ),
    (
        &["--from", "fd99::1", "--to", "fd99::2", "--port", "104"],
        &["[fd99::2]:104"],
    ),
    (
        &["--device", "10.9.0.2", "--port", "2575"],
        &["10.9.0.2:2575"],
    ),
    (
        &["--device", "fd99::2", "--port", "514", "--transport", "udp"],
        &["[fd99::2]:514/udp"],
    ),
    (&["--device", "10.9.0.2", "--dry-run"], &[]),
];

#[test]
fn each_target_drops_what_it_names_and_nothing_else() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let _turn = turn();
    let passage = Passage::build("targets", "")?;
    let _servers = Servers::start(&passage)?;
    let _daemon = passage.start()?;
    ensure!(
        exchanges(&passage, &PATHS)? == PATHS,
        "without a rule all pass"
    );
    for (target, cut) in CASES {
        let arguments = [&["rules", "add", "--reason", "test", "--ttl", "1m"], target].concat();
        let added = passage.json(&arguments)?;
        let passing = exchanges(&passage, &PATHS)?;
        let wanted: Vec<_> = PATHS.iter().filter(|path| !cut.contains(path)).collect();
        ensure!(
            passing.iter().collect::<Vec<_>>() == wanted,
            "{target:?} lets pass {passing:?}"
        );
        let id = added["rule"]["id"].to_string();
        let rules = passage.json(&["rules", "list"])?;
        let hits = &rules["items"][0]["hits"];
        if target.contains(&"--dry-run") {
            ensure!(
                hits["packets"] == 0 && number(&hits["would_packets"]) > 0,
                "{rules}"
            );
        } else {
            ensure!(
                number(&hits["packets"]) > 0 && hits["would_packets"] == 0,
                "{rules}"
            );
            ensure!(
                number(&hits["bytes"]) >= 54 * number(&hits["packets"]),
                "{rules}"
            );
        }
        passage.json(&["rules", "remove", &id])?;
        ensure!(
            exchanges(&passage, &PATHS)? == PATHS,
            "{target:?} is lifted"
        );
    }
    one_connection(&passage)?;
    tagged(&passage)
}

/// Frames with one and with two VLAN tags: no kernel of the test needs to know VLANs.
fn tagged(passage: &Passage) -> Result<()> {
    const FRAMES: u64 = 50;
    let mut wire = Wire::open(&passage.left, "eth0")?;
    for (tags, to) in [
        (1, "10.97.0.2"),
        (2, "10.97.0.2"),
        (1, "fd97::2"),
        (2, "fd97::2"),
    ] {
        let frame = traffic::tagged(tags, to.parse()?)?;
        let mut arriving = || -> Result<u64> {
            let before = passage.arrived()?;
            for _ in 0..FRAMES {
                wire.send(&frame)?;
            }
            Ok(passage.arrived()? - before)
        };
        ensure!(
            arriving()? >= FRAMES,
            "{tags} tags, {to}: without a rule all pass"
        );
        let add = [
            "rules", "add", "--reason", "test", "--ttl", "1m", "--device",
        ];
        passage.json(&[&add[..], &[to, "--port", "514", "--transport", "udp"]].concat())?;
        ensure!(
            arriving()? < FRAMES / 10,
            "{tags} tags, {to}: the rule does not see it"
        );
        let rules = passage.json(&["rules", "list"])?;
        ensure!(rules["items"][0]["hits"]["packets"] == FRAMES, "{rules}");
        passage.json(&["rules", "release-all"])?;
        ensure!(
            arriving()? >= FRAMES,
            "{tags} tags, {to}: the rule is lifted"
        );
    }
    Ok(())
}

/// A rule for one of two connections to the same port ends it, and leaves the other.
fn one_connection(passage: &Passage) -> Result<()> {
    let mut first = connects(passage, "10.9.0.2:104")?;
    let mut second = connects(passage, "10.9.0.2:104")?;
    ensure!(first.echoes()? && second.echoes()?, "both connections work");
    let flow = format!("tcp,{},10.9.0.2:104", first.local()?);
    passage.json(&[
        "rules", "add", "--flow", &flow, "--reason", "test", "--ttl", "1m",
    ])?;
    ensure!(
        !first.echoes()?,
        "the connection that the rule names goes on"
    );
    ensure!(second.echoes()?, "another connection was cut");
    passage.json(&["rules", "release-all"])?;
    Ok(())
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

const STICKY: &[&str] = &["10.9.0.2:514/udp"];
const OTHER: &[&str] = &["10.9.0.3:514/udp"];

#[test]
fn rules_end_by_the_kernels_clock_and_pass_without_a_daemon() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let _turn = turn();
    let passage = Passage::build("ttl", "[containment]\nheartbeat = \"2s\"\n")?;
    let _servers = Servers::start(&passage)?;
    let mut daemon = passage.start()?;
    let add = |device: &str, more: &[&str]| {
        let arguments = ["rules", "add", "--reason", "test", "--device", device];
        passage.json(&[&arguments[..], more].concat())
    };
    let made = Instant::now();
    add("10.9.0.2", &["--ttl", "11s", "--sticky"])?;
    add("10.9.0.3", &["--ttl", "1m"])?;
    let (sticky, other) = (STICKY, OTHER);
    ensure!(exchanges(&passage, sticky)?.is_empty());
    ensure!(exchanges(&passage, other)?.is_empty());
    daemon.kill()?;
    let killed = Instant::now();
    wait_for("the rule to pass without a daemon", SECONDS, || {
        (exchanges(&passage, other).ok()? == other).then_some(())
    })?;
    let lapsed = killed.elapsed();
    ensure!(
        lapsed > Duration::from_millis(800) && lapsed < Duration::from_secs(3),
        "after {lapsed:?}"
    );
    ensure!(
        exchanges(&passage, sticky)?.is_empty(),
        "a sticky rule stays without a daemon"
    );
    wait_for("the sticky rule to end", SECONDS + SECONDS, || {
        (exchanges(&passage, sticky).ok()? == sticky).then_some(())
    })?;
    let lasted = made.elapsed();
    println!(
        "a rule of 11 s lasted {lasted:?}, its daemon being dead; without a heartbeat rules passed after {lapsed:?}"
    );
    ensure!(
        lasted > Duration::from_secs(10) && lasted < Duration::from_secs(12),
        "it lasted {lasted:?} instead of 11 s"
    );
    // The next daemon finds the one over and the other in force again.
    let _daemon = passage.start()?;
    let rules = passage.json(&["rules", "list"])?;
    ensure!(rules["total"] == 1, "{rules}");
    ensure!(
        exchanges(&passage, other)?.is_empty(),
        "the rule is in force again"
    );
    ensure!(exchanges(&passage, sticky)? == sticky);
    Ok(())
}

/// What is refused, and a word that the answer has to have.
const REFUSED: [(&[&str], &str); 18] = [
    (&["--device", "10.9.0.9"], "protected"),
    (&["--device", "10.9.0.8", "--port", "104"], "10.9.0.8/30"),
    (&["--from", "10.9.0.1", "--to", "10.9.0.9"], "protected"),
    (&["--flow", "tcp,10.9.0.1:4000,10.9.0.9:104"], "protected"),
    (&["--mac", "02:00:00:00:00:99"], "protected"),
    (&["--subnet", "10.9.0.0/24"], "contains what is protected"),
    (&["--subnet", "10.20.0.0/17"], "overlaps rule 1"),
    (&["--subnet", "10.20.128.0/15"], "host bits"),
    (&["--subnet", "0.0.0.0/0"], "wider"),
    (&["--subnet", "10.0.0.0/7"], "wider"),
    (&["--from", "10.9.0.1", "--to", "fd99::1"], "families"),
    (&["--from", "10.9.0.1", "--to", "10.9.0.1"], "itself"),
    (&["--device", "127.0.0.1"], "loopback"),
    (&["--mac", "ff:ff:ff:ff:ff:ff"], "broadcast"),
    (&["--device", "10.9.0.5", "--port", "0"], "port 0"),
    (&["--device", "10.30.0.1", "--dry-run"], "something else"),
    (
        &["--device", "10.9.0.5", "--scope", "keep-clinical"],
        "clinical",
    ),
    (
        &["--subnet", "10.9.1.0/24", "--scope", "keep-clinical"],
        "keep-clinical is for a device",
    ),
];

/// The rules, without what is seen of their targets meanwhile.
fn listed(passage: &Passage) -> Result<Value> {
    let mut rules = passage.json(&["rules", "list"])?;
    let items = rules["items"].as_array_mut().context("no rules")?;
    for rule in items.iter_mut().filter_map(Value::as_object_mut) {
        rule.remove("effect");
    }
    Ok(rules)
}

#[test]
fn bad_input_gets_a_clear_answer_and_changes_nothing() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let _turn = turn();
    let protect =
        "[containment]\nprotect = [\"10.9.0.9\", \"10.9.0.8/30\", \"02:00:00:00:00:99\"]\n";
    let passage = Passage::build("refused", protect)?;
    let _daemon = passage.start()?;
    let add = ["rules", "add", "--reason", "test", "--ttl", "1h"];
    passage.json(&[&add[..], &["--subnet", "10.20.0.0/16"]].concat())?;
    passage.json(&[&add[..], &["--device", "10.30.0.1"]].concat())?;
    let before = listed(&passage)?;
    for (target, word) in REFUSED {
        let answer = passage.cli(&[&add[..], target].concat())?;
        let words = said(&answer);
        ensure!(answer.status.code() == Some(1), "{target:?}: {words}");
        ensure!(words.contains(word), "{target:?}: {words}");
        ensure!(listed(&passage)? == before, "{target:?} changed the rules");
    }
    for ttl in ["9s", "8d"] {
        let answer = passage.cli(&[
            "rules", "add", "--reason", "test", "--device", "10.9.0.5", "--ttl", ttl,
        ])?;
        ensure!(
            said(&answer).contains("10 seconds to 7 days"),
            "{}",
            said(&answer)
        );
    }
    let answer = passage.cli(&["rules", "add", "--reason", " ", "--device", "10.9.0.5"])?;
    ensure!(
        said(&answer).contains("a reason is needed"),
        "{}",
        said(&answer)
    );
    let answer = passage.cli(&["rules", "approve", "99"])?;
    ensure!(said(&answer).contains("no rule 99"), "{}", said(&answer));
    let answer = passage.cli(&["rules", "approve", "1"])?;
    ensure!(
        said(&answer).contains("only a proposed"),
        "{}",
        said(&answer)
    );

    // A shorter time is refused, a longer one extends.
    let again = ["rules", "add", "--reason", "more", "--device", "10.30.0.1"];
    let answer = passage.cli(&[&again[..], &["--ttl", "30m"]].concat())?;
    ensure!(
        said(&answer).contains("already, until"),
        "{}",
        said(&answer)
    );
    ensure!(listed(&passage)? == before);
    let extended = passage.json(&[&again[..], &["--ttl", "2h"]].concat())?;
    ensure!(
        extended["extended"] == true && extended["rule"]["id"] == 2,
        "{extended}"
    );

    // What was refused is in the trail, with the person.
    let trail = passage.trail();
    let trail = trail.to_str().context("a path that is no text")?;
    let shown = passage.json(&["audit", "show", trail, "--last", "100"])?;
    let refused = shown.as_array().into_iter().flatten().filter(|entry| {
        entry["action"] == "refused"
            && entry["actor"]["uid"] == 0
            && entry["actor"]["name"] == "root"
    });
    ensure!(refused.count() >= REFUSED.len(), "{shown}");
    ensure!(passage.cli(&["audit", "verify", trail])?.status.success());
    who_may_not(&passage)
}

/// Who is not root and not in the group gets a refusal.
fn who_may_not(passage: &Passage) -> Result<()> {
    let mut command = Command::new("/bin/sh");
    // The binary may lie where nobody else can read.
    let copy = passage.folder().join("wardtap");
    std::fs::copy(binary()?, &copy)?;
    command
        .arg("-c")
        .arg("exec \"$0\" rules release-all")
        .arg(copy)
        .env("WARDTAP_SOCKET", passage.folder().join("control.sock"))
        .uid(65_534)
        .gid(65_534);
    let answer = command.output()?;
    ensure!(
        answer.status.code() == Some(1) && said(&answer).contains("not permitted"),
        "{}",
        said(&answer)
    );
    let rules = passage.json(&["rules", "list"])?;
    ensure!(rules["total"] == 2, "{rules}");
    Ok(())
}
