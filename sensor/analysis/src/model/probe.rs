//! Rows that the sensor makes up, so that a model is tried with more than those that its maker chose.

use super::{FEATURES, NAMES};

/// How many.
const PROBES: usize = 64;

/// Each feature anything from nothing to a thousand million, flags 0 or 1, shares up to 1; the same each time.
pub(super) fn probes() -> Vec<[f32; FEATURES]> {
    // xorshift64* (Vigna 2016): it need not be more than different numbers.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        let bits = state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 48;
        // Sixteen bits are a share from 0 to 1.
        f32::from(u16::try_from(bits).unwrap_or_default()) / f32::from(u16::MAX)
    };
    (0..PROBES)
        .map(|_| {
            let mut row = [0.0; FEATURES];
            for (value, name) in row.iter_mut().zip(NAMES) {
                let (some, share) = (next(), next());
                *value = match name {
                    _ if some < 0.3 => 0.0,
                    name if name.starts_with("is_") => share.round(),
                    name if name.ends_with("_share") => share,
                    _ => 10_f32.powf(share * 15.0 - 6.0),
                };
            }
            row
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_are_as_rows_can_be() {
        let probes = probes();
        assert_eq!(probes.len(), PROBES);
        for row in &probes {
            for (value, name) in row.iter().zip(NAMES) {
                let most = match name {
                    name if name.starts_with("is_") || name.ends_with("_share") => 1.0,
                    _ => 2e9,
                };
                assert!((0.0..=most).contains(value), "{name} {value}");
            }
        }
        let bytes = NAMES.iter().position(|name| *name == "in_bytes");
        let much = probes
            .iter()
            .filter(|row| row[bytes.expect("a feature")] > 500.0);
        assert!(much.count() > PROBES / 8);
    }
}
