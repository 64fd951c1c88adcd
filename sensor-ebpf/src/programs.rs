//! Entry points, and the calls that the verifier checks on their own.
//!
//! [`wardtap_layer`] and [`wardtap_step`] are global functions (Linux 5.6, commit 51c39bb1d5d1): the
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
    contain::{self, Answer, End, Verdict},
    counter::Counter,
    engine::{self, Table},
    event::FlowReason,
    layer7::{self, Step},
    notice,
    packet::Layer,
    parse::Outcome,
};

use crate::{
    frame::XdpFrame,
    platform::{self, KernelPlatform},
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
    let Some(cpu) = platform::cpu() else {
        return XDP_PASS;
    };
    let verdict = engine::process(&mut KernelPlatform::new(context, cpu), Layer::Ethernet);
    match verdict {
        Verdict::Drop => XDP_DROP,
        Verdict::Pass => XDP_PASS,
    }
}

/// Parses the next layer: [`Outcome::to_code`].
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn wardtap_layer(context: *mut xdp_md) -> u32 {
    let Some(cpu) = platform::cpu() else {
        return Outcome::Done(Counter::IpTruncated).to_code();
    };
    let frame = XdpFrame::new(context);
    // SAFETY: this CPU's element; the caller holds no reference to it across this call.
    unsafe { (*cpu).packet.parse_layer(&frame).to_code() }
}

/// [`engine::read`].
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn wardtap_read(context: *mut xdp_md) -> u32 {
    if let Some(cpu) = platform::cpu() {
        engine::read(&mut KernelPlatform::new(context, cpu));
    }
    0
}

/// One step of the layer-7 reader in the states of [`layer7::step_binary`]: [`Step`].
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn wardtap_step(context: *mut xdp_md) -> u32 {
    let Some(cpu) = platform::cpu() else {
        return Step::Done as u32;
    };
    let frame = XdpFrame::new(context);
    // SAFETY: as above.
    unsafe { layer7::step_binary(&frame, &mut *cpu) as u32 }
}

/// The same, for the states of [`layer7::step_other`].
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn wardtap_step_other(context: *mut xdp_md) -> u32 {
    let Some(cpu) = platform::cpu() else {
        return Step::Done as u32;
    };
    let frame = XdpFrame::new(context);
    // SAFETY: as above.
    unsafe { layer7::step_other(&frame, &mut *cpu) as u32 }
}

/// [`engine::flush`].
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn wardtap_flush() -> u32 {
    if let Some(cpu) = platform::cpu() {
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
    if let (Some(cpu), Ok(reason)) = (platform::cpu(), FlowReason::try_from(reason as u8)) {
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
    if let Some(cpu) = platform::cpu() {
        notice::send(&mut KernelPlatform::new(context, cpu), now);
    }
    0
}

/// One step of the reader of notices: [`Step`].
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn wardtap_notice_step(context: *mut xdp_md) -> u32 {
    let Some(cpu) = platform::cpu() else {
        return Step::Done as u32;
    };
    let frame = XdpFrame::new(context);
    // SAFETY: as above.
    unsafe { notice::step(&frame, &mut *cpu) as u32 }
}

/// [`contain::decide`]: an [`Answer`].
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn wardtap_decide(length: u32) -> u32 {
    let Some(cpu) = platform::cpu() else {
        return Answer::Clear as u32;
    };
    contain::decide(&mut KernelPlatform::new(ptr::null_mut(), cpu), length) as u32
}

/// [`contain::is_protected`] of an end, by its number: 1 or 0.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn wardtap_protected(end: u32) -> u32 {
    let Some(cpu) = platform::cpu() else { return 0 };
    let mut platform = KernelPlatform::new(ptr::null_mut(), cpu);
    u32::from(contain::is_protected(&mut platform, End::of(end)))
}

/// [`contain::step`]: an [`Answer`].
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn wardtap_rule_step(number: u32, length: u32) -> u32 {
    let Some(cpu) = platform::cpu() else {
        return Answer::Clear as u32;
    };
    let mut platform = KernelPlatform::new(ptr::null_mut(), cpu);
    contain::step(&mut platform, number, length) as u32
}
