//! What lies over a tab.

use ratatui::{
    Frame,
    layout::{Constraint, Rect},
    text::Line,
    widgets::{Block, Clear, Paragraph},
};

use super::style::{HEADING, wrapped};
use crate::cli::top::{dialog::Dialog, link::Verb};

const HELP: [&str; 14] = [
    "1 to 6, Tab, arrows   turn to another tab",
    "up down, k j          choose a row, scroll a text",
    "page up and down      ten rows",
    "Home End, g G         first and last row",
    "Enter                 an alert's evidence, and what to check",
    "a                     approve the chosen rule, if it is proposed",
    "r                     remove the chosen rule",
    "q, Ctrl-C             quit; the daemon keeps running",
    "",
    "A rule is changed with a reason that you type and a y that",
    "confirms it; the audit trail names you.",
    "Devices: the suspected first, then the most active.",
    "Looked at each second. Losses, warnings and what the model",
    "does are as in `wardtap status`.",
];

/// A frame in the middle of the body, empty.
fn window(frame: &mut Frame, body: Rect, title: &str, lines: Vec<Line<'static>>) {
    let width = body.width.min(72);
    let height = u16::try_from(lines.len() + 2)
        .unwrap_or(u16::MAX)
        .min(body.height);
    let area = body.centered(Constraint::Length(width), Constraint::Length(height));
    frame.render_widget(Clear, area);
    let block = Block::bordered().title(Line::styled(format!(" {title} "), HEADING));
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

pub(super) fn help(frame: &mut Frame, body: Rect) {
    let lines = HELP.iter().map(|line| Line::raw(*line)).collect();
    window(frame, body, "Keys", lines);
}

pub(super) fn dialog(frame: &mut Frame, body: Rect, dialog: &Dialog) {
    let width = body.width.min(72) - 2;
    let change = &dialog.change;
    let (title, effect) = match change.verb {
        Verb::Approve => ("Approve", "From then on it drops"),
        Verb::Remove => ("Remove", "From then on nothing of this rule drops"),
    };
    let lines = |text: String| wrapped(&text, width).into_iter().map(Line::raw);
    let mut all: Vec<Line<'static>> = lines(format!("{effect}: {}", dialog.what)).collect();
    all.push(Line::default());
    let mark = if dialog.confirming { "" } else { "_" };
    all.extend(lines(format!("Reason: {}{mark}", change.reason)));
    if dialog.confirming {
        all.push(Line::default());
        let question = format!("{title} rule {}? y or n", change.id);
        all.push(Line::styled(question, HEADING));
    }
    window(frame, body, &format!("{title} rule {}", change.id), all);
}
