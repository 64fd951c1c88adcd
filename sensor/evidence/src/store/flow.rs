//! A flow as a row: in the table `flow` and in the files of the history.

use rusqlite::{ToSql, types::ToSqlOutput};

use super::{
    contacts::is_over,
    time::{int, micros},
};
use sensor_facts::event::{Event, FlowReport};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A moment.
    Time,
    /// A number up to 2^63.
    Long,
    /// A number up to 2^31.
    Int,
    /// Yes or no.
    Flag,
    /// Words.
    Text,
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// It can be empty.
    pub(super) optional: bool,
}

const fn column(name: &'static str, kind: Kind, optional: bool) -> Column {
    Column {
        name,
        kind,
        optional,
    }
}

/// All columns beside `id`, in the order of the table. `docs/store.md` says what they mean.
pub(super) const COLUMNS: [Column; 32] = [
    column("time", Kind::Time, false),
    column("start_time", Kind::Time, false),
    column("end_time", Kind::Time, false),
    column("flow_id", Kind::Long, false),
    column("ended", Kind::Flag, false),
    column("reason", Kind::Text, false),
    column("state", Kind::Text, false),
    column("src_ip", Kind::Text, false),
    column("src_port", Kind::Int, true),
    column("dest_ip", Kind::Text, false),
    column("dest_port", Kind::Int, true),
    column("proto", Kind::Text, false),
    column("app_proto", Kind::Text, true),
    column("icmp_type", Kind::Int, true),
    column("in_iface", Kind::Text, true),
    column("vlan", Kind::Text, true),
    column("src_mac", Kind::Text, true),
    column("dest_mac", Kind::Text, true),
    column("community_id", Kind::Text, true),
    column("packets_to_server", Kind::Long, false),
    column("packets_to_client", Kind::Long, false),
    column("bytes_to_server", Kind::Long, false),
    column("bytes_to_client", Kind::Long, false),
    column("payload_to_server", Kind::Long, false),
    column("payload_to_client", Kind::Long, false),
    column("tcp_flags_to_server", Kind::Int, false),
    column("tcp_flags_to_client", Kind::Int, false),
    column("retransmissions", Kind::Long, false),
    column("gaps", Kind::Long, false),
    column("duplicates", Kind::Long, false),
    column("midstream", Kind::Flag, false),
    column("reset", Kind::Flag, false),
];

/// Puts a row of [`COLUMNS`] into the table.
pub(super) const INSERT: &str = "INSERT INTO flow VALUES (NULL, \
    ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

/// A value of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    None,
    Number(i64),
    Text(&'a str),
    Owned(String),
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::None => Ok(rusqlite::types::Null.into()),
            Self::Number(number) => Ok((*number).into()),
            Self::Text(text) => Ok((*text).into()),
            Self::Owned(text) => Ok(text.as_str().into()),
        }
    }
}

impl Value<'_> {
    /// Bytes that it takes, about.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::None => 0,
            Self::Number(_) => 8,
            Self::Text(text) => text.len() as u64,
            Self::Owned(text) => text.len() as u64,
        }
    }
}

/// The row of a flow event, in the order of [`COLUMNS`]; none for one without addresses.
pub(super) fn row<'a>(event: &'a Event, flow: &'a FlowReport) -> Option<[Value<'a>; 32]> {
    let text = |text: Option<&'a str>| text.map_or(Value::None, Value::Text);
    let number = |number: u64| Value::Number(int(number));
    let port = |port: Option<u16>| port.map_or(Value::None, |port| Value::Number(port.into()));
    let flag = |flag: bool| Value::Number(flag.into());
    let (out, back) = (&flow.to_server, &flow.to_client);
    let both = |read: fn(&sensor_facts::event::FlowHalf) -> u32| {
        Value::Number(i64::from(read(out)) + i64::from(read(back)))
    };
    Some([
        Value::Number(micros(event.timestamp)),
        Value::Number(micros(flow.start)),
        Value::Number(micros(flow.end)),
        number(event.flow_id?),
        flag(is_over(flow.reason)),
        Value::Text(flow.reason.label()),
        Value::Text(flow.state.label()),
        Value::Owned(event.src_ip?.to_string()),
        port(event.src_port),
        Value::Owned(event.dest_ip?.to_string()),
        port(event.dest_port),
        Value::Text(event.proto.as_deref()?),
        text(flow.app_proto.as_deref()),
        port(flow.icmp_type),
        text(event.in_iface.as_deref()),
        vlan(&event.vlan),
        text(flow.src_mac.as_deref()),
        text(flow.dest_mac.as_deref()),
        text(event.community_id.as_deref()),
        number(out.packets),
        number(back.packets),
        number(out.bytes),
        number(back.bytes),
        number(out.payload_bytes),
        number(back.payload_bytes),
        Value::Number(out.tcp_flags.into()),
        Value::Number(back.tcp_flags.into()),
        both(|half| half.retransmissions),
        both(|half| half.gaps),
        both(|half| half.duplicates),
        flag(flow.midstream),
        flag(flow.reset),
    ])
}

/// Ids with commas between them, the outer one first.
fn vlan<'a>(ids: &[u16]) -> Value<'a> {
    if ids.is_empty() {
        return Value::None;
    }
    let ids: Vec<_> = ids.iter().map(u16::to_string).collect();
    Value::Owned(ids.join(","))
}
