//! What leaves the kernel: flows as they stand, and what the layer-7 readers put on the tape.

use super::platform::{Platform, Table};
use crate::{
    ABI_VERSION,
    counter::Counter,
    event::{self, EventHeader, EventKind, FlowReason},
    layer7::{self, Asked, STEPS, Step, who_asked},
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
    cpu.packet.write_key(&mut chunk.key);
    chunk.stream_offset = cpu.work.stream.offset;
    for _ in 0..STEPS {
        if platform.cpu().work.tape_len > tape::FLUSH_AT {
            platform.flush();
        }
        let step = if platform.cpu().work.held == 0 {
            platform.step()
        } else {
            platform.step_held()
        };
        if step == Step::Done as u32 {
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
    if cpu.work.asked == Asked::Open as u8 {
        let asked = who_asked(cpu);
        cpu.work.asked = asked as u8;
        let flags = cpu.chunk.header.flags & !event::INITIATOR_B;
        let b_sends = cpu.packet.direction & 1 == 1;
        match asked {
            Asked::Open | Asked::Decided => {}
            Asked::Sender | Asked::Receiver => {
                let b_opened = b_sends == matches!(asked, Asked::Sender);
                cpu.chunk.header.flags = flags | if b_opened { event::INITIATOR_B } else { 0 };
            }
        }
    }
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
