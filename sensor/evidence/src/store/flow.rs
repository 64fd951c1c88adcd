//! A flow as a row: in the table `flow` and in the files of the history.
//!
//! The columns are those of the fields of an event that are listed here, and those that the lists of a flow's fields mark
//! as kept (`sensor_facts::event::flow`).

use std::{borrow::Cow, sync::LazyLock};

use rusqlite::types::{ToSqlOutput, ValueRef};
use sensor_facts::event::{
    Event, FlowHalf, FlowReport,
    flow::column::{self, Field, Kind, Over, Value},
};

use super::{database::MIGRATIONS, time::micros};

/// A column.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: Cow<'static, str>,
    pub(super) kind: Kind,
    /// It can be empty.
    pub(super) optional: bool,
    pub(super) source: Source,
}

/// What a column is made of.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    Event(&'static column::Column<Event>),
    Flow(&'static column::Column<FlowReport>),
    ToServer(&'static column::Column<FlowHalf>),
    ToClient(&'static column::Column<FlowHalf>),
    Both(&'static column::Column<FlowHalf>),
}

const fn column<T>(
    name: &'static str,
    kind: Kind,
    optional: bool,
    help: &'static str,
    read: fn(&T) -> Value<'_>,
) -> column::Column<T> {
    column::Column {
        name,
        over: Over::Flow,
        kind,
        optional,
        help,
        read,
    }
}

/// What every event has. Without an address, or without a number of its flow, it has no row.
const OF_EVENT: &[column::Column<Event>] = &[
    column(
        "time",
        Kind::Time,
        false,
        "When it was reported.",
        |event| event.timestamp.stored(),
    ),
    column(
        "flow_id",
        Kind::Long,
        false,
        "Names the flow in all its events.",
        |event| event.flow_id.stored(),
    ),
    column(
        "src_ip",
        Kind::Text,
        false,
        "Address of the side that opened the conversation.",
        |event| text(event.src_ip),
    ),
    column(
        "src_port",
        Kind::Int,
        true,
        "Its port; empty where the protocol has none.",
        |event| event.src_port.stored(),
    ),
    column(
        "dest_ip",
        Kind::Text,
        false,
        "Address of the other side.",
        |event| text(event.dest_ip),
    ),
    column("dest_port", Kind::Int, true, "Its port.", |event| {
        event.dest_port.stored()
    }),
    column(
        "proto",
        Kind::Text,
        false,
        "`TCP`, `UDP`, ..., or the IP protocol number.",
        |event| event.proto.stored(),
    ),
    column(
        "in_iface",
        Kind::Text,
        true,
        "Interface of the first packet.",
        |event| event.in_iface.stored(),
    ),
    column(
        "vlan",
        Kind::Text,
        true,
        "VLAN ids with commas between them, the outer one first.",
        |event| event.vlan.stored(),
    ),
    column(
        "community_id",
        Kind::Text,
        true,
        "Community ID version 1, seed 0.",
        |event| event.community_id.stored(),
    ),
];

/// What follows from a flow's fields.
const OF_FLOW: &[column::Column<FlowReport>] = &[column(
    "ended",
    Kind::Flag,
    false,
    "This is the flow's last report. Sum over these, or a flow counts several times.",
    |flow| Value::Number(flow.reason.is_over().into()),
)];

fn text<'a>(of: Option<impl ToString>) -> Value<'a> {
    of.map_or(Value::None, |value| Value::Owned(value.to_string()))
}

/// All columns beside `id`.
pub(super) static COLUMNS: LazyLock<Vec<Column>> = LazyLock::new(|| {
    let events = OF_EVENT.iter().map(|column| Column {
        name: column.name.into(),
        kind: column.kind,
        optional: column.optional,
        source: Source::Event(column),
    });
    let flows = OF_FLOW
        .iter()
        .chain(FlowReport::columns())
        .map(|column| Column {
            name: column.name.into(),
            kind: column.kind,
            optional: column.optional,
            source: Source::Flow(column),
        });
    let mut columns: Vec<_> = events
        .chain(flows)
        .chain(FlowHalf::columns().flat_map(of_directions))
        .collect();
    columns.sort_by_cached_key(|column| place(&column.name));
    columns
});

/// Where the migrations name a column of the table `flow`. The files of the history keep this order for good: `DuckDB` joins
/// the columns of several files by their places.
fn place(name: &str) -> Option<usize> {
    let migrations = MIGRATIONS.concat();
    let table = migrations.find("CREATE TABLE flow (")?;
    let column = |before: &str| migrations[table..].find(&format!("{before}{name} "));
    column("\n    ").or_else(|| column("ADD COLUMN "))
}

fn of_directions(column: &'static column::Column<FlowHalf>) -> Vec<Column> {
    let named = |name, source| Column {
        name,
        kind: column.kind,
        optional: column.optional,
        source,
    };
    match column.over {
        Over::EachDirection => vec![
            named(
                format!("{}_to_server", column.name).into(),
                Source::ToServer(column),
            ),
            named(
                format!("{}_to_client", column.name).into(),
                Source::ToClient(column),
            ),
        ],
        Over::BothDirections | Over::Flow => {
            vec![named(column.name.into(), Source::Both(column))]
        }
    }
}

/// Puts a row of [`COLUMNS`] into the table.
pub(super) static INSERT: LazyLock<String> = LazyLock::new(|| {
    format!(
        "INSERT INTO flow ({}) VALUES ({})",
        names(),
        vec!["?"; COLUMNS.len()].join(", ")
    )
});

/// The names of all columns with commas between them.
pub(super) fn names() -> String {
    let names: Vec<_> = COLUMNS.iter().map(|column| &*column.name).collect();
    names.join(", ")
}

/// The row of a flow event, in the order of [`COLUMNS`]; none for one without addresses.
pub(super) fn row<'a>(event: &'a Event, flow: &'a FlowReport) -> Option<Vec<ToSqlOutput<'a>>> {
    COLUMNS
        .iter()
        .map(|column| {
            let value = match column.source {
                Source::Event(column) => (column.read)(event),
                Source::Flow(column) => (column.read)(flow),
                Source::ToServer(column) => (column.read)(&flow.to_server),
                Source::ToClient(column) => (column.read)(&flow.to_client),
                Source::Both(column) => {
                    let directions = [&flow.to_server, &flow.to_client];
                    sum(directions.map(|direction| (column.read)(direction)))
                }
            };
            (column.optional || value != Value::None).then(|| sql(value))
        })
        .collect()
}

fn sum<'a>(values: [Value<'_>; 2]) -> Value<'a> {
    let number = |value| match value {
        Value::Number(number) => number,
        _ => 0_i64,
    };
    let [to_server, to_client] = values.map(number);
    Value::Number(to_server.saturating_add(to_client))
}

fn sql(value: Value<'_>) -> ToSqlOutput<'_> {
    match value {
        Value::None => rusqlite::types::Null.into(),
        Value::Time(time) => micros(time).into(),
        Value::Number(number) => number.into(),
        Value::Text(text) => text.into(),
        Value::Owned(text) => text.into(),
    }
}

/// Bytes that a value takes, about.
pub(super) fn bytes(value: &ToSqlOutput<'_>) -> u64 {
    match value {
        ToSqlOutput::Borrowed(ValueRef::Text(text)) => text.len() as u64,
        ToSqlOutput::Owned(rusqlite::types::Value::Text(text)) => text.len() as u64,
        ToSqlOutput::Owned(rusqlite::types::Value::Null) => 0,
        _ => 8,
    }
}
