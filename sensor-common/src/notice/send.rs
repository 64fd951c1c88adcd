//! A notice on its way out of the kernel: its message is read step by step, and sent if it is new or due and there are
//! not too many.

use super::{
    arp,
    limit::{Lane, may_go},
    state::{STEPS, Stage},
};
use crate::{
    ABI_VERSION,
    bytes::Frame,
    counter::Counter,
    cpu::Cpu,
    engine::Platform,
    event::{EventHeader, EventKind},
    key::FlowKey,
    layer7::Step,
    registry::{Topic, with_notices},
    tape,
};

/// One step of the reader of a topic.
macro_rules! step_by {
    ($of:ident, $frame:ident, $cpu:ident; ($topic:ident $module:ident)) => {
        super::$module::step($frame, $cpu)
    };
    ($of:ident, $frame:ident, $cpu:ident; ($topic:ident $module:ident) $($rest:tt)+) => {
        if $of == Topic::$topic as u8 {
            super::$module::step($frame, $cpu)
        } else {
            step_by!($of, $frame, $cpu; $($rest)+)
        }
    };
}

/// Makes ready for the packet in `cpu.packet`.
#[inline(always)]
pub(crate) fn begin(cpu: &mut Cpu) {
    cpu.work.tape_len = 0;
    cpu.work.position = cpu.packet.offset;
    cpu.work.end = cpu.packet.offset.wrapping_add(cpu.packet.payload_captured);
    cpu.notice.topic = cpu.packet.topic();
    cpu.notice.stage = Stage::Head as u8;
    cpu.notice.records = 0;
    cpu.notice.lane = Lane::of(cpu.notice.topic) as u8;
}

/// One step: bounded work on the bytes from `cpu.work.position` on.
#[inline(always)]
pub fn step<F: Frame>(frame: &F, cpu: &mut Cpu) -> Step {
    let topic = cpu.notice.topic;
    let done = with_notices!(step_by!(topic, frame, cpu;));
    if let Some(step) = done {
        step
    } else {
        cpu.counters.count(Counter::NoticeMalformed);
        cpu.work.tape_len = 0;
        Step::Done
    }
}

/// Counts the claim of an ARP message, and puts it on the tape if it is new or due.
#[inline(always)]
pub fn count_claim<H: Platform>(platform: &mut H, now: u64) {
    if let Some(claim) = platform.claim() {
        // SAFETY: `claim` has just given it. Another CPU may count meanwhile, and a count may be lost.
        arp::again(platform.cpu(), unsafe { &mut *claim }, now);
    } else if let Some(claim) = arp::first(platform.cpu(), now) {
        platform.keep_claim(&claim);
    }
}

/// Reads what the packet says of hosts, and sends it if it is new or due and there are not too many.
#[inline(always)]
pub fn send<H: Platform>(platform: &mut H, now: u64) {
    begin(platform.cpu());
    let mut whole = false;
    for _ in 0..STEPS {
        if platform.notice_step() == Step::Done as u32 {
            whole = true;
            break;
        }
    }
    if !whole {
        let cpu = platform.cpu();
        cpu.counters.count(Counter::NoticeBudget);
        // Without its checksum it is not known whether anyone takes it.
        if cpu.notice.topic == Topic::Neighbour as u8 {
            cpu.work.tape_len = 0;
        }
    }
    if platform.cpu().notice.has_arp() {
        platform.count_claim(now);
    } else if platform.cpu().work.tape_len > 0 && !may_go(platform.cpu(), now) {
        return;
    }
    if platform.cpu().work.tape_len > 0 {
        platform.send_notice(now);
    }
}

/// Sends what is on the tape.
#[inline(always)]
pub fn hand_over<H: Platform>(platform: &mut H, now: u64) {
    let cpu = platform.cpu();
    let length = cpu.work.tape_len & (tape::CAPACITY - 1);
    if length == 0 {
        return;
    }
    let chunk = &mut cpu.chunk.header;
    chunk.header = EventHeader {
        version: ABI_VERSION,
        kind: EventKind::Notice as u8,
        detail: 0,
        protocol: 0,
        interface: cpu.packet.interface,
        time: now,
    };
    chunk.key = FlowKey::EMPTY;
    if !cpu.notice.has_arp() {
        let chunk = &mut cpu.chunk.header;
        chunk.header.detail = cpu.packet.direction & 1;
        chunk.key = cpu.packet.flow_key();
    }
    let chunk = &mut cpu.chunk.header;
    chunk.flow_start = 0;
    chunk.number = 0;
    chunk.stream_offset = 0;
    chunk.flags = 0;
    chunk.mac_a = [0; 6];
    chunk.mac_b = [0; 6];
    chunk.tape_len = length as u16;
    cpu.counters.count(Counter::ChunkEvents);
    if !platform.emit_chunk(length) {
        platform.cpu().counters.count(Counter::ChunkEventsLost);
    }
}
