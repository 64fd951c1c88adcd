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
    flow::{
        Flow,
        order::{AHEAD, DAMAGED, GIVE_UP, HELD_MAX, LOST, distance},
    },
    key::FlowKey,
    packet::TCP_ACK,
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
    /// Whose segment it is; protocol 0 where the place is free.
    pub key: FlowKey,
    /// When its flow was made.
    pub flow_start: u64,
    /// When the segment came, nanoseconds.
    pub time: u64,
    /// Its sequence number.
    pub sequence: u32,
    /// Bytes of its payload.
    pub length: u32,
    /// Its direction.
    pub direction: u32,
    /// Always zero.
    pub pad: u32,
    /// Its payload.
    pub data: [u8; HELD_BYTES],
}

impl Held {
    /// A free place.
    pub const EMPTY: Self = Self {
        key: FlowKey::EMPTY,
        flow_start: 0,
        time: 0,
        sequence: 0,
        length: 0,
        direction: 0,
        pad: 0,
        data: [0; HELD_BYTES],
    };

    #[inline(always)]
    fn is_of(&self, key: &FlowKey, flow_start: u64, direction: u32) -> bool {
        self.direction == direction && self.flow_start == flow_start && self.key == *key
    }
}

/// The place of a direction's segment of this number.
#[inline(always)]
fn place(key: &FlowKey, direction: u32, number: u32) -> u32 {
    let [a0, a1, a2, a3, ..] = key.addr_a;
    let [b0, b1, b2, b3, ..] = key.addr_b;
    let [pa0, pa1] = key.port_a;
    let [pb0, pb1] = key.port_b;
    let a = u32::from_ne_bytes([a0, a1, a2, a3]);
    let b = u32::from_ne_bytes([b0, b1, b2, b3]);
    let ports = u32::from_ne_bytes([pa0, pa1, pb0, pb1]);
    // As `flow::slot::hint`; of IPv6 the last bytes of an address tell hosts apart, but the ports do too.
    let mixed = (u64::from(a) << 32 | u64::from(b)).wrapping_mul(0x9e37_79b1_85eb_ca87)
        ^ u64::from(ports ^ direction).wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
    let group = (mixed >> 29) as u32 ^ (mixed >> 47) as u32;
    (group.wrapping_mul(HELD_MAX) + number) & (HELD_PLACES - 1)
}

/// Keeps the packet's payload for `flow_start`'s flow in the place of this number; 1, or 0 if it can't be kept.
#[inline(always)]
pub fn hold<H: Platform>(platform: &mut H, number: u32, flow_start: u64, now: u64) -> u32 {
    let frame = platform.frame();
    let packet = &platform.cpu().packet;
    let (offset, length) = (packet.offset, packet.payload_length);
    let (sequence, direction) = (packet.sequence, u32::from(packet.direction & 1));
    let key = packet.flow_key();
    if length > HELD_BYTES as u32 {
        return 0;
    }
    let Some(held) = platform.held(place(&key, direction, number)) else {
        return 0;
    };
    // SAFETY: an element of the table of places. Another CPU could keep a segment of another direction here at the same
    // moment: the owner is written last.
    let held = unsafe { &mut *held };
    if held.key.protocol != 0 && since(now, held.time) < FORGOTTEN {
        return 0;
    }
    let first = if length > COPY_MAX { COPY_MAX } else { length };
    if !frame.copy(offset, first, &mut held.data, 0) {
        return 0;
    }
    if length > COPY_MAX && !frame.copy(offset + COPY_MAX, length - COPY_MAX, &mut held.data, COPY_MAX)
    {
        return 0;
    }
    held.time = now;
    held.sequence = sequence;
    held.length = length;
    held.direction = direction;
    held.flow_start = flow_start;
    held.key = key;
    1
}

/// The segment kept for a direction with the least sequence number, counted from the one expected next.
struct Nearest {
    number: u32,
    place: u32,
    sequence: u32,
    length: u32,
    gap: i32,
}

/// Finds it; what another direction took the place of is let go.
#[inline(always)]
fn nearest<H: Platform>(
    platform: &mut H,
    flow: &mut Flow,
    direction: u32,
    key: &FlowKey,
) -> Option<Nearest> {
    let half = &mut flow.directions[(direction & 1) as usize];
    let next = half.stream.next_sequence;
    let mut found: Option<Nearest> = None;
    for number in 0..HELD_MAX {
        if half.order.held >> number & 1 == 0 {
            continue;
        }
        let place = place(key, direction, number);
        let Some(held) = platform.held(place) else {
            continue;
        };
        // SAFETY: as in `hold`.
        let held = unsafe { &*held };
        if !held.is_of(key, flow.start, direction) {
            // Kept by another interface's program, or forgotten.
            continue;
        }
        let gap = distance(held.sequence, next);
        if found.as_ref().is_none_or(|before| gap < before.gap) {
            found = Some(Nearest {
                number,
                place,
                sequence: held.sequence,
                length: held.length,
                gap,
            });
        }
    }
    found
}

/// Reads what was kept of the packet's flow in a direction, as far as nothing is missing before it, or as what is missing
/// is given up. The packet is used up.
#[inline(always)]
pub fn settle<H: Platform>(platform: &mut H, table: Table, direction: u32, now: u64) {
    for _ in 0..=HELD_MAX {
        let Some(entry) = platform.find(table) else {
            return;
        };
        // SAFETY: as in `track`.
        let flow = unsafe { &mut *entry };
        let key = platform.cpu().packet.flow_key();
        let nearest = nearest(platform, flow, direction, &key);
        let half = &mut flow.directions[(direction & 1) as usize];
        let next = half.stream.next_sequence;
        let order = &mut half.order;
        let ahead = distance(order.ahead, next);
        let known = order.is(AHEAD);
        let (sequence, length, gap) = match &nearest {
            Some(held) if !known || held.gap <= ahead => (held.sequence, held.length, held.gap),
            _ if known => (
                order.ahead,
                order.ahead_end.wrapping_sub(order.ahead),
                ahead,
            ),
            _ => {
                order.flags &= !GIVE_UP;
                order.since = 0;
                if order.held != 0 {
                    order.held = 0;
                    order.flags |= DAMAGED;
                    platform.cpu().counters.count(Counter::TcpHeldLost);
                }
                return;
            }
        };
        if gap > 0 && !order.is(GIVE_UP) {
            return;
        }
        let held = match &nearest {
            Some(held) if !known || held.gap <= ahead => Some(held),
            _ => None,
        };
        if held.is_none() {
            order.flags &= !AHEAD;
        }
        let end = sequence.wrapping_add(length);
        let new = distance(end, next) > 0;
        if new {
            if gap > 0 {
                order.lost = next;
                order.lost_end = sequence;
                order.flags |= LOST | DAMAGED;
                platform.cpu().counters.count(Counter::TcpGapLost);
            }
            order.unread = end;
            half.stream.next_sequence = end;
            let mut first_byte = 0;
            if let Some(one) = held
                && let Some(held) = platform.held(one.place)
            {
                // SAFETY: as in `hold`.
                [first_byte, ..] = unsafe { (*held).data };
            } else {
                flow.directions[(direction & 1) as usize].order.flags |= DAMAGED;
                platform.cpu().counters.count(Counter::TcpGapLost);
            }
            let packet = &mut platform.cpu().packet;
            packet.direction = direction as u8 & 1;
            packet.tcp_flags = TCP_ACK;
            packet.offset = 0;
            packet.sequence = sequence;
            packet.stream_delta = gap;
            packet.payload_length = length;
            packet.payload_captured = if held.is_some() { length } else { 0 };
            packet.first_byte = first_byte;
            platform.cpu().work.held = held.map_or(0, |one| one.place + 1);
            inspect(platform, flow, now);
            platform.cpu().work.held = 0;
        }
        if let Some(one) = held {
            platform.release(one.place);
            let order = &mut flow.directions[(direction & 1) as usize].order;
            order.held &= !(1 << (one.number & 7));
        }
    }
}

/// Frees a place and overwrites what it held with zeros.
#[inline(always)]
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
        (*held).key = FlowKey::EMPTY;
    }
}
