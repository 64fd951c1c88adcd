//! The command line as a user meets it: what it says, where, and with which exit code.

mod command;

use std::{
    fs, io,
    os::unix::{fs::PermissionsExt, net::UnixListener},
    path::PathBuf,
    process::{Command, Stdio},
};

use command::{
    BINARY, Folder,
    answering::{Answering, ok},
    as_nobody, wardtap,
};
use nix::unistd::geteuid;
use serde_json::{Value, json};

/// The commands that ask the daemon.
const ASKING: &[&[&str]] = &[
    &["status"],
    &["flows", "list"],
    &["sessions", "list"],
    &["devices", "list"],
    &["devices", "show", "10.0.0.9"],
    &["model", "list"],
    &["export", "features"],
];

#[test]
fn a_wrong_command_line_is_exit_code_2() -> io::Result<()> {
    for arguments in [
        &[][..],
        &["listen"],
        &["flows"],
        &["flows", "list", "--protocol", "dicom"],
        &["sessions", "list", "--protocol", "ftp"],
        &["sessions", "list", "--limit", "0"],
        &["sessions", "list", "--limit", "1001"],
        &["status", "--colour"],
        &["completions", "vi"],
    ] {
        let done = wardtap(arguments)?;
        assert_eq!(done.code, Some(2), "{arguments:?}: {done:?}");
        assert_eq!(done.out, "", "{arguments:?}");
        assert!(done.error.contains("--help"), "{arguments:?}: {done:?}");
    }
    Ok(())
}

#[test]
fn help_has_examples() -> io::Result<()> {
    for arguments in [
        &["--help"][..],
        &["run", "--help"],
        &["flows", "list", "--help"],
        &["sessions", "--help"],
        &["devices", "--help"],
        &["model", "--help"],
        &["export", "features", "--help"],
        &["config", "--help"],
        &["doctor", "--help"],
    ] {
        let done = wardtap(arguments)?;
        assert_eq!(done.code, Some(0), "{arguments:?}: {done:?}");
        assert!(done.out.contains("\n  wardtap "), "{arguments:?}: {done:?}");
    }
    let script = wardtap(&["completions", "bash"])?;
    assert_eq!(script.code, Some(0));
    assert!(script.out.contains("sessions"), "{script:?}");
    Ok(())
}

#[test]
fn without_a_daemon_it_says_so_and_what_to_do() -> io::Result<()> {
    let folder = Folder::new()?;
    let socket = folder.path().join("control.sock");
    let name = socket.display().to_string();
    for left in [false, true] {
        if left {
            // As a daemon leaves it that was killed.
            drop(UnixListener::bind(&socket)?);
        }
        for arguments in ASKING {
            let done = wardtap(&[arguments, &["--socket", &name][..]].concat())?;
            assert_eq!(done.code, Some(1), "{done:?}");
            assert_eq!(done.out, "");
            for word in ["no wardtap daemon", &name, "wardtap run"] {
                assert!(done.error.contains(word), "{word:?} in {done:?}");
            }
        }
    }
    Ok(())
}

#[test]
fn a_socket_that_others_may_not_use_names_the_group() -> io::Result<()> {
    if !geteuid().is_root() {
        println!("SKIPPED: only root can be another user");
        return Ok(());
    }
    let folder = Folder::new()?;
    let socket = folder.path().join("control.sock");
    let _listener = UnixListener::bind(&socket)?;
    fs::set_permissions(&socket, fs::Permissions::from_mode(0o600))?;
    let done = as_nobody(
        &readable_binary(&folder)?,
        &["status", "--socket", &socket.display().to_string()],
    )?;
    assert_eq!(done.code, Some(1), "{done:?}");
    for word in ["not permitted", "group", "wardtap"] {
        assert!(done.error.contains(word), "{word:?} in {done:?}");
    }
    Ok(())
}

#[test]
fn what_is_no_daemon_is_named_as_such() -> io::Result<()> {
    for (answer, word) in [
        ("220 mail.example ESMTP\r\n", "no answer of this version"),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
            "no answer of this version",
        ),
        (
            "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 35\r\n\r\n{\"error\":\"the sensor is overloaded\"}",
            "the sensor is overloaded",
        ),
    ] {
        let folder = Folder::new()?;
        let daemon = Answering::start(&folder, answer.to_owned())?;
        let done = wardtap(&["status", "--socket", &daemon.socket])?;
        assert_eq!(done.code, Some(1), "{done:?}");
        assert!(done.error.contains(word), "{word:?} in {done:?}");
        daemon.asked()?;
    }
    Ok(())
}

#[test]
fn lists_are_tables_for_people_and_json_for_programs() -> io::Result<()> {
    let page = json!({
        "total": 7,
        "items": [{
            "timestamp": "2026-01-02T03:04:05.000000Z", "v": 2, "flow_id": 1,
            "src_ip": "10.0.0.5", "src_port": 40000, "dest_ip": "10.0.0.9", "dest_port": 104, "proto": "TCP",
            "event_type": "dicom",
            "dicom": {
                "type": "closed", "start": "2026-01-02T03:04:05.000000Z", "end": "2026-01-02T03:04:06.000000Z",
                "outcome": "released", "midstream": false, "incomplete": false,
                "calling_ae": "CT_ROOM_1", "called_ae": "PACS",
                "requestor_data_bytes": 1_500_000, "acceptor_data_bytes": 0
            }
        }]
    });
    let answer = ok(&page);
    let folder = Folder::new()?;
    let asking = ["sessions", "list", "--protocol", "dicom", "--offset", "6"];

    let daemon = Answering::start(&folder, answer.clone())?;
    let table = wardtap(&[&asking[..], &["--socket", &daemon.socket]].concat())?;
    assert_eq!(table.code, Some(0), "{table:?}");
    for word in [
        "CT_ROOM_1 → PACS",
        "10.0.0.9:104",
        "released",
        "1.5 MB",
        "1 of 7 sessions",
    ] {
        assert!(table.out.contains(word), "{word:?} in {table:?}");
    }
    assert!(!table.out.contains('\u{1b}'), "colour in a pipe: {table:?}");
    let asked = daemon.asked()?;
    let line = asked.lines().next().unwrap_or_default();
    assert_eq!(
        line,
        "GET /v1/sessions?limit=100&offset=6&protocol=dicom HTTP/1.1"
    );

    let daemon = Answering::start(&folder, answer)?;
    let listed = wardtap(&[&asking[..], &["--json", "--socket", &daemon.socket]].concat())?;
    assert_eq!(serde_json::from_str::<Value>(&listed.out)?, page);
    daemon.asked()?;
    Ok(())
}

#[test]
fn the_status_says_what_was_lost_and_what_is_wrong() -> io::Result<()> {
    let status = json!({
        "version": "0.1.0",
        "start": "2026-01-02T03:00:00.000000Z", "time": "2026-01-02T04:01:00.000000Z",
        "interfaces": [{
            "name": "eth1", "role": "inline", "mode": "generic", "frags": false, "fallback": "the driver has no XDP",
            "link": false, "rates": [{"window": "10s", "packets": 0.0, "bytes": 0.0},
                {"window": "1m", "packets": 7.25, "bytes": 1_234.0}, {"window": "1h", "packets": 12_345.0, "bytes": 3e6}],
            "last_packet": "2026-01-02T04:00:20.000000Z",
            "conditions": [{"condition": "link_down", "since": "2026-01-02T04:00:21.000000Z", "detail": "no link"}],
            "counters": {"packets": 36_600, "bytes": 3_000_000, "in_flow": 36_000, "duplicate": 500, "not_ip": 100}
        }],
        "ring": [
            {"kind": "flow", "offered": 1_000, "received": 990, "lost": 10},
            {"kind": "chunk", "offered": 50, "received": 49, "lost": 0}
        ],
        "flows": {
            "established": 12_345, "established_capacity": 65_536, "fresh": 3, "fresh_capacity": 65_536,
            "evicted": 4, "pressure": true
        },
        "pipeline": {"associations": 17, "hl7_messages": 4_242, "hl7_naks": 2},
        "model": {
            "why_none": "no model", "loads": 0, "refusals": 0,
            "flows": {"scored": 0, "strange": 0, "queue_full": 0, "no_model": 9, "failed": 0, "batches": 0}
        },
        "detection": {
            "findings": {"scan": 1_200, "beacon": 34}, "off": ["clear_text"],
            "open": {"low": 0, "medium": 2, "high": 1, "critical": 0},
            "last": {
                "id": 7, "severity": "high", "device": "10.1.0.66", "title": "40 connections refused",
                "opened": "2026-01-02T03:30:00.000000Z", "open": true
            },
            "suppressed": 1, "suspects_evicted": 0, "excepted": 5, "excepted_high": 2, "exceptions": 3, "lost": 0,
            "site_learnt": 0.259, "site_until": "2026-01-09T03:00:00.000000Z",
            "learnt": 0, "learning": 4_320, "frozen": 9,
            "frozen_first": [{"address": "10.1.0.66", "until": "2026-01-02T04:30:00.000000Z"}],
            "evicted": 0, "bytes": 21_600_000
        },
        "containment": {
            "rules": {"enabled": 2, "dry-run": 1}, "effects": {"effective": 1, "not_effective": 1},
            "offered": 0, "lost": 0, "protected": 9, "enforcing": ["eth1"], "trail": "/var/lib/wardtap/audit.jsonl",
            "segments": {
                "current": 3, "bytes": 9, "older": 2, "verified": 2, "whole": true, "removed_to": 0, "exported": 0, "lost": 0
            },
            "entries": 77, "waiting": 0, "dropped": 0
        },
        "outputs": [{
            "name": "json", "target": "/var/lib/wardtap/events.jsonl", "events": 99, "waiting": 0,
            "dropped_queue_full": 5, "dropped_write_error": 0, "resent": 0, "failing": "No space left on device"
        }],
        "configuration": {"config": "ab12", "since": "2026-01-02T03:00:00.000000Z", "restart": ["ring.size"]},
        "warnings": ["the ring buffer was full"]
    });
    let folder = Folder::new()?;
    let daemon = Answering::start(&folder, ok(&status))?;
    let text = wardtap(&["status", "--socket", &daemon.socket])?;
    assert_eq!(text.code, Some(0), "{text:?}");
    for word in [
        "1h 1m",
        "eth1",
        "generic",
        "36,600",
        "down",
        "7.2",
        "12,345",
        "1.2 kB",
        "3.0 MB",
        "duplicate",
        "12,345 of 65,536",
        "only clinical flows",
        "17 DICOM associations",
        "4,242 HL7 messages",
        "open 1 high, 2 medium",
        "last 7 (high)",
        "10.1.0.66: 40 connections refused",
        "1,234 findings, 5 more muted by 3 exceptions, 2 of them of high severity",
        "detectors that are off: clear_text",
        "25 % of the learning period",
        "4,320 learning, 9 on hold",
        "10.1.0.66 until",
        "8 more",
        "21.6 MB",
        "rules drop on eth1; rules: 1 dry-run, 2 enabled",
        "do they work: 1 effective, 1 not effective",
        "9 protected; 77 entries",
        "No space left on device",
        "Warning: the ring buffer was full",
    ] {
        assert!(text.out.contains(word), "{word:?} in {}", text.out);
    }
    let exact = |kind: &str| {
        let line = text.out.lines().find(|line| line.trim().starts_with(kind));
        line.is_some_and(|line| line.trim().ends_with("yes"))
    };
    assert!(exact("flow") && !exact("chunk"), "{}", text.out);
    daemon.asked()?;

    let daemon = Answering::start(&folder, ok(&status))?;
    let shown = wardtap(&["status", "--json", "--socket", &daemon.socket])?;
    assert_eq!(serde_json::from_str::<Value>(&shown.out)?, status);
    daemon.asked()?;
    Ok(())
}

#[test]
fn a_reader_that_has_enough_is_no_error() -> io::Result<()> {
    let mut child = Command::new(BINARY)
        .args(["completions", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    drop(child.stdout.take());
    let done = child.wait_with_output()?;
    assert_eq!(done.status.code(), Some(0));
    assert!(done.stderr.is_empty(), "{done:?}");
    Ok(())
}

#[test]
fn an_interface_that_is_not_there_is_named_with_those_that_are() -> io::Result<()> {
    if !geteuid().is_root() {
        println!("SKIPPED: without rights to listen the interface is not looked at");
        return Ok(());
    }
    let folder = Folder::new()?;
    let socket = folder.path().join("control.sock").display().to_string();
    let done = wardtap(&["run", "--interface", "nope0", "--socket", &socket])?;
    assert_eq!(done.code, Some(1), "{done:?}");
    for word in ["\"nope0\" does not exist", "lo"] {
        assert!(done.error.contains(word), "{word:?} in {done:?}");
    }
    let none = folder.path().join("none.toml");
    fs::write(&none, "# The defaults.\n")?;
    let done = wardtap(&["run", "--config", &none.display().to_string()])?;
    assert_eq!(done.code, Some(1), "{done:?}");
    for word in ["no interface", "--interface", "[[interface]]"] {
        assert!(done.error.contains(word), "{word:?} in {done:?}");
    }
    Ok(())
}

#[test]
fn without_rights_it_names_those_that_are_missing() -> io::Result<()> {
    if !geteuid().is_root() {
        println!("SKIPPED: only root can be another user");
        return Ok(());
    }
    let folder = Folder::new()?;
    let binary = readable_binary(&folder)?;
    let done = as_nobody(&binary, &["run", "--interface", "lo"])?;
    assert_eq!(done.code, Some(1), "{done:?}");
    for word in ["CAP_BPF", "CAP_NET_ADMIN", "run as root"] {
        assert!(done.error.contains(word), "{word:?} in {done:?}");
    }
    let done = as_nobody(&binary, &["doctor", "--json"])?;
    assert_eq!(done.code, Some(1), "{done:?}");
    let findings: Value = serde_json::from_str(&done.out)?;
    let rights = finding(&findings, "capabilities");
    assert_eq!(rights["verdict"], "fail", "{findings}");
    assert!(rights["next"].is_string(), "{findings}");
    Ok(())
}

#[test]
fn the_doctor_looks_at_the_host_and_at_an_interface() -> io::Result<()> {
    let done = wardtap(&["doctor", "--json", "--interface", "nope0"])?;
    assert_eq!(done.code, Some(1), "{done:?}");
    let findings: Value = serde_json::from_str(&done.out)?;
    for what in ["kernel", "capabilities", "BPF file system", "kernel BTF"] {
        assert!(finding(&findings, what)["found"].is_string(), "{findings}");
    }
    assert_eq!(finding(&findings, "nope0: link")["verdict"], "fail");
    // A missing BTF is told, and never a reason not to run.
    assert_eq!(finding(&findings, "kernel BTF")["verdict"], "ok");

    let text = wardtap(&["doctor", "--interface", "nope0"])?;
    assert_eq!(text.code, Some(1), "{text:?}");
    assert!(
        text.out
            .contains("FAIL  nope0: link: does not exist\n      next: there are:"),
        "{text:?}"
    );
    Ok(())
}

fn finding<'a>(findings: &'a Value, what: &str) -> &'a Value {
    let all = findings.as_array().map(Vec::as_slice).unwrap_or_default();
    all.iter()
        .find(|finding| finding["what"] == what)
        .unwrap_or(&Value::Null)
}

/// The binary where another user can read it.
fn readable_binary(folder: &Folder) -> io::Result<PathBuf> {
    let copy = folder.path().join("wardtap");
    // By another process: a program that this one is writing can't be run while another thread's child
    // still holds the descriptor (ETXTBSY).
    let done = Command::new("install")
        .args(["-m", "755", BINARY])
        .arg(&copy)
        .status()?;
    if done.success() {
        Ok(copy)
    } else {
        Err(io::Error::other("install failed"))
    }
}
