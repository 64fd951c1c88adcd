//! One direction of a flow: its features, and the integer arithmetic behind them.

use crate::{packet::TCP_PSH, stream::Stream};

/// Bins of the size histogram: below 64 bytes, then one a power of two, the last from 4096 on.
pub const SIZE_BINS: usize = 8;
/// Bins of the inter-arrival histogram: bin `i` holds `4^i` to `4^(i+1)` microseconds, the first from 0.
pub const INTERVAL_BINS: usize = 16;

/// One direction of a flow. Lengths are of the IP packet, headers included, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Half {
    /// Packets.
    pub packets: u64,
    /// Bytes of the IP packets.
    pub bytes: u64,
    /// Bytes of transport payload.
    pub payload: u64,
    /// Sum of squares of the packet lengths.
    pub length_squares: u64,
    /// Sum of squares of the inter-arrival times, microseconds squared; each time at most `u32::MAX`.
    pub interval_squares: u64,
    /// Time of the first packet, nanoseconds.
    pub first: u64,
    /// Time of the last packet, nanoseconds.
    pub last: u64,
    /// Fingerprint of the last packet, by which a duplicate is known.
    pub fingerprint: u64,
    /// Where this direction stands in its TCP stream and its layer-7 protocol.
    pub stream: Stream,
    /// Least inter-arrival time, microseconds; `u32::MAX` before the second packet.
    pub interval_min: u32,
    /// Greatest inter-arrival time, microseconds.
    pub interval_max: u32,
    /// Segments whose bytes had all been seen.
    pub retransmissions: u32,
    /// Segments that began beyond the byte expected next.
    pub gaps: u32,
    /// Copies that the mirror delivered twice, left out of all else here.
    pub duplicates: u32,
    /// Segments with PSH.
    pub push: u32,
    /// Packets by length.
    pub sizes: [u32; SIZE_BINS],
    /// Inter-arrival times by length.
    pub intervals: [u32; INTERVAL_BINS],
    /// Least packet length.
    pub length_min: u16,
    /// Greatest packet length.
    pub length_max: u16,
    /// Segments with SYN.
    pub syn: u16,
    /// Segments with FIN.
    pub fin: u16,
    /// Segments with RST.
    pub rst: u16,
    /// Least TCP window as sent (unscaled).
    pub window_min: u16,
    /// Greatest TCP window as sent.
    pub window_max: u16,
    /// All TCP flags seen, or-ed.
    pub tcp_flags: u8,
    /// Least time to live or hop limit.
    pub ttl_min: u8,
    /// Greatest time to live or hop limit.
    pub ttl_max: u8,
    /// Always zero.
    pub pad: [u8; 5],
}

impl Half {
    /// A direction without a packet.
    pub const EMPTY: Self = Self {
        packets: 0,
        bytes: 0,
        payload: 0,
        length_squares: 0,
        interval_squares: 0,
        first: 0,
        last: 0,
        fingerprint: 0,
        stream: Stream::EMPTY,
        interval_min: 0,
        interval_max: 0,
        retransmissions: 0,
        gaps: 0,
        duplicates: 0,
        push: 0,
        sizes: [0; SIZE_BINS],
        intervals: [0; INTERVAL_BINS],
        length_min: 0,
        length_max: 0,
        syn: 0,
        fin: 0,
        rst: 0,
        window_min: 0,
        window_max: 0,
        tcp_flags: 0,
        ttl_min: 0,
        ttl_max: 0,
        pad: [0; 5],
    };

    /// Adds a packet that is no duplicate.
    #[inline(always)]
    pub(crate) fn add(&mut self, seen: Seen) {
        if self.packets == 0 {
            let short = seen.short();
            self.first = seen.time;
            self.length_min = short;
            self.length_max = short;
            self.ttl_min = seen.ttl;
            self.ttl_max = seen.ttl;
            self.window_min = seen.window;
            self.window_max = seen.window;
            self.interval_min = u32::MAX;
            self.sum(seen);
        } else {
            self.add_next(seen);
        }
    }

    /// The same for any packet but the first.
    #[inline(always)]
    pub(crate) fn add_next(&mut self, seen: Seen) {
        let micros = micros(since(seen.time, self.last));
        self.interval_squares = self
            .interval_squares
            .wrapping_add(u64::from(micros) * u64::from(micros));
        if micros < self.interval_min {
            self.interval_min = micros;
        }
        if micros > self.interval_max {
            self.interval_max = micros;
        }
        bump(&mut self.intervals, interval_bin(micros));
        let short = seen.short();
        if short < self.length_min {
            self.length_min = short;
        }
        if short > self.length_max {
            self.length_max = short;
        }
        if seen.ttl < self.ttl_min {
            self.ttl_min = seen.ttl;
        }
        if seen.ttl > self.ttl_max {
            self.ttl_max = seen.ttl;
        }
        if seen.window < self.window_min {
            self.window_min = seen.window;
        }
        if seen.window > self.window_max {
            self.window_max = seen.window;
        }
        self.sum(seen);
    }

    /// Adds the flags of a TCP segment.
    #[inline(always)]
    pub(crate) fn add_flags(&mut self, flags: u8) {
        self.tcp_flags |= flags;
        if flags & TCP_PSH != 0 {
            self.push += 1;
        }
    }

    #[inline(always)]
    fn sum(&mut self, seen: Seen) {
        let length = seen.length;
        self.last = seen.time;
        self.packets += 1;
        self.bytes += u64::from(length);
        self.payload += u64::from(seen.payload);
        self.length_squares = self
            .length_squares
            .wrapping_add(u64::from(length) * u64::from(length));
        bump(&mut self.sizes, size_bin(length));
    }
}

/// What a direction's features take from a packet.
#[derive(Clone, Copy)]
pub(crate) struct Seen {
    /// Nanoseconds.
    pub(crate) time: u64,
    /// Length of the IP packet.
    pub(crate) length: u32,
    /// Length of the transport payload.
    pub(crate) payload: u32,
    /// Time to live or hop limit.
    pub(crate) ttl: u8,
    /// TCP window, unscaled.
    pub(crate) window: u16,
}

impl Seen {
    #[inline(always)]
    const fn short(self) -> u16 {
        if self.length > 0xffff {
            0xffff
        } else {
            self.length as u16
        }
    }
}

/// Whole microseconds of `nanoseconds`, at most `u32::MAX`.
///
/// Below 2^32 by the reciprocal `ceil(2^38 / 1000)`, exact there ("Hacker's Delight", second edition,
/// section 10-9), since a division costs as much as the rest of the update.
#[inline(always)]
#[must_use]
pub const fn micros(nanoseconds: u64) -> u32 {
    if nanoseconds <= u32::MAX as u64 {
        return ((nanoseconds * 274_877_907) >> 38) as u32;
    }
    let micros = nanoseconds / 1_000;
    if micros > u32::MAX as u64 {
        u32::MAX
    } else {
        micros as u32
    }
}

#[inline(always)]
fn bump<const N: usize>(bins: &mut [u32; N], bin: u32) {
    let last = N as u32 - 1;
    let bin = if bin > last { last } else { bin };
    if let Some(count) = bins.get_mut(bin as usize) {
        *count += 1;
    }
}

/// Nanoseconds from `then` to `now`; 0 where the clock went back.
///
/// By the sign, not `saturating_sub`, of which LLVM makes eight instructions of BPF.
#[inline(always)]
#[must_use]
pub const fn since(now: u64, then: u64) -> u64 {
    let elapsed = now.wrapping_sub(then).cast_signed();
    if elapsed > 0 {
        elapsed.cast_unsigned()
    } else {
        0
    }
}

/// The bin of [`Half::sizes`] for an IP packet of `length` bytes.
#[inline(always)]
#[must_use]
pub const fn size_bin(length: u32) -> u32 {
    // Three comparisons, where arithmetic takes more, as BPF has no conditional move.
    if length < 512 {
        if length < 128 {
            if length < 64 { 0 } else { 1 }
        } else if length < 256 {
            2
        } else {
            3
        }
    } else if length < 2_048 {
        if length < 1_024 { 4 } else { 5 }
    } else if length < 4_096 {
        6
    } else {
        7
    }
}

/// The bin of [`Half::intervals`] for a time of `micros` microseconds: half the binary logarithm, for which BPF has no
/// instruction. Four comparisons, as above.
#[inline(always)]
#[must_use]
pub const fn interval_bin(micros: u32) -> u32 {
    /// Among four bins from `bin` on, of which the first ends before `1 << end`.
    #[inline(always)]
    const fn of_four(micros: u32, end: u32, bin: u32) -> u32 {
        if micros < 1 << (end + 2) {
            if micros < 1 << end { bin } else { bin + 1 }
        } else if micros < 1 << (end + 4) {
            bin + 2
        } else {
            bin + 3
        }
    }
    if micros < 1 << 16 {
        if micros < 1 << 8 {
            of_four(micros, 2, 0)
        } else {
            of_four(micros, 10, 4)
        }
    } else if micros < 1 << 24 {
        of_four(micros, 18, 8)
    } else {
        of_four(micros, 26, 12)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interval_bins_are_powers_of_four() {
        for micros in (1..5_000).chain([65_535, 65_536, 1 << 24, u32::MAX]) {
            assert_eq!(interval_bin(micros), micros.ilog2() / 2, "of {micros}");
        }
        assert_eq!(interval_bin(0), 0);
    }

    #[test]
    fn micros_is_division_by_a_thousand() {
        let edges =
            (0..5_000_u64)
                .map(|n| n * 999_983)
                .chain([u64::from(u32::MAX), 1 << 32, 1 << 40]);
        for nanoseconds in edges {
            assert_eq!(
                u64::from(micros(nanoseconds)),
                nanoseconds / 1_000,
                "of {nanoseconds}"
            );
        }
        assert_eq!(micros(u64::MAX), u32::MAX);
    }

    #[test]
    fn size_bins_are_powers_of_two_from_64() {
        for (length, bin) in [
            (0, 0),
            (63, 0),
            (64, 1),
            (127, 1),
            (128, 2),
            (1_500, 5),
            (4_096, 7),
        ] {
            assert_eq!(size_bin(length), bin, "of {length}");
        }
        for length in (64..70_000).chain([1 << 20, u32::MAX]) {
            assert_eq!(size_bin(length), (length.ilog2() - 5).min(7), "of {length}");
        }
    }
}
