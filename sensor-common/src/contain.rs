//! Whether a packet is let through: the never-block list first, then the rules, the narrowest first.
//!
//! A packet from or to a protected address passes, whatever the rules say. Otherwise the first rule that
//! is enabled, has not ended and does not spare the packet drops it; dry runs count and the search goes
//! on. What is not known of a packet matches nothing: without ports (a later fragment) no service and no
//! flow, without an IP header no address. Anything unforeseen passes.

use crate::{
    bytes::Frame,
    cpu::Cpu,
    engine::Home,
    flow::Flow,
    key::FlowKey,
    packet::{Packet, Reach, protocol},
    plain::Segment,
    rule::{
        Clearance, ClinicalKey, Containment, HostKey, KIND_MAC, NetKey, RuleRef, RuleScope,
        RuleState, tables,
    },
};

/// What is to become of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on.
    Pass,
    /// A rule drops it.
    Drop,
}

/// What the rules say of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Answer {
    /// No rule means it; that holds for the flow until the rules change.
    Clear = 0,
    /// It passes, and the next one has to be looked up again: a dry run counts it, or the rule's
    /// daemon is gone.
    Watch = 1,
    /// Drop it.
    Drop = 2,
}

/// Keys of the look-ups; in memory of the CPU, since a program's stack is small.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Keys {
    /// Of a host or service.
    pub host: HostKey,
    /// Of a subnet.
    pub net: NetKey,
    /// Of a pair or flow.
    pub pair: FlowKey,
    /// Of a clinical peer.
    pub clinical: ClinicalKey,
    /// The rule that was found last for the packet: one that both ends lead to counts once.
    pub last: RuleRef,
}

impl Keys {
    /// All zero.
    pub const EMPTY: Self = Self {
        host: HostKey {
            address: [0; 16],
            port: [0; 2],
            protocol: 0,
            kind: 0,
        },
        net: NetKey {
            family: 0,
            address: [0; 16],
            pad: [0; 3],
        },
        pair: FlowKey::EMPTY,
        clinical: ClinicalKey {
            rule: 0,
            peer: [0; 16],
            port: [0; 2],
            protocol: 0,
            family: 0,
            serves: 0,
            pad: [0; 3],
        },
        last: RuleRef { slot: 0, check: 0 },
    };
}

/// Asks whether the packet, of the flow `found` where there is one, may pass. `Err`: drop it. Otherwise
/// the clearance that its flow should keep, if any.
#[inline(always)]
pub(crate) fn ask<H: Home>(
    home: &mut H,
    found: Option<*mut Flow>,
) -> Result<Option<Clearance>, ()> {
    let Some(generation) = generation(home) else {
        return Ok(None);
    };
    let packet = &home.cpu().packet;
    let clearance = packet.macs.clearance(generation);
    if let Some(flow) = found {
        // SAFETY: `Home::find` gave the pointer for this packet's key, and nothing was removed since.
        let flow = unsafe { &*flow };
        if *flow.clearance(packet.direction) == clearance {
            return Ok(None);
        }
    }
    let length = home.frame().len();
    match home.decide(length) {
        answer if answer == Answer::Drop as u32 => Err(()),
        answer if answer == Answer::Clear as u32 => Ok(Some(clearance)),
        _ => Ok(None),
    }
}

/// True if a segment of `flow` passes, as far as the flow knows.
#[inline(always)]
pub(crate) fn is_clear<H: Home>(home: &mut H, flow: &Flow, segment: &Segment<H::Frame>) -> bool {
    generation(home).is_none_or(|generation| {
        *flow.clearance(u8::from(segment.b_sends)) == segment.macs().clearance(generation)
    })
}

/// Which rules are in force; `None` if there is none.
#[inline(always)]
fn generation<H: Home>(home: &mut H) -> Option<u32> {
    let containment = home.containment()?;
    (containment.tables & tables::RULES != 0).then_some(containment.generation)
}

/// One end of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Who sends it.
    Source,
    /// Who receives it.
    Destination,
}

impl End {
    /// The end that an even or odd number stands for.
    #[inline(always)]
    #[must_use]
    pub const fn of(number: u32) -> Self {
        if number & 1 == 0 {
            Self::Source
        } else {
            Self::Destination
        }
    }
}

/// The look-ups, the narrowest first. Each packet has at most this many.
const STEPS: u32 = 12;

/// Looks the packet up in the never-block list and in the rules: an [`Answer`].
#[inline(always)]
pub fn decide<H: Home>(home: &mut H, length: u32) -> Answer {
    if home.is_protected(0) || home.is_protected(1) {
        return Answer::Clear;
    }
    // No rule has the id 0.
    home.cpu().keys.last = RuleRef { slot: 0, check: 0 };
    let mut answer = Answer::Clear;
    for number in 0..STEPS {
        match home.rule_step(number, length) {
            step if step == Answer::Drop as u32 => return Answer::Drop,
            step if step == Answer::Watch as u32 => answer = Answer::Watch,
            _ => {}
        }
    }
    answer
}

/// True if the never-block list has the packet's address at `end`.
#[inline(always)]
pub fn is_protected<H: Home>(home: &mut H, end: End) -> bool {
    let Some(containment) = home.containment() else {
        return false;
    };
    let there = containment.tables;
    let reach = home.cpu().packet.reach;
    if there & tables::PROTECTED_MACS != 0 && reach >= Reach::Macs as u8 {
        mac_key(home.cpu(), end);
        if home.is_protected_host() {
            return true;
        }
    }
    if reach < Reach::Addresses as u8 {
        return false;
    }
    if there & tables::PROTECTED_HOSTS != 0 {
        host_key(home.cpu(), end, false);
        if home.is_protected_host() {
            return true;
        }
    }
    if there & tables::PROTECTED_NETS != 0 {
        net_key(home.cpu(), end);
        return home.is_protected_net();
    }
    false
}

/// What the rule that a look-up finds says of the packet: an [`Answer`].
#[inline(always)]
pub fn step<H: Home>(home: &mut H, number: u32, length: u32) -> Answer {
    let Some(containment) = home.containment() else {
        return Answer::Clear;
    };
    let there = containment.tables;
    let Some(found) = look_up(home, there, number) else {
        return Answer::Clear;
    };
    let last = &mut home.cpu().keys.last;
    if last.slot == found.slot && last.check == found.check {
        return Answer::Clear;
    }
    *last = found;
    judge(home, &containment, found, length)
}

#[inline(always)]
fn look_up<H: Home>(home: &mut H, there: u32, step: u32) -> Option<RuleRef> {
    let (table, needs) = match step {
        0 => (tables::FLOWS, Reach::Key),
        1 | 2 => (tables::PAIR_SERVICES, Reach::Key),
        3 => (tables::PAIRS, Reach::Addresses),
        4 | 5 => (tables::SERVICES, Reach::Key),
        6 | 7 => (tables::DEVICES, Reach::Addresses),
        8 | 9 => (tables::MACS, Reach::Macs),
        _ => (tables::NETS, Reach::Addresses),
    };
    if there & table == 0 || home.cpu().packet.reach < needs as u8 {
        return None;
    }
    let end = End::of(step);
    match step {
        0 => {
            let cpu = home.cpu();
            cpu.keys.pair = cpu.packet.flow_key();
            home.rule_of_pair()
        }
        1 | 2 => {
            pair_key(home.cpu(), Some(end));
            home.rule_of_pair()
        }
        3 => {
            pair_key(home.cpu(), None);
            home.rule_of_pair()
        }
        4 | 5 => {
            host_key(home.cpu(), end, true);
            home.rule_of_host()
        }
        6 | 7 => {
            host_key(home.cpu(), end, false);
            home.rule_of_host()
        }
        8 | 9 => {
            mac_key(home.cpu(), end);
            home.rule_of_host()
        }
        _ => {
            net_key(home.cpu(), end);
            home.rule_of_net()
        }
    }
}

/// What a rule says of the packet. Counts its hit.
#[inline(always)]
fn judge<H: Home>(home: &mut H, containment: &Containment, found: RuleRef, length: u32) -> Answer {
    let Some(rule) = home.rule(found.slot) else {
        return Answer::Clear;
    };
    let off = rule.state != RuleState::Enabled as u32 && rule.state != RuleState::DryRun as u32;
    if off || rule.id as u32 != found.check {
        return Answer::Clear;
    }
    let now = home.now();
    if now >= rule.expires {
        return Answer::Clear;
    }
    if rule.scope == RuleScope::KeepClinical as u32 && is_spared(home, rule.id) {
        return Answer::Clear;
    }
    if rule.state == RuleState::DryRun as u32 {
        home.hit(found.slot, length, now, false);
        return Answer::Watch;
    }
    if rule.sticky == 0 && now.saturating_sub(containment.heartbeat) > containment.patience {
        return Answer::Watch;
    }
    home.hit(found.slot, length, now, true);
    Answer::Drop
}

/// True for what a device lives by, and for its learnt clinical traffic. The device is the end whose
/// address led to the rule; a packet of a learnt peer passes whichever end that is.
#[inline(always)]
fn is_spared<H: Home>(home: &mut H, rule: u64) -> bool {
    let packet = &home.cpu().packet;
    if packet.reach < Reach::Key as u8 {
        return packet.is_arp();
    }
    if is_vital(
        packet.protocol,
        packet.source_port(),
        packet.destination_port(),
    ) {
        return true;
    }
    // The peer is either end; the service is at either end.
    for turn in 0..4 {
        clinical_key(home.cpu(), rule, End::of(turn), turn & 2 != 0);
        if home.is_clinical() {
            return true;
        }
    }
    false
}

/// Neighbour discovery (RFC 4861; the source port is the ICMP type) and DHCP (RFC 2131, RFC 8415): without
/// them an address is of no use.
#[inline(always)]
#[must_use]
pub const fn is_vital(ip_protocol: u8, source: u16, destination: u16) -> bool {
    match ip_protocol {
        protocol::ICMP6 => matches!(source, 133..=137),
        protocol::UDP => {
            (source == 68 && destination == 67)
                || (source == 67 && (destination == 68 || destination == 67))
                || (source == 546 && destination == 547)
                || (source == 547 && (destination == 546 || destination == 547))
        }
        _ => false,
    }
}

/// The packet's address at `end`, in 16 bytes.
#[inline(always)]
fn address(packet: &Packet, end: End) -> [u8; 16] {
    let b = (packet.direction & 1 == 1) == (end == End::Source);
    if packet.family == 4 {
        let address = if b {
            packet.key4.addr_b
        } else {
            packet.key4.addr_a
        };
        // As a number, so that it is stored by words.
        u128::from(u32::from_le_bytes(address)).to_le_bytes()
    } else if b {
        packet.key6.addr_b
    } else {
        packet.key6.addr_a
    }
}

#[inline(always)]
const fn port(packet: &Packet, end: End) -> [u8; 2] {
    if matches!(end, End::Source) {
        packet.source_port().to_be_bytes()
    } else {
        packet.destination_port().to_be_bytes()
    }
}

#[inline(always)]
fn host_key(cpu: &mut Cpu, end: End, service: bool) {
    let (packet, key) = (&cpu.packet, &mut cpu.keys.host);
    key.address = address(packet, end);
    key.kind = packet.family;
    if service {
        key.port = port(packet, end);
        key.protocol = packet.protocol;
    } else {
        key.port = [0; 2];
        key.protocol = 0;
    }
}

#[inline(always)]
fn mac_key(cpu: &mut Cpu, end: End) {
    let [m0, m1, m2, m3, m4, m5] = if end == End::Source {
        cpu.packet.macs.source()
    } else {
        cpu.packet.macs.destination()
    };
    cpu.keys.host = HostKey {
        address: [m0, m1, m2, m3, m4, m5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        port: [0; 2],
        protocol: 0,
        kind: KIND_MAC,
    };
}

#[inline(always)]
fn net_key(cpu: &mut Cpu, end: End) {
    cpu.keys.net = NetKey {
        family: cpu.packet.family,
        address: address(&cpu.packet, end),
        pad: [0; 3],
    };
}

/// Both addresses in order; with the service of the packet's end `service`, or without any.
#[inline(always)]
fn pair_key(cpu: &mut Cpu, service: Option<End>) {
    let (packet, key) = (&cpu.packet, &mut cpu.keys.pair);
    *key = packet.flow_key();
    // A packet without ports has its addresses as they come, not in order.
    if packet.reach < Reach::Key as u8 {
        key.family = packet.family;
        if u128::from_be_bytes(key.addr_a) > u128::from_be_bytes(key.addr_b) {
            (key.addr_a, key.addr_b) = (key.addr_b, key.addr_a);
        }
    }
    let keeps_b = match service {
        None => {
            key.port_a = [0; 2];
            key.port_b = [0; 2];
            key.protocol = 0;
            return;
        }
        Some(End::Source) => packet.direction & 1 == 1,
        Some(End::Destination) => packet.direction & 1 == 0,
    };
    if keeps_b {
        key.port_a = [0; 2];
    } else {
        key.port_b = [0; 2];
    }
}

#[inline(always)]
fn clinical_key(cpu: &mut Cpu, rule: u64, peer: End, serves: bool) {
    let (packet, key) = (&cpu.packet, &mut cpu.keys.clinical);
    let device = if peer == End::Source {
        End::Destination
    } else {
        End::Source
    };
    key.rule = rule;
    key.peer = address(packet, peer);
    key.port = port(packet, if serves { device } else { peer });
    key.protocol = packet.protocol;
    key.family = packet.family;
    key.serves = u8::from(serves);
    key.pad = [0; 3];
}
