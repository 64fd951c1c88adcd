//! Lists of flows and of sessions.

use std::net::IpAddr;

use sensor_analysis::model::ExportedRow;
use sensor_facts::{
    event::{Body, Cell, Event, FlowReport, FlowState},
    time::Time,
};
use serde::{Deserialize, Serialize};

use super::{Column, Filter, Item, Subject, Value};

/// A flow event as a row.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(transparent)]
pub struct FlowRow(pub Event);

/// An event of a session as a row.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(transparent)]
pub struct SessionRow(pub Event);

fn from(event: &Event) -> Value {
    end(event.src_ip, event.src_port)
}

fn to(event: &Event) -> Value {
    end(event.dest_ip, event.dest_port)
}

fn end(address: Option<IpAddr>, port: Option<u16>) -> Value {
    address.map_or(Value::Nothing, |address| Value::Address(address, port))
}

fn ends(event: &Event) -> Vec<IpAddr> {
    event.src_ip.into_iter().chain(event.dest_ip).collect()
}

impl FlowRow {
    fn of(&self, value: impl Fn(&FlowReport) -> Value) -> Value {
        self.report().map_or(Value::Nothing, value)
    }

    fn report(&self) -> Option<&FlowReport> {
        match &self.0.body {
            Body::Flow { flow } => Some(flow),
            _ => None,
        }
    }
}

impl Item for FlowRow {
    const WHAT: &'static str = "flows";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("first-seen", 6, |it| it.of(|flow| Value::Time(flow.start))),
        Column::new("last-seen", 1, |it| it.of(|flow| Value::Time(flow.end))),
        Column::new("from", 0, |it| from(&it.0)),
        Column::new("to", 0, |it| to(&it.0)),
        Column::new("protocol", 2, |it| {
            let proto = it.0.proto.as_deref().unwrap_or("-");
            it.of(|flow| Value::list([proto].into_iter().chain(flow.app_proto.as_deref())))
        }),
        Column::new("state", 4, |it| {
            it.of(|flow| Value::Text(flow.state.label().to_owned()))
        }),
        Column::new("packets", 5, |it| {
            it.of(|flow| Value::Number(flow.to_server.packets + flow.to_client.packets))
        }),
        Column::new("bytes-out", 3, |it| {
            it.of(|flow| Value::Bytes(flow.to_server.bytes))
        }),
        Column::new("bytes-in", 3, |it| {
            it.of(|flow| Value::Bytes(flow.to_client.bytes))
        }),
    ];
    const FILTERS: &'static [Filter] = &[
        Filter::Device,
        Filter::Since,
        Filter::Until,
        Filter::Role,
        Filter::State,
        Filter::SiteOnly,
    ];
    const STATES: &'static [&'static str] = &[
        FlowState::New.label(),
        FlowState::Established.label(),
        FlowState::Closed.label(),
    ];

    fn subject(&self) -> Subject {
        Subject {
            addresses: ends(&self.0),
            time: self.report().map(|flow| (flow.start, flow.end)),
            states: self
                .report()
                .map(|flow| flow.state.label())
                .into_iter()
                .collect(),
            ..Subject::default()
        }
    }
}

impl SessionRow {
    /// Its protocol's cells, by their headings.
    fn cells(&self) -> Vec<(&'static str, Cell)> {
        let listing = self.0.body.session().and_then(|(_, it)| it.listing());
        listing.map(|listing| listing.cells).unwrap_or_default()
    }

    /// The cell under a heading.
    fn cell(&self, heading: &str) -> Value {
        let mut cells = self.cells().into_iter();
        let cell = cells.find(|(name, _)| *name == heading);
        match cell.map(|(_, cell)| cell) {
            None | Some(Cell::Text(None)) => Value::Nothing,
            Some(Cell::Text(Some(text))) => Value::Text(text),
            Some(Cell::List(items)) => Value::list(items),
            Some(Cell::Pair(one, other)) => Value::Pair(one, other),
            Some(Cell::Bytes(number)) => Value::Bytes(number),
        }
    }

    /// The cells that have no column of their own, each after its heading.
    fn details(&self) -> Value {
        let own = |heading: &str| {
            let mut columns = Self::COLUMNS.iter();
            columns.any(|column| column.heading() == heading)
        };
        let cells = self.cells().into_iter().map(|(heading, _)| heading);
        let others = cells.filter(|heading| !own(heading));
        let others = others.filter_map(|heading| match self.cell(heading) {
            Value::Nothing => None,
            value => Some(format!("{heading}: {value}")),
        });
        Value::list(others)
    }

    /// What its protocol's sessions are called; none if it is not listed.
    #[must_use]
    pub fn title(&self) -> Option<&'static str> {
        let listing = self.0.body.session().and_then(|(_, it)| it.listing())?;
        Some(listing.title)
    }

    fn start(&self) -> Option<Time> {
        self.0.body.session().and_then(|(_, it)| it.start())
    }
}

impl Item for SessionRow {
    const WHAT: &'static str = "sessions";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new("last-seen", 1, |it| Value::Time(it.0.timestamp)),
        Column::new("start", 6, |it| Value::time(it.start())),
        Column::new("from", 0, |it| from(&it.0)),
        Column::new("to", 0, |it| to(&it.0)),
        Column::text("AE-titles", 2, |it| it.cell("AE titles")),
        Column::text("applications", 2, |it| it.cell("applications")),
        Column::text("server-name", 2, |it| it.cell("server name")),
        Column::text("outcome", 3, |it| it.cell("outcome")),
        Column::text("commands", 4, |it| it.cell("commands")),
        Column::new("data", 5, |it| it.cell("data")),
        Column::text("messages", 3, |it| it.cell("messages")),
        Column::text("acknowledged", 4, |it| it.cell("acknowledged")),
        Column::text("time-to-ack", 5, |it| it.cell("time to ack")),
        Column::new("version", 3, |it| it.cell("version")),
        Column::new("cipher-suite", 5, |it| it.cell("cipher suite")),
        Column::text("details", 6, Self::details),
    ];
    const FILTERS: &'static [Filter] = Filter::OF_HOSTS;

    fn subject(&self) -> Subject {
        let start = self.start().unwrap_or(self.0.timestamp);
        Subject {
            addresses: ends(&self.0),
            time: Some((start, self.0.timestamp)),
            ..Subject::default()
        }
    }
}

impl Item for ExportedRow {
    const WHAT: &'static str = "rows";
    const COLUMNS: &'static [Column<Self>] = &[];
    const FILTERS: &'static [Filter] = Filter::OF_HOSTS;

    fn subject(&self) -> Subject {
        Subject {
            addresses: vec![self.row.client.ip(), self.row.server.ip()],
            time: Some((self.row.time, self.row.time)),
            ..Subject::default()
        }
    }
}
