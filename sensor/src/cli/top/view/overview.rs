//! The overview: how much traffic there is, what was lost, and what is wrong.

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    text::{Line, Span},
    widgets::{Row, Sparkline, Table},
};
use sensor_common::counter::Counter;

use super::style::{HEADING, Look, paragraphs, text, warnings};
use crate::{
    cli::{
        status::{self, counter_of},
        table::{bytes, count},
        top::rates::{Loss, Meter, short},
    },
    control::api::{InterfaceStatus, Status},
};

/// Interfaces that are shown in any case; more where there is room.
const INTERFACES: usize = 4;

pub(super) fn draw(
    frame: &mut Frame,
    body: Rect,
    status: &Status,
    meter: &Meter,
    scroll: &mut usize,
    look: Look,
) {
    let interfaces = status.interfaces.len();
    // Half of the room at most.
    let rows = interfaces.min(INTERFACES.max(usize::from(body.height / 2)));
    let [now, past, ports, rest] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(2),
        Constraint::Length(u16::try_from(rows + 1).unwrap_or(u16::MAX)),
        Constraint::Fill(1),
    ])
    .areas(body);
    frame.render_widget(rates(meter), now);
    let room = usize::from(past.width);
    let latest = meter.packets.len().saturating_sub(room);
    let packets: Vec<u64> = meter.packets.iter().skip(latest).copied().collect();
    frame.render_widget(Sparkline::default().data(&packets), past);
    frame.render_widget(table(&status.interfaces), ports);
    let mut lines = losses(&meter.losses, look);
    lines.extend(warnings(status, rest.width, look));
    for more in [
        status::seen(status),
        status::alerts(status),
        status::incidents(status),
        status::containment(status),
        status::tables(status),
        status::outputs(status),
    ] {
        lines.extend(paragraphs(&more, rest.width));
    }
    text(frame, rest, lines, scroll);
}

fn rates(meter: &Meter) -> Line<'static> {
    let Some(rates) = meter.rates else {
        return Line::raw("Rates: from the second look on");
    };
    let one = |name: &'static str, rate: f64, unit: &str| {
        [
            Span::raw(name),
            Span::styled(format!(" {}{unit}   ", short(rate)), HEADING),
        ]
    };
    let spans = [
        one("Packets", rates.packets, "/s"),
        one("Traffic", rates.bits, "bit/s"),
        one("Flows", rates.flows, "/s"),
        one("Events", rates.events, "/s"),
    ];
    Line::from(spans.concat())
}

fn table(interfaces: &[InterfaceStatus]) -> Table<'_> {
    let rows = interfaces.iter().map(|one| {
        let counter = |counter| counter_of(&one.counters, counter);
        Row::new([
            one.name.clone(),
            one.role.clone(),
            one.mode.clone(),
            count(counter(Counter::Packets)),
            bytes(counter(Counter::Bytes)),
            count(counter(Counter::Duplicate)),
            count(counter(Counter::TcpGap)),
        ])
    });
    let widths = [
        Constraint::Length(15),
        Constraint::Length(6),
        Constraint::Length(7),
        Constraint::Fill(1),
        Constraint::Fill(1),
        Constraint::Length(10),
        Constraint::Length(9),
    ];
    let headings = [
        "Interface",
        "Role",
        "Mode",
        "Packets",
        "Bytes",
        "Duplicates",
        "TCP gaps",
    ];
    Table::new(rows, widths).header(Row::new(headings).style(HEADING))
}

fn losses(losses: &[Loss], look: Look) -> Vec<Line<'static>> {
    let lost = losses.iter().filter(|loss| loss.total > 0);
    let lines: Vec<Line<'static>> = lost
        .map(|loss| {
            let style = if loss.rate > 0.0 {
                look.bad()
            } else {
                look.doubtful()
            };
            let rate = short(loss.rate);
            Line::styled(
                format!("Lost: {} {}, {rate}/s", count(loss.total), loss.what),
                style,
            )
        })
        .collect();
    if lines.is_empty() {
        return vec![Line::styled("Nothing was lost.", look.good())];
    }
    lines
}
