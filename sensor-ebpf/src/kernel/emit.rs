//! The only writer of the ring buffer. What it does not take is counted by the engine.

use aya_ebpf::helpers::generated::bpf_probe_read_kernel;
use sensor_common::{
    event::{Chunk, ChunkHeader, EventHeader, FlowEvent},
    flow::Flow,
    key::FlowKey,
    layer7::CARRY,
    tape,
};

use super::maps::EVENTS;

/// Sends a flow event; false if the ring is full.
#[inline(always)]
pub(crate) fn flow(header: EventHeader, key: FlowKey, flow: *const Flow) -> bool {
    let Some(mut entry) = EVENTS.reserve::<FlowEvent>(0) else {
        return false;
    };
    let event = entry.as_mut_ptr();
    // SAFETY: the entry has room for a `FlowEvent`; the flow is a live map value, read by the helper
    // since a copy of 600 bytes would not fit the stack.
    let copied = unsafe {
        (&raw mut (*event).header).write(header);
        (&raw mut (*event).key).write(key);
        bpf_probe_read_kernel(
            (&raw mut (*event).flow).cast(),
            size_of::<Flow>() as u32,
            flow.cast(),
        )
    };
    // SAFETY: as above. What a reader holds over does not leave: `Flow::concealed`.
    unsafe {
        let flow = &raw mut (*event).flow;
        (&raw mut (*flow).directions[0].stream.carry).write([0; CARRY]);
        (&raw mut (*flow).directions[1].stream.carry).write([0; CARRY]);
    }
    if copied == 0 {
        entry.submit(0);
        true
    } else {
        entry.discard(0);
        false
    }
}

/// Sends a chunk with `tape_len` bytes of tape; false if the ring is full.
#[inline(always)]
pub(crate) fn chunk(chunk: &Chunk, tape_len: u32) -> bool {
    let length = size_of::<ChunkHeader>() + (tape_len & (tape::CAPACITY - 1)) as usize;
    // SAFETY: `length` is at most the size of `Chunk`.
    let bytes =
        unsafe { core::slice::from_raw_parts(core::ptr::from_ref(chunk).cast::<u8>(), length) };
    EVENTS.output::<[u8]>(bytes, 0).is_ok()
}
