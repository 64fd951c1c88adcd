//! Devices, alerts and rules: a table each, and more of the chosen row below it.

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::Style,
    text::{Line, Span},
    widgets::{Cell, Paragraph, Row, Table, TableState},
};
use sensor_facts::{alert::Alert, effect::Effectiveness, rule::State, time::Time};

use super::style::{CHOSEN, HEADING, Look, paragraphs};
use crate::{
    cli::{
        table::{bytes, count, list, local, or_dash, whole},
        top::{
            list::{Device, List, Named},
            rates::short,
        },
    },
    control::api::RuleView,
    list::{dropped, states},
};

/// Lines below a table.
const BELOW: u16 = 5;

/// Month, day, hour and minute.
fn moment(time: Time) -> String {
    let full = local(time);
    full.get(5..16).unwrap_or(&full).to_owned()
}

/// Columns that the longest of some addresses takes: more than those of IPv4 only where there is room.
fn addresses(texts: impl Iterator<Item = String>, area: Rect) -> u16 {
    let longest = texts.map(|text| text.len()).max().unwrap_or(0);
    let longest = u16::try_from(longest).unwrap_or(u16::MAX);
    longest.clamp(15, (area.width / 3).max(15))
}

struct Shown<'a> {
    headings: &'a [&'static str],
    widths: &'a [Constraint],
    rows: Vec<Row<'static>>,
    /// What there are none of.
    what: &'static str,
    below: Vec<Line<'static>>,
}

fn show<T: Named>(frame: &mut Frame, body: Rect, from: &List<T>, shown: Shown<'_>) {
    let Some(rows) = &from.rows else {
        frame.render_widget(Line::raw("Asking the daemon ..."), body);
        return;
    };
    if rows.is_empty() {
        frame.render_widget(Line::raw(format!("There are no {}.", shown.what)), body);
        return;
    }
    let [above, rule, below] = Layout::vertical([
        Constraint::Fill(1),
        Constraint::Length(1),
        Constraint::Length(BELOW),
    ])
    .areas(body);
    let table = Table::new(shown.rows, shown.widths)
        .header(Row::new(shown.headings.iter().copied()).style(HEADING))
        .row_highlight_style(CHOSEN);
    let mut state = TableState::new().with_selected(Some(from.at));
    frame.render_stateful_widget(table, above, &mut state);
    let place = format!(
        "{} {} of {} ",
        capital(shown.what),
        from.at + 1,
        count(from.total as u64)
    );
    let room = usize::from(rule.width).saturating_sub(place.chars().count());
    frame.render_widget(Line::raw(format!("{place}{}", "─".repeat(room))), rule);
    frame.render_widget(Paragraph::new(shown.below), below);
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

pub(super) fn devices(frame: &mut Frame, body: Rect, devices: &List<Device>, look: Look) {
    let known = devices.rows.as_deref().unwrap_or_default();
    let wide = addresses(known.iter().map(|one| one.host.address.to_string()), body);
    let rows = known.iter().map(|one| {
        let host = &one.host;
        let (state, style) = if one.suspected {
            ("suspected", look.bad())
        } else {
            ("", Style::new())
        };
        Row::new([
            Cell::from(host.address.to_string()),
            Cell::from(Span::styled(state, style)),
            Cell::from(host.role.role.label()),
            Cell::from(
                one.rate
                    .map_or_else(|| "-".to_owned(), |rate| format!("{}B/s", short(rate))),
            ),
            Cell::from(bytes(host.bytes_in + host.bytes_out)),
            Cell::from(or_dash(host.names.first().map(|name| &name.name))),
        ])
    });
    let below = devices.chosen().map_or_else(Vec::new, |one| {
        let host = &one.host;
        let titles = host.ae_titles.iter().map(|title| title.title.clone());
        let applications = host.hl7_applications.iter();
        let applications = applications.map(|party| or_dash(party.application.as_ref()));
        let offers = host.services.iter().map(|service| {
            let app = service.app_proto.as_deref().unwrap_or_default();
            format!("{}/{} {app}", service.port, service.proto)
                .trim_end()
                .to_owned()
        });
        let text = format!(
            "Speaks as {}; offers {}; opened {} flows, accepted {}; vendor {}; last seen {}",
            list(titles.chain(applications)),
            list(offers),
            count(host.flows_opened),
            count(host.flows_accepted),
            or_dash(host.vendor.as_ref()),
            local(host.last_seen)
        );
        paragraphs(&text, body.width)
    });
    let shown = Shown {
        headings: &["Address", "State", "Role", "Traffic", "In all", "Name"],
        widths: &[
            Constraint::Length(wide),
            Constraint::Length(9),
            Constraint::Length(16),
            Constraint::Length(10),
            Constraint::Length(9),
            Constraint::Fill(1),
        ],
        rows: rows.collect(),
        what: "devices",
        below,
    };
    show(frame, body, devices, shown);
}

pub(super) fn alerts(frame: &mut Frame, body: Rect, alerts: &List<Alert>, look: Look) {
    let known = alerts.rows.as_deref().unwrap_or_default();
    let wide = addresses(known.iter().map(|one| one.device.to_string()), body);
    let rows = known.iter().map(|one| {
        let severity = Span::styled(one.severity.label(), look.severity(one.severity));
        Row::new([
            Cell::from(one.id.to_string()),
            Cell::from(severity),
            Cell::from(one.device.to_string()),
            Cell::from(moment(one.opened)),
            Cell::from(states(one).join(", ")),
            Cell::from(one.title.clone()),
        ])
    });
    let below = alerts.chosen().map_or_else(Vec::new, |one| {
        let text = format!(
            "{} ({}, {} % sure): {}",
            one.device,
            one.techniques.join(", "),
            whole(one.confidence * 100.0),
            one.title
        );
        paragraphs(&text, body.width)
    });
    let shown = Shown {
        headings: &["Id", "Severity", "Device", "Opened", "State", "What"],
        widths: &[
            Constraint::Length(5),
            Constraint::Length(8),
            Constraint::Length(wide),
            Constraint::Length(11),
            Constraint::Length(10),
            Constraint::Fill(1),
        ],
        rows: rows.collect(),
        what: "alerts",
        below,
    };
    show(frame, body, alerts, shown);
}

pub(super) fn rules(frame: &mut Frame, body: Rect, rules: &List<RuleView>, look: Look) {
    let known = rules.rows.as_deref().unwrap_or_default();
    let rows = known.iter().map(|view| {
        let rule = &view.rule;
        let state = match rule.state {
            State::Proposed => look.doubtful(),
            State::Enabled => look.good(),
            State::Disabled | State::DryRun => Style::new(),
        };
        let (works, style) = match (rule.state, view.effect.verdict) {
            (State::Enabled, Effectiveness::Effective) => ("effective", look.good()),
            (State::Enabled, Effectiveness::NotEffective) => ("not effective", look.bad()),
            (State::Enabled, Effectiveness::Unverified) => ("unverified", look.doubtful()),
            _ => ("-", Style::new()),
        };
        Row::new([
            Cell::from(rule.id.to_string()),
            Cell::from(Span::styled(rule.state.label(), state)),
            Cell::from(moment(rule.expires)),
            Cell::from(Span::styled(works, style)),
            Cell::from(rule.by.to_string()),
            Cell::from(rule.target.to_string()),
        ])
    });
    let below = rules.chosen().map_or_else(Vec::new, |view| {
        let rule = &view.rule;
        let detail = match view.effect.detail.as_str() {
            "" => String::new(),
            detail => format!("; {detail}"),
        };
        let text = format!(
            "{}: {}; made {} by {}; dropped {}{detail}",
            rule.target,
            rule.reason,
            local(rule.created),
            rule.by,
            dropped(view)
        );
        paragraphs(&text, body.width)
    });
    let shown = Shown {
        headings: &["Id", "State", "Until", "Works", "By", "Target"],
        widths: &[
            Constraint::Length(5),
            Constraint::Length(8),
            Constraint::Length(11),
            Constraint::Length(13),
            Constraint::Length(14),
            Constraint::Fill(1),
        ],
        rows: rows.collect(),
        what: "rules",
        below,
    };
    show(frame, body, rules, shown);
}
