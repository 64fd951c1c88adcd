//! What the tabs of the view are drawn with: colours, and text broken to the width.

use ratatui::{
    Frame,
    layout::Rect,
    style::{Color, Modifier, Style},
    text::Line,
    widgets::Paragraph,
};
use sensor_facts::alert::Severity;

use crate::{cli::alerts::broken, control::api::Status};

/// How what matters stands out: the eight colours that every terminal has, or without any.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli::top) struct Look {
    pub(in crate::cli::top) colour: bool,
}

impl Look {
    fn colour(self, colour: Color) -> Style {
        if self.colour {
            Style::new().fg(colour)
        } else {
            Style::new()
        }
    }

    pub(super) fn good(self) -> Style {
        self.colour(Color::Green)
    }

    pub(super) fn doubtful(self) -> Style {
        self.colour(Color::Yellow)
    }

    pub(super) fn bad(self) -> Style {
        self.colour(Color::Red).add_modifier(Modifier::BOLD)
    }

    pub(super) fn severity(self, severity: Severity) -> Style {
        match severity {
            Severity::Low => Style::new(),
            Severity::Medium => self.doubtful(),
            Severity::High | Severity::Critical => self.bad(),
        }
    }
}

pub(super) const HEADING: Style = Style::new().add_modifier(Modifier::BOLD);
pub(super) const CHOSEN: Style = Style::new().add_modifier(Modifier::REVERSED);

/// Lines of which as many are shown as there is room for, from `scroll` on.
pub(super) fn text(frame: &mut Frame, area: Rect, lines: Vec<Line<'_>>, scroll: &mut usize) {
    let room = usize::from(area.height);
    *scroll = (*scroll).min(lines.len().saturating_sub(room));
    let shown: Vec<Line<'_>> = lines.into_iter().skip(*scroll).take(room).collect();
    frame.render_widget(Paragraph::new(shown), area);
}

/// Broken between words.
pub(super) fn wrapped(text: &str, width: u16) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = text;
    loop {
        let (line, left) = broken(rest, usize::from(width));
        lines.push(line.to_owned());
        if left.is_empty() {
            return lines;
        }
        rest = left;
    }
}

pub(super) fn paragraphs(text: &str, width: u16) -> Vec<Line<'static>> {
    let lines = text.lines().flat_map(|line| wrapped(line, width));
    lines.map(Line::raw).collect()
}

pub(super) fn warnings(status: &Status, width: u16, look: Look) -> Vec<Line<'static>> {
    if status.warnings.is_empty() {
        return vec![Line::styled("Nothing is wrong.", look.good())];
    }
    let each = status.warnings.iter();
    each.flat_map(|warning| paragraphs(&format!("Warning: {warning}"), width))
        .map(|line| line.style(look.doubtful()))
        .collect()
}
