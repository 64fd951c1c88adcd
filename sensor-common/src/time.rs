//! Arithmetic of times, in the few instructions that the packet path can afford.

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

#[cfg(test)]
mod tests {
    use super::*;

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
}
