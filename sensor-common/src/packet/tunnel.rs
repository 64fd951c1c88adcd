//! What is unwrapped: the one list of encapsulations that carry packets of others.
//!
//! The kernel's counters, the names in events and metrics, and `docs/encapsulations.md` follow from it.

use crate::counter::Counter;

macro_rules! tunnels {
    ($($(#[doc = $doc:literal])+ $name:ident = $bit:literal, $label:literal, $counter:ident, $found:literal, $inside:literal;)+) => {
        /// An encapsulation; the values are bits of [`super::Packet::tunnels`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u16)]
        pub enum Tunnel {
            $($(#[doc = $doc])+ $name = 1 << $bit,)+
        }

        impl Tunnel {
            /// Every encapsulation, by its bit from 0 on.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// Its counters, in the order of [`Tunnel::ALL`].
            pub const COUNTERS: &'static [Counter] = &[$(Counter::$counter,)+];

            /// Its name in events and metrics.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $label,)+ }
            }

            /// The counter of packets that were unwrapped from it.
            #[must_use]
            pub const fn counter(self) -> Counter {
                match self { $(Self::$name => Counter::$counter,)+ }
            }

            /// What it is, with its standard.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc,)+),)+ }
            }

            /// What it is recognised by.
            #[must_use]
            pub const fn found_by(self) -> &'static str {
                match self { $(Self::$name => $found,)+ }
            }

            /// What is read inside of it.
            #[must_use]
            pub const fn inside(self) -> &'static str {
                match self { $(Self::$name => $inside,)+ }
            }
        }
    };
}

tunnels! {
    /// GRE (RFC 2784, RFC 2890), with PPP also version 1 (RFC 2637)
    Gre = 0, "gre", TunnelGre, "IP protocol 47", "Ethernet, IP, MPLS, PPP";
    /// ERSPAN type I, II or III (draft-foschiano-erspan-03)
    Erspan = 1, "erspan", TunnelErspan, "GRE with protocol 0x88be or 0x22eb", "Ethernet, IP";
    /// VXLAN (RFC 7348), its group policy and generic protocol extensions
    Vxlan = 2, "vxlan", TunnelVxlan, "UDP port 4789, 8472 or 4790", "Ethernet, IP";
    /// GENEVE (RFC 8926)
    Geneve = 3, "geneve", TunnelGeneve, "UDP port 6081", "Ethernet, IP, MPLS";
    /// IP in IP (RFC 2003, RFC 2473, RFC 4213) and Ethernet or MPLS in IP (RFC 3378, RFC 4023)
    Ip = 4, "ip", TunnelIp, "IP protocol 4, 41, 97 or 137", "Ethernet, IP, MPLS";
    /// GTP-U (3GPP TS 29.281)
    Gtp = 5, "gtp", TunnelGtp, "UDP port 2152", "IP";
    /// CAPWAP data (RFC 5415)
    Capwap = 6, "capwap", TunnelCapwap, "UDP port 5247", "Ethernet, 802.11 data frames that are not encrypted";
    /// Teredo (RFC 4380)
    Teredo = 7, "teredo", TunnelTeredo, "UDP port 3544", "IPv6";
    /// HP encapsulated remote mirror
    HpErm = 8, "hp_erm", TunnelHpErm, "UDP port 7932", "Ethernet";
    /// TZSP
    Tzsp = 9, "tzsp", TunnelTzsp, "UDP port 37008", "Ethernet, 802.11 data frames that are not encrypted";
    /// MPLS (RFC 3032), with Ethernet with or without a control word (RFC 4448)
    Mpls = 10, "mpls", TunnelMpls, "EtherType 0x8847 or 0x8848", "IP, Ethernet";
    /// Sessions of PPP over Ethernet (RFC 2516)
    Pppoe = 11, "pppoe", TunnelPppoe, "EtherType 0x8864", "IP, MPLS";
    /// PBB, MAC in MAC (IEEE 802.1ah)
    Pbb = 12, "pbb", TunnelPbb, "EtherType 0x88e7", "Ethernet";
    /// L2TP version 2 (RFC 2661)
    L2tp = 13, "l2tp", TunnelL2tp, "UDP port 1701", "IP in PPP";
    /// AYIYA (draft-massar-v6ops-ayiya-02)
    Ayiya = 14, "ayiya", TunnelAyiya, "UDP port 5072", "IPv6";
}

impl Tunnel {
    /// The names of the encapsulations in `bits`.
    pub fn names(bits: u16) -> impl Iterator<Item = &'static str> {
        Self::ALL
            .iter()
            .filter(move |tunnel| bits & **tunnel as u16 != 0)
            .map(|tunnel| tunnel.name())
    }
}
