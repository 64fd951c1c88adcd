//! Segments that came before those they follow: a few are kept until what is between comes, or is given up.
//!
//! Their bytes stay in the kernel's memory: a place is overwritten with zeros once its segment was read. A place belongs to
//! the direction that its number is made from; where it is taken, the segment is not kept, which is counted.

use core::ptr;

use super::{
    platform::{Platform, Table},
    track::inspect,
};
use crate::{
    bytes::Frame,
    counter::Counter,
    flow::order::{AHEAD, DAMAGED, GIVE_UP, HELD_MAX, LOST, distance},
    packet::{Packet, TCP_ACK},
    tape::COPY_MAX,
    time::since,
};

/// Places; a power of two.
pub const HELD_PLACES: u32 = 1_024;
/// Bytes of payload that a place holds: more than an Ethernet frame of 1,500 has.
pub const HELD_BYTES: usize = 2 * COPY_MAX as usize;
/// A segment that nobody asked for within this many nanoseconds may be overwritten by one of another direction.
const FORGOTTEN: u64 = 10_000_000_000;

/// A place for a segment.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Held {
    /// Whose segment it is, by [`owner`]; 0 where the place is free.
    pub owner: u64,
    /// When the segment came, nanoseconds.
    pub time: u64,
    /// Its sequence number.
    pub sequence: u32,
    /// Bytes of its payload.
    pub length: u32,
    /// Its payload.
    pub data: [u8; HELD_BYTES],
}

impl Held {
    /// A free place.
    pub const EMPTY: Self = Self {
        owner: 0,
        time: 0,
        sequence: 0,
        length: 0,
        data: [0; HELD_BYTES],
    };
}

/// A number of a direction of the packet's flow, which was made at `flow_start`: a hash of all that names it, not 0. The
/// time, to the nanosecond, is what nobody who sends packets can choose.
#[inline(always)]
#[must_use]
pub fn owner(packet: &Packet, flow_start: u64, direction: u32) -> u64 {
    // The constants of `flow::slot::hint`.
    const FIRST: u64 = 0x9e37_79b1_85eb_ca87;
    const SECOND: u64 = 0xc2b2_ae3d_27d4_eb4f;
    let mut mixed = flow_start.wrapping_mul(FIRST) ^ u64::from(direction & 1);
    if packet.family == 4 {
        for word in packet.key4.words() {
            mixed = (mixed ^ word).wrapping_mul(SECOND);
            mixed ^= mixed >> 29;
        }
    } else {
        let key = &packet.key6;
        let ports = u32::from(u16::from_ne_bytes(key.port_a)) << 16
            | u32::from(u16::from_ne_bytes(key.port_b));
        let [a, b] = [
            u128::from_ne_bytes(key.addr_a),
            u128::from_ne_bytes(key.addr_b),
        ];
        for word in [
            a as u64,
            (a >> 64) as u64,
            b as u64,
            (b >> 64) as u64,
            u64::from(ports),
        ] {
            mixed = (mixed ^ word).wrapping_mul(SECOND);
            mixed ^= mixed >> 29;
        }
    }
    mixed | 1
}

/// The place of an owner's segment of this number.
#[inline(always)]
const fn place(owner: u64, number: u32) -> u32 {
    ((owner >> 32) as u32)
        .wrapping_mul(HELD_MAX)
        .wrapping_add(number)
        & (HELD_PLACES - 1)
}

/// Keeps the packet's payload, which came too early, for its flow in `table`; 0 if it can't be kept. Then it is set aside:
/// [`skip`] reads it, once [`settle`] has read what was kept before, as what is missing is waited for no longer.
#[inline(always)]
pub fn hold<H: Platform>(platform: &mut H, table: Table, now: u64) -> u32 {
    let Some(entry) = platform.find(table) else {
        return 1;
    };
    // SAFETY: as in `track`.
    let flow = unsafe { &mut *entry };
    let packet = &platform.cpu().packet;
    let b_sends = packet.direction & 1 == 1;
    let whole = packet.payload_captured == packet.payload_length;
    let order = &mut flow.directions[usize::from(b_sends)].order;
    let mut number = 0;
    for _ in 0..HELD_MAX {
        if order.held >> number & 1 == 0 {
            break;
        }
        number += 1;
    }
    if whole && number < HELD_MAX && keep(platform, number, flow.start, now) {
        order.held |= 1 << (number & 7);
        platform.cpu().counters.count(Counter::TcpHeld);
        return 1;
    }
    order.flags |= GIVE_UP;
    let cpu = platform.cpu();
    cpu.counters.count(Counter::TcpHeldFull);
    let packet = &cpu.packet;
    cpu.work.aside = [
        packet.offset,
        packet.sequence,
        packet.payload_length,
        packet.payload_captured,
        u32::from(packet.first_byte),
        u32::from(packet.direction),
    ];
    0
}

/// Reads the packet that was set aside.
#[inline(always)]
pub fn skip<H: Platform>(platform: &mut H, table: Table, now: u64) {
    let Some(entry) = platform.find(table) else {
        return;
    };
    // SAFETY: as in `track`.
    let flow = unsafe { &mut *entry };
    let cpu = platform.cpu();
    let [offset, sequence, length, captured, first_byte, direction] = cpu.work.aside;
    let packet = &mut cpu.packet;
    packet.offset = offset;
    packet.sequence = sequence;
    packet.payload_length = length;
    packet.payload_captured = captured;
    packet.first_byte = first_byte as u8;
    packet.direction = direction as u8;
    let (inspects, lost) = flow.skip_to(packet);
    if lost {
        cpu.counters.count(Counter::TcpGapLost);
    }
    if inspects {
        inspect(platform, flow, now);
    }
}

/// Copies the packet's payload to the place of this number; false if it is taken, or too small.
#[inline(always)]
fn keep<H: Platform>(platform: &mut H, number: u32, flow_start: u64, now: u64) -> bool {
    let frame = platform.frame();
    let packet = &platform.cpu().packet;
    let (offset, length) = (packet.offset, packet.payload_length);
    let (sequence, direction) = (packet.sequence, u32::from(packet.direction & 1));
    if length > HELD_BYTES as u32 {
        return false;
    }
    let owner = platform.owner(flow_start, direction);
    let Some(held) = platform.held(place(owner, number)) else {
        return false;
    };
    // SAFETY: an element of the table of places. Another CPU could keep a segment of another direction here at the same
    // moment: the owner is written last.
    let held = unsafe { &mut *held };
    if held.owner != 0 && since(now, held.time) < FORGOTTEN {
        return false;
    }
    let first = if length > COPY_MAX { COPY_MAX } else { length };
    if !frame.copy(offset, first, &mut held.data, 0)
        || (length > COPY_MAX
            && !frame.copy(
                offset + COPY_MAX,
                length - COPY_MAX,
                &mut held.data,
                COPY_MAX,
            ))
    {
        return false;
    }
    held.time = now;
    held.sequence = sequence;
    held.length = length;
    held.owner = owner;
    true
}

/// The number plus one of the segment kept for a direction of the packet's flow with the least sequence number, 0 for none.
#[inline(always)]
pub fn nearest<H: Platform>(platform: &mut H, table: Table, direction: u32) -> u32 {
    let Some(entry) = platform.find(table) else {
        return 0;
    };
    // SAFETY: as in `track`.
    let flow = unsafe { &*entry };
    let owner = platform.owner(flow.start, direction);
    let half = &flow.directions[(direction & 1) as usize];
    let (mut found, mut least) = (0, i32::MAX);
    for number in 0..HELD_MAX {
        if half.order.held >> number & 1 == 0 {
            continue;
        }
        let Some(held) = platform.held(place(owner, number)) else {
            continue;
        };
        // SAFETY: as in `keep`.
        let held = unsafe { &*held };
        // Else it was kept by another interface's program, or forgotten.
        if held.owner == owner {
            let gap = distance(held.sequence, half.stream.next_sequence);
            if gap < least {
                least = gap;
                found = number + 1;
            }
        }
    }
    found
}

/// Reads what was kept of the packet's flow in a direction, as far as nothing is missing before it, or as what is missing
/// is given up. The packet is used up.
#[inline(always)]
pub fn settle<H: Platform>(platform: &mut H, table: Table, direction: u32, now: u64) {
    for _ in 0..=HELD_MAX {
        if platform.settle_one(table, direction, now) == 0 {
            break;
        }
    }
}

/// One of them; 0 if there is none.
#[inline(always)]
pub fn settle_one<H: Platform>(platform: &mut H, table: Table, direction: u32, now: u64) -> u32 {
    let number = platform.nearest(table, direction);
    let Some(entry) = platform.find(table) else {
        return 0;
    };
    // SAFETY: as in `track`.
    let flow = unsafe { &mut *entry };
    let owner = platform.owner(flow.start, direction);
    let half = &mut flow.directions[(direction & 1) as usize];
    let next = half.stream.next_sequence;
    let order = &mut half.order;
    let ahead = distance(order.ahead, next);
    let place = place(owner, number.wrapping_sub(1));
    let (mut sequence, mut length, mut first_byte) = (0, 0, 0);
    let mut is_held = number != 0;
    if is_held && let Some(held) = platform.held(place) {
        // SAFETY: as in `keep`.
        let held = unsafe { &*held };
        (sequence, length) = (held.sequence, held.length);
        [first_byte, ..] = held.data;
    }
    if order.is(AHEAD) && (!is_held || ahead < distance(sequence, next)) {
        is_held = false;
        sequence = order.ahead;
        length = order.ahead_end.wrapping_sub(order.ahead);
    } else if !is_held {
        order.flags &= !GIVE_UP;
        order.since = 0;
        if order.held != 0 {
            order.held = 0;
            order.flags |= DAMAGED;
            platform.cpu().counters.count(Counter::TcpHeldLost);
        }
        return 0;
    }
    let gap = distance(sequence, next);
    if gap > 0 && !order.is(GIVE_UP) {
        return 0;
    }
    if is_held {
        order.held &= !(1 << (number.wrapping_sub(1) & 7));
    } else {
        order.flags &= !AHEAD;
    }
    let end = sequence.wrapping_add(length);
    if distance(end, next) > 0 {
        if gap > 0 {
            order.lost = next;
            order.lost_end = sequence;
            order.flags |= LOST;
        }
        if gap > 0 || !is_held {
            order.flags |= DAMAGED;
            platform.cpu().counters.count(Counter::TcpGapLost);
        }
        order.unread = end;
        half.stream.next_sequence = end;
        let packet = &mut platform.cpu().packet;
        packet.direction = direction as u8 & 1;
        packet.tcp_flags = TCP_ACK;
        packet.offset = 0;
        packet.sequence = sequence;
        packet.stream_delta = gap;
        packet.payload_length = length;
        packet.payload_captured = if is_held { length } else { 0 };
        packet.first_byte = first_byte;
        platform.cpu().work.held = if is_held { place + 1 } else { 0 };
        inspect(platform, flow, now);
        platform.cpu().work.held = 0;
    }
    if is_held {
        platform.release(place);
    }
    1
}

/// Frees a place and overwrites what it held with zeros.
#[inline(always)]
#[allow(
    clippy::cast_ptr_alignment,
    reason = "the data begins at a multiple of eight bytes of an aligned place"
)]
pub fn release<H: Platform>(platform: &mut H, place: u32) {
    let Some(held) = platform.held(place) else {
        return;
    };
    // SAFETY: within the data, which is aligned as its words are; as in `hold`.
    unsafe {
        let words = (&raw mut (*held).data).cast::<u64>();
        for at in 0..HELD_BYTES / 8 {
            ptr::write_volatile(words.add(at), 0);
        }
        (*held).length = 0;
        (*held).owner = 0;
    }
}
