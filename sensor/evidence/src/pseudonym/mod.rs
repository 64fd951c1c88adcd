//! Pseudonyms for what leaves the site: the same thing has the same pseudonym under one site's key, and nobody
//! without the key can tell what it was.
//!
//! Addresses keep their prefixes (Crypto-PAn), so that subnets stay subnets; names and Ethernet addresses become
//! keyed hashes (BLAKE3). Whoever has the key can undo addresses and try names.

mod address;
mod fields;
mod key;
mod names;
mod scan;
mod veil;

use std::net::{IpAddr, SocketAddr};

use address::CryptoPan;
pub use key::{KeyError, SiteKey};
pub use names::Names;
pub use veil::Veil;

/// What a name is of. Names of different kinds have different pseudonyms even where they are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Named {
    /// A DICOM AE title.
    AeTitle,
    /// An HL7 application or facility.
    Application,
    /// A host's name.
    Host,
    /// A person at the site.
    Person,
    /// Any other text that could name something.
    Text,
}

impl Named {
    const fn prefix(self) -> &'static str {
        match self {
            Self::AeTitle => "ae",
            Self::Application => "app",
            Self::Host => "host",
            Self::Person => "person",
            Self::Text => "text",
        }
    }
}

/// Digits of a name's pseudonym: 64 bits, so that two of a million names are alike once in 37 million sites.
const DIGITS: usize = 16;

/// Makes pseudonyms.
#[derive(Clone)]
pub struct Pseudonyms {
    addresses: CryptoPan,
    names: [u8; 32],
}

impl Pseudonyms {
    /// Under a site's key.
    #[must_use]
    pub fn new(key: &SiteKey) -> Self {
        // Each use has a key of its own, so none tells anything of another.
        let derive = |what| blake3::derive_key(what, key.bytes());
        Self {
            addresses: CryptoPan::new(&derive("wardtap pseudonyms of addresses v1")),
            names: derive("wardtap pseudonyms of names v1"),
        }
    }

    /// An address. Two addresses have a common prefix as long as before.
    #[must_use]
    pub fn address(&self, address: IpAddr) -> IpAddr {
        self.addresses.of(address)
    }

    /// An address with its port, which stays.
    #[must_use]
    pub fn socket(&self, socket: SocketAddr) -> SocketAddr {
        SocketAddr::new(self.address(socket.ip()), socket.port())
    }

    /// An Ethernet address: locally administered, since it is nobody's (IEEE 802, section 8.4).
    #[must_use]
    pub fn mac(&self, mac: [u8; 6]) -> [u8; 6] {
        let hash = self.hash("mac", &mac);
        let mut pseudonym = *hash.as_bytes().first_chunk().unwrap_or(&[0; 6]);
        pseudonym[0] = pseudonym[0] & !0b01 | 0b10;
        pseudonym
    }

    /// A name, such as `ae-5d41402abc4b2a76`.
    #[must_use]
    pub fn name(&self, kind: Named, name: &str) -> String {
        let hash = self.hash(kind.prefix(), name.as_bytes()).to_hex();
        format!("{}-{}", kind.prefix(), &hash[..DIGITS])
    }

    /// A number that was made of addresses without a key, or names a person: below `end`.
    #[must_use]
    pub fn number(&self, number: u64, end: u64) -> u64 {
        let hash = self.hash("number", &number.to_be_bytes());
        let bytes = *hash.as_bytes().first_chunk().unwrap_or(&[0; 8]);
        u64::from_be_bytes(bytes) % end.max(1)
    }

    /// A keyed hash of something whose own hash could be guessed at; 64 hexadecimal digits.
    #[must_use]
    pub fn digest(&self, of: &[u8]) -> String {
        self.hash("digest", of).to_hex().to_string()
    }

    fn hash(&self, kind: &str, of: &[u8]) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.names);
        hasher.update(kind.as_bytes());
        hasher.update(&[0]);
        hasher.update(of);
        hasher.finalize()
    }
}

#[cfg(test)]
mod veil_tests;

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn site(byte: u8) -> Pseudonyms {
        Pseudonyms::new(&SiteKey::of([byte; 32]))
    }

    #[test]
    fn the_same_has_the_same_pseudonym_at_one_site_only() {
        let address: IpAddr = [10, 1, 2, 3].into();
        let name = |site: &Pseudonyms| site.name(Named::AeTitle, "CT_ROOM_1");
        assert_eq!(site(1).address(address), site(1).address(address));
        assert_ne!(site(1).address(address), site(2).address(address));
        assert_ne!(site(1).address(address), address);
        assert_eq!(name(&site(1)), name(&site(1)));
        assert_ne!(name(&site(1)), name(&site(2)));
        assert!(!name(&site(1)).contains("CT"));
        assert_ne!(
            site(1).name(Named::Host, "CT_ROOM_1")[5..],
            name(&site(1))[3..]
        );
    }

    #[test]
    fn macs_are_nobodys_and_of_one_station() {
        let all: HashSet<_> = (0..=u8::MAX)
            .map(|last| site(3).mac([0, 1, 2, 3, 4, last]))
            .collect();
        assert_eq!(all.len(), 256);
        assert!(all.iter().all(|mac| mac[0] & 0b11 == 0b10));
    }
}
