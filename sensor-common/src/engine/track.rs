//! A packet's flow: found or made, updated, and moved to the table of established flows.

use super::platform::{Platform, Table};
use crate::{
    counter::{Counter, Counters},
    event::{self, FlowReason},
    flow::{self, Edges, Flow, IDLE_MIN, Rank, order::DAMAGED},
    layer7::{Asked, Protocol},
    packet::{Sum, TCP_FIN, TCP_RST, TCP_SYN},
    rule::Clearance,
    time::since,
};

/// A flow entry and the table that it is in.
pub(super) type Found = (Table, *mut Flow);

/// Takes the packet into its flow, the entry that was `found` or a new one, and sends what follows from
/// it.
#[inline(always)]
pub(super) fn track<H: Platform>(
    platform: &mut H,
    found: Option<Found>,
    clearance: Option<Clearance>,
    now: u64,
) {
    let cpu = platform.cpu();
    cpu.packet.sum = Sum::Unknown as u8;
    let examined = cpu.packet.has_flags(TCP_SYN | TCP_FIN | TCP_RST) || cpu.packet.topic() != 0;
    if examined {
        platform.examine();
    }
    let Some((table, entry)) = entry(platform, found, now) else {
        platform.cpu().counters.count(Counter::FlowTableFull);
        return;
    };
    // SAFETY: `find` gave the pointer for this packet's key, and the entry is not removed below before
    // its last use. Another CPU may write the other direction's half meanwhile: see `flow`.
    let flow = unsafe { &mut *entry };
    if let Some(clearance) = clearance {
        flow.clear(platform.cpu().packet.direction, clearance);
    }
    let packet = &mut platform.cpu().packet;
    let edges = if packet.is_tcp() && (examined || flow.is_special(packet)) {
        Edges::of_code(platform.take_special(table, examined, now))
    } else {
        flow.update(packet, now)
    };
    if edges.has(Edges::DUPLICATE | Edges::BAD_CHECKSUM) {
        platform
            .cpu()
            .counters
            .count(if edges.has(Edges::DUPLICATE) {
                Counter::Duplicate
            } else {
                Counter::BadChecksum
            });
        return;
    }
    platform.cpu().counters.count(Counter::InFlow);
    if edges.is_empty() && table == Table::Established {
        return;
    }
    if edges.has(Edges::ODD) {
        count_odd(&mut platform.cpu().counters, edges);
    }
    let direction = platform.cpu().packet.direction & 1;
    if edges.has(Edges::INSPECT) {
        platform.inspect(table, now);
    }
    if edges.has(Edges::NOTICE) {
        platform.notice(now);
    }
    if edges.has(Edges::HOLD) && platform.hold(table, now) == 0 {
        platform.settle(table, u32::from(direction), now);
        platform.skip(table, now);
    }
    if edges.has(Edges::SETTLE | Edges::HOLD) {
        platform.settle(table, u32::from(direction), now);
    }
    if edges.has(Edges::SETTLE_OTHER) {
        platform.settle(table, u32::from(direction ^ 1), now);
    }
    if edges.has(Edges::SNAPSHOT | Edges::CLOSED) {
        let reason = if edges.has(Edges::CLOSED) {
            FlowReason::Closed
        } else {
            FlowReason::Snapshot
        };
        platform.send_flow(table, reason, now);
    }
    if table == Table::Fresh {
        let clinical = Protocol::is_clinical_index(flow.protocol);
        if clinical || edges.has(Edges::ESTABLISHED) {
            establish(platform, flow, clinical, now);
        }
    }
}

/// The packet's flow entry, if there is one.
#[inline(always)]
pub(super) fn look_up<H: Platform>(platform: &mut H) -> Option<Found> {
    if let Some(entry) = platform.find(Table::Established) {
        return Some((Table::Established, entry));
    }
    platform
        .find(Table::Fresh)
        .map(|entry| (Table::Fresh, entry))
}

/// The packet's flow entry, made where there is none or where the one that was found is over.
#[inline(always)]
fn entry<H: Platform>(platform: &mut H, found: Option<Found>, now: u64) -> Option<Found> {
    if let Some((table, entry)) = found {
        // SAFETY: as in `track`.
        let flow = unsafe { &*entry };
        let reopened = flow.is_reopened_by(&platform.cpu().packet);
        if !reopened && since(now, flow.last()) <= IDLE_MIN {
            return Some((table, entry));
        }
        let tcp = platform.cpu().packet.is_tcp();
        if !reopened && !flow.is_idle(tcp, now, &platform.settings()) {
            return Some((table, entry));
        }
        platform.cpu().counters.count(Counter::FlowReplaced);
        platform.send_flow(table, FlowReason::Ended, now);
        platform.remove(table);
    }
    let packet = &platform.cpu().packet;
    let (source, destination) = (packet.source_port(), packet.destination_port());
    let services = platform.services(source, destination);
    let cpu = platform.cpu();
    cpu.new_flow.open(&cpu.packet, services, now);
    if platform.insert(Table::Fresh, None) {
        platform.cpu().counters.count(Counter::FlowCreated);
    }
    // Another CPU may have been first.
    platform
        .find(Table::Fresh)
        .map(|entry| (Table::Fresh, entry))
}

/// Moves a flow to the table from which nothing is evicted. Flows of a clinical protocol that are not established
/// otherwise may be forged by one packet each, so only some of them a second enter; the others stay where new flows are,
/// and each further packet tries again.
#[inline(always)]
fn establish<H: Platform>(platform: &mut H, flow: &mut Flow, clinical: bool, now: u64) {
    let settings = platform.settings();
    let full = if flow.is_proven() {
        !clinical && settings.pressure != 0
    } else {
        !platform.cpu().unproven.take(now, settings.unproven)
    };
    flow.flags |= flow::ESTABLISHED;
    if !full && platform.insert(Table::Established, Some(flow)) {
        platform.cpu().counters.count(Counter::FlowEstablished);
        platform.remove(Table::Fresh);
    } else {
        flow.flags &= !flow::ESTABLISHED;
        platform.cpu().counters.count(Counter::EstablishRefused);
    }
}

/// Takes a special TCP segment into its flow in `table`: what follows. It is examined first, unless it was.
#[inline(always)]
pub fn take_special<H: Platform>(
    platform: &mut H,
    table: Table,
    examined: bool,
    now: u64,
) -> Edges {
    if !examined {
        platform.examine();
    }
    let Some(entry) = platform.find(table) else {
        return Edges::default();
    };
    // SAFETY: as in `track`.
    let admitted = unsafe { (*entry).admit(&platform.cpu().packet, now) };
    if !admitted.is_empty() {
        return admitted;
    }
    let edges = platform.take_segment(table, now);
    // SAFETY: as in `track`.
    unsafe { (*entry).conclude(&platform.cpu().packet, edges) }
}

/// What the segment says of the connection.
#[inline(always)]
pub fn take_segment<H: Platform>(platform: &mut H, table: Table, now: u64) -> u32 {
    let Some(entry) = platform.find(table) else {
        return 0;
    };
    // SAFETY: as in `track`.
    unsafe { (*entry).segment(&mut platform.cpu().packet, now) }
}

/// Gives the payload of the packet's flow in `table` to its reader.
#[inline(always)]
pub fn inspect_packet<H: Platform>(platform: &mut H, table: Table, now: u64) {
    if let Some(entry) = platform.find(table) {
        // SAFETY: as in `track`.
        inspect(platform, unsafe { &mut *entry }, now);
    }
}

/// Counts what was odd about a segment.
#[inline(always)]
fn count_odd(counters: &mut Counters, edges: Edges) {
    for (edge, counter) in [
        (Edges::GAP, Counter::TcpGap),
        (Edges::JUMP, Counter::TcpJump),
        (Edges::LATE, Counter::TcpLate),
        (Edges::BAD_FLAGS, Counter::TcpBadFlags),
        (Edges::OUT_OF_WINDOW, Counter::TcpOutOfWindow),
        (Edges::RESET_IGNORED, Counter::TcpResetIgnored),
        (Edges::SYN_IGNORED, Counter::TcpSynIgnored),
        (Edges::URGENT, Counter::TcpUrgent),
    ] {
        if edges.has(edge) {
            counters.count(counter);
        }
    }
}

/// Gives the payload to [`Platform::read`] with its direction's stream, and takes the stream back.
#[inline(always)]
pub(super) fn inspect<H: Platform>(platform: &mut H, flow: &mut Flow, now: u64) {
    let cpu = platform.cpu();
    let b_sends = cpu.packet.direction & 1 == 1;
    let half = &flow.directions[usize::from(b_sends)];
    half.stream.copy_to(&mut cpu.work.stream);
    cpu.work.protocol = flow.protocol;
    cpu.chunk.header.header.time = now;
    cpu.chunk.header.flow_start = flow.start;
    cpu.chunk.header.mac_a = flow.mac_a;
    cpu.chunk.header.mac_b = flow.mac_b;
    let order = &flow.directions[usize::from(b_sends)].order;
    let damaged = order.is(DAMAGED);
    cpu.chunk.header.flags = flow.flags & event::OF_FLOW | if damaged { event::DAMAGED } else { 0 };
    cpu.work.asked = if flow.role < Rank::Content as u8 {
        Asked::Open
    } else {
        Asked::Decided
    } as u8;
    let chunks = cpu.work.stream.chunk_number;
    platform.read();
    let cpu = platform.cpu();
    if flow.protocol == Protocol::None as u8 {
        flow.protocol = cpu.work.protocol;
    }
    match cpu.work.asked {
        s if s == Asked::Sender as u8 => flow.opened_by(b_sends, Rank::Content),
        s if s == Asked::Receiver as u8 => flow.opened_by(!b_sends, Rank::Content),
        _ => {}
    }
    let cpu = platform.cpu();
    if damaged && cpu.work.stream.chunk_number != chunks {
        // A chunk told of it.
        flow.directions[usize::from(b_sends)].order.flags &= !DAMAGED;
    }
    let half = &mut flow.directions[usize::from(b_sends)];
    cpu.work.stream.copy_to(&mut half.stream);
    // At a direction's start, padding that a length took for data does not hide what comes in its place, though the other
    // direction has told the protocol.
    let starts = half.order.unread == half.order.isn.wrapping_add(1);
    if !half.stream.is_probing() || (flow.protocol != Protocol::None as u8 && !starts) {
        half.order.unread = half.stream.next_sequence;
    }
}
