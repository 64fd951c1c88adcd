//! A packet's flow: found or made, updated, and moved to the table of established flows.

use super::platform::{Platform, Table};
use crate::{
    counter::Counter,
    event::{self, FlowReason},
    flow::{self, Edges, Flow, IDLE_MIN},
    layer7::Protocol,
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
    let edges = flow.update(&mut platform.cpu().packet, now);
    if edges.has(Edges::DUPLICATE) {
        platform.cpu().counters.count(Counter::Duplicate);
        return;
    }
    platform.cpu().counters.count(Counter::InFlow);
    if edges.is_empty() && table == Table::Established {
        return;
    }
    if edges.has(Edges::GAP) {
        platform.cpu().counters.count(Counter::TcpGap);
    }
    if edges.has(Edges::INSPECT) {
        inspect(platform, flow, now);
    }
    if edges.has(Edges::NOTICE) {
        platform.notice(now);
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
            establish(platform, flow, clinical);
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
    let cpu = platform.cpu();
    cpu.new_flow.open(&cpu.packet, now);
    if platform.insert(Table::Fresh, None) {
        platform.cpu().counters.count(Counter::FlowCreated);
    }
    // Another CPU may have been first.
    platform
        .find(Table::Fresh)
        .map(|entry| (Table::Fresh, entry))
}

/// Moves a flow to the table from which nothing is evicted.
#[inline(always)]
fn establish<H: Platform>(platform: &mut H, flow: &mut Flow, clinical: bool) {
    let full = !clinical && platform.settings().pressure != 0;
    flow.flags |= flow::ESTABLISHED;
    if !full && platform.insert(Table::Established, Some(flow)) {
        platform.cpu().counters.count(Counter::FlowEstablished);
        platform.remove(Table::Fresh);
    } else {
        flow.flags &= !flow::ESTABLISHED;
        platform.cpu().counters.count(Counter::EstablishRefused);
    }
}

/// Gives the payload to [`Platform::read`] with its direction's stream, and takes the stream back.
#[inline(always)]
fn inspect<H: Platform>(platform: &mut H, flow: &mut Flow, now: u64) {
    let cpu = platform.cpu();
    let b_sends = cpu.packet.direction & 1 == 1;
    let half = &flow.directions[usize::from(b_sends)];
    half.stream.copy_to(&mut cpu.work.stream);
    cpu.work.protocol = flow.protocol;
    cpu.chunk.header.header.time = now;
    cpu.chunk.header.flow_start = flow.start;
    cpu.chunk.header.mac_a = flow.mac_a;
    cpu.chunk.header.mac_b = flow.mac_b;
    cpu.chunk.header.flags = flow.flags & (event::INITIATOR_B | event::MIDSTREAM);
    platform.read();
    let cpu = platform.cpu();
    if flow.protocol == Protocol::None as u8 {
        flow.protocol = cpu.work.protocol;
    }
    let half = &mut flow.directions[usize::from(b_sends)];
    cpu.work.stream.copy_to(&mut half.stream);
}
