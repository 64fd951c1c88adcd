//! Flow events: the features of a conversation.

use std::borrow::Cow;

use sensor_common::flow::{INTERVAL_BINS, SIZE_BINS};
use serde::{Deserialize, Serialize};

use crate::time::Time;

/// Why a flow event was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlowWhy {
    /// The flow is over: no packet for longer than its idle time.
    Idle,
    /// The flow is over: its TCP connection was closed.
    Closed,
    /// The flow is over: a new one took its key.
    Replaced,
    /// The flow is over for the sensor, which stops or has read the capture to its end.
    Shutdown,
    /// The flow goes on; its report is due because it is long.
    Active,
    /// The flow goes on; it reached a power of two of packets.
    Snapshot,
}

impl FlowWhy {
    /// As in JSON.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Closed => "closed",
            Self::Replaced => "replaced",
            Self::Shutdown => "shutdown",
            Self::Active => "active",
            Self::Snapshot => "snapshot",
        }
    }
}

/// State of the connection, as EVE names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlowState {
    /// Seen in one direction only.
    New,
    /// Seen in both directions.
    Established,
    /// TCP that was reset, or finished by both ends.
    Closed,
}

impl FlowState {
    /// As in JSON.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Established => "established",
            Self::Closed => "closed",
        }
    }
}

/// A flow's features. Lengths are of the IP packets in bytes, headers included.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlowReport {
    /// Time of the first packet.
    pub start: Time,
    /// Time of the last packet.
    pub end: Time,
    /// Nanoseconds between both.
    pub duration_ns: u64,
    /// State of the connection.
    pub state: FlowState,
    /// Why this was written.
    pub reason: FlowWhy,
    /// The opening of the conversation was not seen; who opened it is taken from the ports.
    pub midstream: bool,
    /// A TCP reset was seen.
    pub reset: bool,
    /// Made of fragments without ports.
    pub fragments: bool,
    /// `dicom`, `hl7` or `tls`, recognised by content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_proto: Option<Cow<'static, str>>,
    /// ICMP type of the first packet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icmp_type: Option<u16>,
    /// Ethernet address of the source, or of the router before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub src_mac: Option<String>,
    /// Ethernet address of the destination, or of the router before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dest_mac: Option<String>,
    /// Tunnels that were unwrapped: `gre`, `erspan`, `vxlan`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tunnels: Vec<Cow<'static, str>>,
    /// Payload sizes of the first packets that had any, in bytes: positive to the server, negative to
    /// the client.
    pub first_payloads: Vec<i32>,
    /// From the side that opened the conversation.
    pub to_server: FlowHalf,
    /// To the side that opened it.
    pub to_client: FlowHalf,
}

/// One direction of a flow. Copies that a mirror delivered twice count in `duplicates` alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowHalf {
    /// Packets.
    pub packets: u64,
    /// Bytes of the IP packets.
    pub bytes: u64,
    /// Bytes of transport payload.
    pub payload_bytes: u64,
    /// Time of the first packet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Time>,
    /// Time of the last packet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Time>,
    /// Least packet length.
    pub length_min: u16,
    /// Greatest packet length.
    pub length_max: u16,
    /// Sum of the squares of the packet lengths.
    pub length_squares: u64,
    /// Packets by length: below 64 bytes, then one bin a power of two, the last from 4096 on.
    pub sizes: [u32; SIZE_BINS],
    /// Least time between two packets, microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval_min_us: Option<u32>,
    /// Greatest time between two packets, microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval_max_us: Option<u32>,
    /// Sum of the squares of these times, microseconds squared.
    pub interval_squares: u64,
    /// These times by length: bin `i` holds `4^i` to `4^(i+1)` microseconds, the first from 0.
    pub intervals: [u32; INTERVAL_BINS],
    /// TCP segments whose bytes had all been seen.
    pub retransmissions: u32,
    /// TCP segments that began beyond the byte expected next.
    pub gaps: u32,
    /// Copies that the mirror delivered twice.
    pub duplicates: u32,
    /// TCP segments with PSH.
    pub psh: u32,
    /// TCP segments with SYN.
    pub syn: u16,
    /// TCP segments with FIN.
    pub fin: u16,
    /// TCP segments with RST.
    pub rst: u16,
    /// All TCP flags seen, or-ed, the byte of RFC 9293.
    pub tcp_flags: u8,
    /// Least TCP window as sent, unscaled.
    pub window_min: u16,
    /// Greatest TCP window as sent.
    pub window_max: u16,
    /// Least time to live or hop limit.
    pub ttl_min: u8,
    /// Greatest time to live or hop limit.
    pub ttl_max: u8,
}
