//! What is on the screen, and what keys do: without a terminal and without a daemon.

use ratatui::{
    Terminal,
    backend::TestBackend,
    buffer::{Buffer, Cell},
    crossterm::event::{KeyCode, KeyEvent, KeyModifiers},
    style::{Color, Modifier},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{
    app::{App, Link, Overlay, Tab},
    link::{Ask, Change, News, Seen, Verb},
    view::{Look, draw},
};
use crate::{
    cli::plain::make_plain,
    control::api::{Page, Status},
};
use sensor_analysis::model::Summary;

/// Would clear the screen, turn the line round, and hide.
const HOSTILE: &str = "EVIL\u{1b}[2J\u{202e}TC\u{200b}\r\n\u{9b}31m";

/// As the answers of a daemon come: every text made plain.
fn answer<T: DeserializeOwned>(mut value: Value) -> T {
    make_plain(&mut value);
    serde_json::from_value(value).unwrap()
}

fn time(second: u64) -> String {
    format!("2026-01-02T03:04:{second:02}.000000Z")
}

/// The status of a daemon at that second of its life.
fn status(second: u64, packets: u64, warnings: &[&str]) -> Status {
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
            "kept_back": 0, "excepted": 0, "exceptions": 0, "lost": 0, "site_learnt": 0.5, "learnt": 1, "learning": 2,
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

fn alert(id: u64, device: &str, title: &str) -> Value {
    json!({
        "id": id, "device": device, "severity": "high", "confidence": 0.9, "title": title, "opened": time(1),
        "updated": time(2), "techniques": ["T1046"], "finding_count": 1, "check": ["scan: wrong if it is a scanner"],
        "findings": [{
            "id": 1, "time": time(1), "detector": "scan", "technique": "T1046", "confidence": 0.9, "subject": device,
            "victims": ["10.0.0.4"], "victim_count": 1, "evidence": title, "wrong_if": "it is a scanner",
        }],
    })
}

fn rule(id: u64, state: &str, reason: &str) -> Value {
    json!({
        "id": id, "target": {"kind": "device", "address": format!("10.0.0.{id}")}, "scope": "all", "state": state,
        "created": time(1), "expires": time(59), "reason": reason, "by": {"kind": "policy", "group": "default"},
        "hits": {"packets": 0, "bytes": 0, "would_packets": 0, "would_bytes": 0},
        "effect": {"verdict": "unverified", "detail": ""},
    })
}

fn device(address: &str, bytes: u64, name: &str) -> Value {
    json!({
        "address": address, "mac_shared": false, "names": [{"name": name, "source": "mdns"}], "first_seen": time(0),
        "last_seen": time(2), "bytes_in": bytes, "bytes_out": 0, "flows_opened": 3, "flows_accepted": 1,
        "ae_titles": [{"title": name, "requestor": true, "acceptor": false, "scu": true, "scp": false}],
        "cleartext_dicom": true, "cleartext_hl7": false, "tls": false,
    })
}

fn page<T: DeserializeOwned>(items: &[Value]) -> Page<T> {
    Page {
        total: items.len(),
        items: items.iter().cloned().map(answer).collect(),
    }
}

fn seen(second: u64) -> Seen {
    Seen {
        status: status(second, second * 1_000, &[]),
        devices: None,
        alerts: None,
        rules: None,
    }
}

fn tell(app: &mut App, seen: Seen) {
    app.news(News::Seen(Box::new(seen)));
}

fn press(app: &mut App, code: KeyCode) -> Option<Ask> {
    app.key(KeyEvent::new(code, KeyModifiers::NONE))
}

fn type_in(app: &mut App, text: &str) {
    for c in text.chars() {
        assert_eq!(press(app, KeyCode::Char(c)), None, "{c}");
    }
}

fn screen(app: &mut App, (width, height): (u16, u16), colour: bool) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal
        .draw(|frame| draw(frame, app, Look { colour }))
        .unwrap();
    terminal.backend().buffer().clone()
}

/// The lines of the screen at 80 by 24.
fn shown(app: &mut App) -> String {
    let buffer = screen(app, (80, 24), true);
    let rows = buffer.content.chunks(80);
    let lines = rows.map(|row| row.iter().map(Cell::symbol).collect::<String>());
    lines.collect::<Vec<_>>().join("\n")
}

fn contains(app: &mut App, parts: &[&str]) {
    let text = shown(app);
    for part in parts {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
}

/// An app that has seen everything twice, with names that are hostile.
fn busy() -> App {
    let mut app = App::new();
    for second in [2, 3] {
        let title = format!("scans 40 ports, calls itself {HOSTILE}");
        let warnings = vec![HOSTILE; 30];
        tell(
            &mut app,
            Seen {
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

#[test]
fn the_overview_tells_rates_losses_and_warnings() {
    let mut app = App::new();
    contains(&mut app, &["Asking the daemon", "q: end"]);
    tell(&mut app, seen(2));
    contains(
        &mut app,
        &["Rates: from the second look on", "span0", "mirror"],
    );
    tell(&mut app, seen(4));
    contains(
        &mut app,
        &[
            "listening for 4s",
            "Packets 1.0 k/s",
            "Traffic 8.0 Mbit/s",
            "Flows 3 /s",
            "Events 5 /s",
            "Lost: 7 flow events, the ring being full, 0 /s",
            "Nothing is wrong.",
            "3 Alerts (2)",
            "4 Rules (1 proposed)",
            "12 DICOM associations",
        ],
    );
    // Another daemon's counters begin anew: no rate of both.
    let mut other = seen(1);
    other.status.start.0 += 1;
    tell(&mut app, other);
    assert_eq!(app.meter.rates, None);
}

#[test]
fn every_tab_fits_and_no_name_reaches_the_terminal() {
    let sizes = [(80, 24), (200, 60), (60, 16), (20, 5), (1, 1)];
    let turn = |app: &mut App, tab: usize| {
        let digit = char::from_digit(u32::try_from(tab).unwrap() + 1, 10).unwrap();
        press(app, KeyCode::Char(digit));
    };
    for (number, tab) in Tab::ALL.into_iter().enumerate() {
        for keys in [
            &[][..],
            &[KeyCode::Char('?')],
            &[KeyCode::Enter],
            &[KeyCode::Char('a')],
            &[KeyCode::End],
        ] {
            let mut app = busy();
            turn(&mut app, number);
            assert_eq!(app.tab, tab);
            for key in keys {
                press(&mut app, *key);
            }
            for size in sizes {
                let buffer = screen(&mut app, size, true);
                let text: String = buffer.content.iter().map(Cell::symbol).collect();
                let bad = text.chars().find(|c| {
                    c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
                });
                assert_eq!(bad, None, "{tab:?} {keys:?} {size:?}\n{text}");
            }
        }
    }
    let mut app = busy();
    press(&mut app, KeyCode::Char('2'));
    contains(&mut app, &["EVIL\u{fffd}[2J\u{fffd}TC"]);
}

#[test]
fn without_colours_there_are_none() {
    let mut app = busy();
    app.news(News::Gone("no daemon listens".to_owned()));
    for digit in '1'..='6' {
        press(&mut app, KeyCode::Char(digit));
        let plain = screen(&mut app, (80, 24), false);
        assert!(
            plain
                .content
                .iter()
                .all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset)
        );
        let colourful = screen(&mut app, (80, 24), true);
        assert!(colourful.content.iter().any(|cell| cell.fg == Color::Red));
        // What is chosen shows all the same.
        let reversed = |cell: &Cell| cell.modifier.contains(Modifier::REVERSED);
        assert!(plain.content.iter().any(reversed));
    }
}

#[test]
fn suspected_devices_come_first_then_the_most_active() {
    let mut app = busy();
    press(&mut app, KeyCode::Char('2'));
    let rows = app.devices.rows.as_deref().unwrap();
    let order: Vec<String> = rows
        .iter()
        .map(|one| one.host.address.to_string())
        .collect();
    assert_eq!(order[..2], ["10.0.0.3", "10.0.0.9"]);
    assert!(rows[0].suspected && !rows[1].suspected);
    assert_eq!(rows[1].rate, Some(5_000.0));
    contains(
        &mut app,
        &["suspected", "5.0 kB/s", "Devices 1 of 3", "Speaks as"],
    );
}

#[test]
fn an_alert_opens_with_its_evidence() {
    let mut app = busy();
    press(&mut app, KeyCode::Char('3'));
    contains(
        &mut app,
        &[
            "Alerts 1 of 2",
            "high",
            "10.0.0.3",
            "90 % sure",
            "Enter: evidence",
        ],
    );
    press(&mut app, KeyCode::Down);
    // A new one comes above: the choice stays.
    tell(
        &mut app,
        Seen {
            alerts: Some(page(&[
                alert(8, "10.0.0.5", "new"),
                alert(7, "10.0.0.3", "a"),
                alert(6, "10.0.0.8", "old"),
            ])),
            ..seen(5)
        },
    );
    assert_eq!(app.alerts.chosen().map(|alert| alert.id), Some(6));
    press(&mut app, KeyCode::Enter);
    contains(
        &mut app,
        &["Alert 6: high", "Evidence", "Check first", "Esc: back"],
    );
    press(&mut app, KeyCode::End);
    let _ = shown(&mut app);
    press(&mut app, KeyCode::Esc);
    assert!(app.overlay.is_none());
}

#[test]
fn a_rule_is_changed_with_a_reason_and_a_yes() {
    let mut app = busy();
    press(&mut app, KeyCode::Char('4'));
    press(&mut app, KeyCode::Char('a'));
    contains(
        &mut app,
        &["Approve rule 3", "all traffic of 10.0.0.3", "Reason: _"],
    );
    // No reason, no question.
    assert_eq!(press(&mut app, KeyCode::Enter), None);
    assert!(matches!(&app.overlay, Some(Overlay::Dialog(dialog)) if !dialog.confirming));
    // Letters that are keys elsewhere are letters here.
    type_in(&mut app, "q?1 quite sur");
    press(&mut app, KeyCode::Backspace);
    press(&mut app, KeyCode::Enter);
    contains(
        &mut app,
        &["Reason: q?1 quite su", "Approve rule 3? y or n"],
    );
    // The rule that was first is another now: the dialog means the one that it began with.
    tell(
        &mut app,
        Seen {
            rules: Some(page(&[
                rule(4, "proposed", "new"),
                rule(3, "proposed", "x"),
            ])),
            ..seen(5)
        },
    );
    assert_eq!(press(&mut app, KeyCode::Enter), None, "Enter is no yes");
    let change = Change {
        verb: Verb::Approve,
        id: 3,
        reason: "q?1 quite su".to_owned(),
    };
    assert_eq!(
        press(&mut app, KeyCode::Char('y')),
        Some(Ask::Change(change))
    );
    assert!(app.overlay.is_none());
    app.news(News::Done(Err(
        "the daemon refuses: it is protected".to_owned()
    )));
    contains(&mut app, &["the daemon refuses: it is protected"]);
    // Only what is proposed is approved; anything can be removed, and be left.
    tell(
        &mut app,
        Seen {
            rules: Some(page(&[rule(2, "enabled", "x")])),
            ..seen(6)
        },
    );
    press(&mut app, KeyCode::Char('a'));
    assert!(app.overlay.is_none());
    contains(&mut app, &["only a proposed rule is approved"]);
    press(&mut app, KeyCode::Char('r'));
    type_in(&mut app, "x");
    press(&mut app, KeyCode::Enter);
    assert_eq!(press(&mut app, KeyCode::Char('n')), None);
    contains(&mut app, &["Nothing was changed"]);
}

#[test]
fn a_daemon_that_goes_away_is_said_and_comes_back() {
    let mut app = busy();
    app.news(News::Gone("no wardtap daemon listens at /run/x".to_owned()));
    for digit in '1'..='6' {
        press(&mut app, KeyCode::Char(digit));
        contains(
            &mut app,
            &["NO DAEMON, trying again", "What is shown is of"],
        );
    }
    tell(&mut app, seen(9));
    assert_eq!(app.link, Link::Up);
    assert!(!shown(&mut app).contains("NO DAEMON"));
    // Never seen: the reason is there all the same.
    let mut app = App::new();
    app.news(News::Gone("not permitted to use /run/x".to_owned()));
    contains(&mut app, &["Why: not permitted"]);
}

#[test]
fn empty_lists_say_so() {
    let mut app = App::new();
    tell(
        &mut app,
        Seen {
            devices: Some(page(&[])),
            alerts: Some(page(&[])),
            rules: Some(page(&[])),
            ..seen(1)
        },
    );
    for (digit, what) in [('2', "devices"), ('3', "alerts"), ('4', "rules")] {
        press(&mut app, KeyCode::Char(digit));
        contains(&mut app, &[&format!("There are no {what}.")]);
        for key in [
            KeyCode::Enter,
            KeyCode::Char('a'),
            KeyCode::Char('r'),
            KeyCode::Down,
            KeyCode::End,
        ] {
            assert_eq!(press(&mut app, key), None);
            assert!(app.overlay.is_none());
        }
    }
}

#[test]
fn keys_turn_help_and_end() {
    let mut app = busy();
    assert_eq!(
        press(&mut app, KeyCode::BackTab),
        Some(Ask::Watch(Tab::Warnings))
    );
    assert_eq!(
        press(&mut app, KeyCode::Tab),
        Some(Ask::Watch(Tab::Overview))
    );
    press(&mut app, KeyCode::Char('?'));
    contains(&mut app, &["approve the chosen rule", "any key: back"]);
    press(&mut app, KeyCode::Char('q'));
    assert!(!app.ended && app.overlay.is_none());
    press(&mut app, KeyCode::Char('q'));
    assert!(app.ended);
    let mut app = busy();
    press(&mut app, KeyCode::Char('4'));
    press(&mut app, KeyCode::Char('r'));
    app.key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL));
    assert!(app.ended, "Ctrl-C ends it from anywhere");
}
