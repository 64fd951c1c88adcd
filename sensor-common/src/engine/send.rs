//! What leaves the kernel: flows as they stand, and what the layer-7 readers put on the tape.

use super::platform::{Platform, Table};
use crate::{
    ABI_VERSION,
    counter::Counter,
    event::{EventHeader, EventKind, FlowReason},
    layer7::{self, STEPS, Step},
    tape,
};

/// Sends the packet's flow as it stands in `table`.
#[inline(always)]
pub fn send_flow<H: Platform>(platform: &mut H, table: Table, reason: FlowReason, now: u64) {
    let Some(flow) = platform.find(table) else {
        return;
    };
    let header = EventHeader {
        version: ABI_VERSION,
        kind: EventKind::Flow as u8,
        detail: reason as u8,
        protocol: 0,
        interface: platform.cpu().packet.interface,
        time: now,
    };
    platform.cpu().counters.count(Counter::FlowEvents);
    if !platform.emit_flow(header, flow) {
        platform.cpu().counters.count(Counter::FlowEventsLost);
    }
}

/// Leads the payload through its layer-7 reader, and sends what the reader put on the tape.
#[inline(always)]
pub fn read<H: Platform>(platform: &mut H) {
    let cpu = platform.cpu();
    layer7::begin(cpu);
    let chunk = &mut cpu.chunk.header;
    chunk.header.version = ABI_VERSION;
    chunk.header.kind = EventKind::Chunk as u8;
    chunk.header.detail = cpu.packet.direction;
    chunk.header.interface = cpu.packet.interface;
    chunk.key = cpu.packet.flow_key();
    chunk.stream_offset = cpu.work.stream.offset;
    for _ in 0..STEPS {
        if platform.cpu().work.tape_len > tape::FLUSH_AT {
            platform.flush();
        }
        if platform.step() == Step::Done as u32 {
            break;
        }
    }
    layer7::finish(platform.cpu());
    if platform.cpu().work.tape_len > 0 {
        platform.flush();
    }
}

/// Sends what is on the tape.
#[inline(always)]
pub fn flush<H: Platform>(platform: &mut H) {
    let cpu = platform.cpu();
    let length = cpu.work.tape_len & (tape::CAPACITY - 1);
    cpu.work.tape_len = 0;
    let chunk = &mut cpu.chunk.header;
    chunk.header.protocol = cpu.work.protocol;
    chunk.tape_len = length as u16;
    chunk.number = cpu.work.stream.chunk_number;
    cpu.work.stream.chunk_number = cpu.work.stream.chunk_number.wrapping_add(1);
    cpu.counters.count(Counter::ChunkEvents);
    if !platform.emit_chunk(length) {
        platform.cpu().counters.count(Counter::ChunkEventsLost);
    }
}
