//! The bins of a direction's histograms.

/// Bins of the size histogram: below 64 bytes, then one a power of two, the last from 4096 on.
pub const SIZE_BINS: usize = 8;
/// Bins of the inter-arrival histogram: bin `i` holds `4^i` to `4^(i+1)` microseconds, the first from 0.
pub const INTERVAL_BINS: usize = 16;

/// Counts one in a bin; what is beyond the last counts in the last.
#[inline(always)]
pub(super) fn bump<const N: usize>(bins: &mut [u32; N], bin: u32) {
    let last = N as u32 - 1;
    let bin = if bin > last { last } else { bin };
    if let Some(count) = bins.get_mut(bin as usize) {
        *count += 1;
    }
}

/// The bin of [`super::Half::sizes`] for an IP packet of `length` bytes.
#[inline(always)]
#[must_use]
pub(super) const fn size_bin(length: u32) -> u32 {
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

/// The bin of [`super::Half::intervals`] for a time of `micros` microseconds: half the binary logarithm, for which BPF has no
/// instruction. Four comparisons, as above.
#[inline(always)]
#[must_use]
pub(super) const fn interval_bin(micros: u32) -> u32 {
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
