//! Entry points for the bench. Frames are Ethernet, IPv4 without options, TCP or UDP.

use aya_ebpf::{
    bindings::xdp_action::XDP_PASS,
    macros::{map, xdp},
    maps::HashMap,
    programs::XdpContext,
};
use sensor_common::{bytes::Frame, key::Key4};

use crate::{frame::XdpFrame, programs::observe};

const TOTAL_LENGTH: usize = 16;
const IDENTIFICATION: usize = 18;
const SOURCE: usize = 26;
const SEQUENCE: usize = 38;

/// Nothing: the harness's own cost.
#[xdp]
pub(crate) fn reference_empty(_: XdpContext) -> u32 {
    XDP_PASS
}

/// A flow's packets and bytes.
#[repr(C)]
struct Count {
    packets: u64,
    bytes: u64,
}

#[map]
static COUNTS: HashMap<Key4, Count> = HashMap::with_max_entries(65_536, 0);

/// The smallest flow counter: five-tuple, hash look-up, add.
#[xdp]
pub(crate) fn reference_counter(context: XdpContext) -> u32 {
    let frame = XdpFrame::new(context.ctx);
    let Some(header) = frame.array::<38>(0) else {
        return XDP_PASS;
    };
    if header[12] != 8 || header[13] != 0 || header[14] != 0x45 {
        return XDP_PASS;
    }
    let key = Key4 {
        addr_a: [header[26], header[27], header[28], header[29]],
        addr_b: [header[30], header[31], header[32], header[33]],
        port_a: [header[34], header[35]],
        port_b: [header[36], header[37]],
        protocol: header[23],
        pad: [0; 3],
    };
    if let Some(count) = COUNTS.get_ptr_mut(&key) {
        // SAFETY: a live map value; a lost update is as good as any other in a bench.
        unsafe {
            (*count).packets += 1;
            (*count).bytes += u64::from(frame.len());
        }
    } else {
        let first = Count {
            packets: 1,
            bytes: u64::from(frame.len()),
        };
        let _ = COUNTS.insert(&key, &first, 0);
    }
    XDP_PASS
}

/// The sensor; each run's TCP segment follows the last one's in sequence.
#[xdp]
pub(crate) fn sensor_next_segment(context: XdpContext) -> u32 {
    if let Some(length) = number::<2>(&context, TOTAL_LENGTH) {
        add::<4>(&context, SEQUENCE, length - 40);
        add::<2>(&context, IDENTIFICATION, 1);
    }
    observe(context.ctx)
}

/// The sensor; each run's packet has a source address of its own.
#[xdp]
pub(crate) fn sensor_new_flow(context: XdpContext) -> u32 {
    add::<4>(&context, SOURCE, 1);
    observe(context.ctx)
}

fn bytes<const N: usize>(context: &XdpContext, offset: usize) -> Option<*mut [u8; N]> {
    let start = context.data() + offset;
    if start + N > context.data_end() {
        None
    } else {
        Some(start as *mut [u8; N])
    }
}

#[inline(always)]
fn number<const N: usize>(context: &XdpContext, offset: usize) -> Option<u32> {
    let bytes = bytes::<N>(context, offset)?;
    let mut value = 0;
    // SAFETY: `bytes` checked the range.
    for byte in unsafe { *bytes } {
        value = value << 8 | u32::from(byte);
    }
    Some(value)
}

#[inline(always)]
fn add<const N: usize>(context: &XdpContext, offset: usize, addend: u32) {
    let Some(value) = number::<N>(context, offset) else {
        return;
    };
    let Some(bytes) = bytes::<N>(context, offset) else {
        return;
    };
    let sum = value.wrapping_add(addend).to_be_bytes();
    // SAFETY: `bytes` checked the range, and `N` is at most 4.
    unsafe {
        for at in 0..N {
            (*bytes)[at] = sum[4 - N + at];
        }
    }
}
