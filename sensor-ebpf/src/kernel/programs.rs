//! Entry points, and the calls that the verifier checks on their own.
//!
//! [`wardtap_headers`], [`wardtap_shim`] and [`wardtap_step`] are global functions (Linux 5.6, commit 51c39bb1d5d1): the
//! verifier checks each once, for any state, instead of once for every way that leads to it. That is
//! what keeps the loops over tunnels and protocol elements within its limits on every kernel. What they
//! work on is in per-CPU memory. A function takes the context only if it uses it: LLVM passes garbage
//! for an argument that the callee ignores, which the verifier refuses.

use core::ptr;

use aya_ebpf::{
    bindings::{
        xdp_action::{XDP_DROP, XDP_PASS},
        xdp_md,
    },
    macros::xdp,
    programs::XdpContext,
};
use sensor_common::{
    contain::Verdict,
    counter::Counter,
    engine::{self, Table},
    event::FlowReason,
    flow,
    layer7::{self, Step},
    notice,
    packet::Layer,
    parse::Outcome,
};

use super::{
    frame::{HeldFrame, XdpFrame},
    instance,
    maps::HELD,
    platform::KernelPlatform,
};

/// The sensor.
#[xdp]
pub(crate) fn wardtap(context: XdpContext) -> u32 {
    observe(context.ctx)
}

/// The sensor for interfaces whose frames come in several buffers (Linux 5.18); it reads the first.
#[xdp(frags)]
pub(crate) fn wardtap_frags(context: XdpContext) -> u32 {
    observe(context.ctx)
}

/// Gives a packet to the engine; the engine's verdict as XDP has it.
#[inline(always)]
pub(crate) fn observe(context: *mut xdp_md) -> u32 {
    let Some(cpu) = instance::cpu() else {
        return XDP_PASS;
    };
    let verdict = engine::process(&mut KernelPlatform::new(context, cpu), Layer::Ethernet);
    match verdict {
        Verdict::Drop => XDP_DROP,
        Verdict::Pass => XDP_PASS,
    }
}

/// Parses headers: [`Outcome::to_code`].
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn wardtap_headers(context: *mut xdp_md) -> u32 {
    let Some(cpu) = instance::cpu() else {
        return Outcome::Done(Counter::IpTruncated).to_code();
    };
    let frame = XdpFrame::new(context);
    // SAFETY: this CPU's element; the caller holds no reference to it across this call.
    unsafe { (*cpu).packet.parse_headers(&frame).to_code() }
}

/// Parses what lies between headers: [`Outcome::to_code`].
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn wardtap_shim(context: *mut xdp_md) -> u32 {
    let Some(cpu) = instance::cpu() else {
        return Outcome::Done(Counter::IpTruncated).to_code();
    };
    let frame = XdpFrame::new(context);
    // SAFETY: as above.
    unsafe { (*cpu).packet.parse_shim(&frame).to_code() }
}

/// Looks whether a tunnel carries what it says: [`Outcome::to_code`].
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn wardtap_inside(context: *mut xdp_md) -> u32 {
    let Some(cpu) = instance::cpu() else {
        return Outcome::Done(Counter::IpTruncated).to_code();
    };
    let frame = XdpFrame::new(context);
    // SAFETY: as above.
    unsafe { (*cpu).packet.parse_inside(&frame).to_code() }
}

/// [`sensor_common::cpu::Cpu::join`].
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn wardtap_join(context: *mut xdp_md) -> u32 {
    if let Some(cpu) = instance::cpu() {
        let frame = XdpFrame::new(context);
        // SAFETY: as above.
        unsafe { (*cpu).join(&frame) }
    }
    0
}

/// [`engine::read`].
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn wardtap_read(context: *mut xdp_md) -> u32 {
    if let Some(cpu) = instance::cpu() {
        engine::read(&mut KernelPlatform::new(context, cpu));
    }
    0
}

/// One step of the layer-7 reader: [`Step`].
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn wardtap_step(context: *mut xdp_md) -> u32 {
    let Some(cpu) = instance::cpu() else {
        return Step::Done as u32;
    };
    let frame = XdpFrame::new(context);
    // SAFETY: as above.
    unsafe { layer7::step(&frame, &mut *cpu) as u32 }
}

/// The same on the segment that is kept where `Work::held` says.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn wardtap_step_held() -> u32 {
    let Some(cpu) = instance::cpu() else {
        return Step::Done as u32;
    };
    // SAFETY: as above.
    let place = unsafe { (*cpu).work.held.wrapping_sub(1) };
    let Some(held) = HELD.get_ptr_mut(place) else {
        return Step::Done as u32;
    };
    // SAFETY: an element of the map; the rest as above.
    unsafe { layer7::step(&HeldFrame::new(held), &mut *cpu) as u32 }
}

/// [`engine::examine`].
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn wardtap_examine(context: *mut xdp_md) -> u32 {
    if let Some(cpu) = instance::cpu() {
        engine::examine(&mut KernelPlatform::new(context, cpu));
    }
    0
}

/// [`engine::sum`] of the frame.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn wardtap_sum(context: *mut xdp_md, from: u32, length: u32) -> u32 {
    engine::sum(&XdpFrame::new(context), from, length)
}

/// [`flow::services`] of two ports.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn wardtap_services(source: u32, destination: u32) -> u32 {
    flow::services(source as u16, destination as u16)
}

/// The table of a number.
#[inline(always)]
const fn table_of(number: u32) -> Table {
    if number == Table::Established as u32 {
        Table::Established
    } else {
        Table::Fresh
    }
}

/// [`engine::take_special`]; `table` is [`Table`] as a number.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn wardtap_special(
    context: *mut xdp_md,
    table: u32,
    examined: u32,
    now: u64,
) -> u32 {
    let Some(cpu) = instance::cpu() else { return 0 };
    let mut platform = KernelPlatform::new(context, cpu);
    engine::take_special(&mut platform, table_of(table), examined != 0, now).to_code()
}

/// [`engine::take_segment`]; `table` is [`Table`] as a number.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn wardtap_segment(table: u32, now: u64) -> u32 {
    let Some(cpu) = instance::cpu() else { return 0 };
    let mut platform = KernelPlatform::new(ptr::null_mut(), cpu);
    engine::take_segment(&mut platform, table_of(table), now)
}

/// [`engine::option`] of the frame.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn wardtap_option(context: *mut xdp_md, at: u32) -> u32 {
    engine::option(&XdpFrame::new(context), at)
}

/// [`engine::owner`] of the packet.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn wardtap_owner(flow_start: u64, direction: u32) -> u64 {
    let Some(cpu) = instance::cpu() else { return 0 };
    // SAFETY: as above.
    unsafe { engine::owner(&(*cpu).packet, flow_start, direction) }
}

/// [`engine::hold`]; `table` is [`Table`] as a number.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn wardtap_hold(context: *mut xdp_md, table: u32, now: u64) -> u32 {
    let Some(cpu) = instance::cpu() else { return 1 };
    let mut platform = KernelPlatform::new(context, cpu);
    engine::hold(&mut platform, table_of(table), now)
}

/// [`engine::skip`]; `table` is [`Table`] as a number.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn wardtap_skip(context: *mut xdp_md, table: u32, now: u64) -> u32 {
    if let Some(cpu) = instance::cpu() {
        let mut platform = KernelPlatform::new(context, cpu);
        engine::skip(&mut platform, table_of(table), now);
    }
    0
}

/// [`engine::inspect_packet`]; `table` is [`Table`] as a number.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn wardtap_inspect(context: *mut xdp_md, table: u32, now: u64) -> u32 {
    if let Some(cpu) = instance::cpu() {
        let mut platform = KernelPlatform::new(context, cpu);
        engine::inspect_packet(&mut platform, table_of(table), now);
    }
    0
}

/// [`engine::nearest`]; `table` is [`Table`] as a number.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn wardtap_nearest(table: u32, direction: u32) -> u32 {
    let Some(cpu) = instance::cpu() else { return 0 };
    let mut platform = KernelPlatform::new(ptr::null_mut(), cpu);
    engine::nearest(&mut platform, table_of(table), direction & 1)
}

/// [`engine::settle`]; `table` is [`Table`] as a number.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn wardtap_settle(
    context: *mut xdp_md,
    table: u32,
    direction: u32,
    now: u64,
) -> u32 {
    if let Some(cpu) = instance::cpu() {
        let mut platform = KernelPlatform::new(context, cpu);
        engine::settle(&mut platform, table_of(table), direction & 1, now);
    }
    0
}

/// [`engine::settle_one`]; `table` is [`Table`] as a number.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn wardtap_settle_one(
    context: *mut xdp_md,
    table: u32,
    direction: u32,
    now: u64,
) -> u32 {
    let Some(cpu) = instance::cpu() else { return 0 };
    let mut platform = KernelPlatform::new(context, cpu);
    engine::settle_one(&mut platform, table_of(table), direction & 1, now)
}

/// [`engine::release`].
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn wardtap_release(place: u32) -> u32 {
    if let Some(cpu) = instance::cpu() {
        engine::release(&mut KernelPlatform::new(ptr::null_mut(), cpu), place);
    }
    0
}

/// [`engine::flush`].
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn wardtap_flush() -> u32 {
    if let Some(cpu) = instance::cpu() {
        engine::flush(&mut KernelPlatform::new(ptr::null_mut(), cpu));
    }
    0
}

/// [`engine::send_flow`]; `table` and `reason` are [`Table`] and [`FlowReason`] as numbers.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn wardtap_send_flow(table: u32, reason: u32, now: u64) -> u32 {
    let table = if table == Table::Established as u32 {
        Table::Established
    } else {
        Table::Fresh
    };
    if let (Some(cpu), Ok(reason)) = (instance::cpu(), FlowReason::try_from(reason as u8)) {
        engine::send_flow(
            &mut KernelPlatform::new(ptr::null_mut(), cpu),
            table,
            reason,
            now,
        );
    }
    0
}

/// [`notice::send`].
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn wardtap_notice(context: *mut xdp_md, now: u64) -> u32 {
    if let Some(cpu) = instance::cpu() {
        notice::send(&mut KernelPlatform::new(context, cpu), now);
    }
    0
}

/// [`notice::hand_over`], apart for the same reason as [`wardtap_claim`].
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn wardtap_send_notice(now: u64) -> u32 {
    if let Some(cpu) = instance::cpu() {
        notice::hand_over(&mut KernelPlatform::new(ptr::null_mut(), cpu), now);
    }
    0
}

/// [`notice::count_claim`], apart from [`wardtap_notice`] for the sake of the stack: a record of ARP takes a third of it.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn wardtap_claim(now: u64) -> u32 {
    if let Some(cpu) = instance::cpu() {
        notice::count_claim(&mut KernelPlatform::new(ptr::null_mut(), cpu), now);
    }
    0
}

/// One step of the reader of notices: [`Step`].
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn wardtap_notice_step(context: *mut xdp_md) -> u32 {
    let Some(cpu) = instance::cpu() else {
        return Step::Done as u32;
    };
    let frame = XdpFrame::new(context);
    // SAFETY: as above.
    unsafe { notice::step(&frame, &mut *cpu) as u32 }
}
