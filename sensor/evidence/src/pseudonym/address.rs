//! Prefix-preserving pseudonyms of addresses: Crypto-PAn (Xu, Fan, Ammar, Moon: "Prefix-preserving IP address
//! anonymization", ICNP 2002), with 128 bits for IPv6 as its successors do.

use std::net::IpAddr;

use aes::{
    Aes128,
    cipher::{BlockCipherEncrypt, KeyInit},
};

#[derive(Clone)]
pub(super) struct CryptoPan {
    cipher: Aes128,
    pad: u128,
}

impl CryptoPan {
    /// The first half of the key is the cipher's, the second gives the padding.
    pub(super) fn new(key: &[u8; 32]) -> Self {
        let (own, pad) = key.split_at(16);
        let halves = (<[u8; 16]>::try_from(own), <[u8; 16]>::try_from(pad));
        let (own, pad) = (halves.0.unwrap_or_default(), halves.1.unwrap_or_default());
        let cipher = Aes128::new(&own.into());
        let pad = encrypt(&cipher, u128::from_be_bytes(pad));
        Self { cipher, pad }
    }

    pub(super) fn of(&self, address: IpAddr) -> IpAddr {
        match address {
            IpAddr::V4(it) => {
                let bits = u128::from(it.to_bits()) << 96;
                let short = u32::try_from(self.bits(bits, 32) >> 96).unwrap_or_default();
                IpAddr::V4(short.into())
            }
            IpAddr::V6(it) => IpAddr::V6(self.bits(it.to_bits(), 128).into()),
        }
    }

    /// Each bit is flipped or not by what stands before it, and by nothing else.
    fn bits(&self, address: u128, length: u32) -> u128 {
        let mut flips = 0;
        for at in 0..length {
            let before = u128::MAX.checked_shl(128 - at).unwrap_or(0);
            let input = address & before | self.pad & !before;
            let bit = encrypt(&self.cipher, input) >> 127;
            flips |= bit << (127 - at);
        }
        address ^ flips
    }
}

fn encrypt(cipher: &Aes128, block: u128) -> u128 {
    let mut bytes = block.to_be_bytes().into();
    cipher.encrypt_block(&mut bytes);
    u128::from_be_bytes(bytes.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The key and the sample of Crypto-PAn's own distribution (version 1.0).
    const KEY: [u8; 32] = [
        21, 34, 23, 141, 51, 164, 207, 128, 19, 10, 91, 22, 73, 144, 125, 16, 216, 152, 143, 131,
        121, 121, 101, 39, 98, 87, 76, 45, 42, 132, 34, 2,
    ];

    #[test]
    fn the_authors_sample_comes_out() {
        let pan = CryptoPan::new(&KEY);
        for (address, pseudonym) in [
            ("128.11.68.132", "135.242.180.132"),
            ("129.118.74.4", "134.136.186.123"),
            ("130.132.252.244", "133.68.164.234"),
            ("141.223.7.43", "141.167.8.160"),
            ("141.233.145.108", "141.129.237.235"),
            ("152.163.225.39", "151.140.114.167"),
            ("156.29.3.236", "147.225.12.42"),
        ] {
            let address: IpAddr = address.parse().expect(address);
            assert_eq!(pan.of(address).to_string(), pseudonym);
        }
    }

    proptest! {
        #[test]
        fn common_prefixes_stay_as_long(a: u32, flip in 0u32..32, low: u32) {
            let pan = CryptoPan::new(&KEY);
            let b = a ^ (1 << flip) ^ (low & ((1 << flip) - 1));
            let (x, y) = (pan.of(IpAddr::V4(a.into())), pan.of(IpAddr::V4(b.into())));
            let (IpAddr::V4(x), IpAddr::V4(y)) = (x, y) else { unreachable!() };
            prop_assert_eq!((x.to_bits() ^ y.to_bits()).leading_zeros(), (a ^ b).leading_zeros());
        }

        #[test]
        fn and_of_ipv6(a: u128, flip in 0u32..128, low: u128) {
            let pan = CryptoPan::new(&KEY);
            let b = a ^ (1 << flip) ^ (low & ((1 << flip) - 1));
            let (x, y) = (pan.of(IpAddr::V6(a.into())), pan.of(IpAddr::V6(b.into())));
            let (IpAddr::V6(x), IpAddr::V6(y)) = (x, y) else { unreachable!() };
            prop_assert_eq!((x.to_bits() ^ y.to_bits()).leading_zeros(), (a ^ b).leading_zeros());
        }
    }
}
