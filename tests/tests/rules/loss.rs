//! Loss that is measured, not set: the daemon stands still while more comes than its ring buffer takes.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use etherparse::PacketBuilder;
use nix::sys::signal::{Signal, kill};
use serde_json::Value;
use tests::{passage::Passage, wait::wait_for, wire::Wire};

use super::{SECONDS, number, passage};

const CONFIGURATION: &str = "\
[containment]
mode = \"automatic\"
second_finding = false
[flow]
idle_closed = \"2s\"
[ring]
size = \"64KiB\"
";
const SCANNER: &str = "10.9.0.1";
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 2);
const PORT: u16 = 8_080;
/// Messages while the daemon stands still, a connection each: several times what the ring takes.
const MESSAGES: u16 = 2_000;
const MESSAGE: &[u8] = b"\x0bMSH|^~\\&|A|B|C|D|20260101||ADT^A01|1|P|2.5\rPID|1\r\x1c\r";

/// Overruns the ring buffer of a daemon that stands still.
fn overrun(passage: &Passage, daemon: &tests::program::Program) -> Result<()> {
    let mut wire = Wire::open(&passage.left, "eth0")?;
    kill(daemon.id()?, Signal::SIGSTOP)?;
    for port in 0..MESSAGES {
        let mut frame = Vec::new();
        PacketBuilder::ethernet2([2, 0, 0, 9, 0, 1], [2, 0, 0, 9, 0, 9])
            .ipv4([10, 9, 0, 77], [10, 9, 0, 78], 64)
            .tcp(20_000 + port, 2_575, 1, 1_000)
            .ack(1)
            .write(&mut frame, MESSAGE)?;
        wire.send(&frame)?;
    }
    kill(daemon.id()?, Signal::SIGCONT)?;
    Ok(())
}

/// A real scan by a device that completed handshakes; what was decided about it, and the rules that came of it.
fn scanned(name: &str, lossy: bool) -> Result<Option<(Value, u64)>> {
    let Some((_turn, passage)) = passage(name, CONFIGURATION)? else {
        return Ok(None);
    };
    for host in [&passage.left, &passage.right] {
        host.fill_in_checksums()?;
    }
    let mut daemon = passage.start()?;
    let server = SocketAddr::new(SERVER.into(), PORT);
    let listener = passage
        .right
        .within(move || Ok(TcpListener::bind(server)?))?;
    let connect = |port| {
        let to = SocketAddr::new(SERVER.into(), port);
        passage
            .left
            .within(move || Ok(TcpStream::connect_timeout(&to, Duration::from_secs(1)).ok()))
    };
    for _ in 0..3 {
        let mut client = connect(PORT)?.context("no connection")?;
        let (mut server, _) = listener.accept()?;
        // What both say is what proves their addresses.
        client.write_all(b"question")?;
        server.read_exact(&mut [0; 8])?;
        server.write_all(b"response")?;
        client.read_exact(&mut [0; 8])?;
    }
    wait_for("the connections to be seen", SECONDS, || {
        let status = passage.json(&["status"]).ok()?;
        (number(&status["pipeline"]["flows_ended"]) >= 3).then_some(())
    })?;
    let measured = || -> Option<(u64, u64)> {
        let status = passage.json(&["status"]).ok()?;
        let of = |name: &str| number(&status["containment"][name]);
        Some((of("offered"), of("lost")))
    };
    if lossy {
        overrun(&passage, &daemon)?;
        wait_for("the loss to be measured", SECONDS, || {
            measured().filter(|(offered, lost)| lost * 100 > *offered)
        })?;
    }
    let decided = wait_for("a decision about the scan", 4 * SECONDS, || {
        for port in 1..40 {
            connect(port).ok()?;
        }
        let alerts = passage.json(&["alerts", "list"]).ok()?;
        let about = |alert: &&Value| alert["device"] == SCANNER;
        let alert = alerts["items"].as_array()?.iter().find(about)?.clone();
        alert["decisions"].as_array()?.last().cloned()
    })?;
    let rules = number(&passage.json(&["rules", "list"])?["total"]);
    let (offered, lost) = measured().unwrap_or_default();
    println!("{lost} of {offered} lost: {decided}, {rules} rules");
    daemon.stop()?;
    Ok(Some((decided, rules)))
}

#[test]
fn a_ring_that_overran_stops_automatic_action_and_nothing_else_does() -> Result<()> {
    if let Some((decided, rules)) = scanned("whole", false)? {
        ensure!(rules == 1, "nothing was lost, and {rules} rules: {decided}");
    }
    if let Some((decided, rules)) = scanned("lossy", true)? {
        let reason = decided["reason"].to_string();
        ensure!(reason.contains("was lost in the last minute"), "{decided}");
        ensure!(rules == 0, "{rules} rules");
    }
    Ok(())
}
