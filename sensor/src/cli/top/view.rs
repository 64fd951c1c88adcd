//! The live view as it stands on the screen: at 80 by 24 everything has its place, more room shows more.

mod overview;
mod popup;
mod style;
mod tables;

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::{Modifier, Style},
    text::{Line, Span},
    widgets::Paragraph,
};
use sensor_facts::rule::State;

pub(super) use style::Look;
use style::{CHOSEN, HEADING, paragraphs, text, warnings, wrapped};

use super::app::{App, Link, Overlay, Tab};
use crate::cli::{
    model, status,
    table::{local, span},
};

/// Room that everything has its place in.
const LEAST: (u16, u16) = (60, 16);
/// Lines that say why the daemon does not answer.
const WHY_MAX: usize = 3;

/// Draws all of it; what was scrolled too far is put back.
pub(super) fn draw(frame: &mut Frame, app: &mut App, look: Look) {
    let area = frame.area();
    if area.width < LEAST.0 || area.height < LEAST.1 {
        let text = format!(
            "{} by {} is too small for wardtap top: it needs {} by {}. q ends it.",
            area.width, area.height, LEAST.0, LEAST.1
        );
        let lines = wrapped(&text, area.width).into_iter().map(Line::from);
        frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()), area);
        return;
    }
    let why = gone(app, area.width, look);
    let [head, tabs, gone, body, message, foot] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(u16::try_from(why.len()).unwrap_or(0)),
        Constraint::Fill(1),
        Constraint::Length(1),
        Constraint::Length(1),
    ])
    .areas(area);
    frame.render_widget(header(app, area.width), head);
    frame.render_widget(tab_line(app, look), tabs);
    frame.render_widget(Paragraph::new(why), gone);
    frame.render_widget(said(app, look), message);
    frame.render_widget(keys(app), foot);
    if let Some(Overlay::Alert(detail)) = &mut app.overlay {
        let lines = detail.text.lines().map(|line| Line::raw(line.to_owned()));
        text(frame, body, lines.collect(), &mut detail.scroll);
        return;
    }
    tab(frame, body, app, look);
    match &app.overlay {
        Some(Overlay::Help) => popup::help(frame, body),
        Some(Overlay::Dialog(dialog)) => popup::dialog(frame, body, dialog),
        Some(Overlay::Alert(_)) | None => {}
    }
}

fn tab(frame: &mut Frame, body: Rect, app: &mut App, look: Look) {
    let Some(status) = &app.status else {
        frame.render_widget(Line::raw("Asking the daemon ..."), body);
        return;
    };
    match app.tab {
        Tab::Overview => overview::draw(frame, body, status, &app.meter, &mut app.scroll, look),
        Tab::Devices => tables::devices(frame, body, &app.devices, look),
        Tab::Alerts => tables::alerts(frame, body, &app.alerts, look),
        Tab::Rules => tables::rules(frame, body, &app.rules, look),
        Tab::Model => {
            let mut all = paragraphs(&model::facts(&status.model), body.width);
            all.push(Line::default());
            all.extend(paragraphs(&status::detection(status), body.width));
            text(frame, body, all, &mut app.scroll);
        }
        Tab::Warnings => {
            let lines = warnings(status, body.width, look);
            text(frame, body, lines, &mut app.scroll);
        }
    }
}

fn header(app: &App, width: u16) -> Line<'static> {
    let Some(status) = &app.status else {
        return Line::styled("wardtap top", HEADING);
    };
    let left = format!(
        "wardtap {}, listening for {}",
        status.version,
        span(status::uptime(status))
    );
    let right = local(status.time);
    let room = usize::from(width).saturating_sub(left.chars().count());
    Line::styled(format!("{left}{right:>room$}"), HEADING)
}

fn tab_line(app: &App, look: Look) -> Line<'static> {
    let number = |number: u64, word: &str| match number {
        0 => String::new(),
        number => format!(" ({number}{word})"),
    };
    let status = app.status.as_ref();
    let mut spans = Vec::new();
    for tab in Tab::ALL {
        let (name, more, style) = match tab {
            Tab::Overview => ("Overview", String::new(), Style::new()),
            Tab::Devices => ("Devices", String::new(), Style::new()),
            Tab::Alerts => {
                let open = status.map_or(0, |it| it.detection.open.values().sum());
                ("Alerts", number(open, ""), look.bad())
            }
            Tab::Rules => {
                let rules = status.map(|it| &it.containment.rules);
                let proposed = rules.and_then(|it| it.get(State::Proposed.label()).copied());
                (
                    "Rules",
                    number(proposed.unwrap_or(0), " proposed"),
                    look.doubtful(),
                )
            }
            Tab::Model => ("Model", String::new(), Style::new()),
            Tab::Warnings => {
                let all = status.map_or(0, |it| it.warnings.len() as u64);
                ("Warnings", number(all, ""), look.doubtful())
            }
        };
        let style = match (tab == app.tab, more.is_empty()) {
            (true, _) => CHOSEN,
            (false, true) => Style::new(),
            (false, false) => style,
        };
        let digit = tab as usize + 1;
        spans.push(Span::styled(format!(" {digit} {name}{more} "), style));
    }
    Line::from(spans)
}

/// Why the daemon does not answer, and since when what is shown is old.
fn gone(app: &App, width: u16, look: Look) -> Vec<Line<'static>> {
    let Link::Gone(why) = &app.link else {
        return Vec::new();
    };
    let old = app.status.as_ref().map_or_else(String::new, |status| {
        format!("What is shown is of {}. ", local(status.time))
    });
    let text = format!("NO DAEMON, trying again. {old}Why: {why}");
    let lines = wrapped(&text, width).into_iter().take(WHY_MAX);
    lines
        .map(|line| Line::styled(line, look.bad().add_modifier(Modifier::REVERSED)))
        .collect()
}

fn said(app: &App, look: Look) -> Line<'_> {
    match &app.message {
        None => Line::default(),
        Some(Ok(text)) => Line::styled(text.as_str(), look.good()),
        Some(Err(text)) => Line::styled(text.as_str(), look.bad()),
    }
}

fn keys(app: &App) -> Line<'static> {
    let text = match (&app.overlay, app.tab) {
        (Some(Overlay::Help), _) => "any key: back",
        (Some(Overlay::Alert(_)), _) => "up down page: scroll   Esc: back",
        (Some(Overlay::Dialog(dialog)), _) if dialog.confirming => "y: do it   n Esc: do not",
        (Some(Overlay::Dialog(_)), _) => "Enter: go on   Ctrl-U: clear   Esc: do not",
        (None, Tab::Alerts) => {
            "1-6 Tab: turn   up down: choose   Enter: evidence   ?: help   q: end"
        }
        (None, Tab::Rules) => {
            "1-6 Tab: turn   up down: choose   a: approve   r: remove   ?: help   q: end"
        }
        (None, Tab::Devices) => "1-6 Tab: turn   up down: choose   ?: help   q: end",
        (None, _) => "1-6 Tab: turn   up down: scroll   ?: help   q: end",
    };
    Line::styled(text, HEADING)
}
