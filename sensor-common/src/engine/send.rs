//! What leaves the kernel: flows as they stand, and what the layer-7 readers put on the tape.

use super::home::{Home, Table};
use crate::{
    ABI_VERSION,
    counter::Counter,
    event::{EventHeader, EventKind, FlowReason},
    layer7::{self, STEPS, Step},
    tape,
};

/// Sends the packet's flow as it stands in `table`.
#[inline(always)]
pub fn send_flow<H: Home>(home: &mut H, table: Table, reason: FlowReason, now: u64) {
    let Some(flow) = home.find(table) else { return };
    let header = EventHeader {
        version: ABI_VERSION,
        kind: EventKind::Flow as u8,
        detail: reason as u8,
        protocol: 0,
        interface: home.cpu().packet.interface,
        time: now,
    };
    home.cpu().counters.count(Counter::FlowEvents);
    if !home.emit_flow(header, flow) {
        home.cpu().counters.count(Counter::FlowEventsLost);
    }
}

/// Leads the payload through its layer-7 reader, and sends what the reader put on the tape.
#[inline(always)]
pub fn read<H: Home>(home: &mut H) {
    let cpu = home.cpu();
    layer7::begin(cpu);
    let chunk = &mut cpu.chunk.header;
    chunk.header.version = ABI_VERSION;
    chunk.header.kind = EventKind::Chunk as u8;
    chunk.header.detail = cpu.packet.direction;
    chunk.header.interface = cpu.packet.interface;
    chunk.key = cpu.packet.flow_key();
    chunk.stream_offset = cpu.work.stream.offset;
    for _ in 0..STEPS {
        if home.cpu().work.tape_len > tape::FLUSH_AT {
            home.flush();
        }
        if home.step() == Step::Done as u32 {
            break;
        }
    }
    layer7::finish(home.cpu());
    if home.cpu().work.tape_len > 0 {
        home.flush();
    }
}

/// Sends what is on the tape.
#[inline(always)]
pub fn flush<H: Home>(home: &mut H) {
    let cpu = home.cpu();
    let length = cpu.work.tape_len & (tape::CAPACITY - 1);
    cpu.work.tape_len = 0;
    let chunk = &mut cpu.chunk.header;
    chunk.header.protocol = cpu.work.protocol;
    chunk.tape_len = length as u16;
    chunk.number = cpu.work.stream.chunk_number;
    cpu.work.stream.chunk_number = cpu.work.stream.chunk_number.wrapping_add(1);
    cpu.counters.count(Counter::ChunkEvents);
    if !home.emit_chunk(length) {
        home.cpu().counters.count(Counter::ChunkEventsLost);
    }
}
