//! Each kind of target: what a rule drops, and what it lets pass.

use anyhow::{Result, ensure};
use tests::{passage::Passage, wire::Wire};

use super::{
    number, passage,
    traffic::{self, Servers, connects, exchanges},
};

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

/// Arguments of `wardtap rules add`, and what the paths begin with that are cut by it.
const CASES: [(&[&str], &[&str]); 11] = [
    (&["--device", "10.9.0.2"], &["10.9.0.2:"]),
    (&["--device", "fd99::3"], &["[fd99::3]:"]),
    (&["--mac", "02:00:00:09:00:02"], &["10.9.0.", "[fd99::"]),
    (&["--subnet", "10.9.0.0/24"], &["10.9.0."]),
    (&["--subnet", "10.9.0.2/31"], &["10.9.0."]),
    (&["--subnet", "fd99::2/127"], &["[fd99::"]),
    (&["--from", "10.9.0.1", "--to", "10.9.0.3"], &["10.9.0.3:"]),
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
    let Some((_turn, passage)) = passage("targets", "")? else {
        return Ok(());
    };
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
        let is_cut = |path: &str| cut.iter().any(|begin| path.starts_with(begin));
        let wanted: Vec<_> = PATHS.iter().filter(|path| !is_cut(path)).collect();
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
