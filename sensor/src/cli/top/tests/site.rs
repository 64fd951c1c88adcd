//! A site to look at, and what the tests do with the view.

use ratatui::{
    Terminal,
    backend::TestBackend,
    buffer::{Buffer, Cell},
    crossterm::event::{KeyCode, KeyEvent, KeyModifiers},
};
use sensor_analysis::model::Summary;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{
    cli::{
        plain::make_plain,
        top::{
            app::App,
            link::{Ask, DaemonState, News},
            view::{Look, draw},
        },
    },
    control::api::{Page, Status},
};

/// Would clear the screen, turn the line round, and hide.
pub(super) const HOSTILE: &str = "EVIL\u{1b}[2J\u{202e}TC\u{200b}\r\n\u{9b}31m";

/// As the answers of a daemon come: every text made plain.
pub(super) fn answer<T: DeserializeOwned>(mut value: Value) -> T {
    make_plain(&mut value);
    serde_json::from_value(value).unwrap()
}

pub(super) fn time(second: u64) -> String {
    format!("2026-01-02T03:04:{second:02}.000000Z")
}

/// The status of a daemon at that second of its life.
pub(super) fn status(second: u64, packets: u64, warnings: &[&str]) -> Status {
    answer(json!({
        "version": "0.1.0", "start": time(0), "time": time(second),
        "interfaces": [{
            "name": "span0", "role": "mirror", "mode": "driver", "frags": false,
            "counters": {"packets": packets, "bytes": packets * 1_000, "flow_created": second * 3},
        }],
        "ring": [{"kind": "flow", "offered": 100, "received": 93, "lost": 7}],
        "flows": {"established": 1, "established_capacity": 100, "fresh": 2, "fresh_capacity": 100, "evicted": 0,
            "pressure": false},
        "pipeline": {"events": second * 5, "associations": 12},
        "detection": {
            "findings": {"scan": 2}, "off": [], "open": {"high": 1, "low": 1},
            "suppressed": 0, "excepted": 0, "exceptions": 0, "lost": 0, "site_learnt": 0.5, "learnt": 1, "learning": 2,
            "frozen": 0, "frozen_first": [], "evicted": 0, "bytes": 1_000,
        },
        "containment": {"rules": {"proposed": 1}, "effects": {}, "protected": 4, "enforcing": [], "trail": "t",
            "entries": 9, "waiting": 0, "dropped": 0},
        "model": Summary { why_none: Some("no runtime".to_owned()), ..Summary::default() },
        "outputs": [{"name": "json", "target": "/e.jsonl", "events": 5, "waiting": 0, "dropped_queue_full": 0,
            "dropped_write_error": 0}],
        "warnings": warnings,
    }))
}

pub(super) fn alert(id: u64, device: &str, title: &str) -> Value {
    json!({
        "id": id, "device": device, "severity": "high", "confidence": 0.9, "title": title, "opened": time(1),
        "updated": time(2), "techniques": ["T1046"], "finding_count": 1, "check": ["scan: wrong if it is a scanner"],
        "findings": [{
            "id": 1, "time": time(1), "detector": "scan", "technique": "T1046", "confidence": 0.9, "subject": device,
            "victims": ["10.0.0.4"], "victim_count": 1, "evidence": title, "wrong_if": "it is a scanner",
        }],
    })
}

pub(super) fn rule(id: u64, state: &str, reason: &str) -> Value {
    json!({
        "id": id, "target": {"kind": "device", "address": format!("10.0.0.{id}")}, "scope": "all", "state": state,
        "created": time(1), "expires": time(59), "reason": reason, "by": {"kind": "policy", "group": "default"},
        "hits": {"packets": 0, "bytes": 0, "would_packets": 0, "would_bytes": 0},
        "effect": {"verdict": "unverified", "detail": ""},
    })
}

pub(super) fn device(address: &str, bytes: u64, name: &str) -> Value {
    json!({
        "address": address, "mac_shared": false, "names": [{"name": name, "source": "mdns"}], "first_seen": time(0),
        "last_seen": time(2), "bytes_in": bytes, "bytes_out": 0, "flows_opened": 3, "flows_accepted": 1,
        "ae_titles": [{"title": name, "requestor": true, "acceptor": false, "scu": true, "scp": false}],
        "cleartext_dicom": true, "cleartext_hl7": false, "tls": false,
    })
}

pub(super) fn page<T: DeserializeOwned>(items: &[Value]) -> Page<T> {
    Page {
        total: items.len(),
        items: items.iter().cloned().map(answer).collect(),
    }
}

pub(super) fn seen(second: u64) -> DaemonState {
    DaemonState {
        status: status(second, second * 1_000, &[]),
        devices: None,
        alerts: None,
        rules: None,
    }
}

pub(super) fn tell(app: &mut App, seen: DaemonState) {
    app.news(News::State(Box::new(seen)));
}

pub(super) fn press(app: &mut App, code: KeyCode) -> Option<Ask> {
    app.key(KeyEvent::new(code, KeyModifiers::NONE))
}

pub(super) fn type_in(app: &mut App, text: &str) {
    for c in text.chars() {
        assert_eq!(press(app, KeyCode::Char(c)), None, "{c}");
    }
}

pub(super) fn screen(app: &mut App, (width, height): (u16, u16), colour: bool) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal
        .draw(|frame| draw(frame, app, Look { colour }))
        .unwrap();
    terminal.backend().buffer().clone()
}

/// The lines of the screen at 80 by 24.
pub(super) fn shown(app: &mut App) -> String {
    let buffer = screen(app, (80, 24), true);
    let rows = buffer.content.chunks(80);
    let lines = rows.map(|row| row.iter().map(Cell::symbol).collect::<String>());
    lines.collect::<Vec<_>>().join("\n")
}

pub(super) fn contains(app: &mut App, parts: &[&str]) {
    let text = shown(app);
    for part in parts {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
}

/// An app that has seen everything twice, with names that are hostile.
pub(super) fn busy() -> App {
    let mut app = App::new();
    for second in [2, 3] {
        let title = format!("scans 40 ports, calls itself {HOSTILE}");
        let warnings = vec![HOSTILE; 30];
        tell(
            &mut app,
            DaemonState {
                status: status(second, second * 1_000, &warnings),
                devices: Some(page(&[
                    device("10.0.0.9", 5_000 * second, "PACS"),
                    device("10.0.0.3", 10, HOSTILE),
                    device("fd00:1234:5678:9abc:def0:1234:5678:9abc", 20, "CT"),
                ])),
                alerts: Some(page(&[
                    alert(7, "10.0.0.3", &title),
                    alert(6, "10.0.0.8", "old"),
                ])),
                rules: Some(page(&[
                    rule(3, "proposed", HOSTILE),
                    rule(2, "enabled", "by hand"),
                ])),
            },
        );
    }
    app
}
