//! Entry points for the bench. Frames are Ethernet, IPv4 without options, TCP or UDP.

use aya_ebpf::{
    bindings::xdp_action::XDP_PASS,
    macros::{map, xdp},
    maps::HashMap,
    programs::XdpContext,
};
use sensor_common::{bytes::Frame, key::Key4};

use crate::kernel::{frame::XdpFrame, programs::observe};

const TOTAL_LENGTH: usize = 16;
const IDENTIFICATION: usize = 18;
const SOURCE: usize = 26;
const SEQUENCE: usize = 38;
/// Bytes of the IP packet that are no payload.
const HEADERS: u32 = 40;

/// Writes a number of the frame by one store: the bench is not to measure what Rust makes of bytes.
macro_rules! store {
    ($type:literal, $base:expr, $at:expr, $value:expr) => {
        // SAFETY: `header` checked the range.
        unsafe {
            core::arch::asm!(
                concat!("*(", $type, " *)({base} + {at}) = {value}"),
                value = in(reg) u64::from($value),
                base = in(reg) $base,
                at = const $at,
                options(nostack, preserves_flags)
            );
        }
    };
}

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

/// The same with as few instructions as can be: words instead of bytes.
#[xdp]
pub(crate) fn reference_words(context: XdpContext) -> u32 {
    let start = context.data();
    if start + 38 > context.data_end() {
        return XDP_PASS;
    }
    if load!("u16", start, 12) != 8 || load!("u8", start, 14) != 0x45 {
        return XDP_PASS;
    }
    let addresses = load!("u32", start, 26) | load!("u32", start, 30) << 32;
    let rest = load!("u32", start, 34) | load!("u8", start, 23) << 32;
    // SAFETY: as many bytes, aligned alike; every bit pattern is a key.
    let key = unsafe { core::mem::transmute::<[u64; 2], Key4>([addresses, rest]) };
    if let Some(count) = COUNTS.get_ptr_mut(&key) {
        // SAFETY: as above.
        unsafe {
            (*count).packets += 1;
            (*count).bytes += (context.data_end() - start) as u64;
        }
    } else {
        let first = Count {
            packets: 1,
            bytes: (context.data_end() - start) as u64,
        };
        let _ = COUNTS.insert(&key, &first, 0);
    }
    XDP_PASS
}

/// The sensor; each run's TCP segment follows the last one's in sequence.
#[xdp]
pub(crate) fn sensor_next_segment(context: XdpContext) -> u32 {
    if let Some(header) = header(&context) {
        let length = load!("u16", header, TOTAL_LENGTH) as u16;
        let sequence = load!("u32", header, SEQUENCE) as u32;
        let next = u32::from_be(sequence) + u32::from(u16::from_be(length)) - HEADERS;
        store!("u32", header, SEQUENCE, next.to_be());
        let identification = load!("u16", header, IDENTIFICATION) as u16;
        let next = u16::from_be(identification).wrapping_add(1);
        store!("u16", header, IDENTIFICATION, next.to_be());
    }
    observe(context.ctx)
}

/// The sensor; each run's packet has a source address of its own.
#[xdp]
pub(crate) fn sensor_new_flow(context: XdpContext) -> u32 {
    if let Some(header) = header(&context) {
        let source = load!("u32", header, SOURCE) as u32;
        let next = u32::from_be(source).wrapping_add(1);
        store!("u32", header, SOURCE, next.to_be());
    }
    observe(context.ctx)
}

/// The address of the frame, if it has all of the fields that are changed.
#[inline(always)]
fn header(context: &XdpContext) -> Option<usize> {
    let start = context.data();
    (start + SEQUENCE + 4 <= context.data_end()).then_some(start)
}
