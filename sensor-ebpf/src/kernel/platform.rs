//! The engine's platform in the kernel: maps, clock, ring buffer.

use core::ptr;

use aya_ebpf::{
    bindings::{BPF_ANY, BPF_NOEXIST, xdp_md},
    helpers::generated::{bpf_ktime_get_coarse_ns, bpf_ktime_get_ns},
    maps::lpm_trie::Key,
};
use sensor_common::{
    cpu::Cpu,
    engine::{HELD_PLACES, Held, Platform, Table},
    event::{EventHeader, FlowReason},
    flow::Flow,
    key::Key4,
    notice::arp::Claim,
    rule::{Containment, NetKey, Rule, RuleRef},
    settings::{Clock, Settings},
};

use super::{
    decisions::{wardtap_decide, wardtap_protected, wardtap_rule_step},
    emit, established,
    frame::XdpFrame,
    instance::{WARDTAP_CLOCK, WARDTAP_INLINE},
    maps::{
        ARP_CLAIMS, CLINICAL, CONTAINMENT, ESTABLISHED6, FRESH4, FRESH6, HELD, PROTECTED_HOSTS,
        PROTECTED_NETS, RULE_HITS, RULE_HOSTS, RULE_NETS, RULE_PAIRS, RULES, SETTINGS,
    },
    programs::{
        wardtap_claim, wardtap_examine, wardtap_flush, wardtap_headers, wardtap_hold,
        wardtap_inside, wardtap_inspect, wardtap_join, wardtap_nearest, wardtap_notice,
        wardtap_notice_step, wardtap_option, wardtap_owner, wardtap_read, wardtap_release,
        wardtap_segment, wardtap_send_flow, wardtap_send_notice, wardtap_services, wardtap_settle,
        wardtap_settle_one, wardtap_shim, wardtap_skip, wardtap_special, wardtap_step,
        wardtap_step_held, wardtap_sum,
    },
};

/// The kernel as a platform of the engine, for one packet.
pub(crate) struct KernelPlatform {
    context: *mut xdp_md,
    cpu: *mut Cpu,
}

impl KernelPlatform {
    /// For the packet of `context`, which only what reads the frame uses.
    #[inline(always)]
    pub(crate) fn new(context: *mut xdp_md, cpu: *mut Cpu) -> Self {
        Self { context, cpu }
    }
}

impl Platform for KernelPlatform {
    #[inline(always)]
    fn cpu(&mut self) -> &mut Cpu {
        // SAFETY: an element of the per-CPU array, alive as long as the program runs, and used by this
        // CPU alone.
        unsafe { &mut *self.cpu }
    }

    #[inline(always)]
    fn now(&mut self) -> u64 {
        // SAFETY: a static of this object, read as volatile since the loader changes it; the helpers
        // have no conditions.
        unsafe {
            let clock = ptr::read_volatile(&raw const WARDTAP_CLOCK);
            if clock == Clock::Precise as u32 {
                bpf_ktime_get_ns()
            } else if clock == Clock::Coarse as u32 {
                bpf_ktime_get_coarse_ns()
            } else {
                self.settings().test_time
            }
        }
    }

    type Frame = XdpFrame;

    #[inline(always)]
    fn frame(&self) -> XdpFrame {
        XdpFrame::new(self.context)
    }

    #[inline(always)]
    fn interface(&self) -> u32 {
        // SAFETY: the kernel calls with a valid context.
        unsafe { (*self.context).ingress_ifindex }
    }

    #[inline(always)]
    fn parse_headers(&mut self) -> u32 {
        wardtap_headers(self.context)
    }

    #[inline(always)]
    fn parse_shim(&mut self) -> u32 {
        wardtap_shim(self.context)
    }

    #[inline(always)]
    fn parse_inside(&mut self) -> u32 {
        wardtap_inside(self.context)
    }

    #[inline(always)]
    fn join(&mut self) {
        wardtap_join(self.context);
    }

    #[inline(always)]
    fn read(&mut self) {
        wardtap_read(self.context);
    }

    #[inline(always)]
    fn step_held(&mut self) -> u32 {
        wardtap_step_held()
    }

    #[inline(always)]
    fn examine(&mut self) {
        wardtap_examine(self.context);
    }

    #[inline(always)]
    fn sum(&mut self, from: u32, length: u32) -> u32 {
        wardtap_sum(self.context, from, length)
    }

    #[inline(always)]
    fn option(&mut self, at: u32) -> u32 {
        wardtap_option(self.context, at)
    }

    #[inline(always)]
    fn owner(&mut self, flow_start: u64, direction: u32) -> u64 {
        wardtap_owner(flow_start, direction)
    }

    #[inline(always)]
    fn take_segment(&mut self, table: Table, now: u64) -> u32 {
        wardtap_segment(table as u32, now)
    }

    #[inline(always)]
    fn services(&mut self, source: u16, destination: u16) -> u32 {
        wardtap_services(u32::from(source), u32::from(destination))
    }

    #[inline(always)]
    fn held(&mut self, place: u32) -> Option<*mut Held> {
        HELD.get_ptr_mut(place & (HELD_PLACES - 1))
    }

    #[inline(always)]
    fn take_special(&mut self, table: Table, examined: bool, now: u64) -> u32 {
        wardtap_special(self.context, table as u32, u32::from(examined), now)
    }

    #[inline(always)]
    fn inspect(&mut self, table: Table, now: u64) {
        wardtap_inspect(self.context, table as u32, now);
    }

    #[inline(always)]
    fn hold(&mut self, table: Table, now: u64) -> u32 {
        wardtap_hold(self.context, table as u32, now)
    }

    #[inline(always)]
    fn skip(&mut self, table: Table, now: u64) {
        wardtap_skip(self.context, table as u32, now);
    }

    #[inline(always)]
    fn nearest(&mut self, table: Table, direction: u32) -> u32 {
        wardtap_nearest(table as u32, direction)
    }

    #[inline(always)]
    fn settle_one(&mut self, table: Table, direction: u32, now: u64) -> u32 {
        wardtap_settle_one(self.context, table as u32, direction, now)
    }

    #[inline(always)]
    fn settle(&mut self, table: Table, direction: u32, now: u64) {
        wardtap_settle(self.context, table as u32, direction, now);
    }

    #[inline(always)]
    fn release(&mut self, place: u32) {
        wardtap_release(place);
    }

    #[inline(always)]
    fn flush(&mut self) {
        wardtap_flush();
    }

    #[inline(always)]
    fn send_flow(&mut self, table: Table, reason: FlowReason, now: u64) {
        wardtap_send_flow(table as u32, reason as u32, now);
    }

    #[inline(always)]
    fn step(&mut self) -> u32 {
        wardtap_step(self.context)
    }

    #[inline(always)]
    fn notice(&mut self, now: u64) {
        wardtap_notice(self.context, now);
    }

    #[inline(always)]
    fn notice_step(&mut self) -> u32 {
        wardtap_notice_step(self.context)
    }

    #[inline(always)]
    fn send_notice(&mut self, now: u64) {
        wardtap_send_notice(now);
    }

    #[inline(always)]
    fn count_claim(&mut self, now: u64) {
        wardtap_claim(now);
    }

    #[inline(always)]
    fn claim(&mut self) -> Option<*mut Claim> {
        ARP_CLAIMS.get_ptr_mut(&self.cpu().notice.arp.key)
    }

    #[inline(always)]
    fn keep_claim(&mut self, claim: &Claim) {
        // What can't be kept is told again with the next message.
        let _ = ARP_CLAIMS.insert(&self.cpu().notice.arp.key, claim, u64::from(BPF_ANY));
    }

    #[inline(always)]
    fn decide(&mut self, length: u32) -> u32 {
        wardtap_decide(length)
    }

    #[inline(always)]
    fn is_protected(&mut self, end: u32) -> bool {
        wardtap_protected(end) != 0
    }

    #[inline(always)]
    fn rule_step(&mut self, number: u32, length: u32) -> u32 {
        wardtap_rule_step(number, length)
    }

    #[inline(always)]
    fn settings(&mut self) -> Settings {
        SETTINGS.get(0).copied().unwrap_or(Settings::DEFAULT)
    }

    #[inline(always)]
    fn find(&mut self, table: Table) -> Option<*mut Flow> {
        let packet = &self.cpu().packet;
        match (packet.family, table) {
            (4, Table::Established) => established::find(&packet.key4),
            (4, Table::Fresh) => FRESH4.get_ptr_mut(&packet.key4),
            (_, Table::Established) => ESTABLISHED6.get_ptr_mut(&packet.key6),
            (_, Table::Fresh) => FRESH6.get_ptr_mut(&packet.key6),
        }
    }

    #[inline(always)]
    fn find_fast(&mut self, key: &Key4) -> Option<*mut Flow> {
        established::find_hinted(key)
    }

    #[inline(always)]
    fn insert(&mut self, table: Table, value: Option<*mut Flow>) -> bool {
        let cpu = self.cpu();
        let (packet, new_flow) = (&cpu.packet, &cpu.new_flow);
        // SAFETY: the engine passes a pointer that `find` gave for this packet.
        let value = unsafe { value.map_or(new_flow, |flow| &*flow) };
        match (packet.family, table) {
            (4, Table::Established) => return established::keep(&packet.key4, value),
            (4, Table::Fresh) => FRESH4.insert(&packet.key4, value, u64::from(BPF_NOEXIST)),
            (_, Table::Established) => ESTABLISHED6.insert(&packet.key6, value, u64::from(BPF_ANY)),
            (_, Table::Fresh) => FRESH6.insert(&packet.key6, value, u64::from(BPF_NOEXIST)),
        }
        .is_ok()
    }

    #[inline(always)]
    fn remove(&mut self, table: Table) {
        let packet = &self.cpu().packet;
        // What is gone already, another CPU has removed.
        let _ = match (packet.family, table) {
            (4, Table::Established) => return established::release(&packet.key4),
            (4, Table::Fresh) => FRESH4.remove(&packet.key4),
            (_, Table::Established) => ESTABLISHED6.remove(&packet.key6),
            (_, Table::Fresh) => FRESH6.remove(&packet.key6),
        };
    }

    #[inline(always)]
    fn emit_flow(&mut self, header: EventHeader, flow: *const Flow) -> bool {
        emit::flow(header, self.cpu().packet.flow_key(), flow)
    }

    #[inline(always)]
    fn emit_chunk(&mut self, tape_len: u32) -> bool {
        emit::chunk(&self.cpu().chunk, tape_len)
    }

    #[inline(always)]
    fn containment(&mut self) -> Option<Containment> {
        // SAFETY: a static of this object, read as volatile since the loader changes it.
        let inline = unsafe { ptr::read_volatile(&raw const WARDTAP_INLINE) };
        if inline == 0 {
            return None;
        }
        CONTAINMENT.get(0).copied()
    }

    #[inline(always)]
    fn is_protected_host(&mut self) -> bool {
        PROTECTED_HOSTS.get_ptr(&self.cpu().keys.host).is_some()
    }

    #[inline(always)]
    fn is_protected_net(&mut self) -> bool {
        PROTECTED_NETS.get(&whole(&self.cpu().keys.net)).is_some()
    }

    #[inline(always)]
    fn rule_of_host(&mut self) -> Option<RuleRef> {
        // SAFETY: the value is copied; a write meanwhile is one word.
        unsafe { RULE_HOSTS.get(&self.cpu().keys.host) }.copied()
    }

    #[inline(always)]
    fn rule_of_pair(&mut self) -> Option<RuleRef> {
        // SAFETY: as above.
        unsafe { RULE_PAIRS.get(&self.cpu().keys.pair) }.copied()
    }

    #[inline(always)]
    fn rule_of_net(&mut self) -> Option<RuleRef> {
        RULE_NETS.get(&whole(&self.cpu().keys.net)).copied()
    }

    #[inline(always)]
    fn rule(&mut self, slot: u32) -> Option<Rule> {
        RULES.get(slot).copied()
    }

    #[inline(always)]
    fn is_clinical(&mut self) -> bool {
        CLINICAL.get_ptr(&self.cpu().keys.clinical).is_some()
    }

    #[inline(always)]
    fn hit(&mut self, slot: u32, length: u32, now: u64, dropped: bool) {
        let Some(hits) = RULE_HITS.get_ptr_mut(slot) else {
            return;
        };
        // SAFETY: an element of the per-CPU array, written by this CPU alone.
        let hits = unsafe { &mut *hits };
        hits.last = now;
        if dropped {
            hits.packets += 1;
            hits.bytes += u64::from(length);
        } else {
            hits.would_packets += 1;
            hits.would_bytes += u64::from(length);
        }
    }
}

/// The key of a look-up of one address.
#[inline(always)]
fn whole(net: &NetKey) -> Key<NetKey> {
    Key::new(NetKey::WHOLE, *net)
}
