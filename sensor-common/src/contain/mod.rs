//! Whether a packet is let through: the never-block list first, then the rules, the narrowest first.
//!
//! A packet from or to a protected address passes, whatever the rules say. Otherwise the first rule that
//! is enabled, has not ended and does not spare the packet drops it; dry runs count and the search goes
//! on. What is not known of a packet matches nothing: without ports (a later fragment) no service and no
//! flow, without an IP header no address. Anything unforeseen passes.

mod answer;
mod fill;
mod keys;

pub use answer::{Answer, End, Verdict};
pub use keys::Keys;

use crate::{
    bytes::Frame,
    engine::Platform,
    flow::Flow,
    packet::{Reach, protocol},
    parse::segment::Segment,
    rule::{Clearance, Containment, RuleRef, RuleScope, RuleState, tables},
};

/// Asks whether the packet, of the flow `found` where there is one, may pass. `Err`: drop it. Otherwise
/// the clearance that its flow should keep, if any.
#[inline(always)]
pub(crate) fn ask<H: Platform>(
    platform: &mut H,
    found: Option<*mut Flow>,
) -> Result<Option<Clearance>, ()> {
    let Some(generation) = generation(platform) else {
        return Ok(None);
    };
    let packet = &platform.cpu().packet;
    let clearance = packet.macs.clearance(generation);
    if let Some(flow) = found {
        // SAFETY: `Platform::find` gave the pointer for this packet's key, and nothing was removed since.
        let flow = unsafe { &*flow };
        if *flow.clearance(packet.direction) == clearance {
            return Ok(None);
        }
    }
    let length = platform.frame().len();
    match platform.decide(length) {
        answer if answer == Answer::Drop as u32 => Err(()),
        answer if answer == Answer::Clear as u32 => Ok(Some(clearance)),
        _ => Ok(None),
    }
}

/// True if a segment of `flow` passes, as far as the flow knows.
#[inline(always)]
pub(crate) fn is_clear<H: Platform>(
    platform: &mut H,
    flow: &Flow,
    segment: &Segment<H::Frame>,
) -> bool {
    generation(platform).is_none_or(|generation| {
        *flow.clearance(u8::from(segment.b_sends)) == segment.macs().clearance(generation)
    })
}

/// Which rules are in force; `None` if there is none.
#[inline(always)]
fn generation<H: Platform>(platform: &mut H) -> Option<u32> {
    let containment = platform.containment()?;
    (containment.tables & tables::RULES != 0).then_some(containment.generation)
}

/// The look-ups, the narrowest first. Each packet has at most this many.
const STEPS: u32 = 12;

/// Looks the packet up in the never-block list and in the rules: an [`Answer`].
#[inline(always)]
pub fn decide<H: Platform>(platform: &mut H, length: u32) -> Answer {
    if platform.is_protected(0) || platform.is_protected(1) {
        return Answer::Clear;
    }
    // No rule has the id 0.
    platform.cpu().keys.last = RuleRef { slot: 0, check: 0 };
    let mut answer = Answer::Clear;
    for number in 0..STEPS {
        match platform.rule_step(number, length) {
            step if step == Answer::Drop as u32 => return Answer::Drop,
            step if step == Answer::Watch as u32 => answer = Answer::Watch,
            _ => {}
        }
    }
    answer
}

/// True if the never-block list has the packet's address at `end`.
#[inline(always)]
pub fn is_protected<H: Platform>(platform: &mut H, end: End) -> bool {
    let Some(containment) = platform.containment() else {
        return false;
    };
    let there = containment.tables;
    let reach = platform.cpu().packet.reach;
    if there & tables::PROTECTED_MACS != 0 && reach >= Reach::Macs as u8 {
        fill::mac_key(platform.cpu(), end);
        if platform.is_protected_host() {
            return true;
        }
    }
    if reach < Reach::Addresses as u8 {
        return false;
    }
    if there & tables::PROTECTED_HOSTS != 0 {
        fill::host_key(platform.cpu(), end, false);
        if platform.is_protected_host() {
            return true;
        }
    }
    if there & tables::PROTECTED_NETS != 0 {
        fill::net_key(platform.cpu(), end);
        return platform.is_protected_net();
    }
    false
}

/// What the rule that a look-up finds says of the packet: an [`Answer`].
#[inline(always)]
pub fn step<H: Platform>(platform: &mut H, number: u32, length: u32) -> Answer {
    let Some(containment) = platform.containment() else {
        return Answer::Clear;
    };
    let there = containment.tables;
    let Some(found) = look_up(platform, there, number) else {
        return Answer::Clear;
    };
    let last = &mut platform.cpu().keys.last;
    if last.slot == found.slot && last.check == found.check {
        return Answer::Clear;
    }
    *last = found;
    judge(platform, &containment, found, length)
}

#[inline(always)]
fn look_up<H: Platform>(platform: &mut H, there: u32, step: u32) -> Option<RuleRef> {
    let (table, needs) = match step {
        0 => (tables::FLOWS, Reach::Key),
        1 | 2 => (tables::PAIR_SERVICES, Reach::Key),
        3 => (tables::PAIRS, Reach::Addresses),
        4 | 5 => (tables::SERVICES, Reach::Key),
        6 | 7 => (tables::DEVICES, Reach::Addresses),
        8 | 9 => (tables::MACS, Reach::Macs),
        _ => (tables::NETS, Reach::Addresses),
    };
    if there & table == 0 || platform.cpu().packet.reach < needs as u8 {
        return None;
    }
    let end = End::of(step);
    match step {
        0 => {
            let cpu = platform.cpu();
            cpu.packet.write_key(&mut cpu.keys.pair);
            platform.rule_of_pair()
        }
        1 | 2 => {
            fill::pair_key(platform.cpu(), Some(end));
            platform.rule_of_pair()
        }
        3 => {
            fill::pair_key(platform.cpu(), None);
            platform.rule_of_pair()
        }
        4 | 5 => {
            fill::host_key(platform.cpu(), end, true);
            platform.rule_of_host()
        }
        6 | 7 => {
            fill::host_key(platform.cpu(), end, false);
            platform.rule_of_host()
        }
        8 | 9 => {
            fill::mac_key(platform.cpu(), end);
            platform.rule_of_host()
        }
        _ => {
            fill::net_key(platform.cpu(), end);
            platform.rule_of_net()
        }
    }
}

/// What a rule says of the packet. Counts its hit.
#[inline(always)]
fn judge<H: Platform>(
    platform: &mut H,
    containment: &Containment,
    found: RuleRef,
    length: u32,
) -> Answer {
    let Some(rule) = platform.rule(found.slot) else {
        return Answer::Clear;
    };
    let off = rule.state != RuleState::Enabled as u32 && rule.state != RuleState::DryRun as u32;
    if off || rule.id as u32 != found.check {
        return Answer::Clear;
    }
    let now = platform.now();
    if now >= rule.expires {
        return Answer::Clear;
    }
    if rule.scope == RuleScope::KeepClinical as u32 && is_spared(platform, rule.id) {
        return Answer::Clear;
    }
    if rule.state == RuleState::DryRun as u32 {
        platform.hit(found.slot, length, now, false);
        return Answer::Watch;
    }
    if rule.sticky == 0 && now.saturating_sub(containment.heartbeat) > containment.patience {
        return Answer::Watch;
    }
    platform.hit(found.slot, length, now, true);
    Answer::Drop
}

/// True for what a device lives by, and for its learnt clinical traffic. The device is the end whose
/// address led to the rule; a packet of a learnt peer passes whichever end that is.
#[inline(always)]
fn is_spared<H: Platform>(platform: &mut H, rule: u64) -> bool {
    let packet = &platform.cpu().packet;
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
        fill::clinical_key(platform.cpu(), rule, End::of(turn), turn & 2 != 0);
        if platform.is_clinical() {
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
