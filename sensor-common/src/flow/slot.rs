//! Where an established IPv4 flow is kept in the kernel, so that its packets find it without the kernel's hash table.
//!
//! A look-up in that table costs as much as all features of a packet: calls within calls, whose returns are dear where
//! processors must not predict them. Flows are therefore kept in an array, which the verifier reads inline. A hash table, the *directory*,
//! says which place of the array a key has; it decides who is in the table. A second array of *hints*, by a hash of the
//! key, says where the flow was found last. A hint proves nothing: the place holds the key, which is compared.

use crate::{flow::Flow, key::Key4};

/// A place for an established flow.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Kept4 {
    /// Whose flow it is; zero where the place is free.
    pub key: Key4,
    /// Not 0 once the place was put among the free ones, which is done once in its life.
    pub known: u32,
    /// Always zero.
    pub pad: u32,
    /// The flow.
    pub flow: Flow,
}

/// Hints for a table of `entries` flows: two for each, and a power of two.
#[must_use]
pub const fn hints(entries: u32) -> u32 {
    const MOST: u32 = 1 << 31;
    if entries > MOST / 2 {
        MOST
    } else {
        (entries * 2).next_power_of_two()
    }
}

/// The hint of a key, before it is cut to the number of hints. Whoever makes keys collide makes their packets cost a
/// look-up in the directory, no more.
#[inline(always)]
#[must_use]
pub const fn hint(key: &Key4) -> u32 {
    // Odd constants of the 64-bit xxHash; the middle bits of a product depend on all below them.
    let [addresses, rest] = key.words();
    let mixed =
        addresses.wrapping_mul(0x9e37_79b1_85eb_ca87) ^ rest.wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
    let folded = mixed ^ (mixed >> 32);
    (folded.wrapping_mul(0x1656_67b1_9e37_79f9) >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_two_hints_for_each_flow() {
        assert_eq!(hints(1), 2);
        assert_eq!(hints(65_536), 131_072);
        assert_eq!(hints(50_000), 131_072);
        assert_eq!(hints(u32::MAX), 1 << 31);
    }

    #[test]
    fn hints_of_like_keys_are_spread() {
        // A subnet's clients with one server, ports in sequence: half as many hints as keys, so at random
        // 1 - exp(-1/2) of the hints would be taken.
        let mut taken = [false; 8_192];
        let mut count = 0_u32;
        for client in 0..64_u8 {
            for port in 0..64_u8 {
                let key = Key4::of_words(
                    u32::from_ne_bytes([10, 1, 0, client]),
                    u32::from_ne_bytes([10, 2, 0, 1]),
                    u32::from_ne_bytes([200, port, 11, 112]),
                    6,
                );
                let slot = &mut taken[hint(&key) as usize % 8_192];
                count += u32::from(!*slot);
                *slot = true;
            }
        }
        assert!((3_100..3_350).contains(&count), "{count}");
    }
}
