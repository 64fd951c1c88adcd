//! The table of established IPv4 flows: [`sensor_common::flow::slot`].

use core::ptr;

use aya_ebpf::{bindings::BPF_NOEXIST, helpers::generated::bpf_probe_read_kernel};
use sensor_common::{
    flow::{
        Flow,
        slot::{Kept4, hint},
    },
    key::Key4,
};

use super::maps::{ESTABLISHED4, FREE4, HINTS4, KEPT4};

/// Hints less one, set when the program is loaded: a mask.
#[unsafe(no_mangle)]
static WARDTAP_HINTS: u32 = 0;

/// The flow of `key`.
#[inline(always)]
pub(crate) fn find(key: &Key4) -> Option<*mut Flow> {
    let hinted = hinted(key)?;
    if let Some(flow) = flow_at(hinted, key) {
        return Some(flow);
    }
    let place = directory(key)?;
    let kept = owned(place, key)?;
    // SAFETY: elements of the arrays.
    unsafe {
        *hinted = place;
        Some(&raw mut (*kept).flow)
    }
}

/// The flow of `key` if it is where its hint says.
#[inline(always)]
pub(crate) fn find_hinted(key: &Key4) -> Option<*mut Flow> {
    flow_at(hinted(key)?, key)
}

/// The hint of `key`.
#[inline(always)]
fn hinted(key: &Key4) -> Option<*mut u32> {
    // SAFETY: a static of this object, read as volatile since the loader changes it.
    let mask = unsafe { ptr::read_volatile(&raw const WARDTAP_HINTS) };
    HINTS4.get_ptr_mut(hint(key) & mask)
}

/// The flow at the place that a hint says, if it is of `key`.
#[inline(always)]
fn flow_at(hinted: *mut u32, key: &Key4) -> Option<*mut Flow> {
    // SAFETY: an element of the array. Another CPU may write another place meanwhile: as good a hint.
    let kept = owned(unsafe { *hinted }, key)?;
    // SAFETY: an element of the array.
    Some(unsafe { &raw mut (*kept).flow })
}

/// Keeps a copy of `flow`; false if there is no free place.
#[inline(always)]
pub(crate) fn keep(key: &Key4, flow: *const Flow) -> bool {
    let Ok(Some(place)) = FREE4.pop() else {
        return false;
    };
    let Some(kept) = KEPT4.get_ptr_mut(place) else {
        return false;
    };
    // SAFETY: a free place is this CPU's once it was popped. The helper copies, since a copy of 600 bytes by
    // the compiler is a loop; the key comes last, since it is what others look at.
    let copied = unsafe {
        let copied = bpf_probe_read_kernel(
            (&raw mut (*kept).flow).cast(),
            size_of::<Flow>() as u32,
            flow.cast(),
        );
        (&raw mut (*kept).key).write_volatile(*key);
        copied
    };
    if copied == 0
        && ESTABLISHED4
            .insert(key, place, u64::from(BPF_NOEXIST))
            .is_ok()
    {
        return true;
    }
    free(place, kept);
    // Another CPU can have been first, with the other direction.
    directory(key).is_some()
}

/// Gives the place of `key` back.
#[inline(always)]
pub(crate) fn release(key: &Key4) {
    let Some(place) = directory(key) else { return };
    // The place is given back by who removes the key, the daemon's sweeper or this: once.
    if ESTABLISHED4.remove(key).is_ok()
        && let Some(kept) = owned(place, key)
    {
        free(place, kept);
    }
}

#[inline(always)]
fn directory(key: &Key4) -> Option<u32> {
    // SAFETY: the value is copied, one word.
    ESTABLISHED4.get_ptr(key).map(|place| unsafe { *place })
}

/// The place if it is of `key`.
#[inline(always)]
fn owned(place: u32, key: &Key4) -> Option<*mut Kept4> {
    let kept = KEPT4.get_ptr_mut(place)?;
    // SAFETY: an element of the array.
    let there = unsafe { (*kept).key.words() };
    (there == key.words()).then_some(kept)
}

#[inline(always)]
fn free(place: u32, kept: *mut Kept4) {
    // SAFETY: an element of the array that is not in the directory.
    unsafe { (&raw mut (*kept).key).write_volatile(Key4::EMPTY) };
    // There is room for every place.
    let _ = FREE4.push(place, 0);
}
