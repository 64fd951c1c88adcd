//! Lists as a user meets them: filters, order, columns, and tables that fit a terminal.

mod command;

use std::{io, process::Command};

use command::{
    BINARY, Done, Folder,
    answering::{Answering, ok, refusal},
    wardtap,
};
use serde_json::{Value, json};

/// The lists, with a filter that means nothing for them and the words that say so.
const LISTS: &[(&[&str], &[&str], &str)] = &[
    (
        &["flows", "list"],
        &["--severity", "high"],
        "flows have no severity",
    ),
    (
        &["sessions", "list"],
        &["--detector", "scan"],
        "sessions have no detector",
    ),
    (
        &["incidents", "list"],
        &["--detector", "scan"],
        "incidents have no detector",
    ),
    (
        &["devices", "list"],
        &["--state", "open"],
        "hosts have no state",
    ),
    (
        &["devices", "hl7-senders"],
        &["--severity", "low"],
        "HL7 senders have no severity",
    ),
    (
        &["devices", "ae-titles"],
        &["--state", "x"],
        "AE titles have no state",
    ),
    (
        &["rules", "list"],
        &["--detector", "scan"],
        "rules have no detector",
    ),
    (
        &["protect", "list"],
        &["--state", "on"],
        "protected have no state",
    ),
    (
        &["exposure", "list"],
        &["--site-only"],
        "devices with a weakness have no site only",
    ),
    (
        &["advisories", "list"],
        &["--device", "10.0.0.1"],
        "this list has no filters",
    ),
    (
        &["advisories", "match"],
        &["--since", "2h"],
        "matches have no since",
    ),
    (
        &["audit", "show"],
        &["--role", "modality"],
        "entries have no role",
    ),
];

#[test]
fn a_filter_that_means_nothing_is_refused_with_the_ones_that_do() -> io::Result<()> {
    for (list, filter, words) in LISTS {
        let done = wardtap(&[list, *filter].concat())?;
        assert_eq!(done.code, Some(2), "{list:?}: {done:?}");
        assert!(done.error.contains(words), "{words:?} in {done:?}");
    }
    let done = wardtap(&["rules", "list", "--detector", "scan"])?;
    for filter in [
        "--device",
        "--since",
        "--until",
        "--role",
        "--state",
        "--site-only",
    ] {
        assert!(done.error.contains(filter), "{filter} in {done:?}");
    }
    // Help is silent about what is refused.
    let help = wardtap(&["rules", "list", "--help"])?;
    assert!(
        help.out.contains("--state") && !help.out.contains("--detector"),
        "{help:?}"
    );
    Ok(())
}

#[test]
fn an_unknown_word_lists_the_known_ones() -> io::Result<()> {
    for (arguments, words) in [
        (
            &["alerts", "list", "--sort", "when"][..],
            &["severity", "opened"][..],
        ),
        (
            &["alerts", "list", "--sort", "severity:down"],
            &["severity:desc"],
        ),
        (
            &["alerts", "list", "--columns", "id,whom"],
            &["severity", "device", "what"],
        ),
        (
            &["alerts", "list", "--state", "goes-on"],
            &["open", "closed", "suppressed"],
        ),
        (
            &["rules", "list", "--state", "open"],
            &["enabled", "proposed", "dry-run"],
        ),
        (
            &["alerts", "list", "--severity", "grave"],
            &["low", "critical"],
        ),
        (
            &["devices", "list", "--role", "scanner"],
            &["modality", "interface-engine"],
        ),
        (&["alerts", "list", "--since", "noon"], &["RFC 3339", "2h"]),
        (
            &["replay", "x.pcap", "--section", "pictures"],
            &["alerts", "ae-titles"],
        ),
        (
            &[
                "replay",
                "x.pcap",
                "--section",
                "dicom",
                "--severity",
                "high",
            ],
            &["--severity means nothing in the section dicom", "--device"],
        ),
        (
            &["replay", "x.pcap", "--device", "10.0.0.1"],
            &["--section"],
        ),
    ] {
        let done = wardtap(arguments)?;
        assert_ne!(done.code, Some(0), "{arguments:?}: {done:?}");
        for word in words {
            assert!(done.error.contains(word), "{word:?} in {done:?}");
        }
    }
    Ok(())
}

fn asked(arguments: &[&str]) -> io::Result<String> {
    let folder = Folder::new()?;
    let daemon = Answering::start(&folder, ok(&json!({"total": 0, "items": []})))?;
    let done = wardtap(&[arguments, &["--socket", &daemon.socket]].concat())?;
    assert_eq!(done.code, Some(0), "{done:?}");
    Ok(daemon
        .asked()?
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned())
}

#[test]
fn filters_reach_the_daemon() -> io::Result<()> {
    let line = asked(&[
        "alerts",
        "list",
        "--device",
        "CT ROOM/1",
        "--since",
        "2026-03-01T09:00:00+01:00",
        "--role",
        "modality",
        "--severity",
        "high",
        "--detector",
        "scan",
        "--state",
        "open",
        "--site-only",
        "--sort",
        "opened:desc",
        "--limit",
        "7",
    ])?;
    assert_eq!(
        line,
        "GET /v1/alerts?detector=scan&device=CT%20ROOM%2F1&limit=7&offset=0&role=modality&severity=high\
         &since=2026-03-01T08%3A00%3A00.000000Z&site_only=true&sort=opened%3Adesc&state=open HTTP/1.1"
    );
    Ok(())
}

#[test]
fn what_the_daemon_does_not_know_is_said() -> io::Result<()> {
    let folder = Folder::new()?;
    let said = "no device is called \"CT9\"";
    let daemon = Answering::start(&folder, refusal("400 Bad Request", said))?;
    let done = wardtap(&[
        "flows",
        "list",
        "--device",
        "CT9",
        "--socket",
        &daemon.socket,
    ])?;
    assert_eq!(done.code, Some(1));
    assert!(done.error.contains(said), "{done:?}");
    daemon.asked()?;
    Ok(())
}

fn alert(id: u64, device: &str) -> Value {
    json!({
        "id": id, "device": device, "role": "suspect", "severity": "high", "confidence": 0.9,
        "title": "connections from 2001:db8:85a3:8d3:1319:8a2e:370:7348 to 10.77.1.20:11112 within 60 s, refused or unanswered",
        "opened": "2026-01-02T03:04:05.000000Z", "updated": "2026-01-02T03:05:05.000000Z",
        "techniques": ["T1046"], "findings": [], "finding_count": 1, "check": []
    })
}

fn at_width(width: &str, arguments: &[&str], answer: &Value) -> io::Result<Done> {
    let folder = Folder::new()?;
    let daemon = Answering::start(&folder, ok(answer))?;
    let output = Command::new(BINARY)
        .args(arguments)
        .args(["--socket", &daemon.socket])
        .env("COLUMNS", width)
        .env("TZ", "UTC")
        .output()?;
    daemon.asked()?;
    Ok(output.into())
}

#[test]
fn tables_fit_the_terminal_and_break_no_address() -> io::Result<()> {
    let page = json!({"total": 2, "items": [alert(7, "10.77.1.66"), alert(8, "fd00:1234::9abc")]});
    let list = ["alerts", "list"];
    for width in [80, 160] {
        let done = at_width(&width.to_string(), &list, &page)?;
        let widest = done.out.lines().filter(|line| !line.contains("hidden"));
        let widest = widest.map(|line| line.chars().count()).max();
        assert!(widest <= Some(width), "{widest:?}: {}", done.out);
        for whole in [
            "10.77.1.66",
            "fd00:1234::9abc",
            "2001:db8:85a3:8d3:1319:8a2e:370:7348",
            "10.77.1.20:11112",
        ] {
            assert!(done.out.contains(whole), "{width}, {whole}: {}", done.out);
        }
    }
    let narrow = at_width("80", &list, &page)?;
    assert!(
        narrow.out.contains("hidden (") && narrow.out.contains("use --columns"),
        "{}",
        narrow.out
    );
    let chosen = at_width("80", &["alerts", "list", "--columns", "opened,id"], &page)?;
    let first: Vec<&str> = chosen
        .out
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    assert_eq!(first, ["opened", "id"]);
    assert!(
        chosen.out.contains("2026-01-02 03:04:05   7"),
        "{}",
        chosen.out
    );
    Ok(())
}

#[test]
fn hosts_of_the_internet_are_one_line_unless_asked_for() -> io::Result<()> {
    let host = |address: &str| {
        json!({
            "address": address, "mac_shared": false, "first_seen": "2026-01-02T03:00:00.000000Z",
            "last_seen": "2026-01-02T04:00:00.000000Z", "bytes_in": 1, "bytes_out": 1, "flows_opened": 1,
            "flows_accepted": 0, "cleartext_dicom": false, "cleartext_hl7": false, "tls": false
        })
    };
    let page = json!({"total": 1, "items": [host("10.77.1.20")], "internet": 4_218});
    let done = at_width("80", &["devices", "list"], &page)?;
    assert!(
        done.out
            .contains("1 of 1 hosts\n4,218 hosts of the Internet: --internet lists them too"),
        "{}",
        done.out
    );
    assert!(asked(&["devices", "list"])?.contains("site_only=true"));
    assert!(!asked(&["devices", "list", "--internet"])?.contains("site_only"));
    Ok(())
}
