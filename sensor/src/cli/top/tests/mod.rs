//! What is on the screen, and what keys do: without a terminal and without a daemon.

mod site;

use ratatui::{
    buffer::Cell,
    crossterm::event::{KeyCode, KeyEvent, KeyModifiers},
    style::{Color, Modifier},
};

use site::{alert, busy, contains, page, press, rule, screen, seen, shown, tell, type_in};

use super::{
    app::{App, Link, Overlay, Tab},
    link::{Ask, Change, DaemonState, News, Verb},
};

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
        DaemonState {
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
        DaemonState {
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
        DaemonState {
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
        DaemonState {
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
