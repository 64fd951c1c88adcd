//! Flow events: the features of a conversation.
//!
//! The lists here are the only ones of a flow's fields. From them follow the event and its JSON, its part of
//! `docs/events.schema.json`, and the columns of the store and of its Parquet files. After a change of a list run
//! `UPDATE_DOCS=1 cargo test -p sensor-facts -p sensor-evidence`.

pub mod column;
mod record;

use std::borrow::Cow;

use sensor_common::{
    flow::{self, Flow, Half, INTERVAL_BINS, SIZE_BINS},
    packet::Tunnel,
};

use self::{
    column::{Column, Field, Kind, Over, Value},
    record::{record, words},
};
use super::json::{
    line::{Key, Line},
    put::Put,
};
#[cfg(test)]
use super::schema;
use crate::{
    address::{Conversation, mac_text},
    time::{Time, Timebase},
};

words! {
    /// Why a flow event was written.
    pub enum FlowWhy {
        /// The flow is over: no packet for longer than its idle time.
        Idle = "idle",
        /// The flow is over: its TCP connection was closed.
        Closed = "closed",
        /// The flow is over: a new one took its key.
        Replaced = "replaced",
        /// The flow is over for the sensor, which stops or has read the capture to its end.
        Shutdown = "shutdown",
        /// The flow goes on; its report is due because it is long.
        Active = "active",
        /// The flow goes on; it reached a power of two of packets.
        Snapshot = "snapshot",
    }
}

words! {
    /// State of the connection, as EVE names them.
    pub enum FlowState {
        /// Seen in one direction only.
        New = "new",
        /// Seen in both directions.
        Established = "established",
        /// TCP that was reset, or finished by both ends.
        Closed = "closed",
    }
}

record! {
    /// A flow's features. Lengths are of the IP packets in bytes, headers included.
    pub struct FlowReport(
        flow: &Flow, conversation: &Conversation, why: FlowWhy, timebase: Timebase
    ) {
        /// Time of the first packet.
        start: Time = timebase.wall(flow.start) => once "start_time";
        /// Time of the last packet; that of the first where the clock went back.
        end: Time = timebase.wall(flow.end()) => once "end_time";
        /// Nanoseconds between both.
        duration_ns: u64 = flow.end() - flow.start;
        /// State of the connection.
        state: FlowState = FlowState::of(flow) => once "state";
        /// Why this was written.
        reason: FlowWhy = why => once "reason";
        /// The opening of the conversation was not seen; who opened it is taken from its content or its ports.
        midstream: bool = flow.flags & flow::MIDSTREAM != 0 => once "midstream";
        /// A TCP reset was seen that its receiver takes, and nothing went on after it.
        reset: bool = flow.flags & flow::RESET != 0 => once "reset";
        /// Made of fragments without ports.
        fragments: bool = flow.flags & flow::FRAGMENTS != 0;
        /// `dicom`, `hl7` or `tls`, recognised by content.
        [optional] app_proto: Option<Cow<'static, str>> where (extend("enum" = schema::protocols()))
            = flow.protocol().name().map(Cow::Borrowed) => once "app_proto";
        /// ICMP type of the first packet.
        [optional] icmp_type: Option<u16>
            = conversation.icmp().map(|(kind, _)| kind) => once "icmp_type";
        /// Ethernet address of the source, or of the router before it.
        [optional] src_mac: Option<String> where (regex(pattern = "^([0-9a-f]{2}:){5}[0-9a-f]{2}$"))
            = mac_text(flow.client_and_server_macs().0) => once "src_mac";
        /// Ethernet address of the destination, or of the router before it.
        [optional] dest_mac: Option<String> where (regex(pattern = "^([0-9a-f]{2}:){5}[0-9a-f]{2}$"))
            = mac_text(flow.client_and_server_macs().1) => once "dest_mac";
        /// Encapsulations that were unwrapped, in the order of `docs/encapsulations.md`.
        [optional] tunnels: Vec<Cow<'static, str>>
            where (extend("items" = schema::tunnels()))
            = Tunnel::names(flow.tunnels).map(Cow::Borrowed).collect();
        /// Payload sizes of the first packets that had any, in bytes: positive to the server, negative to
        /// the client.
        first_payloads: Vec<i32> = first_payloads(flow);
        /// From the side that opened the conversation.
        to_server: FlowHalf = FlowHalf::of(flow.client_and_server().0, timebase);
        /// To the side that opened it.
        to_client: FlowHalf = FlowHalf::of(flow.client_and_server().1, timebase);
    }
}

record! {
    /// One direction of a flow. Copies that a mirror delivered twice count in `duplicates` alone.
    pub struct FlowHalf(half: &Half, timebase: Timebase) {
        /// Packets in this direction.
        packets: u64 = half.packets => each "packets";
        /// Bytes of the IP packets.
        bytes: u64 = half.bytes => each "bytes";
        /// Bytes of transport payload.
        payload_bytes: u64 = half.payload => each "payload";
        /// Time of the first packet.
        [optional] first: Option<Time> = (half.packets > 0).then(|| timebase.wall(half.first));
        /// Time of the last packet.
        [optional] last: Option<Time> = (half.packets > 0).then(|| timebase.wall(half.last));
        /// Least packet length.
        length_min: u16 = half.length_min;
        /// Greatest packet length.
        length_max: u16 = half.length_max;
        /// Sum of the squares of the packet lengths.
        length_squares: u64 = half.length_squares;
        /// Packets by length: below 64 bytes, then one bin a power of two, the last from 4096 on.
        sizes: [u32; SIZE_BINS] = half.sizes;
        /// Least time between two packets, microseconds.
        [optional] interval_min_us: Option<u32> = (half.packets > 1).then_some(half.interval_min);
        /// Greatest time between two packets, microseconds.
        [optional] interval_max_us: Option<u32> = (half.packets > 1).then_some(half.interval_max);
        /// Sum of the squares of these times, microseconds squared.
        interval_squares: u64 = half.interval_squares;
        /// These times by length: bin `i` holds `4^i` to `4^(i+1)` microseconds, the first from 0.
        intervals: [u32; INTERVAL_BINS] = half.intervals;
        /// TCP segments whose bytes had all been seen.
        retransmissions: u32 = half.retransmissions => sum "retransmissions";
        /// TCP segments that began beyond the byte expected next.
        gaps: u32 = half.gaps => sum "gaps";
        /// Copies that the mirror delivered twice.
        duplicates: u32 = half.duplicates => sum "duplicates";
        /// TCP segments that the receiver would discard: a wrong checksum, outside of the window, a reset or a SYN that does
        /// not fit.
        ignored: u32 = half.order.ignored;
        /// TCP segments with PSH.
        psh: u32 = half.push;
        /// TCP segments with SYN.
        syn: u16 = half.syn;
        /// TCP segments with FIN.
        fin: u16 = half.fin;
        /// TCP segments with RST.
        rst: u16 = half.rst;
        /// All TCP flags seen, or-ed, the byte of RFC 9293.
        tcp_flags: u8 = half.tcp_flags => each "tcp_flags";
        /// Least TCP window as sent, unscaled.
        window_min: u16 = half.window_min;
        /// Greatest TCP window as sent.
        window_max: u16 = half.window_max;
        /// Least time to live or hop limit.
        ttl_min: u8 = half.ttl_min;
        /// Greatest time to live or hop limit.
        ttl_max: u8 = half.ttl_max;
    }
}

impl FlowWhy {
    /// True for a flow's last report, after which nothing more is known of it.
    #[must_use]
    pub const fn is_over(self) -> bool {
        !matches!(self, Self::Active | Self::Snapshot)
    }
}

impl FlowState {
    fn of(flow: &Flow) -> Self {
        let (to_server, to_client) = flow.client_and_server();
        if flow.is_closed() {
            Self::Closed
        } else if to_server.packets > 0 && to_client.packets > 0 {
            Self::Established
        } else {
            Self::New
        }
    }
}

/// The kernel counts them positive from endpoint A to B.
fn first_payloads(flow: &Flow) -> Vec<i32> {
    let sign = if flow.flags & flow::INITIATOR_B != 0 {
        -1
    } else {
        1
    };
    flow.first_payloads
        .iter()
        .take(flow.first_count as usize)
        .map(|size| i32::from(*size) * sign)
        .collect()
}
