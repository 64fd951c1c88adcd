//! What the engine asks of where it runs.

use super::held::Held;
use crate::{
    bytes::Frame,
    contain::Answer,
    cpu::Cpu,
    event::{EventHeader, FlowReason},
    flow::Flow,
    key::Key4,
    notice::arp::Claim,
    rule::{Containment, Rule, RuleRef},
    settings::Settings,
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
/// Some methods only lead back into the engine, the rules or the parsers. They are here so that the kernel can
/// make each a function that its verifier checks on its own.
pub trait Platform: Sized {
    /// How the frame is read.
    type Frame: Frame + Copy;

    /// The frame.
    fn frame(&self) -> Self::Frame;

    /// Index of the interface that it came in by.
    fn interface(&self) -> u32;

    /// [`crate::packet::Packet::parse_headers`] of the frame into `cpu().packet`:
    /// [`crate::parse::Outcome::to_code`].
    fn parse_headers(&mut self) -> u32;

    /// The same for [`crate::packet::Packet::parse_shim`].
    fn parse_shim(&mut self) -> u32;

    /// The same for [`crate::packet::Packet::parse_inside`].
    fn parse_inside(&mut self) -> u32;

    /// [`Cpu::join`] of the frame, a fragment.
    fn join(&mut self);

    /// [`super::read`]: leads the payload through its layer-7 reader.
    fn read(&mut self);

    /// One [`crate::layer7::step`] on the frame.
    fn step(&mut self) -> u32;

    /// The same on the segment that `cpu().work.held` names.
    fn step_held(&mut self) -> u32;

    /// [`super::examine`]: what only some packets are asked.
    fn examine(&mut self);

    /// [`super::sum`] of the frame's bytes.
    fn sum(&mut self, from: u32, length: u32) -> u32;

    /// [`super::option`] of the frame.
    fn option(&mut self, at: u32) -> u32;

    /// [`super::owner`] of the packet.
    fn owner(&mut self, flow_start: u64, direction: u32) -> u64;

    /// [`super::take_segment`], as a number.
    fn take_segment(&mut self, table: Table, now: u64) -> u32;

    /// [`crate::flow::services`] of a packet's ports.
    fn services(&mut self, source: u16, destination: u16) -> u32;

    /// A place for a segment that came too early.
    fn held(&mut self, place: u32) -> Option<*mut Held>;

    /// [`super::take_special`], as a number.
    fn take_special(&mut self, table: Table, examined: bool, now: u64) -> u32;

    /// [`super::inspect_packet`]: gives the payload to its reader.
    fn inspect(&mut self, table: Table, now: u64);

    /// [`super::hold`]: keeps the packet's payload.
    fn hold(&mut self, table: Table, now: u64) -> u32;

    /// [`super::skip`]: reads a packet that could not be kept.
    fn skip(&mut self, table: Table, now: u64);

    /// [`super::nearest`]: the first of what was kept.
    fn nearest(&mut self, table: Table, direction: u32) -> u32;

    /// [`super::settle_one`]: reads one of what was kept.
    fn settle_one(&mut self, table: Table, direction: u32, now: u64) -> u32;

    /// [`super::settle`]: reads what was kept of a direction.
    fn settle(&mut self, table: Table, direction: u32, now: u64);

    /// [`super::release`]: frees a place.
    fn release(&mut self, place: u32);

    /// [`super::flush`]: sends what is on the tape.
    fn flush(&mut self);

    /// [`super::send_flow`]: sends the packet's flow as it stands in `table`.
    fn send_flow(&mut self, table: Table, reason: FlowReason, now: u64);

    /// [`crate::notice::send`]: sends what the packet says of hosts.
    fn notice(&mut self, now: u64);

    /// One [`crate::notice::step`] on the frame.
    fn notice_step(&mut self) -> u32;

    /// [`crate::notice::hand_over`].
    fn send_notice(&mut self, now: u64);

    /// [`crate::notice::count_claim`].
    fn count_claim(&mut self, now: u64);

    /// The claim of `cpu().notice.arp`, good as [`Platform::find`]'s.
    fn claim(&mut self) -> Option<*mut Claim>;

    /// Keeps a new claim of `cpu().notice.arp`; the one that was quiet longest makes room.
    fn keep_claim(&mut self, claim: &Claim);

    /// This CPU's counters and scratch memory.
    fn cpu(&mut self) -> &mut Cpu;

    /// Nanoseconds of the engine's clock.
    fn now(&mut self) -> u64;

    /// The settings in force.
    fn settings(&mut self) -> Settings;

    /// The entry of the packet's key. The pointer stays valid until the packet is processed, or until
    /// [`Platform::remove`] of the same key.
    fn find(&mut self, table: Table) -> Option<*mut Flow>;

    /// The established IPv4 flow of `key`, good as [`Platform::find`]'s. It need not be found where that costs more than a look.
    fn find_fast(&mut self, key: &Key4) -> Option<*mut Flow>;

    /// Adds an entry for the packet's key, a copy of `value` or, without one, of `cpu().new_flow`; false
    /// if the table is full or has the key already.
    fn insert(&mut self, table: Table, value: Option<*mut Flow>) -> bool;

    /// Removes the entry of the packet's key.
    fn remove(&mut self, table: Table);

    /// Sends a flow event; false if it was lost.
    fn emit_flow(&mut self, header: EventHeader, flow: *const Flow) -> bool;

    /// Sends `cpu().chunk` with `tape_len` bytes of tape; false if it was lost.
    fn emit_chunk(&mut self, tape_len: u32) -> bool;

    /// What is to be known of all rules; `None` where the platform is not in the path, which is what the
    /// following methods stand for too unless they are given.
    fn containment(&mut self) -> Option<Containment> {
        None
    }

    /// [`crate::contain::decide`], as a number.
    fn decide(&mut self, _length: u32) -> u32 {
        Answer::Clear as u32
    }

    /// [`crate::contain::is_protected`] of an end, by its number.
    fn is_protected(&mut self, _end: u32) -> bool {
        false
    }

    /// [`crate::contain::step`], as a number.
    fn rule_step(&mut self, _number: u32, _length: u32) -> u32 {
        Answer::Clear as u32
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
