//! What containment decides, in calls that the verifier checks on their own as those of [`super::programs`].

use core::ptr;

use sensor_common::contain::{self, Answer, End};

use super::{instance, platform::KernelPlatform};

/// [`contain::decide`]: an [`Answer`].
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn wardtap_decide(length: u32) -> u32 {
    let Some(cpu) = instance::cpu() else {
        return Answer::Clear as u32;
    };
    contain::decide(&mut KernelPlatform::new(ptr::null_mut(), cpu), length) as u32
}

/// [`contain::is_protected`] of an end, by its number: 1 or 0.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn wardtap_protected(end: u32) -> u32 {
    let Some(cpu) = instance::cpu() else { return 0 };
    let mut platform = KernelPlatform::new(ptr::null_mut(), cpu);
    u32::from(contain::is_protected(&mut platform, End::of(end)))
}

/// [`contain::step`]: an [`Answer`].
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn wardtap_rule_step(number: u32, length: u32) -> u32 {
    let Some(cpu) = instance::cpu() else {
        return Answer::Clear as u32;
    };
    let mut platform = KernelPlatform::new(ptr::null_mut(), cpu);
    contain::step(&mut platform, number, length) as u32
}
