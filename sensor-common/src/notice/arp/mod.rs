//! ARP (RFC 826) for IPv4 over Ethernet: who claims which address, and asks for whom.
//!
//! Claims are counted in a table of their own, which makes room by itself, so that no flood of ARP costs
//! anything else its place. A notice goes out for a claim that is new, and for one that goes on each
//! [`AGAIN`].

mod message;

pub use message::{Arp, ArpKey, RECORD, REPLY, REQUEST};

use super::{limit::may_go, state::Stage};
use crate::{
    bytes::Frame,
    cpu::Cpu,
    layer7::Step,
    registry::Tag,
    tape::{FIRST, LAST},
};

/// Claims that are kept.
pub const CLAIMS: u32 = 8_192;
/// A claim that goes on is told again after so many nanoseconds.
pub const AGAIN: u64 = 30_000_000_000;

/// A claim.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Claim {
    /// When it was told last, nanoseconds.
    pub told: u64,
    /// Messages since then.
    pub count: u32,
    /// Always zero.
    pub pad: u32,
}

/// Reads the message in one step.
#[inline(always)]
pub(crate) fn step<F: Frame>(frame: &F, cpu: &mut Cpu) -> Option<Step> {
    let arp = Arp::parse(frame, cpu.packet.offset, &cpu.packet.macs)?;
    cpu.notice.arp = arp;
    // What the table of claims decides.
    cpu.notice.set(Stage::Part);
    Some(Step::Done)
}

/// Counts a claim that is known, and puts it on the tape if it is told again.
#[inline(always)]
pub(crate) fn again(cpu: &mut Cpu, claim: &mut Claim, now: u64) {
    claim.count = claim.count.wrapping_add(1);
    if now.saturating_sub(claim.told) < AGAIN || !may_go(cpu, now) {
        return;
    }
    let record = cpu.notice.arp.record(claim.count);
    claim.told = now;
    claim.count = 0;
    cpu.record(Tag::Arp, FIRST | LAST, record);
}

/// Puts a new claim on the tape; as it is to be kept then.
#[inline(always)]
pub(crate) fn first(cpu: &mut Cpu, now: u64) -> Option<Claim> {
    if !may_go(cpu, now) {
        return None;
    }
    let record = cpu.notice.arp.record(1);
    cpu.record(Tag::Arp, FIRST | LAST, record);
    Some(Claim {
        told: now,
        count: 0,
        pad: 0,
    })
}
