//! What happens to a packet, from the frame to the events: the one orchestration of both homes.

use crate::{
    ABI_VERSION,
    arp::Claim,
    bytes::Frame,
    contain::{self, End, Verdict},
    counter::Counter,
    cpu::Cpu,
    event::{self, EventHeader, EventKind, FlowReason},
    flow::{self, Edges, Flow, IDLE_MIN},
    half::since,
    key::Key4,
    packet::{Layer, MAX_TUNNELS, Outcome, TCP_FIN, TCP_RST, TCP_SYN, protocol},
    plain::Segment,
    reader::{self, STEPS, Step},
    rule::{Clearance, Containment, Rule, RuleRef},
    settings::Settings,
    stream::Protocol,
    tape,
};

/// Flows are kept in two tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// Flows seen in both directions, or of a clinical protocol. Nothing is ever evicted from it.
    Established,
    /// The others. The least recently used make room for new ones, so a flood of spoofed packets
    /// replaces only itself.
    Fresh,
}

/// Where the engine runs: the kernel, or memory of the daemon.
///
/// Some methods only lead back into this module or into the parsers. They are here so that the kernel can
/// make each a function that its verifier checks on its own.
pub trait Home: Sized {
    /// How the frame is read.
    type Frame: Frame + Copy;

    /// The frame.
    fn frame(&self) -> Self::Frame;

    /// Index of the interface that it came in by.
    fn interface(&self) -> u32;

    /// Parses the next layer of the frame into `cpu().packet`: [`Outcome::to_code`].
    fn parse_layer(&mut self) -> u32;

    /// [`read`]: leads the payload through its layer-7 reader.
    fn read(&mut self);

    /// One [`reader::step`] on the frame.
    fn step(&mut self) -> u32;

    /// [`flush`]: sends what is on the tape.
    fn flush(&mut self);

    /// [`send_flow`]: sends the packet's flow as it stands in `table`.
    fn send_flow(&mut self, table: Table, reason: FlowReason, now: u64);

    /// [`notice::tell`]: sends what the packet says of hosts.
    fn notice(&mut self, now: u64);

    /// One [`notice::step`] on the frame.
    fn notice_step(&mut self) -> u32;

    /// The claim of `cpu().notice.arp`, good as [`Home::find`]'s.
    fn claim(&mut self) -> Option<*mut Claim>;

    /// Keeps a new claim of `cpu().notice.arp`; the one that was quiet longest makes room.
    fn keep_claim(&mut self, claim: &Claim);

    /// [`contain::decide`], as a number.
    fn decide(&mut self, length: u32) -> u32 {
        contain::decide(self, length) as u32
    }

    /// [`contain::is_protected`] of an end, by its number.
    fn is_protected(&mut self, end: u32) -> bool {
        contain::is_protected(self, End::of(end))
    }

    /// [`contain::step`], as a number.
    fn rule_step(&mut self, number: u32, length: u32) -> u32 {
        contain::step(self, number, length) as u32
    }

    /// This CPU's counters and scratch memory.
    fn cpu(&mut self) -> &mut Cpu;

    /// Nanoseconds of the engine's clock.
    fn now(&mut self) -> u64;

    /// The settings in force.
    fn settings(&mut self) -> Settings;

    /// The entry of the packet's key. The pointer stays valid until the packet is processed, or until
    /// [`Home::remove`] of the same key.
    fn find(&mut self, table: Table) -> Option<*mut Flow>;

    /// The established IPv4 flow of `key`, good as [`Home::find`]'s. It need not be found where that costs more than a look.
    fn find_fast(&mut self, key: &Key4) -> Option<*mut Flow>;

    /// Adds an entry for the packet's key, a copy of `value` or, without one, of `cpu().fresh`; false
    /// if the table is full or has the key already.
    fn insert(&mut self, table: Table, value: Option<*mut Flow>) -> bool;

    /// Removes the entry of the packet's key.
    fn remove(&mut self, table: Table);

    /// Sends a flow event; false if it was lost.
    fn emit_flow(&mut self, header: EventHeader, flow: *const Flow) -> bool;

    /// Sends `cpu().chunk` with `tape_len` bytes of tape; false if it was lost.
    fn emit_chunk(&mut self, tape_len: u32) -> bool;

    /// What is to be known of all rules; `None` where the home is not in the path, which is what the
    /// following methods stand for too unless they are given.
    fn containment(&mut self) -> Option<Containment> {
        None
    }

    /// True if `cpu().keys.host` is in the never-block list.
    fn is_protected_host(&mut self) -> bool {
        false
    }

    /// True if `cpu().keys.net` is in a subnet of the never-block list.
    fn is_protected_net(&mut self) -> bool {
        false
    }

    /// The rule of `cpu().keys.host`.
    fn rule_of_host(&mut self) -> Option<RuleRef> {
        None
    }

    /// The rule of `cpu().keys.pair`.
    fn rule_of_pair(&mut self) -> Option<RuleRef> {
        None
    }

    /// The rule of the narrowest subnet around `cpu().keys.net`.
    fn rule_of_net(&mut self) -> Option<RuleRef> {
        None
    }

    /// The rule in a slot.
    fn rule(&mut self, _slot: u32) -> Option<Rule> {
        None
    }

    /// True if `cpu().keys.clinical` is a peer that the rule spares.
    fn is_clinical(&mut self) -> bool {
        false
    }

    /// Counts a packet of `length` bytes at `now` that a rule dropped, or would have.
    fn hit(&mut self, _slot: u32, _length: u32, _now: u64, _dropped: bool) {}
}

/// Processes the frame, which begins with `layer`: what is to become of it.
#[inline(always)]
pub fn process<H: Home>(home: &mut H, layer: Layer) -> Verdict {
    let now = home.now();
    let frame = home.frame();
    let counters = &mut home.cpu().counters;
    counters.count(Counter::Packets);
    counters.add(Counter::Bytes, u64::from(frame.len()));
    if matches!(layer, Layer::Ethernet)
        && let Some(segment) = Segment::of(frame)
    {
        let counters = &mut home.cpu().counters;
        counters.count(Counter::Ipv4);
        counters.count(Counter::Tcp);
        if follow(home, &segment, now) {
            home.cpu().counters.count(Counter::InFlow);
            return Verdict::Pass;
        }
        segment.become_packet(&mut home.cpu().packet);
    } else {
        home.cpu().packet.begin(layer);
        let mut outcome = Outcome::Tunnel.to_code();
        for _ in 0..=MAX_TUNNELS {
            outcome = home.parse_layer();
            if outcome != Outcome::Tunnel.to_code() {
                break;
            }
        }
        if home.cpu().packet.vlan_depth != 0 {
            home.cpu().counters.count(Counter::Vlan);
        }
        if outcome != Outcome::Flow.to_code() {
            home.cpu().packet.interface = home.interface();
            return dispose(home, outcome, now);
        }
        classify(home.cpu());
    }
    home.cpu().packet.interface = home.interface();
    let found = look_up(home);
    let Ok(clearance) = contain::ask(home, found.map(|(_, entry)| entry)) else {
        home.cpu().counters.count(Counter::Contained);
        return Verdict::Drop;
    };
    track(home, found, clearance, now);
    Verdict::Pass
}

/// Takes a plain segment into its flow if no rule means it and nothing follows from it; otherwise does nothing, and says
/// false.
#[inline(always)]
fn follow<H: Home>(home: &mut H, segment: &Segment<H::Frame>, now: u64) -> bool {
    if segment.flags() & (TCP_SYN | TCP_FIN | TCP_RST) != 0 {
        return false;
    }
    let Some(entry) = home.find_fast(&segment.key) else {
        return false;
    };
    // SAFETY: as in `track`.
    let flow = unsafe { &mut *entry };
    contain::is_clear(home, flow, segment) && flow.follow(segment, now)
}

/// Counts a packet that has no flow key, by its `outcome`, if the rules let it pass.
#[inline(always)]
fn dispose<H: Home>(home: &mut H, outcome: u32, now: u64) -> Verdict {
    if contain::ask(home, None).is_err() {
        home.cpu().counters.count(Counter::Contained);
        return Verdict::Drop;
    }
    if outcome == Outcome::Done(Counter::Arp).to_code() {
        home.notice(now);
    }
    let first = Outcome::Done(Counter::Packets).to_code();
    for counter in Counter::DISPOSITIONS {
        if outcome == first + *counter as u32 {
            home.cpu().counters.count(*counter);
        }
    }
    Verdict::Pass
}

/// Counts what the packet carried.
#[inline(always)]
fn classify(cpu: &mut Cpu) {
    let (packet, counters) = (&cpu.packet, &mut cpu.counters);
    counters.count(if packet.family == 4 {
        Counter::Ipv4
    } else {
        Counter::Ipv6
    });
    counters.count(match packet.protocol {
        _ if packet.is_later_fragment() => Counter::Fragment,
        protocol::TCP => Counter::Tcp,
        protocol::UDP => Counter::Udp,
        protocol::ICMP | protocol::ICMP6 => Counter::Icmp,
        _ => Counter::OtherTransport,
    });
    if packet.is_snapped() {
        counters.count(Counter::Snapped);
    }
    if packet.tunnels != 0 {
        if packet.tunnels & crate::packet::Tunnel::Gre as u8 != 0 {
            counters.count(Counter::TunnelGre);
        }
        if packet.tunnels & crate::packet::Tunnel::Erspan as u8 != 0 {
            counters.count(Counter::TunnelErspan);
        }
        if packet.tunnels & crate::packet::Tunnel::Vxlan as u8 != 0 {
            counters.count(Counter::TunnelVxlan);
        }
    }
}

/// A flow entry and the table that it is in.
type Found = (Table, *mut Flow);

/// Takes the packet into its flow, the entry that was `found` or a new one, and sends what follows from
/// it.
#[inline(always)]
fn track<H: Home>(home: &mut H, found: Option<Found>, clearance: Option<Clearance>, now: u64) {
    let Some((table, entry)) = entry(home, found, now) else {
        home.cpu().counters.count(Counter::FlowTableFull);
        return;
    };
    // SAFETY: `find` gave the pointer for this packet's key, and the entry is not removed below before
    // its last use. Another CPU may write the other direction's half meanwhile: see `flow`.
    let flow = unsafe { &mut *entry };
    if let Some(clearance) = clearance {
        flow.clear(home.cpu().packet.direction, clearance);
    }
    let edges = flow.update(&mut home.cpu().packet, now);
    if edges.has(Edges::DUPLICATE) {
        home.cpu().counters.count(Counter::Duplicate);
        return;
    }
    home.cpu().counters.count(Counter::InFlow);
    if edges.is_empty() && table == Table::Established {
        return;
    }
    if edges.has(Edges::GAP) {
        home.cpu().counters.count(Counter::TcpGap);
    }
    if edges.has(Edges::INSPECT) {
        inspect(home, flow, now);
    }
    if edges.has(Edges::NOTICE) {
        home.notice(now);
    }
    if edges.has(Edges::SNAPSHOT | Edges::CLOSED) {
        let reason = if edges.has(Edges::CLOSED) {
            FlowReason::Closed
        } else {
            FlowReason::Snapshot
        };
        home.send_flow(table, reason, now);
    }
    if table == Table::Fresh {
        let clinical =
            flow.protocol == Protocol::Dicom as u8 || flow.protocol == Protocol::Hl7 as u8;
        if clinical || edges.has(Edges::ESTABLISHED) {
            establish(home, flow, clinical);
        }
    }
}

/// The packet's flow entry, if there is one.
#[inline(always)]
fn look_up<H: Home>(home: &mut H) -> Option<Found> {
    if let Some(entry) = home.find(Table::Established) {
        return Some((Table::Established, entry));
    }
    home.find(Table::Fresh).map(|entry| (Table::Fresh, entry))
}

/// The packet's flow entry, made where there is none or where the one that was found is over.
#[inline(always)]
fn entry<H: Home>(home: &mut H, found: Option<Found>, now: u64) -> Option<Found> {
    if let Some((table, entry)) = found {
        // SAFETY: as in `track`.
        let flow = unsafe { &*entry };
        let reopened = flow.is_reopened_by(&home.cpu().packet);
        if !reopened && since(now, flow.last()) <= IDLE_MIN {
            return Some((table, entry));
        }
        let tcp = home.cpu().packet.is_tcp();
        if !reopened && !flow.is_idle(tcp, now, &home.settings()) {
            return Some((table, entry));
        }
        home.cpu().counters.count(Counter::FlowReplaced);
        home.send_flow(table, FlowReason::Ended, now);
        home.remove(table);
    }
    let cpu = home.cpu();
    cpu.fresh.open(&cpu.packet, now);
    if home.insert(Table::Fresh, None) {
        home.cpu().counters.count(Counter::FlowCreated);
    }
    // Another CPU may have been first.
    home.find(Table::Fresh).map(|entry| (Table::Fresh, entry))
}

/// Moves a flow to the table from which nothing is evicted.
#[inline(always)]
fn establish<H: Home>(home: &mut H, flow: &mut Flow, clinical: bool) {
    let full = !clinical && home.settings().pressure != 0;
    flow.flags |= flow::ESTABLISHED;
    if !full && home.insert(Table::Established, Some(flow)) {
        home.cpu().counters.count(Counter::FlowEstablished);
        home.remove(Table::Fresh);
    } else {
        flow.flags &= !flow::ESTABLISHED;
        home.cpu().counters.count(Counter::EstablishRefused);
    }
}

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

/// Gives the payload to [`Home::read`] with its direction's stream, and takes the stream back.
#[inline(always)]
fn inspect<H: Home>(home: &mut H, flow: &mut Flow, now: u64) {
    let cpu = home.cpu();
    let b_sends = cpu.packet.direction & 1 == 1;
    let half = &flow.directions[usize::from(b_sends)];
    half.stream.copy_to(&mut cpu.work.stream);
    cpu.work.protocol = flow.protocol;
    cpu.chunk.header.header.time = now;
    cpu.chunk.header.flow_start = flow.start;
    cpu.chunk.header.flags = flow.flags & (event::INITIATOR_B | event::MIDSTREAM);
    home.read();
    let cpu = home.cpu();
    if flow.protocol == Protocol::None as u8 {
        flow.protocol = cpu.work.protocol;
    }
    let half = &mut flow.directions[usize::from(b_sends)];
    cpu.work.stream.copy_to(&mut half.stream);
}

/// Leads the payload through its layer-7 reader, and sends what the reader put on the tape.
#[inline(always)]
pub fn read<H: Home>(home: &mut H) {
    let cpu = home.cpu();
    reader::begin(cpu);
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
    reader::finish(home.cpu());
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
